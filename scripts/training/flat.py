"""All parameters of a model in one flat tensor: one all-reduce, one clip, one optimiser step, one average a step."""

from __future__ import annotations

import torch
from torch import Tensor, nn

ALIGN = 64
"""Elements; keeps every view aligned for compiled kernels."""


class FlatParameters:
    """Moves the parameters of `model` into `data`, and their gradients into `grad`; the model goes on working on views."""

    def __init__(self, model: nn.Module, with_grad: bool = True) -> None:
        parameters = list(model.parameters())
        self.names = [name for name, _ in model.named_parameters()]
        self.places, end = [], 0
        for parameter in parameters:
            self.places.append((end, parameter.shape))
            end += -(-parameter.numel() // ALIGN) * ALIGN
        self.data = torch.zeros(end, device=parameters[0].device)
        self.grad = torch.zeros_like(self.data) if with_grad else None
        for parameter, (start, shape) in zip(parameters, self.places, strict=True):
            view = self.data[start : start + shape.numel()].view(shape)
            view.copy_(parameter.data)
            parameter.data = view
            if self.grad is not None:
                parameter.grad = self.grad[start : start + shape.numel()].view(shape)

    def state(self, data: Tensor) -> dict[str, Tensor]:
        """The parameters by name, out of a tensor laid out like `data` (an average of it, say)."""
        places = zip(self.names, self.places, strict=True)
        return {name: data[start : start + shape.numel()].view(shape).clone() for name, (start, shape) in places}
