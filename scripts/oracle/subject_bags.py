"""Bags of different tiny networks: `apply_model` of a `BagOfModels` with weights, shifts and a segment of its own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import torch
from demucs.apply import BagOfModels, apply_model

from .generator import noise
from .golden import Golden
from .networks import Kwargs, build, encode
from .subject_apply import APPLY, logged_offsets

# What the members have in place of the kwargs of `apply`: the second is shorter, the third takes any length.
MEMBERS: list[Kwargs] = [{}, {"segment": Fraction(13, 40), "channels": 4}, {"use_train_segment": False, "t_layers": 1}]
WEIGHTS = [[1.0, 0.5, 0.0, 2.0], [0.25, 0.0, 1.0, 1.0], [0.5, 0.125, 3.0, 0.0]]
ONE_HOT = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0]]


@dataclass
class Case:
    """One separation of 5 070 samples of noise, or fewer. ``members`` are indices into MEMBERS; salts count from 1."""

    name: str
    samples: int = 5_070
    members: tuple[int, ...] = (0, 1, 2)
    weights: list[list[float]] | None = None
    segment: float | None = None
    options: dict[str, Any] = field(default_factory=dict)


def cases() -> Iterator[Case]:
    """Every case; without options it is ``shifts=0, overlap=0.25, transition_power=1, split=True, segment=None``."""
    yield Case("equal")
    yield Case("weights", weights=WEIGHTS)
    yield Case("one_hot", weights=ONE_HOT, options={"overlap": 0.5})
    yield Case("shifts1", weights=WEIGHTS, options={"shifts": 1})
    yield Case("shifts2", 3_000, weights=WEIGHTS, options={"shifts": 2, "overlap": 0.1})
    yield Case("segment_option", weights=WEIGHTS, options={"segment": 0.25})
    yield Case("bag_segment.shortest", weights=WEIGHTS, segment=0.3)
    yield Case("bag_segment.between", weights=WEIGHTS, segment=0.4, options={"shifts": 1})
    yield Case("bag_segment.longest", weights=WEIGHTS, segment=44)
    yield Case("single.weight", members=(1,), weights=[[0.3, 0.7, 1.1, 3.0]], options={"shifts": 1})
    yield Case("same_twice", 1_000, members=(0, 0), options={"shifts": 1})


def run(case: Case, mix: torch.Tensor, kind: torch.dtype) -> tuple[torch.Tensor, list[int]]:
    """The stems [sources, channels, samples] of a case, and the offsets drawn."""
    models = [build({**APPLY, **MEMBERS[index]}, index + 1).to(kind) for index in case.members]
    bag = BagOfModels(models, case.weights, case.segment)
    random.seed(case.name)
    with logged_offsets() as offsets:
        options = {"shifts": 0, "split": True, "overlap": 0.25, **case.options}
        return apply_model(bag, mix.to(kind)[None], **options)[0], offsets


def make() -> list[Golden]:
    """``bags``: stems of the bags, as PyTorch's *float32* gives them."""
    golden = Golden("bags", limit=2_000, count=2_000)
    golden.metadata["kwargs"] = encode(APPLY)
    golden.metadata["members"] = [encode(member) for member in MEMBERS]
    for case in cases():
        mix = noise(f"bags.{case.name}.input", 2, case.samples)
        single, offsets = run(case, mix, torch.float32)
        reference, _ = run(case, mix, torch.float64)
        golden.add_tensors(case.name, single, reference)
        golden.cases.append(
            {
                "name": case.name,
                "shape": list(mix.shape),
                "members": list(case.members),
                "weights": case.weights,
                "segment": case.segment,
                "options": case.options,
                "offsets": offsets,
            }
        )
    return [golden]
