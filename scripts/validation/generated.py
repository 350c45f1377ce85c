"""Signals made of formulas and of the generator's numbers: the same on every run. All are [2, samples] float64, full scale 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from oracle.generator import uniform
from oracle.signals import SAMPLE_RATE as RATE


def clock(seconds: float) -> np.ndarray:
    """The time of each sample in seconds."""
    return np.arange(round(seconds * RATE)) / RATE


def stereo(left: np.ndarray, right: np.ndarray | None = None) -> np.ndarray:
    """Two channels; the same twice when there is one."""
    return np.stack([left, left if right is None else right])


def random(name: str, count: int) -> np.ndarray:
    """Uniform numbers in [-1, 1)."""
    return uniform(f"validation.{name}", count).astype(np.float64)


def silence(seconds: float) -> np.ndarray:
    """Zeros."""
    return stereo(0 * clock(seconds))


def sine(seconds: float, frequency: float = 440.0, amplitude: float = 0.5) -> np.ndarray:
    """A pure tone."""
    return stereo(amplitude * np.sin(2 * np.pi * frequency * clock(seconds)))


def sweep(seconds: float, low: float = 20.0, high: float = 20_000.0) -> np.ndarray:
    """From ``low`` to ``high`` Hz, as many octaves in each second."""
    octaves = np.log(high / low)
    t = clock(seconds) / seconds
    return stereo(0.5 * np.sin(2 * np.pi * low * seconds / octaves * np.expm1(octaves * t)))


def white_noise(seconds: float) -> np.ndarray:
    """Uniform, unlike in both channels."""
    return 0.5 * random("noise", 2 * len(clock(seconds))).reshape(2, -1)


def clicks(seconds: float, every: float = 0.25) -> np.ndarray:
    """Single samples of full scale: left up, right up, left down, right down."""
    signal = silence(seconds)
    places = np.arange(round(every * RATE) // 2, signal.shape[1], round(every * RATE))
    for index, place in enumerate(places):
        signal[index % 2, place] = 1.0 if index % 4 < 2 else -1.0
    return signal


def square(seconds: float, frequency: float = 55.0) -> np.ndarray:
    """A square wave of full scale, band-limited nowhere."""
    return stereo(np.where((clock(seconds) * frequency) % 1 < 0.5, 1.0, -1.0))


def resonance(frequency: np.ndarray, centre: np.ndarray, width: float) -> np.ndarray:
    """The gain of a resonator, 1 at its centre."""
    return 1 / (1 + ((frequency - centre) / width) ** 2)


VOWELS = {"a": (730, 1090, 2440), "e": (530, 1840, 2480), "i": (270, 2290, 3010), "o": (570, 840, 2410), "u": (300, 870, 2240)}
"""Formants in Hz."""


def speech(seconds: float) -> np.ndarray:
    """Syllables of a low voice: harmonics under three gliding formants, hissing consonants, pauses between phrases."""
    t = clock(seconds)
    draw = iter(random("speech", 4 * round(seconds / 0.15)))
    centres, voiced, formants, pitch, hisses = [], [], [], [], []
    now, left = 0.3, 0
    while now < seconds:
        if left == 0:
            left = 5 + round(2 * next(draw))
            now += 0.3
        length = 0.2 + 0.06 * next(draw)
        vowel = list(VOWELS.values())[int((next(draw) + 1) / 2 * len(VOWELS))]
        centres += [now, now + length / 2, now + length]
        voiced += [0.0, 1.0, 0.0]
        formants += [vowel] * 3
        pitch += [115 + 4 * left + 6 * next(draw)] * 3
        if left % 2:
            hisses.append(now)
        now += length
        left -= 1
    frequency = np.interp(t, centres, pitch)
    phase = 2 * np.pi * np.cumsum(frequency) / RATE
    tracks = [np.interp(t, centres, [formant[i] for formant in formants]) for i in range(3)]
    resonators = list(zip(tracks, (80, 110, 160), (1, 0.5, 0.25), strict=True))
    signal = np.zeros_like(t)
    for harmonic in range(1, 36):
        gain = sum(level * resonance(harmonic * frequency, centre, width) for centre, width, level in resonators)
        signal += gain * np.sin(harmonic * phase) / harmonic**0.3
    signal *= np.interp(t, centres, voiced)
    hiss = np.diff(random("hiss", len(t) + 2), n=2)
    for start in hisses:
        signal += 0.15 * hiss * np.exp(-(((t - start) / 0.02) ** 2))
    signal *= 0.5 / np.abs(signal).max()
    return stereo(signal, 0.9 * signal)


def note(length: int, frequency: float, harmonics: Sequence[float], decay: float) -> np.ndarray:
    """A struck tone that fades by 1/e in ``decay`` seconds."""
    t = np.arange(length) / RATE
    tone = sum(gain * np.sin(2 * np.pi * (k + 1) * frequency * t) for k, gain in enumerate(harmonics))
    return np.exp(-t / decay) * np.minimum(1, t / 0.003) * tone


CHORDS = ((45, 57, 60, 64), (41, 53, 57, 60), (48, 55, 60, 64), (43, 55, 59, 62))
"""MIDI numbers: a bass and three notes above it."""


def band(seconds: float, tempo: float = 116.0) -> np.ndarray:
    """Drums, a sawtooth bass and plucked chords."""
    signal = silence(seconds)
    step = round(60 / tempo / 2 * RATE)
    hiss = random("band", step)
    short = np.arange(step) / RATE
    kick = np.sin(2 * np.pi * (50 * short + 4 * (1 - np.exp(-short / 0.03)))) * np.exp(-short / 0.12)
    for index, start in enumerate(range(0, signal.shape[1] - step, step)):
        here = slice(start, start + step)
        chord = [440 * 2 ** ((number - 69) / 12) for number in CHORDS[index // 8 % len(CHORDS)]]
        signal[:, here] += 0.08 * hiss * np.exp(-short / (0.08 if index % 4 == 3 else 0.02)) * np.array([[0.6], [1.0]])
        if index % 4 == 0:
            signal[:, here] += 0.5 * kick
        if index % 4 == 2:
            signal[:, here] += 0.3 * hiss * np.exp(-short / 0.06)
        signal[:, here] += 0.15 * note(step, chord[0], [1 / k for k in range(1, 12)], 0.3)
        for place, frequency in enumerate(chord[1:]):
            side = np.array([[1.0 - 0.4 * place], [0.2 + 0.4 * place]])
            signal[:, here] += 0.07 * side * note(step, 2 * frequency, (1.0, 0.5, 0.3, 0.1), 0.15)
    return signal
