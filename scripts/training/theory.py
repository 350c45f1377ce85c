"""Keys, chords and progressions: as little music theory as a song needs."""

from __future__ import annotations

import random
from dataclasses import dataclass

MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)

# Progressions as scale degrees (0 is the tonic chord), one chord a bar, repeated.
PROGRESSIONS = {
    "major": (
        (0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 4, 3), (0, 3, 0, 4), (1, 4, 0, 0), (0, 2, 3, 4), (0, 3, 5, 4),
        (0, 0, 3, 4), (3, 4, 2, 5), (0, 4, 1, 3), (0, 5, 1, 4), (0, 0, 3, 3),
    ),
    "minor": (
        (0, 5, 2, 6), (0, 6, 5, 6), (0, 3, 6, 2), (0, 5, 3, 4), (0, 3, 0, 4), (0, 2, 5, 6), (0, 0, 5, 6), (0, 6, 5, 4),
        (5, 6, 0, 0), (0, 3, 5, 6), (0, 0, 3, 3), (0, 0, 0, 0),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Chord:
    """A chord of the key: `root` is a pitch class, `tones` are semitones above the root."""

    root: int
    tones: tuple[int, ...]

    @property
    def is_minor(self) -> bool:
        return 3 in self.tones

    def voicing(self, low: int, high: int, voices: int, rng: random.Random) -> list[int]:
        """`voices` chord notes between the MIDI notes `low` and `high`, ascending, starting anywhere near the bottom."""
        notes = [n for n in range(low, high + 1) if (n - self.root) % 12 in self.tones]
        if len(notes) <= voices:
            return notes
        start = rng.randint(0, min(2, len(notes) - voices))
        return notes[start : start + voices]

    def bass_note(self, low: int) -> int:
        """The root in the octave that starts at `low`."""
        return low + (self.root - low) % 12


@dataclass(frozen=True)
class Key:
    """A tonic (pitch class) and a mode, `major` or `minor`."""

    tonic: int
    mode: str

    @property
    def steps(self) -> tuple[int, ...]:
        return MAJOR if self.mode == "major" else MINOR

    def chord(self, degree: int, sevenths: bool) -> Chord:
        """The chord built in thirds on a scale degree."""
        stack = (0, 2, 4, 6) if sevenths else (0, 2, 4)
        places = [self.steps[(degree + i) % 7] + 12 * ((degree + i) // 7) for i in stack]
        return Chord((self.tonic + places[0]) % 12, tuple(p - places[0] for p in places))

    def scale(self, low: int, high: int) -> list[int]:
        """All notes of the key between two MIDI notes."""
        return [n for n in range(low, high + 1) if (n - self.tonic) % 12 in self.steps]


def melody_steps(scale: list[int], length: int, start: int, rng: random.Random) -> list[int]:
    """A melody of `length` notes that mostly walks along `scale` (a list of MIDI notes)."""
    place = min(max(start, 0), len(scale) - 1)
    notes = []
    for _ in range(length):
        notes.append(scale[place])
        place += rng.choice((-3, -2, -1, -1, -1, 0, 1, 1, 1, 2, 3))
        place = min(max(place, 0), len(scale) - 1)
    return notes
