"""Layers in mixed precision: the cases of ``layers`` whose operations are rounded as docs/precision.md says."""

from __future__ import annotations

import torch

from . import generator
from .emulation import emulated
from .golden import Golden
from .layer_cases import Case, all_cases

FAMILIES = ("encoder/", "decoder/", "dconv/", "transformer_layer/", "cross_transformer_layer/", "blstm/", "local_state/", "context/")


def outputs(case: Case, kind: torch.dtype) -> list[torch.Tensor]:
    """What the layer returns when results are rounded to half and everything else is done in ``kind``."""
    module = case.make()
    generator.fill(module, prefix=f"{case.name}.{case.prefix}")
    module = module.eval().to(kind)
    inputs = {
        key: generator.scaled(f"{case.name}.{key}", shape, case.scale, case.offset).to(kind) for key, shape in case.inputs.items()
    }
    with torch.no_grad(), emulated(module, torch.float16):
        result = case.call(module, **inputs)
    parts = result if isinstance(result, tuple) else (result,)
    return [part for part in parts if part is not None]


def make() -> list[Golden]:
    """The golden file ``layers-mixed``: ``fp32_error`` is what PyTorch's float32 makes of the same policy."""
    golden = Golden("layers-mixed", limit=4_000, count=1_000)
    for case in all_cases():
        if not case.name.startswith(FAMILIES):
            continue
        pairs = zip(outputs(case, torch.float64), outputs(case, torch.float32), strict=True)
        for index, (exact, single) in enumerate(pairs):
            golden.add_tensors(case.name if index == 0 else f"{case.name}#{index}", exact, single)
        golden.cases.append({"name": case.name})
    return [golden]
