"""Our own synthesisers: every sound from formulas, so that a song can be made with no samples at all.

A patch is drawn once from a seeded generator and then plays any note. Oscillators are wavetables: one cycle, built from
its harmonics by an inverse FFT, in several brightnesses; an envelope moves between them as a filter sweep would.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from scipy.signal import lfilter, sosfilt

from stems import RATE

TABLE = 2048
Patch = Callable[[float, float], np.ndarray]
"""A patch plays (MIDI note, seconds) and returns mono samples."""

VOWELS = {
    "a": (800, 1200, 2600, 3500), "e": (500, 1800, 2500, 3400), "i": (320, 2300, 3000, 3600),
    "o": (480, 850, 2500, 3300), "u": (330, 700, 2400, 3300),
}  # fmt: skip


def hertz(midi: float) -> float:
    return 440.0 * 2 ** ((midi - 69) / 12)


def tables(amplitudes: np.ndarray, cutoffs: np.ndarray, slope: float, frequency: float) -> np.ndarray:
    """One cycle for each cutoff (in hertz), [cutoffs, TABLE], no harmonic above 18 kHz."""
    numbers = np.arange(1, len(amplitudes) + 1)
    pitch = numbers * frequency
    lowpass = 1 / (1 + (pitch[None, :] / cutoffs[:, None]) ** slope)
    spectrum = np.zeros((len(cutoffs), TABLE // 2 + 1), dtype=complex)
    spectrum[:, 1 : len(amplitudes) + 1] = amplitudes * lowpass * (pitch < 18000) * -1j
    return np.fft.irfft(spectrum, TABLE, axis=1) * TABLE / 2


def read_tables(bank: np.ndarray, phase: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Look up cycles at `phase` (cycles), between the tables at `position` (0 to tables - 1)."""
    place = phase % 1.0 * TABLE
    left = place.astype(int) % TABLE
    part = place - np.floor(place)
    row = np.clip(position.astype(int), 0, len(bank) - 2)
    mix = np.clip(position - row, 0, 1)

    def at(rows: np.ndarray) -> np.ndarray:
        return bank[rows, left] * (1 - part) + bank[rows, (left + 1) % TABLE] * part

    return at(row) * (1 - mix) + at(row + 1) * mix


def harmonics(shape: str, rng: Generator) -> np.ndarray:
    """Amplitudes of 400 harmonics of a waveform."""
    n = np.arange(1, 401)
    if shape == "saw":
        return 1.0 / n
    if shape == "square":
        return (n % 2) / n
    if shape == "pulse":
        return np.sin(np.pi * n * rng.uniform(0.1, 0.4)) / n
    if shape == "triangle":
        return (n % 2) / n**2.0
    if shape == "organ":
        bars = np.zeros(400)
        bars[np.array([1, 2, 3, 4, 6, 8, 10, 12, 16]) - 1] = rng.uniform(0, 1, 9) ** 1.5
        return bars
    return rng.uniform(0, 1, 400) / n ** rng.uniform(1.0, 2.0)


def subtractive(rng: Generator, attack: float, decay: float, sustain: float, voices: int, dark: float) -> Patch:
    """Detuned oscillators through a swept low-pass filter. `dark` scales the cutoff."""
    shape = str(rng.choice(["saw", "saw", "square", "pulse", "triangle", "odd"]))
    amplitudes = harmonics(shape, rng)
    detune = rng.uniform(-0.15, 0.15, voices) if voices > 1 else np.zeros(1)
    low, high = dark * rng.uniform(150, 900), dark * rng.uniform(1500, 12000)
    sweep, slope = rng.uniform(0.05, 0.8), rng.choice([2.0, 4.0])
    tremolo, rate = rng.uniform(0, 0.3) * (rng.random() < 0.3), rng.uniform(3, 7)

    def play(midi: float, seconds: float) -> np.ndarray:
        time = np.arange(int(seconds * RATE)) / RATE
        bank = tables(amplitudes, np.geomspace(low, high, 6), slope, hertz(midi))
        position = 5 * np.exp(-time / sweep) * np.clip(time / max(attack, 1e-3), 0, 1)
        phases = np.random.default_rng(int(midi * 10)).uniform(0, 1, voices)
        sound = sum(read_tables(bank, hertz(midi + d) * time + p, position) for d, p in zip(detune, phases, strict=True))
        level = np.clip(time / max(attack, 1e-3), 0, 1) * (sustain + (1 - sustain) * np.exp(-time / decay))
        return sound * level * (1 - tremolo * (0.5 + 0.5 * np.sin(2 * np.pi * rate * time)))

    return play


