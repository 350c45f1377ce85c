#!/usr/bin/env python3
"""Makes Fixtures/goldens/museval.json: what museval gives on stems of Fixtures/song-stems.

    python3 -m venv FOLDER && FOLDER/bin/pip install -r scripts/requirements-museval.txt
    FOLDER/bin/python scripts/make_museval_goldens.py

The estimate of a stem is 0.8 of it and 0.15 of the next one, 5 samples late, rounded to float32; BSSEvalTests.swift makes
the same. `images` is what `museval.evaluate` does (BSSEval v4), frame by frame; null is a frame that it leaves out because
a stem is silent there. `sources` is the same with `bsseval_sources_version`, whose SDR its 512-tap filters have a part in.
Each holds SDR, ISR, SIR and SAR by stem and frame. Two runs write the same bytes.
"""

import importlib.util
import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "Fixtures" / "goldens" / "museval.json"
DELAY = 5
RATIOS = ["sdr", "isr", "sir", "sar"]
CASES = [
    # The bass is silent in the first second, and as good as silent in the next.
    {"name": "stereo", "stems": ["drums", "bass", "other"], "start": 0, "frames": 198_450, "channels": 2},
    {"name": "mono", "stems": ["drums", "other"], "start": 132_300, "frames": 132_300, "channels": 1},
    {"name": "short", "stems": ["drums", "other"], "start": 132_300, "frames": 30_000, "channels": 2},
]


def load_bss_eval() -> Callable:
    """`museval.metrics.bss_eval`, past the package's `__init__`, which wants ffmpeg for its command line."""
    folder = Path(importlib.util.find_spec("museval").origin).parent
    spec = importlib.util.spec_from_file_location("museval_metrics", folder / "metrics.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.bss_eval


def stem(name: str, case: dict) -> np.ndarray:
    """[frames, channels]"""
    path = ROOT / "Fixtures" / "song-stems" / f"{name}.flac"
    audio, rate = soundfile.read(path, dtype="float64", start=case["start"], frames=case["frames"])
    assert rate == 44100
    return audio[:, : case["channels"]]


def estimate(own: np.ndarray, next_one: np.ndarray) -> np.ndarray:
    """What stands for the separation of a stem, [frames, channels]."""
    late = np.concatenate([np.zeros((DELAY, own.shape[1])), next_one[:-DELAY]])
    return (0.8 * own + 0.15 * late).astype(np.float32).astype(np.float64)


def rounded(values: np.ndarray) -> list:
    """Ratios by stem and frame for JSON; null for NaN."""
    return [[round(float(value), 5) if np.isfinite(value) else None for value in row] for row in values]


def golden(case: dict) -> dict:
    """A case with all of its ratios."""
    references = np.stack([stem(name, case) for name in case["stems"]])
    count = len(references)
    estimates = np.stack([estimate(references[i], references[(i + 1) % count]) for i in range(count)])
    bss_eval = load_bss_eval()
    images, sources = (
        bss_eval(references, estimates, window=44100, hop=44100, bsseval_sources_version=flag)[:4] for flag in (False, True)
    )
    return {
        **case,
        "delay": DELAY,
        "images": {name: rounded(values) for name, values in zip(RATIOS, images, strict=True)},
        "sources": {name: rounded(values) for name, values in zip(RATIOS, sources, strict=True)},
    }


def main() -> None:
    """Writes the file."""
    document = {"museval": version("museval"), "cases": [golden(case) for case in CASES]}
    GOLDEN.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
