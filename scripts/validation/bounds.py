"""What a stem has to keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from .compare import Stem

PYTORCH_SNR = 100.0
"""dB; DESIGN.md of the project: 105, or 100 where arithmetic is reordered, as Winograd's convolutions do."""
OWN_ROUNDING = 3.0
"""dB; where fp32 misses that: by so much it may be further from PyTorch's float64 than PyTorch's float32 is."""
MIXED_SNR = 58.0
QUIET = 25.0
"""dB below the mixture; of stems that are quieter `mixed` is judged by ``RELATIVE_ERROR``."""
RELATIVE_ERROR = -75.0
"""dB relative to the mixture."""
SILENT = -60.0
"""dBFS RMS; stems below are near-silent and judged by ``FLOOR``."""
FLOOR = -100.0
"""dBFS RMS of the error."""
OUTSIDE = 0.01
"""Share of the samples that may differ by more than 1e-4 + 1e-3 of the reference."""
SI_SDR_MOVE = 0.01
"""dB."""


@dataclass(frozen=True)
class Verdict:
    """By which rule a stem passes; broken if by none."""

    stem: Stem
    rule: str
    """``snr``, ``float64``, ``mixture``, ``floor`` or ``broken``."""


@dataclass(frozen=True)
class Arbiter:
    """What PyTorch's float64 says of two float32 that differ."""

    ours: Stem
    theirs: Stem

    @property
    def excuses(self) -> bool:
        """Whether the difference is no more than the rounding of PyTorch's float32."""
        return not self.ours.fault and self.ours.snr >= min(PYTORCH_SNR, self.theirs.snr - OWN_ROUNDING)


def pytorch(stem: Stem, mixture: float, arbiter: Arbiter | None = None) -> str:
    """The rule that fp32 keeps against PyTorch. ``mixture`` is the level of the mixture in dBFS."""
    if stem.snr >= PYTORCH_SNR:
        return "snr"
    return "float64" if arbiter and arbiter.excuses else floor(stem)


def mixed(stem: Stem, mixture: float, arbiter: Arbiter | None = None) -> str:
    """The rule that `mixed` keeps against fp32; float64 has no say in it."""
    if stem.snr >= MIXED_SNR:
        return "snr"
    if stem.level < mixture - QUIET and stem.error <= mixture + RELATIVE_ERROR:
        return "mixture"
    return floor(stem)


def floor(stem: Stem) -> str:
    """The rule of near-silent stems."""
    return "floor" if stem.level < SILENT and stem.error <= FLOOR else "broken"


Rule = Callable[[Stem, float, Arbiter | None], str]


def judge(stems: Sequence[Stem], mixture: float, rule: Rule, arbiters: Sequence[Arbiter] = ()) -> list[Verdict]:
    """Every stem of a piece by ``rule``; whatever it says, NaN, infinity and too many samples outside break it."""

    def one(stem: Stem, arbiter: Arbiter | None) -> str:
        return "broken" if stem.fault or stem.outside > OUTSIDE else rule(stem, mixture, arbiter)

    return [Verdict(stem, one(stem, arbiter)) for stem, arbiter in zip_longest(stems, arbiters)]
