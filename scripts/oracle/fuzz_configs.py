#!/usr/bin/env python3
"""Random valid configurations, weights and inputs: the oracle against `demucs-cli`, stem by stem.

    fuzz_configs.py --cli .build/release/demucs-cli [--network hdemucs] [--count 20] [--seed 0]
        [--min-snr 105] [--keep DIR]

Each trial runs ``demucs-cli separate -n model.safetensors --float32 --clip-mode none --shifts 0 -o OUT input.wav`` and fails
when a stem is below ``--min-snr`` dB against the oracle's float32. A failed trial prints the seed that repeats it alone.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
import torch  # noqa: E402

from oracle.generator import noise  # noqa: E402
from oracle.networks import HDemucs, HTDemucs, Kwargs, Network, build, encode, save_model  # noqa: E402
from oracle.signals import song  # noqa: E402
from oracle.subject_apply import separator  # noqa: E402


def random_kwargs(draw: random.Random) -> Kwargs:
    """A configuration that the oracle can run (see ``refusals`` in the golden files for what it cannot)."""
    stride = draw.choice([2, 4, 4])
    depth = draw.choice([2, 3, 4]) if stride == 4 else draw.choice([2, 3, 4, 5])
    rate = draw.choice([8_000, 16_000, 44_100])
    rows = draw.choice([4, 8, 16])  # frequencies that are left behind the last encoder
    kwargs: Kwargs = {
        "sources": [f"stem{i}" for i in range(draw.choice([1, 2, 3, 4, 6]))],
        "channels": draw.choice([8, 12, 16, 20]),
        "audio_channels": 2,
        "growth": draw.choice([2, 2, 3]) if depth < 4 else 2,
        "depth": depth,
        "kernel_size": 2 * stride,
        "stride": stride,
        "nfft": 2 * rows * stride**depth,
        "rewrite": draw.random() < 0.9,
        "freq_emb": draw.choice([0.2, 0.2, 0.7, 0]),
        "emb_scale": draw.choice([10, 3]),
        "context": draw.choice([1, 1, 0, 2]),
        "context_enc": draw.choice([0, 0, 1]),
        "norm_starts": draw.choice([4, 4, 0, 1, 2]),
        "norm_groups": draw.choice([4, 2, 1]),
        "dconv_mode": draw.choice([3, 3, 1, 2, 0]),
        "dconv_depth": draw.choice([2, 2, 1, 3, -2]),
        "dconv_comp": draw.choice([4, 2]),
        "bottom_channels": draw.choice([0, 0, 32, 48]),
        "t_layers": draw.choice([0, 1, 2, 3, 5]),
        "t_heads": draw.choice([1, 2, 4]),
        "t_hidden_scale": draw.choice([4.0, 2.5, 1.0]),
        "t_emb": draw.choice(["sin", "sin", "sin", "cape", "scaled"]),
        "t_max_positions": 2_000,
        "t_cross_first": draw.random() < 0.3,
        "t_norm_in": draw.random() < 0.7,
        "t_norm_in_group": draw.random() < 0.3,
        "t_group_norm": draw.random() < 0.3,
        "t_norm_first": draw.random() < 0.7,
        "t_norm_out": draw.random() < 0.7,
        "t_layer_scale": draw.random() < 0.7,
        "t_gelu": draw.random() < 0.7,
        "t_weight_pos_embed": draw.choice([1.0, 0.3]),
        "t_max_period": draw.choice([10000.0, 100.0]),
        "samplerate": rate,
        "segment": Fraction(draw.randint(6_000, 20_000), rate),
    }
    if kwargs["t_layers"] == 0 and draw.random() < 0.5:
        kwargs["channels_time"] = draw.choice([8, 12, 16])
    return kwargs


def random_hdemucs_kwargs(draw: random.Random) -> Kwargs:
    """The same of an HDemucs: frequencies are used up by as many layers as the hop has factors of the stride."""
    stride = draw.choice([2, 4, 4])
    merged = draw.choice([2, 3, 4]) if stride == 4 else draw.choice([3, 4, 5])  # layers until the branches meet
    hop = stride**merged
    kernel = 2 * stride
    depth = merged + draw.choice([0, 1, 1, 2])
    rate = draw.choice([8_000, 16_000, 44_100])
    frames = draw.choice([draw.randint(20, 199), draw.randint(200, 450)])
    return {
        "sources": [f"stem{i}" for i in range(draw.choice([1, 2, 4]))],
        "channels": draw.choice([8, 16]) if depth > 4 else draw.choice([16, 24, 32]),
        "growth": 2,
        "depth": depth,
        "kernel_size": kernel,
        "stride": stride,
        "time_stride": draw.choice([2, 2, 2, 4]),
        "nfft": 4 * hop,
        "rewrite": draw.random() < 0.9,
        "hybrid_old": draw.random() < 0.4,
        "freq_emb": draw.choice([0.2, 0.2, 0.7, 0]),
        "emb_scale": draw.choice([10, 3]),
        "context": draw.choice([1, 1, 0, 2]),
        "context_enc": draw.choice([0, 0, 1]),
        "norm_starts": draw.randint(0, depth),
        "norm_groups": draw.choice([4, 2, 1]),
        "dconv_mode": draw.choice([1, 1, 3, 2, 0]),
        "dconv_depth": draw.choice([2, 2, 1, 3, -2]),
        "dconv_comp": draw.choice([4, 2]),
        "dconv_lstm": draw.randint(1, depth),
        "dconv_attn": draw.randint(1, depth),
        "samplerate": rate,
        "segment": Fraction(frames * hop + draw.randint(0, hop), rate),
    }


def runs(kwargs: Kwargs, klass: type[Network]) -> Network | None:
    """The network, or ``None`` when the oracle cannot build or run it."""
    try:
        model = build(kwargs, klass=klass)
        with torch.no_grad():
            model(torch.zeros(1, 2, 1_000))
    except (AssertionError, RuntimeError, ValueError, TypeError, IndexError):
        return None
    return model


def random_input(draw: random.Random, kwargs: Kwargs, name: str) -> torch.Tensor:
    """Noise or an excerpt of the song [2, samples], from a fraction of a segment to three segments."""
    segment = int(kwargs["segment"] * kwargs["samplerate"])
    samples = draw.choice([segment, segment + 1, segment - 1, draw.randint(2, segment), draw.randint(segment, 3 * segment)])
    if draw.random() < 0.5:
        return noise(name, 2, samples)
    start = draw.randint(300_000, song().shape[-1] - samples)
    return song()[:, start : start + samples]


def snr(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Signal-to-noise ratio in dB; infinite when equal."""
    if reference.shape != estimate.shape:
        return -math.inf
    error = float(np.sum((estimate.astype(np.float64) - reference) ** 2))
    return 10 * math.log10(float(np.sum(reference.astype(np.float64) ** 2)) / error) if error else math.inf


