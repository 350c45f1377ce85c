#!/usr/bin/env python3
"""Separate diverse pieces with demucs-cli and with PyTorch, compare the stems, and write docs/validation.md.

    scripts/validate [--binary PATH] [--shared DIR] [--only PIECE] [--out FILE]

fp32 is judged against PyTorch, `mixed` against fp32, and where the true stems are known both by their SI-SDR. Where fp32 is
too far from PyTorch's float32, its float64 says whose rounding that is. Exit status 1 if a bound is broken. What PyTorch gives
is kept in ~/.cache/demucs-cli/validation (1.5 GB) and made again when weights, pieces or versions change: on 2 cores 10 minutes
the first time, 3 after that.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from peers.bench import ROOT, write  # noqa: E402
from peers.measure import Failure  # noqa: E402


def arguments() -> argparse.Namespace:
    """The command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="scripts/validate", description=__doc__, formatter_class=form)
    parser.add_argument("--binary", type=Path, help="a demucs-cli to validate instead of building one")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="more songs (default: ../shared, if there)")
    parser.add_argument("--only", action="append", help="one piece; may be repeated. Prints the page and writes none")
    page = ROOT / "docs" / "validation.md"
    parser.add_argument("--out", type=Path, default=page, help="the page (default: docs/validation.md)")
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--built", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.binary is None or options.cache is None:
        parser.error("run this as scripts/validate")
    options.binary = options.binary.resolve()
    return options


def main() -> int:
    """The command; 1 when a bound is broken or nothing can be said."""
    options = arguments()
    # Only here, as they need PyTorch and --help does not.
    from validation import report
    from validation.separations import Validation, say

    try:
        results = Validation(options).all()
    except Failure as failure:
        say(str(failure))
        return 1
    text, broken = report.page(results)
    if options.only:
        print(text, end="")
    else:
        write(text, options.out)
        say(f"wrote {options.out}")
    for line in broken:
        say(f"broken: {line}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
