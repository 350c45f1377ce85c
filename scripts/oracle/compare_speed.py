#!/usr/bin/env python3
"""Seconds of a segment, `demucs-cli bench` and PyTorch in turns, and how far their results are apart.

    compare_speed.py --cli .build/release/demucs-cli --model hdemucs.safetensors [--threads 2] [--rounds 5]

The model is any that demucs 4.1 loads (`make_model.py` writes one of any size). Each round is a run that does not count and one
that does, of either. The machine should have nothing else to do; `bench_peers` compares more, of HTDemucs alone.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import soundfile  # noqa: E402
import torch  # noqa: E402

from oracle.fuzz_configs import snr  # noqa: E402
from oracle.networks import Network  # noqa: E402
from oracle.quantised import load_model  # noqa: E402
from oracle.subject_apply import separator  # noqa: E402


def ours(options: argparse.Namespace) -> float:
    """Seconds of a segment as ``bench`` measures them."""
    command = [str(options.cli), "bench", "-n", str(options.model), "-j", str(options.threads), "--runs", "1", "--json"]
    return float(json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)["seconds"][0])


def theirs(model: Network, mix: torch.Tensor) -> float:
    """Seconds of a segment of PyTorch, behind one that does not count."""
    seconds = 0.0
    with torch.no_grad():
        for _ in range(2):
            start = time.perf_counter()
            model(mix)
            seconds = time.perf_counter() - start
    return seconds


def apart(model: Network, mix: torch.Tensor, options: argparse.Namespace) -> float:
    """The lowest signal-to-noise ratio of a stem in dB, of a track of one segment."""
    with torch.no_grad():
        _, expected = separator(model, {"shifts": 0, "split": True, "overlap": 0.25}).separate_tensor(mix[0])
    worst = float("inf")
    with tempfile.TemporaryDirectory() as folder:
        track = Path(folder) / "track.wav"
        soundfile.write(track, mix[0].T.numpy(), model.samplerate, subtype="FLOAT")
        fixed = ["--shifts", "0", "--float32", "--clip-mode", "none", "--filename", "{stem}.{ext}", "-o", folder]
        command = [str(options.cli), "separate", str(track), "-n", str(options.model), "-j", str(options.threads), *fixed]
        subprocess.run(command, check=True, capture_output=True)
        for name, stem in expected.items():
            found = soundfile.read(next(Path(folder).rglob(f"{name}.wav")), dtype="float32", always_2d=True)[0].T
            worst = min(worst, snr(stem.numpy(), found))
    return worst


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cli", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    model = load_model(options.model).eval()
    mix = torch.randn(1, model.audio_channels, int(model.segment * model.samplerate)) * 0.1
    times = [(ours(options), theirs(model, mix)) for _ in range(options.rounds)]
    for name, values in zip(("demucs-cli", "PyTorch"), zip(*times, strict=True), strict=True):
        print(f"{name}: {statistics.median(values):.3f} s, {min(values):.3f} to {max(values):.3f}")
    print(f"ratio: {statistics.median(b / a for a, b in times):.2f}")
    print(f"worst stem: {apart(model, mix, options):.1f} dB")


if __name__ == "__main__":
    main()
