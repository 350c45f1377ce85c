"""The plan of a song: tempo, key, chords, and who plays in which section. Parts are written onto it by parts.py."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from stems import RATE, STEMS
from theory import PROGRESSIONS, Chord, Key

STYLES = ("rock", "pop", "ballad", "dance", "funk", "hiphop", "latin", "jazz", "metal", "folk")


@dataclass(frozen=True)
class Event:
    """One note: start and duration in seconds, MIDI pitch, velocity 0 to 1. `tag` names a drum piece or a chord quality."""

    start: float
    length: float
    pitch: float
    velocity: float
    tag: str = ""


@dataclass
class Sketch:
    """One song before it has notes. A bar has `beats` beats; `sections` are runs of bars with the same line-up."""

    seconds: float
    style: str
    tempo: float
    beats: int
    swing: float
    key: Key
    chords: list[Chord]
    active: dict[str, list[bool]] = field(default_factory=dict)

    @property
    def bar(self) -> float:
        """Seconds of a bar."""
        return self.beats * 60 / self.tempo

    @property
    def bars(self) -> int:
        return len(self.chords)

    def at(self, bar: int, beat: float) -> float:
        """The time of a beat in a bar; off-beat eighths come later by the swing."""
        eighth = beat % 1.0
        late = self.swing * (1 / 6) if abs(eighth - 0.5) < 0.01 else 0.0
        return bar * self.bar + (beat + late) * 60 / self.tempo

    def playing(self, stem: str) -> list[int]:
        """The bars in which a stem plays."""
        return [bar for bar in range(self.bars) if self.active[stem][bar]]


def draw_sketch(seconds: float, rng: random.Random, sparse: float) -> Sketch:
    """A random song plan. `sparse` is the chance that a stem rests in a section, and half the chance that it is absent."""
    style = rng.choice((*STYLES, "dance", "dance", "hiphop"))
    low, high = {
        "ballad": (60, 90), "dance": (116, 136), "hiphop": (72, 100), "metal": (110, 180), "jazz": (90, 180),
    }.get(style, (84, 150))  # fmt: skip
    tempo = rng.uniform(low, high)
    beats = 3 if rng.random() < 0.08 else 4
    swing = 1.0 if style == "jazz" or rng.random() < 0.1 else 0.0
    key = Key(rng.randrange(12), rng.choice(("major", "minor")))
    sevenths = style in ("jazz", "funk") or rng.random() < 0.2
    bars = int(seconds / (beats * 60 / tempo)) + 1
    first, second = rng.choice(PROGRESSIONS[key.mode]), rng.choice(PROGRESSIONS[key.mode])
    degrees = [(first if (bar // 8) % 2 == 0 else second)[bar % 4] for bar in range(bars)]
    sketch = Sketch(seconds, style, tempo, beats, swing, key, [key.chord(d, sevenths) for d in degrees])
    section = rng.choice((2, 4, 4, 8))
    for stem in STEMS:
        absent = rng.random() < sparse / 2
        rests = [rng.random() < sparse for _ in range(bars // section + 1)]
        sketch.active[stem] = [not absent and not rests[bar // section] for bar in range(bars)]
    return sketch


def jitter(rng: random.Random, amount: float = 0.008) -> float:
    """How far a player misses the beat, in seconds."""
    return max(-3 * amount, min(3 * amount, rng.gauss(0, amount)))


def to_samples(seconds: float) -> int:
    return int(seconds * RATE)
