#!/usr/bin/env python3
"""Check that demucs loads safetensors files that were written from other model files, with equal weights.

    check_export.py MODEL EXPORTED.safetensors [...]

`MODEL`, a package of `torch.save`, is loaded by `demucs.states.load_model`; one of safetensors may have 8-bit weights. Each of
the others is loaded by `demucs.hf.load_safetensors_model`. Weights must be equal to those of `MODEL`, or to these rounded to half
precision. Exit status 1 when they are not.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import demucs.hf
import demucs.states
import safetensors
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oracle.quantised import load_model  # noqa: E402


def differences(package: Path, exported: Path) -> list[str]:
    """Names of the tensors that differ."""
    load = load_model if package.suffix == ".safetensors" else demucs.states.load_model
    expected = load(package).state_dict()
    found = demucs.hf.load_safetensors_model(exported).state_dict()
    with safetensors.safe_open(str(exported), framework="pt") as file:
        half = any(file.get_slice(name).get_dtype() == "F16" for name in file.keys())  # noqa: SIM118
    names = sorted(set(expected) ^ set(found))
    for name in set(expected) & set(found):
        value = expected[name].half().float() if half else expected[name]
        if not torch.equal(value, found[name]):
            names.append(name)
    return names


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("exported", type=Path, nargs="+")
    options = parser.parse_args()
    status = 0
    for path in options.exported:
        names = differences(options.model, path)
        print(f"{path}: {'equal' if not names else 'DIFFERS: ' + ', '.join(names[:8])}")
        status |= bool(names)
    return status


if __name__ == "__main__":
    sys.exit(main())
