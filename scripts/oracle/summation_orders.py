#!/usr/bin/env python3
"""How far PyTorch is from itself under a precision policy, when nothing but the order or the width of its sums changes.

    summation_orders.py --model 6s.safetensors --input segment.wav [--policy mixed|bf16] [--ours STEMS] [--ours-fp32 STEMS]

One segment goes through the emulation (emulation.py) with sums in float64, in float32, in float32 by one thread, and in float32
without oneDNN. Printed as JSON: for each pair the SNR of the worst stem, with the policy and, as a control, without; the same after
some layers; and for each run its SNR against PyTorch's float64 without rounding, and the share of the samples outside rtol 1e-3,
atol 1e-4, at the level of the file. There stand two other readings of the policy too: an emulation in which nothing is fused, and one
of forward hooks, which see modules and so none of the activations that are functions.

``--ours`` is a folder of stems that ``demucs-cli separate segment.wav --precision mixed --shifts 0 --overlap 0 --float32 --clip-mode
none`` wrote, ``--ours-fp32`` the same without ``--precision``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import soundfile  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

from oracle.check_precision import snr  # noqa: E402
from oracle.emulation import FORMATS, MODULES, emulated, rounded  # noqa: E402
from oracle.quantised import load_model  # noqa: E402
from oracle.run_reference import read_audio  # noqa: E402
from oracle.taps import hooked  # noqa: E402

LAYERS = ("encoder.0", "encoder.1", "encoder.2", "encoder.3", "crosstransformer", "decoder.0", "decoder.3")
RTOL, ATOL = 1e-3, 1e-4


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums are not shared out among threads."""
    count = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(count)


ORDERS: dict[str, tuple[torch.dtype, Any]] = {
    "float64": (torch.float64, None),
    "float32": (torch.float32, None),
    "float32, one thread": (torch.float32, one_thread),
    "float32, without oneDNN": (torch.float32, lambda: torch.backends.mkldnn.flags(enabled=False)),
}


@contextmanager
def unfused(model: nn.Module, kind: torch.dtype) -> Iterator[None]:
    """The emulation with every result stored, also where an activation or a layer scale comes next."""
    with emulated(model, kind) as mode:
        mode.is_fused = lambda *_: False
        yield


@contextmanager
def hooks(model: nn.Module, kind: torch.dtype) -> Iterator[None]:
    """Results and weights of modules are rounded by forward hooks; functions are not seen."""
    stored = (*(one for one, name in MODULES.items() if name != "norm"), nn.GELU, nn.GLU)

    def store(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        return (rounded(output[0], kind), *output[1:]) if isinstance(output, tuple) else rounded(output, kind)

    handles = []
    for module in model.modules():
        if isinstance(module, stored) or type(module).__name__ == "LayerScale":
            for value in module.parameters(recurse=False):
                value.copy_(rounded(value, kind))
            handles.append(module.register_forward_hook(store))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


READINGS: dict[str, Any] = {"nothing fused": unfused, "forward hooks": hooks}


class Segment:
    """A segment of audio and the network that it goes through."""

    def __init__(self, weights: Path, path: Path) -> None:
        """Both from files; the level of the segment is taken out as for a track, and kept."""
        self.weights = weights
        model = load_model(weights)
        self.sources: list[str] = model.sources
        wav = read_audio(path, model)
        if wav.shape[-1] > (length := int(model.segment * model.samplerate)):
            raise SystemExit(f"{path}: longer than a segment of the model, which is {length} samples")
        self.mean, self.deviation = wav.mean(0).mean(), wav.mean(0).std() + 1e-8
        self.mix = ((wav - self.mean) / self.deviation)[None]

    def run(self, order: str, policy: torch.dtype | None, reading: Any = emulated) -> dict[str, torch.Tensor]:
        """The results of some layers, and the stems at the level of the file."""
        kind, setting = ORDERS[order]
        model = load_model(self.weights).eval().to(kind)
        kept: dict[str, torch.Tensor] = {}

        def hook(name: str) -> Any:
            def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
                if name in LAYERS:
                    kept[name] = (output[0] if isinstance(output, tuple) else output).float()

            return keep

        with ExitStack() as stack:
            if setting:
                stack.enter_context(setting())
            if policy:
                stack.enter_context(reading(model, policy))
            stack.enter_context(hooked(model, hook))
            stems = model(self.mix.to(kind))[0].double() * self.deviation + self.mean
        return kept | dict(zip(self.sources, stems, strict=True))

    def stems(self, folder: Path) -> dict[str, torch.Tensor]:
        """Stems of files."""
        return {name: torch.from_numpy(soundfile.read(folder / f"{name}.wav")[0].T.copy()) for name in self.sources}


def outside(reference: torch.Tensor, estimate: torch.Tensor) -> float:
    """Share of the samples beyond the tolerance, as ``torch.isclose`` has it."""
    return float(1 - torch.isclose(estimate.double(), reference.double(), rtol=RTOL, atol=ATOL).double().mean())


def pairs(runs: dict[str, dict[str, torch.Tensor]], names: list[str]) -> dict[str, float]:
    """The least SNR of any of ``names`` for each pair of runs."""
    return {
        f"{a} | {b}": round(min(snr(runs[a][name], runs[b][name]) for name in names), 1)
        for a, b in itertools.combinations(runs, 2)
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--policy", choices=FORMATS, default="mixed")
    parser.add_argument("--ours", type=Path, help="folder of our stems under the policy")
    parser.add_argument("--ours-fp32", type=Path, help="folder of our stems in fp32")
    options = parser.parse_args()
    torch.set_grad_enabled(False)
    segment = Segment(options.model, options.input)
    plain = {order: segment.run(order, None) for order in ORDERS}
    rounded_runs = {order: segment.run(order, FORMATS[options.policy]) for order in ORDERS}
    layers = {name: pairs(rounded_runs, [name]) for name in LAYERS if name in rounded_runs["float64"]}
    if options.ours:
        rounded_runs["ours"] = segment.stems(options.ours)
    if options.ours_fp32:
        plain["ours"] = segment.stems(options.ours_fp32)
    exact = plain["float64"]
    others = {name: segment.run("float32", FORMATS[options.policy], reading) for name, reading in READINGS.items()}
    against = {
        run: {
            name: {"snr": round(snr(exact[name], stems[name]), 2), "outside": round(outside(exact[name], stems[name]), 5)}
            for name in segment.sources
        }
        for run, stems in (rounded_runs | others).items()
    }
    facts = {
        "threads": torch.get_num_threads(),
        "without the policy": pairs(plain, segment.sources),
        "with the policy": pairs(rounded_runs, segment.sources),
        "layers, with the policy": layers,
        "with the policy, against float64 without": against,
    }
    print(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main()
