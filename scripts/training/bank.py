"""The note bank: every sound of every source, decoded once into memory-mapped files that all processes share.

An instrument is one `.npy` file (int16, [samples, channels]) and a list of notes that point into it. Four kinds:

    notes    pitched single notes                       (tag: empty)
    hits     one drum kit                               (tag: the piece: kick, snare, hat_closed, ...)
    phrases  sung or spoken phrases                     (tag: the mode, pitch: a tonic, or NaN when unknown)
    chords   whole guitar chords                        (tag: major, minor or power; pitch: the root)

Usage: python bank.py OUT_DIR [--instruments DIR] [--soundfont FILE]... [--gus DIR] [--voices DIR] [--patches 24] [--jobs N]
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from multiprocessing import Pool
from pathlib import Path

import numpy as np

import gus
import heldout
import synthesis
from stems import RATE, STEMS


@dataclass(frozen=True)
class Note:
    """A stretch of an instrument's file. `pitch` is a MIDI number, `velocity` 0 to 1."""

    start: int
    length: int
    pitch: float
    velocity: float
    tag: str = ""


@dataclass
class Instrument:
    """One sound source; `audio` is memory-mapped when loaded."""

    name: str
    stem: str
    kind: str
    held_out: bool
    notes: list[Note]
    audio: np.ndarray

    def sound(self, note: Note, limit: int | None = None) -> np.ndarray:
        """The note as float32, [samples, channels], no more than its first `limit` samples."""
        length = note.length if limit is None else min(note.length, limit)
        return self.audio[note.start : note.start + length].astype(np.float32) / np.float32(32768)


@dataclass(frozen=True)
class Task:
    """One instrument still to be decoded: `source` says how, `data` what."""

    name: str
    stem: str
    kind: str
    held_out: bool
    source: str
    data: tuple


# ---------------------------------------------------------------- sampled instruments

PIECES = (
    ("perc_beats", "perc"), ("hat_open", "hat_open"), ("hat_half", "hat_open"), ("hat_loose", "hat_open"),
    ("hi_hat_open", "hat_open"), ("cymbal_open", "hat_open"), ("cymbal_closed", "hat_closed"), ("cymbal_pedal", "hat_closed"),
    ("hat", "hat_closed"), ("kick", "kick"), ("bass_drum", "kick"), ("bd_", "kick"), ("drum_bass", "kick"),
    ("snare_ss", "rim"), ("stick", "rim"), ("snare", "snare"), ("sn_", "snare"), ("clap", "clap"), ("snap", "clap"),
    ("tom", "tom"), ("ride", "ride"), ("crash", "crash"), ("china", "crash"), ("splash", "crash"), ("cymbal", "crash"),
)  # fmt: skip


def drum_piece(name: str) -> str:
    """The piece of the kit that a file name speaks of; `perc` when it names none."""
    return next((piece for key, piece in PIECES if key in name), "perc")


CHORD = re.compile(r"chord_([A-G])(sharp|flat)?_?(major|minor|min|maj)")
ROOTS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def guitar_chord(name: str) -> tuple[float, str] | None:
    """Root (MIDI) and quality of a chord sample, from its file name; None when it holds something else."""
    amped = re.match(r"(chord|cleanchord|power5|chug)_?(maj|min7|min)?_m(\d+)", name)
    if amped:
        quality = {"maj": "major", "min": "minor", "min7": "minor", None: "power"}[amped[2]]
        return float(amped[3]), quality
    named = CHORD.match(name.replace("Bflat", "Asharp"))
    if named and "7b5" not in name and "slide" not in name:
        root = ROOTS[named[1]] + {"sharp": 1, "flat": -1, None: 0}[named[2]]
        return 48.0 + root % 12, "major" if named[3].startswith("maj") else "minor"
    return None


def phrase_key(name: str) -> tuple[float, str]:
    """Tonic (pitch class, or NaN) and mode of a vocal phrase, from its file name."""
    found = re.match(r"shv_([a-g])(s|b)?_|etv_([a-g])(b)?([jm])|phrase\d+_(c)_(major|minor)", name)
    if not found:
        return float("nan"), ""
    letter = found[1] or found[3] or found[6]
    shift = {"s": 1, "b": -1}.get(found[2] or found[4] or "", 0)
    mode = found[7] or ("minor" if found[1] or found[5] == "m" else "major")
    return float((ROOTS[letter.upper()] + shift) % 12), mode


