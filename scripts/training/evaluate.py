"""Score a model, or folders of stems that any program wrote, on songs with known stems.

Usage: python evaluate.py TRUTH... --model CHECKPOINT [--program demucs-cli] [--json FILE]
       python evaluate.py TRUTH... --estimates DIR           (DIR/SONG/STEM.wav, as `demucs-cli separate` lays them out)

A TRUTH is a folder of `.npy` songs (feeder.py --held-out), a folder with drums.flac, bass.ogg, ..., or such a folder with
a time range: `music/rubidium@60+60` is 60 s from second 60.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

import network
import scores
from stems import RATE, STEMS
from truth import songs_of


def run_program(program: Path, checkpoint: Path, mix: Tensor) -> Tensor:
    """What `demucs-cli` makes of a mixture [2, samples] with a checkpoint: [6, 2, samples]."""
    with tempfile.TemporaryDirectory() as folder:
        song = Path(folder) / "mix.wav"
        soundfile.write(song, mix.T.numpy(), RATE, subtype="FLOAT")
        options = ["--out", folder, "--float32", "--clip-mode", "none", "--quiet", "--filename", "{stem}.{ext}"]
        subprocess.run([program, "separate", song, "--name", checkpoint, *options], check=True, capture_output=True)
        stems = [soundfile.read(next(Path(folder).glob(f"*/{stem}.wav")), dtype="float32")[0] for stem in STEMS]
        return torch.from_numpy(np.stack(stems).transpose(0, 2, 1).copy())


def table(title: str, rows: dict[str, dict[str, float]]) -> str:
    """A Markdown table with one column a stem."""
    lines = [f"| {title} | " + " | ".join(STEMS) + " | mean |", "|---" * (len(STEMS) + 2) + "|"]
    for name, row in rows.items():
        cells = [f"{row[stem]:.1f}" if stem in row else "-" for stem in STEMS]
        mean = f"{sum(row.values()) / len(row):.2f}" if row else "-"
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {mean} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("truth", nargs="+")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", type=Path)
    source.add_argument("--estimates", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--program", type=Path, help="separate with this demucs-cli instead of PyTorch")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = network.Network(network.load(options.model)[0].eval()) if options.model and not options.program else None
    report: dict[str, dict] = {}
    for truth in options.truth:
        ours, sixths, masks, named = [], [], [], {}
        for name, stems in songs_of(truth):
            mix = stems.sum(0)
            if options.program:
                estimate = run_program(options.program, options.model, mix)
            elif model is not None:
                estimate = network.separate_song(model, mix)
            else:
                estimate = scores.recorded_song(options.estimates / name)[..., : mix.shape[-1]]
            named[name] = scores.score_song(stems, estimate)
            ours.append(named[name])
            sixths.append(scores.score_song(stems, (mix / 6).expand_as(stems)))
            masks.append(scores.score_song(stems, scores.ideal_masks(stems)))
        rows = {"nSDR, dB": scores.mean_scores(ours), "mixture / 6": scores.mean_scores(sixths)}
        rows["ideal masks"] = scores.mean_scores(masks)
        rows["zero"] = {stem: 0.0 for stem in rows["nSDR, dB"]}
        print(table(f"{truth}, {len(ours)} songs", rows))
        if leaks := scores.mean_scores(ours, "leak_db"):
            print("silent in the truth, dBFS: " + ", ".join(f"{stem} {value:.1f}" for stem, value in leaks.items()))
        print(flush=True)
        report[truth] = {"songs": named, "rows": rows, "leak_db": leaks}
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
