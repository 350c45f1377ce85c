"""Many processes that compose songs without end and leave them in a folder for each GPU.

Usage: python feeder.py BANK_DIR SPOOL_DIR --workers 56 --gpus 4
       python feeder.py BANK_DIR OUT_DIR --held-out 12        (an evaluation set, then stop)
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from multiprocessing import Process
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np  # noqa: E402

from bank import load_bank  # noqa: E402
from songs import Orchestra, make_song  # noqa: E402
from stems import STEMS  # noqa: E402

BACKLOG = 24
"""Songs that may wait for one GPU before its workers pause."""


def write_song(song: np.ndarray, path: Path) -> None:
    partial = path.with_suffix(".part")
    with open(partial, "wb") as file:
        np.save(file, song)
    partial.rename(path)


def sparseness(seed: int) -> float:
    """Some songs are full, in most some stems rest for a section or two."""
    return (0.05, 0.15, 0.3, 0.45)[seed % 4]


def is_playable(orchestra: Orchestra) -> bool:
    return all(orchestra.by_stem[stem] for stem in STEMS)


def work(number: int, bank: Path, spool: Path, gpus: int, seconds: float, seed: int) -> None:
    """One worker: song after song; looks for new pieces of the bank between songs."""
    indexes: list[str] = []
    orchestra: Orchestra | None = None
    folder = spool / f"gpu{number % gpus}"
    count = 0
    while True:
        found = sorted(p.name for p in bank.glob("*.json"))
        if found != indexes:
            orchestra, indexes = Orchestra.of(load_bank(bank), held_out=False), found
        if orchestra is None or not is_playable(orchestra) or len(list(folder.glob("*.npy"))) >= BACKLOG:
            time.sleep(0.2)
            continue
        name = seed * 10_000_000 + number * 100_000 + count
        count += 1
        try:
            write_song(make_song(orchestra, name, seconds, sparseness(name)), folder / f"{name}.npy")
        except Exception as problem:
            print(f"feeder: song {name} left out: {problem!r}", flush=True)


def evaluation_job(bank: Path, out: Path, number: int, seconds: float) -> None:
    orchestra = Orchestra.of(load_bank(bank), held_out=True)
    write_song(make_song(orchestra, f"held out {number}", seconds, sparseness(number)), out / f"song{number:03d}.npy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bank", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--gpus", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=24.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--held-out", type=int, default=0, metavar="N", help="write N songs of held-out instruments and stop")
    parser.add_argument("--from", dest="begin", type=int, default=0, help="number of the first held-out song")
    options = parser.parse_args()
    if options.held_out:
        options.out.mkdir(parents=True, exist_ok=True)
        jobs = [(options.bank, options.out, n, options.seconds) for n in range(options.begin, options.begin + options.held_out)]
        processes = [Process(target=evaluation_job, args=job) for job in jobs]
        for first in range(0, len(processes), options.workers):
            for process in processes[first : first + options.workers]:
                process.start()
            for process in processes[first : first + options.workers]:
                process.join()
        return
    # A terminated feeder takes its workers along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for gpu in range(options.gpus):
        (options.out / f"gpu{gpu}").mkdir(parents=True, exist_ok=True)
    arguments = (options.bank, options.out, options.gpus, options.seconds, options.seed)
    processes = [Process(target=work, args=(n, *arguments), daemon=True) for n in range(options.workers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


if __name__ == "__main__":
    main()
