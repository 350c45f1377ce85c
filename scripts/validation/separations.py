"""The separations and comparisons of validate.py."""

from __future__ import annotations

import argparse
import datetime
import hashlib
import math
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from oracle.signals import SAMPLE_RATE
from peers.bench import command_output, machine, software
from peers.measure import Failure, run

from . import reference
from .bounds import Arbiter, pytorch
from .compare import Stem, compare
from .pieces import Piece, pieces


def say(text: str) -> None:
    """Progress, on standard error."""
    print(f"validate: {text}", file=sys.stderr, flush=True)


def chosen(options: argparse.Namespace) -> list[Piece]:
    """The pieces asked for."""
    found = pieces(options.shared)
    if not options.only:
        return found
    if unknown := set(options.only) - {piece.name for piece in found}:
        raise Failure(f"no piece {', '.join(sorted(unknown))}; there are {', '.join(piece.name for piece in found)}")
    return [piece for piece in found if piece.name in options.only]


class Validation:
    """All separations and comparisons, model by model."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Writes the pieces to the cache."""
        self.options = options
        self.cache: Path = options.cache
        self.pieces = chosen(options)
        self.samples = {piece.name: piece.make() for piece in self.pieces}
        self.audio = self.cache / "pieces"
        shutil.rmtree(self.audio, ignore_errors=True)
        for name, samples in self.samples.items():
            reference.write_audio(self.audio / f"{name}.wav", samples, SAMPLE_RATE)
        self.models = reference.model_files(self.cache / "models")
        help_text = command_output(str(options.binary), "help", "separate")
        self.has_mixed = "--precision" in help_text and "mixed" in help_text

    def level(self, name: str) -> float:
        """The RMS of a piece in dBFS."""
        power = float(np.mean(self.samples[name] ** 2))
        return 10 * math.log10(power) if power > 0 else -math.inf

    def oracle(self, model: str, kind: torch.dtype, names: Iterable[str]) -> Path:
        """The folder of PyTorch's stems of these pieces."""
        folder = self.cache / "reference" / model / str(kind).removeprefix("torch.")
        oracle = reference.Reference(self.models[model], kind, folder)
        for name in names:
            if oracle.separate(name, self.samples[name]):
                say(f"{model}, PyTorch {kind}: {name}")
        return folder

    def ours(self, model: str, precision: str) -> Path:
        """The folder of demucs-cli's stems of all pieces, made anew."""
        say(f"{model}, demucs-cli {precision}")
        out = self.cache / "ours" / precision
        shutil.rmtree(out / model, ignore_errors=True)
        command = [str(self.options.binary), "separate", "-n", str(self.models[model]), "-o", str(out), "--quiet"]
        command += ["--float32", "--clip-mode", "none", "--shifts", "0", "--overlap", "0.25"]
        if precision != "fp32":
            command += ["--precision", precision]
        run([*command, *(str(self.audio / f"{name}.wav") for name in self.samples)], os.cpu_count() or 1)
        return out / model

    def compared(self, expected: Path, found: Path, names: Iterable[str] | None = None) -> dict[str, list[Stem]]:
        """The stems of pieces, of all unless named, by the name of the piece."""
        return {name: compare(self.options.binary, expected / name, found / name) for name in names or self.samples}

    def against_truth(self, piece: Piece, folder: Path) -> list[Stem]:
        """The stems of a piece against the true ones, beside which its mixture may lie."""
        stems = compare(self.options.binary, piece.truth, folder / piece.name)
        return [stem for stem in stems if stem.name != "mixture"]

    def arbitrated(self, model: str, found: dict[str, list[Stem]], single: Path, fp32: Path) -> dict[str, list[Arbiter]]:
        """What PyTorch's float64 says of pieces that break the bound of float32 against float32."""
        names = [name for name, stems in found.items() if any(pytorch(stem, self.level(name)) == "broken" for stem in stems)]
        if not names:
            return {}
        double = self.oracle(model, torch.float64, names)
        ours, theirs = (self.compared(double, folder, names) for folder in (fp32, single))
        return {name: [Arbiter(*pair) for pair in zip(ours[name], theirs[name], strict=True)] for name in names}

    def model(self, model: str) -> dict[str, Any]:
        """All that is found out about one model."""
        single = self.oracle(model, torch.float32, self.samples)
        fp32 = self.ours(model, "fp32")
        folders = {"PyTorch": single, "fp32": fp32}
        results: dict[str, Any] = {"fp32": self.compared(single, fp32)}
        results["float64"] = self.arbitrated(model, results["fp32"], single, fp32)
        if self.has_mixed:
            folders["mixed"] = self.ours(model, "mixed")
            results["mixed"] = self.compared(fp32, folders["mixed"])
        if model == next(iter(self.models)):
            results["truth"] = {
                piece.name: {name: self.against_truth(piece, at) for name, at in folders.items()}
                for piece in self.pieces
                if piece.truth
            }
        shutil.rmtree(self.cache / "ours")
        return results

    def all(self) -> dict[str, Any]:
        """Everything, as the report wants it."""
        return {
            "made": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
            "machine": machine(),
            "software": software(self.options),
            "oracle": list(reference.versions()),
            "checksums": {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in self.models.items()},
            "pieces": self.pieces,
            "shared": self.options.shared.is_dir(),
            "seconds": {name: samples.shape[1] / SAMPLE_RATE for name, samples in self.samples.items()},
            "levels": {name: self.level(name) for name in self.samples},
            "mixed": self.has_mixed,
            "models": {name: self.model(name) for name in self.models},
        }
