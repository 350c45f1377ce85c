#!/usr/bin/env python3
"""The results of bench.py as Markdown: ``report.py RESULTS.json`` prints the page."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from statistics import median
from typing import Any

Results = dict[str, Any]

TITLES = {
    "ours": "**demucs-cli**",
    "torch-fp32": "PyTorch fp32",
    "torch-bf16": "PyTorch bf16 autocast",
    "torch-compile": "`torch.compile` of the network, STFT by PyTorch",
    "onnx": "ONNX Runtime, STFT by PyTorch",
    "torch-fp64": "PyTorch fp64",
    "demucs": "`python -m demucs`",
}
ENOUGH = 5  # rounds, below which a median says little
BUSY = 0.05  # a share of the cores in other hands that puts the figures in doubt


def row(*cells: str) -> str:
    """One line of a table."""
    return "| " + " | ".join(cells) + " |"


def table(head: list[str], rows: list[list[str]], align: str = "---:") -> list[str]:
    """A table; ``align`` is that of the columns behind the first, to the right by default."""
    return [row(*head), row("---", *[align] * (len(head) - 1)), *(row(*cells) for cells in rows)]


def threads_text(count: str) -> str:
    """``1 thread``, ``2 threads``."""
    return f"{count} thread" if count == "1" else f"{count} threads"


def rounds_text(series: dict[str, Any]) -> str:
    """``1 round``, ``5 rounds``."""
    count = len(series["ours"]["seconds"])
    return f"{count} round" if count == 1 else f"{count} rounds"


def without_paths(text: str) -> str:
    """A message without the folders of the machine, fit for a cell of a table."""
    return re.sub(r"(?<![\w.])/(?:[^\s'\"/|]+/)+", "…/", text).replace("|", "\\|")


def memory(found: int | None) -> str:
    """Bytes as whole MB (10^6)."""
    return f"{found / 1e6:.0f} MB" if found else ""


def spread(values: list[float], digits: int) -> str:
    """The least to the greatest."""
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"


def comparison(series: dict[str, Any], digits: int) -> list[str]:
    """The table of contestants that took turns."""
    ours = series["ours"]["seconds"]
    rows = []
    for name, found in series.items():
        times = found["seconds"]
        if "error" in found or not times:
            rows.append([TITLES[name], f"failed: {without_paths(found.get('error', 'no runs'))}", "", "", "", ""])
            continue
        pairs = [theirs / own for theirs, own in zip(times, ours, strict=False)]
        ratio = f"{median(times) / median(ours):.2f}x"
        paired = f"{median(pairs):.2f}x ({spread(pairs, 2)})"
        shown = ["1", ""] if name == "ours" else [ratio, paired]
        seconds = f"{median(times):.{digits}f} s"
        rows.append([TITLES[name], seconds, spread(times, digits), *shown, memory(found.get("peakBytes"))])
    head = ["", "median", "least to greatest", "ratio of medians", "ratio pair by pair: median (range)", "peak memory"]
    return table(head, rows)


def disturbance(series: dict[str, Any]) -> str:
    """How much of the machine others had during the turns."""
    foreign = [share for found in series.values() for share in found["foreign"]]
    idlers = [seconds for found in series.values() for seconds in found["idlers"]]
    text = (
        f"Other programs and the host took {100 * median(foreign):.1f} % of the cores in the median turn,"
        f" {100 * max(foreign):.1f} % in the worst; waiting contestants at most {max(idlers):.2f} s of processor time in a turn."
    )
    if len(series["ours"]["seconds"]) < ENOUGH:
        text += f" **Fewer than {ENOUGH} rounds: a rehearsal, no result.**"
    if median(foreign) > BUSY:
        text += " **The machine was busy: these figures are not to be relied on.**"
    return text


def head_lines(results: Results) -> list[str]:
    """What was measured, where and how."""
    machine, software, model = results["machine"], results["software"], results["model"]
    ours = next(iter(results["segments"].values()))["series"]["ours"]
    versions = model["versions"]
    seconds = model["samples"] / model["rate"]
    rivals = ", ".join(f"{name} {version}" for name, version in versions.items())
    mine = ", ".join(f"{name} {version}" for name, version in software.items() if name != "Python")
    caches = ", ".join(f"{key.split()[0]} {machine[key]}" for key in ("L2 cache", "L3 cache") if key in machine)
    return [
        "# Benchmarks",
        "",
        f"Made on {results['made']} by `{results['command']}`, which measures and writes this page: do not edit it.",
        "",
        *table(
            ["", ""],
            [
                ["processor", f"{machine.get('Model name', 'unknown')}, {machine.get('CPU(s)', '?')} CPUs, {caches}"],
                ["its instructions", ", ".join(machine["instructions"]) or "none of those looked for"],
                ["memory", f"{machine['memoryBytes'] / 1e9:.1f} GB"],
                ["ours", mine],
                ["our kernels", ours["instructionSet"]],
                ["rivals", f"{rivals}, Python {software['Python']}"],
                ["ONNX graph", model.get("exporter") or without_paths(model["exportError"])],
                [
                    "model",
                    f"{model['name']}: {model['parameters'] / 1e6:.1f} million parameters, generated, stored as float16;"
                    f" {len(model['sources'])} stems, segments of {model['samples']} samples ({seconds:g} s)",
                ],
            ],
            align="---",
        ),
        "",
        "All contestants take turns in one run, one at a time, while the others sleep. In a turn each does one segment that",
        "does not count and one that does, from samples to samples: STFT, network, inverse STFT. Loading and compiling are",
        "not in these times, and the rivals have done some segments before the first round. Ratios are the other's time over",
        "ours, so above 1 demucs-cli is faster; pair by pair means within one round. Peak memory is the process' largest",
        "resident set, loading included, and for `torch.compile` compiling too, but not the compilers it starts.",
    ]


def segment_lines(results: Results) -> list[str]:
    """One table per number of threads."""
    lines = []
    for count, found in results["segments"].items():
        series = found["series"]
        lines += ["", f"## One segment, {threads_text(count)}", "", *comparison(series, 3), ""]
        lines += [f"{rounds_text(series)}. {disturbance(series)}"]
    counts = results["segments"]
    if "1" in counts and len(counts) > 1:
        for count in (count for count in counts if count != "1"):
            gains = []
            for name, one in counts["1"]["series"].items():
                many = counts[count]["series"].get(name, {}).get("seconds")
                if one["seconds"] and many:
                    gains.append(f"{TITLES[name]} {median(one['seconds']) / median(many):.2f}x")
            lines += ["", f"{threads_text(count).capitalize()} against 1: {', '.join(gains)}."]
    return lines


def command_lines(results: Results) -> list[str]:
    """Whole commands."""
    lines = []
    for count, found in results["commands"].items():
        series = found["series"]
        song = f"a song of {results['songSeconds']:g} s"
        lines += ["", f"## Whole command on {song}, {threads_text(count)}", "", *comparison(series, 2), ""]
        lines += [f"{rounds_text(series)}, start-up and 16-bit stems included, `--shifts 0`. {disturbance(series)}"]
    return lines


def decibels(found: dict[str, float | None] | None) -> str:
    """A ratio of all stems together, and of the worst."""
    if found is None:
        return ""
    if found["all"] is None:
        return "equal"
    return f"{found['all']:.1f} dB ({found['worst']:.1f} dB)"


def accuracy_lines(results: Results) -> list[str]:
    """Signal-to-noise ratios."""
    found = results["accuracy"]
    rows = [
        [TITLES[name], decibels(found[name].get("torch-fp32")), decibels(found[name].get("torch-fp64"))]
        for name in TITLES
        if name in found and name != "torch-fp64"
    ]
    return [
        "",
        "## Accuracy",
        "",
        *table(["all stems (worst stem)", "against PyTorch fp32", "against PyTorch fp64"], rows),
        "",
        "Signal-to-noise ratio of the stems of one segment of the sample song, as float32, from the same weights.",
    ]


def profile_lines(results: Results) -> list[str]:
    """Our own account of our time."""
    lines = ["", "## Where our time goes", "", "`demucs-cli bench` right after the turns:"]
    for found in results["segments"].values():
        lines += ["", "```text", *(line.rstrip() for line in found["table"].splitlines()), "```"]
    return lines


def markdown(results: Results) -> str:
    """The whole page."""
    parts = (head_lines, segment_lines, command_lines, accuracy_lines, profile_lines)
    return "\n".join(line for part in parts for line in part(results)) + "\n"


if __name__ == "__main__":
    print(markdown(json.loads(Path(sys.argv[1]).read_text())), end="")
