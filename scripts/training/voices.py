"""Sung phrases from free speech synthesisers: speak a made-up line, then sing it again with WORLD.

A speech synthesiser (espeak-ng, flite, festival: whichever is installed) speaks a line of random words. WORLD takes the
speech apart into pitch, envelope and noisiness; the envelope is stretched in time, the pitch is replaced by a melody in C
(with glides and vibrato), and the phrase is put together again. Each phrase is one mono Ogg file named

    VOICE/phraseNNN_c_major.ogg        or        VOICE/phraseNNN_c_minor.ogg

so that the generator knows the key and can move it. Speaking needs the synthesisers, singing only WORLD, so that the lines can be
spoken here and sung elsewhere; every line is sung several times, each time by another throat.

Usage: python voices.py OUT_DIR [--lines 12] [--sung 4] [--seed 1] [--jobs N]
       python voices.py SPEECH_DIR --speak          then, anywhere:      python voices.py OUT_DIR --speech SPEECH_DIR
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import pyworld
import soundfile
from scipy.signal import resample_poly

from stems import RATE

FRAME_MS = 5.0

SPOKEN = ("en-us", "en-gb", "es", "de", "it", "fr-fr", "pt-br", "pl", "sv", "nl", "fi", "cs", "ro", "el", "tr", "hu")
"""Languages of espeak-ng; those without words of their own speak Spanish ones."""

THROATS = (
    ("Alicia", 66), ("Andy", 53), ("Annie", 69), ("Diogo", 52), ("Hugo", 55), ("Lee", 54), ("Mario", 51), ("Michael", 50),
    ("Mike", 53), ("Storm", 48), ("anika", 65), ("antonio", 54), ("aunty", 63), ("belinda", 67), ("ed", 53), ("f3", 64),
    ("f5", 68), ("grandma", 62), ("grandpa", 50), ("john", 52), ("linda", 66), ("m4", 55), ("m8", 52), ("max", 54),
    ("michel", 53), ("pablo", 56), ("shelby", 67), ("steph", 65), ("travis", 51), ("zac", 60),
)  # fmt: skip
"""Speakers that espeak-ng can put on, and the middle of their ranges (MIDI)."""

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
    # The same speaker in another throat and another language is another singer, as far as a network is concerned.
    for number, (throat, centre) in enumerate(THROATS):
        for place in range(3):
            speaks = SPOKEN[(5 * number + 7 * place) % len(SPOKEN)]
            variants.append((f"{speaks}+{throat}", speaks[:2] if speaks[:2] in WORDS else "es", centre))
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
    """The same words sung: stretched in time, on a melody of `scale` (tonic C), by a throat up to a fourth longer or shorter."""
    coarse, times = pyworld.dio(speech, rate, frame_period=FRAME_MS)
    f0 = pyworld.stonemask(speech, coarse, times, rate)
    envelope = pyworld.cheaptrick(speech, f0, times, rate)
    noisiness = pyworld.d4c(speech, f0, times, rate)
    stretch = rng.uniform(1.0, 1.9)
    # Vowels take the stretch, consonants keep their length: each frame lasts 1 or `stretch` frames.
    lasts = np.where(f0 > 0, stretch, 1.0)
    ends = np.cumsum(lasts)
    source = np.searchsorted(ends, np.arange(int(ends[-1])), side="right").clip(0, len(f0) - 1)
    shift = rng.triangular(-5, 5, 0)
    formant = 2.0 ** (shift / 12)
    envelope = shift_envelope(envelope[source], formant)
    # Some sing with more breath than they speak with, some with less.
    noisiness = np.ascontiguousarray(noisiness[source] ** rng.triangular(0.5, 2.0, 1.0))
    pitch = melody(len(source), f0[source] > 0, centre + round(shift), scale, rng)
    sung = pyworld.synthesize(pitch, envelope, noisiness, rate, FRAME_MS)
    return resample_poly(sung, RATE, rate)


def shift_envelope(envelope: np.ndarray, factor: float) -> np.ndarray:
    """Move the formants by `factor`, [frames, bins]: a longer or shorter throat."""
    bins = np.arange(envelope.shape[1])
    nearest = np.clip(np.round(bins / factor).astype(int), 0, envelope.shape[1] - 1)
    return np.ascontiguousarray(envelope[:, nearest])


def speak_lines(voice: Voice, out: Path, lines: int, seed: int) -> None:
    """Write `lines` spoken lines of random words as OUT/VOICE/lineNNN.ogg, at the synthesiser's own rate."""
    rng = random.Random(f"{seed} {voice.name}")
    folder = out / voice.name
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(lines):
        text = " ".join(rng.choice(WORDS[voice.language]) for _ in range(rng.randint(3, 9)))
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary) / "speech.wav"
            try:
                speak(voice, text, path)
                speech, rate = soundfile.read(path, dtype="float32")
            except (subprocess.CalledProcessError, soundfile.SoundFileError) as problem:
                print(f"voices: {voice.name}, line {number} left out: {problem}", flush=True)
                continue
        if len(speech) > rate / 4:
            soundfile.write(folder / f"line{number:03d}.ogg", speech, rate, format="OGG", subtype="VORBIS", compression_level=0.5)


def sing_line(path: Path, centre: int, out: Path, number: int, seed: int) -> None:
    """Sing a spoken line in one way; the phrase is mono, at RATE, with its peak at 0.9."""
    rng = random.Random(f"{seed} {path.parent.name} {path.stem} {number}")
    mode = rng.choice(("major", "minor"))
    try:
        speech, rate = soundfile.read(path)
        speech = np.ascontiguousarray(speech, dtype=np.float64)
        sung = sing(speech, rate, centre + rng.randint(-4, 4), SCALES[mode], rng)
        loud = np.flatnonzero(np.abs(sung) > 0.01 * np.abs(sung).max())
        sung = sung[loud[0] : loud[-1] + 1]
        sung = (0.9 * sung / np.abs(sung).max()).astype(np.float32)
    except Exception as problem:
        # Whatever WORLD stumbles over: one line less, and no reason to lose the others.
        print(f"voices: {path} left out: {problem!r}", flush=True)
        return
    name = f"phrase{path.stem.removeprefix('line')}{number}_c_{mode}.ogg"
    soundfile.write(out / path.parent.name / name, sung, RATE, format="OGG", subtype="VORBIS", compression_level=0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--speak", action="store_true", help="only speak the lines, into OUT")
    parser.add_argument("--speech", type=Path, help="only sing the lines of this folder")
    parser.add_argument("--lines", type=int, default=12, help="lines for each voice")
    parser.add_argument("--sung", type=int, default=4, help="times that each line is sung")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    spoken = options.speech or (options.out if options.speak else options.out / "speech")
    with Pool(options.jobs) as pool:
        if not options.speech:
            jobs = [(voice, spoken, options.lines, options.seed) for voice in installed_voices()]
            pool.starmap(speak_lines, jobs, chunksize=1)
        if options.speak:
            return
        centres = {voice.name: voice.centre for voice in all_voices()}
        lines = [path for path in sorted(spoken.glob("*/line*.ogg")) if path.parent.name in centres]
        for name in {path.parent.name for path in lines}:
            (options.out / name).mkdir(parents=True, exist_ok=True)
        ways = [(path, centres[path.parent.name], options.out, n, options.seed) for path in lines for n in range(options.sung)]
        pool.starmap(sing_line, ways, chunksize=4)
    print(f"voices: {len(lines)} lines, each sung {options.sung} times", flush=True)


if __name__ == "__main__":
    main()
