"""The cases of the golden file ``layers``: one layer each, small shapes, every variation that a kwarg can reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from demucs.demucs import BLSTM, DConv, LayerScale, LocalState
from demucs.hdemucs import HDecLayer, HEncLayer, MultiWrap, ScaledEmbedding
from demucs.transformer import (
    CrossTransformerEncoder,
    CrossTransformerEncoderLayer,
    MyGroupNorm,
    MyTransformerEncoderLayer,
)
from demucs.transformer import ScaledEmbedding as BoostedEmbedding
from torch import nn

Call = Callable[..., Any]


@dataclass
class Case:
    """A layer, its inputs (stream ``NAME.INPUT``, scaled and shifted) and how it is called.

    ``prefix`` comes between the case and the names of the parameters, so that a bare transposed convolution is recognised
    by the generator's rules.
    """

    name: str
    make: Callable[[], nn.Module]
    inputs: dict[str, tuple[int, ...]]
    parameters: dict[str, Any]
    prefix: str = ""
    scale: float = 1.0
    offset: float = 0.0
    call: Call = field(default=lambda module, **inputs: module(**inputs))


def first(module: nn.Module, **inputs: torch.Tensor) -> Any:
    """Call a module with one input, whatever its argument is named."""
    (value,) = inputs.values()
    return module(value)


def convolutions() -> Iterator[Case]:
    """Conv1d, Conv2d and their transposes."""
    one = [
        (2, 6, 8, 4, 2, 1, 101),
        (2, 6, 8, 4, 2, 1, 100),
        (3, 5, 4, 2, 1, 1, 33),
        (4, 6, 3, 1, 1, 1, 37),
        (4, 6, 3, 1, 2, 2, 37),
        (4, 4, 3, 1, 4, 4, 37),
        (4, 4, 3, 1, 4, 4, 3),
        (5, 7, 3, 1, 1, 1, 1),
        (6, 12, 1, 1, 0, 1, 50),
        (8, 16, 5, 1, 2, 1, 29),
        (48, 6, 3, 1, 2, 2, 336),
        (48, 96, 1, 1, 0, 1, 700),
    ]
    for cin, cout, kernel, stride, padding, dilation, length in one:
        keys = {"in": cin, "out": cout, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
        name = f"conv1d/{cin}-{cout}.k{kernel}s{stride}p{padding}d{dilation}.{length}"
        make = lambda a=(cin, cout, kernel, stride, padding, dilation): nn.Conv1d(*a)
        yield Case(name, make, {"input": (2, cin, length)}, keys, call=first)
    two = [
        (4, 6, (8, 1), (4, 1), (2, 0), 32, 9),
        (4, 6, (8, 1), (4, 1), (2, 0), 35, 9),
        (4, 6, (8, 1), (4, 1), (0, 0), 8, 7),
        (4, 6, (4, 1), (2, 1), (1, 0), 16, 5),
        (6, 12, (1, 1), (1, 1), (0, 0), 8, 21),
        (6, 12, (3, 3), (1, 1), (1, 1), 16, 21),
        (6, 12, (3, 3), (1, 1), (1, 1), 1, 21),
        (6, 12, (3, 3), (1, 1), (1, 1), 5, 1),
        (6, 10, (5, 5), (1, 1), (2, 2), 9, 11),
        (6, 12, (1, 3), (1, 1), (0, 1), 8, 21),
        (48, 96, (3, 3), (1, 1), (1, 1), 12, 47),
        (4, 48, (8, 1), (4, 1), (2, 0), 64, 30),
    ]
    for cin, cout, kernel, stride, padding, rows, frames in two:
        keys = {"in": cin, "out": cout, "kernel": kernel, "stride": stride, "padding": padding}
        name = f"conv2d/{cin}-{cout}.k{kernel[0]}x{kernel[1]}s{stride[0]}p{padding[0]}x{padding[1]}.{rows}x{frames}"
        make = lambda a=(cin, cout, kernel, stride, padding): nn.Conv2d(*a)
        yield Case(name, make, {"input": (1, cin, rows, frames)}, keys, call=first)
    for cin, cout, kernel, stride, length in [(6, 4, 8, 4, 25), (6, 4, 8, 4, 1), (5, 3, 4, 2, 17), (48, 24, 8, 4, 300)]:
        keys = {"in": cin, "out": cout, "kernel": kernel, "stride": stride}
        name = f"conv_transpose1d/{cin}-{cout}.k{kernel}s{stride}.{length}"
        make = lambda a=(cin, cout, kernel, stride): nn.ConvTranspose1d(*a)
        yield Case(name, make, {"input": (2, cin, length)}, keys, "conv_tr.", call=first)
    for cin, cout, kernel, stride, rows, frames in [(6, 4, 8, 4, 8, 9), (6, 4, 8, 4, 1, 9), (6, 4, 4, 2, 5, 3)]:
        keys = {"in": cin, "out": cout, "kernel": [kernel, 1], "stride": [stride, 1]}
        name = f"conv_transpose2d/{cin}-{cout}.k{kernel}x1s{stride}.{rows}x{frames}"
        make = lambda a=(cin, cout, [kernel, 1], [stride, 1]): nn.ConvTranspose2d(*a)
        yield Case(name, make, {"input": (1, cin, rows, frames)}, keys, "conv_tr.", call=first)


def norms_and_activations() -> Iterator[Case]:
    """GroupNorm, LayerNorm, their transformer variant, GLU, LayerScale and the embeddings."""
    for groups, shape in [(1, (2, 6, 37)), (4, (2, 8, 37)), (1, (3, 6, 1)), (4, (1, 8, 5, 11)), (1, (1, 48, 4, 336))]:
        name = f"group_norm/{groups}." + "x".join(map(str, shape))
        keys = {"groups": groups, "channels": shape[1]}
        yield Case(name, lambda a=(groups, shape[1]): nn.GroupNorm(*a), {"input": shape}, keys, call=first)
    keys = {"groups": 1, "channels": 6}
    far = {"scale": 2.0, "offset": 20.0}
    yield Case("group_norm/far_from_zero", lambda: nn.GroupNorm(1, 6), {"input": (2, 6, 999)}, keys, **far, call=first)
    yield Case("group_norm/constant", lambda: nn.GroupNorm(1, 6), {"input": (1, 6, 20)}, keys, scale=0.0, call=first)
    yield Case("group_norm/tiny", lambda: nn.GroupNorm(1, 6), {"input": (1, 6, 20)}, keys, scale=1e-4, call=first)
    for shape in [(1, 7, 32), (2, 3, 384), (1, 1, 8)]:
        keys = {"channels": shape[-1]}
        name = "layer_norm/" + "x".join(map(str, shape))
        yield Case(name, lambda n=shape[-1]: nn.LayerNorm(n), {"input": shape}, keys, call=first)
    yield Case(
        "layer_norm/far_from_zero", lambda: nn.LayerNorm(384), {"input": (1, 3, 384)}, {"channels": 384}, **far, call=first
    )
    for groups in (1, 4):
        keys = {"groups": groups, "channels": 32}
        name = f"my_group_norm/{groups}"
        yield Case(name, lambda g=groups: MyGroupNorm(g, 32), {"input": (2, 19, 32)}, keys, call=first)
    yield Case("glu/channels", lambda: nn.GLU(1), {"input": (2, 12, 31)}, {"axis": 1}, scale=6.0, call=first)
    yield Case("layer_scale/channel_first", lambda: LayerScale(6), {"input": (2, 6, 9)}, {"channels": 6}, call=first)
    yield Case("layer_scale/channel_last", lambda: LayerScale(6, 0, True), {"input": (2, 9, 6)}, {"channels": 6}, call=first)
    rows = torch.arange(16)
    yield Case(
        "scaled_embedding/hdemucs",
        lambda: ScaledEmbedding(16, 6, scale=10.0, smooth=True),
        {},
        {"rows": 16, "channels": 6, "scale": 10.0},
        call=lambda module: module(rows),
    )
    yield Case(
        "scaled_embedding/transformer",
        lambda: BoostedEmbedding(16, 6, scale=0.2),
        {},
        {"rows": 16, "channels": 6, "boost": 3.0},
        call=lambda module: module(rows),
    )


def residual_branches() -> Iterator[Case]:
    """DConv."""
    for depth, compress, channels, length in [
        (1, 4, 8, 33),
        (2, 8, 48, 40),
        (2, 4, 12, 33),
        (3, 4, 8, 50),
        (-2, 4, 8, 33),
        (2, 8, 20, 21),
        (2, 8, 8, 1),
        (2, 8, 8, 2),
        (2, 8, 384, 16),
    ]:
        keys = {"channels": channels, "compress": compress, "depth": depth}
        name = f"dconv/{channels}.compress{compress}.depth{depth}.{length}"
        yield Case(name, lambda k=keys: DConv(**k), {"input": (2, channels, length)}, keys, call=first)


def encoders() -> Iterator[Case]:
    """HEncLayer, with MultiWrap around it."""
    small = {"compress": 4, "depth": 2, "gelu": True}
    base = {"chin": 4, "chout": 8, "norm": False, "norm_groups": 4, "dconv_kw": small}
    time, freq = {**base, "freq": False}, {**base, "freq": True}
    variants: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
        *[(f"time.{length}", time, (2, 4, length)) for length in (64, 63, 62, 61, 5, 1)],
        ("time.norm", {**time, "norm": True}, (2, 4, 61)),
        ("time.norm.context1", {**time, "norm": True, "context": 1}, (2, 4, 61)),
        ("time.context2", {**time, "context": 2}, (1, 4, 50)),
        ("time.no_rewrite", {**time, "rewrite": False}, (1, 4, 50)),
        ("time.no_dconv", {**time, "dconv": False}, (1, 4, 50)),
        ("time.no_dconv.no_rewrite.norm", {**time, "dconv": False, "rewrite": False, "norm": True}, (1, 4, 50)),
        ("time.k4s2", {**time, "kernel_size": 4, "stride": 2}, (1, 4, 51)),
        ("time.empty", {**time, "empty": True}, (1, 4, 50)),
        ("time.from_4d", {**time, "kernel_size": 4, "stride": 2}, (1, 4, 1, 51)),
        *[(f"freq.{rows}x{frames}", freq, (1, 4, rows, frames)) for rows, frames in ((32, 9), (16, 1), (35, 9), (64, 3))],
        ("freq.norm", {**freq, "norm": True}, (1, 4, 32, 9)),
        ("freq.context1", {**freq, "context": 1}, (1, 4, 32, 9)),
        ("freq.no_dconv", {**freq, "dconv": False}, (1, 4, 32, 9)),
        ("freq.no_rewrite", {**freq, "rewrite": False}, (1, 4, 32, 9)),
        ("freq.last", {**freq, "kernel_size": 8, "pad": False}, (1, 4, 8, 9)),
        ("freq.last4", {**freq, "kernel_size": 4, "pad": False}, (1, 4, 4, 9)),
        ("freq.batch3", freq, (3, 4, 16, 5)),
    ]
    for name, keys, shape in variants:
        yield Case(f"encoder/{name}", lambda k=keys: HEncLayer(**k), {"input": shape}, keys, call=first)
    keys = {**freq, "pad": False, "norm": True}
    inputs = {"x": (1, 4, 8, 9), "inject": (1, 8, 9)}
    yield Case("encoder/freq.inject", lambda k=keys: HEncLayer(**k), inputs, keys)
    keys = {**freq, "dconv": False, "split_ratios": [0.25, 0.5]}
    make = lambda: MultiWrap(HEncLayer(**{**freq, "dconv": False}), [0.25, 0.5])
    yield Case("encoder/multi", make, {"input": (1, 4, 128, 5)}, keys, call=first)


def decode(module: nn.Module, x: torch.Tensor, skip: torch.Tensor | None = None, length: int | None = None) -> Any:
    """A decoder layer takes its skip connection and the length to trim to by position."""
    return module(x, skip, length)


def decoders() -> Iterator[Case]:
    """HDecLayer, with MultiWrap around it. ``length`` is what a time layer trims to."""
    small = {"compress": 4, "depth": 2, "gelu": True}
    base = {"chin": 8, "chout": 4, "norm": False, "norm_groups": 4, "dconv_kw": small}
    time, freq = {**base, "freq": False}, {**base, "freq": True}
    variants: list[tuple[str, dict[str, Any], tuple[int, ...], int]] = [
        *[(f"time.{length}", time, (2, 8, 16), length) for length in (64, 63, 61)],
        ("time.last", {**time, "last": True}, (2, 8, 16), 64),
        ("time.norm", {**time, "norm": True}, (2, 8, 16), 62),
        ("time.norm.context0", {**time, "norm": True, "context": 0}, (2, 8, 16), 62),
        ("time.context2", {**time, "context": 2}, (1, 8, 16), 64),
        ("time.no_dconv", {**time, "dconv": False}, (1, 8, 16), 64),
        ("time.no_rewrite", {**time, "rewrite": False}, (1, 8, 16), 64),
        ("time.k4s2", {**time, "kernel_size": 4, "stride": 2}, (1, 8, 16), 31),
        ("time.one_frame", time, (1, 8, 1), 4),
        ("freq.8x9", freq, (1, 8, 8, 9), 0),
        ("freq.1x9", freq, (1, 8, 1, 9), 0),
        ("freq.last", {**freq, "last": True}, (1, 8, 8, 9), 0),
        ("freq.norm", {**freq, "norm": True}, (1, 8, 8, 9), 0),
        ("freq.context0", {**freq, "context": 0}, (1, 8, 8, 9), 0),
        ("freq.context2", {**freq, "context": 2}, (1, 8, 8, 9), 0),
        ("freq.context_time", {**freq, "context_freq": False}, (1, 8, 8, 9), 0),
        ("freq.no_dconv", {**freq, "dconv": False}, (1, 8, 8, 9), 0),
        ("freq.no_rewrite", {**freq, "rewrite": False}, (1, 8, 8, 9), 0),
        ("freq.no_pad", {**freq, "pad": False}, (1, 8, 1, 9), 0),
        ("freq.no_pad4", {**freq, "pad": False, "kernel_size": 4}, (1, 8, 1, 9), 0),
        ("freq.from_3d", {**freq, "pad": False}, (1, 8, 9), 0),
        ("freq.batch3", freq, (3, 8, 4, 5), 0),
    ]
    for name, keys, shape, length in variants:
        skip = shape if len(shape) == (4 if keys["freq"] else 3) else (shape[0], shape[1], 1, shape[2])
        call = lambda module, x, skip, length=length: decode(module, x, skip, length)
        listed = {**keys, "length": length}
        yield Case(f"decoder/{name}", lambda k=keys: HDecLayer(**k), {"x": shape, "skip": skip}, listed, call=call)
    keys = {**time, "empty": True}
    call = lambda module, x: decode(module, x, None, 62)
    yield Case("decoder/time.empty", lambda k=keys: HDecLayer(**k), {"x": (1, 8, 16)}, {**keys, "length": 62}, call=call)
    for name, last in (("multi", False), ("multi.last", True)):
        keys = {**freq, "dconv": False, "context_freq": False, "last": last}
        make = lambda k=keys: MultiWrap(HDecLayer(**k), [0.25, 0.5])
        listed = {**keys, "split_ratios": [0.25, 0.5]}
        shapes = {"x": (1, 8, 32, 5), "skip": (1, 8, 32, 5)}
        yield Case(f"decoder/{name}", make, shapes, listed, call=decode)


def attend(module: nn.Module, query: torch.Tensor, key: torch.Tensor | None = None) -> Any:
    """Attention without its weights, as the transformer layers call it."""
    key = query if key is None else key
    return module(query, key, key, need_weights=False)[0]


def attentions() -> Iterator[Case]:
    """nn.MultiheadAttention, and the two transformer layers."""
    for heads, width, queries, keys in [
        (2, 16, 1, 1),
        (2, 16, 7, 7),
        (2, 16, 5, 33),
        (2, 16, 33, 1),
        (8, 64, 100, 61),
        (8, 64, 61, 61),
        (4, 64, 700, 700),
        (8, 384, 130, 257),
    ]:
        name = f"attention/{width}.heads{heads}.{queries}x{keys}"
        shapes = {"query": (2, queries, width), "key": (2, keys, width)}
        listed = {"width": width, "heads": heads}
        make = lambda a=(width, heads): nn.MultiheadAttention(*a, batch_first=True)
        yield Case(name, make, shapes, listed, scale=1.75, call=attend)
    for name, changes in {
        "norm_first": {"norm_first": True, "norm_out": True},
        "norm_first.no_norm_out": {"norm_first": True},
        "norm_last": {"norm_first": False, "norm_out": True},
        "norm_first.group_norm": {"norm_first": True, "norm_out": True, "group_norm": 1},
        "norm_last.group_norm4": {"norm_first": False, "group_norm": 4},
        "no_layer_scale": {"norm_first": True, "norm_out": True, "layer_scale": False},
        "relu": {"norm_first": True, "norm_out": True, "activation": "relu"},
        "norm_out4": {"norm_first": True, "norm_out": 4},
    }.items():
        keys = {"d_model": 32, "nhead": 4, "dim_feedforward": 80, "layer_scale": True, "activation": "gelu", **changes}
        real = {**keys, "dropout": 0.0, "batch_first": True, "activation": getattr(F, keys["activation"])}
        make_self = lambda k=real: MyTransformerEncoderLayer(**k)
        yield Case(f"transformer_layer/{name}", make_self, {"input": (2, 21, 32)}, keys, scale=1.75, call=first)
        make_cross = lambda k=real: CrossTransformerEncoderLayer(**k)
        shapes = {"q": (2, 21, 32), "k": (2, 13, 32)}
        yield Case(f"cross_transformer_layer/{name}", make_cross, shapes, keys, scale=1.75)


def transformers() -> Iterator[Case]:
    """CrossTransformerEncoder: spectrogram [1, 32, 4, 9] and waveform [1, 32, 30] in, the same out."""
    base: dict[str, Any] = {
        "dim": 32,
        "num_heads": 4,
        "num_layers": 3,
        "hidden_scale": 2.5,
        "norm_first": True,
        "norm_out": True,
        "layer_scale": True,
        "max_positions": 64,
    }
    for name, changes in {
        "plain": {},
        "one_layer": {"num_layers": 1},
        "cross_first": {"cross_first": True},
        "no_norm_in": {"norm_in": False},
        "norm_in_group": {"norm_in": False, "norm_in_group": 1},
        "group_norm": {"group_norm": 1},
        "norm_last": {"norm_first": False},
        "weight_pos_embed": {"weight_pos_embed": 0.3},
        "max_period": {"max_period": 100.0},
        "cape": {"emb": "cape"},
        "cape.not_centred": {"emb": "cape", "cape_mean_normalize": False},
        "scaled": {"emb": "scaled"},
        "relu": {"gelu": False},
    }.items():
        keys = {**base, **changes}
        shapes = {"x": (1, 32, 4, 9), "xt": (1, 32, 30)}
        yield Case(f"transformer/{name}", lambda k=keys: CrossTransformerEncoder(**k), shapes, keys, scale=1.75)


def contexts() -> Iterator[Case]:
    """nn.LSTM, bidirectional, on [steps, sequences, width]; BLSTM and LocalState, and DConv with both."""
    for width, hidden, layers, steps, batch in [
        (5, 1, 1, 7, 2),
        (6, 5, 2, 12, 3),
        (16, 16, 2, 1, 1),
        (12, 20, 3, 9, 17),
        (8, 48, 2, 40, 40),
    ]:
        keys = {"input_size": width, "hidden_size": hidden, "num_layers": layers}
        name = f"lstm/{width}.hidden{hidden}.layers{layers}.{steps}x{batch}"
        make = lambda k=keys: nn.LSTM(**k, bidirectional=True)
        yield Case(name, make, {"input": (steps, batch, width)}, keys, call=lambda module, input: module(input)[0])
    for channels, batch, length in [(8, 2, 1), (8, 3, 33), (4, 1, 200), (4, 2, 201), (4, 1, 251), (12, 2, 463)]:
        name = f"blstm/{channels}.{batch}x{length}"
        make = lambda c=channels: BLSTM(c, layers=2, max_steps=200, skip=True)
        yield Case(name, make, {"input": (batch, channels, length)}, {"channels": channels}, call=first)
    for channels, batch, length, scale in [(8, 2, 1, 1.0), (4, 1, 2, 1.0), (20, 3, 65, 1.0), (8, 1, 700, 6.0)]:
        name = f"local_state/{channels}.{batch}x{length}"
        make = lambda c=channels: LocalState(c)
        yield Case(name, make, {"input": (batch, channels, length)}, {"channels": channels}, scale=scale, call=first)
    for lstm, attn, length in [(True, True, 230), (True, False, 40), (False, True, 40)]:
        keys = {"channels": 16, "compress": 4, "depth": 2, "lstm": lstm, "attn": attn}
        name = f"context/lstm{int(lstm)}.attn{int(attn)}.{length}"
        yield Case(name, lambda k=keys: DConv(**k), {"input": (2, 16, length)}, keys, call=first)


def all_cases() -> Iterator[Case]:
    """Every case, in the order of the file."""
    yield from convolutions()
    yield from norms_and_activations()
    yield from residual_branches()
    yield from encoders()
    yield from decoders()
    yield from attentions()
    yield from transformers()
    yield from contexts()
