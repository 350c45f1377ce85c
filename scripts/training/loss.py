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
    ceiling: float = 10**-3.0
    """Error below this share of the target earns nothing more (30 dB): easy targets stop pulling."""
    floor: float = 10**-3.5
    """An absent target's leak below this share of the mixture earns nothing more: silence is bounded."""
    silence_weight: float = 0.15
    """What a decibel of leak costs, against a decibel of SDR."""


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


def training_loss(estimate: Tensor, target: Tensor, mix: Tensor, settings: LossSettings) -> tuple[Tensor, Tensor, Tensor]:
    """The mean over samples and stems, and what `stem_losses` shows."""
    loss, active, shown = stem_losses(estimate, target, mix, settings)
    return loss.mean(), active, shown.detach()
