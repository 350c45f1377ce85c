"""What PyTorch gives: stems of `Separator.separate_tensor` of demucs 4.1.0, kept until anything they depend on changes."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import soundfile
import torch
from demucs.htdemucs import HTDemucs

from oracle.networks import HTDEMUCS_6S, build, save_model
from oracle.quantised import load_model
from oracle.subject_apply import EMBEDDED, separator

PACKAGES = ("torch", "demucs", "numpy")
SETTINGS = {"shifts": 0, "overlap": 0.25, "split": True, "segment": None}
FULL_SIZE = "htdemucs_6s-size"


def model_files(folder: Path) -> dict[str, Path]:
    """The model that comes with the program, and one of the size of htdemucs_6s with generated weights that all matter."""
    full = folder / f"{FULL_SIZE}.safetensors"
    folder.mkdir(parents=True, exist_ok=True)
    save_model(build(HTDEMUCS_6S), HTDEMUCS_6S, full, half=True)
    return {EMBEDDED.stem: EMBEDDED, FULL_SIZE: full}


def write_audio(path: Path, samples: np.ndarray, rate: int) -> None:
    """[channels, samples] as 32-bit float WAV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples.T.astype(np.float32), rate, subtype="FLOAT")


class Reference:
    """PyTorch with one model."""

    def __init__(self, weights: Path, kind: torch.dtype, folder: Path) -> None:
        """Stems go to ``folder``/PIECE/STEM.wav."""
        self.weights = weights
        self.kind = kind
        self.folder = folder
        facts = [*(f"{name} {version(name)}" for name in PACKAGES), str(SETTINGS), str(kind)]
        self.base = hashlib.sha256(weights.read_bytes() + "\n".join(facts).encode())
        self.loaded: HTDemucs | None = None

    def stamp(self, samples: np.ndarray) -> str:
        """A digest of all that the stems depend on."""
        digest = self.base.copy()
        digest.update(samples.astype("<f4").tobytes())
        return digest.hexdigest()

    def model(self) -> HTDemucs:
        """The network, loaded when it is first needed."""
        if self.loaded is None:
            self.loaded = load_model(self.weights).eval().to(self.kind)
        return self.loaded

    def separate(self, name: str, samples: np.ndarray) -> bool:
        """Makes the stems of a piece [channels, samples]; false if they were there."""
        folder, wanted = self.folder / name, self.stamp(samples)
        record = folder / "stamp"
        if record.exists() and record.read_text() == wanted:
            return False
        shutil.rmtree(folder, ignore_errors=True)
        model = self.model()
        mix = torch.from_numpy(samples.astype(np.float32)).to(self.kind)
        with torch.no_grad():
            _, stems = separator(model, SETTINGS).separate_tensor(mix)
        for stem, audio in stems.items():
            write_audio(folder / f"{stem}.wav", audio.numpy(), model.samplerate)
        record.write_text(wanted)
        return True


def versions() -> Iterator[str]:
    """What the oracle is made of."""
    for name in PACKAGES:
        yield f"{name} {version(name)}"
