#!/usr/bin/env python3
"""Write a demucs 4.1 safetensors model of any HTDemucs or HDemucs configuration with generated weights.

make_model.py --preset htdemucs_6s --out 6s.safetensors --half
make_model.py --kwargs '{"sources": ["a", "b"], "channels": 8, "segment": {"_type": "fraction", ...}}' --out tiny.safetensors
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oracle.networks import HDEMUCS_MMI, HTDEMUCS, HTDEMUCS_6S, HDemucs, HTDemucs, build, decode, save_model  # noqa: E402
from oracle.subject_apply import APPLY  # noqa: E402
from oracle.subject_hdemucs import TINY as HDEMUCS_TINY  # noqa: E402
from oracle.subject_networks import SMALL, TINY  # noqa: E402

PRESETS = {"htdemucs_6s": HTDEMUCS_6S, "htdemucs": HTDEMUCS, "small": SMALL, "tiny": TINY, "apply": APPLY}
HDEMUCS_PRESETS = {"hdemucs_mmi": HDEMUCS_MMI, "hdemucs_tiny": HDEMUCS_TINY}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    presets = [*PRESETS, *HDEMUCS_PRESETS]
    parser.add_argument("--preset", choices=presets, default="tiny", help="where the kwargs start from (default: tiny)")
    parser.add_argument("--kwargs", default="{}", help="JSON that changes them, or @FILE; without --preset give all you need")
    parser.add_argument("--salt", type=int, help="another set of weights for the same names")
    parser.add_argument("--half", action="store_true", help="store float16, as published models do")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()

    text = Path(options.kwargs[1:]).read_text() if options.kwargs.startswith("@") else options.kwargs
    kwargs = {**{**PRESETS, **HDEMUCS_PRESETS}[options.preset], **decode(json.loads(text))}
    model = build(kwargs, options.salt, HDemucs if options.preset in HDEMUCS_PRESETS else HTDemucs)
    save_model(model, kwargs, options.out, options.half)
    count = sum(value.numel() for value in model.parameters())
    print(f"{options.out}: {count:,} parameters, {options.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