def trial(cli: Path, klass: type[Network], seed: int, folder: Path) -> tuple[dict[str, float], dict[str, Any], str]:
    """One comparison: SNR of each stem, what was tried, and what the command said if it failed."""
    draw = random.Random(seed)
    model = None
    while model is None:
        kwargs = (random_kwargs if klass is HTDemucs else random_hdemucs_kwargs)(draw)
        model = runs(kwargs, klass)
    mix = random_input(draw, kwargs, f"fuzz.{seed}")
    overlap = draw.choice([0.25, 0.25, 0.1, 0.5])
    tried = {"kwargs": encode(kwargs), "samples": mix.shape[-1], "overlap": overlap}

    save_model(model, kwargs, folder / "model.safetensors")
    soundfile.write(folder / "input.wav", mix.T.numpy(), kwargs["samplerate"], subtype="FLOAT")
    settings = {"shifts": 0, "split": True, "overlap": overlap}
    with torch.no_grad():
        _, expected = separator(model, settings).separate_tensor(mix)

    fixed = ["--float32", "--clip-mode", "none", "--shifts", "0", "--filename", "{stem}.{ext}"]
    command = [str(cli), "separate", "-n", str(folder / "model.safetensors"), *fixed, "--overlap", str(overlap)]
    done = subprocess.run([*command, "-o", str(folder / "out"), str(folder / "input.wav")], capture_output=True, text=True)
    if done.returncode != 0:
        return {}, tried, f"exit {done.returncode}: {done.stderr.strip()[-500:]}"
    found = {}
    for name, stem in expected.items():
        path = next((folder / "out").rglob(f"{name}.wav"), None)
        estimate = np.zeros((0, 0)) if path is None else soundfile.read(path, dtype="float32", always_2d=True)[0].T
        found[name] = snr(stem.numpy(), estimate)
    return found, tried, ""


def main() -> int:
    """The command; 1 when some trial failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cli", type=Path, required=True)
    parser.add_argument("--network", choices=["htdemucs", "hdemucs"], default="htdemucs")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="the first trial has this seed, the next the one after it")
    parser.add_argument("--min-snr", type=float, default=105.0)
    parser.add_argument("--keep", type=Path, help="keep the files of each trial below this folder")
    options = parser.parse_args()
    torch.set_num_threads(1)
    klass = HDemucs if options.network == "hdemucs" else HTDemucs

    failures = 0
    for seed in range(options.seed, options.seed + options.count):
        with tempfile.TemporaryDirectory() as scratch:
            folder = options.keep / str(seed) if options.keep else Path(scratch)
            folder.mkdir(parents=True, exist_ok=True)
            found, tried, message = trial(options.cli.resolve(), klass, seed, folder)
        worst = min(found.values(), default=-math.inf)
        failed = not worst >= options.min_snr
        failures += failed
        print(f"seed {seed}: worst stem {worst:.1f} dB {'FAILED' if failed else 'ok'} {message}", flush=True)
        if failed:
            print(f"  again: --seed {seed} --count 1\n  {json.dumps(tried)}", flush=True)
    print(f"{failures} of {options.count} trials failed")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
