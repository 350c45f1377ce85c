#!/usr/bin/env python3
"""Makes Tests/SeparationTests/Goldens: what demucs 4.1.0 does around a network.

    "$(scripts/oracle/setup)" scripts/make_separation_goldens.py

Runs `demucs.apply.apply_model`, `demucs.api.Separator.separate_tensor` and `demucs.audio.prevent_clip` on toy
networks whose output depends on the position inside the segment, so that every padded, trimmed, shifted or
weighted sample shows. The toys and the signal are rebuilt in Swift from the same formulas (ToyModel.swift); all
their arithmetic is exact in fp32. Needs demucs==4.1.0 and torch; two runs write the same bytes.
"""
import itertools
import json
import random
from fractions import Fraction
from pathlib import Path

import demucs
import demucs.api
import demucs.apply
import torch
from demucs.audio import prevent_clip
from demucs.htdemucs import HTDemucs

assert demucs.__version__ == "4.1.0", f"the oracle is demucs 4.1.0, not {demucs.__version__}"
GOLDENS = Path(__file__).resolve().parent.parent / "Tests" / "SeparationTests" / "Goldens"


class Toy(HTDemucs):
    """Looks like HTDemucs to demucs.apply (isinstance, valid_length), holds no weights."""

    def __init__(self, samplerate, segment, use_train_segment):
        torch.nn.Module.__init__(self)
        self.unused = torch.nn.Parameter(torch.zeros(1))
        self.samplerate, self.segment, self.use_train_segment = samplerate, segment, use_train_segment
        self.audio_channels = 2
        self.sources = ["ramp", "mirror"]
        self.seen = []

    def forward(self, mix):
        self.seen.append(mix.shape[-1])
        ramp = mix * torch.arange(1, mix.shape[-1] + 1) / 256
        # Backwards, channels swapped, and the padded context of both ends in every sample.
        mirror = mix.flip(-1).flip(-2) + 2 * mix[..., :1] + 4 * mix[..., -1:]
        return torch.stack([ramp, mirror], 1)


def signal(length):
    """[2, length] in steps of 1/128, exact in fp32."""
    return torch.tensor([[((37 * i + 101 * c) % 257 - 128) / 128 for i in range(length)] for c in range(2)])


def numbers(tensor):
    """fp32 values in order, nine digits: enough to tell any two apart."""
    return [float(f"{value:.9g}") for value in tensor.flatten().tolist()]


class LoggedShifts:
    """random.randint(0, max_shift) of demucs.apply, with a record of what it gave."""

    def __init__(self, seed):
        self.generator, self.offsets = random.Random(seed), []

    def randint(self, low, high):
        self.offsets.append(self.generator.randint(low, high))
        return self.offsets[-1]


def apply_case(seed, length, samplerate, segment, train, override, overlap, power, shifts):
    model, log = Toy(samplerate, segment, train), LoggedShifts(seed)
    demucs.apply.random = log
    out = demucs.apply.apply_model(
        model, signal(length)[None], shifts=shifts, overlap=overlap, transition_power=power, segment=override)[0]
    assert torch.isfinite(out).all()
    return {
        "length": length, "sampleRate": samplerate, "segmentLength": int(samplerate * segment),
        "usesTrainingSegment": train, "segment": override, "overlap": overlap, "transitionPower": power,
        "shiftOffsets": log.offsets, "modelLengths": model.seen, "output": numbers(out),
    }


def apply_cases():
    odd, even = Fraction(47, 20), Fraction(39, 10)
    cases = [
        # length, samplerate, segment, train, override, overlap, power, shifts
        (1, 20, odd, True, None, 0.25, 1.0, 0), (1, 20, even, True, None, 0.25, 1.0, 2),
        (2, 7, Fraction(3), True, None, 0.25, 1.0, 1), (46, 20, odd, True, None, 0.25, 1.0, 0),
        (47, 20, odd, True, None, 0.25, 1.0, 0), (48, 20, odd, True, None, 0.25, 1.0, 0),
        (77, 20, even, False, None, 0.25, 1.0, 0), (78, 20, even, False, None, 0.25, 1.0, 1),
        (79, 20, even, False, 1.0, 0.25, 1.0, 0), (137, 20, odd, True, None, 0.9, 1.0, 0),
        (60, 20, odd, True, None, 0.0, 1.0, 1), (120, 20, odd, True, 0.77, 1 / 3, 1.0, 1),
        (95, 20, even, True, None, 0.25, 3.0, 1), (95, 20, even, True, None, 0.5, 1.5, 0),
        (30, 44, Fraction(1, 2), True, None, 0.25, 1.0, 3), (64, 10, Fraction(7, 5), True, None, 0.9, 1.0, 0),
    ]
    pick = random.Random(4)
    for _ in range(24):
        cases.append((
            pick.randint(1, 110), pick.choice([7, 10, 20, 25]), pick.choice([odd, even, Fraction(2)]),
            pick.random() < 0.7, pick.choice([None, None, 1.0, 1.37]), pick.choice([0.0, 0.1, 0.25, 0.3, 0.5, 0.7]),
            pick.choice([1.0, 1.0, 2.0, 2.5]), pick.choice([0, 1, 2])))
    return [apply_case(seed, *case) for seed, case in enumerate(cases)]


