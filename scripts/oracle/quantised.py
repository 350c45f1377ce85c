"""Weights stored as 8-bit integers with one scale for each row, as the program reads them (docs/model-files.md)."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import torch
from demucs import hf, states
from safetensors import safe_open

from .networks import Network, decode

Tensors = dict[str, torch.Tensor]


def dequantised(tensors: Tensors) -> Tensors:
    """The float weights of a file: ``NAME[r, ...] * NAME.scale[r]`` in float32 for each int8 ``NAME``, all others as they are."""
    quantised = {name for name, value in tensors.items() if value.dtype == torch.int8 and f"{name}.scale" in tensors}
    scales = {f"{name}.scale" for name in quantised}
    values = {}
    for name, value in tensors.items():
        if name in quantised:
            scale = tensors[f"{name}.scale"].reshape(-1, *[1] * (value.ndim - 1))
            values[name] = value.to(torch.float32) * scale
        elif name not in scales:
            values[name] = value
    return values


def quantise(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The nearest integers from -127 to 127 and the scales for a weight of two axes or more; of a row of zeros the scale is 0."""
    rows = weight.detach().to(torch.float32).reshape(weight.shape[0], -1)
    scale = rows.abs().amax(1) / 127
    integers = (rows / torch.where(scale > 0, scale, 1.0)[:, None]).round().clamp(-127, 127)
    return integers.to(torch.int8).reshape(weight.shape), scale


def load_model(path: str | Path) -> Network:
    """A model file of demucs 4.1, in float32; ``demucs`` itself loads those without 8-bit weights."""
    with safe_open(str(path), framework="pt") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    weights = dequantised(tensors)
    if weights.keys() == tensors.keys():
        return hf.load_safetensors_model(path)
    module, name = metadata["klass"].rsplit(".", 1)
    return states.load_model(
        {
            "klass": getattr(import_module(module), name),
            "args": decode(json.loads(metadata["args"])),
            "kwargs": decode(json.loads(metadata["kwargs"])),
            "state": weights,
        }
    )
