"""Many processes that compose songs without end and leave them in a folder for each GPU.

A song that takes longer than LIMIT seconds is given up: no fault of a player may stop the others. Twice a minute the feeder says
how many songs there were, and how many a minute.

Usage: python feeder.py BANK_DIR SPOOL_DIR --workers 24 --gpus 4 [--early 32 --until OUT/started]
       python feeder.py BANK_DIR OUT_DIR --held-out 12        (an evaluation set, then stop)
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from multiprocessing import Process, Value
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np  # noqa: E402

from bank import load_bank  # noqa: E402
from songs import Orchestra, make_song  # noqa: E402
from stems import STEMS  # noqa: E402

BACKLOG = 60
"""Songs that may wait for one GPU before its workers pause."""

LIMIT = 120
"""Seconds that a song may take; one that takes longer is left out, whatever it hangs in."""


class SongTooSlow(Exception):
    """A song was not done within its limit."""


def too_slow(*_: object) -> None:
    raise SongTooSlow(f"not done within {LIMIT} s")


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


def work(number: int, bank: Path, spool: Path, gpus: int, seconds: float, seed: int, made: Synchronized, until: Path | None) -> None:
    """One worker: song after song, until there is a file UNTIL; looks for new pieces of the bank between songs."""
    signal.signal(signal.SIGALRM, too_slow)
    # The trainer's processes come first.
    os.nice(15)
    indexes: list[str] = []
    orchestra: Orchestra | None = None
    folder = spool / f"gpu{number % gpus}"
    count = 0
    while until is None or not until.exists():
        found = sorted(p.name for p in bank.glob("*.json"))
        if found != indexes:
            orchestra, indexes = Orchestra.of(load_bank(bank), held_out=False), found
        if orchestra is None or not is_playable(orchestra) or len(list(folder.glob("*.npy"))) >= BACKLOG:
            time.sleep(0.2)
            continue
        name = seed * 10_000_000 + number * 100_000 + count
        count += 1
        try:
            signal.alarm(LIMIT)
            song = make_song(orchestra, name, seconds, sparseness(name))
            signal.alarm(0)
            write_song(song, folder / f"{name}.npy")
            with made.get_lock():
                made.value += 1
        except Exception as problem:
            signal.alarm(0)
            print(f"feeder: song {name} left out: {problem!r}", flush=True)


def watch(processes: list[Process], made: Synchronized, every: float = 30.0) -> None:
    """Say how many songs there are, and how many a minute, as long as a worker lives."""
    before, alive = 0, len(processes)
    while alive:
        time.sleep(every)
        alive = sum(process.is_alive() for process in processes)
        count = made.value
        rate = 60 * (count - before) / every
        print(f"{time.strftime('%H:%M:%S')} feeder: {count} songs, {rate:.0f} a minute, {alive} workers", flush=True)
        before = count


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
    parser.add_argument("--early", type=int, default=0, help="more workers, until UNTIL exists: while a GPU is still compiling")
    parser.add_argument("--until", type=Path, help="a file that train.py writes at its first step (OUT/started)")
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
    made = Value("L")
    arguments = (options.bank, options.out, options.gpus, options.seconds, options.seed, made)
    processes = []
    for number in range(options.workers + options.early):
        until = options.until if number >= options.workers else None
        processes.append(Process(target=work, args=(number, *arguments, until), daemon=True))
    for process in processes:
        process.start()
    watch(processes, made)


if __name__ == "__main__":
    main()