def frequency_modulation(rng: Generator, decay: float, ratios: tuple[float, ...]) -> Patch:
    """Two-operator FM: bells, electric pianos, basses."""
    ratio, depth = float(rng.choice(ratios)), rng.uniform(0.5, 4.0)
    fall, body = rng.uniform(0.1, 0.6), rng.uniform(0.0, 0.5)

    def play(midi: float, seconds: float) -> np.ndarray:
        time = np.arange(int(seconds * RATE)) / RATE
        turn = 2 * np.pi * hertz(midi) * time
        index = depth * np.exp(-time / (decay * fall)) * min(1.0, 800 / hertz(midi))
        return (np.sin(turn + index * np.sin(ratio * turn)) + body * np.sin(turn)) * np.exp(-time / decay)

    return play


def four_operators(rng: Generator, decay: float, sustain: float, ratios: tuple[float, ...]) -> Patch:
    """Four sine operators that bend each other's phases, in one of four orders: the synthesisers of the eighties."""
    order = int(rng.integers(0, 4))
    ratio = rng.choice(ratios, 4) * (1 + rng.normal(0, 1e-3, 4))
    ratio[3] = max(1.0, round(float(ratio[3]) / 2))
    depth, fall = rng.uniform(0.2, 3.0, 4), decay * rng.uniform(0.1, 1.5, 4)
    rest, attack, own = rng.uniform(0, 1, 4) * sustain, rng.uniform(0.002, 0.02), rng.uniform(0, 0.8)

    def play(midi: float, seconds: float) -> np.ndarray:
        time = np.arange(int(seconds * RATE)) / RATE
        turn = 2 * np.pi * hertz(midi) * time
        soft = min(1.0, 700 / hertz(midi))

        def operator(n: int, bend: np.ndarray | float) -> np.ndarray:
            level = rest[n] + (1 - rest[n]) * np.exp(-time / fall[n])
            return level * np.sin(ratio[n] * turn + bend) * (ratio[n] * hertz(midi) < 14000)

        first = operator(0, own * np.sin(ratio[0] * turn))
        second = operator(1, depth[0] * soft * first)
        third = operator(2, depth[1] * soft * second if order == 0 else depth[1] * soft * first if order == 1 else 0.0)
        into = {0: third, 1: third + second, 2: second + third, 3: third}[order]
        sound = operator(3, depth[2] * soft * into) + (0.7 * second if order == 3 else 0.0)
        return sound * np.clip(time / attack, 0, 1) * (sustain + (1 - sustain) * np.exp(-time / decay))

    return play


def sub_bass(rng: Generator) -> Patch:
    """The bass of dance music and hip-hop: a sine below 100 Hz, with a drop at the start and a little saturation."""
    drop, fall = rng.uniform(0, 12) * (rng.random() < 0.5), rng.uniform(0.02, 0.08)
    decay = float(rng.choice([0.3, 0.8, 2.0, 30.0]))
    drive, second = rng.uniform(0.2, 4.0) * (rng.random() < 0.6), rng.uniform(0, 0.3)

    def play(midi: float, seconds: float) -> np.ndarray:
        time = np.arange(int(seconds * RATE)) / RATE
        turn = 2 * np.pi * np.cumsum(hertz(midi) * 2 ** (drop / 12 * np.exp(-time / fall))) / RATE
        sound = np.sin(turn) + second * np.sin(2 * turn)
        if drive > 0:
            sound = np.tanh(drive * sound) / np.tanh(drive)
        return sound * np.clip(time / 0.004, 0, 1) * np.exp(-time / decay)

    return play


