#!/usr/bin/env python3
"""Measure demucs-cli against its rivals: on the same audio with the same weights and threads, in turns, one at a time.

    scripts/bench_peers [--runs 5] [--threads "2 1"] [--song-seconds 180] [--skip RIVAL] [--binary PATH] [--out FILE]

Writes docs/benchmarks.md. Takes about 20 minutes with the defaults on 2 cores, and 12 GB of memory: every rival stays loaded,
asleep, while another has its turn. Use a machine with nothing else to do; how busy others were is measured, and stated.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from peers import measure, report  # noqa: E402
from peers.measure import Failure, Worker, take_turn  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(__file__).resolve().parent
RIVALS = ("torch-fp32", "torch-bf16", "torch-compile", "onnx")
SKIPPABLE = (*RIVALS, "torch-fp64", "demucs")
DEFAULT_PRESET = "htdemucs_6s"
SETTLING = 3  # turns of each rival before the first round: ONNX Runtime is at its speed after two or three segments
PAUSE = 0.5  # seconds between turns, for threads that still spin and pages that are still freed


def say(text: str) -> None:
    """Progress, on standard error."""
    print(f"bench_peers: {text}", file=sys.stderr, flush=True)


def command_output(*command: str) -> str:
    """What a command prints; empty if it cannot be run."""
    try:
        variables = {**os.environ, "LC_ALL": "C"}
        done = subprocess.run(command, capture_output=True, text=True, env=variables, cwd=ROOT, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def machine() -> dict[str, Any]:
    """The processor and the memory, and nothing that tells one such machine from another."""
    lines = (line.partition(":") for line in command_output("lscpu").splitlines())
    facts = {key.strip(): value.strip() for key, _, value in lines}
    kept = ("Model name", "CPU(s)", "Thread(s) per core", "L2 cache", "L3 cache", "Hypervisor vendor")
    found: dict[str, Any] = {key: facts[key] for key in kept if key in facts}
    flags = set(facts.get("Flags", "").split())
    found["instructions"] = [name for name in ("avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16") if name in flags]
    memory = Path("/proc/meminfo").read_text().split("\n", 1)[0].split()[1]
    return {**found, "memoryBytes": int(memory) * 1024}


def software(options: argparse.Namespace) -> dict[str, str]:
    """What was measured, by version; the versions of the rivals are in prepared.json."""
    found = {"demucs-cli": command_output(str(options.binary), "--version")}
    if options.built:
        commit = command_output("git", "rev-parse", "--short", "HEAD")
        changed = command_output("git", "status", "--porcelain", "--", "Sources", "Package.swift")
        found["commit"] = commit + (" with changes" if changed else "")
        found["Swift"] = command_output("swift", "--version").split(" (")[0].removeprefix("Swift version ")
    else:
        found["commit"] = "unknown (--binary)"
    # The library is loaded when it is needed: its headers, and with them pkg-config's file, need not be there.
    found["OpenBLAS"] = command_output("dpkg-query", "--show", "--showformat=${Version}", "libopenblas0").partition("+")[0]
    found["FFTW"] = command_output("pkg-config", "--modversion", "fftw3f")
    found["Python"] = platform.python_version()
    return {name: value for name, value in found.items() if value}


class Series:
    """What one contestant did, turn by turn."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.seconds: list[float] = []
        self.foreign: list[float] = []
        self.idlers: list[float] = []
        self.facts: dict[str, Any] = {}

    def add(self, turn: measure.Turn, seconds: float) -> None:
        """One more turn."""
        self.seconds.append(seconds)
        self.foreign.append(turn.foreign)
        self.idlers.append(turn.idlers)

    def document(self) -> dict[str, Any]:
        """For the results' file."""
        return {"seconds": self.seconds, "foreign": self.foreign, "idlers": self.idlers, **self.facts}


