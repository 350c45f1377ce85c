"""How far two folders of stems are from each other, as `demucs-cli compare` says."""

from __future__ import annotations

import json
import math
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peers.measure import Failure


@dataclass(frozen=True)
class Stem:
    """The difference of one stem; levels are RMS in dBFS, minus infinity for silence."""

    name: str
    snr: float
    """dB; infinite where both are equal."""
    level: float
    """Of the reference."""
    error: float
    outside: float
    """Share of the samples whose difference is beyond 1e-4 + 1e-3 of the reference."""
    si_sdr: float | None
    """dB; none where either is silent, or they are equal."""
    fault: str | None = None
    """Why there are no figures: NaN, other lengths, no file."""


def stem(found: dict[str, Any]) -> Stem:
    """One stem of the JSON, in which what is infinite is left out."""
    name = found["stem"]
    if found.get("shareOutside") is None:
        return Stem(name, -math.inf, -math.inf, math.inf, 1.0, None, "; ".join(found["failures"]))
    equal = found["verdict"] in ("identical", "silent")
    snr = math.inf if equal else found.get("snr", -math.inf)
    level, error = found.get("referenceLevel", -math.inf), found.get("errorLevel", -math.inf)
    frames = found["frames"]
    fault = None if frames[0] == frames[1] else f"{frames[1]} frames instead of {frames[0]}"
    return Stem(name, snr, level, error, found["shareOutside"], found.get("siSdr"), fault)


def compare(binary: Path, reference: Path, estimate: Path) -> list[Stem]:
    """Stem by stem, in the order of demucs. What ``compare`` itself thinks of the difference does not matter."""
    command = [str(binary), "compare", str(reference), str(estimate), "--json", "--rtol", "1e-3", "--atol", "1e-4"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return [stem(found) for found in json.loads(done.stdout)["stems"]]
    except (json.JSONDecodeError, KeyError) as error:
        lines = done.stderr.strip().splitlines() or [repr(error)]
        raise Failure(f"compare {reference} {estimate}, exit {done.returncode}: {lines[-1]}") from None
