"""Whole separations: `apply_model`, `Separator.separate_tensor` and a bag with a tiny network, and the embedded model."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import torch
from demucs.api import Separator
from demucs.apply import BagOfModels, apply_model

from .generator import noise
from .golden import Golden
from .networks import FOUR, HTDemucs, Kwargs, Network, build, encode
from .quantised import load_model
from .signals import ROOT, signal, song

APPLY: Kwargs = {
    "sources": FOUR,
    "channels": 8,
    "growth": 2,
    "depth": 3,
    "nfft": 512,
    "dconv_mode": 3,
    "dconv_comp": 4,
    "t_layers": 2,
    "t_heads": 4,
    "t_hidden_scale": 2.0,
    "segment": Fraction(39, 80),
    "samplerate": 8_000,
}
SEGMENT = 3_900
EMBEDDED = ROOT / "models" / "open_6s.safetensors"
BAG_WEIGHTS = [[1.0, 0.5, 0.0, 2.0], [0.25, 0.5, 1.0, 1.0]]


@dataclass
class Case:
    """One separation. ``via``: ``apply`` (apply_model), ``separator`` (normalises the track first) or ``bag``."""

    name: str
    samples: int
    options: dict[str, Any] = field(default_factory=dict)
    signal: str = "noise"
    via: str = "apply"
    kwargs: Kwargs = field(default_factory=dict)


def cases() -> Iterator[Case]:
    """Every case; without options it is ``shifts=0, overlap=0.25, transition_power=1, split=True, segment=None``."""
    for samples in (1, 2, 7, 127, 1_000, 3_899, SEGMENT, 3_901, 5_070, 11_700, 12_345):
        yield Case(f"length.{samples}", samples)
    for overlap in (0.0, 0.1, 0.5, 0.7):
        for samples in (SEGMENT, 5_070, 11_700):
            yield Case(f"overlap{overlap:g}.{samples}", samples, {"overlap": overlap})
    yield Case("power2", 11_700, {"transition_power": 2.0})
    yield Case("power2.5_overlap0.5", 5_070, {"transition_power": 2.5, "overlap": 0.5})
    yield Case("segment0.25", 5_070, {"segment": 0.25})
    yield Case("segment0.3_overlap0.1", 5_070, {"segment": 0.3, "overlap": 0.1})
    yield Case("segment_odd", 3_000, {"segment": 0.1251})
    yield Case("segment_short_track", 700, {"segment": 0.25})
    yield Case("no_split", 2_000, {"split": False})
    for shifts, samples in ((1, 1_000), (1, 5_070), (2, 5_070), (2, 11_700), (1, 1)):
        yield Case(f"shifts{shifts}.{samples}", samples, {"shifts": shifts})
    yield Case("shifts2_overlap0.5_segment0.3", 5_070, {"shifts": 2, "overlap": 0.5, "segment": 0.3})
    yield Case("shifts1_no_split", 100, {"shifts": 1, "split": False})
    yield Case("silence", 5_070, signal="silence")
    yield Case("song", 11_700, signal="song")
    yield Case("mono", 5_070, kwargs={"audio_channels": 1})
    yield Case("any_length", 5_070, kwargs={"use_train_segment": False})
    yield Case("any_length.no_split", 5_070, {"split": False}, kwargs={"use_train_segment": False})
    for name, samples, options, kind in (
        ("separator.song", 11_700, {}, "song"),
        ("separator.song.shifts1", 5_070, {"shifts": 1, "overlap": 0.1}, "song"),
        ("separator.song.segment0.3", 5_070, {"segment": 0.3}, "song"),
        ("separator.noise", 1_000, {}, "noise"),
        ("separator.silence", 5_070, {}, "silence"),
        ("separator.two_samples", 2, {}, "noise"),
        ("separator.one_sample", 1, {}, "noise"),
    ):
        yield Case(name, samples, options, kind, "separator")
    yield Case("bag", 5_070, via="bag")
    yield Case("bag.shifts1", 5_070, {"shifts": 1}, via="bag")
    yield Case("segment_longer_than_training", 5_070, {"segment": 1.0})
    yield Case("empty", 0)
    yield Case("overlap1", 5_070, {"overlap": 1.0})
    yield Case("power0.5", 5_070, {"transition_power": 0.5})


@contextmanager
def logged_offsets() -> Iterator[list[int]]:
    """The offsets that the oracle draws for its shifts, in the order in which it draws them."""
    drawn: list[int] = []
    original = random.randint

    def randint(low: int, high: int) -> int:
        drawn.append(original(low, high))
        return drawn[-1]

    random.randint = randint  # type: ignore[assignment]
    try:
        yield drawn
    finally:
        random.randint = original  # type: ignore[assignment]


def separator(model: torch.nn.Module, options: dict[str, Any]) -> Separator:
    """The oracle's Separator around a model that is already there."""
    made = Separator.__new__(Separator)
    made._model = model
    made._audio_channels, made._samplerate = model.audio_channels, model.samplerate
    made.update_parameter(
        device="cpu",
        shifts=options["shifts"],
        overlap=options["overlap"],
        split=options["split"],
        segment=options.get("segment"),
        jobs=0,
        progress=False,
        callback=None,
        callback_arg=None,
    )
    return made


