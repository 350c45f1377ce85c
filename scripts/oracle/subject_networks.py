"""Whole networks on short segments: the small configuration with every tap, and one tiny configuration for each kwarg."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import torch

from .generator import noise
from .golden import Golden, Sample
from .networks import FOUR, HTDemucs, Kwargs, Network, build, encode
from .taps import run_network

SMALL: Kwargs = {
    "sources": FOUR,
    "channels": 12,
    "growth": 2,
    "depth": 4,
    "nfft": 2048,
    "dconv_mode": 3,
    "dconv_comp": 4,
    "t_layers": 3,
    "t_heads": 4,
    "t_hidden_scale": 2.5,
    "segment": Fraction(3, 10),
    "samplerate": 44_100,
}

TINY: Kwargs = {
    "sources": ["drums", "rest"],
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
MERGED: Kwargs = {"nfft": 256, "depth": 3}

VARIANTS: dict[str, Kwargs] = {
    "base": {},
    "growth3": {"growth": 3, "depth": 2},
    "growth1.5": {"growth": 1.5, "t_layers": 0},
    "depth2": {"depth": 2},
    "depth5": {"depth": 5, "kernel_size": 4, "stride": 2},
    "channels_time": {"channels_time": 12, "t_layers": 0},
    "bottom_channels": {"bottom_channels": 24},
    "dconv_mode0": {"dconv_mode": 0},
    "dconv_mode1": {"dconv_mode": 1},
    "dconv_mode2": {"dconv_mode": 2},
    "dconv_comp8_depth1": {"dconv_comp": 8, "dconv_depth": 1},
    "dconv_comp_fraction": {"dconv_comp": 2.5},
    "dconv_depth3": {"dconv_depth": 3},
    "dconv_not_dilated": {"dconv_depth": -2},
    "kernel4_stride2": {"kernel_size": 4, "stride": 2, "nfft": 256},
    "context0": {"context": 0},
    "context2_enc1": {"context": 2, "context_enc": 1},
    "norm_starts1": {"norm_starts": 1, "norm_groups": 4},
    "norm_starts0_groups2": {"norm_starts": 0, "norm_groups": 2},
    "freq_emb0": {"freq_emb": 0},
    "freq_emb_none": {"freq_emb": None},
    "emb_scale3": {"emb_scale": 3, "freq_emb": 0.7, "emb_smooth": False},
    "t_layers0": {"t_layers": 0},
    "t_layers1": {"t_layers": 1},
    "t_layers4": {"t_layers": 4},
    "t_cross_first": {"t_cross_first": True},
    "t_heads8_hidden1.5": {"t_heads": 8, "t_hidden_scale": 1.5},
    "t_norm_in_off": {"t_norm_in": False},
    "t_norm_in_group": {"t_norm_in": False, "t_norm_in_group": True},
    "t_group_norm": {"t_group_norm": True},
    "t_norm_last": {"t_norm_first": False},
    "t_norm_out_off": {"t_norm_out": False},
    "t_layer_scale_off": {"t_layer_scale": False},
    "t_relu": {"t_gelu": False},
    "t_weight_pos_embed": {"t_weight_pos_embed": 0.3, "t_max_period": 100.0},
    "t_emb_cape": {"t_emb": "cape"},
    "t_emb_cape_plain": {"t_emb": "cape", "t_cape_mean_normalize": False},
    "t_emb_scaled": {"t_emb": "scaled", "t_max_positions": 80},
    "any_length": {"use_train_segment": False},
    "segment_float": {"segment": 0.3, "use_train_segment": True},
    "segment_int": {"segment": 1, "samplerate": 3_000},
    "mono": {"audio_channels": 1},
    "three_channels": {"audio_channels": 3},
    "one_source": {"sources": ["vocals"]},
    "no_rewrite": {"rewrite": False},
    "multi_freqs": {"multi_freqs": [0.25, 0.5], "multi_freqs_depth": 2, "nfft": 2048},
    "multi_freqs_deep": {"multi_freqs": [0.5], "multi_freqs_depth": 3, "nfft": 2048, "dconv_mode": 1},
    "merged": MERGED,
    "merged_channels_time": {**MERGED, "channels_time": 16, "t_layers": 0},
    "merged_then_time": {**MERGED, "depth": 4, "t_layers": 0},
    "merged_then_time3": {**MERGED, "depth": 5, "t_layers": 0, "time_stride": 3, "norm_starts": 2},
    "merged_depth5": {"nfft": 4096, "depth": 5, "segment": 2},
    "merged_kernel4": {"nfft": 32, "depth": 3, "kernel_size": 4, "stride": 2},
}
LENGTHS = {"any_length": 4_321, "base.short": 1_234, "base.one": 1, "any_length.short": 700}

REFUSED: dict[str, Kwargs] = {
    "cac_off": {"cac": False},
    "cac_off.mask": {"cac": False, "wiener_iters": -1, "end_iters": -1},
    "wiener_iters_unequal": {"wiener_iters": 1},
    "t_sparse_self_attn": {"t_sparse_self_attn": True},
    "t_sparse_cross_attn": {"t_sparse_cross_attn": True},
    "t_auto_sparsity": {"t_sparse_self_attn": True, "t_auto_sparsity": True},
    "t_sin_random_shift": {"t_sin_random_shift": 5},
    "t_emb_unknown": {"t_emb": "learned"},
    "t_max_positions_too_few": {"t_emb": "scaled", "t_max_positions": 8},
    "growth1.5_transformer": {"growth": 1.5},
    "growth_float_transformer": {"growth": 2.0},
    "growth_float_bottom": {"growth": 2.0, "bottom_channels": 24},
    "channels_time_transformer": {"channels_time": 12},
    "channels_time_bottom": {"channels_time": 12, "bottom_channels": 24},
    "heads_do_not_divide": {"t_heads": 5},
    "width_not_multiple_of_4": {"channels": 9, "depth": 2, "t_heads": 3},
    "merged_with_other_hop": {"nfft": 512, "depth": 4},
    "merged_then_time_transformer": {**MERGED, "depth": 4},
    "kernel5": {"kernel_size": 5},
    "kernel_equals_stride": {"kernel_size": 4},
    "multi_freqs_with_norm": {"multi_freqs": [0.5], "norm_starts": 0, "nfft": 2048},
    "multi_freqs_merged": {**MERGED, "multi_freqs": [0.5]},
    "channels_below_compression": {"channels": 4, "dconv_comp": 8},
    "norm_groups_do_not_divide": {"norm_starts": 0, "norm_groups": 5},
    "nfft_not_multiple_of_4": {"nfft": 510},
    "longer_than_segment": {},
    "empty_input": {},
}
REFUSED_LENGTHS = {"longer_than_segment": 3_901, "empty_input": 0}


def network_input(kwargs: Kwargs, name: str, length: int | None = None) -> torch.Tensor:
    """Noise [1, channels, samples] of the stream ``NAME.input``; one segment unless told otherwise."""
    samples = int(kwargs["segment"] * kwargs["samplerate"]) if length is None else length
    return noise(f"{name}.input", kwargs.get("audio_channels", 2), samples)[None]


def is_block(tap: str) -> bool:
    """Taps of the size of a layer of the paper's Figure 1, and the inputs and outputs of the network."""
    parts = tap.split(".")
    inner = parts[-1] in ("conv", "conv_tr", "rewrite", "dconv", "norm1", "norm2", "embedding")
    return (len(parts) <= 2 and not inner) or (parts[0] == "crosstransformer" and len(parts) == 3)


