#!/usr/bin/env python3
"""Compare ``separate --precision`` with the same policy in PyTorch (emulation.py), on one segment.

    check_precision.py --model 6s.safetensors --input segment.wav --taps DIR/segment-0 [--policy mixed|bf16]

``--taps`` is what ``demucs-cli separate segment.wav --precision mixed --shifts 0 --dump-taps DIR`` wrote. Two comparisons:

- step by step: every module gets what ours had computed before it, so that each operation is judged by itself. It passes when
  every module agrees to ``--bound`` dB (80);
- end to end: the stems. Rounding is a cliff: where two computations differ by 1e-7 before it, some values fall to the other side,
  and the next rounding makes more of them. So beside ours stands what PyTorch's own float32 and float64 make of the policy.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

from oracle.emulation import FORMATS, SELECTION, emulated  # noqa: E402
from oracle.quantised import load_model  # noqa: E402
from oracle.run_reference import read_audio  # noqa: E402
from oracle.taps import hooked  # noqa: E402


def snr(reference: torch.Tensor, estimate: torch.Tensor) -> float:
    """Power of the reference over that of the difference, in dB."""
    reference, difference = reference.double(), (estimate.double() - reference.double())
    noise = float(difference.square().sum())
    return 10 * math.log10(float(reference.square().sum()) / noise) if noise else math.inf


@contextmanager
def led(model: nn.Module, folder: Path, agreement: dict[str, float]) -> Iterator[None]:
    """Every module returns what ours returned, after its own result was compared with that."""

    def hook(name: str) -> Any:
        def lead(_module: nn.Module, _inputs: Any, output: Any) -> Any:
            parts = list(output) if isinstance(output, tuple) else [output]
            for index, part in enumerate(parts):
                label = name if index == 0 else f"{name}#{index}"
                path = folder / f"{label}.npy"
                if part is None or not path.exists():
                    continue
                ours = torch.from_numpy(np.load(path)).reshape(part.shape).to(part.dtype)
                agreement[label] = snr(ours, part)
                parts[index] = ours
            return tuple(parts) if isinstance(output, tuple) else parts[0]

        return lead

    with hooked(model, hook):
        yield


def main() -> int:
    """The command; 1 when a module does not agree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--taps", type=Path)
    parser.add_argument("--policy", choices=FORMATS, default="mixed")
    parser.add_argument("--classes", default=",".join(SELECTION), help="what is rounded (default: the published selection)")
    parser.add_argument("--bound", type=float, default=80, help="dB by which each module must agree (default: 80)")
    parser.add_argument("--only", choices=["steps", "stems"], help="one of the comparisons")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    kind, classes = FORMATS[options.policy], tuple(options.classes.split(","))

    def load(precision: torch.dtype) -> nn.Module:
        return load_model(options.model).eval().to(precision)

    model = load(torch.float32)
    wav = read_audio(options.input, model)
    reference = wav.mean(0)
    mix = ((wav - reference.mean()) / (reference.std() + 1e-8))[None]
    facts: dict[str, Any] = {"policy": options.policy}
    failed = False
    if options.taps and options.only != "stems":
        agreement: dict[str, float] = {}
        with emulated(model, kind, classes) as mode, led(model, options.taps, agreement):
            model(mix)
        facts["rounded_calls"] = mode.counts
        worst = sorted(agreement.items(), key=lambda item: item[1])
        facts["modules"] = len(agreement)
        facts["worst_modules"] = dict(worst[:8])
        facts["median_module"] = worst[len(worst) // 2][1]
        failed = not worst or worst[0][1] < options.bound
    if options.only != "steps":
        ours = torch.from_numpy(np.load(options.taps / "output.npy")) if options.taps else None
        plain = load(torch.float64)(mix.double())
        runs: dict[str, torch.Tensor] = {}
        for name, precision in (("float32", torch.float32), ("float64", torch.float64)):
            network = load(precision)
            with emulated(network, kind, classes):
                runs[name] = network(mix.to(precision))
        pairs = {"emulation against float64": (plain, runs["float64"]), "float32 emulation": (runs["float64"], runs["float32"])}
        if ours is not None:
            ours = ours[..., : plain.shape[-1]]
            pairs["ours against float64"] = (plain, ours)
            pairs["ours against the emulation"] = (runs["float64"], ours)
        for name, (a, b) in pairs.items():
            facts[name] = {source: round(snr(a[0, i], b[0, i]), 2) for i, source in enumerate(model.sources)}
    print(json.dumps(facts, indent=2))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
