"""The results of validate.py as a page of Markdown, and the bounds that they break."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import Any

from peers.report import table

from . import bounds
from .compare import Stem

Results = dict[str, Any]


def number(value: float | None, digits: int = 1) -> str:
    """A figure in dB."""
    if value is None:
        return "none"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:.{digits}f}"


def percent(share: float) -> str:
    """A share; what is not 0 does not look like it."""
    return "0" if share == 0 else f"{100 * share:.2g} %"


def least(stems: list[Stem]) -> str:
    """The least SNR and whose it is."""
    worst = min(stems, key=lambda stem: stem.snr)
    return number(worst.snr) if math.isinf(worst.snr) else f"{number(worst.snr)} ({worst.name})"


def ruled(verdicts: list[bounds.Verdict], rule: str) -> str:
    """The stems that a rule other than the SNR has judged, with their errors."""
    found = [verdict.stem for verdict in verdicts if verdict.rule == rule]
    if not found:
        return ""
    names = "all" if len(found) == len(verdicts) > 1 else ", ".join(stem.name for stem in found)
    return f"{names}: {number(max(stem.error for stem in found))} dBFS"


def arbitrated(verdicts: list[bounds.Verdict], arbiters: list[bounds.Arbiter]) -> str:
    """The stems that float64 has judged, and the SNR of that which it finds the worst: ours and PyTorch's."""
    pairs = zip(verdicts, arbiters, strict=False)
    found = [arbiter for verdict, arbiter in pairs if verdict.rule == "float64"]
    if not found:
        return ""
    worst = min(found, key=lambda one: one.ours.snr - one.theirs.snr)
    names = "all" if len(found) == len(verdicts) > 1 else ", ".join(one.ours.name for one in found)
    return f"{names}: {number(worst.ours.snr)} ({number(worst.theirs.snr)})"


@dataclass(frozen=True)
class Kind:
    """A comparison: its name in the results, its rule, and what its own column is called."""

    name: str
    rule: bounds.Rule
    column: str


FP32 = Kind("fp32", bounds.pytorch, "by float64: ours (PyTorch), dB")
MIXED = Kind("mixed", bounds.mixed, "by the mixture")


