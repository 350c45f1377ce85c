"""Golden files: safetensors with float32 tensors and JSON metadata, written byte for byte the same every time."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from . import generator

FORMAT_VERSION = "1"
ERROR_POSITIONS = 4096


@dataclass
class Sample:
    """A tensor, whole or at its sampled positions, with what is needed to judge an error."""

    shape: list[int]
    norm: float
    values: np.ndarray
    whole: bool

    @staticmethod
    def take(key: str, tensor: torch.Tensor, limit: int, count: int) -> Sample:
        """Whole below ``limit`` elements, else at ``count`` (and at least 4096, for the error) positions of ``key``."""
        flat = tensor.detach().reshape(-1)
        norm = float(torch.linalg.vector_norm(flat, dtype=torch.float64))
        whole = flat.numel() <= limit
        if not whole:
            where = generator.positions(key, flat.numel(), max(count, ERROR_POSITIONS))
            flat = flat[torch.from_numpy(where)]
        return Sample(list(tensor.shape), norm, flat.to(torch.float64).numpy().copy(), whole)

    def relative_error(self, other: Sample) -> float:
        """Root mean square of the difference to ``other`` over the root mean square of this tensor."""
        difference = float(np.sqrt(np.mean((other.values - self.values) ** 2))) if self.values.size else 0.0
        scale = self.norm / math.sqrt(max(1, math.prod(self.shape)))
        return difference / scale if scale else difference


class Golden:
    """One golden file in the making."""

    def __init__(self, subject: str, limit: int = 20_000, count: int = 3_000) -> None:
        """Tensors above ``limit`` elements are kept at ``count`` positions unless :meth:`add` says otherwise."""
        self.subject = subject
        self.limit = limit
        self.count = count
        self.tensors: dict[str, np.ndarray] = {}
        self.facts: dict[str, dict[str, Any]] = {}
        self.errors: dict[str, float | None] = {}
        self.metadata: dict[str, Any] = {}
        self.cases: list[dict[str, Any]] = []

    def sample(self, key: str, tensor: torch.Tensor) -> Sample:
        """A sample of a tensor as this file would keep it."""
        return Sample.take(key, tensor, self.limit, self.count)

    def add(self, key: str, reference: Sample, single: Sample | None = None, count: int | None = None) -> None:
        """Keep ``reference`` under ``key``; ``single`` is the same tensor as PyTorch's float32 gives it."""
        if key in self.tensors:
            raise ValueError(f"{self.subject}: {key} is there already")
        values = reference.values.astype(np.float32)
        facts: dict[str, Any] = {"shape": reference.shape, "norm": finite(reference.norm)}
        if reference.whole:
            self.tensors[key] = values.reshape(reference.shape)
        else:
            self.tensors[key] = values[: count or self.count]
            facts["sampled"] = len(self.tensors[key])
        self.facts[key] = facts
        if single is not None:
            self.errors[key] = finite(reference.relative_error(single))

    def add_tensors(self, key: str, reference: torch.Tensor, single: torch.Tensor | None = None) -> None:
        """Keep a tensor, with the float32 result of the oracle beside it if there is one."""
        self.add(key, self.sample(key, reference), None if single is None else self.sample(key, single))

    def save(self, folder: Path) -> Path:
        """Write ``SUBJECT.safetensors`` into a folder."""
        metadata = {
            "format_version": FORMAT_VERSION,
            "subject": self.subject,
            "generator": generator.VERSION,
            "oracle": oracle_versions(),
            "cases": self.cases,
            "tensors": self.facts,
            "fp32_error": self.errors,
            "order": list(self.tensors),
            **self.metadata,
        }
        text = {k: v if isinstance(v, str) else json.dumps(v, separators=(",", ":")) for k, v in metadata.items()}
        path = folder / f"{self.subject}.safetensors"
        write_safetensors(path, self.tensors, text)
        return path


def finite(value: float) -> float | None:
    """A number that JSON can hold to 9 digits; ``None`` for NaN and infinity."""
    return float(f"{value:.9g}") if math.isfinite(value) else None


def oracle_versions() -> str:
    """What made the file, without what only one machine has."""
    from importlib.metadata import version

    return f"demucs {version('demucs')}, torch {torch.__version__.split('+')[0]}, numpy {np.__version__}"


def write_safetensors(path: Path, tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """A safetensors file with tensors in the given order (the library shuffles metadata, so equal runs would differ)."""
    kinds = {"float32": "F32", "int64": "I64", "float16": "F16", "int8": "I8"}
    header: dict[str, Any] = {"__metadata__": metadata}
    offset = 0
    for name, value in tensors.items():
        end = offset + value.nbytes
        header[name] = {"dtype": kinds[str(value.dtype)], "shape": list(value.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for value in tensors.values():
            file.write(np.ascontiguousarray(value).tobytes())


def read_safetensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The tensors and the metadata of a golden file."""
    from safetensors import safe_open

    with safe_open(str(path), framework="np") as file:
        return {name: file.get_tensor(name) for name in sorted(file.keys())}, file.metadata()


def differences(old: Path, new: Path, tolerance: float = 2e-6) -> list[str]:
    """What differs between two golden files, in words; empty when they say the same."""
    left, left_meta = read_safetensors(old)
    right, right_meta = read_safetensors(new)
    found = []
    for key in ("format_version", "subject", "generator", "cases", "order"):
        if left_meta.get(key) != right_meta.get(key):
            found.append(f"metadata '{key}' differs")
    for name in sorted(left.keys() | right.keys()):
        if name not in left or name not in right:
            found.append(f"{name}: only in the {'new' if name in right else 'old'} file")
            continue
        a, b = left[name].astype(np.float64), right[name].astype(np.float64)
        if a.shape != b.shape or (np.isnan(a) != np.isnan(b)).any():
            found.append(f"{name}: shape or NaNs differ, {a.shape} and {b.shape}")
            continue
        scale = float(np.sqrt(np.nanmean(a**2))) if a.size and not np.isnan(a).all() else 1.0
        error = float(np.sqrt(np.nanmean((a - b) ** 2))) if a.size and not np.isnan(a).all() else 0.0
        if error > tolerance * (scale or 1.0):
            found.append(f"{name}: relative RMS error {error / (scale or 1.0):.2e}")
    return found
