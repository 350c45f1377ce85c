"""Rounding to half and bfloat16 as NumPy and PyTorch do it, for floats of any bits and floats in a half's range."""

from __future__ import annotations

import numpy as np
import torch

from . import generator
from .golden import Golden

COUNT = 8_192


def make() -> list[Golden]:
    """``rounding``: ``bits`` (as uint16 halves of a word, which float32 holds exactly), ``fp16`` and ``bf16`` likewise."""
    golden = Golden("rounding", limit=1 << 20)
    anything = (generator.words("rounding.bits", COUNT) >> np.uint64(32)).astype(np.uint32).view(np.float32)
    exponents = (generator.words("rounding.exponents", COUNT) % np.uint64(46)).astype(np.int32) - 28
    usual = np.ldexp(generator.uniform("rounding.values", COUNT), exponents).astype(np.float32)
    halves = np.arange(65_536, dtype=np.uint16).view(np.float16).astype(np.float32)
    values = np.concatenate([anything, usual])
    values = values[~np.isnan(values)]
    with np.errstate(over="ignore"):
        half = values.astype(np.float16).astype(np.float32)
    if not np.array_equal(half, torch.from_numpy(values).half().float().numpy()):
        raise ValueError("NumPy and PyTorch do not round alike")
    if not np.array_equal(halves[~np.isnan(halves)], halves[~np.isnan(halves)].astype(np.float16).astype(np.float32)):
        raise ValueError("a half is not its own nearest half")
    bfloat = torch.from_numpy(values).bfloat16().float().numpy()
    golden.cases.append({"name": "rounding", "count": len(values)})
    for name, array in (("input", values), ("fp16", half), ("bf16", bfloat)):
        golden.add_tensors(name, torch.from_numpy(words(array)))
    return [golden]


def words(values: np.ndarray) -> np.ndarray:
    """The upper and lower halves of the bits, as numbers that survive every file format: infinities do not."""
    bits = values.view(np.uint32)
    return np.stack([bits >> 16, bits & 0xFFFF]).astype(np.float32)
