"""Real songs with known stems, cut into pieces for the pool.

Every stem is brought to one loudness; OUT_DIR/SONG.json keeps what it was, in dB below the song's loudest stem.

Usage: python music.py MUSIC_DIR OUT_DIR [--seconds 24] [--held-out]
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
import soundfile

import effects
import heldout
from songs import LOUDNESS
from stems import RATE, STEMS

UNTRUSTED = {("caesium", "other")}
"""Stems that hold more than their name says (this one has the song's bass line in it)."""


def read_song(folder: Path) -> np.ndarray:
    """The stems of a song as float32, [stems, samples, 2]; a stem without a file is silent."""
    stems: dict[str, np.ndarray] = {}
    for stem in STEMS:
        for path in folder.glob(f"{stem}.*"):
            if path.suffix in (".ogg", ".flac", ".wav"):
                stems[stem], rate = soundfile.read(path, dtype="float32", always_2d=True)
                if rate != RATE:
                    raise ValueError(f"{path}: {rate} Hz, expected {RATE}")
    if not stems:
        raise FileNotFoundError(f"no stems in {folder}")
    silence = np.zeros_like(next(iter(stems.values())))
    return np.stack([stems.get(stem, silence) for stem in STEMS])


def cut_song(folder: Path, out: Path, seconds: float) -> int:
    """Write pieces of one song that overlap by half, each stem at the loudness of the generated ones."""
    song = read_song(folder)
    levels = [0.0 if (folder.name, stem) in UNTRUSTED else effects.gated_rms(song[n]) for n, stem in enumerate(STEMS)]
    for number, level in enumerate(levels):
        song[number] *= LOUDNESS / level if level else 0.0
    balance = [20 * math.log10(level / max(levels)) if level else 0.0 for level in levels]
    (out / f"{folder.name}.json").write_text(json.dumps(balance))
    length = int(seconds * RATE)
    count = 0
    kept_from, kept_to = (RATE * second for second in heldout.WINDOWS.get(folder.name, (0, 0)))
    for start in range(0, song.shape[1] - length, length // 2):
        if start < kept_to and start + length > kept_from:
            continue
        piece = np.clip(song[:, start : start + length], -1, 1).transpose(0, 2, 1)
        if np.abs(piece).max() > 0.02:
            partial = out / f"{folder.name}-{count:03d}.part"
            with open(partial, "wb") as file:
                np.save(file, (piece * 32767).astype(np.int16))
            partial.rename(partial.with_suffix(".npy"))
            count += 1
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("music", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=24.0)
    parser.add_argument("--held-out", action="store_true", help="cut the held-out songs instead of the others")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for folder in sorted(p for p in options.music.iterdir() if (p / "drums.ogg").exists()):
        if (folder.name in heldout.SONGS) == options.held_out:
            print(folder.name, cut_song(folder, options.out, options.seconds), "pieces", flush=True)


if __name__ == "__main__":
    main()
