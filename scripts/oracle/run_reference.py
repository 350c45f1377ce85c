#!/usr/bin/env python3
"""Separate a file with the oracle and write each stem as float32 .npy [channels, samples].

    run_reference.py --model model.safetensors --input song.wav --out DIR [--shifts 0] [--overlap 0.25] [--segment S]
        [--dtype float32|float64] [--threads N] [--time] [--taps DIR]

The track is normalised as demucs' Separator does. With ``--taps`` the first segment also goes through the network alone, and
every tap is written as NNNN-NAME.npy in execution order: the input of compare_taps.py. Nothing is resampled.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
import torch  # noqa: E402

from oracle.networks import Network  # noqa: E402
from oracle.quantised import load_model  # noqa: E402
from oracle.subject_apply import logged_offsets, separator  # noqa: E402
from oracle.taps import run_network  # noqa: E402


def read_audio(path: Path, model: Network) -> torch.Tensor:
    """A file as [channels, samples] float32 at the rate and with the channels of the model (mono is copied)."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    wav = torch.from_numpy(samples.T.copy())
    if rate != model.samplerate:
        raise SystemExit(f"{path}: {rate} Hz, the model wants {model.samplerate} Hz; resample it first")
    if wav.shape[0] == 1:
        wav = wav.repeat(model.audio_channels, 1)
    if wav.shape[0] != model.audio_channels:
        raise SystemExit(f"{path}: {wav.shape[0]} channels, the model wants {model.audio_channels}")
    return wav


def write_taps(model: Network, wav: torch.Tensor, folder: Path) -> None:
    """The taps of one forward pass over the first segment of the normalised track."""
    folder.mkdir(parents=True, exist_ok=True)
    reference = wav.mean(0)
    mix = (wav - reference.mean()) / (reference.std() + 1e-8)
    count = 0

    def sink(name: str, value: torch.Tensor) -> None:
        nonlocal count
        np.save(folder / f"{count:04d}-{name}.npy", value.float().numpy())
        count += 1

    run_network(model, mix[None, :, : int(model.segment * model.samplerate)], sink)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="demucs 4.1 safetensors")
    parser.add_argument("--input", type=Path, required=True, help="audio at the rate of the model")
    parser.add_argument("--out", type=Path, required=True, help="folder of the stems")
    parser.add_argument("--overlap", type=float, default=0.25)
    parser.add_argument("--shifts", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0, help="of the shifts")
    parser.add_argument("--segment", type=float, help="seconds, at most those of the model")
    parser.add_argument("--taps", type=Path, help="folder of the taps of the first segment")
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--time", action="store_true", help="print JSON with the seconds taken")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    kind = getattr(torch, options.dtype)
    model = load_model(options.model).eval().to(kind)
    wav = read_audio(options.input, model).to(kind)
    if options.taps:
        write_taps(model, wav, options.taps)

    random.seed(options.seed)
    settings = {"shifts": options.shifts, "overlap": options.overlap, "split": True, "segment": options.segment}
    start = time.perf_counter()
    with torch.no_grad(), logged_offsets() as offsets:
        _, stems = separator(model, settings).separate_tensor(wav)
    seconds = time.perf_counter() - start

    options.out.mkdir(parents=True, exist_ok=True)
    for name, stem in stems.items():
        np.save(options.out / f"{name}.npy", stem.float().numpy())
    if options.time:
        audio = wav.shape[-1] / model.samplerate
        facts = {"seconds": seconds, "audio_seconds": audio, "threads": options.threads, "offsets": offsets}
        print(json.dumps(facts))


if __name__ == "__main__":
    main()
