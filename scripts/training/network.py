"""The network of `open_6s`: build, run, load, save. The parameters are those of the `demucs` package's modules."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import torch
from demucs.htdemucs import HTDemucs
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from layers import InnerNetwork
from stems import RATE, SEGMENT, STEMS

CONFIGURATION: dict = {
    "sources": list(STEMS), "channels": 32, "growth": 2, "depth": 4, "dconv_mode": 3, "dconv_comp": 8, "t_layers": 5,
    "t_heads": 8, "t_hidden_scale": 4.0, "bottom_channels": 0, "segment": Fraction(SEGMENT, RATE), "samplerate": RATE,
}  # fmt: skip

TINY: dict = {**CONFIGURATION, "channels": 8, "t_layers": 1, "t_heads": 2, "t_hidden_scale": 1.0}
"""A configuration for the smoke run: the same code, a hundredth of the work."""


def build(configuration: dict) -> HTDemucs:
    return HTDemucs(**configuration)


def complex_frames(model: HTDemucs, mix: Tensor, window: Tensor) -> Tensor:
    """The STFT of HTDemucs, [B, 2, T, F] complex64: a segment's own frames only, without the top bin.

    Orthonormal if `window` is the Hann window by the root of its length: a pass over the spectrum less than to scale that.
    """
    size, hop = model.nfft, model.hop_length
    frames = -(-mix.shape[-1] // hop)
    # Half a window for the centre, one and a half hops for the alignment with the time branch, less two frames cut off.
    left, right = size // 2, size // 2 + hop // 2 * 3 + frames * hop - mix.shape[-1]
    inner = hop // 2 * 3
    padded = torch.nn.functional.pad(mix, (inner, right - size // 2), mode="reflect")
    padded = torch.nn.functional.pad(padded, (left, size // 2), mode="reflect")
    pieces = padded.unfold(-1, size, hop)[:, :, 2 : 2 + frames]
    return torch.fft.rfft(pieces * window)[..., :-1]


def overlap_add(pieces: Tensor, window: Tensor, length: int) -> Tensor:
    """Frames [..., T, N] back to samples [..., length]; inverse of `complex_frames` after the inverse FFT without its 1 / N."""
    size = pieces.shape[-1]
    hop = size // 4
    quarters = (pieces * window).unflatten(-1, (4, hop))
    # Four frames cover every sample that is kept; the squares of their windows add up to 3/2.
    total = sum(torch.nn.functional.pad(quarters[..., part, :], (0, 0, part, 3 - part)) for part in range(4)) / 1.5
    first = size // 2 + hop // 2 * 3 - 2 * hop
    return total.flatten(-2)[..., first : first + length]


class Network:
    """HTDemucs' forward pass in our own words: spectra in float32, the layers in `kind` (bfloat16 on a GPU), compiled or not."""

    def __init__(self, model: HTDemucs, kind: torch.dtype = torch.float32, compiled: bool = False) -> None:
        self.model = model
        device = next(model.parameters()).device
        self.window = torch.hann_window(model.nfft, device=device) * model.nfft**-0.5
        self.inner = InnerNetwork(model, SEGMENT, kind)
        self.before, self.after, self.finish = self._before, self._after, self._finish
        if compiled:
            self.before, self.after, self.finish = (
                torch.compile(part, dynamic=False) for part in (self._before, self._after, self._finish)
            )

    def _before(self, parts: Tensor, mix: Tensor) -> tuple[Tensor, ...]:
        """Normalised inputs and how to undo it; `parts` is the spectrum as [B, 2, T, F, 2]."""
        mean, deviation = parts.mean((1, 2, 3, 4)), parts.std((1, 2, 3, 4))
        wave_mean, wave_deviation = mix.mean((1, 2)), mix.std((1, 2))
        spectrum = parts.permute(0, 3, 2, 1, 4).flatten(3)
        spectrum = (spectrum - mean[:, None, None, None]) / (1e-5 + deviation)[:, None, None, None]
        wave = (mix.transpose(1, 2) - wave_mean[:, None, None]) / (1e-5 + wave_deviation)[:, None, None]
        return spectrum.to(self.inner.kind), wave.to(self.inner.kind), mean, deviation, wave_mean, wave_deviation

    def _after(self, spectrum: Tensor, wave: Tensor, mean: Tensor, deviation: Tensor) -> tuple[Tensor, Tensor]:
        """The network, and its spectrum as [B, S, 2, T, F + 1, 2] ready for the inverse FFT."""
        spectrum, wave = self.inner(spectrum, wave)
        shape = (len(self.model.sources), 2, 2)
        spectrum = spectrum.float().unflatten(-1, shape).permute(0, 3, 4, 2, 1, 5)
        # The bias of the last layer, where its gradient, a sum over time and frequency, reads memory in order.
        spectrum = spectrum + self.model.decoder[-1].conv_tr.bias.view(*shape[:2], 1, 1, 2)
        spectrum = spectrum * deviation[:, None, None, None, None, None] + mean[:, None, None, None, None, None]
        return torch.nn.functional.pad(spectrum, (0, 0, 0, 1)).contiguous(), wave

    def _finish(self, pieces: Tensor, wave: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
        """Samples of both branches, added: [B, S, 2, L]."""
        length = wave.shape[1]
        wave = wave.float().unflatten(-1, (-1, 2)).permute(0, 2, 3, 1) + self.model.tdecoder[-1].conv_tr.bias.view(-1, 2, 1)
        wave = wave * deviation[:, None, None, None] + mean[:, None, None, None]
        return overlap_add(pieces, self.window, length) + wave

    def __call__(self, mix: Tensor) -> Tensor:
        """Stems [B, S, 2, SEGMENT] of mixtures [B, 2, SEGMENT]."""
        parts = torch.view_as_real(complex_frames(self.model, mix, self.window))
        spectrum, wave, mean, deviation, wave_mean, wave_deviation = self.before(parts, mix)
        spectrum, wave = self.after(spectrum, wave, mean, deviation)
        pieces = torch.fft.irfft(torch.view_as_complex(spectrum), self.model.nfft, norm="forward")
        return self.finish(pieces, wave, wave_mean, wave_deviation)


LARGE = 8192
"""Elements from which on a tensor is worth storing in 8 bits; smaller ones stay in 16."""


def to_eight_bits(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """A tensor [R, ...] as int8 and the float32 scale of each row [R]; the largest of a row becomes 127 or -127."""
    rows = tensor.float().flatten(1)
    scale = rows.abs().amax(1) / 127
    steps = torch.where(scale[:, None] > 0, rows / scale[:, None], 0.0)
    return steps.round().to(torch.int8).view(tensor.shape), scale


def from_eight_bits(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A stored state as float32: an int8 `NAME` times its `NAME.scale`, row by row, the others as they are."""
    scales = {f"{name}.scale" for name, tensor in state.items() if tensor.dtype == torch.int8}
    return {
        name: (tensor.float().flatten(1) * state[f"{name}.scale"][:, None]).view(tensor.shape)
        if tensor.dtype == torch.int8
        else tensor.float()
        for name, tensor in state.items()
        if name not in scales
    }


def save(path: Path, state: dict[str, Tensor], configuration: dict, eight_bits: bool = False) -> None:
    """Write the checkpoint in the layout of demucs 4.1: tensors, `klass`, `args`, `kwargs`.

    In half precision; with `eight_bits` the large tensors in int8 with a scale for each row, which demucs itself does not read.
    """
    kwargs = {
        key: {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}
        if isinstance(value, Fraction)
        else value
        for key, value in configuration.items()
    }
    metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": json.dumps(kwargs)}
    stored: dict[str, Tensor] = {}
    for name, tensor in state.items():
        value = tensor.detach().cpu()
        if eight_bits and value.ndim > 1 and value.numel() >= LARGE:
            stored[name], stored[f"{name}.scale"] = to_eight_bits(value)
        else:
            stored[name] = value.to(torch.float16).contiguous()
        if not torch.isfinite(stored[name]).all():
            raise ValueError(f"{name} is not finite in half precision")
    partial = path.with_suffix(".part")
    save_file(stored, str(partial), metadata)
    partial.rename(path)


def load(path: Path) -> tuple[HTDemucs, dict]:
    """The model of a checkpoint (float32) and its configuration."""
    with safe_open(str(path), "pt") as file:
        kwargs = json.loads(file.metadata()["kwargs"])
        state = from_eight_bits({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118 (it is no dictionary)
    for key, value in kwargs.items():
        if isinstance(value, dict) and value.get("_type") == "fraction":
            kwargs[key] = Fraction(value["numerator"], value["denominator"])
    model = build(kwargs)
    model.load_state_dict(state)
    return model, kwargs


@torch.no_grad()
def separate_song(network: Network, mix: Tensor, overlap: float = 0.25, batch: int = 1) -> Tensor:
    """Stems [6, 2, samples] of a song [2, samples], as `demucs` and the program make them without a shift.

    The song is normalised, segments overlap in triangles, and a short last one lies in the middle of its segment.
    """
    samples = mix.shape[-1]
    middle = mix.mean(0)
    mean, spread = middle.mean(), middle.std() + 1e-8
    mix = (mix - mean) / spread
    ramp = torch.arange(1, SEGMENT // 2 + 1, device=mix.device, dtype=torch.float32)
    weight = torch.cat([ramp, ramp.flip(0)]) / ramp.max()
    total = torch.zeros(len(network.model.sources), 2, samples, device=mix.device)
    weights = torch.zeros(samples, device=mix.device)
    starts = list(range(0, samples, int((1 - overlap) * SEGMENT)))

    def piece(start: int) -> Tensor:
        begin = start - max(0, SEGMENT - (samples - start)) // 2
        left, right = max(begin, 0), min(begin + SEGMENT, samples)
        return torch.nn.functional.pad(mix[:, left:right], (left - begin, begin + SEGMENT - right))

    for first in range(0, len(starts), batch):
        places = starts[first : first + batch]
        for start, stems in zip(places, network(torch.stack([piece(start) for start in places])), strict=True):
            length = min(SEGMENT, samples - start)
            before = (SEGMENT - length) // 2
            total[..., start : start + length] += weight[:length] * stems[..., before : before + length]
            weights[start : start + length] += weight[:length]
    return total / weights * spread + mean