def wobble(rng: Generator, dark: float) -> Patch:
    """Detuned saws or squares whose filter is swung by a slow oscillator: growls, pulsing pads, plucked sweeps."""
    amplitudes = harmonics(str(rng.choice(["saw", "square", "pulse", "odd"])), rng)
    voices = int(rng.integers(1, 8))
    detune = rng.uniform(-0.35, 0.35, voices) * rng.uniform(0.1, 1.0)
    low, high = dark * rng.uniform(80, 500), dark * rng.uniform(1500, 14000)
    rate, shape, attack = rng.uniform(0.2, 9.0), rng.uniform(0.5, 3.0), float(rng.choice([0.003, 0.05, 0.4]))

    def play(midi: float, seconds: float) -> np.ndarray:
        time = np.arange(int(seconds * RATE)) / RATE
        bank = tables(amplitudes, np.geomspace(low, high, 6), 4.0, hertz(midi))
        position = 5 * (0.5 + 0.5 * np.sin(2 * np.pi * rate * time)) ** shape
        phases = np.random.default_rng(int(midi * 10)).uniform(0, 1, voices)
        sound = sum(read_tables(bank, hertz(midi + d) * time + p, position) for d, p in zip(detune, phases, strict=True))
        return sound * np.clip(time / attack, 0, 1)

    return play


def sweep(rng: Generator, seconds: float) -> np.ndarray:
    """A riser, a fall or a swell of filtered noise with or without a gliding tone, mono: the effects between two sections."""
    count = int(seconds * RATE)
    rise = np.linspace(0, 1, count)
    rise = rise if rng.random() < 0.6 else rise[::-1]
    noise = rng.standard_normal(count)
    dark = lfilter([0.03], [1, -0.97], noise)
    bright = lfilter([1, -1], [1, -0.5], noise) * 0.5
    sound = (dark * 3 * (1 - rise) + bright * rise) * (0.1 + rise ** rng.uniform(1, 3))
    if rng.random() < 0.5:
        start = rng.uniform(100, 600)
        turn = np.cumsum(start * 2 ** (rise * rng.uniform(1, 4))) / RATE
        sound = sound * rng.uniform(0.0, 0.6) + 0.3 * (2 * (turn % 1.0) - 1) * (0.2 + rise)
    return sound * np.clip((1 - np.linspace(0, 1, count)) * 50, 0, 1)


def struck_string(rng: Generator) -> Patch:
    """A piano-like tone of one to three strings: stretched partials that decay the faster the higher they are."""
    stretch, tilt, hammer = rng.uniform(1e-4, 6e-4), rng.uniform(0.9, 1.6), rng.uniform(0.05, 0.2)
    length, strike = rng.uniform(2.0, 5.0), rng.uniform(0.08, 0.14)
    strings = rng.normal(0, 8e-4, int(rng.integers(1, 4)))

    def play(midi: float, seconds: float) -> np.ndarray:
        time = np.arange(int(seconds * RATE)) / RATE
        sound = np.zeros_like(time)
        for n in range(1, 31):
            pitch = n * hertz(midi) * np.sqrt(1 + stretch * n * n)
            if pitch > 15000:
                break
            loud = abs(np.sin(np.pi * n * strike)) / n**tilt
            life = length * 2 ** ((60 - midi) / 24) / (1 + 0.3 * n)
            beating = sum(np.sin(2 * np.pi * pitch * (1 + off) * time + n) for off in strings) / len(strings)
            sound += loud * np.exp(-time / life) * beating
        knock = np.random.default_rng(int(midi)).standard_normal(len(time)) * np.exp(-time / 0.01)
        return sound + hammer * lfilter([0.1], [1, -0.9], knock)

    return play


