"""Every layer alone: outputs of the oracle for generated inputs and weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from demucs.transformer import create_2d_sin_embedding, create_sin_embedding, create_sin_embedding_cape

from . import generator
from .golden import Golden
from .layer_cases import Case, all_cases


def outputs(case: Case, kind: torch.dtype) -> tuple[list[torch.Tensor], dict[str, list[int]]]:
    """What the layer returns with parameters and inputs of a kind, and the shapes of its parameters."""
    module = case.make()
    shapes = generator.fill(module, prefix=f"{case.name}.{case.prefix}")
    module = module.eval().to(kind)
    inputs = {
        key: generator.scaled(f"{case.name}.{key}", shape, case.scale, case.offset).to(kind) for key, shape in case.inputs.items()
    }
    with torch.no_grad():
        result = case.call(module, **inputs)
    parts = result if isinstance(result, tuple) else (result,)
    return [part for part in parts if part is not None], shapes


def add_case(golden: Golden, case: Case) -> None:
    """``CASE`` holds the output, ``CASE#1`` the second one."""
    reference, shapes = outputs(case, torch.float64)
    single, _ = outputs(case, torch.float32)
    for index, (exact, rounded) in enumerate(zip(reference, single, strict=True)):
        golden.add_tensors(case.name if index == 0 else f"{case.name}#{index}", exact, rounded)
    fact: dict[str, Any] = {
        "name": case.name,
        "inputs": {key: list(shape) for key, shape in case.inputs.items()},
        "input_scale": case.scale,
        "input_offset": case.offset,
        "parameters": case.parameters,
        "weights": {f"{case.name}.{case.prefix}{name}": shape for name, shape in shapes.items()},
    }
    golden.cases.append(fact)


def add_gelu(golden: Golden) -> None:
    """``gelu/input`` and ``gelu/output``: exact GELU from -12 to 12, and around zero down to denormals."""
    tiny = [s * 10.0**-e for e in (1, 2, 3, 4, 6, 8, 12, 20, 30, 38, 40, 44) for s in (1.0, -1.0)]
    values = np.concatenate([np.linspace(-12, 12, 2401), [0.0, -0.0, 30.0, -30.0, 100.0, -100.0], tiny])
    x = torch.from_numpy(values.astype(np.float32))
    golden.add_tensors("gelu/input", x)
    golden.add_tensors("gelu/output", F.gelu(x.double()), F.gelu(x))
    golden.cases.append({"name": "gelu/output", "inputs": {"gelu/input": list(x.shape)}})


def in_float64(make: Any) -> torch.Tensor:
    """The same embedding with float64 as PyTorch's default type."""
    torch.set_default_dtype(torch.float64)
    try:
        return make()
    finally:
        torch.set_default_dtype(torch.float32)


def add_embeddings(golden: Golden) -> None:
    """Positional embeddings: PyTorch's *float32* values, for the network adds these even when it runs in float64.

    ``fp32_error`` is their distance to the float64 formula.
    """
    waves = [(1, 8, 10000.0), (30, 32, 10000.0), (30, 32, 100.0), (33, 36, 10000.0), (1344, 384, 10000.0), (1344, 512, 10000.0)]
    for length, width, period in waves:
        name = f"sin_embedding/{length}x{width}.{period:g}"
        make = lambda a=(length, width), p=period: create_sin_embedding(*a, max_period=p)
        golden.add_tensors(name, make(), in_float64(make))
        golden.cases.append({"name": name, "length": length, "width": width, "max_period": period})
    for length, centred in [(30, True), (31, True), (30, False)]:
        name = f"cape_embedding/{length}x32." + ("centred" if centred else "plain")
        make = lambda n=length, c=centred: create_sin_embedding_cape(n, 32, 1, c, False)
        golden.add_tensors(name, make())
        golden.cases.append({"name": name, "length": length, "width": 32, "max_period": 10000.0, "centred": centred})
    planes = [(8, 1, 1, 10000.0), (32, 4, 9, 10000.0), (32, 1, 9, 100.0), (384, 8, 336, 10000.0), (512, 8, 336, 10000.0)]
    for width, rows, frames, period in planes:
        name = f"sin_embedding_2d/{width}x{rows}x{frames}.{period:g}"
        make = lambda a=(width, rows, frames), p=period: create_2d_sin_embedding(*a, max_period=p)
        golden.add_tensors(name, make(), in_float64(make))
        golden.cases.append({"name": name, "width": width, "rows": rows, "frames": frames, "max_period": period})


def make() -> list[Golden]:
    """The golden file ``layers``."""
    golden = Golden("layers", limit=4_000, count=2_000)
    for case in all_cases():
        add_case(golden, case)
    add_gelu(golden)
    add_embeddings(golden)
    return [golden]
