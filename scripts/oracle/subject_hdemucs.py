"""HDemucs, version 3: one small configuration for each kwarg and each awkward length, and the published size."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import torch
from demucs.hdemucs import HDemucs

from .golden import Golden
from .networks import HDEMUCS_MMI, Kwargs, encode
from .subject_apply import Case, record_cases
from .subject_networks import is_block, network_input, record, refusal, variant_count

# Frequencies are used up after three layers (128, 32, 8, 1); then comes one layer of time. 263 frames: an LSTM sees three
# overlapping stretches of them, and in the last layer all 132 at once.
TINY: Kwargs = {
    "sources": ["drums", "rest"],
    "channels": 8,
    "depth": 4,
    "nfft": 256,
    "norm_starts": 2,
    "dconv_lstm": 2,
    "dconv_attn": 2,
    "segment": Fraction(21, 10),
    "samplerate": 8_000,
}

VARIANTS: dict[str, Kwargs] = {
    "base": {},
    "hybrid_old": {"hybrid_old": True},
    "depth3": {"depth": 3},
    "depth5": {"depth": 5},
    "time_stride3": {"time_stride": 3},
    "kernel4_stride2": {"kernel_size": 4, "stride": 2, "nfft": 64, "depth": 5, "dconv_lstm": 3, "dconv_attn": 3},
    "no_lstm": {"dconv_lstm": 9},
    "no_attn": {"dconv_attn": 9},
    "no_context": {"dconv_lstm": 9, "dconv_attn": 9},
    "context_early": {"dconv_lstm": 0, "dconv_attn": 1, "channels": 16, "norm_starts": 1},
    "lstm_before_norm": {"dconv_lstm": 1, "norm_starts": 4},
    "dconv_mode0": {"dconv_mode": 0},
    "dconv_mode2": {"dconv_mode": 2},
    "dconv_mode3": {"dconv_mode": 3, "dconv_lstm": 1},
    "dconv_mode3.long": {"dconv_mode": 3},
    "dconv_depth1_comp2": {"dconv_depth": 1, "dconv_comp": 2},
    "dconv_depth3": {"dconv_depth": 3},
    "dconv_not_dilated": {"dconv_depth": -2},
    "norm_starts0": {"norm_starts": 0, "norm_groups": 2},
    "norm_starts3": {"norm_starts": 3},
    "norm_never": {"norm_starts": 9},
    "channels_time": {"channels_time": 16},
    "growth3": {"growth": 3, "depth": 3, "channels": 16},
    "growth1.5": {"growth": 1.5, "channels": 32, "dconv_comp": 2, "depth": 3},
    "context0": {"context": 0},
    "context2_enc1": {"context": 2, "context_enc": 1},
    "no_rewrite": {"rewrite": False},
    "freq_emb0": {"freq_emb": 0},
    "emb_scale3": {"emb_scale": 3, "freq_emb": 0.7, "emb_smooth": False},
    "mono": {"audio_channels": 1},
    "three_channels_one_source": {"audio_channels": 3, "sources": ["vocals"]},
    "hybrid_old.short": {"hybrid_old": True},
    "hybrid_old.one": {"hybrid_old": True},
    "hybrid_old.long": {"hybrid_old": True},
}
# Frames: 1, 1, 20, 200, 201 (a frame of the LSTM that nothing is kept of), 251, 469 (frames in the last layer too).
LENGTHS: dict[str, int] = {
    "length.1": 1,
    "length.64": 64,
    "length.1234": 1_234,
    "length.12800": 12_800,
    "length.12801": 12_801,
    "length.16001": 16_001,
    "length.30001": 30_001,
    "hybrid_old.short": 333,
    "hybrid_old.one": 1,
    "hybrid_old.long": 30_001,
    "dconv_mode3.long": 30_001,
}
REFUSED: dict[str, Kwargs] = {
    "cac_off": {"cac": False},
    "not_hybrid": {"hybrid": False},
    "multi_freqs": {"multi_freqs": [0.25, 0.5], "multi_freqs_depth": 1},
    "never_merged": {"depth": 2},
    "merged_with_other_hop": {"nfft": 128},
    "heads_do_not_divide": {"channels": 6},
    "norm_groups_do_not_divide": {"norm_groups": 5},
    "channels_below_compression": {"channels": 2, "dconv_comp": 64},
}
# 435 frames and 218: the LSTM sees stretches in both layers that have one.
FULL_LENGTH = 445_001


def make_variants() -> Golden:
    """``hdemucs-variants``: ``VARIANT/tap``, block by block but for the first and the old one."""
    golden = Golden("hdemucs-variants", limit=64, count=64)
    for name in [*VARIANTS, *(name for name in LENGTHS if name not in VARIANTS)]:
        kwargs = {**TINY, **VARIANTS.get(name, {})}
        mix = network_input(kwargs, name, LENGTHS.get(name))
        golden.cases.append({"name": name, "kwargs": encode(kwargs), "stream": f"{name}.input", "shape": list(mix.shape)})
        every = name in ("base", "context_early")
        record(golden, kwargs, f"{name}/", mix, lambda tap, every=every: variant_count(tap, every), HDemucs)
    golden.metadata["refusals"] = [refusal(name, changes, TINY, HDemucs) for name, changes in REFUSED.items()]
    return golden


def make_full_size() -> Golden:
    """``hdemucs_mmi``: 128 positions of each tap of the published size, 1 000 of each block, on ten seconds of noise."""
    golden = Golden("hdemucs_mmi", limit=500, count=128)
    golden.metadata["kwargs"] = encode(HDEMUCS_MMI)
    mix = network_input(HDEMUCS_MMI, "hdemucs_mmi", FULL_LENGTH)
    golden.cases.append({"name": "hdemucs_mmi", "input": "noise", "stream": "hdemucs_mmi.input", "shape": list(mix.shape)})
    with torch.no_grad():
        record(golden, HDEMUCS_MMI, "", mix, lambda tap: 1_000 if is_block(tap) else None, HDemucs)
    return golden


def separations() -> Iterator[Case]:
    """No chunk is ever padded, and a segment may be longer than the model's."""
    for samples in (1, 7, 1_000, 16_799, 16_800, 16_801, 30_001, 50_000):
        yield Case(f"length.{samples}", samples)
    yield Case("overlap0.1", 40_000, {"overlap": 0.1})
    yield Case("segment1", 30_001, {"segment": 1})
    yield Case("segment0.3_overlap0.5", 9_001, {"segment": 0.3, "overlap": 0.5})
    yield Case("segment_longer", 50_000, {"segment": 5})
    yield Case("segment_longer_than_track", 30_001, {"segment": 44})
    yield Case("shifts2", 30_001, {"shifts": 2})
    yield Case("silence", 20_000, signal="silence")
    yield Case("hybrid_old", 30_001, kwargs={"hybrid_old": True})
    yield Case("separator.song", 40_001, signal="song", via="separator")
    yield Case("separator.song.shifts1.segment3", 40_001, {"shifts": 1, "segment": 3}, "song", "separator")
    yield Case("separator.mono.hybrid_old", 20_001, {}, "song", "separator", {"audio_channels": 1, "hybrid_old": True})


def make_apply() -> Golden:
    """``hdemucs-apply``: stems of the small network, as PyTorch's *float32* gives them."""
    golden = Golden("hdemucs-apply", limit=2_000, count=2_000)
    golden.metadata["kwargs"] = encode(TINY)
    record_cases(golden, separations(), TINY, HDemucs)
    return golden


def make() -> list[Golden]:
    """The golden files ``hdemucs-variants``, ``hdemucs-apply`` and ``hdemucs_mmi``."""
    return [make_variants(), make_apply(), make_full_size()]