def plucked_string(rng: Generator) -> Patch:
    """Karplus and Strong's string: a noise burst in a loop that loses its highs."""
    damping, bright, point = rng.uniform(0.985, 0.998), rng.uniform(0.2, 0.9), rng.uniform(0.1, 0.4)

    def play(midi: float, seconds: float) -> np.ndarray:
        count = int(seconds * RATE)
        period = RATE / hertz(midi)
        whole = int(period - 0.5)
        part = period - 0.5 - whole
        burst = np.zeros(count)
        noise = np.random.default_rng(int(midi)).uniform(-1, 1, whole)
        noise = lfilter([bright], [1, bright - 1], noise)
        burst[:whole] = noise - np.roll(noise, int(point * whole))
        loop = damping ** (midi / 60)
        feedback = np.zeros(whole + 3)
        feedback[0] = 1
        # Two-point average (half a sample) and linear interpolation for the fraction of the period.
        feedback[whole] -= loop * 0.5 * (1 - part)
        feedback[whole + 1] -= loop * 0.5
        feedback[whole + 2] -= loop * 0.5 * part
        return lfilter([1.0], feedback, burst)

    return play


def vowel(rng: Generator) -> Patch:
    """A sung vowel: a buzzy wavetable shaped by formants, with vibrato and a breath of noise."""
    names = list(VOWELS)
    throat = rng.uniform(0.9, 1.2)
    first, second = (np.array(VOWELS[names[i]]) * throat for i in rng.integers(0, 5, 2))
    depth, rate, breath = rng.uniform(0.1, 0.5), rng.uniform(4.5, 6.5), rng.uniform(0.002, 0.02)

    def play(midi: float, seconds: float) -> np.ndarray:
        time = np.arange(int(seconds * RATE)) / RATE
        pitch = np.arange(1, 401) * hertz(midi)
        rows = []
        for mix in np.linspace(0, 1, 5):
            formants = first * (1 - mix) + second * mix
            envelope = sum(
                g / (1 + ((pitch - f) / (60 + 0.05 * f)) ** 2) for f, g in zip(formants, (1, 0.6, 0.3, 0.15), strict=True)
            )
            rows.append(tables(envelope / np.arange(1, 401) ** 0.3, np.array([9000.0]), 2.0, hertz(midi))[0])
        swing = depth / 12 * np.clip((time - 0.2) / 0.3, 0, 1) * np.sin(2 * np.pi * rate * time)
        phase = np.cumsum(hertz(midi) * 2**swing) / RATE
        sound = read_tables(np.array(rows), phase, 4 * np.clip(time / max(seconds, 0.1), 0, 1))
        noise = np.random.default_rng(int(midi)).standard_normal(len(time)) * breath * np.abs(sound).max()
        return (sound + noise) * np.clip(time / 0.06, 0, 1)

    return play


def reed(rng: Generator) -> Patch:
    """A blown or bowed tone: a buzz through the fixed resonances of a body, with vibrato and breath."""
    amplitudes = harmonics(str(rng.choice(["saw", "saw", "square", "odd"])), rng)
    body = np.exp(rng.uniform(np.log(250), np.log(6000), int(rng.integers(2, 6))))
    sharp, gains = rng.uniform(0.1, 0.6, len(body)), rng.uniform(0.3, 3.0, len(body))
    attack, depth, rate = rng.uniform(0.01, 0.2), rng.uniform(0, 0.4), rng.uniform(4.0, 7.0)
    dark, breath, swell = rng.uniform(1500, 9000), rng.uniform(0, 0.03), rng.uniform(0, 0.5)

    def play(midi: float, seconds: float) -> np.ndarray:
        time = np.arange(int(seconds * RATE)) / RATE
        pitch = np.arange(1, 401) * hertz(midi)
        ring = 0.2 + sum(g / (1 + ((pitch / f - 1) / s) ** 2) for f, g, s in zip(body, gains, sharp, strict=True))
        bank = tables(amplitudes * ring, np.geomspace(0.3 * dark, dark, 4), 3.0, hertz(midi))
        rise = np.clip(time / attack, 0, 1)
        swing = depth / 12 * np.clip((time - 0.25) / 0.3, 0, 1) * np.sin(2 * np.pi * rate * time)
        phase = np.cumsum(hertz(midi) * 2**swing) / RATE
        sound = read_tables(bank, phase, 3 * rise * (1 - swell * (0.5 + 0.5 * np.sin(2 * np.pi * 0.4 * time))))
        noise = lfilter([0.3], [1, -0.7], np.random.default_rng(int(midi)).standard_normal(len(time)))
        return (sound + breath * np.abs(sound).max() * noise) * rise

    return play


