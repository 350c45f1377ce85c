"""Grow a checkpoint to a larger network that computes the same: more transformer layers, wider feed-forward parts.

Every layer of the transformer ends in a normalisation (`norm_out`) that hands a mean of 0 and a deviation of 1 to its own scale and
bias. The scale and bias of the last old layer move to the last new one, and those in between become 1 and 0: normalising what
is normalised changes nothing. A new layer's branches begin at SCALE of their size; with 0 the function is the same to rounding.
New hidden units of a feed-forward part begin with zeros on their way out.

Usage: python grow.py SMALL.safetensors LARGE.safetensors --layers 5 --hidden-scale 4
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from demucs.htdemucs import HTDemucs
from torch import Tensor

import network


@torch.no_grad()
def grow(small: HTDemucs, large: HTDemucs, scale: float) -> None:
    """Give `large` the function of `small`, but for the new layers' branches at `scale`."""
    old: dict[str, Tensor] = small.state_dict()
    new: dict[str, Tensor] = large.state_dict()
    for name, value in old.items():
        target = new[name]
        if target.shape != value.shape and name.endswith(("linear1.weight", "linear1.bias")):
            target[: len(value)] = value
        elif target.shape != value.shape and name.endswith("linear2.weight"):
            target.zero_()
            target[:, : value.shape[1]] = value
        elif target.shape == value.shape:
            target.copy_(value)
        else:
            raise SystemExit(f"grow: {name} is {list(value.shape)} and would be {list(target.shape)}: only layers and feed-forward parts grow")
    last = small.crosstransformer.num_layers - 1
    for layers in (large.crosstransformer.layers, large.crosstransformer.layers_t):
        if last + 1 == len(layers):
            continue
        for layer in layers[last + 1 :]:
            layer.gamma_1.scale.fill_(scale)
            layer.gamma_2.scale.fill_(scale)
        final, before = layers[-1].norm_out, layers[last].norm_out
        final.weight.copy_(before.weight)
        final.bias.copy_(before.bias)
        for layer in layers[last:-1]:
            layer.norm_out.weight.fill_(1.0)
            layer.norm_out.bias.zero_()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("small", type=Path)
    parser.add_argument("large", type=Path)
    parser.add_argument("--layers", type=int, default=5, help="layers of the transformer")
    parser.add_argument("--hidden-scale", type=float, default=4.0, help="hidden units of a feed-forward part, over its width")
    parser.add_argument("--scale", type=float, default=0.02, help="where the layer scales of new layers begin")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    small, configuration = network.load(options.small)
    configuration = {**configuration, "t_layers": options.layers, "t_hidden_scale": options.hidden_scale}
    large = network.build(configuration)
    grow(small, large, options.scale)
    network.save(options.large, large.state_dict(), configuration)


if __name__ == "__main__":
    main()
