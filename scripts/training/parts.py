"""What each player plays: functions from a sketch to notes."""

from __future__ import annotations

import random

from sketch import Event, Sketch, jitter
from theory import melody_steps

# Drum grids of 16 steps: kick, snare. `x` hits, `o` hits softly, `?` hits half of the times.
GROOVES = {
    "rock": (
        ("x-------x-?-----", "----x-------x---"), ("x-----x-x-------", "----x-------x--?"),
        ("x-x---x-x-?---x-", "----x-------x---"),
    ),
    "pop": (("x-----?-x-------", "----x-------x---"), ("x--?--x---x-----", "----x-------x---")),
    "ballad": (("x---------x-----", "--------x-------"), ("x-------x-------", "----x-------x---")),
    "dance": (("x---x---x---x---", "----x-------x---"), ("x---x---x---x-?-", "----x--o----x-?o")),
    "funk": (("x--x--?---x--?--", "----x--o-o--x--o"), ("x-x----x--x-----", "o---x-oo-o--x-o-")),
    "hiphop": (
        ("x------?--x-----", "----x-------x---"), ("x--x---x--?---x-", "----x-------x---"),
        ("x-----x---x--?--", "--------x-------"),
    ),
    "latin": (("x--x----x--x----", "--o--o--o-o--o--"), ("x-----x-x-----x-", "---x--x---x-x---")),
    "jazz": (("x---?---x---?---", "--?---o---?--o--"), ("x-------?-------", "-----o--?----o--")),
    "metal": (
        ("xxxxxxxxxxxxxxxx", "----x-------x---"), ("x-xxx-xxx-xxx-xx", "----x-------x---"),
        ("x-x-x-x-x-x-x-x-", "--x---x---x---x-"),
    ),
    "folk": (("x-------x-------", "----?-------?---"), ("x-----x-x-------", "----o-------o---")),
}  # fmt: skip


def strike(cell: str, rng: random.Random) -> float:
    """The velocity that a grid cell stands for; 0 for none."""
    loud = {"x": 0.9, "o": 0.35, "?": 0.75 * (rng.random() < 0.5)}.get(cell, 0.0)
    return loud * rng.uniform(0.85, 1.1)


