"""The two optimisers that were tried: AdamW for everything, or Muon for the matrices and AdamW for the rest.

Muon (Jordan and others, 2024) makes the momentum of a matrix orthogonal before it is applied, so that directions which few
samples ask for are learned as fast as those that all ask for. Scaled by 0.2 sqrt(longer side), as Moonlight does, its steps
are as large as Adam's, and one learning rate serves both.
"""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor, nn

from flat import FlatParameters

SMALLEST = 16
"""Matrices with a shorter side than this stay with AdamW."""


def orthogonal(matrices: Tensor) -> Tensor:
    """The nearest orthogonal matrices of [N, rows, columns], rows <= columns, roughly: five steps of Newton and Schulz."""
    x = matrices.to(torch.bfloat16)
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.to(matrices.dtype)


def matrices_of(name: str, parameter: Tensor) -> list[Tensor]:
    """Views of a parameter (or of its gradient) as matrices for Muon; none where AdamW serves better."""
    ends = ("encoder.0.conv.", "tencoder.0.conv.", "decoder.3.conv_tr.", "tdecoder.3.conv_tr.", "freq_emb.")
    if parameter.ndim < 2 or name.startswith(ends):
        return []
    flat = parameter.view(parameter.shape[0], -1)
    if min(flat.shape) < SMALLEST:
        return []
    # Queries, keys and values are three matrices that happen to lie in one.
    return list(flat.chunk(3)) if name.endswith("in_proj_weight") else [flat]


class Muon:
    """Momentum made orthogonal, for stacks of matrices of one shape."""

    def __init__(self, pairs: list[tuple[Tensor, Tensor]], momentum: float = 0.95) -> None:
        self.momentum = momentum
        self.groups: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = defaultdict(list)
        for value, slope in pairs:
            if value.shape[0] > value.shape[1]:
                value, slope = value.mT, slope.mT
            self.groups[value.shape[0], value.shape[1]].append((value, slope))
        self.buffers = {shape: torch.stack([torch.zeros_like(v) for v, _ in group]) for shape, group in self.groups.items()}

    @torch.no_grad()
    def step(self, rate: Tensor) -> None:
        for shape, group in self.groups.items():
            slopes = torch.stack([slope for _, slope in group])
            buffer = self.buffers[shape].lerp_(slopes, 1 - self.momentum)
            steps = orthogonal(slopes.lerp(buffer, self.momentum)) * (-0.2 * max(shape) ** 0.5 * rate)
            torch._foreach_add_([value for value, _ in group], list(steps.unbind()))


class Optimiser:
    """`adamw` or `muon` on the parameters of a model whose parameters and gradients lie in `flat`."""

    NAMES = ("adamw", "muon")

    def __init__(self, name: str, model: nn.Module, flat: FlatParameters) -> None:
        assert name in self.NAMES and flat.grad is not None
        fused = flat.data.device.type == "cuda"
        pairs, rest = [], []
        for key, parameter in model.named_parameters():
            matrices = matrices_of(key, parameter.data) if name == "muon" else []
            if matrices:
                assert parameter.grad is not None
                pairs += zip(matrices, matrices_of(key, parameter.grad), strict=True)
            else:
                rest.append(parameter)
        if name == "adamw":
            whole = nn.Parameter(flat.data)
            whole.grad = flat.grad
            rest = [whole]
        rate = torch.zeros((), device=flat.data.device)
        self.adam = torch.optim.AdamW(
            rest, lr=rate, betas=(0.9, 0.99), weight_decay=0.0, fused=fused, capturable=fused
        )
        self.muon = Muon(pairs) if pairs else None

    def step(self, rate: Tensor) -> None:
        """One step at the learning rate `rate`, a tensor, so that a CUDA graph of this step heeds its changes."""
        for group in self.adam.param_groups:
            group["lr"].copy_(rate)
        self.adam.step()
        if self.muon:
            self.muon.step(rate)

    def forget(self) -> None:
        """Begin anew, in the same memory."""
        for state in self.adam.state.values():
            for value in state.values():
                value.zero_()
        for buffer in self.muon.buffers.values() if self.muon else ():
            buffer.zero_()
