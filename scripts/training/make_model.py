"""One command from nothing to a model: voices, bank, songs, training, evaluation.

    python make_model.py WORK_DIR --shared SHARED_DIR --soundfont FluidR3Mono_GM.sf3 --minutes 25
    python make_model.py WORK_DIR --smoke

`SHARED_DIR` holds `instruments/` and `music/`. Whatever is missing is done without: with nothing at all, our own
synthesisers play every stem. `--smoke` runs every step on the CPU with a tiny network, in under two minutes, and fails
unless that network learns to separate a fixed mixture, every stem of it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def run(script: str, *arguments: object) -> None:
    """Run one step to its end; a failure ends everything."""
    command = [sys.executable, str(HERE / script), *(str(a) for a in arguments)]
    print("+", script, *arguments, flush=True)
    subprocess.run(command, check=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path, help="a folder with room: 5 GB for the bank, 3 GB for waiting songs")
    parser.add_argument("--shared", type=Path, help="folder with instruments/ and music/")
    parser.add_argument("--soundfont", type=Path, action="append", default=[])
    parser.add_argument("--gus", type=Path, help="folder of GUS patches (/usr/share/midi/freepats)")
    parser.add_argument("--start", type=Path, help="checkpoint to start from")
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--gpus", type=int, default=1)
    parser.add_argument("--workers", type=int, default=max(1, min(44, (os.cpu_count() or 2) - 2)))
    rates = "highest learning rate (default: 8e-4; with --start 5e-4 on four GPUs, less on fewer)"
    parser.add_argument("--rate", type=float, help=rates)
    parser.add_argument("--seed", type=int, default=1, help="of songs, patches and voices: another one for each go")
    parser.add_argument("--smoke", action="store_true")
    return parser.parse_args()


def main() -> None:
    options = parse()
    smoke, work = options.smoke, options.work
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    work.mkdir(parents=True, exist_ok=True)
    voices, bank, spool, real = work / "voices", work / "bank", work / "spool", work / "real"
    validation, out = work / "validation", work / "out"
    for stale in (spool, out):
        shutil.rmtree(stale, ignore_errors=True)

    speakers = [program for program in ("flite", "espeak-ng", "text2wave") if shutil.which(program)]
    if speakers and not smoke and not voices.exists():
        run("voices.py", voices, "--lines", 9, "--sung", 5, "--seed", options.seed, "--jobs", options.workers)
    # Of some stems there are four times as many.
    patches = 5 if smoke else 200
    sources: list[object] = ["--patches", patches, "--first-patch", 4 * options.seed * patches, "--jobs", options.workers]
    if options.shared and not smoke:
        sources += ["--instruments", options.shared / "instruments"]
        for flags in ([], ["--held-out"]):
            run("music.py", options.shared / "music", real, *flags)
    if voices.exists() and not smoke:
        sources += ["--voices", voices]
    sources += ["--gus", options.gus] if options.gus else []
    for font in options.soundfont:
        sources += ["--soundfont", font]
    if not (bank / "index.json").exists():
        run("bank.py", bank, *sources)

    seconds = 5 if smoke else 24
    if not validation.exists():
        run("feeder.py", bank, validation, "--held-out", 1 if smoke else 12, "--seconds", seconds, "--workers", options.workers)
    feeder = subprocess.Popen(
        [sys.executable, str(HERE / "feeder.py"), str(bank), str(spool), "--workers", str(1 if smoke else options.workers)]
        + ["--gpus", str(options.gpus), "--seconds", str(seconds), "--seed", str(options.seed), "--until", str(out / "started")]
        + ["--early", str(0 if smoke else options.workers)]
    )
    training: list[object] = ["--seed", options.seed, "--seconds", seconds]
    training += ["--spool", spool, "--out", out, "--validation", validation]
    if smoke:
        training += ["--tiny", "--no-compile", "--device", "cpu", "--slots", 4, "--warm-up", 5, "--rate", 3e-2]
    else:
        training += ["--minutes", options.minutes, "--gpus", options.gpus, "--batch", 16, "--score-every", 400]
        # Larger batches bear larger steps: the root of their size.
        warm = 5e-4 * min(1.0, (options.gpus / 4) ** 0.5)
        training += ["--rate", options.rate or (warm if options.start else 8e-4)]
        training += ["--real", real] if real.exists() else []
        training += ["--start", options.start] if options.start else []
    try:
        if smoke:
            training += ["--batch", 1, "--first", 2]
            run("train.py", *training, "--overfit", 1, "--steps", 30, "--expect", 0.25)
            shutil.rmtree(out)
            # The second optimiser in passing; the first had the check above.
            training += ["--steps", 5, "--optimiser", "adamw"]
        elif options.start:
            training += ["--begin-at", 1, "--hold", 0.2, "--warm-up", 300]
        run("train.py", *training)
    finally:
        feeder.terminate()
        feeder.wait()
    model = work / "open_6s.safetensors"
    run("quantise.py", out / "open_6s.safetensors", model)
    run("evaluate.py", validation, "--model", model, "--json", work / "scores.json")
    print(f"the model: {model}")


if __name__ == "__main__":
    main()
