"""The pieces: what is separated, and what it is made of. All are [2, samples] at 44.1 kHz."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from oracle.signals import ROOT, SONG
from oracle.signals import SAMPLE_RATE as RATE

from . import generated

SECONDS = 10.0
"""Longer than a segment of 7.8 s, so that two are joined."""
ALBUM = "CC0, Software-Entwicklungskit, Everything is Free"


@dataclass(frozen=True)
class Piece:
    """One piece; ``truth`` is the folder of its true stems, where they are known."""

    name: str
    about: str
    make: Callable[[], np.ndarray]
    truth: Path | None = None


def excerpt(*paths: Path, start: float = 0.0, seconds: float | None = None) -> np.ndarray:
    """The same part of one file, or the sum of that of several; all of it without ``seconds``."""
    total: np.ndarray | None = None
    for path in paths:
        frames = -1 if seconds is None else round(seconds * RATE)
        samples, rate = soundfile.read(path, start=round(start * RATE), frames=frames, dtype="float64", always_2d=True)
        if rate != RATE or samples.shape[1] != 2 or len(samples) < frames:
            raise ValueError(f"{path}: expected {frames} stereo frames of {RATE} Hz, found {samples.shape} of {rate} Hz")
        total = samples.T if total is None else total + samples.T
    if total is None:
        raise ValueError("an excerpt of no file")
    return total


def song(start: float = 1.0, seconds: float = SECONDS) -> np.ndarray:
    """A part of the sample song."""
    return excerpt(SONG, start=start, seconds=seconds)


def quiet(level: float) -> np.ndarray:
    """The song at an RMS of ``level`` dBFS."""
    signal = song()
    return signal * 10 ** (level / 20) / np.sqrt(np.mean(signal**2))


def one_sided() -> np.ndarray:
    """The song on the left, nothing on the right."""
    return song() * np.array([[1.0], [0.0]])


def inverted() -> np.ndarray:
    """The song with its polarity inverted on the right: its mono mix, by which tracks are normalised, is silent."""
    left = song()[0]
    return np.stack([left, -left])


def late() -> np.ndarray:
    """More than a whole segment of silence, then the song."""
    return np.concatenate([generated.silence(8.5), song(seconds=5.5)], axis=1)


def generated_pieces() -> Iterator[Piece]:
    """Signals of formulas."""
    yield Piece("silence", "digital silence", partial(generated.silence, SECONDS))
    yield Piece("constant", "0.3 throughout: nothing but an offset", lambda: generated.silence(SECONDS) + 0.3)
    yield Piece("sine", "440 Hz, amplitude 0.5", partial(generated.sine, SECONDS))
    yield Piece("sweep", "20 Hz to 20 kHz, exponential, amplitude 0.5", partial(generated.sweep, SECONDS))
    yield Piece("white-noise", "uniform in ±0.5, unlike in both channels", partial(generated.white_noise, SECONDS))
    about = "single samples of ±1, four a second, left and right in turn"
    yield Piece("clicks", about, partial(generated.clicks, SECONDS))
    yield Piece("square", "55 Hz square wave of full scale", partial(generated.square, SECONDS))
    yield Piece("speech-like", "syllables of a formant synthesiser with pauses", partial(generated.speech, SECONDS))
    yield Piece("band", "synthetic drums, bass and chords", partial(generated.band, SECONDS))
    loud = lambda: np.clip(20 * generated.band(SECONDS), -1, 1)
    yield Piece("clipped", "the band 26 dB too loud, clipped at full scale", loud)


def song_pieces(stems: Path) -> Iterator[Piece]:
    """The sample song, and what can befall a song."""
    yield Piece("song", "the sample song: generated pop with voice", partial(excerpt, SONG), stems)
    yield Piece("quiet", "a part of it at -60 dBFS RMS", partial(quiet, -60.0))
    yield Piece("loud", "a part of it 20 dB beyond full scale, as float", lambda: 10 * song())
    yield Piece("mono", "its left channel twice", lambda: generated.stereo(song()[0]))
    yield Piece("left-only", "the right channel silent", one_sided)
    yield Piece("inverted", "right = -left: the mono mix is silent", inverted)
    yield Piece("offset", "a part of it + 0.25 (DC)", lambda: song() + 0.25)
    yield Piece("late", "8.5 s of silence, more than a segment, then a part of it", late)
    yield Piece("short", "0.5 s of it", partial(song, 4.0, 0.5))


def shared_pieces(folder: Path) -> Iterator[Piece]:
    """Fixture songs and real music, as far as they are there."""
    for name in ("song-a", "song-c"):  # song-b is the sample song.
        stems = folder / "fixtures" / name
        if (stems / "mixture.flac").exists():
            about = "generated song with known stems, CC0"
            yield Piece(name, about, partial(excerpt, stems / "mixture.flac"), stems)
    album = (
        ("hydrogen", "synth pop", 120.0),
        ("sodium", "electronic, club", 200.0),
        ("potassium", "electronic, trap drums", 100.0),
        ("rubidium", "electronic, house", 100.0),
        ("caesium", "electronic, breakbeat", 100.0),
    )
    for name, genre, start in album:
        paths = sorted((folder / "music" / name).glob("*.ogg"))
        if paths:
            yield Piece(name, f"{genre} ({ALBUM})", partial(excerpt, *paths, start=start, seconds=SECONDS))
    mixes = (
        ("folk", "Karissa_Hobbs_-_Lets_Go_Fishin.hq.ogg", 40.0, "Karissa Hobbs, Let's Go Fishin', CC BY 3.0"),
        ("jazz", "Kevin_MacLeod_-_Vibe_Ace.hq.ogg", 20.0, "Kevin MacLeod, Vibe Ace, CC BY 3.0"),
        (
            "strings",
            "Hungarian_Dance_number_5_-_Allegro_in_F_sharp_minor_(string_orchestra).hq.ogg",
            5.0,
            "Brahms, Hungarian Dance No. 5, US Army Strings, public domain",
        ),
        ("pop", "ccby_spleeter_example/audio_example.mp3", 0.0, "Steven M Bryant, Slow Motion Dream, CC BY 3.0"),
    )
    for name, file, start, about in mixes:
        path = folder / "music" / "mixes" / file
        if path.exists():
            yield Piece(name, about, partial(excerpt, path, start=start, seconds=SECONDS))


def pieces(shared: Path) -> list[Piece]:
    """All that can be made here; those of ``shared`` only where that folder is."""
    return [*generated_pieces(), *song_pieces(ROOT / "Fixtures" / "song-stems"), *shared_pieces(shared)]