def record(
    golden: Golden,
    kwargs: Kwargs,
    prefix: str,
    mix: torch.Tensor,
    counts: Callable[[str], int | None] = lambda _: None,
    klass: type[Network] = HTDemucs,
) -> None:
    """Every tap of one forward pass, in float64 with PyTorch's float32 beside it, under ``PREFIX + tap``.

    ``counts`` says how many positions of a tap to keep: none for 0, as many as the file keeps for ``None``.
    """
    model = build(kwargs, klass=klass)
    runs: list[dict[str, Sample]] = []
    for kind in (torch.float32, torch.float64):
        samples: dict[str, Sample] = {}
        run_network(
            model.to(kind), mix.to(kind), lambda name, value, s=samples: s.update({name: golden.sample(prefix + name, value)})
        )
        runs.append(samples)
    single, reference = runs
    for name, sample in reference.items():
        if counts(name) != 0:
            golden.add(prefix + name, sample, single[name], counts(name))


def make_small() -> Golden:
    """``network-small``: every tap of the small configuration."""
    golden = Golden("network-small", limit=1_000, count=600)
    golden.metadata["kwargs"] = encode(SMALL)
    mix = network_input(SMALL, "network-small")
    golden.cases.append({"name": "network-small", "input": "noise", "stream": "network-small.input", "shape": list(mix.shape)})
    record(golden, SMALL, "", mix, lambda tap: 2_000 if is_block(tap) else None)
    return golden


def make_variants() -> Golden:
    """``network-variants``: ``VARIANT/tap`` for one tiny configuration per kwarg; block by block but for the first."""
    golden = Golden("network-variants", limit=64, count=64)
    lengths: dict[str, int | None] = {**dict.fromkeys(VARIANTS), **LENGTHS}
    for name, length in lengths.items():
        kwargs = {**TINY, **VARIANTS[name.split(".short")[0].split(".one")[0]]}
        mix = network_input(kwargs, name, length)
        golden.cases.append({"name": name, "kwargs": encode(kwargs), "stream": f"{name}.input", "shape": list(mix.shape)})
        every = name == "base"
        record(golden, kwargs, f"{name}/", mix, lambda tap, every=every: variant_count(tap, every))
    golden.metadata["refusals"] = [refusal(name, changes) for name, changes in REFUSED.items()]
    return golden


def variant_count(tap: str, every: bool) -> int | None:
    """Positions of a tap in ``network-variants``."""
    if tap == "output":
        return 1_000
    return None if every or is_block(tap) else 0


def refusal(name: str, changes: Kwargs, base: Kwargs = TINY, klass: type[Network] = HTDemucs) -> dict[str, Any]:
    """What the oracle says to a configuration (at construction or at run time), or that it runs."""
    kwargs = {**base, **changes}
    fact: dict[str, Any] = {"name": name, "kwargs": encode(changes)}
    stage = "construction"
    try:
        model = build(kwargs, klass=klass)
        stage = "run"
        with torch.no_grad():
            output = model(network_input(kwargs, name, REFUSED_LENGTHS.get(name)))
    except Exception as error:  # whatever the oracle raises is what we note
        message = str(error).splitlines()[0] if str(error) else ""
        return {**fact, "stage": stage, "refused": f"{type(error).__name__}: {message}"[:300]}
    return {**fact, "accepted": list(output.shape), "finite": bool(torch.isfinite(output).all())}


def make() -> list[Golden]:
    """The golden files ``network-small`` and ``network-variants``."""
    return [make_small(), make_variants()]
