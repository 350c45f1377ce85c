"""Outputs of every module during one forward pass of the oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from .networks import Network

Sink = Callable[[str, torch.Tensor], None]
PASSED_OVER = (nn.Dropout, nn.Identity)


@contextmanager
def hooked(model: nn.Module, hook: Callable[[str], Callable[[nn.Module, Any, Any], Any]]) -> Iterator[None]:
    """Call ``hook(NAME)(module, inputs, output)`` for each module as it returns; what that returns takes the output's place.

    Dropout and Identity are passed over.
    """
    handles = [
        module.register_forward_hook(hook(name))
        for name, module in model.named_modules()
        if name and not isinstance(module, PASSED_OVER)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def tapped(model: nn.Module, sink: Sink) -> Iterator[None]:
    """Call ``sink(name, output)`` for each module as it returns, in execution order.

    A second output is ``NAME#1``; a second call of a module is ``NAME@2`` (no module here has one). Dropout and
    Identity are passed over: they return their input; so is the last state of an LSTM, a tuple in its
    output. The sink must copy what it keeps.
    """
    calls: dict[str, int] = {}

    def hook(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def record(_module: nn.Module, _inputs: Any, output: Any) -> None:
            calls[name] = calls.get(name, 0) + 1
            label = name if calls[name] == 1 else f"{name}@{calls[name]}"
            parts = output if isinstance(output, tuple) else (output,)
            for index, part in enumerate(parts):
                if isinstance(part, torch.Tensor):
                    sink(label if index == 0 else f"{label}#{index}", part.detach())

        return record

    with hooked(model, hook):
        yield


def run_network(model: Network, mix: torch.Tensor, sink: Sink) -> torch.Tensor:
    """One forward pass with all taps, and the tensors of the network that no module returns.

    ``input.spectrogram`` [B, C, F, T] before normalisation, ``output.spectrogram`` [B, S, C, F, T] and ``output.waveform``
    [B, S, channels, segment] after denormalisation, ``output`` the sum of both branches. With complex as channels.
    """
    last = f"tdecoder.{len(model.tdecoder) - 1}"
    branch: list[torch.Tensor] = []

    def record(name: str, value: torch.Tensor) -> None:
        if name == last:
            branch.append(value)
        sink(name, value)

    def magnitude(z: torch.Tensor) -> torch.Tensor:
        out = type(model)._magnitude(model, z)
        sink("input.spectrogram", out)
        return out

    def mask(z: torch.Tensor, m: torch.Tensor) -> torch.Tensor:
        sink("output.spectrogram", m)
        return type(model)._mask(model, z, m)

    model.__dict__.update(_magnitude=magnitude, _mask=mask)
    try:
        with torch.no_grad(), tapped(model, record):
            output = model(mix)
    finally:
        del model.__dict__["_magnitude"], model.__dict__["_mask"]
    sink("output.waveform", denormalised(model, mix, branch[0]))
    sink("output", output)
    return output


def denormalised(model: Network, mix: torch.Tensor, waveform: torch.Tensor) -> torch.Tensor:
    """The waveform branch at the scale of the mix that the network saw, padding included."""
    if getattr(model, "use_train_segment", False):
        missing = int(model.segment * model.samplerate) - mix.shape[-1]
        mix = nn.functional.pad(mix, (0, max(0, missing)))
    mean = mix.mean(dim=(1, 2))
    deviation = mix.std(dim=(1, 2))
    sources = waveform.view(mix.shape[0], len(model.sources), -1, mix.shape[-1])
    return sources * deviation[:, None, None, None] + mean[:, None, None, None]
