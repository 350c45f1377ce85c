"""Hold our forward pass against the `demucs` package's, values and gradients, and a grown network against the small one.

Usage: python check.py [CHECKPOINT]
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

import network
from grow import grow
from stems import SEGMENT


def main() -> None:
    torch.manual_seed(1)
    model = network.load(Path(sys.argv[1]))[0] if len(sys.argv) > 1 else network.build(network.TINY)
    for name, parameter in model.named_parameters():
        # Layer scales start near zero and would hide an error in what they scale.
        if name.endswith(".scale") and len(sys.argv) < 2:
            torch.nn.init.uniform_(parameter, 0.2, 1.0)
        if "norm_out" in name and len(sys.argv) < 2:
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
    mix = 0.1 * torch.randn(1, 2, SEGMENT).cumsum(-1).sin()
    results = []
    for forward in (model.train(), network.Network(model)):
        model.zero_grad()
        stems = forward(mix)
        (stems.square().sum() + stems[:, 1].sum()).backward()
        results.append((stems.detach(), {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}))
    (theirs, their_slopes), (ours, our_slopes) = results
    if their_slopes.keys() != our_slopes.keys():
        raise SystemExit(f"check: gradients differ in kind: {their_slopes.keys() ^ our_slopes.keys()}")
    # A bias in front of a normalisation of one channel has no gradient but rounding: hence the second term.
    largest = max(slope.norm() for slope in their_slopes.values())
    worst = max(((our_slopes[n] - s).norm() / (s.norm() + 1e-4 * largest)).item() for n, s in their_slopes.items())
    distance = ((ours - theirs).norm() / theirs.norm()).item()
    print(f"check: relative distance {distance:.1e}, of gradients at most {worst:.1e}")
    if not (distance < 1e-4 and worst < 1e-2):
        raise SystemExit("check: our forward pass is not that of the package")
    configuration = {**network.TINY, "t_layers": model.crosstransformer.num_layers + 2, "t_hidden_scale": 1.5}
    if len(sys.argv) < 2:
        large = network.build(configuration)
        grow(model, large, scale=0.0)
        with torch.no_grad():
            grown = ((network.Network(large)(mix) - ours).norm() / ours.norm()).item()
        print(f"check: a grown network is {grown:.1e} from the small one")
        if not grown < 1e-4:
            raise SystemExit("check: a grown network does not compute the same")


if __name__ == "__main__":
    main()
