"""The two published sizes, one segment each: sampled taps, weights from the generator."""

from __future__ import annotations

import torch

from .golden import Golden
from .networks import HTDEMUCS, HTDEMUCS_6S, Kwargs, encode
from .signals import signal
from .subject_networks import is_block, network_input, record

SONG_START = 220_500


def make_one(subject: str, kwargs: Kwargs, mix: torch.Tensor, case: dict[str, object]) -> Golden:
    """256 positions of each tap, 2 000 of each block."""
    golden = Golden(subject, limit=1_000, count=256)
    golden.metadata["kwargs"] = encode(kwargs)
    golden.cases.append({"name": subject, **case, "shape": list(mix.shape)})
    record(golden, kwargs, "", mix, lambda tap: 2_000 if is_block(tap) else None)
    return golden


def make() -> list[Golden]:
    """The golden files ``htdemucs_6s`` (on the song) and ``htdemucs-4s`` (on noise)."""
    samples = int(HTDEMUCS_6S["segment"] * HTDEMUCS_6S["samplerate"])
    song = signal("song", samples, 2, SONG_START)[None]
    noise = network_input(HTDEMUCS, "htdemucs-4s")
    return [
        make_one("htdemucs_6s", HTDEMUCS_6S, song, {"input": "song", "start": SONG_START}),
        make_one("htdemucs-4s", HTDEMUCS, noise, {"input": "noise", "stream": "htdemucs-4s.input"}),
    ]