def plan_cases():
    """Where the chunks of real-size tracks lie: recorded from the TensorChunk that apply_model makes."""
    def plan(length, samplerate, segment, override, overlap):
        made, original = [], demucs.apply.TensorChunk

        class Recorder(original):
            def __init__(self, tensor, offset=0, length=None):
                super().__init__(tensor, offset, length)
                if length is not None:
                    made.append((self.offset, self.length))

        class Copy(Toy):
            def forward(self, mix):
                return mix[:, None]

        demucs.apply.TensorChunk = Recorder
        try:
            model = Copy(samplerate, segment, True)
            model.sources, model.audio_channels = ["copy"], 1
            demucs.apply.apply_model(model, torch.zeros(1, 1, length), shifts=0, overlap=overlap, segment=override)
        finally:
            demucs.apply.TensorChunk = original
        return {
            "length": length, "sampleRate": samplerate, "segmentLength": int(samplerate * segment),
            "segment": override, "overlap": overlap, "count": len(made),
            "stride": made[1][0] if len(made) > 1 else None, "last": list(made[-1]),
        }

    segment = Fraction(39, 5)
    overlaps = [0.0, 0.1, 0.2, 0.25, 0.3, 1 / 3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9]
    cases = [plan(2_000_000, 44100, segment, None, overlap) for overlap in overlaps]
    cases += [plan(1_000_003, 44100, segment, override, 0.25) for override in [7.8, 7, 5.0, 4.1, 2.3, 1.1, 0.29]]
    cases += [plan(length, 44100, segment, None, 0.25) for length in [1, 257984, 257985, 257986, 343980, 343981]]
    cases += [plan(5000, 100, Fraction(10), None, round(step / 100, 2)) for step in range(0, 100, 7)]
    return cases


def track_cases():
    """Separator.separate_tensor: statistics, apply_model without shifts, denormalised."""
    cases = []
    for length, scale, offset in [(2, 1.0, 0.0), (90, 1.0, 0.0), (90, 0.001, 0.5), (61, 0.0, 0.0), (61, 0.0, 0.25)]:
        separator = demucs.api.Separator.__new__(demucs.api.Separator)
        separator._model, separator._samplerate, separator._audio_channels = Toy(20, Fraction(47, 20), True), 20, 2
        separator.update_parameter(device="cpu", shifts=0, overlap=0.25, split=True, segment=None, jobs=0,
                                   progress=False, callback=None, callback_arg=None)
        audio = signal(length) * scale + offset
        mono = audio.mean(0)
        _, stems = separator.separate_tensor(audio)
        cases.append({
            "length": length, "scale": scale, "offset": offset, "mean": float(mono.mean()),
            "deviation": float(mono.std() + 1e-8), "output": numbers(torch.stack(list(stems.values()))),
        })
    return cases


def clip_cases():
    cases = []
    for mode, gain in itertools.product(["rescale", "clamp", "tanh", "none"], [0.5, 0.995, 3.0]):
        cases.append({"mode": mode, "gain": gain, "output": numbers(prevent_clip(signal(9) * gain, mode))})
    return cases


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    GOLDENS.mkdir(parents=True, exist_ok=True)
    for name, cases in [("apply", apply_cases()), ("plans", plan_cases()), ("tracks", track_cases()),
                        ("clip", clip_cases())]:
        body = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
        path = GOLDENS / f"{name}.json"
        path.write_text(f'{{"version":1,"oracle":"demucs 4.1.0","cases":[\n{body}\n]}}\n')
        print(f"{path}: {len(cases)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