def with_body(patch: Patch, rng: Generator) -> Patch:
    """The patch through the fixed resonances of a body or a loudspeaker: up to five peaks or dips that no note moves."""
    sections = []
    for _ in range(int(rng.integers(2, 6))):
        turn = 2 * np.pi * np.exp(rng.uniform(np.log(90), np.log(6000))) / RATE
        gain, reach = 10 ** (rng.uniform(-8, 10) / 40), np.sin(turn) / (2 * rng.uniform(0.7, 6.0))
        top = [1 + reach * gain, -2 * np.cos(turn), 1 - reach * gain]
        bottom = [1 + reach / gain, -2 * np.cos(turn), 1 - reach / gain]
        sections.append([value / bottom[0] for value in (*top, *bottom)])
    return lambda midi, seconds: sosfilt(sections, patch(midi, seconds))


BARS = ((1, 3.93, 9.5), (1, 4, 10.2), (1, 2.76, 5.4, 8.93), (1, 2, 2.4, 3, 4.5, 5.3, 6.7), (1, 2.7, 4.95, 7.2, 9.8))
"""Partials of struck bars, tubes, bells and bowls."""


def modal(rng: Generator) -> Patch:
    """A struck bar or bell: few partials that are no harmonics, each with its own life, and the knock of the mallet."""
    ratios = np.array(BARS[int(rng.integers(0, len(BARS)))]) * np.exp(rng.normal(0, 0.02))
    ratios[0] = 1
    loud, knock = rng.uniform(0.1, 1.0, len(ratios)), rng.uniform(0, 0.3)
    loud[0] = 1
    life, fall = np.exp(rng.uniform(np.log(0.15), np.log(4.0))), rng.uniform(0.2, 1.2)

    def play(midi: float, seconds: float) -> np.ndarray:
        time = np.arange(int(seconds * RATE)) / RATE
        sound = np.zeros_like(time)
        for ratio, gain in zip(ratios, loud, strict=True):
            if ratio * hertz(midi) < 16000:
                sound += gain * np.exp(-time * ratio**fall / life) * np.sin(2 * np.pi * ratio * hertz(midi) * time)
        noise = np.random.default_rng(int(midi)).standard_normal(len(time)) * np.exp(-time / 0.006)
        return sound + knock * lfilter([0.3], [1, -0.7], noise)

    return play


def tine(rng: Generator) -> Patch:
    """An electric piano: a tine, the bell of its hammer, and a pickup that bends both."""
    life, bell, ratio = rng.uniform(0.8, 3.5), rng.uniform(0.05, 0.6), float(rng.choice([4, 6.27, 7, 14]))
    depth, bias, drive = rng.uniform(0.1, 1.2), rng.uniform(0.0, 0.6), rng.uniform(0.5, 3.0)

    def play(midi: float, seconds: float) -> np.ndarray:
        time = np.arange(int(seconds * RATE)) / RATE
        turn = 2 * np.pi * hertz(midi) * time
        high = bell * np.exp(-time / 0.12) * np.sin(ratio * turn) * (ratio * hertz(midi) < 16000)
        sound = np.sin(turn + depth * np.exp(-time / (0.4 * life)) * np.sin(turn)) * np.exp(-time / life) + high
        return np.tanh(drive * sound + bias) - np.tanh(bias)

    return play


