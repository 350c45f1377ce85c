#!/usr/bin/env python3
"""Signal-to-noise ratio of everybody's stems of one segment against PyTorch float32 and float64, as JSON.

    accuracy.py --folder DIR --stems DIR

``--folder`` has prepared.json, ``--stems`` has RIVAL.npy of each rival and ours/STEM.wav of each stem.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
import soundfile


def ratio(reference: np.ndarray, estimate: np.ndarray) -> float | None:
    """Signal-to-noise ratio in dB; ``None`` when there is no difference."""
    reference, estimate = reference.astype(np.float64), estimate.astype(np.float64)
    error = float(np.sum((estimate - reference) ** 2))
    return 10 * math.log10(float(np.sum(reference**2)) / error) if error else None


def compare(reference: np.ndarray, estimate: np.ndarray) -> dict[str, float | None]:
    """The ratio over all stems together, and that of the worst one."""
    if reference.shape != estimate.shape:
        raise SystemExit(f"accuracy: stems of shape {estimate.shape}, expected {reference.shape}")
    each = [ratio(*pair) for pair in zip(reference, estimate, strict=True)]
    finite = [value for value in each if value is not None]
    return {"all": ratio(reference, estimate), "worst": min(finite) if finite else None}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--stems", type=Path, required=True)
    options = parser.parse_args()

    sources = json.loads((options.folder / "prepared.json").read_text())["sources"]
    stems = {path.stem: np.load(path) for path in sorted(options.stems.glob("*.npy"))}
    paths = [options.stems / "ours" / f"{name}.wav" for name in sources]
    if all(path.exists() for path in paths):
        stems["ours"] = np.stack([soundfile.read(path, dtype="float32", always_2d=True)[0].T for path in paths])
    references = [name for name in ("torch-fp32", "torch-fp64") if name in stems]
    found = {
        name: {reference: compare(stems[reference], value) for reference in references if reference != name}
        for name, value in stems.items()
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