class Comparison:
    """All measurements, one after another."""

    def __init__(self, options: argparse.Namespace, folder: Path, facts: dict[str, Any]) -> None:
        """``folder`` is what prepare.py has filled, ``facts`` what it says about that."""
        self.options = options
        self.folder = folder
        self.facts = facts
        self.model = folder / f"{facts['name']}.safetensors"
        self.stems = folder / "stems"
        self.scratch = folder / "scratch"

    def bench(self, threads: int, *more: str) -> list[str]:
        """Our own ``bench`` as a command."""
        audio = str(self.folder / "segment.wav")
        return [str(self.options.binary), "bench", "-n", str(self.model), "-j", str(threads), "--input", audio, *more]

    def start(self, rival: str, threads: int) -> Worker:
        """A rival, loaded."""
        command = [sys.executable, str(TOOLS / "worker.py"), "--rival", rival, "--threads", str(threads)]
        command += ["--folder", str(self.folder), "--model", str(self.model)]
        log = self.folder / f"{rival}.{threads}.log"
        return Worker(command, threads, log, self.options.patience)

    def segments(self, threads: int, with_stems: bool) -> dict[str, Any]:
        """Segments in turns. With ``with_stems`` the rivals also write theirs, behind the clock."""
        series = {"ours": Series(), **{name: Series() for name in RIVALS if name not in self.options.skip}}
        workers: dict[str, Worker] = {}
        for name in list(series)[1:]:
            say(f"-j {threads}: starting {name}")
            try:
                if name == "onnx" and "exportError" in self.facts:
                    raise Failure(self.facts["exportError"])
                begun = time.perf_counter()
                workers[name] = self.start(name, threads)
                for _ in range(SETTLING):
                    workers[name].ask("run")
                series[name].facts["startSeconds"] = time.perf_counter() - begun
            except Failure as failure:
                self.drop(name, failure, series, workers)
        for index in range(self.options.runs):
            for name in [name for name in series if name == "ours" or name in workers]:
                time.sleep(PAUSE)
                try:
                    self.segment(name, threads, series, workers)
                except Failure as failure:
                    if name == "ours":
                        raise
                    self.drop(name, failure, series, workers)
                else:
                    say(f"-j {threads}, round {index + 1}: {name} {series[name].seconds[-1]:.3f} s")
        for name, worker in list(workers.items()):
            try:
                series[name].facts["peakBytes"] = worker.ask("peak")["bytes"]
                if with_stems:
                    worker.ask(f"separate {self.stems / name}.npy")
            except Failure as failure:
                self.drop(name, failure, series, workers)
            worker.close()
        table = measure.run(self.bench(threads, "--runs", str(self.options.runs)), threads).output
        return {"series": {name: one.document() for name, one in series.items()}, "table": table.rstrip()}

    def drop(self, name: str, failure: Failure, series: dict[str, Series], workers: dict[str, Worker]) -> None:
        """A rival that has failed is out of the comparison, and the tables say why."""
        say(f"{name} failed: {failure}")
        series[name].facts["error"] = str(failure)
        if name in workers:
            workers.pop(name).close()

    def segment(self, name: str, threads: int, series: dict[str, Series], workers: dict[str, Worker]) -> None:
        """One turn: a segment that does not count, then one that does, whoever it is."""
        others = [worker for other, worker in workers.items() if other != name]
        if name != "ours":
            turn = take_turn(lambda: workers[name].ask("run"), workers[name], others)
            series[name].add(turn, turn.result["seconds"])
            return
        command = self.bench(threads, "--runs", "1", "--warmup", "1", "--json")
        turn = take_turn(lambda: measure.run(command, threads), None, others)
        found = json.loads(turn.result.output)
        ours = series["ours"]
        ours.add(turn, found["seconds"][0])
        ours.facts["peakBytes"] = max(found["peakMemoryBytes"], ours.facts.get("peakBytes", 0))
        ours.facts["commandPeakBytes"] = max(turn.result.peak, ours.facts.get("commandPeakBytes", 0))
        ours.facts["instructionSet"] = found["instructionSet"]

    def commands(self, threads: int) -> dict[str, Any]:
        """Whole commands in turns: start-up, a song, stems on the disk, the end."""
        name, song = self.facts["name"], str(self.folder / "song.wav")
        out = ["--shifts", "0", "-o", str(self.scratch), song]
        demucs = [sys.executable, "-m", "demucs", "--repo", str(self.folder / "repo"), "-n", name, "-d", "cpu", *out]
        ours = [str(self.options.binary), "separate", "-n", str(self.model), "-j", str(threads), "--quiet", *out]
        contestants = {"ours": ours, "demucs": demucs}
        series = {name: Series() for name in contestants}
        for index in range(self.options.song_runs):
            for name, command in contestants.items():
                if "error" in series[name].facts:
                    continue
                time.sleep(PAUSE)
                shutil.rmtree(self.scratch, ignore_errors=True)
                self.scratch.mkdir()
                try:
                    turn = take_turn(lambda command=command: measure.run(command, threads), None, [])
                    written = len(list(self.scratch.rglob("*.wav")))
                    if written != len(self.facts["sources"]):
                        raise Failure(f"{written} stems written")
                except Failure as failure:
                    if name == "ours":
                        raise
                    say(f"{name} failed: {failure}")
                    series[name].facts["error"] = str(failure)
                    continue
                series[name].add(turn, turn.result.seconds)
                facts = series[name].facts
                facts["peakBytes"] = max(turn.result.peak, facts.get("peakBytes", 0))
                say(f"-j {threads}, whole command, round {index + 1}: {name} {turn.result.seconds:.2f} s")
        shutil.rmtree(self.scratch, ignore_errors=True)
        return {"series": {name: one.document() for name, one in series.items()}}

    def accuracy(self, threads: int) -> dict[str, Any]:
        """Signal-to-noise ratios; the stems of the rivals, but for those of float64, are there."""
        if "torch-fp64" not in self.options.skip:
            say("float64")
            try:
                worker = self.start("torch-fp64", threads)
                worker.ask(f"separate {self.stems / 'torch-fp64'}.npy")
                worker.close()
            except Failure as failure:
                say(f"torch-fp64 failed: {failure}")
        command = [str(self.options.binary), "separate", "-n", str(self.model), "-j", str(threads), "--quiet"]
        command += ["--float32", "--clip-mode", "none", "--shifts", "0", "--overlap", "0", "--filename", "{stem}.{ext}"]
        measure.run([*command, "-o", str(self.scratch), str(self.folder / "segment.wav")], threads)
        (self.scratch / self.facts["name"]).rename(self.stems / "ours")
        shutil.rmtree(self.scratch)
        tool = [sys.executable, str(TOOLS / "accuracy.py"), "--folder", str(self.folder), "--stems", str(self.stems)]
        return json.loads(measure.run(tool, threads).output)

    def all(self) -> dict[str, Any]:
        """Everything, as the report wants it."""
        for folder in (self.stems, self.scratch):
            shutil.rmtree(folder, ignore_errors=True)
        self.stems.mkdir()
        counts = self.options.threads
        segments = {str(count): self.segments(count, with_stems=count == counts[0]) for count in counts}
        accuracy = self.accuracy(counts[0])
        shutil.rmtree(self.stems)
        whole = self.options.song_seconds > 0 and "demucs" not in self.options.skip
        return {
            "segments": segments,
            "accuracy": accuracy,
            # The longest part by far: with most threads alone.
            "commands": {str(max(counts)): self.commands(max(counts))} if whole else {},
        }