def sampled_tasks(folder: Path) -> Iterator[Task]:
    """Tasks for `shared/instruments`, from its manifest."""
    rows: dict[tuple[str, str, str], list] = defaultdict(list)
    with open(folder / "manifest.csv", newline="") as file:
        for row in csv.DictReader(file):
            name, stem, path = row["instrument"], row["stem"], folder / row["file"]
            if not path.exists() or name in ("sonicpi_loops", "sonicpi_guitar_phrases", "sonicpi_pads_fx"):
                continue
            pitch = float(row["midi_measured"] or row["midi"] or "nan")
            velocity = {"1": 0.4, "2": 0.6, "3": 0.8}.get(row["vel_layer"], 0.95) if row["vel_layer"] else 0.7
            tag, kind, key = "", "notes", name
            if stem == "drums":
                kind, key, tag = "hits", name.split("_")[0], drum_piece(f"{name}/{path.stem}")
            elif stem == "vocals" and not name.startswith("sung"):
                kind, (pitch, tag) = "phrases", phrase_key(path.stem)
            elif stem == "guitar" and (chord := guitar_chord(path.stem)):
                kind, (pitch, tag) = "chords", chord
            elif name == "sonicpi_synth_bass":
                pitch = 41.0 if path.stem.endswith("_f") else 36.0
            elif pitch != pitch:
                continue
            rows[key, stem, kind].append((str(path), pitch, velocity, tag))
    for (name, stem, kind), files in rows.items():
        yield Task(name, stem, kind, heldout.is_held_out(name), "files", tuple(files))


def voice_tasks(folder: Path) -> Iterator[Task]:
    """Tasks for the resung phrases that voices.py wrote: one instrument a singer."""
    for singer in sorted(p for p in folder.iterdir() if p.is_dir()):
        files = tuple((str(p), *_with_velocity(phrase_key(p.stem))) for p in sorted(singer.glob("*.ogg")))
        if files:
            yield Task(singer.name, "vocals", "phrases", heldout.is_held_out(singer.name), "files", files)


def _with_velocity(key: tuple[float, str]) -> tuple[float, float, str]:
    return key[0], 0.7, key[1]


def decode_files(task: Task) -> list[tuple[np.ndarray, float, float, str]]:
    import soundfile

    sounds = []
    for path, pitch, velocity, tag in task.data:
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
        if rate == RATE and len(audio) > 200:
            sounds.append((audio, pitch, velocity, tag))
    return sounds


# ---------------------------------------------------------------- soundfonts

PROGRAMS: dict[str, list[tuple[int, int]]] = {
    "piano": [(0, p) for p in range(6)] + [(8, 0), (8, 4), (8, 5)],
    "guitar": [(0, p) for p in range(24, 31)] + [(8, p) for p in (24, 25, 26, 28, 30)],
    "bass": [(0, p) for p in range(32, 40)] + [(8, 38), (8, 39)],
    "other": [(0, p) for p in (*range(9, 15), *range(16, 24), *range(40, 52), *range(56, 96), 99, 108)]
    + [(8, p) for p in (16, 17, 40, 48, 50, 61, 62, 63, 80)],
    "drums": [(128, p) for p in (0, 1, 2, 3, 8, 11, 16, 17, 24, 25, 32, 34, 40, 41)],
}
RANGES = {"piano": (28, 96, 4), "guitar": (40, 85, 3), "bass": (24, 58, 3), "other": (32, 92, 4)}
DRUM_KEYS = {
    35: "kick", 36: "kick", 37: "rim", 38: "snare", 39: "clap", 40: "snare", 41: "tom", 42: "hat_closed", 43: "tom",
    44: "hat_closed", 45: "tom", 46: "hat_open", 47: "tom", 48: "tom", 49: "crash", 50: "tom", 51: "ride", 52: "crash",
    54: "perc", 55: "crash", 56: "perc", 57: "crash", 59: "ride", 62: "perc", 63: "perc", 64: "perc", 70: "perc",
    75: "perc", 76: "perc",
}  # fmt: skip


def soundfont_tasks(path: Path) -> Iterator[Task]:
    for stem, programs in PROGRAMS.items():
        for program in programs:
            name = f"{path.stem}_{program[0]}_{program[1]}"
            kind = "hits" if stem == "drums" else "notes"
            held_out = program in heldout.PROGRAMS or path.stem in heldout.SOUNDFONTS
            yield Task(name, stem, kind, held_out, "soundfont", (str(path), *program))


