"""Test signals: analytic ones, generated ones, and excerpts of the sample song."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch

from .generator import noise

ROOT = Path(__file__).resolve().parents[2]
SONG = ROOT / "Fixtures" / "song.flac"
SAMPLE_RATE = 44_100


@cache
def song() -> torch.Tensor:
    """The sample song [2, samples]: 16-bit integers over 32768, exact in float32."""
    import soundfile

    samples, rate = soundfile.read(SONG, dtype="int16", always_2d=True)
    if rate != SAMPLE_RATE:
        raise ValueError(f"{SONG}: {rate} Hz, expected {SAMPLE_RATE}")
    return torch.from_numpy(samples.T.astype(np.float32) / np.float32(32768))


def sine(samples: int, frequency: float = 440.0, rate: int = SAMPLE_RATE, amplitude: float = 0.5) -> torch.Tensor:
    """``amplitude * sin(2 pi frequency n / rate)`` [1, samples], in float64, then rounded to float32."""
    n = np.arange(samples, dtype=np.float64)
    return torch.from_numpy((amplitude * np.sin(2.0 * np.pi * frequency * n / rate)).astype(np.float32))[None]


def signal(kind: str, samples: int, channels: int = 1, start: int = 44_100) -> torch.Tensor:
    """A signal [channels, samples] by name: ``silence``, ``sine``, ``noise`` or ``song`` (from sample ``start`` on)."""
    if kind == "silence":
        return torch.zeros(channels, samples)
    if kind == "sine":
        return sine(samples).repeat(channels, 1)
    if kind == "noise":
        return noise(f"signal.noise.{samples}", channels, samples)
    if kind == "song":
        excerpt = song()[:channels, start : start + samples]
        if excerpt.shape[-1] != samples:
            raise ValueError(f"the song is too short for {samples} samples from {start}")
        return excerpt
    raise ValueError(f"unknown signal {kind}")
