#!/usr/bin/env python3
"""Does PyTorch's emulation of `mixed` break the same bounds as ours on the same pieces?

    check_policy.py --binary demucs-cli --model models/open_6s.safetensors clicks square clipped short

For each piece of validate.py four separations: ours in fp32 and in `mixed`, PyTorch in float32 and with oracle/emulation.py.
Printed: a row a stem, with the SNR of `mixed` against fp32 and the share of the samples outside rtol 1e-3, atol 1e-4, of both.
Run it with the oracle's python, which scripts/oracle/setup makes and prints.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
import torch  # noqa: E402

from oracle.check_precision import snr  # noqa: E402
from oracle.emulation import FORMATS, emulated  # noqa: E402
from oracle.quantised import load_model  # noqa: E402
from oracle.subject_apply import separator  # noqa: E402
from oracle.summation_orders import outside  # noqa: E402
from peers.bench import ROOT  # noqa: E402
from peers.report import table  # noqa: E402
from validation.pieces import RATE, pieces  # noqa: E402
from validation.reference import SETTINGS, write_audio  # noqa: E402

Stems = dict[str, torch.Tensor]


def theirs(weights: Path, samples: np.ndarray, is_rounded: bool) -> Stems:
    """The stems of PyTorch."""
    model = load_model(weights).eval()
    mix = torch.from_numpy(samples.astype(np.float32))
    if not is_rounded:
        return separator(model, SETTINGS).separate_tensor(mix)[1]
    with emulated(model, FORMATS["mixed"]):
        return separator(model, SETTINGS).separate_tensor(mix)[1]


def ours(binary: Path, weights: Path, samples: np.ndarray, precision: str) -> Stems:
    """The stems of demucs-cli."""
    with tempfile.TemporaryDirectory() as folder:
        piece = Path(folder) / "piece.wav"
        write_audio(piece, samples, RATE)
        command = [str(binary), "separate", str(piece), "--name", str(weights), "--out", folder, "--precision", precision]
        subprocess.run(
            [*command, "--shifts", "0", "--float32", "--clip-mode", "none", "--quiet"], check=True, stdout=subprocess.DEVNULL
        )
        files = sorted((Path(folder) / weights.stem / "piece").glob("*.wav"))
        return {path.stem: torch.from_numpy(soundfile.read(path, dtype="float32")[0].T.copy()) for path in files}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pieces", nargs="+", metavar="PIECE")
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="safetensors")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="more songs (default: ../shared, if there)")
    options = parser.parse_args()
    torch.set_grad_enabled(False)
    known = {piece.name: piece for piece in pieces(options.shared)}
    rows = []
    for name in options.pieces:
        samples = known[name].make()
        pairs = [
            [ours(options.binary.resolve(), options.model, samples, precision) for precision in ("fp32", "mixed")],
            [theirs(options.model, samples, is_rounded) for is_rounded in (False, True)],
        ]
        for stem in pairs[1][0]:
            cells = [f"{name}, {stem}"]
            for exact, rounded in pairs:
                share = outside(exact[stem], rounded[stem])
                cells += [f"{snr(exact[stem], rounded[stem]):.1f}", f"{100 * share:.2g} %"]
            rows.append(cells)
    print("\n".join(table(["piece, stem", "ours, dB", "outside", "PyTorch, dB", "outside"], rows)))


if __name__ == "__main__":
    main()
