"""From chosen songs to mixtures, on the GPU: cut, resample, equalise, add rooms, place, pump, level, sum.

Everything random comes from the caller's generator; the arithmetic between lies in a few functions that torch.compile fuses.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from stems import RATE, SEGMENT, STEMS

EDGES = 10
"""Points of the random equaliser, spread over the octaves from 30 Hz to 18 kHz."""

SIZE = 2048 * math.ceil(SEGMENT / 2048)
"""Length of the Fourier transforms: 2^14 x 21 for a whole segment, just above it. Rooms wrap around, as if the song had gone before."""

HOP = 882
"""Samples of a frame of an envelope (20 ms); a segment holds a whole number of them."""


def interpolate(songs: Tensor, base: Tensor, start: Tensor, speed: Tensor) -> Tensor:
    """Samples [N, 2, SEGMENT] of `songs` (flat int16) from `base` [N, 2] + `start` [N], at `speed` [N]."""
    place = torch.arange(SEGMENT, device=songs.device) * speed[:, None].double()
    left = place.long()
    part = (place - left).float()[:, None]
    index = base[:, :, None] + (start[:, None] + left)[:, None]
    return (songs[index] * (1 - part) + songs[index + 1] * part) / 32768


def filtered(parts: Tensor, gains: Tensor, left: Tensor, part: Tensor) -> Tensor:
    """Spectra [N, 2, K, 2] times a curve through `gains` [N, EDGES] in dB."""
    curve = gains[:, left] * (1 - part) + gains[:, left + 1] * part
    return parts * torch.exp(curve * (math.log(10) / 20))[:, None, :, None]


def placed(audio: Tensor, width: Tensor, lean: Tensor, sign: Tensor, hot: Tensor) -> Tensor:
    """Width, balance and polarity [B, S] of stems, and saturation of those that are `hot`."""
    width, lean, sign, hot = (value[:, :, None] for value in (width, lean, sign, hot))
    left, right = audio[:, :, 0], audio[:, :, 1]
    middle, side = (left + right) / 2, width * (left - right) / 2
    out = torch.stack([(middle + side) * (1 + lean), (middle - side) * (1 - lean)], 2) * sign[:, :, None]
    return torch.where(hot[:, :, None] > 0, torch.tanh(out * hot[:, :, None]) / hot[:, :, None] * 1.3, out)


def loudness(audio: Tensor) -> Tensor:
    """RMS of the frames of [B, 2, SEGMENT]: [B, frames]."""
    return audio.square().mean(1).unflatten(-1, (-1, HOP)).mean(-1).sqrt()


def stretched(gain: Tensor) -> Tensor:
    """Gains of frames [..., frames] drawn out to samples [..., SEGMENT]."""
    shape = gain.shape[:-1]
    return F.interpolate(gain.reshape(-1, 1, gain.shape[-1]), size=SEGMENT, mode="linear").reshape(*shape, SEGMENT)


def pumped(audio: Tensor, depth: Tensor) -> Tensor:
    """Side-chain: the drums push the other stems down by `depth` [B, S] (0 to 1), which swing back within 150 ms."""
    level = loudness(audio[:, 0])
    level = level / level.amax(-1, keepdim=True).clamp(min=1e-4)
    held = F.max_pool1d(F.pad(level, (4, 0)), 5, 1)
    smooth = F.avg_pool1d(F.pad(held[:, None], (4, 0), mode="replicate"), 5, 1)[:, 0]
    gain = 1 - depth[:, :, None] * (1.3 * smooth).clamp(max=1)[:, None]
    return audio * stretched(gain)[:, :, None]


def compressed(audio: Tensor, power: Tensor) -> Tensor:
    """A bus compressor: one gain for all stems, (level / mean) ** -power [B], from the mixture's loudness."""
    level = F.avg_pool1d(F.pad(loudness(audio.sum(1))[:, None], (2, 2), mode="replicate"), 5, 1)[:, 0]
    level = (level / level.mean(-1, keepdim=True).clamp(min=1e-5)).clamp(0.1, 10)
    return audio * stretched(level ** -power[:, None])[:, None, None]


def summed(audio: Tensor, level: Tensor, depth: Tensor, power: Tensor) -> tuple[Tensor, Tensor]:
    """Set levels, pump, compress; the mixtures and their stems."""
    audio = compressed(pumped(audio, depth) * level[:, :, None, None], power)
    return audio.sum(1), audio


