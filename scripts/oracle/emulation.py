"""A precision policy in PyTorch: the functions that a network calls are intercepted, and what they return is rounded.

It shares nothing with the Swift program but the definition in ``docs/precision.md``: a result of an operation of a chosen class
is rounded when it is stored, and so are weights and biases, once; an activation or a layer scale that comes directly after an
operation of a chosen class is carried out before the result is stored; everything else is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

SELECTION = ("convolution", "transposed-convolution", "linear", "activation", "layer-scale")
FORMATS = {"mixed": torch.float16, "bf16": torch.bfloat16}
CLASSES: dict[Callable[..., Any], str] = {
    functional.conv1d: "convolution",
    functional.conv2d: "convolution",
    functional.conv_transpose1d: "transposed-convolution",
    functional.conv_transpose2d: "transposed-convolution",
    functional.linear: "linear",
    functional.gelu: "activation",
    functional.relu: "activation",
    functional.glu: "activation",
    torch.sigmoid: "activation",
    functional.group_norm: "norm",
    functional.layer_norm: "norm",
}
MODULES = {
    nn.Conv1d: "convolution",
    nn.Conv2d: "convolution",
    nn.ConvTranspose1d: "transposed-convolution",
    nn.ConvTranspose2d: "transposed-convolution",
    nn.Linear: "linear",
    nn.MultiheadAttention: "linear",
    nn.GroupNorm: "norm",
    nn.LayerNorm: "norm",
}


def rounded(value: torch.Tensor, kind: torch.dtype) -> torch.Tensor:
    """The nearest number of a format, in the type it came in."""
    return value.to(kind).to(value.dtype)


class Emulation(TorchFunctionMode):
    """Rounds what functions of the chosen classes return."""

    def __init__(self, kind: torch.dtype, classes: tuple[str, ...]) -> None:
        """Results of ``classes`` are rounded to ``kind``."""
        super().__init__()
        self.kind = kind
        self.classes = set(classes)
        self.counts: dict[str, int] = {}
        self.unstored: set[int] = set()
        self.in_fused_gate = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """One call of a function of PyTorch."""
        result = func(*args, **(kwargs or {}))
        name = CLASSES.get(func)
        if name in self.classes and not self.is_fused(func, args, kwargs or {}):
            self.counts[name] = self.counts.get(name, 0) + 1
            return rounded(result, self.kind)
        return result

    def is_fused(self, func: Any, args: Any, kwargs: Any) -> bool:
        """Whether the operation that comes next stores the result."""
        if func is functional.glu:
            return self.in_fused_gate
        weight = kwargs.get("weight", args[1] if len(args) > 1 else None)
        return id(weight) in self.unstored

    def attend(self, module: nn.MultiheadAttention, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        """What ``module`` returns, from functions that this mode sees: [batch, tokens, width]."""
        width, heads = module.embed_dim, module.num_heads
        weight, bias = module.in_proj_weight, module.in_proj_bias
        split = lambda x: x.unflatten(-1, (heads, width // heads)).transpose(1, 2)
        q = split(functional.linear(query, weight[:width], bias[:width]))
        k, v = (split(x) for x in functional.linear(key, weight[width:], bias[width:]).chunk(2, -1))
        scores = self.stored("attention.matmul", q @ k.transpose(-2, -1))
        weights = self.stored("softmax", torch.softmax(scores / (width // heads) ** 0.5, -1))
        values = self.stored("attention.matmul", weights @ v).transpose(1, 2).flatten(-2)
        return functional.linear(values, module.out_proj.weight, module.out_proj.bias)

    def stored(self, name: str, value: torch.Tensor) -> torch.Tensor:
        """A result of an operation of a class."""
        return rounded(value, self.kind) if name in self.classes else value


def followed(module: nn.Module) -> list[tuple[nn.Module, str]]:
    """The operations inside a module that an activation or a layer scale follows directly, and which of the two."""
    kind = type(module).__name__
    plain = lambda name: isinstance(getattr(module, name, None), nn.Identity)
    if kind == "HEncLayer" and not module.empty:
        pairs = [("conv", "activation", plain("norm1")), ("rewrite", "activation", plain("norm2"))]
    elif kind == "HDecLayer":
        pairs = [("rewrite", "activation", plain("norm1")), ("conv_tr", "activation", plain("norm2") and not module.last)]
    elif hasattr(module, "linear1") and hasattr(module, "gamma_1"):
        scaled = lambda name: type(getattr(module, name)).__name__ == "LayerScale"
        attention = module.self_attn if hasattr(module, "self_attn") else module.cross_attn
        found = [(module.linear1, "activation")]
        found += [(attention.out_proj, "layer-scale")] if scaled("gamma_1") else []
        return found + ([(module.linear2, "layer-scale")] if scaled("gamma_2") else [])
    elif kind == "LocalState":
        return [(module.query_decay, "activation")]
    else:
        return []
    return [(getattr(module, name), next_one) for name, next_one, direct in pairs if direct and getattr(module, name, None)]


@contextmanager
def emulated(model: nn.Module, kind: torch.dtype, classes: tuple[str, ...] = SELECTION) -> Iterator[Emulation]:
    """A network that computes as a policy has it; its weights are rounded for good."""
    with torch.no_grad():
        for module in model.modules():
            scale = type(module).__name__ == "LayerScale"
            name = "layer-scale" if scale else next((n for t, n in MODULES.items() if isinstance(module, t)), None)
            if name in classes:
                for value in module.parameters(recurse=name == "linear"):
                    value.copy_(rounded(value, kind))
    mode = Emulation(kind, classes)
    handles: list[Any] = []
    for module in model.modules():
        mode.unstored |= {id(part.weight) for part, next_one in followed(module) if next_one in classes}
    if "layer-scale" in classes:
        # Gated linear units that are modules stand in front of a layer scale; the others are functions.
        for gate in (module for module in model.modules() if isinstance(module, nn.GLU)):
            handles.append(gate.register_forward_pre_hook(lambda *_: setattr(mode, "in_fused_gate", True)))
            handles.append(gate.register_forward_hook(lambda *_: setattr(mode, "in_fused_gate", False)))
    if "layer-scale" in classes:
        handles += [
            module.register_forward_hook(lambda _m, _i, out: rounded(out, kind))
            for module in model.modules()
            if type(module).__name__ == "LayerScale"
        ]
    attention = nn.MultiheadAttention.forward
    # PyTorch's own hides its parts.
    nn.MultiheadAttention.forward = lambda module, q, k, v, **_: (mode.attend(module, q, k), None)
    try:
        with mode:
            yield mode
    finally:
        nn.MultiheadAttention.forward = attention
        for handle in handles:
            handle.remove()
