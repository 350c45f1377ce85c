"""From notes to sound: choose an instrument of the bank and play events on it."""

from __future__ import annotations

import math
import random
from collections import defaultdict

import numpy as np
from scipy.signal import sosfilt

from bank import Instrument, Note
from sketch import Event, Sketch, to_samples
from stems import RATE
from timbre import Hand, resonance


def stretch(sound: np.ndarray, ratio: float, limit: int, bend: np.ndarray | None = None) -> np.ndarray:
    """Play `sound` [samples, channels] `ratio` times as fast, at most `limit` samples; linear interpolation.

    `bend` is a factor on that ratio for each of `limit` samples.
    """
    if bend is not None:
        place = ratio * (np.cumsum(bend[:limit], dtype=np.float64) - 1)
        place = np.maximum(place[: np.searchsorted(place, len(sound) - 1)], 0)
        left = place.astype(np.int32)
        part = (place - left).astype(np.float32)[:, None]
        return sound[left] * (1 - part) + sound[left + 1] * part
    if abs(ratio - 1) < 1e-4:
        return sound[:limit]
    count = min(limit, int((len(sound) - 1) / ratio))
    if count <= 0:
        return sound[:0]
    place = np.arange(count, dtype=np.float32) * np.float32(ratio)
    left = place.astype(np.int32)
    part = (place - left)[:, None]
    return sound[left] * (1 - part) + sound[left + 1] * part


def add(out: np.ndarray, start: int, sound: np.ndarray, gain: float) -> None:
    """Mix `sound` into `out` from sample `start`, cut at the end."""
    count = min(len(sound), len(out) - start)
    if count > 0:
        out[start : start + count] += np.float32(gain) * sound[:count]


def fade(sound: np.ndarray, hold: int, release: int) -> np.ndarray:
    """Let go of the note after `hold` samples: fade to nothing over `release`."""
    if len(sound) <= hold:
        tail = min(len(sound), 200)
        sound = sound.copy()
        sound[len(sound) - tail :] *= np.linspace(1, 0, tail, dtype=np.float32)[:, None]
        return sound
    sound = sound[: hold + release].copy()
    sound[hold:] *= np.linspace(1, 0, len(sound) - hold, dtype=np.float32)[:, None] ** 2
    return sound


class Player:
    """Plays pitched notes of one instrument, or of two: the attack of one and what another makes of the rest."""

    def __init__(self, instrument: Instrument, rng: random.Random, second: Instrument | None = None, reach: float = 2.0) -> None:
        """`reach`: semitones that the part may lie beyond the instrument's notes before it is moved by an octave."""
        self.instrument, self.rng, self.reach = instrument, rng, reach
        self.hand = Hand(instrument.stem, rng)
        self.release = int(rng.uniform(0.04, 0.3) * RATE)
        self.pitches = np.array([note.pitch for note in instrument.notes])
        self.velocities = np.array([note.velocity for note in instrument.notes])
        self.detune = rng.gauss(0, 0.05)
        # Samples of other pitches than those played: the same instrument, larger or smaller.
        self.size = rng.uniform(-8, 8) if rng.random() < 0.5 else 0.0
        self.loose = rng.uniform(0, 2.5) if rng.random() < 0.4 else 0.0
        self.second = Player(second, rng) if second else None
        self.change = rng.uniform(0.02, 0.2)
        # The same instrument under another hand: a softer attack, a muted string.
        soft = 0.3 if instrument.stem == "other" else 0.08
        self.attack = int(rng.uniform(0.005, soft) * RATE) if rng.random() < 0.15 else 0
        self.damping = rng.uniform(0.12, 1.2) * RATE if rng.random() < 0.18 else 0.0

    def choose(self, pitch: float, velocity: float) -> Note:
        size = self.size + (self.rng.gauss(0, self.loose) if self.loose else 0.0)
        distance = np.abs(self.pitches - pitch - size) + 2.0 * np.abs(self.velocities - velocity)
        near = np.flatnonzero(distance < distance.min() + 0.6)
        return self.instrument.notes[int(self.rng.choice(list(near)))]

    def fit(self, events: list[Event]) -> float:
        """Octaves (in semitones) that bring the part into the instrument's range."""
        middle = float(np.median([event.pitch for event in events]))
        low, high = self.pitches.min() - self.reach, self.pitches.max() + self.reach
        shift = 0.0
        while middle + shift < low:
            shift += 12
        while middle + shift > high:
            shift -= 12
        return shift

    def play(self, events: list[Event], samples: int) -> np.ndarray:
        out = np.zeros((samples, 2), dtype=np.float32)
        shift = self.fit(events) if events else 0.0
        for event in events:
            pitch = event.pitch + shift
            if self.pitches.min() - pitch > 12 or pitch - self.pitches.max() > 12:
                continue
            hold = to_samples(event.length)
            sound = self.tone(pitch, event.velocity, hold + self.release)
            add(out, to_samples(event.start), self.touch(fade(sound, hold, self.release)), event.velocity**1.5)
        return out

    def tone(self, pitch: float, velocity: float, limit: int) -> np.ndarray:
        """A note of at most `limit` samples, before it is let go."""
        note = self.choose(pitch, velocity)
        ratio = 2 ** ((pitch + self.detune - note.pitch) / 12)
        bend = self.hand.bend(limit)
        sound = stretch(self.instrument.sound(note, int(limit * ratio * 1.13) + 2), ratio, limit, bend)
        sound = self.hand.shape(sound, pitch)
        if self.second and len(sound):
            rest = self.second.tone(pitch, velocity, limit)
            count = min(len(sound), len(rest))
            gain = np.abs(sound).max() / max(float(np.abs(rest).max()), 1e-5)
            first = np.exp(np.arange(count, dtype=np.float32) / np.float32(-self.change * RATE))[:, None]
            sound = sound[:count] * first + np.float32(gain) * rest[:count] * (1 - first)
        return sound

    def touch(self, sound: np.ndarray) -> np.ndarray:
        """The player's own envelope on a note that `fade` has copied."""
        if self.damping:
            sound = sound * np.exp(np.arange(len(sound), dtype=np.float32) / np.float32(-self.damping))[:, None]
        if count := min(self.attack, len(sound)):
            sound[:count] *= np.linspace(0, 1, self.attack, dtype=np.float32)[:count, None]
        return sound


