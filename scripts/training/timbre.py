"""What a player does to every note, so that no sound of the bank is heard twice alike.

A `Hand` is drawn once for a part: where the string is struck, how the tone opens and closes, what it is played through. Each
note then differs a little from the one before. All filters are second-order sections (Robert Bristow-Johnson's formulas).
"""

from __future__ import annotations

import math
import random

import numpy as np
from scipy.signal import lfilter, sosfilt

from stems import RATE

Section = list[float]


def resonance(frequency: float, decibels: float, sharpness: float) -> Section:
    """A peak or a dip at `frequency` hertz."""
    turn = 2 * math.pi * min(frequency, 0.45 * RATE) / RATE
    gain, reach = 10 ** (decibels / 40), math.sin(turn) / (2 * sharpness)
    scale = 1 / (1 + reach / gain)
    middle = -2 * math.cos(turn) * scale
    return [(1 + reach * gain) * scale, middle, (1 - reach * gain) * scale, 1.0, middle, (1 - reach / gain) * scale]


def low_pass(frequency: float, sharpness: float) -> Section:
    """Rolls off above `frequency` hertz, 12 dB an octave."""
    turn = 2 * math.pi * min(frequency, 0.45 * RATE) / RATE
    reach, cosine = math.sin(turn) / (2 * sharpness), math.cos(turn)
    scale = 1 / (1 + reach)
    side = (1 - cosine) / 2 * scale
    return [side, 2 * side, side, 1.0, -2 * cosine * scale, (1 - reach) * scale]


def tilt(amount: float) -> Section:
    """Raises the highs by `amount` (-0.5 to 1) of themselves, above about 1 kHz."""
    pole = math.exp(-2 * math.pi * 1000 / RATE)
    # x + amount * (x - low-passed x), as one section of the first order.
    return [1 + amount * pole, -pole * (1 + amount), 0.0, 1.0, -pole, 0.0]


