"""The layers of HTDemucs on channels-last tensors, with the parameters of the `demucs` package's modules.

The package keeps channels first and hands tiny convolutions (32 channels to 4 and back) to cuDNN, which runs them at a
few percent of a Hopper GPU's bandwidth. Here the channel is the last axis, almost every convolution is one matrix product,
and what stands between two products (shifts, normalisation, gates, residuals) is left to torch.compile to fuse.

Shapes: frequency branch [B, F, T, C], time branch [B, L, C]. `check.py` holds this against the package's forward pass.
"""

from __future__ import annotations

import demucs.transformer
import torch
from demucs.demucs import DConv
from demucs.hdemucs import HDecLayer, HEncLayer
from demucs.htdemucs import HTDemucs
from demucs.transformer import CrossTransformerEncoderLayer, MyGroupNorm, MyTransformerEncoderLayer
from torch import Tensor, nn
from torch.nn import functional as F

STRIDE, KERNEL, PAD = 4, 8, 2
"""Every strided convolution of HTDemucs: kernel 8, stride 4, two elements of padding."""


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x [..., I] times weight [O, I], in the type of x."""
    return F.linear(x, weight.to(x.dtype), None if bias is None else bias.to(x.dtype))


def group_norm(x: Tensor, norm: nn.GroupNorm | MyGroupNorm) -> Tensor:
    """One group: over the last two axes (time and channels), in float32."""
    wide = x.float()
    variance, mean = torch.var_mean(wide, (-2, -1), correction=0, keepdim=True)
    return (wide - mean) * torch.rsqrt(variance + norm.eps) * norm.weight + norm.bias


def dilated(x: Tensor, conv: nn.Conv1d) -> Tensor:
    """A dilated convolution of three taps along axis -2: one product for all taps, then shift and add."""
    hidden, reach = conv.weight.shape[0], conv.dilation[0]
    weight = conv.weight.permute(2, 0, 1).reshape(3 * hidden, -1)
    taps = F.linear(x, F.pad(weight, (0, 0, 0, -3 * hidden % 8)).to(x.dtype)).float()
    before, here, after = taps[..., :hidden], taps[..., hidden : 2 * hidden], taps[..., 2 * hidden : 3 * hidden]
    before = F.pad(before[..., :-reach, :], (0, 0, reach, 0))
    after = F.pad(after[..., reach:, :], (0, 0, 0, reach))
    return before + here + after + conv.bias


def residual_branches(x: Tensor, dconv: DConv) -> Tensor:
    """DConv along axis -2."""
    for down, norm, _, up, norm_up, _, scale in dconv.layers:
        hidden = F.gelu(group_norm(dilated(x, down), norm)).to(x.dtype)
        fill = -hidden.shape[-1] % 8
        wide = linear(F.pad(hidden, (0, fill)), F.pad(up.weight[..., 0], (0, fill)), up.bias)
        x = x + (scale.scale * F.glu(group_norm(wide, norm_up), -1)).to(x.dtype)
    return x


def strided(x: Tensor, conv: nn.Conv1d | nn.Conv2d) -> Tensor:
    """Kernel 8, stride 4 along axis 1: blocks of four rows, two neighbours a product."""
    weight = conv.weight.reshape(conv.weight.shape[0], -1, KERNEL).transpose(1, 2).flatten(1)
    pads = (0, 0) * (x.dim() - 2)
    x = F.pad(x, (*pads, PAD, PAD))
    blocks = x.unflatten(1, (-1, STRIDE))
    if x.dim() == 4:
        blocks = blocks.permute(0, 1, 3, 2, 4)
    blocks = blocks.flatten(-2)
    return linear(torch.cat([blocks[:, :-1], blocks[:, 1:]], -1), weight, conv.bias)


def transposed(x: Tensor, conv: nn.ConvTranspose1d | nn.ConvTranspose2d, length: int) -> Tensor:
    """The transpose of `strided` without its bias, cut to `length` rows of axis 1."""
    out = conv.weight.shape[1]
    weight = conv.weight.reshape(-1, out, KERNEL).permute(2, 1, 0).reshape(KERNEL * out, -1)
    taps = linear(x, weight, None).unflatten(-1, (2, STRIDE, out))
    pads = (0, 0) * (taps.dim() - 3)
    low, high = taps[..., 0, :, :], taps[..., 1, :, :]
    blocks = F.pad(low, (*pads, 0, 1)) + F.pad(high, (*pads, 1, 0))
    if x.dim() == 4:
        blocks = blocks.permute(0, 1, 3, 2, 4)
    return blocks.flatten(1, 2)[:, PAD : PAD + length]


def encode(x: Tensor, layer: HEncLayer) -> Tensor:
    """An encoder layer."""
    if not layer.freq and x.shape[1] % STRIDE:
        x = F.pad(x, (0, 0, 0, -x.shape[1] % STRIDE))
    x = residual_branches(F.gelu(strided(x, layer.conv)), layer.dconv)
    weight = layer.rewrite.weight
    return F.glu(linear(x, weight.flatten(1), layer.rewrite.bias), -1)


def decode(x: Tensor, skip: Tensor, layer: HDecLayer, length: int) -> Tensor:
    """A decoder layer; `length` rows of axis 1 come out. The last layer leaves its bias to the caller."""
    x = x + skip
    rewrite = layer.rewrite
    if layer.freq:
        weight, bias = rewrite.weight.to(x.dtype, memory_format=torch.channels_last), rewrite.bias.to(x.dtype)
        x = F.conv2d(x.permute(0, 3, 1, 2), weight, bias, padding=1).permute(0, 2, 3, 1)
    else:
        neighbours = torch.cat([F.pad(x[:, :-1], (0, 0, 1, 0)), x, F.pad(x[:, 1:], (0, 0, 0, 1))], -1)
        x = linear(neighbours, rewrite.weight.transpose(1, 2).flatten(1), rewrite.bias)
    x = residual_branches(F.glu(x, -1), layer.dconv)
    x = transposed(x, layer.conv_tr, length)
    return x if layer.last else F.gelu(x + layer.conv_tr.bias.to(x.dtype))


def attend(query: Tensor, key: Tensor, attention: nn.MultiheadAttention, kind: torch.dtype) -> Tensor:
    """Multi-head attention of [B, T, C] on [B, S, C], its products in `kind`."""
    weights = attention.in_proj_weight.to(kind).chunk(3)
    biases = attention.in_proj_bias.to(kind).chunk(3)
    inputs = (query.to(kind), key.to(kind), key.to(kind))
    q, k, v = (
        F.linear(x, w, b).unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
        for x, w, b in zip(inputs, weights, biases, strict=True)
    )
    joined = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
    return linear(joined, attention.out_proj.weight, attention.out_proj.bias)


def transform(
    x: Tensor, layer: MyTransformerEncoderLayer | CrossTransformerEncoderLayer, across: Tensor | None, kind: torch.dtype
) -> Tensor:
    """A transformer layer on [B, T, C] float32; `across` is what a cross layer attends to."""

    def norm(value: Tensor, module: nn.LayerNorm) -> Tensor:
        return F.layer_norm(value, module.normalized_shape, module.weight, module.bias, module.eps)

    if across is None:
        own = norm(x, layer.norm1)
        x = x + layer.gamma_1.scale * attend(own, own, layer.self_attn, kind)
        inner = norm(x, layer.norm2)
    else:
        x = x + layer.gamma_1.scale * attend(norm(x, layer.norm1), norm(across, layer.norm2), layer.cross_attn, kind)
        inner = norm(x, layer.norm3)
    hidden = F.gelu(linear(inner.to(kind), layer.linear1.weight, layer.linear1.bias))
    x = x + layer.gamma_2.scale * linear(hidden, layer.linear2.weight, layer.linear2.bias)
    return group_norm(x, layer.norm_out)


class InnerNetwork(nn.Module):
    """Spectrogram [B, F, T, 4] and waveform [B, L, 2] in, both per stem out: [B, F, T, 4 S], [B, L, 2 S], less the last layers' biases.

    `kind` is the type of the layers' activations and products. The tables of positions are computed once, for whole segments.
    """

    def __init__(self, model: HTDemucs, segment: int, kind: torch.dtype) -> None:
        super().__init__()
        self.model, self.kind = model, kind
        device = next(model.parameters()).device
        transformer = model.crosstransformer
        channels = transformer.norm_in.weight.numel()
        rows = model.nfft // 2 // STRIDE**model.depth
        columns = -(-segment // model.hop_length)
        plane = demucs.transformer.create_2d_sin_embedding(channels, rows, columns, "cpu", transformer.max_period)
        self.plane = plane.permute(0, 3, 2, 1).flatten(1, 2).to(device)
        steps = segment
        for _ in range(model.depth):
            steps = -(-steps // STRIDE)
        line = demucs.transformer.create_sin_embedding(steps, channels, device="cpu", max_period=transformer.max_period)
        self.line = line.transpose(0, 1).to(device)

    def bottom(self, spectrum: Tensor, wave: Tensor) -> tuple[Tensor, Tensor]:
        """The transformer: tokens are (time, frequency) of one branch, samples of the other."""
        transformer = self.model.crosstransformer
        columns = spectrum.shape[2]
        tokens = transformer.norm_in(spectrum.transpose(1, 2).flatten(1, 2).float()) + self.plane
        steps = transformer.norm_in_t(wave.float()) + self.line
        for number in range(transformer.num_layers):
            own, other = transformer.layers[number], transformer.layers_t[number]
            crosses = number % 2 != transformer.classic_parity
            tokens, steps = (
                transform(tokens, own, steps if crosses else None, self.kind),
                transform(steps, other, tokens if crosses else None, self.kind),
            )
        return tokens.unflatten(1, (columns, -1)).transpose(1, 2).to(self.kind), steps.to(self.kind)

    def forward(self, spectrum: Tensor, wave: Tensor) -> tuple[Tensor, Tensor]:
        model = self.model
        spectrum, wave = spectrum.to(self.kind), wave.to(self.kind)
        kept, kept_wave, heights, lengths = [], [], [], []
        for depth, (layer, layer_wave) in enumerate(zip(model.encoder, model.tencoder, strict=True)):
            heights.append(spectrum.shape[1])
            lengths.append(wave.shape[1])
            spectrum, wave = encode(spectrum, layer), encode(wave, layer_wave)
            if depth == 0:
                place = model.freq_emb.weight[: spectrum.shape[1]]
                spectrum = spectrum + (model.freq_emb_scale * place)[:, None].to(self.kind)
            kept.append(spectrum)
            kept_wave.append(wave)
        spectrum, wave = self.bottom(spectrum, wave)
        for layer, layer_wave in zip(model.decoder, model.tdecoder, strict=True):
            spectrum = decode(spectrum, kept.pop(), layer, heights.pop())
            wave = decode(wave, kept_wave.pop(), layer_wave, lengths.pop())
        return spectrum, wave
