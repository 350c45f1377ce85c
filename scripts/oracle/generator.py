"""Counter-based weights and signals that Swift reproduces bit for bit.

The specification, with test vectors, is in `docs/goldens.md`: value ``i`` of the stream ``name`` depends on the name and
on ``i`` alone, never on what was drawn before it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

VERSION = "fnv1a64-splitmix64/1"
MASK = (1 << 64) - 1
GOLDEN_GAMMA = 0x9E3779B97F4A7C15
CHUNK = 1 << 22

CONVOLUTION_GAIN = 1.0
LINEAR_GAIN = 1.0
QUERY_KEY_GAIN = 2.0
EMBEDDING_SCALE = 0.8
NORM_SCALE = 0.5
BIAS_SCALE = 0.3
LAYER_SCALE = (0.4, 0.6)


def stream_seed(name: str, salt: int | None = None) -> int:
    """FNV-1a (64 bit) of the UTF-8 name, then of the eight little-endian bytes of the salt if there is one."""
    data = name.encode("utf-8")
    if salt is not None:
        data += (salt & MASK).to_bytes(8, "little")
    state = 0xCBF29CE484222325
    for byte in data:
        state = ((state ^ byte) * 0x100000001B3) & MASK
    return state


def words(name: str, count: int, salt: int | None = None, start: int = 0) -> np.ndarray:
    """Words ``start ..< start + count`` of the splitmix64 stream of a name, as uint64."""
    counter = np.arange(start + 1, start + count + 1, dtype=np.uint64)
    z = np.uint64(stream_seed(name, salt)) + counter * np.uint64(GOLDEN_GAMMA)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uniform(name: str, count: int, salt: int | None = None) -> np.ndarray:
    """``count`` float32 values in [-1, 1), multiples of 2^-23: exact, no rounding anywhere."""
    out = np.empty(count, dtype=np.float32)
    for start in range(0, count, CHUNK):
        size = min(CHUNK, count - start)
        top = (words(name, size, salt, start) >> np.uint64(40)).astype(np.float32)
        out[start : start + size] = np.float32(2) * (top * np.float32(2**-24)) - np.float32(1)
    return out


def scaled(name: str, shape: Sequence[int], scale: float = 1.0, offset: float = 0.0, salt: int | None = None) -> torch.Tensor:
    """Row-major tensor of ``offset + scale * uniform``: one float32 product, then one float32 sum (no fused operation)."""
    values = uniform(name, math.prod(shape), salt)
    values *= np.float32(scale)
    values += np.float32(offset)
    return torch.from_numpy(values).reshape(tuple(shape))


def noise(name: str, channels: int, samples: int) -> torch.Tensor:
    """White noise [channels, samples], uniform in [-0.5, 0.5)."""
    return scaled(name, (channels, samples), scale=0.5)


def positions(key: str, size: int, count: int) -> np.ndarray:
    """The ``count`` flat row-major positions at which a tensor of ``size`` elements is sampled (int64)."""
    return (words("tap:" + key, count) % np.uint64(size)).astype(np.int64)


def fan_in(name: str, shape: Sequence[int]) -> int:
    """Terms in one output of a weight: a transposed convolution overlaps two taps of its kernel (kernel = 2 strides)."""
    if name.endswith("conv_tr.weight"):
        return max(1, 2 * shape[0])
    return max(1, math.prod(shape[1:]))


def scale_and_offset(name: str, shape: Sequence[int]) -> tuple[float, float]:
    """The rule of a parameter, from its name and shape alone; the first that fits counts."""
    if name.endswith("scale"):
        return LAYER_SCALE
    if name.endswith("bias") or ".bias_" in name:
        return BIAS_SCALE, 0.0
    if name.endswith("embedding.weight"):
        return EMBEDDING_SCALE, 0.0
    if len(shape) == 1:
        return NORM_SCALE, 1.0
    gain = LINEAR_GAIN if len(shape) == 2 else CONVOLUTION_GAIN
    return gain * math.sqrt(3.0 / fan_in(name, shape)), 0.0


def parameter(name: str, shape: Sequence[int], salt: int | None = None) -> torch.Tensor:
    """The generated value of a parameter; the query and key rows of an attention are larger, or its logits would be flat."""
    scale, offset = scale_and_offset(name, shape)
    values = scaled(name, shape, scale, offset, salt)
    if name.endswith("in_proj_weight"):
        values[: 2 * shape[1]] *= QUERY_KEY_GAIN
    return values


def fill(module: torch.nn.Module, prefix: str = "", salt: int | None = None) -> dict[str, list[int]]:
    """Fill every parameter of a module in place; the stream of each is ``prefix + name``. Returns the shapes by name."""
    shapes = {}
    with torch.no_grad():
        for name, value in module.named_parameters():
            value.copy_(parameter(prefix + name, value.shape, salt))
            shapes[name] = list(value.shape)
    buffers = [name for name, _ in module.named_buffers()]
    if buffers:
        raise ValueError(f"the generator knows no buffers: {buffers}")
    return shapes