class Mixer:
    """The steps from songs to mixtures on one device."""

    def __init__(self, device: torch.device, compiled: bool) -> None:
        self.device = device
        octaves = torch.linspace(math.log2(30), math.log2(18000), EDGES, device=device)
        bins = torch.fft.rfftfreq(SIZE, 1 / RATE, device=device).clamp(30, 18000).log2()
        place = (bins - octaves[0]) / (octaves[1] - octaves[0])
        self.bin_left = place.floor().clamp(0, EDGES - 2).long()
        self.bin_part = place - self.bin_left
        # How often each stem is pumped by the drums (order of STEMS).
        self.pumping = torch.tensor([0.0, 0.3, 0.25, 0.03, 0.08, 0.1], device=device)
        wrap = (lambda f: torch.compile(f, dynamic=False)) if compiled else (lambda f: f)
        self.interpolate, self.filtered, self.placed, self.summed = map(wrap, (interpolate, filtered, placed, summed))

    def cut(self, songs: Tensor, slots: Tensor, start: Tensor, speed: Tensor) -> Tensor:
        """Segments [B, S, 2, SEGMENT] of the songs [slots, S, 2, samples], stem by stem from its slot [B, S]."""
        batch, stems = slots.shape
        base = ((slots * stems + torch.arange(stems, device=self.device)) * 2)[..., None] + torch.arange(2, device=self.device)
        flat = self.interpolate(songs.view(-1), base.flatten(0, 1) * songs.shape[-1], start.flatten(), speed.flatten())
        return flat.unflatten(0, (batch, stems))

    def colour(self, audio: Tensor, generator: torch.Generator) -> Tensor:
        """A smooth random filter on every other stem and a room for every sixth."""
        count = audio.shape[0] * audio.shape[1]
        draw = {"device": self.device, "generator": generator}
        # Mild mostly, as in songs; strong on one of sixteen.
        dice = torch.rand(count, 1, **draw)
        amount = torch.rand(count, 1, **draw) * torch.where(dice < 0.06, 7.0, torch.where(dice < 0.45, 3.0, 0.0))
        spectrum = torch.fft.rfft(audio.flatten(0, 1), SIZE)
        gains = torch.randn(count, EDGES, **draw) * amount
        spectrum = torch.view_as_complex(self.filtered(torch.view_as_real(spectrum), gains, self.bin_left, self.bin_part))
        rooms = max(1, count // 6)
        chosen = torch.randperm(count, **draw)[:rooms]
        length = 48000
        time = torch.arange(length, device=self.device) / RATE
        decay = 0.2 + 1.0 * torch.rand(rooms, 1, 1, **draw) ** 2
        response = torch.randn(rooms, 2, length, **draw) * torch.exp(-6.9 * time / decay)
        wet = 10 ** ((-24 + 18 * torch.rand(rooms, 1, 1, **draw)) / 20)
        response = wet * response / response.square().sum(-1, keepdim=True).sqrt()
        spectrum[chosen] *= 1 + torch.fft.rfft(response, SIZE)
        return torch.fft.irfft(spectrum, SIZE)[..., :SEGMENT].unflatten(0, audio.shape[:2])

    def mix(self, audio: Tensor, level: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Mixtures [B, 2, SEGMENT] and stems [B, S, 2, SEGMENT] at the levels [B, S]."""
        batch, stems = level.shape
        assert stems == len(STEMS)

        def chance(*shape: int) -> Tensor:
            return torch.rand(*shape, device=self.device, generator=generator)

        width = torch.where(chance(batch, stems) < 0.5, 1.2 * chance(batch, stems), 1.0)
        width = torch.where(chance(batch, stems) < 0.5, -width, width)
        lean = 0.15 * torch.randn(batch, stems, device=self.device, generator=generator)
        sign = torch.where(chance(batch, stems) < 0.5, -1.0, 1.0)
        hot = torch.where(chance(batch, stems) < 0.12, 4 + 12 * chance(batch, stems), 0.0)
        audio = self.placed(audio, width, lean, sign, hot)
        depth = torch.where(chance(batch, stems) < self.pumping, 0.3 + 0.7 * chance(batch, stems), 0.0)
        power = torch.where(chance(batch) < 0.2, 0.5 * chance(batch), 0.0)
        level = level * 10 ** ((chance(batch, 1) - 0.5) * 12 / 20)
        mix, audio = self.summed(audio, level, depth, power)
        inside = self.edges(chance(batch, 2), chance(batch, 2))
        return mix * inside[:, None], audio * inside[:, None, None]

    def edges(self, dice: Tensor, reach: Tensor) -> Tensor:
        """1 inside the song and 0 beyond it, [B, SEGMENT]: some segments begin before it, some end after it.

        As in `demucs`, whose random shift puts up to half a second before a song, and which fills up its last segment.
        """
        place = torch.arange(SEGMENT, device=self.device)
        begins = torch.where(dice[:, :1] < 0.25, 0.6 * RATE * reach[:, :1], 0.0)
        ends = torch.where(dice[:, 1:] < 0.22, SEGMENT * (1 - 0.6 * reach[:, 1:]), SEGMENT)
        return ((place >= begins) & (place < ends)).float()
