#!/usr/bin/env python3
"""Make the golden files of `Fixtures/goldens`, or check that they are what the oracle still gives.

    make_goldens.py                 all of them
    make_goldens.py stft layers     some
    make_goldens.py --check         compare with fresh ones, write nothing; exit 1 when they differ

Run it with the oracle's python, which `scripts/oracle/setup` makes and prints. What the files hold: `docs/goldens.md`.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from oracle.golden import Golden, differences

FOLDER = Path(__file__).resolve().parents[1] / "Fixtures" / "goldens"
SUBJECTS = ["rounding", "stft", "layers", "precision", "networks", "full_size", "hdemucs", "apply", "bags"]


def summary(golden: Golden, path: Path, seconds: float) -> str:
    """One line on a golden file: size, tensors, and how far PyTorch's float32 is from its float64."""
    errors = [e for e in golden.errors.values() if e is not None]
    text = f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, {len(golden.tensors)} tensors, {seconds:.0f} s"
    if errors:
        worst = max(golden.errors, key=lambda key: golden.errors[key] or 0.0)
        text += f"; float32 error median {statistics.median(errors):.1e}, worst {golden.errors[worst]:.1e} at {worst}"
    return text


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subjects", nargs="*", choices=[*SUBJECTS, []], help="what to make (default: everything)")
    parser.add_argument("--check", action="store_true", help="compare with the files in the repository")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder of the golden files")
    parser.add_argument("--threads", type=int, default=1, help="threads of PyTorch (default: 1)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    status = 0
    for subject in options.subjects or SUBJECTS:
        start = time.monotonic()
        for golden in importlib.import_module(f"oracle.subject_{subject}").make():
            with tempfile.TemporaryDirectory() as scratch:
                path = golden.save(Path(scratch) if options.check else options.output)
                print(summary(golden, path, time.monotonic() - start), flush=True)
                if options.check:
                    found = differences(options.output / path.name, path)
                    print("\n".join(f"  DIFFERS {line}" for line in found) or "  same", flush=True)
                    status |= bool(found)
            start = time.monotonic()
    return status


if __name__ == "__main__":
    sys.exit(main())