def drums(sketch: Sketch, rng: random.Random) -> list[Event]:
    """A groove with a ride or hi-hat pattern, crashes at section starts and a fill every four bars."""
    kick, snare = rng.choice(GROOVES[sketch.style])
    backbeat = rng.choice(("snare", "snare", "snare", "clap", "rim"))
    time_keeper = rng.choice(("hat_closed", "hat_closed", "hat_closed", "ride", "hat_open", "perc"))
    density = rng.choice((4, 8, 8, 8, 16, 16)) if sketch.style != "ballad" else rng.choice((4, 8))
    open_step = rng.choice((None, 2, 6, 14, 10)) if sketch.style != "jazz" else None
    shaker = rng.random() < 0.25
    loose = rng.uniform(0.0, 0.008)
    events: list[Event] = []
    steps = sketch.beats * 4

    def hit(bar: int, step: float, piece: str, velocity: float) -> None:
        if velocity > 0:
            start = max(0.0, sketch.at(bar, step / 4) + jitter(rng, loose))
            events.append(Event(start, 4.0, 60.0, min(velocity, 1.0), piece))

    bars = sketch.playing("drums")
    for bar in bars:
        fill = bar % 4 == 3 and rng.random() < 0.6
        last = steps - rng.choice((4, 8)) if fill else steps
        if bar % 8 == 0 or (bar - 1 not in bars and rng.random() < 0.5):
            hit(bar, 0, "crash", rng.uniform(0.6, 1.0))
        for step in range(steps):
            if step < last:
                hit(bar, step, "kick", strike(kick[step % 16], rng))
                hit(bar, step, backbeat, strike(snare[step % 16], rng))
            if step % (16 // density) == 0:
                accent = 0.75 if step % 4 == 0 else 0.5
                piece = "hat_open" if step == open_step else time_keeper
                hit(bar, step, piece, accent * rng.uniform(0.75, 1.15))
            if shaker and step % 2 == 0:
                hit(bar, step, "perc", rng.uniform(0.2, 0.4))
            if fill and step >= last and rng.random() < 0.8:
                hit(bar, step, rng.choice(("tom", "tom", "snare")), rng.uniform(0.6, 1.0))
    return events


def bass(sketch: Sketch, rng: random.Random) -> list[Event]:
    """Roots, octaves, walks or riffs under the chords."""
    manner = (
        "walk" if sketch.style == "jazz" else rng.choice(("roots", "eighths", "octaves", "riff", "long", "syncopated", "kick"))
    )
    if sketch.style == "metal":
        manner = rng.choice(("eighths", "riff", "kick"))
    low = rng.choice((28, 28, 33, 36))
    beat = 60 / sketch.tempo
    touch = rng.uniform(0.5, 1.0)
    riff = [(s / 4, rng.choice((0, 0, 0, 7, 12, 10, 5))) for s in range(sketch.beats * 4) if rng.random() < 0.4] or [(0.0, 0)]
    kick = rng.choice(GROOVES[sketch.style])[0]
    events: list[Event] = []

    def play(bar: int, place: float, length: float, pitch: float) -> None:
        start = max(0.0, sketch.at(bar, place) + jitter(rng, 0.005))
        events.append(Event(start, length * beat * touch, pitch, rng.uniform(0.6, 1.0)))

    for bar in sketch.playing("bass"):
        chord = sketch.chords[bar]
        root = chord.bass_note(low)
        if manner == "long":
            play(bar, 0, sketch.beats, root)
        elif manner == "roots":
            for place in range(sketch.beats):
                play(bar, place, 1, root + (rng.choice((0, 0, 7, 12)) if place else 0))
        elif manner == "eighths":
            for place in range(sketch.beats * 2):
                play(bar, place / 2, 0.5, root)
        elif manner == "octaves":
            for place in range(sketch.beats * 2):
                play(bar, place / 2, 0.5, root + 12 * (place % 2))
        elif manner == "syncopated":
            for place in (0, 0.75, 1.5, 2.5, 3.25):
                if place < sketch.beats:
                    play(bar, place, 0.6, root + rng.choice((0, 0, 7, 12)))
        elif manner == "kick":
            for step, cell in enumerate(kick[: sketch.beats * 4]):
                if cell != "-":
                    play(bar, step / 4, 0.5, root)
        elif manner == "walk":
            scale = sketch.key.scale(low, low + 17)
            nearest = min(range(len(scale)), key=lambda i: abs(scale[i] - root))
            for place, pitch in enumerate([root, *melody_steps(scale, sketch.beats - 1, nearest, rng)]):
                play(bar, place, 1, pitch)
        else:
            for place, interval in riff:
                play(bar, place, 0.4, root + interval)
    return events


STRUMS = ("x-x-x-x-", "x---x-xx", "x-xx-xxx", "x--x--x-", "--x---x-", "xxxxxxxx", "x-------", "x-x---x-", "-x-x-x-x")


def strummed(sketch: Sketch, rng: random.Random, stem: str) -> list[Event]:
    """Chords across the strings, one string after the other."""
    pattern = rng.choice(STRUMS)
    voices, low = rng.choice((3, 4, 5, 6)), rng.choice((40, 45, 52))
    ring = rng.choice((0.3, 0.5, 1.0, 2.0))
    beat = 60 / sketch.tempo
    events = []
    for bar in sketch.playing(stem):
        notes = sketch.chords[bar].voicing(low, low + 26, voices, rng)
        for step in range(sketch.beats * 2):
            if pattern[step % 8] == "x":
                start, spread = sketch.at(bar, step / 2) + jitter(rng), rng.uniform(0.004, 0.02)
                order = notes if step % 2 == 0 else notes[::-1]
                velocity = rng.uniform(0.5, 1.0)
                for string, pitch in enumerate(order):
                    events.append(Event(max(0.0, start + string * spread), ring * beat, pitch, velocity))
    return events


def arpeggio(sketch: Sketch, rng: random.Random, stem: str, low: int, high: int) -> list[Event]:
    """The chord, one note after the other."""
    rate, voices = rng.choice((2, 2, 4, 3)), rng.choice((3, 4, 5))
    ring = rng.choice((0.5, 1.0, 2.0, 3.0))
    shape = [rng.randrange(voices) for _ in range(8)] if rng.random() < 0.5 else [*range(voices), *range(voices - 2, 0, -1)]
    events = []
    for bar in sketch.playing(stem):
        notes = sketch.chords[bar].voicing(low, high, voices, rng)
        for step in range(sketch.beats * rate):
            pitch = notes[shape[step % len(shape)] % len(notes)]
            start = max(0.0, sketch.at(bar, step / rate) + jitter(rng))
            events.append(Event(start, ring * 60 / sketch.tempo, pitch, rng.uniform(0.45, 0.95)))
    return events


def melody(sketch: Sketch, rng: random.Random, stem: str, low: int, high: int, rest: float = 0.25) -> list[Event]:
    """A tune along the scale, with rests."""
    scale = sketch.key.scale(low, high)
    lengths = rng.choice(((0.5, 1, 1, 2), (0.25, 0.25, 0.5, 0.5), (1, 2, 3), (0.5, 0.5, 0.5, 1.5)))
    place = rng.randrange(len(scale))
    beat, touch = 60 / sketch.tempo, rng.uniform(0.6, 1.05)
    events = []
    for bar in sketch.playing(stem):
        position = 0.0
        while position < sketch.beats:
            length = rng.choice(lengths)
            place = min(max(place + rng.choice((-3, -2, -1, -1, 0, 1, 1, 2, 3)), 0), len(scale) - 1)
            if rng.random() > rest:
                start = max(0.0, sketch.at(bar, position) + jitter(rng))
                events.append(Event(start, length * beat * touch, scale[place], rng.uniform(0.55, 1.0)))
            position += length
    return events


def chords_held(sketch: Sketch, rng: random.Random, stem: str, low: int, high: int) -> list[Event]:
    """Whole chords, long or as stabs."""
    voices = rng.choice((3, 3, 4, 5))
    rhythm = rng.choice(
        ((0.0,), (0.0,), (0.0, 2.0), (0.0, 1.5, 3.0), (0.5, 1.5, 2.5, 3.5), (0.0, 0.75, 1.5, 2.5), (0.0, 1.0, 2.0, 3.0))
    )
    short = len(rhythm) > 2 and rng.random() < 0.6
    beat = 60 / sketch.tempo
    events = []
    for bar in sketch.playing(stem):
        notes = sketch.chords[bar].voicing(low, high, voices, rng)
        for number, position in enumerate(rhythm):
            if position >= sketch.beats:
                continue
            until = rhythm[number + 1] if number + 1 < len(rhythm) else sketch.beats
            length = 0.3 * beat if short else (until - position) * beat
            velocity, late = rng.uniform(0.5, 0.95), jitter(rng)
            for pitch in notes:
                start = max(0.0, sketch.at(bar, position) + late + abs(jitter(rng, 0.004)))
                events.append(Event(start, length, pitch, velocity * rng.uniform(0.85, 1.0)))
    return events


def riff(sketch: Sketch, rng: random.Random, stem: str, low: int) -> list[Event]:
    """Low notes and fifths on a repeated rhythm: the rock guitarist's left hand."""
    steps = [s for s in range(sketch.beats * 4) if rng.random() < (0.7 if s % 2 == 0 else 0.3)] or [0]
    offsets = [rng.choice((0, 0, 0, 3, 5, 7, 10)) if rng.random() < 0.4 else 0 for _ in steps]
    fifths = rng.random() < 0.7
    short = rng.random() < 0.5
    sixteenth = 15 / sketch.tempo
    events = []
    for bar in sketch.playing(stem):
        root = sketch.chords[bar].bass_note(low)
        for number, step in enumerate(steps):
            gap = (steps[number + 1] if number + 1 < len(steps) else sketch.beats * 4) - step
            length = sixteenth * (0.7 if short else gap)
            start = max(0.0, sketch.at(bar, step / 4) + jitter(rng, 0.005))
            pitches = [root + offsets[number]]
            pitches += [pitches[0] + 7, pitches[0] + 12] if fifths else []
            events += [Event(start, length, pitch, rng.uniform(0.7, 1.0)) for pitch in pitches]
    return events


def guitar(sketch: Sketch, rng: random.Random) -> list[Event]:
    manner = rng.choice(("strum", "strum", "strum", "arpeggio", "riff", "riff", "melody", "held"))
    if sketch.style == "metal":
        manner = rng.choice(("riff", "riff", "melody", "strum"))
    if manner == "strum":
        return strummed(sketch, rng, "guitar")
    if manner == "arpeggio":
        return arpeggio(sketch, rng, "guitar", 45, 76)
    if manner == "riff":
        return riff(sketch, rng, "guitar", rng.choice((40, 40, 45)))
    if manner == "melody":
        return melody(sketch, rng, "guitar", 52, 81)
    return chords_held(sketch, rng, "guitar", 45, 70)


def piano(sketch: Sketch, rng: random.Random) -> list[Event]:
    manner = rng.choice(("block", "block", "comp", "arpeggio", "ballad", "ballad", "melody"))
    if manner == "arpeggio":
        return arpeggio(sketch, rng, "piano", 48, 84)
    if manner == "melody":
        tune = melody(sketch, rng, "piano", 64, 90)
        return tune + chords_held(sketch, rng, "piano", 48, 64)
    right = chords_held(sketch, rng, "piano", rng.choice((55, 60)), rng.choice((74, 79)))
    if manner == "block":
        return right
    events = list(right)
    beat = 60 / sketch.tempo
    low = rng.choice((36, 36, 48))
    for bar in sketch.playing("piano"):
        root = sketch.chords[bar].bass_note(low)
        for position in (0, 2) if manner == "ballad" else (0,):
            start = max(0.0, sketch.at(bar, position) + jitter(rng))
            events += [Event(start, 2 * beat, root + o, rng.uniform(0.5, 0.9)) for o in (0, 12)]
    return events


def other_below(sketch: Sketch, rng: random.Random) -> list[Event]:
    """A layer of `other` that reaches down to the bass: a drone, chords on their root an octave or two below, a low tune."""
    manner = rng.choice(("drone", "rooted", "rooted", "rooted", "low pad", "pulse", "melody"))
    low = rng.choice((24, 28, 28, 30, 33))
    if manner == "melody":
        return melody(sketch, rng, "other", low + 4, low + 23)
    if manner == "low pad":
        return chords_held(sketch, rng, "other", low, 58)
    above = chords_held(sketch, rng, "other", 45, rng.choice((64, 76))) if manner == "rooted" else []
    octaves = rng.choice(((0,), (0, 12), (0, 12), (0, 12, 24), (0, 19)))
    steps, touch = rng.choice((1, 2, 4)) if manner == "pulse" else 1, rng.uniform(0.7, 1.0)
    events = []
    for bar in sketch.playing("other"):
        root = sketch.chords[bar].bass_note(low)
        for step in range(steps):
            start = sketch.at(bar, step * sketch.beats / steps)
            length, loud = sketch.bar / steps * touch, rng.uniform(0.5, 0.95)
            events += [Event(max(0.0, start + jitter(rng, 0.006)), length, root + shift, loud) for shift in octaves]
    return above + events


def other(sketch: Sketch, rng: random.Random) -> list[Event]:
    """One layer of everything else: a pad (high, low, or one held note), a tune, an arpeggio, stabs."""
    manner = rng.choice(("pad", "pad", "low pad", "low pad", "drone", "drone", *["melody"] * 3, "arpeggio", "stabs", "strings"))
    if manner == "low pad":
        return chords_held(sketch, rng, "other", rng.choice((28, 36, 40)), 62)
    if manner == "drone":
        low = rng.choice((24, 28, 32, 36, 36, 48))
        return [
            Event(max(0.0, sketch.at(bar, 0.0)), sketch.bar, sketch.chords[bar].bass_note(low) + shift, rng.uniform(0.6, 0.9))
            for bar in sketch.playing("other")
            for shift in ((0,), (0, 12), (0, 7))[bar % 3 if low == 48 else 0]
        ]
    if manner == "pad":
        return chords_held(sketch, rng, "other", rng.choice((48, 55)), 79)
    if manner == "melody":
        low = rng.choice((48, 55, 60, 67))
        return melody(sketch, rng, "other", low, low + 19)
    if manner == "arpeggio":
        return arpeggio(sketch, rng, "other", rng.choice((48, 60)), 88)
    if manner == "strings":
        return melody(sketch, rng, "other", 60, 84, 0.05) + chords_held(sketch, rng, "other", 43, 67)
    return strummed(sketch, rng, "other") if rng.random() < 0.2 else chords_held(sketch, rng, "other", 52, 76)
