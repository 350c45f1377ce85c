"""How far two folders of stems are from each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

RELATIVE, ABSOLUTE = 1e-3, 1e-4


@dataclass(frozen=True)
class Stem:
    """The difference of one stem; levels are RMS in dBFS, minus infinity for silence."""

    name: str
    snr: float
    """dB; infinite where both are equal."""
    level: float
    """Of the reference."""
    error: float
    outside: float
    """Share of the samples whose difference is beyond 1e-4 + 1e-3 of the reference."""
    finite: bool
    si_sdr: float | None
    """dB; none where either is silent."""


def decibels(power: float) -> float:
    """Of a power; minus infinity for 0."""
    return 10 * math.log10(power) if power > 0 else -math.inf


def compare_files(name: str, reference_path: Path, estimate_path: Path) -> Stem:
    """Stand-in until `demucs-cli compare --json`."""
    reference, _ = soundfile.read(reference_path, dtype="float64", always_2d=True)
    estimate, _ = soundfile.read(estimate_path, dtype="float64", always_2d=True)
    if reference.shape != estimate.shape:
        raise ValueError(f"{name}: {estimate.shape} samples, expected {reference.shape}")
    if not np.isfinite(estimate).all():
        return Stem(name, -math.inf, decibels(np.mean(reference**2)), math.inf, 1.0, False, None)
    error = estimate - reference
    signal, noise = float(np.sum(reference**2)), float(np.sum(error**2))
    snr = math.inf if noise == 0 else decibels(signal / noise)
    gain = float(np.sum(reference * estimate)) / signal if signal else 0.0
    residual = float(np.sum((estimate - gain * reference) ** 2))
    si_sdr = decibels(gain * gain * signal / residual) if signal and residual and gain else None
    outside = float(np.mean(np.abs(error) > ABSOLUTE + RELATIVE * np.abs(reference)))
    count = reference.size
    return Stem(name, snr, decibels(signal / count), decibels(noise / count), outside, True, si_sdr)


def compare(binary: Path, reference: Path, estimate: Path) -> list[Stem]:
    """Stem by stem, in the order of demucs."""
    order = ["drums", "bass", "other", "vocals", "guitar", "piano"]
    return [
        compare_files(name, reference / f"{name}{suffix}", estimate / f"{name}.wav")
        for name in order
        for suffix in (".wav", ".flac")
        if (reference / f"{name}{suffix}").exists()
    ]
