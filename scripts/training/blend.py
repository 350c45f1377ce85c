"""Blend two checkpoints of the same network: (1 - share) x first + share x second, tensor by tensor.

After fine-tuning, a blend with the weights it started from keeps more of what they knew about material that the
fine-tuning did not show. Usage: python blend.py FIRST SECOND OUT --share 0.6
"""

from __future__ import annotations

import argparse
from pathlib import Path

import network


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="how much of SECOND")
    options = parser.parse_args()
    first, configuration = network.load(options.first)
    second = network.load(options.second)[0].state_dict()
    state = {name: tensor.lerp(second[name], options.share) for name, tensor in first.state_dict().items()}
    network.save(options.out, state, configuration)


if __name__ == "__main__":
    main()
