"""Processes and the clocks around them. Nothing but the standard library: the driver has to stay small.

A child's peak memory, as the kernel counts it, is never below what its parent held when the child was started.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TICK = os.sysconf("SC_CLK_TCK")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Failure(Exception):
    """A contestant did not do what it was asked to do."""


def environment(threads: int) -> dict[str, str]:
    """This process' environment with the number of threads that libraries go by.

    Without this machine's settings for OpenBLAS, which would choose its kernels against the processor.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    return {**kept, **dict.fromkeys(THREAD_VARIABLES, str(threads))}


@dataclass
class Finished:
    """A command that has ended."""

    output: str
    seconds: float
    peak: int
    """Bytes of its resident set at their highest."""


def run(command: list[str], threads: int) -> Finished:
    """Runs a command to its end, its start-up in the clock.

    Raises ``Failure`` with the last line of its standard error when it fails.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=environment(threads))
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            lines = errors.read().strip().splitlines()
            raise Failure(f"exit {process.returncode}: {lines[-1] if lines else 'nothing on standard error'}"[:300])
        return Finished(output.read(), seconds, usage.ru_maxrss * 1024)


class Worker:
    """A rival in a process of its own (``worker.py``), which sleeps until it is asked something."""

    def __init__(self, command: list[str], threads: int, log: Path, patience: float) -> None:
        """Starts the process and waits until it is ready, ``patience`` seconds at most, as for every answer."""
        self.patience = patience
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment(threads)
            )
        self.answer()

    def ask(self, line: str) -> dict[str, Any]:
        """What the worker answers; ``Failure`` if that is an error."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failure(self.ended()) from None
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """The next line of the worker."""
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(self.patience):
                self.process.kill()
                raise Failure(f"no answer within {self.patience:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            raise Failure(self.ended())
        found: dict[str, Any] = json.loads(line)
        if "error" in found:
            raise Failure(found["error"])
        return found

    def ended(self) -> str:
        """How the process has ended."""
        code = self.process.wait()
        return f"ended by signal {-code}" if code < 0 else f"ended with exit status {code}"

    def close(self) -> None:
        """Lets the process end: it does when there is nothing more to read."""
        self.process.communicate()

    def processor_seconds(self) -> float:
        """Processor time that it has taken so far, by all its threads; 0 once it is gone."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / TICK


def busy_seconds() -> float:
    """Processor time that everything on this machine has taken since its start, or its host has kept from it."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle, waiting = fields[3], fields[4]
    return (sum(fields) - idle - waiting) / TICK


def own_seconds() -> float:
    """Processor time of this process and of those of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@dataclass
class Turn:
    """One contestant's turn."""

    result: Any
    foreign: float
    """Share of the machine's cores that no contestant used: other programs, and the host."""
    idlers: float
    """Processor seconds that the contestants took whose turn it was not."""


def take_turn(action: Callable[[], Any], actor: Worker | None, others: Iterable[Worker]) -> Turn:
    """Does ``action``, by ``actor`` or by a child process of its own, and says who else was at work meanwhile."""
    others = list(others)

    def clocks() -> tuple[float, float, float, float]:
        own = own_seconds() + (actor.processor_seconds() if actor else 0.0)
        return time.perf_counter(), busy_seconds(), own, sum(other.processor_seconds() for other in others)

    before = clocks()
    result = action()
    wall, busy, own, idlers = (now - then for now, then in zip(clocks(), before, strict=True))
    foreign = max(0.0, busy - own - idlers) / (wall * (os.cpu_count() or 1))
    return Turn(result, foreign, idlers)
