"""The scores of the embedded model, from the reports of `demucs-cli evaluate --json` into README.md and the model's card.

python figures.py collect "TITLE=REPORT.json" ...    writes figures.json, one row of the table for each report
python figures.py                                    writes the tables between the markers
python figures.py --check                            exit status 1 when a table is not that of the scores
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from stems import STEMS

ROOT = Path(__file__).resolve().parents[2]
SCORES = ROOT / "scripts" / "training" / "figures.json"
PAGES = [ROOT / "README.md", ROOT / "models" / "open_6s.md"]
BEGIN, END = "<!-- figures: written by scripts/training/figures.py -->\n", "<!-- end of figures -->\n"


def means(songs: list[dict]) -> dict[str, float]:
    """The mean nSDR of each stem over the songs in which it plays, and the mean of these as `mean`."""
    values: dict[str, list[float]] = {stem: [] for stem in STEMS}
    for song in songs:
        for stem in song["stems"]:
            if not stem["silentTruth"]:
                values[stem["stem"]].append(stem["estimate"]["nsdr"])
    row = {stem: sum(v) / len(v) for stem, v in values.items() if v}
    row["mean"] = sum(row.values()) / len(row)
    return {stem: round(value, 3) for stem, value in row.items()}


def leaks(songs: list[dict]) -> dict[str, float]:
    """The mean level of each stem, in dBFS, over the songs whose true stem is silent."""
    levels: dict[str, list[float]] = {stem: [] for stem in STEMS}
    for song in songs:
        for stem in song["stems"]:
            if stem["silentTruth"]:
                levels[stem["stem"]].append(stem["estimateLevel"])
    return {stem: round(sum(v) / len(v), 1) for stem, v in levels.items() if v}


def collect(arguments: list[str]) -> None:
    """One row for each argument."""
    rows = {}
    for argument in arguments:
        title, _, path = argument.rpartition("=")
        songs = json.loads(Path(path).read_text())["songs"]
        rows[title] = {"songs": len(songs), **means(songs), "silent": leaks(songs)}
    SCORES.write_text(json.dumps({"sha256": model_sum(), "rows": rows}, indent=1) + "\n")


def model_sum() -> str:
    """SHA-256 of the embedded model."""
    return hashlib.sha256((ROOT / "models" / "open_6s.safetensors").read_bytes()).hexdigest()


def table() -> str:
    """The scores as a Markdown table."""
    scores = json.loads(SCORES.read_text())
    if scores["sha256"] != model_sum():
        raise SystemExit(f"figures: {SCORES} is about another model: run `demucs-cli evaluate` and `{Path(__file__).name} collect`")
    rows = scores["rows"]
    lines = ["| nSDR, dB | songs | " + " | ".join(STEMS) + " | mean |", "|---" * (len(STEMS) + 3) + "|"]
    for title, row in rows.items():
        cells = [f"{row[stem]:.1f}" if stem in row else "-" for stem in STEMS]
        lines.append(f"| {title} | {row['songs']} | " + " | ".join(cells) + f" | {row['mean']:.2f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """The command."""
    if sys.argv[1:2] == ["collect"]:
        collect(sys.argv[2:])
    for page in PAGES:
        text = page.read_text()
        before, _, rest = text.partition(BEGIN)
        _, _, after = rest.partition(END)
        wanted = f"{before}{BEGIN}{table()}{END}{after}"
        if "--check" in sys.argv and wanted != text:
            raise SystemExit(f"figures: {page} does not hold the table of {SCORES}: run {Path(__file__).name}")
        if wanted != text:
            page.write_text(wanted)


if __name__ == "__main__":
    main()
