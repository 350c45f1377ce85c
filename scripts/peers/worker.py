#!/usr/bin/env python3
"""A rival: loads once, then does what each line of standard input says and answers with a line of JSON.

    worker.py --rival torch-fp32 --threads 2 --folder DIR

``run``              one segment that does not count, then one that does: ``{"seconds": ...}``
``separate PATH``    the stems of segment.wav as float32 [sources, channels, samples] into PATH (.npy)
``peak``             the most memory that the process has held: ``{"bytes": ...}``

Between lines it sleeps. What fails is answered with ``{"error": ...}``. Made by ``bench.py``, whose options these are.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
import torch  # noqa: E402
from demucs.api import Separator  # noqa: E402
from demucs.htdemucs import HTDemucs  # noqa: E402

from oracle.quantised import load_model  # noqa: E402
from oracle.subject_apply import separator  # noqa: E402
from peers.core import around  # noqa: E402

Forward = Callable[[torch.Tensor], torch.Tensor]


def plain(model: HTDemucs, _options: argparse.Namespace) -> Forward:
    """PyTorch as it is."""
    return model.forward


def double(model: HTDemucs, _options: argparse.Namespace) -> Forward:
    """PyTorch in float64, the yardstick of accuracy."""
    model.to(torch.float64)
    forward = model.forward
    return lambda mix: forward(mix.double())


def bfloat16(model: HTDemucs, _options: argparse.Namespace) -> Forward:
    """PyTorch under autocast to bfloat16."""
    forward = model.forward

    def run(mix: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return forward(mix).float()

    return run


def compiled(model: HTDemucs, _options: argparse.Namespace) -> Forward:
    """PyTorch through ``torch.compile``, all but the transforms.

    It generates no code for complex numbers anyway, and unrolls the sum of the inverse STFT's windows into 4096 loops, which
    take the C++ compiler a quarter of an hour and more.
    """
    for name in ("_spec", "_magnitude", "_mask", "_ispec"):
        setattr(model, name, torch.compiler.disable(getattr(model, name)))
    return torch.compile(model.forward, dynamic=False)


def onnx(model: HTDemucs, options: argparse.Namespace) -> Forward:
    """ONNX Runtime on the network, PyTorch's transforms around it."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    # Its threads may spin while a segment runs, as they do by default, but not while another contestant does.
    settings.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(options.folder / "core.onnx", settings, providers=["CPUExecutionProvider"])
    # The transforms need the settings of the model, not its weights.
    for module in (model.encoder, model.decoder, model.tencoder, model.tdecoder, model.crosstransformer):
        for parameter in module.parameters() if module is not None else ():
            parameter.data = torch.empty(0)

    def core(spectrogram: torch.Tensor, mix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        estimate, waveform = session.run(None, {"spectrogram": spectrogram.numpy(), "mix": mix.numpy()})
        return torch.from_numpy(estimate), torch.from_numpy(waveform)

    return lambda mix: around(model, core, mix)


RIVALS: dict[str, Callable[[HTDemucs, argparse.Namespace], Forward]] = {
    "torch-fp32": plain,
    "torch-bf16": bfloat16,
    "torch-compile": compiled,
    "onnx": onnx,
    "torch-fp64": double,
}


class Worker:
    """A rival that is loaded and ready."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Loads the model and the audio."""
        torch.set_num_threads(options.threads)
        self.model = load_model(options.model).eval()
        samples, _ = soundfile.read(options.folder / "segment.wav", dtype="float32", always_2d=True)
        self.wav = torch.from_numpy(samples.T.copy())
        forward = RIVALS[options.rival](self.model, options)
        self.model.forward = lambda mix: forward(mix)
        self.commands = {"run": self.run, "separate": self.separate, "peak": self.peak}

    def run(self) -> dict[str, Any]:
        """One segment that counts, behind one that does not."""
        mix = self.wav[None]
        times = []
        with torch.no_grad():
            for _ in range(2):
                start = time.perf_counter()
                self.model(mix)
                times.append(time.perf_counter() - start)
        return {"warmupSeconds": times[0], "seconds": times[1]}

    def separate(self, path: str) -> dict[str, Any]:
        """The whole way of ``demucs``, normalisation of the track included, as one segment."""
        track: Separator = separator(self.model, {"shifts": 0, "split": True, "overlap": 0.0})
        with torch.no_grad():
            _, stems = track.separate_tensor(self.wav)
        np.save(path, np.stack([stem.float().numpy() for stem in stems.values()]))
        return {"stems": len(stems)}

    def peak(self) -> dict[str, Any]:
        """Peak memory of the process since it began."""
        return {"bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def answered(out: TextIO, action: Callable[[], Any]) -> Any:
    """Does ``action`` and writes what it returns, or why it failed; a result that is no dictionary is not written out."""
    try:
        result = action()
    except Exception as error:  # a rival that fails is a line of the table, not the end of the run
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        result = {"error": f"{type(error).__name__}: {lines[0] if lines else ''}"[:300]}
    print(json.dumps(result if isinstance(result, dict) else {"ready": True}), file=out, flush=True)
    return result


def main() -> int:
    """The command; 1 when the rival cannot be loaded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rival", choices=RIVALS, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="what prepare.py has made")
    parser.add_argument("--model", type=Path, required=True)
    options = parser.parse_args()

    # Answers have a channel of their own: libraries may print on standard output.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = answered(answers, lambda: Worker(options))
    if isinstance(worker, dict):
        return 1
    for line in sys.stdin:
        name, _, argument = line.strip().partition(" ")
        answered(answers, lambda: worker.commands[name](*([argument] if argument else [])))  # noqa: B023
    return 0


if __name__ == "__main__":
    sys.exit(main())
