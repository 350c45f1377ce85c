"""A whole song from a seed: sketch, parts, instruments, effects, six stems of equal loudness."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

import effects
import parts
import synthesis
from bank import Instrument
from players import Kit, Player, play_guitar_chords, play_phrases
from sketch import Sketch, draw_sketch, to_samples
from stems import RATE, STEMS

LOUDNESS = 10 ** (-23 / 20)
"""Every stem that plays leaves the generator at this gated RMS; the trainer sets the balance."""


@dataclass
class Orchestra:
    """The instruments that may play, by stem and kind."""

    by_stem: dict[str, dict[str, list[Instrument]]]

    @classmethod
    def of(cls, bank: list[Instrument], held_out: bool) -> Orchestra:
        """Either the training instruments, or those held out (with training ones where none is held out)."""
        by_stem: dict[str, dict[str, list[Instrument]]] = {stem: {} for stem in STEMS}
        for instrument in bank:
            by_stem[instrument.stem].setdefault(instrument.kind, []).append(instrument)
        for kinds in by_stem.values():
            for kind, choices in kinds.items():
                kinds[kind] = [i for i in choices if i.held_out == held_out] or ([] if held_out else choices)
        return cls({stem: {k: v for k, v in kinds.items() if v} for stem, kinds in by_stem.items()})

    def pick(self, stem: str, kind: str, rng: random.Random) -> Instrument:
        """A random instrument; sampled and soundfont ones are preferred to synthetic ones, except in `other` and `bass`."""
        choices = self.by_stem[stem][kind]
        synthetic = [i for i in choices if i.name.startswith("synth_")]
        fonts = [i for i in choices if re.search(r"_\d+_\d+$", i.name)]
        sampled = [i for i in choices if i not in synthetic and i not in fonts]
        shares = {"other": (0.35, 0.45, 0.2), "bass": (0.4, 0.3, 0.3), "drums": (0.2, 0.4, 0.4)}
        weights = shares.get(stem, (0.24, 0.36, 0.4))
        groups = [(g, w) for g, w in zip((synthetic, fonts, sampled), weights, strict=True) if g]
        group = rng.choices([g for g, _ in groups], [w for _, w in groups])[0]
        return rng.choice(group)


def player(orchestra: Orchestra, stem: str, rng: random.Random, reach: float = 2.0) -> Player:
    """Somebody who plays notes: one instrument of eight is the attack of one and the rest of another."""
    second = orchestra.pick(stem, "notes", rng) if rng.random() < 0.12 else None
    return Player(orchestra.pick(stem, "notes", rng), rng, second, reach)


MAKES_ROOM = {"vocals": 0.7, "guitar": 0.5, "piano": 0.4, "other": 0.35}
"""How often a stem is rolled off below the bass, as whoever mixes a song does."""


def play_stem(
    stem: str, sketch: Sketch, orchestra: Orchestra, rng: random.Random, samples: int, below: bool = False
) -> np.ndarray:
    """The dry part of one stem, [samples, 2]; with `below`, `other` lies beside the bass."""
    kinds = orchestra.by_stem[stem]
    if not kinds:
        return np.zeros((samples, 2), dtype=np.float32)
    if stem == "drums":
        kits = kinds["hits"]
        favourite = orchestra.pick(stem, "hits", rng)
        return Kit([favourite] + rng.sample(kits, min(2, len(kits))), rng).play(parts.drums(sketch, rng), samples)
    if stem == "vocals":
        if "phrases" in kinds and rng.random() < 0.85 or "notes" not in kinds:
            phrases = kinds["phrases"]
            # Sung recordings are the best teachers, but few.
            real = [s for s in phrases if s.name.startswith("ps_") and ("house" in s.name or "trance" in s.name)]
            singer = rng.choice(real) if real and rng.random() < 0.4 else rng.choice(phrases)
            return play_phrases(sketch, singer, rng, samples)
        low = rng.choice((48, 55, 60))
        tune = parts.melody(sketch, rng, "vocals", low, low + 14, 0.2)
        return player(orchestra, stem, rng).play(tune, samples)
    if stem == "guitar" and "chords" in kinds and rng.random() < 0.22:
        return play_guitar_chords(sketch, rng.choice(kinds["chords"]), rng.choice(parts.STRUMS), rng, samples)
    if stem == "other":
        out = np.zeros((samples, 2), dtype=np.float32)
        for number in range(rng.choice((1, 1, 2, 2, 3))):
            # A low part stays low, whatever plays it.
            down = below and number == 0
            notes = parts.other_below(sketch, rng) if down else parts.other(sketch, rng)
            layer = player(orchestra, stem, rng, 12.0 if down else 2.0).play(notes, samples)
            layer = effects.place(layer, rng.uniform(-0.6, 0.6), 1.0)
            out += layer * (10 ** (rng.uniform(-8, 0) * (not down) / 20) / max(effects.gated_rms(layer), 1e-6))
        if rng.random() < 0.25:
            add_sweeps(out, sketch, rng)
        return out
    write = {"bass": parts.bass, "guitar": parts.guitar, "piano": parts.piano}[stem]
    notes = write(sketch, rng)
    part = player(orchestra, stem, rng).play(notes, samples)
    if rng.random() < 0.15:
        # Two instruments in unison make a third one.
        layer = player(orchestra, stem, rng).play(notes, samples)
        gain = 10 ** (rng.uniform(-14, 0) / 20) * effects.gated_rms(part) / max(effects.gated_rms(layer), 1e-6)
        part = part + np.float32(gain) * layer
    if stem == "guitar" and rng.random() < 0.25:
        second = player(orchestra, stem, rng).play(write(sketch, rng), samples)
        part = effects.place(part, -0.6, 1.0) + effects.place(second, 0.6, 1.0)
    return part


def add_sweeps(out: np.ndarray, sketch: Sketch, rng: random.Random) -> None:
    """Risers and falls that end on a bar line, added to a part [samples, 2]."""
    noise = np.random.default_rng(rng.getrandbits(64))
    level = max(effects.gated_rms(out), 0.05) * 10 ** (rng.uniform(-8, 3) / 20)
    for bar in range(1, sketch.bars):
        if rng.random() < 0.25:
            seconds = min(rng.choice((0.5, 1.0, 2.0)) * sketch.bar, sketch.at(bar, 0.0))
            sound = synthesis.sweep(noise, seconds)
            start = to_samples(sketch.at(bar, 0.0) - seconds)
            count = min(len(sound), len(out) - start)
            out[start : start + count] += (sound[:count] * level / max(float(np.sqrt((sound**2).mean())), 1e-6))[:, None]


def dress(
    stem: str, audio: np.ndarray, style: str, clean: bool, rng: random.Random, noise: Generator, low: bool = False
) -> np.ndarray:
    """The effects of one stem; in a `clean` song no more than a room and a place in it. What is `low` keeps its lows."""
    if effects.gated_rms(audio) == 0:
        return audio
    # Width must not tell a bass from a pad: some basses are wide, some of everything else is narrow.
    if stem == "bass" and rng.random() < 0.2:
        audio = effects.widen(audio, noise)
    narrow = stem != "bass" and rng.random() < 0.3
    body = stem not in ("drums", "vocals") and rng.random() < 0.25
    bass_wet = rng.choice((-45.0, -45.0, rng.uniform(-28, -10)))
    if clean:
        wet = bass_wet if stem == "bass" else rng.uniform(-45, -12)
        peaks = rng.randint(1, 4) if rng.random() < 0.25 else 0
        audio = effects.colour(audio, noise, rng.uniform(0, 0.7), wet, rng.uniform(0.3, 1.5), peaks, body)
        width = rng.uniform(0, 0.25) if narrow else rng.uniform(0.3, 1.0)
        return effects.place(audio, 0.0 if stem in ("bass", "drums") else rng.uniform(-0.4, 0.4), width)
    if stem == "guitar" and rng.random() < (0.9 if style == "metal" else 0.6 if style == "rock" else 0.3):
        audio = effects.distort(audio, rng.choice((2.0, 5.0, 15.0, 40.0)), rng.uniform(0, 0.2))
        audio = effects.band_limit(audio, rng.uniform(70, 130), rng.uniform(3500, 6500))
    if stem == "bass" and rng.random() < 0.3:
        audio = 0.5 * audio + 0.5 * effects.distort(audio, rng.uniform(1.5, 8.0), 0.1)
    if stem == "other" and rng.random() < 0.15:
        audio = effects.distort(audio, rng.uniform(1.5, 12.0), rng.uniform(0, 0.3))
    if stem == "piano" and rng.random() < 0.1:
        audio = effects.distort(audio, rng.uniform(1.2, 4.0), rng.uniform(0, 0.2))
    if stem == "drums" and rng.random() < 0.12:
        audio = 0.5 * audio + 0.5 * effects.distort(audio, rng.uniform(1.0, 5.0), 0.0)
    if stem != "bass" and rng.random() < 0.06:
        audio = effects.band_limit(audio, rng.uniform(30, 400), rng.uniform(2500, 11000))
    if stem == "bass" and rng.random() < 0.3:
        audio = effects.band_limit(audio, 20.0, rng.uniform(120, 900))
    if not low and rng.random() < MAKES_ROOM.get(stem, 0.0):
        audio = effects.band_limit(audio, rng.uniform(60, 220), 22000.0)
    if stem != "drums" and rng.random() < 0.15:
        audio = effects.chorus(audio, noise)
    if stem in ("guitar", "other", "piano") and rng.random() < 0.1:
        audio = effects.tremolo(audio, noise)
    if rng.random() < {"vocals": 0.7, "bass": 0.6, "drums": 0.5}.get(stem, 0.3):
        audio = effects.compress(audio, rng.uniform(1.3, 4.0))
    if stem in ("vocals", "guitar", "other") and rng.random() < 0.2:
        audio = effects.echo(audio, rng.uniform(0.15, 0.6), rng.uniform(0.2, 0.5))
    wet = {"bass": bass_wet, "drums": rng.uniform(-40, -12), "vocals": rng.uniform(-30, -7), "other": rng.uniform(-35, -5)}
    audio = effects.colour(
        audio,
        noise,
        rng.choice((rng.uniform(0, 1.5), rng.uniform(0, 1.5), rng.uniform(1, 3), rng.uniform(2, 5))),
        wet.get(stem, rng.uniform(-40, -8)),
        rng.uniform(0.3, 2.2),
        rng.randint(1, 6) if rng.random() < 0.4 else 0,
        body,
    )
    if stem == "drums":
        return effects.place(audio, 0.0, rng.uniform(0.2, 1.0))
    reach = {"bass": 0.15, "vocals": 0.15}.get(stem, 0.6)
    width = rng.uniform(0.0, 0.25) if narrow else rng.uniform(0.0, 1.0) if stem == "bass" else rng.uniform(0.5, 1.3)
    return effects.place(audio, rng.uniform(-reach, reach), width)


def make_song(orchestra: Orchestra, seed: int | str, seconds: float, sparse: float) -> np.ndarray:
    """A song as int16, [stems, 2, samples]; silent stems are zeros. The same seed gives the same song."""
    rng = random.Random(f"song {seed}")
    noise = np.random.default_rng(rng.getrandbits(64))
    sketch = draw_sketch(seconds, rng, sparse)
    clean = rng.random() < 0.35
    low = rng.random() < 0.4
    samples = int(seconds * RATE)
    song = np.zeros((len(STEMS), 2, samples), dtype=np.int16)
    for number, stem in enumerate(STEMS):
        if not any(sketch.active[stem]):
            continue
        below = low and stem == "other"
        audio = play_stem(stem, sketch, orchestra, rng, samples, below)
        audio = dress(stem, audio, sketch.style, clean, rng, noise, below)
        level = effects.gated_rms(audio)
        if level > 0:
            audio = np.clip(audio * (LOUDNESS / level), -1, 1)
            song[number] = (audio.T * 32767).astype(np.int16)
    return song