class Kit:
    """Plays drums; pieces may come from several kits."""

    LEVELS = {
        "kick": 0.9, "snare": 0.8, "rim": 0.6, "clap": 0.6, "hat_closed": 0.28, "hat_open": 0.3, "tom": 0.7,
        "crash": 0.45, "ride": 0.3, "perc": 0.35,
    }  # fmt: skip

    def __init__(self, kits: list[Instrument], rng: random.Random) -> None:
        self.rng = rng
        main = rng.choice(kits)
        mixed = rng.random() < 0.35
        self.pieces: dict[str, tuple[Instrument, list[Note]]] = {}
        for piece in self.LEVELS:
            kit = rng.choice(kits) if mixed and rng.random() < 0.5 else main
            for candidate in (kit, main, *rng.sample(kits, len(kits))):
                notes = [note for note in candidate.notes if note.tag == piece]
                if notes:
                    # A small electronic bank has many kicks: keep to one or a few of them.
                    keep = rng.sample(notes, min(len(notes), 12 if len(notes) > 25 else 2))
                    self.pieces[piece] = (candidate, keep)
                    break
        self.gains = {piece: level * 10 ** (rng.gauss(0, 3) / 20) for piece, level in self.LEVELS.items()}
        self.pans = {piece: rng.uniform(-0.5, 0.5) * (piece not in ("kick", "snare")) for piece in self.LEVELS}
        self.tunes = {piece: 2 ** (rng.gauss(0, 2.0 if piece in ("kick", "tom", "perc") else 1.0) / 12) for piece in self.LEVELS}
        self.length = rng.choice((4.0, 4.0, 1.0, 0.4))
        # The same kit in other hands: tighter heads, another microphone, a little drive.
        self.lives = {piece: rng.uniform(0.03, 0.4) if rng.random() < 0.2 else 0.0 for piece in self.LEVELS}
        self.tones = {
            piece: [
                resonance(2 ** rng.uniform(6, 13), rng.gauss(0, 4), rng.uniform(0.5, 4)) for _ in range(rng.choice((0, 1, 2)))
            ]
            for piece in self.LEVELS
        }
        self.drive = rng.uniform(0.5, 5.0) if rng.random() < 0.2 else 0.0

    def strike(self, piece: str, sound: np.ndarray) -> np.ndarray:
        """One hit [samples, channels] as this drummer makes it sound."""
        if self.lives[piece]:
            sound = sound * np.exp(np.arange(len(sound), dtype=np.float32) / np.float32(-self.lives[piece] * RATE))[:, None]
        if self.drive:
            top = max(float(np.abs(sound).max()), 1e-5)
            sound = np.tanh(sound * np.float32(self.drive / top)) * np.float32(top / math.tanh(self.drive))
        return sosfilt(np.array(self.tones[piece], np.float32), sound, axis=0) if self.tones[piece] else sound

    def play(self, events: list[Event], samples: int) -> np.ndarray:
        out = np.zeros((samples, 2), dtype=np.float32)
        cache: dict[int, np.ndarray] = {}
        for event in events:
            if event.tag not in self.pieces:
                continue
            kit, notes = self.pieces[event.tag]
            note = min(notes, key=lambda n: abs(n.velocity - event.velocity) + 0.4 * self.rng.random())
            if id(note) not in cache:
                sound = stretch(kit.sound(note), self.tunes[event.tag], int(self.length * RATE))
                sound = self.strike(event.tag, fade(sound, max(0, len(sound) - 2000), 2000))
                pan = self.pans[event.tag]
                cache[id(note)] = sound * np.array([1 - pan, 1 + pan], dtype=np.float32)
            add(out, to_samples(event.start), cache[id(note)], self.gains[event.tag] * event.velocity)
        return out


