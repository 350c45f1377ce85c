"""The loss. Its page, docs in the-loss.md, says why it looks like this."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class LossSettings:
    """All thresholds are energies relative to the mixture (or, for `ceiling`, to the target)."""

    active: float = 10**-2.5
    """A target with more than this share of the mixture's energy is active: it is scored by its SDR."""
    ceiling: float = 10**-1.6
    """Error below this share of the target earns nothing more (16 dB): easy targets stop pulling."""
    floor: float = 10**-3.0
    """An absent target's leak below this share of the mixture earns nothing more: silence is bounded."""
    silence_weight: float = 0.15
    """What a decibel of leak costs, against a decibel of SDR."""
    stem_weights: tuple[float, ...] = (0.5, 1.9, 1.7, 1.3, 1.0, 1.3)
    """Those furthest from what is asked of them count more (order of STEMS)."""
    spectral_weight: float = 0.0
    """Weight of the same score on magnitudes, where the phase does not count."""


def stem_losses(estimate: Tensor, target: Tensor, mix: Tensor, settings: LossSettings) -> tuple[Tensor, Tensor, Tensor]:
    """Per sample and stem, [B, S]: the loss in dB, whether the target is active, and its SDR (or, absent, its leak) in dB."""
    energy = target.square().sum((-2, -1))
    error = (estimate - target).square().sum((-2, -1))
    whole = mix.square().sum((-2, -1))[:, None] + 1e-4
    active = energy > settings.active * whole
    quiet = settings.active * settings.floor * whole
    distance = 10 * torch.log10((error + settings.ceiling * energy + quiet) / (energy + quiet))
    leak = 10 * torch.log10((error + settings.floor * whole) / (settings.floor * whole))
    loss = torch.where(active, distance, settings.silence_weight * leak)
    shown = torch.where(active, -distance, 10 * torch.log10(error / whole + 1e-8))
    return loss, active, shown


def magnitude_losses(estimate: Tensor, target: Tensor, settings: LossSettings) -> Tensor:
    """The score of active stems, [B, S] in dB, on the magnitudes of two spectrograms instead of samples."""
    batch, stems = target.shape[:2]
    total = torch.zeros(batch, stems, device=target.device)
    for size in (4096, 1024):
        window = torch.hann_window(size, device=target.device)

        def magnitude(audio: Tensor, size: int = size, window: Tensor = window) -> Tensor:
            flat = audio.reshape(-1, audio.shape[-1])
            spectrum = torch.stft(flat, size, size // 2, window=window, return_complex=True)
            power = spectrum.real.square() + spectrum.imag.square()
            return (power + 1e-7).sqrt().reshape(batch, stems, -1)

        wanted = magnitude(target)
        energy = wanted.square().sum(-1)
        error = (magnitude(estimate) - wanted).square().sum(-1)
        total = total + 10 * torch.log10((error + settings.ceiling * energy) / energy) / 2
    return total


def training_loss(estimate: Tensor, target: Tensor, mix: Tensor, settings: LossSettings) -> tuple[Tensor, Tensor, Tensor]:
    """The mean over samples and stems, and what `stem_losses` shows."""
    loss, active, shown = stem_losses(estimate, target, mix, settings)
    if settings.spectral_weight:
        loss = loss + settings.spectral_weight * active * magnitude_losses(estimate, target, settings)
    weighted = sum(loss[:, stem].mean() * weight for stem, weight in enumerate(settings.stem_weights))
    return weighted / len(settings.stem_weights), active, shown.detach()
