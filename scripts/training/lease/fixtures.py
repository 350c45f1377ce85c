"""Songs in folders of stems as validation songs for train.py. Usage: python fixtures.py SONGS_DIR VALIDATION_DIR"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import music


def main() -> None:
    """The command."""
    for folder in sorted(Path(sys.argv[1]).iterdir()):
        song = music.read_song(folder).transpose(0, 2, 1)
        samples = np.round(song * 32767).clip(-32768, 32767).astype(np.int16)
        np.save(Path(sys.argv[2]) / f"{folder.name.replace('song-', 'fixture-')}.npy", samples)


if __name__ == "__main__":
    main()