def prepare(options: argparse.Namespace) -> tuple[Path, dict[str, Any]]:
    """The folder of weights and audio, and what is in it."""
    say("weights, ONNX export and audio")
    folder = options.cache / options.preset
    command = [sys.executable, str(TOOLS / "prepare.py"), "--folder", str(folder), "--preset", options.preset]
    measure.run([*command, "--song-seconds", str(options.song_seconds)], os.cpu_count() or 1)
    return folder, json.loads((folder / "prepared.json").read_text())


def thread_counts(text: str) -> list[int]:
    """A list such as ``2 1`` or ``2,1``."""
    counts = [int(part) for part in text.replace(",", " ").split()]
    if not counts or min(counts) < 1 or len(set(counts)) < len(counts):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of different numbers of threads")
    return counts


def positive(text: str) -> int:
    """A number of at least 1."""
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{value} is below 1")
    return value


def arguments() -> argparse.Namespace:
    """The command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="scripts/bench_peers", description=__doc__, formatter_class=form)
    parser.add_argument("--runs", type=positive, default=5, help="turns of everybody that count (default: 5)")
    parser.add_argument("--threads", type=thread_counts, default=[2, 1], help='numbers of threads (default: "2 1")')
    parser.add_argument("--song-seconds", type=float, default=180.0, help="of the whole command, with most threads; 0 for none (default: 180)")
    parser.add_argument("--song-runs", type=positive, help="turns of the whole command (default: --runs)")
    parser.add_argument("--skip", action="append", choices=SKIPPABLE, default=[], help="leave one out; may be repeated")
    parser.add_argument("--binary", type=Path, help="a demucs-cli to measure instead of building one")
    parser.add_argument("--out", default=str(ROOT / "docs" / "benchmarks.md"), help="where to write; - to print only")
    parser.add_argument("--preset", default=DEFAULT_PRESET, help="size of the model, as in make_model.py; small for a rehearsal")
    parser.add_argument("--patience", type=float, default=3600.0, help="seconds until a rival that does not answer is given up")
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--built", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.binary is None or options.cache is None:
        parser.error("run this as scripts/bench_peers")
    options.binary = options.binary.resolve()
    options.song_runs = options.song_runs or options.runs
    return options


def shown_command(options: argparse.Namespace) -> str:
    """The command that repeats the comparison, without what only holds on this machine."""
    threads = " ".join(map(str, options.threads))
    words = ["scripts/bench_peers", "--runs", str(options.runs), "--threads", threads]
    words += ["--song-seconds", f"{options.song_seconds:g}", "--song-runs", str(options.song_runs)]
    for name in options.skip:
        words += ["--skip", name]
    if options.preset != DEFAULT_PRESET:
        words += ["--preset", options.preset]
    return shlex.join(words)


def write(text: str, path: Path) -> None:
    """A file that is whole or not there."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def main() -> int:
    """The command; 1 when it is ours that fails."""
    options = arguments()
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(options.cache / "inductor"))
    try:
        folder, facts = prepare(options)
        results = {
            "made": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
            "command": shown_command(options),
            "machine": machine(),
            "software": software(options),
            "model": facts,
            "songSeconds": options.song_seconds,
            **Comparison(options, folder, facts).all(),
        }
    except Failure as failure:
        say(str(failure))
        return 1
    (folder / "results.json").write_text(json.dumps(results, indent=1))
    text = report.markdown(results)
    print(text, end="")
    if options.out != "-":
        write(text, Path(options.out))
        say(f"wrote {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