_fonts: dict[str, tuple] = {}


def _font(path: str) -> tuple:
    """The loaded synthesiser of a soundfont; loaded before the processes fork, so that it is read once."""
    if path not in _fonts:
        import tinysoundfont

        synth = tinysoundfont.Synth(samplerate=RATE, gain=-6)
        _fonts[path] = (synth, synth.sfload(path))
    return _fonts[path]


def play_soundfont(task: Task) -> list[tuple[np.ndarray, float, float, str]]:
    path, bank, program = task.data
    synth, font = _font(path)
    synth.program_select(0, font, bank, program, bank == 128)
    sounds = []
    if bank == 128:
        keys = [(key, piece) for key, piece in DRUM_KEYS.items()]
        hold, tail = 1.6, 0.4
    else:
        low, high, step = RANGES[task.stem]
        keys = [(key, "") for key in range(low, high, step)]
        hold, tail = 3.2, 0.6
    for key, tag in keys:
        for velocity in (64, 112) if task.stem != "other" else (96,):
            synth.noteon(0, key, velocity)
            held = np.frombuffer(bytes(synth.generate(int(hold * RATE))), np.float32)
            synth.noteoff(0, key)
            released = np.frombuffer(bytes(synth.generate(int(tail * RATE))), np.float32)
            synth.sounds_off(0)
            synth.generate(4410)
            audio = np.concatenate([held, released]).reshape(-1, 2)
            loud = np.flatnonzero(np.abs(audio).max(axis=1) > 3e-4)
            if len(loud) < 2000:
                continue
            audio = audio[: loud[-1] + 1]
            side = np.abs(audio[:, 0] - audio[:, 1]).mean() / (np.abs(audio).mean() + 1e-9)
            audio = audio if side > 0.05 else audio.mean(axis=1, keepdims=True)
            sounds.append((audio, float(key), velocity / 127, tag))
    return sounds


# ---------------------------------------------------------------- GUS patches


def gus_tasks(folder: Path) -> Iterator[Task]:
    """Tasks for a folder of GUS patches as FreePats has it: `Tone_000/NNN_name.pat` by program, `Drum_000/KK_name.pat` by key."""
    tones = {int(path.name[:3]): path for path in sorted(folder.glob("Tone_000/[0-9][0-9][0-9]_*.pat"))}
    for stem, programs in PROGRAMS.items():
        for bank, program in programs:
            if bank == 0 and program in tones:
                held_out = (bank, program) in heldout.PROGRAMS
                yield Task(f"freepats_0_{program}", stem, "notes", held_out, "gus", ((str(tones[program]), ""),))
    keys = ((path, DRUM_KEYS.get(int(path.name[:3]))) for path in sorted(folder.glob("Drum_000/[0-9][0-9][0-9]_*.pat")))
    hits = tuple((str(path), piece) for path, piece in keys if piece)
    if hits:
        yield Task("freepats_128_0", "drums", "hits", False, "gus", hits)


def play_gus(task: Task) -> list[tuple[np.ndarray, float, float, str]]:
    # A plucked or struck tone fades while its loop goes on; a bowed or blown one stays.
    life = 30.0 if task.stem == "other" else 1.5
    sounds = []
    for path, tag in task.data:
        for audio, pitch in gus.read_patch(Path(path), 2.0 if tag else 3.4, life):
            if len(audio) > 2000:
                sounds.append((audio[:, None], pitch, 0.8, tag))
    return sounds


# ---------------------------------------------------------------- our own synthesis


def patch_tasks(count: int, begin: int = 0) -> Iterator[Task]:
    """`count` patches for each stem (twice as many for `bass`, four times for `other`), from number `begin`.

    Every fifth is held out.
    """
    for stem in STEMS:
        for number in range(begin, begin + count * {"other": 4, "bass": 2}.get(stem, 1)):
            kind = "hits" if stem == "drums" else "notes"
            yield Task(f"synth_{stem}_{number}", stem, kind, number % 5 == 4, "patch", (number,))


def play_patch(task: Task) -> list[tuple[np.ndarray, float, float, str]]:
    rng = np.random.default_rng([STEMS.index(task.stem), task.data[0]])
    if task.stem == "drums":
        return [(hit[:, None], float("nan"), 0.8, piece) for piece, hit in synthesis.drum_hits(rng).items()]
    patch = synthesis.patch_for(task.stem, rng)
    low, high, step = {**RANGES, "vocals": (45, 76, 3), "other": (30, 92, 5)}[task.stem]
    sounds = []
    for midi in range(low, high, step):
        audio = patch(float(midi), 3.0)
        sounds.append((audio[:, None] / (np.abs(audio).max() + 1e-9), float(midi), 0.8, ""))
    return sounds


