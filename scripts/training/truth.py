"""Songs as folders of stems, DIR/SONG/STEM.wav in 32-bit floats, which is what `demucs-cli evaluate DIR` scores.

Usage: python truth.py DIR TRUTH...

A TRUTH is a folder of `.npy` songs (feeder.py --held-out), a folder with drums.flac, bass.ogg, ..., or such a folder with a
time range: `music/rubidium@60+60` is 60 s from second 60. A stem without a file gets none.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import soundfile
from torch import Tensor

import scores
from stems import RATE, STEMS


def songs_of(truth: str) -> Iterator[tuple[str, Tensor]]:
    """The songs of one TRUTH argument: name and stems [6, 2, samples]."""
    name, _, window = truth.partition("@")
    folder = Path(name)
    if any(folder.glob("*.npy")):
        yield from scores.generated_songs(folder)
    elif window:
        start, _, seconds = window.partition("+")
        yield folder.name, scores.recorded_song(folder, float(start), float(seconds))
    else:
        yield folder.name, scores.recorded_song(folder)


def main() -> None:
    """The command."""
    out = Path(sys.argv[1])
    for truth in sys.argv[2:]:
        source = Path(truth.partition("@")[0])
        generated = any(source.glob("*.npy"))
        for name, stems in songs_of(truth):
            (out / name).mkdir(parents=True, exist_ok=True)
            for number, stem in enumerate(STEMS):
                if generated or any(source.glob(f"{stem}.*")):
                    soundfile.write(out / name / f"{stem}.wav", stems[number].T.numpy(), RATE, subtype="FLOAT")


if __name__ == "__main__":
    main()
