"""Network configurations: how kwargs are written to JSON, the ones that goldens use, how they are built and filled."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from demucs.hdemucs import HDemucs
from demucs.htdemucs import HTDemucs

from . import generator
from .golden import write_safetensors

Kwargs = dict[str, Any]
Network = HTDemucs | HDemucs

SIX = ["drums", "bass", "other", "vocals", "guitar", "piano"]
FOUR = SIX[:4]

HTDEMUCS_6S: Kwargs = {
    "sources": SIX,
    "channels": 48,
    "growth": 2,
    "depth": 4,
    "nfft": 4096,
    "dconv_mode": 3,
    "dconv_depth": 2,
    "dconv_comp": 8,
    "bottom_channels": 0,
    "t_layers": 5,
    "t_heads": 8,
    "t_hidden_scale": 4.0,
    "segment": Fraction(39, 5),
    "samplerate": 44_100,
}
HTDEMUCS: Kwargs = {**HTDEMUCS_6S, "sources": FOUR, "bottom_channels": 512}
# All that is not the default of the constructor; docs/architecture.md says where it is from.
HDEMUCS_MMI: Kwargs = {"sources": FOUR, "samplerate": 44_100, "segment": 40}


def encode(value: Any) -> Any:
    """Kwargs as demucs 4.1 writes them to JSON."""
    if isinstance(value, Fraction):
        return {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    return value


def decode(value: Any) -> Any:
    """The inverse of :func:`encode`."""
    if isinstance(value, dict):
        if value.get("_type") == "fraction":
            return Fraction(value["numerator"], value["denominator"])
        return {key: decode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [decode(item) for item in value]
    return value


def build(kwargs: Kwargs, salt: int | None = None, klass: type[Network] = HTDemucs) -> Network:
    """A network with generated weights, in evaluation mode, float32."""
    model = klass(**kwargs)
    generator.fill(model, salt=salt)
    return model.eval()


def save_model(model: Network, kwargs: Kwargs, path: Path, half: bool = False) -> None:
    """A model file as demucs 4.1 writes and reads it."""
    kind = torch.float16 if half else torch.float32
    tensors = {name: value.detach().to(kind).numpy() for name, value in model.state_dict().items()}
    metadata = {
        "klass": f"{type(model).__module__}.{type(model).__name__}",
        "args": "[]",
        "kwargs": json.dumps(encode(kwargs)),
        "format": "pt",
    }
    write_safetensors(path, tensors, metadata)