# ---------------------------------------------------------------- building and loading


def build(task: Task, out: Path) -> dict | None:
    """Decode one instrument into `out`; returns its index entry."""
    make = {"files": decode_files, "soundfont": play_soundfont, "gus": play_gus, "patch": play_patch}[task.source]
    sounds = make(task)
    if not sounds:
        return None
    channels = max(audio.shape[1] for audio, *_ in sounds)
    # Dynamics inside an instrument are kept; each piece of a drum kit, and each phrase, gets its own scale.
    peaks: dict[object, float] = defaultdict(float)
    keys = [number if task.kind in ("phrases", "chords") else tag for number, (*_, tag) in enumerate(sounds)]
    for key, (audio, *_) in zip(keys, sounds, strict=True):
        peaks[key] = max(peaks[key], float(np.abs(audio).max()))
    notes, parts, start = [], [], 0
    for key, (audio, pitch, velocity, tag) in zip(keys, sounds, strict=True):
        audio = np.broadcast_to(audio, (len(audio), channels)) * (0.9 / max(peaks[key], 1e-6))
        parts.append((audio * 32767).astype(np.int16))
        notes.append(Note(start, len(audio), pitch, velocity, tag))
        start += len(audio)
    np.save(out / f"{task.name}-{task.kind}.npy", np.concatenate(parts))
    return {
        "name": task.name, "stem": task.stem, "kind": task.kind, "held_out": task.held_out,
        "notes": [list(asdict(note).values()) for note in notes],
    }  # fmt: skip


def _build_job(job: tuple[Task, Path]) -> dict | None:
    try:
        return build(*job)
    except Exception as problem:
        print(f"bank: {job[0].name} left out: {problem}", flush=True)
        return None


def build_bank(
    out: Path,
    instruments: Path | None,
    soundfonts: list[Path],
    voices: Path | None,
    patches: int,
    jobs: int,
    index: str = "index",
    patch_folder: Path | None = None,
    first_patch: int = 0,
) -> None:
    """Build the bank of everything given, `jobs` processes wide, and write `OUT/INDEX.json`."""
    out.mkdir(parents=True, exist_ok=True)
    tasks = list(patch_tasks(patches, first_patch))
    tasks += sampled_tasks(instruments) if instruments else []
    tasks += voice_tasks(voices) if voices else []
    tasks += gus_tasks(patch_folder) if patch_folder else []
    for path in soundfonts:
        _font(str(path))
        tasks += soundfont_tasks(path)
    with Pool(jobs) as pool:
        entries = list(pool.imap_unordered(_build_job, [(task, out) for task in tasks], chunksize=1))
    entries = sorted((e for e in entries if e), key=lambda e: (e["name"], e["kind"]))
    partial = out / f"{index}.json.part"
    partial.write_text(json.dumps(entries))
    partial.rename(out / f"{index}.json")


def load_bank(folder: Path) -> list[Instrument]:
    """All instruments of every index in the folder, audio memory-mapped."""
    instruments = []
    for index in sorted(folder.glob("*.json")):
        for entry in json.loads(index.read_text()):
            audio = np.load(folder / f"{entry['name']}-{entry['kind']}.npy", mmap_mode="r")
            notes = [Note(*fields) for fields in entry["notes"]]
            instruments.append(Instrument(entry["name"], entry["stem"], entry["kind"], entry["held_out"], notes, audio))
    return instruments


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--instruments", type=Path)
    parser.add_argument("--soundfont", type=Path, action="append", default=[])
    parser.add_argument("--gus", type=Path, help="folder of GUS patches (/usr/share/midi/freepats)")
    parser.add_argument("--voices", type=Path)
    parser.add_argument("--patches", type=int, default=24)
    parser.add_argument("--first-patch", type=int, default=0, help="number of the first patch: others than those of a former go")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--index", default="index", help="name of the index, when a bank is built in pieces")
    options = parser.parse_args()
    build_bank(
        options.out,
        options.instruments,
        options.soundfont,
        options.voices,
        options.patches,
        options.jobs,
        options.index,
        options.gus,
        options.first_patch,
    )


if __name__ == "__main__":
    main()
