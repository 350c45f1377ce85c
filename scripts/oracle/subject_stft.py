"""STFT and iSTFT: HTDemucs' own framing, the plain transform below it, and the reflect padding."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from demucs.hdemucs import pad1d
from demucs.htdemucs import HTDemucs
from demucs.spec import ispectro, spectro

from .generator import scaled
from .golden import Golden
from .signals import signal

LENGTHS = [1, 2, 1023, 1024, 1025, 1535, 1536, 1537, 2559, 2560, 4096, 44_100, 343_979, 343_980, 343_981]
KINDS = ["silence", "sine", "noise", "song"]
REFLECTIONS = [
    (10, 3, 4),
    (10, 9, 9),
    (10, 10, 10),
    (10, 12, 5),
    (10, 5, 12),
    (10, 0, 25),
    (10, 25, 0),
    (1, 1, 1),
    (1, 6, 6),
    (1, 6, 2),
    (2, 6, 11),
    (3, 4, 2),
    (7, 7, 6),
    (7, 6, 7),
    (5, 0, 0),
    (1, 1536, 2559),
    (1500, 1536, 1572),
]


def framed(nfft: int) -> SimpleNamespace:
    """What ``HTDemucs._spec`` and ``_ispec`` read of a network."""
    return SimpleNamespace(nfft=nfft, hop_length=nfft // 4, cac=True)


def channels_first(z: torch.Tensor) -> torch.Tensor:
    """Complex [C, F, T] as real [2C, F, T]: real and imaginary part of channel 0, then of channel 1 (as ``_magnitude``)."""
    return torch.view_as_real(z).permute(0, 3, 1, 2).reshape(-1, *z.shape[-2:])


def from_channels(x: torch.Tensor) -> torch.Tensor:
    """The inverse of :func:`channels_first`."""
    pairs = x.reshape(-1, 2, *x.shape[-2:]).permute(0, 2, 3, 1)
    return torch.view_as_complex(pairs.contiguous())


def both(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The signal in float64 and in float32."""
    return x.double(), x


def add_spectrograms(golden: Golden) -> None:
    """``spec/KIND.LENGTH``: ``HTDemucs._spec``, 4096 bins, of mono signals, and of a stereo one."""
    signals = [(kind, length, 1) for kind in KINDS for length in LENGTHS] + [("song", 8_192, 2), ("noise", 5_000, 2)]
    for kind, length, channels in signals:
        key = f"spec/{kind}.{length}" + (".stereo" if channels == 2 else "")
        results = [channels_first(HTDemucs._spec(framed(4096), x)) for x in both(signal(kind, length, channels))]
        golden.add_tensors(key, *results)
        golden.cases.append({"name": key, "signal": kind, "samples": length, "channels": channels, "nfft": 4096})


def add_plain(golden: Golden) -> None:
    """``spectro/NFFT.LENGTH``: torch.stft as ``spectro`` calls it (centred, reflected, normalised, Nyquist kept)."""
    for nfft, length in [(512, 257), (512, 1_000), (512, 4_096), (4096, 2_049), (4096, 10_000), (64, 333)]:
        key = f"spectro/{nfft}.{length}"
        golden.add_tensors(key, *[channels_first(spectro(x, nfft, nfft // 4)) for x in both(signal("noise", length))])
        golden.cases.append({"name": key, "signal": "noise", "samples": length, "channels": 1, "nfft": nfft})


def add_inverse(golden: Golden) -> None:
    """``ispec/…``: ``HTDemucs._ispec`` of generated spectra (stream ``KEY.input``), ``ispectro/…``: torch.istft alone."""
    for nfft, channels, length in [(4096, 1, 1), (4096, 1, 1024), (4096, 2, 5_000), (512, 2, 3_900), (512, 1, 129)]:
        key = f"ispec/{nfft}.{length}"
        shape = (2 * channels, nfft // 2, -(-length // (nfft // 4)))
        spectrum = scaled(key + ".input", shape)
        results = [HTDemucs._ispec(framed(nfft), from_channels(x), length) for x in both(spectrum)]
        golden.add_tensors(key, *results)
        golden.cases.append({"name": key, "input": list(shape), "samples": length, "nfft": nfft})
    for nfft, frames, length in [(512, 9, 1_024), (512, 9, 1_000), (4096, 5, 4_096), (64, 20, 304)]:
        key = f"ispectro/{nfft}.{length}"
        shape = (2, nfft // 2 + 1, frames)
        results = [ispectro(from_channels(x), nfft // 4, length) for x in both(scaled(key + ".input", shape))]
        golden.add_tensors(key, *results)
        golden.cases.append({"name": key, "input": list(shape), "samples": length, "nfft": nfft})


def add_round_trips(golden: Golden) -> None:
    """``roundtrip/KIND.LENGTH``: ``_ispec(_spec(x))``: not the identity in the first and last 1.5 hops nor at Nyquist."""
    for kind, length in [("sine", 44_100), ("noise", 1), ("noise", 1536), ("noise", 4096), ("song", 343_980)]:
        key = f"roundtrip/{kind}.{length}"
        frame = framed(4096)
        results = [HTDemucs._ispec(frame, HTDemucs._spec(frame, x), length) for x in both(signal(kind, length))]
        golden.add_tensors(key, *results)
        golden.cases.append({"name": key, "signal": kind, "samples": length, "channels": 1, "nfft": 4096})


def add_reflections(golden: Golden) -> None:
    """``pad1d/LENGTH.LEFT.RIGHT``: reflect padding of the numbers 1, 2, 3, …, also where it is longer than the input."""
    for length, left, right in REFLECTIONS:
        key = f"pad1d/{length}.{left}.{right}"
        golden.add_tensors(key, pad1d(torch.arange(1.0, length + 1)[None], (left, right), mode="reflect")[0])
        golden.cases.append({"name": key, "length": length, "left": left, "right": right})


def refusals() -> list[dict[str, object]]:
    """Inputs at the edge of what the oracle takes: what it says, or the shape that it gives."""
    attempts = {
        "spec/noise.0": lambda: HTDemucs._spec(framed(4096), torch.zeros(1, 0)),
        "spectro/4096.2048": lambda: spectro(torch.zeros(1, 2048), 4096, 1024),
        "pad1d/0.3.3": lambda: pad1d(torch.zeros(1, 0), (3, 3), mode="reflect"),
        "spec/nan.4096": lambda: HTDemucs._spec(framed(4096), torch.full((1, 4096), float("nan"))),
        "ispec/4096.0": lambda: HTDemucs._ispec(framed(4096), torch.zeros(1, 2048, 0, dtype=torch.complex64), 0),
    }
    found = []
    for name, attempt in attempts.items():
        try:
            accepted = list(attempt().shape)
        except Exception as error:  # whatever the oracle raises is what we note
            message = str(error).splitlines()[0] if str(error) else ""
            found.append({"name": name, "refused": f"{type(error).__name__}: {message}"})
        else:
            found.append({"name": name, "accepted": accepted})
    return found


def make() -> list[Golden]:
    """The golden file ``stft``."""
    golden = Golden("stft", limit=6_000, count=2_000)
    for add in (add_spectrograms, add_plain, add_inverse, add_round_trips, add_reflections):
        add(golden)
    golden.metadata["refusals"] = refusals()
    return [golden]