def run(case: Case, mix: torch.Tensor, kind: torch.dtype, base: Kwargs, klass: type[Network]) -> tuple[torch.Tensor, list[int]]:
    """The stems [sources, channels, samples] of a case, and the offsets drawn."""
    kwargs = {**base, **case.kwargs}
    options = {"shifts": 0, "split": True, "overlap": 0.25, **case.options}
    if case.via == "bag":
        members = [build(kwargs, salt).to(kind) for salt in (1, 2)]
        model: torch.nn.Module = BagOfModels(members, BAG_WEIGHTS)
    else:
        model = build(kwargs, klass=klass).to(kind)
    random.seed(case.name)
    with logged_offsets() as offsets:
        if case.via == "separator":
            _, stems = separator(model, options).separate_tensor(mix.to(kind))
            return torch.stack(list(stems.values())), offsets
        return apply_model(model, mix.to(kind)[None], **options)[0], offsets


def case_input(case: Case) -> torch.Tensor:
    """Noise of the stream ``NAME.input``, the song from sample 44 100, or silence."""
    channels = case.kwargs.get("audio_channels", 2)
    if case.signal == "noise":
        return noise(f"{case.name}.input", channels, case.samples)
    return signal(case.signal, case.samples, channels)


def make_tiny() -> Golden:
    """``apply``: stems of the tiny network, as PyTorch's *float32* gives them."""
    golden = Golden("apply", limit=8_000, count=4_000)
    golden.metadata["kwargs"] = encode(APPLY)
    golden.metadata["bag"] = {"salts": [1, 2], "weights": BAG_WEIGHTS}
    record_cases(golden, cases(), APPLY, HTDemucs)
    return golden


def record_cases(golden: Golden, cases: Iterable[Case], base: Kwargs, klass: type[Network]) -> None:
    """Stems of a small network in every case, or what the oracle says to it."""
    for case in cases:
        mix = case_input(case)
        fact: dict[str, Any] = {
            "name": case.name,
            "via": case.via,
            "signal": case.signal,
            "shape": list(mix.shape),
            "options": case.options,
            "kwargs": encode(case.kwargs),
        }
        golden.cases.append(fact)
        try:
            single, offsets = run(case, mix, torch.float32, base, klass)
            reference, _ = run(case, mix, torch.float64, base, klass)
        except Exception as error:  # whatever the oracle raises is what we note
            message = str(error).splitlines()[0] if str(error) else ""
            fact["refused"] = f"{type(error).__name__}: {message}"[:300]
            continue
        golden.add_tensors(case.name, single, reference)
        fact["nan"] = int(torch.isnan(single).sum())
        if offsets:
            fact["offsets"] = offsets


def make_embedded() -> Golden:
    """``open_6s``: the embedded model on the whole sample song (float32), 20 000 positions of each stem."""
    golden = Golden("open_6s", limit=1_000, count=20_000)
    golden.metadata["model_sha256"] = hashlib.sha256(EMBEDDED.read_bytes()).hexdigest()
    options = {"shifts": 0, "split": True, "overlap": 0.25}
    golden.cases.append({"name": "open_6s", "via": "separator", "signal": "song.flac", "options": options})
    results = []
    for kind in (torch.float32, torch.float64):
        model = load_model(EMBEDDED).eval().to(kind)
        results.append(separator(model, options).separate_tensor(song().to(kind))[1])
    for name, stem in results[0].items():
        golden.add_tensors(name, stem, results[1][name])
    return golden


MAKERS: list[Callable[[], Golden]] = [make_tiny, make_embedded]


def make() -> list[Golden]:
    """The golden files ``apply`` and ``open_6s``."""
    return [maker() for maker in MAKERS]
