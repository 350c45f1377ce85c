"""Sung phrases from free speech synthesisers: speak a made-up line, then sing it again with WORLD.

A speech synthesiser (espeak-ng, flite, festival: whichever is installed) speaks a line of random words. WORLD takes the
speech apart into pitch, envelope and noisiness; the envelope is stretched in time, the pitch is replaced by a melody in C
(with glides and vibrato), and the phrase is put together again. Each phrase is one mono Ogg file named

    VOICE/phraseNNN_c_major.ogg        or        VOICE/phraseNNN_c_minor.ogg

so that the generator knows the key and can move it. Usage: python voices.py OUT_DIR [--phrases 30] [--seed 1]
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyworld
import soundfile
from scipy.signal import resample_poly

from stems import RATE

FRAME_MS = 5.0

WORDS = {
    "en": """love night river golden shadow running dancing fire heaven money morning silver moon ocean window lonely
    forever tonight baby never always higher falling summer winter crazy memory mountain hello goodbye dreaming walking
    wild heart hand eyes road city light home again away over under all my your we are you me they want need feel know
    follow flower rolling thunder yellow season reason believe remember away ooh yeah oh la na hey""".split(),
    "es": "amor noche luna corazon cielo fuego camino siempre nunca bailar vida agua sol mar quiero contigo sin mi tu la".split(),
    "de": "liebe nacht mond feuer himmel sonne immer wieder herz traum regen meer leben allein ohne mit dir ich du wir".split(),
    "it": "amore notte luna cuore cielo fuoco sempre mai vita acqua sole mare voglio con te senza mio tuo stella vento".split(),
    "fr": "amour nuit lune coeur ciel feu toujours jamais vie eau soleil mer je veux avec toi sans mon ton etoile vent".split(),
}

SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}


@dataclass(frozen=True)
class Voice:
    """One synthetic singer: which program speaks, with what settings, and the middle of its range (MIDI)."""

    name: str
    program: str
    setting: str
    language: str
    centre: int


def all_voices() -> list[Voice]:
    """Every singer this module knows; `installed_voices` keeps those whose program is there."""
    voices = [
        Voice("flite_slt", "flite", "slt", "en", 65),
        Voice("flite_rms", "flite", "rms", "en", 53),
        Voice("flite_awb", "flite", "awb", "en", 55),
        Voice("flite_kal16", "flite", "kal16", "en", 52),
        Voice("festival_kal", "text2wave", "voice_kal_diphone", "en", 54),
        Voice("festival_ked", "text2wave", "voice_ked_diphone", "en", 52),
        Voice("festival_slt", "text2wave", "voice_cmu_us_slt_arctic_hts", "en", 67),
    ]
    variants = [
        ("en-us+f2", "en", 66), ("en-us+m3", "en", 54), ("en-gb+f4", "en", 69), ("en-gb-scotland+m7", "en", 50),
        ("es+f3", "es", 64), ("es+m4", "es", 56), ("de+m2", "de", 52), ("de+f5", "de", 65),
        ("it+f1", "it", 68), ("it+m6", "it", 55), ("fr-fr+f2", "fr", 63), ("fr-fr+m1", "fr", 57),
    ]  # fmt: skip
    for setting, language, centre in variants:
        name = "espeak_" + setting.replace("+", "_").replace("-", "_")
        voices.append(Voice(name, "espeak-ng", setting, language, centre))
    return voices


def installed_voices() -> list[Voice]:
    return [voice for voice in all_voices() if shutil.which(voice.program)]


def speak(voice: Voice, text: str, path: Path) -> None:
    """Write the spoken `text` to the WAV file `path`."""
    if voice.program == "flite":
        command = ["flite", "-voice", voice.setting, "-t", text, "-o", str(path)]
        spoken = None
    elif voice.program == "espeak-ng":
        command = ["espeak-ng", "-v", voice.setting, "-s", "150", "-w", str(path), text]
        spoken = None
    else:
        command = ["text2wave", "-eval", f"({voice.setting})", "-o", str(path)]
        spoken = text.encode()
    subprocess.run(command, input=spoken, check=True, capture_output=True)


def melody(frames: int, voiced: np.ndarray, centre: int, scale: tuple[int, ...], rng: random.Random) -> np.ndarray:
    """A pitch in Hz for every frame: a walk over the scale near `centre`, with glides and vibrato."""
    degrees = [12 * octave + step for octave in range(2, 9) for step in scale]
    degrees = [note for note in degrees if abs(note - centre) <= 9]
    position = min(range(len(degrees)), key=lambda i: abs(degrees[i] - centre) + rng.random() * 4)
    pitch = np.zeros(frames)
    vibrato = np.zeros(frames)
    depth = rng.uniform(0.0, 0.45)
    rate = rng.uniform(4.8, 6.4)
    start = 0
    while start < frames:
        length = int(rng.choice((0.18, 0.25, 0.25, 0.375, 0.5, 0.5, 0.75, 1.0)) * 1000 / FRAME_MS)
        pitch[start : start + length] = degrees[position]
        time = np.arange(min(length, frames - start)) * FRAME_MS / 1000
        swell = np.clip((time - 0.15) / 0.25, 0, 1)
        vibrato[start : start + length] = swell * depth * np.sin(2 * np.pi * rate * time)
        start += length
        step = rng.choice((-2, -1, -1, -1, 0, 1, 1, 1, 2, 3, -3))
        position = min(max(position + step, 0), len(degrees) - 1)
    glide = np.hanning(rng.randint(9, 25))
    padded = np.pad(pitch, len(glide) // 2, mode="edge")
    pitch = np.convolve(padded, glide / glide.sum(), mode="same")[len(glide) // 2 :][:frames]
    hertz = 440.0 * 2.0 ** ((pitch + vibrato - 69) / 12)
    return np.where(voiced, hertz, 0.0)


def sing(speech: np.ndarray, rate: int, centre: int, scale: tuple[int, ...], rng: random.Random) -> np.ndarray:
    """The same words sung: stretched in time, on a melody of `scale` (tonic C)."""
    coarse, times = pyworld.dio(speech, rate, frame_period=FRAME_MS)
    f0 = pyworld.stonemask(speech, coarse, times, rate)
    envelope = pyworld.cheaptrick(speech, f0, times, rate)
    noisiness = pyworld.d4c(speech, f0, times, rate)
    stretch = rng.uniform(1.0, 1.9)
    # Vowels take the stretch, consonants keep their length: each frame lasts 1 or `stretch` frames.
    lasts = np.where(f0 > 0, stretch, 1.0)
    ends = np.cumsum(lasts)
    source = np.searchsorted(ends, np.arange(int(ends[-1])), side="right").clip(0, len(f0) - 1)
    formant = 2.0 ** (rng.uniform(-1.5, 1.5) / 12)
    envelope = shift_envelope(envelope[source], formant)
    pitch = melody(len(source), f0[source] > 0, centre, scale, rng)
    sung = pyworld.synthesize(pitch, envelope, np.ascontiguousarray(noisiness[source]), rate, FRAME_MS)
    return resample_poly(sung, RATE, rate)


def shift_envelope(envelope: np.ndarray, factor: float) -> np.ndarray:
    """Move the formants by `factor`, [frames, bins]: a longer or shorter throat."""
    bins = np.arange(envelope.shape[1])
    nearest = np.clip(np.round(bins / factor).astype(int), 0, envelope.shape[1] - 1)
    return np.ascontiguousarray(envelope[:, nearest])


def make_phrase(voice: Voice, rng: random.Random) -> tuple[np.ndarray, str]:
    """One phrase (mono, at RATE, peak 0.9) and the name of its scale."""
    mode = rng.choice(("major", "minor"))
    text = " ".join(rng.choice(WORDS[voice.language]) for _ in range(rng.randint(3, 9)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        speak(voice, text, path)
        speech, rate = soundfile.read(path)
    centre = voice.centre + rng.randint(-4, 4)
    sung = sing(np.ascontiguousarray(speech, dtype=np.float64), rate, centre, SCALES[mode], rng)
    loud = np.flatnonzero(np.abs(sung) > 0.01 * np.abs(sung).max())
    sung = sung[loud[0] : loud[-1] + 1]
    return 0.9 * sung / np.abs(sung).max(), mode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--phrases", type=int, default=30, help="phrases for each voice")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for voice in installed_voices():
        rng = random.Random(f"{options.seed} {voice.name}")
        folder = options.out / voice.name
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(options.phrases):
            try:
                audio, mode = make_phrase(voice, rng)
            except (subprocess.CalledProcessError, IndexError, ValueError) as problem:
                print(f"{voice.name}: phrase {number} skipped: {problem}")
                continue
            path = folder / f"phrase{number:03d}_c_{mode}.ogg"
            soundfile.write(path, audio.astype(np.float32), RATE, format="OGG", subtype="VORBIS", compression_level=0.6)
        print(voice.name, "done", flush=True)


if __name__ == "__main__":
    main()
