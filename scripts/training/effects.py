"""Effects on whole parts, stereo float32 arrays of shape [samples, 2]."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.signal import lfilter

from stems import RATE


def gated_rms(audio: np.ndarray, floor_db: float = -30.0) -> float:
    """Root mean square over the 100 ms frames that lie within `floor_db` of the loudest one."""
    frames = audio[: len(audio) // 4410 * 4410].reshape(-1, 4410 * audio.shape[1])
    power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / max(frames.shape[1], 1)
    if power.size == 0 or power.max() < 1e-12:
        return 0.0
    return float(np.sqrt(power[power > power.max() * 10 ** (floor_db / 10)].mean()))


def random_curve(frequencies: np.ndarray, rng: Generator, spread_db: float, peaks: int) -> np.ndarray:
    """A random gain over frequency: decibels at ten octaves, joined by lines, and the resonances of a body."""
    octaves = np.linspace(np.log2(30), np.log2(18000), 10)
    decibels = rng.normal(0, spread_db, 10)
    place = np.log2(np.maximum(frequencies, 20))
    curve = np.interp(place, octaves, decibels)
    for _ in range(peaks):
        centre, width, height = rng.uniform(6.3, 12.6), rng.uniform(0.06, 0.4), rng.uniform(-9, 9)
        near = slice(*np.searchsorted(place, (centre - 4 * width, centre + 4 * width)))
        curve[near] += height * np.exp(-(((place[near] - centre) / width) ** 2))
    return 10 ** (curve / 20)


def reverb_response(seconds: float, brightness: float, rng: Generator) -> np.ndarray:
    """Decaying stereo noise, [samples, 2], unit energy a channel: the tail of a room."""
    length = int(1.2 * seconds * RATE)
    time = np.arange(length)[:, None] / RATE
    noise = rng.standard_normal((length, 2)) * np.exp(-6.9 * time / seconds)
    shared = rng.uniform(0, 0.6)
    noise = noise + shared * noise[:, ::-1]
    spectrum = rfft(noise, axis=0)
    frequencies = rfftfreq(length, 1 / RATE)[:, None]
    noise = irfft(spectrum / (1 + (frequencies / brightness) ** 2), length, axis=0)
    delay = int(rng.uniform(0.002, 0.03) * RATE)
    noise = np.concatenate([np.zeros((delay, 2)), noise])
    return noise / np.sqrt((noise**2).sum(axis=0).mean())


def body_response(frequencies: np.ndarray, rng: Generator) -> np.ndarray:
    """The spectrum of a box or a loudspeaker: up to forty modes that ring for 2 to 60 ms, beside the sound itself."""
    modes = int(rng.integers(6, 40))
    places, lives = 2 ** rng.uniform(6.3, 12.3, modes), 2 ** rng.uniform(-9.0, -4.0, modes)
    gains = rng.normal(0, 1, modes) * (places / 300) ** -rng.uniform(0, 0.8)
    response = np.zeros(len(frequencies), np.complex64)
    for place, life, gain in zip(places, lives, gains, strict=True):
        # Each mode is felt within eight of its widths.
        reach = 8 / (2 * np.pi * life)
        near = slice(*np.searchsorted(frequencies, (place - reach, place + reach)))
        response[near] += gain / (1 + 2j * np.pi * life * (frequencies[near] - place))
    return rng.uniform(0.3, 1.0) + rng.uniform(0.5, 2.5) * response / max(float(np.abs(response).max()), 1e-6)


def colour(
    audio: np.ndarray, rng: Generator, spread_db: float, wet_db: float, seconds: float, peaks: int = 0, body: bool = False
) -> np.ndarray:
    """Random equaliser, `peaks` resonances, a body and a room, in one pass through the spectrum. `wet_db` is the room's level."""
    size = next_fast_len(len(audio) + int(1.3 * seconds * RATE) + RATE // 10, real=True)
    spectrum = rfft(audio, size, axis=0)
    frequencies = rfftfreq(size, 1 / RATE)
    spectrum *= random_curve(frequencies, rng, spread_db, peaks).astype(np.float32)[:, None]
    if body:
        spectrum *= body_response(frequencies, rng)[:, None]
    if wet_db > -40:
        response = reverb_response(seconds, rng.uniform(1500, 9000), rng)
        room = rfft(response.astype(np.float32), size, axis=0)
        mono = (spectrum[:, :1] + spectrum[:, 1:]) / 2
        spectrum = spectrum + 10 ** (wet_db / 20) * mono * room
    return irfft(spectrum, size, axis=0)[: len(audio)].astype(np.float32)


def band_limit(audio: np.ndarray, low: float, high: float) -> np.ndarray:
    """Roll off below `low` and above `high` (hertz): a loudspeaker cabinet, a telephone, a dark tape."""
    size = next_fast_len(len(audio), real=True)
    frequencies = rfftfreq(size, 1 / RATE)
    gain = 1 / np.sqrt((1 + (frequencies / high) ** 6) * (1 + (low / np.maximum(frequencies, 1)) ** 4))
    return irfft(rfft(audio, size, axis=0) * gain[:, None], size, axis=0)[: len(audio)].astype(np.float32)


def distort(audio: np.ndarray, drive: float, bias: float = 0.0) -> np.ndarray:
    """Soft clipping; `drive` is the gain of a signal of unit RMS into the clipper."""
    level = gated_rms(audio)
    if level == 0:
        return audio
    pushed = np.tanh(audio * (drive / level) + bias) - np.tanh(bias)
    return (pushed * level).astype(np.float32)


def compress(audio: np.ndarray, ratio: float) -> np.ndarray:
    """Even out loudness: gain = (level / mean level) ** (1 / ratio - 1), on 20 ms frames."""
    hop = 882
    frames = -(-len(audio) // hop)
    padded = np.pad(audio, ((0, frames * hop - len(audio)), (0, 0)))
    level = np.sqrt((padded.reshape(frames, hop, 2) ** 2).mean(axis=(1, 2)))
    level = np.convolve(np.pad(level, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    typical = gated_rms(audio)
    if typical == 0:
        return audio
    gain = np.clip(level / typical, 0.1, 10) ** (1 / ratio - 1)
    smooth = np.interp(np.arange(len(audio)), np.arange(frames) * hop + hop / 2, gain)
    return (audio * smooth[:, None]).astype(np.float32)


def chorus(audio: np.ndarray, rng: Generator) -> np.ndarray:
    """Add one slowly wandering copy a side."""
    time = np.arange(len(audio))
    out = audio.copy()
    for side in range(2):
        rate, depth, base = rng.uniform(0.2, 1.5), rng.uniform(0.0005, 0.003), rng.uniform(0.006, 0.02)
        delay = (base + depth * np.sin(2 * np.pi * rate * time / RATE + rng.uniform(0, 6.28))) * RATE
        out[:, side] += 0.7 * np.interp(time - delay, time, audio[:, side], left=0.0)
    return out


def tremolo(audio: np.ndarray, rng: Generator) -> np.ndarray:
    """Loudness that swings, on both sides alike or from one to the other."""
    turn = 2 * np.pi * rng.uniform(1.5, 8.0) * np.arange(len(audio)) / RATE
    swing = np.sin(turn)[:, None] * (np.array([1.0, -1.0]) if rng.random() < 0.4 else 1.0)
    return (audio * (1 - rng.uniform(0.15, 0.7) * (0.5 + 0.5 * swing))).astype(np.float32)


def widen(audio: np.ndarray, rng: Generator) -> np.ndarray:
    """A mono part made wide: one side a little later, with another phase and slightly off the pitch now and then."""
    late = int(rng.uniform(0.002, 0.018) * RATE)
    side = np.zeros_like(audio[:, 0])
    side[late:] = audio[: len(audio) - late, 1]
    pole = rng.uniform(-0.9, 0.9)
    # A first-order all-pass: the same loudness at every frequency.
    side = lfilter([pole, 1.0], [1.0, pole], side).astype(np.float32)
    return np.stack([audio[:, 0], side], 1) if rng.random() < 0.5 else np.stack([side, audio[:, 0]], 1)


def echo(audio: np.ndarray, seconds: float, gain: float, repeats: int = 3) -> np.ndarray:
    """Repeats that get softer, alternating between the sides."""
    out = audio.copy()
    for number in range(1, repeats + 1):
        start = int(number * seconds * RATE)
        if start >= len(audio):
            break
        copy = audio[: len(audio) - start] * gain**number
        out[start:] += copy[:, ::-1] if number % 2 else copy
    return out


def place(audio: np.ndarray, pan: float, width: float) -> np.ndarray:
    """Narrow the stereo image (`width` 0 is mono) and lean it to a side (`pan` -1 to 1, constant power)."""
    middle = (audio[:, :1] + audio[:, 1:]) / 2
    audio = middle + width * (audio - middle)
    angle = (pan + 1) * np.pi / 4
    return audio * np.array([np.cos(angle), np.sin(angle)], dtype=np.float32) * np.float32(np.sqrt(2))
