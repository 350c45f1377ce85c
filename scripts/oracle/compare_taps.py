#!/usr/bin/env python3
"""Compare two folders of taps (.npy), tap by tap in execution order, and mark where they part.

    compare_taps.py REFERENCE ESTIMATE [--bound 1e-5] [--all]

Files match by the name behind the leading number (NNNN-NAME.npy); the order is that of REFERENCE.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import numpy as np


def taps(folder: Path) -> dict[str, Path]:
    """The taps of a folder by name, in the order of their numbers."""
    return {re.sub(r"^\d+-", "", path.stem): path for path in sorted(folder.glob("*.npy"))}


def relative_error(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Root mean square of the difference over that of the reference."""
    reference, estimate = reference.astype(np.float64), estimate.astype(np.float64)
    scale = float(np.sqrt(np.mean(reference**2)))
    difference = float(np.sqrt(np.mean((estimate - reference) ** 2)))
    return difference / scale if scale else difference


def main() -> int:
    """The command; 1 when some tap is out of bounds, missing or of another shape."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference", type=Path)
    parser.add_argument("estimate", type=Path)
    parser.add_argument("--bound", type=float, default=1e-5, help="relative RMS error (default: 1e-5)")
    parser.add_argument("--all", action="store_true", help="print the taps that agree too")
    options = parser.parse_args()

    ours = taps(options.estimate)
    bad = 0
    worst = (0.0, "")
    for name, path in taps(options.reference).items():
        if name not in ours:
            print(f"{name:60} missing in {options.estimate}")
            bad += 1
            continue
        reference, estimate = np.load(path), np.load(ours[name])
        if reference.size != estimate.size:
            print(f"{name:60} shape {list(estimate.shape)}, expected {list(reference.shape)}")
            bad += 1
            continue
        error = relative_error(reference, estimate.reshape(reference.shape))
        worst = max(worst, (error, name))
        wrong = not error <= options.bound
        if wrong or options.all:
            values = " ".join(f"{a:.6g}/{b:.6g}" for a, b in zip(reference.flat[:3], estimate.flat[:3], strict=True))
            first = "  <-- the first to diverge" if wrong and not bad else ""
            print(f"{name:60} {error:.2e} {'NOT OK' if wrong else 'OK'}  {values}{first}")
        bad += wrong
    extra = sorted(ours.keys() - taps(options.reference).keys())
    if extra:
        print(f"only in {options.estimate}: {', '.join(extra[:10])}")
    print(f"{bad} taps not OK; worst {worst[0]:.2e} at {worst[1]}")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