def play_guitar_chords(sketch: Sketch, instrument: Instrument, pattern: str, rng: random.Random, samples: int) -> np.ndarray:
    """Strum recorded chords, moved to the chords of the song by at most five semitones."""
    out = np.zeros((samples, 2), dtype=np.float32)
    by_tag: dict[str, list[Note]] = defaultdict(list)
    for note in instrument.notes:
        by_tag[note.tag].append(note)
    power_only = "power" in by_tag and rng.random() < 0.5
    hand = Hand("guitar", rng)
    previous: int | None = None
    for bar in sketch.playing("guitar"):
        chord = sketch.chords[bar]
        tag = "power" if power_only else ("minor" if chord.is_minor else "major")
        notes = by_tag.get(tag) or instrument.notes
        distance = [((chord.root - note.pitch + 5.5) % 12) - 5.5 for note in notes]
        near = sorted(range(len(notes)), key=lambda i: abs(distance[i]) + 0.3 * rng.random())[:2]
        for step in range(sketch.beats * 2):
            if pattern[step % len(pattern)] != "x":
                continue
            place = rng.choice(near)
            start = to_samples(max(0.0, sketch.at(bar, step / 2)))
            if previous is not None and start > previous:
                cut = out[previous:start]
                tail = min(len(cut), 1500)
                cut[len(cut) - tail :] *= np.linspace(1, 0.1, tail, dtype=np.float32)[:, None]
                out[start:] = 0
            sound = stretch(instrument.sound(notes[place]), 2 ** (distance[place] / 12), int(4 * RATE))
            sound = hand.shape(sound, notes[place].pitch + distance[place])
            add(out, start, sound, rng.uniform(0.6, 1.0))
            previous = start
    return out


def play_phrases(sketch: Sketch, singer: Instrument, rng: random.Random, samples: int) -> np.ndarray:
    """Sing recorded phrases one after the other, moved to the song's key where their own is known."""
    out = np.zeros((samples, 2), dtype=np.float32)
    bars = sketch.playing("vocals")
    minor = sketch.key.mode == "minor"
    notes = [n for n in singer.notes if not n.tag or (n.tag == "minor") == minor] or singer.notes
    if not bars:
        return out
    throat = rng.uniform(-2.0, 2.0)
    gap = rng.choice((0.1, 0.4, 1.0))
    double = rng.random() < 0.3
    harmony = rng.choice((0, 0, 0, 0, 3, 4, 7, -5, 12))
    time = sketch.at(bars[0], rng.choice((0.0, 0.5, 1.0)))
    while time < sketch.seconds - 0.3:
        # Rounding must not put the start of a bar into the one before: this loop would not end.
        bar = int(time / sketch.bar + 1e-6)
        if bar not in bars:
            following = [b for b in bars if b > bar]
            if not following:
                break
            time = sketch.at(following[0], 0.0)
            continue
        note = rng.choice(notes)
        semitones = throat
        if note.pitch == note.pitch:
            semitones = (sketch.key.tonic - note.pitch + 6) % 12 - 6
            semitones = semitones + 12 if semitones < -5 else semitones
        sound = stretch(singer.sound(note), 2 ** (semitones / 12), samples)
        gain = rng.uniform(0.7, 1.0)
        start = to_samples(time)
        add(out, start, sound, gain)
        if double:
            copy = stretch(sound, 2 ** (rng.gauss(0, 0.12) / 12), samples)
            add(out, start + int(rng.uniform(0.01, 0.04) * RATE), copy * np.array([1.0, 0.4], np.float32), 0.6 * gain)
        if harmony:
            add(out, start, stretch(sound, 2 ** (harmony / 12), samples) * np.array([0.4, 1.0], np.float32), 0.5 * gain)
        time += len(sound) / RATE + gap * rng.uniform(0.3, 2.0)
        beat = 60 / sketch.tempo
        time = math.ceil(time / (beat / 2)) * (beat / 2)
    return out
