"""Store a checkpoint in 8 bits: int8 weights with a scale for each row, a byte a parameter.

Usage: python quantise.py HALF.safetensors OUT.safetensors
"""

from __future__ import annotations

import argparse
from pathlib import Path

import network


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("half", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    model, configuration = network.load(options.half)
    state = model.state_dict()
    network.save(options.out, state, configuration, eight_bits=True)
    stored = network.load(options.out)[0].state_dict()
    noise = sum((stored[name] - value).square().sum() for name, value in state.items())
    print(f"{options.out}: {options.out.stat().st_size / 2**20:.2f} MiB, weights to {10 * (signal(state) / noise).log10():.1f} dB")


def signal(state: dict[str, network.Tensor]) -> network.Tensor:
    """The energy of all weights."""
    return sum(value.square().sum() for value in state.values())


if __name__ == "__main__":
    main()
