"""The network of `open_6s`: build, run, load, save. The layers are those of the `demucs` package.

`separate_segments` is HTDemucs' forward pass in our own words, split so that the STFT and its inverse stay in float32
outside the compiled part, and the layers run in bfloat16 inside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import demucs.transformer
import torch
from demucs.htdemucs import HTDemucs
from safetensors import safe_open
from safetensors.torch import save_file
from stems import RATE, SEGMENT, STEMS
from torch import Tensor

CONFIGURATION: dict = {
    "sources": list(STEMS), "channels": 32, "growth": 2, "depth": 4, "dconv_mode": 3, "dconv_comp": 8, "t_layers": 3,
    "t_heads": 8, "t_hidden_scale": 2.5, "bottom_channels": 0, "segment": Fraction(39, 5), "samplerate": RATE,
}  # fmt: skip

TINY: dict = {**CONFIGURATION, "channels": 8, "t_layers": 1, "t_heads": 2, "t_hidden_scale": 1.0}
"""A configuration for the smoke run: the same code, a hundredth of the work."""

Inner = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def build(configuration: dict) -> HTDemucs:
    return HTDemucs(**configuration)


def keep_positions(model: HTDemucs, device: torch.device) -> None:
    """Compute the transformer's plane of positions once: the package does so on the CPU in every forward pass.

    From here on this process runs whole segments (SEGMENT samples) only.
    """
    rows = model.nfft // 2 // 4**model.depth
    columns = -(-SEGMENT // model.hop_length)
    channels = model.crosstransformer.norm_in.weight.numel()
    plane = _plane(channels, rows, columns, "cpu", model.crosstransformer.max_period).to(device)

    def kept(*_: object) -> Tensor:
        return plane

    demucs.transformer.create_2d_sin_embedding = kept


_plane = demucs.transformer.create_2d_sin_embedding


class InnerNetwork(torch.nn.Module):
    """Spectrogram [B, 4, 2048, T] and waveform [B, 2, L] in, both per stem out: [B, 24, 2048, T], [B, 12, L]."""

    def __init__(self, model: HTDemucs) -> None:
        super().__init__()
        self.model = model

    def forward(self, spectrum: Tensor, wave: Tensor) -> tuple[Tensor, Tensor]:
        model = self.model
        kept, kept_wave, widths, wave_widths = [], [], [], []
        for depth, (encode, encode_wave) in enumerate(zip(model.encoder, model.tencoder, strict=True)):
            widths.append(spectrum.shape[-1])
            wave_widths.append(wave.shape[-1])
            wave = encode_wave(wave)
            spectrum = encode(spectrum, None)
            if depth == 0:
                rows = torch.arange(spectrum.shape[-2], device=spectrum.device)
                place = model.freq_emb(rows).t()[None, :, :, None]
                spectrum = spectrum + model.freq_emb_scale * place.expand_as(spectrum)
            kept.append(spectrum)
            kept_wave.append(wave)
        spectrum, wave = model.crosstransformer(spectrum, wave)
        for decode, decode_wave in zip(model.decoder, model.tdecoder, strict=True):
            spectrum, _ = decode(spectrum, kept.pop(), widths.pop())
            wave, _ = decode_wave(wave, kept_wave.pop(), wave_widths.pop())
        return spectrum, wave


def separate_segments(model: HTDemucs, inner: Inner, mix: Tensor, half: bool) -> Tensor:
    """Stems [B, 6, 2, L] of mixtures [B, 2, L]. With `half` the layers run in bfloat16 (autocast)."""
    batch, _, length = mix.shape
    complex_spectrum = model._spec(mix)
    frequencies, frames = complex_spectrum.shape[-2:]
    parts = torch.view_as_real(complex_spectrum).permute(0, 1, 4, 2, 3).reshape(batch, 4, frequencies, frames)
    mean, deviation = parts.mean((1, 2, 3), keepdim=True), parts.std((1, 2, 3), keepdim=True)
    wave_mean, wave_deviation = mix.mean((1, 2), keepdim=True), mix.std((1, 2), keepdim=True)
    with torch.autocast(mix.device.type, torch.bfloat16, enabled=half):
        spectrum, wave = inner((parts - mean) / (1e-5 + deviation), (mix - wave_mean) / (1e-5 + wave_deviation))
    sources = len(model.sources)
    spectrum = spectrum.float().view(batch, sources, 2, 2, frequencies, frames)
    spectrum = spectrum * deviation[:, None, None] + mean[:, None, None]
    estimate = model._ispec(torch.view_as_complex(spectrum.permute(0, 1, 2, 4, 5, 3).contiguous()), length)
    wave = wave.float().view(batch, sources, 2, length) * wave_deviation[:, None] + wave_mean[:, None]
    return estimate + wave


def save(path: Path, state: dict[str, Tensor], configuration: dict) -> None:
    """Write the half-precision checkpoint in the layout of demucs 4.1: tensors, `klass`, `args`, `kwargs`."""
    kwargs = {
        key: {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}
        if isinstance(value, Fraction)
        else value
        for key, value in configuration.items()
    }
    metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": json.dumps(kwargs)}
    half = {name: tensor.detach().to("cpu", torch.float16).contiguous() for name, tensor in state.items()}
    for name, tensor in half.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{name} is not finite in half precision")
    partial = path.with_suffix(".part")
    save_file(half, str(partial), metadata)
    partial.rename(path)


def load(path: Path) -> tuple[HTDemucs, dict]:
    """The model of a checkpoint (float32) and its configuration."""
    with safe_open(str(path), "pt") as file:
        kwargs = json.loads(file.metadata()["kwargs"])
        state = {name: file.get_tensor(name).float() for name in file.keys()}
    for key, value in kwargs.items():
        if isinstance(value, dict) and value.get("_type") == "fraction":
            kwargs[key] = Fraction(value["numerator"], value["denominator"])
    model = build(kwargs)
    model.load_state_dict(state)
    return model, kwargs


@torch.no_grad()
def separate_song(model: HTDemucs, mix: Tensor, overlap: float = 0.25, half: bool = False, batch: int = 1) -> Tensor:
    """Stems [6, 2, samples] of a song [2, samples]: segments with a triangular overlap-add."""
    inner = InnerNetwork(model)
    samples = mix.shape[-1]
    stride = int((1 - overlap) * SEGMENT)
    ramp = torch.arange(1, SEGMENT // 2 + 1, device=mix.device, dtype=torch.float32)
    weight = torch.cat([ramp, ramp.flip(0)]) / ramp.max()
    starts = list(range(0, max(samples - int(overlap * SEGMENT), 1), stride))
    padded = torch.nn.functional.pad(mix, (0, starts[-1] + SEGMENT - samples))
    total = torch.zeros(len(model.sources), 2, padded.shape[-1], device=mix.device)
    weights = torch.zeros(padded.shape[-1], device=mix.device)
    for first in range(0, len(starts), batch):
        places = starts[first : first + batch]
        pieces = torch.stack([padded[:, start : start + SEGMENT] for start in places])
        for start, stems in zip(places, separate_segments(model, inner, pieces, half), strict=True):
            total[..., start : start + SEGMENT] += weight * stems
            weights[start : start + SEGMENT] += weight
    return (total / weights)[..., :samples]
