"""nSDR, the figure everything is judged by, and the songs it is measured on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from music import read_song
from stems import RATE, STEMS

SILENT_DB = -60.0
"""A stem whose truth lies below this level (dBFS RMS over the song) counts as silent."""


def level_db(audio: Tensor) -> float:
    """RMS in dB relative to full scale."""
    return float(10 * torch.log10(audio.double().square().mean() + 1e-12))


def nsdr(truth: Tensor, estimate: Tensor) -> float:
    """10 log10(sum s^2 / sum (s - s')^2) over all samples and channels, the definition of MDX; silence scores 0."""
    truth, estimate = truth.double(), estimate.double()
    return float(10 * torch.log10((truth.square().sum() + 1e-7) / ((truth - estimate).square().sum() + 1e-7)))


def score_song(truth: Tensor, estimate: Tensor) -> dict[str, dict[str, float]]:
    """For each stem [S, 2, samples]: `nsdr` where it plays, else `leak_db`, the level of what should be silent."""
    result: dict[str, dict[str, float]] = {}
    for number, stem in enumerate(STEMS):
        if level_db(truth[number]) < SILENT_DB:
            result[stem] = {"leak_db": level_db(estimate[number])}
        else:
            result[stem] = {"nsdr": nsdr(truth[number], estimate[number])}
    return result


def mean_scores(songs: list[dict[str, dict[str, float]]], key: str = "nsdr") -> dict[str, float]:
    """The mean over songs, for every stem that has a figure."""
    means = {}
    for stem in STEMS:
        values = [song[stem][key] for song in songs if key in song[stem]]
        if values:
            means[stem] = sum(values) / len(values)
    return means


def ideal_masks(stems: Tensor) -> Tensor:
    """What the best mask would make of the sum of stems [S, 2, samples]: each its share of the magnitudes, the mix's phase.

    A yardstick of how hard a song is; networks reach it for drums and bass and stay below it elsewhere.
    """
    window = torch.hann_window(4096, device=stems.device)
    flat = stems.flatten(0, 1)
    spectra = torch.stft(flat, 4096, 1024, window=window, return_complex=True).unflatten(0, stems.shape[:2])
    shares = spectra.abs() / (spectra.abs().sum(0) + 1e-9)
    estimate = (shares * spectra.sum(0)).flatten(0, 1)
    return torch.istft(estimate, 4096, 1024, window=window, length=stems.shape[-1]).unflatten(0, stems.shape[:2])


def generated_songs(folder: Path) -> Iterator[tuple[str, Tensor]]:
    """Songs [6, 2, samples] of a folder; over generated ones (`song*`) a fixed, uneven balance (2.5 dB) is laid."""
    for path in sorted(folder.glob("*.npy")):
        song = torch.from_numpy(np.load(path)).float() / 32768
        if path.stem.startswith("song"):
            gains = np.random.default_rng(sum(path.stem.encode())).normal(-3.0, 2.5, len(STEMS))
            song = song * torch.tensor(10 ** (gains / 20), dtype=torch.float32)[:, None, None]
        yield path.stem, song


def recorded_song(folder: Path, start: float = 0.0, seconds: float | None = None) -> Tensor:
    """A folder of stem files as [6, 2, samples]."""
    song = read_song(folder)[:, int(start * RATE) :]
    if seconds:
        song = song[:, : int(seconds * RATE)]
    return torch.from_numpy(song.transpose(0, 2, 1).copy())