def drone(rng: Generator) -> Patch:
    """A low held tone whose overtones come and go by themselves."""
    count, tilt = int(rng.integers(4, 24)), rng.uniform(0.5, 1.6)
    loud = rng.uniform(0.1, 1.0, count) / np.arange(1, count + 1) ** tilt
    rates, phases = rng.uniform(0.05, 1.2, count), rng.uniform(0, 2 * np.pi, count)
    off, attack, breath = rng.normal(0, 1.5e-3, count), rng.uniform(0.02, 0.8), rng.uniform(0, 0.08)

    def play(midi: float, seconds: float) -> np.ndarray:
        time = np.arange(int(seconds * RATE)) / RATE
        sound = np.zeros_like(time)
        for n, (gain, rate, phase, late) in enumerate(zip(loud, rates, phases, off, strict=True), 1):
            if n * hertz(midi) < 15000:
                swing = 0.55 + 0.45 * np.sin(2 * np.pi * rate * time + phase)
                sound += gain * swing * np.sin(2 * np.pi * n * hertz(midi) * (1 + late) * time + phase)
        noise = lfilter([0.02], [1, -0.98], np.random.default_rng(int(midi)).standard_normal(len(time)))
        return (sound + breath * np.abs(sound).max() * noise * 5) * np.clip(time / attack, 0, 1)

    return play


def rotary_organ(rng: Generator) -> Patch:
    """Drawbars through a turning loudspeaker: loudness and pitch swing together."""
    amplitudes, click = harmonics("organ", rng), rng.uniform(0, 0.2)
    rate, depth, swing = float(rng.choice([0.8, 6.2])) * rng.uniform(0.8, 1.2), rng.uniform(0, 0.35), rng.uniform(0, 0.12)

    def play(midi: float, seconds: float) -> np.ndarray:
        time = np.arange(int(seconds * RATE)) / RATE
        cycle = tables(amplitudes, np.array([9000.0, 12000.0]), 2.0, hertz(midi - 12))
        turn = np.sin(2 * np.pi * rate * time)
        phase = np.cumsum(hertz(midi - 12) * 2 ** (swing / 12 * turn)) / RATE
        noise = np.random.default_rng(int(midi)).standard_normal(len(time)) * np.exp(-time / 0.004)
        return read_tables(cycle, phase, np.zeros_like(time)) * (1 - depth * (0.5 + 0.5 * turn)) + click * noise

    return play


def drum_hits(rng: Generator) -> dict[str, np.ndarray]:
    """One synthetic kit: piece name to mono samples."""

    def burst(seconds: float, decay: float) -> tuple[np.ndarray, np.ndarray]:
        time = np.arange(int(seconds * RATE)) / RATE
        return time, rng.standard_normal(len(time)) * np.exp(-time / decay)

    def tone(start: float, end: float, fall: float, decay: float, seconds: float) -> np.ndarray:
        time = np.arange(int(seconds * RATE)) / RATE
        pitch = end + (start - end) * np.exp(-time / fall)
        return np.sin(2 * np.pi * np.cumsum(pitch) / RATE) * np.exp(-time / decay)

    def highpass(sound: np.ndarray, pole: float) -> np.ndarray:
        return lfilter([1, -1], [1, -pole], sound)

    kick = tone(rng.uniform(120, 400), rng.uniform(40, 65), rng.uniform(0.01, 0.05), rng.uniform(0.08, 0.5), 0.8)
    kick[:441] += rng.uniform(0, 0.5) * rng.standard_normal(441) * np.linspace(1, 0, 441)
    _, noise = burst(0.5, rng.uniform(0.04, 0.2))
    snare = highpass(noise, rng.uniform(0.5, 0.9)) * rng.uniform(0.3, 1)
    snare = snare + tone(rng.uniform(200, 400), rng.uniform(150, 240), 0.02, rng.uniform(0.05, 0.15), 0.5)
    _, closed = burst(0.2, rng.uniform(0.01, 0.05))
    _, opened = burst(1.0, rng.uniform(0.15, 0.5))
    pole = rng.uniform(-0.7, 0.2)
    time, clap = burst(0.4, rng.uniform(0.06, 0.15))
    clap *= 1 + 2 * ((time % 0.011 < 0.004) & (time < 0.033))
    _, crash = burst(3.0, rng.uniform(0.5, 1.2))
    start = rng.uniform(90, 260)
    return {
        "kick": kick, "snare": snare, "clap": highpass(clap, 0.6), "hat_closed": highpass(highpass(closed, pole), pole),
        "hat_open": highpass(highpass(opened, pole), pole), "crash": highpass(crash, 0.0),
        "tom": tone(1.6 * start, start, 0.05, rng.uniform(0.15, 0.4), 0.8),
        "perc": tone(rng.uniform(500, 1500), rng.uniform(300, 900), 0.02, 0.06, 0.25),
    }  # fmt: skip