class Page:
    """Lines, and what is broken."""

    def __init__(self, results: Results) -> None:
        """Of these results."""
        self.results = results
        self.broken: list[str] = []

    def arbiters(self, model: str, kind: Kind, piece: str) -> list[bounds.Arbiter]:
        """What float64 says of a piece, if it was asked."""
        return self.results["models"][model]["float64"].get(piece, []) if kind is FP32 else []

    def judged(self, model: str, kind: Kind) -> dict[str, list[bounds.Verdict]]:
        """The verdicts on every piece."""
        levels, found = self.results["levels"], self.results["models"][model][kind.name]
        return {
            name: bounds.judge(stems, levels[name], kind.rule, self.arbiters(model, kind, name)) for name, stems in found.items()
        }

    def comparison(self, model: str, kind: Kind) -> list[str]:
        """One row a piece."""
        rows = []
        for name, verdicts in self.judged(model, kind).items():
            stems = [verdict.stem for verdict in verdicts]
            by_ratio = [verdict.stem for verdict in verdicts if verdict.rule in ("snr", "broken")]
            failures = [verdict.stem for verdict in verdicts if verdict.rule == "broken"]
            self.broken += [
                f"{model}, {kind.name}, {name}: {stem.name}{f' ({stem.fault})' * bool(stem.fault)}" for stem in failures
            ]
            level, loudest = self.results["levels"][name], max(stem.error for stem in stems)
            own = ruled(verdicts, "mixture") if kind is MIXED else arbitrated(verdicts, self.arbiters(model, kind, name))
            cells = [name, least(by_ratio) if by_ratio else "", own, ruled(verdicts, "floor")]
            cells.append(number(loudest - level) if math.isfinite(level) else "")
            cells.append(percent(max(stem.outside for stem in stems)))
            cells.append(f"**broken: {', '.join(stem.name for stem in failures)}**" if failures else "kept")
            rows.append(cells)
        head = ["piece", "least SNR, dB", kind.column, "by the floor", "largest error re mixture, dB", "most outside", "bounds"]
        return table(head, rows)

    def head(self) -> list[str]:
        """What was compared, with what."""
        results = self.results
        mine = ", ".join(f"{name} {version}" for name, version in results["software"].items() if name != "Python")
        checksums = ", ".join(f"{name} ({value[:12]})" for name, value in results["checksums"].items())
        rows = [
            ["processor", f"{results['machine'].get('Model name', 'unknown')}, {', '.join(results['machine']['instructions'])}"],
            ["ours", mine],
            ["PyTorch", f"{', '.join(results['oracle'])}, Python {results['software']['Python']}"],
            ["models (SHA-256)", checksums],
        ]
        return [
            "# Validation",
            "",
            f"Made on {results['made']} by `scripts/validate`, which separates, compares and writes this page: do not edit it.",
            "",
            *table(["", ""], rows, align="---"),
            "",
            "Both sides separate the same 32-bit float files with the same weights: `Separator.separate_tensor` of `demucs`",
            "4.1.0 and `demucs-cli separate --float32 --clip-mode none`, without shifts, segments overlapping by a quarter.",
            "`open_6s` is the model that comes with the program; the other has the size of htdemucs_6s and generated weights",
            "that all matter ([how](goldens.md#parameters)), so its stems are no instruments.",
        ]

    def pieces(self) -> list[str]:
        """What the pieces are."""
        results = self.results
        rows = [
            [piece.name, piece.about, f"{results['seconds'][piece.name]:g}", number(results["levels"][piece.name])]
            for piece in results["pieces"]
        ]
        lines = ["", "## Pieces", "", *table(["piece", "what", "seconds", "level, dBFS RMS"], rows, align="---")]
        lines += ["", "Each stem has all of a piece's offset, as with `demucs`: the SNRs of `constant` and `offset` flatter."]
        if not results["shared"]:
            lines += ["", "**Without real music**: the folder of songs beside the repository (`--shared`) was not there."]
        return lines

    def rules(self) -> list[str]:
        """The bounds, and what is done with near-silent stems."""
        return [
            "",
            "## Bounds",
            "",
            *table(
                ["", "bound"],
                [
                    [
                        "fp32 against PyTorch",
                        f"SNR of each stem at least {bounds.PYTORCH_SNR:g} dB against its float32; of stems that miss it at least"
                        f" {bounds.PYTORCH_SNR:g} dB against its float64, or at most {bounds.OWN_ROUNDING:g} dB less than its own"
                        " float32 has (*by float64*)",
                    ],
                    [
                        "`mixed` against fp32",
                        f"SNR of each stem at least {bounds.MIXED_SNR:g} dB; of stems more than {bounds.QUIET:g} dB below the"
                        f" mixture an error of at most {bounds.RELATIVE_ERROR:g} dB relative to it (*by the mixture*)",
                    ],
                    [
                        "near-silent stems",
                        f"below {bounds.SILENT:g} dBFS RMS, if they miss these: error of at most {bounds.FLOOR:g} dBFS RMS"
                        " (*by the floor*)",
                    ],
                    ["all", f"no NaN, no infinity; at most {100 * bounds.OUTSIDE:g} % of samples outside rtol 1e-3, atol 1e-4"],
                    ["SI-SDR against the true stems", f"moves by less than {bounds.SI_SDR_MOVE:g} dB"],
                ],
                align="---",
            ),
            "",
            "SNR = 10 log10(sum r² / sum (e - r)²) over all samples of both channels, no epsilon. *Least SNR* is over the stems",
            "that are judged by it; the stems beside it are judged otherwise, and the largest of their errors is given.",
            "",
            "The bounds of `mixed` were set for music and the size of htdemucs_6s; here they are held against every piece. An",
            "independent emulation of the policy in PyTorch breaks those that were tried alike, to a few tenths of a dB in most:",
            "[what `mixed` keeps](precision.md#findings). Most break the share outside, which an SNR of 60 dB cannot keep where stems",
            "are about as loud as the mixture: the noise of a loud stem is more than atol.",
        ]

    def sections(self) -> list[str]:
        """The comparisons."""
        lines = []
        for model in self.results["models"]:
            lines += ["", f"## fp32 against PyTorch, {model}", "", self.summary(model, FP32), "", *self.comparison(model, FP32)]
        if not self.results["mixed"]:
            missing = "**Not measured**: this `demucs-cli separate` has no `--precision mixed`."
            return [*lines, "", "## mixed against fp32", "", missing]
        for model in self.results["models"]:
            lines += ["", f"## mixed against fp32, {model}", "", self.summary(model, MIXED), "", *self.comparison(model, MIXED)]
        return lines

    def summary(self, model: str, kind: Kind) -> str:
        """How many stems, by which rule, and the least and the median of those judged by their SNR."""
        verdicts = [verdict for one in self.judged(model, kind).values() for verdict in one]
        counts = Counter(verdict.rule for verdict in verdicts)
        ratios = [verdict.stem.snr for verdict in verdicts if verdict.rule == "snr" and math.isfinite(verdict.stem.snr)]
        text = f"{len(verdicts)} stems: {counts['snr']} judged by their SNR"
        if ratios:
            text += f" (least {min(ratios):.1f}, median {median(ratios):.1f} dB)"
        words = {"float64": "by float64", "mixture": "by the mixture", "floor": "by the floor"}
        text += "".join(f", {counts[rule]} {name}" for rule, name in words.items() if counts[rule])
        return text + (f"; **{counts['broken']} broken**." if counts["broken"] else "; all bounds kept.")

    def truth(self) -> list[str]:
        """SI-SDR of the songs whose true stems are known."""
        model, found = next((name, one["truth"]) for name, one in self.results["models"].items() if "truth" in one)
        if not found:
            return []
        names = ["PyTorch", "fp32", *(["mixed"] if self.results["mixed"] else [])]
        rows = []
        for song, folders in found.items():
            for stems in zip(*(folders[name] for name in names), strict=True):
                values = [stem.si_sdr for stem in stems]
                moves = [None if None in pair else pair[1] - pair[0] for pair in zip(values, values[1:], strict=False)]
                rows.append([song, stems[0].name, *(number(value, 3) for value in values), *(number(move, 4) for move in moves)])
                for name, move in zip(names[1:], moves, strict=True):
                    if move is None or not abs(move) < bounds.SI_SDR_MOVE:
                        self.broken.append(f"SI-SDR of {name}, {song}: {stems[0].name} moves by {number(move, 4)} dB")
        moved = [f"{after} - {before}" for before, after in zip(names, names[1:], strict=False)]
        lines = ["", f"## SI-SDR against the true stems, {model}", "", *table(["song", "stem, dB", *names, *moved], rows)]
        if not self.results["mixed"]:
            lines += ["", "`mixed` is **not measured** here either."]
        return lines

    def lines(self) -> list[str]:
        """The whole page."""
        body = [*self.sections(), *self.truth()]
        verdict = "**Broken:**" if self.broken else "All bounds were kept."
        result = ["", "## Result", "", verdict, *([""] if self.broken else []), *(f"- {line}" for line in self.broken)]
        return [*self.head(), *result, *self.pieces(), *self.rules(), *body]


def page(results: Results) -> tuple[str, list[str]]:
    """The page, and what is broken, one line each."""
    made = Page(results)
    return "\n".join(made.lines()) + "\n", made.broken
