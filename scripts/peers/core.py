"""HTDemucs cut in two: the network that goes into an ONNX graph, and the transforms around it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from demucs.htdemucs import HTDemucs
from torch import nn

Core = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


class CoreNetwork(nn.Module):
    """The network without STFT and inverse STFT, standardisation included: what ``InnerNetwork`` is in Swift.

    (spectrogram [1, C, F, T], mix [1, channels, samples]) -> (spectrogram [1, S, C, F, T], waveform [1, S, channels, samples]).
    It runs the oracle's own ``forward`` with the transforms taken out, so that nothing of the network is written twice.
    """

    def __init__(self, model: HTDemucs) -> None:
        """``model`` stays as it is but for four methods."""
        super().__init__()
        self.model = model
        self.spectrograms: list[torch.Tensor] = []
        model.__dict__.update(
            _spec=lambda mix: mix,
            _magnitude=lambda z: self.spectrograms[0],
            _mask=lambda z, estimate: self.spectrograms.append(estimate),
            _ispec=lambda z, length=None, scale=0: 0.0,
        )

    def forward(self, spectrogram: torch.Tensor, mix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Both branches, before they are added up."""
        self.spectrograms[:] = [spectrogram]
        waveform = self.model(mix)
        return self.spectrograms.pop(), waveform


def around(model: HTDemucs, core: Core, mix: torch.Tensor) -> torch.Tensor:
    """A segment [1, channels, samples] through the transforms of ``model`` and the network ``core``."""
    length = mix.shape[-1]
    mix = nn.functional.pad(mix, (0, int(model.segment * model.samplerate) - length))
    z = model._spec(mix)
    spectrogram, waveform = core(model._magnitude(z).contiguous(), mix)
    return (waveform + model._ispec(model._mask(z, spectrogram), mix.shape[-1]))[..., :length]