def patch_for(stem: str, rng: Generator) -> Patch:
    """A random patch that belongs to `stem` (any stem but drums); every other one has a body."""
    patch = BY_STEM[stem](rng)
    return with_body(patch, rng) if rng.random() < 0.5 else patch


def bass_patch(rng: Generator) -> Patch:
    if rng.random() < 0.12:
        return four_operators(rng, rng.uniform(0.3, 2.0), rng.uniform(0, 0.6), (0.5, 1, 1, 2, 3))
    kind = rng.random()
    if kind < 0.12:
        return frequency_modulation(rng, rng.uniform(0.4, 2.0), (0.5, 1, 2, 3))
    if kind < 0.32:
        return plucked_string(rng)
    if kind < 0.54:
        return sub_bass(rng)
    if kind < 0.65:
        return wobble(rng, 0.15)
    sustain = rng.uniform(0.2, 1.0)
    return subtractive(rng, 0.003, rng.uniform(0.1, 0.8), sustain, int(rng.integers(1, 4)), rng.uniform(0.2, 0.7))


def guitar_patch(rng: Generator) -> Patch:
    string = plucked_string(rng)
    return with_body(string, rng) if rng.random() < 0.5 else string


def piano_patch(rng: Generator) -> Patch:
    if rng.random() < 0.15:
        return four_operators(rng, rng.uniform(0.8, 3.0), 0.0, (1, 1, 2, 4, 7, 14))
    kind = rng.random()
    if kind < 0.55:
        return struck_string(rng)
    return tine(rng) if kind < 0.8 else frequency_modulation(rng, rng.uniform(1.0, 2.5), (1, 14))


def other_patch(rng: Generator) -> Patch:
    if rng.random() < 0.15:
        return four_operators(rng, rng.uniform(0.3, 3.0), rng.uniform(0, 1.0), (0.5, 1, 1.41, 2, 3, 3.5, 5, 7))
    kind = rng.random()
    if kind < 0.1:
        return frequency_modulation(rng, rng.uniform(0.5, 3.0), (1.41, 2.0, 3.5, 5.0))
    if kind < 0.18:
        return wobble(rng, 1.0)
    if kind < 0.32:
        return reed(rng)
    if kind < 0.42:
        return drone(rng)
    if kind < 0.5:
        return modal(rng)
    if kind < 0.57:
        return rotary_organ(rng)
    if kind < 0.7:
        return subtractive(rng, rng.uniform(0.05, 0.8), 2.0, rng.uniform(0.6, 1.0), int(rng.integers(3, 9)), 0.7)
    if kind < 0.86:
        return subtractive(rng, 0.005, rng.uniform(0.1, 0.5), rng.uniform(0.0, 0.3), int(rng.integers(1, 5)), 1.0)
    return subtractive(rng, 0.02, 1.0, rng.uniform(0.5, 1.0), int(rng.integers(1, 4)), 1.0)


BY_STEM = {"bass": bass_patch, "guitar": guitar_patch, "piano": piano_patch, "vocals": vowel, "other": other_patch}