class Hand:
    """How one player sounds. What does not suit a stem (a bent piano, a plucked voice) is left out."""

    def __init__(self, stem: str, rng: random.Random) -> None:
        self.rng = rng

        def often(chance: float) -> bool:
            return rng.random() < chance

        tone, string = stem != "vocals", stem in ("bass", "guitar", "piano", "other")
        self.plain = often(0.2)
        # Where on the string it is struck or picked up: the overtones with a node there go missing.
        self.point = rng.uniform(0.06, 0.5) if string and often(0.3) else 0.0
        self.depth = rng.uniform(0.3, 0.9)
        self.drive = rng.uniform(0.5, 6.0) if tone and often(0.2) else 0.0
        self.bias = rng.uniform(0.0, 0.4)
        # A filter at so many times the note's pitch, that closes (or opens) while the note lasts.
        self.cutoff = 2 ** rng.uniform(0.5, 4.5) if tone and often(0.35) else 0.0
        self.ring = rng.uniform(0.6, 2.5)
        self.closing = 2 ** rng.uniform(-4.5, 1.0)
        self.opens = often(0.25) and stem in ("other", "bass")
        self.open = rng.uniform(0.1, 1.0)
        self.peaks = [
            (2 ** rng.uniform(6.6, 12.5), rng.uniform(-9, 9), rng.uniform(0.5, 5.0)) for _ in range(rng.choice((0, 1, 2, 3)))
        ]
        self.light, self.uneven = rng.uniform(-0.3, 0.5), rng.uniform(0.02, 0.25)
        # The knock of a pick, a hammer or a key; and attacks that are cut away.
        self.knock = 10 ** rng.uniform(-2.0, -0.6) if string and often(0.2) else 0.0
        self.knock_life, self.knock_dark = 2 ** rng.uniform(-8.0, -4.6), rng.uniform(0.3, 0.95)
        self.late = rng.uniform(0.004, 0.05) if tone and often(0.15) else 0.0
        # Slides into notes and vibrato, in semitones.
        bends = stem != "piano" and often(0.22)
        self.slide = rng.uniform(-2.0, 1.0) if bends and often(0.5) else 0.0
        self.slide_life = rng.uniform(0.015, 0.08)
        self.vibrato = rng.uniform(0.05, 0.4) if bends and not self.slide else 0.0
        self.swing = rng.uniform(3.5, 7.0)

    def bend(self, count: int) -> np.ndarray | None:
        """How many times as fast each of `count` samples goes by; None when the note stays where it is."""
        if self.plain or not (self.slide or self.vibrato):
            return None
        # A value every 64 samples is plenty, and cheap.
        time = np.arange(0, count + 64, 64, dtype=np.float32) / RATE
        if self.slide:
            coarse = self.slide * self.rng.uniform(0.3, 1.0) * np.exp(-time / self.slide_life)
        else:
            phase = self.rng.uniform(0, 6.28)
            coarse = self.vibrato * np.clip(time / 0.3 - 0.5, 0, 1) * np.sin(2 * np.pi * self.swing * time + phase)
        return np.repeat(np.exp2(coarse / 12), 64)[:count]

    def shape(self, sound: np.ndarray, pitch: float) -> np.ndarray:
        """One note [samples, channels] of a MIDI pitch, as this player sounds."""
        rng, count = self.rng, len(sound)
        if self.plain or count < 64:
            return sound
        hertz = 440.0 * 2 ** ((pitch - 69) / 12)
        if self.late:
            begin = min(int(self.late * rng.uniform(0.5, 1.2) * RATE), count // 4)
            sound = sound[begin:].copy()
            rise = min(len(sound), 150)
            sound[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)[:, None]
            count = len(sound)
        if self.knock:
            sound = self._knocked(sound)
        if self.point:
            delay = max(1, round(self.point * rng.uniform(0.9, 1.1) * RATE / hertz))
            if delay < count:
                combed = sound.copy()
                combed[delay:] -= np.float32(self.depth) * sound[:-delay]
                sound = combed
        if self.drive:
            top = max(float(np.abs(sound[: RATE // 2]).max()), 1e-5)
            offset = math.tanh(self.bias)
            sound = (np.tanh(sound * np.float32(self.drive / top) + np.float32(self.bias)) - np.float32(offset)) * np.float32(
                top / math.tanh(self.drive)
            )
        sections = [tilt(self.light + rng.gauss(0, self.uneven))]
        sections += [resonance(f, d + rng.gauss(0, 1.0), q) for f, d, q in self.peaks]
        sound = sosfilt(np.array(sections, np.float32), sound, axis=0)
        if self.cutoff:
            place = max(120.0, hertz * self.cutoff * 2 ** rng.gauss(0, 0.25))
            dark = sosfilt(np.array([low_pass(place, self.ring)], np.float32), sound, axis=0)
            time = np.arange(count, dtype=np.float32) / RATE
            swing = np.exp(-time / np.float32(self.closing)) * np.float32(self.open)
            if self.opens:
                swing = np.float32(self.open) - swing
            sound = dark + (sound - dark) * swing[:, None]
        return sound

    def _knocked(self, sound: np.ndarray) -> np.ndarray:
        length = min(len(sound), int(6 * self.knock_life * RATE))
        noise = np.random.default_rng(self.rng.getrandbits(32)).standard_normal(length, dtype=np.float32)
        noise = lfilter([1 - self.knock_dark], [1, -self.knock_dark], noise) * np.exp(
            -np.arange(length) / (self.knock_life * RATE)
        )
        top = float(np.abs(sound[: RATE // 2]).max()) / max(float(np.abs(noise).max()), 1e-6)
        sound = sound.copy()
        sound[:length] += np.float32(self.knock * top * self.rng.uniform(0.6, 1.2)) * noise.astype(np.float32)[:, None]
        return sound
