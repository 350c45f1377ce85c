#!/usr/bin/env python3
"""Make the model files of `Fixtures/checkpoints`: PyTorch's containers in all their layouts, and what is in them.

    make_torch_fixtures.py [--output FOLDER]

Run it with the oracle's python, which `scripts/oracle/setup` makes and prints. `tiny*` are one small network, as
`demucs.states.serialize_model` and demucs 4.1 write it, `hdemucs*` one of version 3. `layout-*` are one package of all kinds of
tensors and arguments in different containers; `layout.safetensors` holds what its tensors are in float32, with the arguments as
its metadata. `tiny8` is the small network with 8-bit weights, `int8` all kinds of such tensors, each with what it is in float32
in a file of `-values`. `refused-*` are files that are recognised and not read.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import pathlib
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import demucs.states
import numpy as np
import torch
from demucs.hdemucs import HDemucs
from demucs.htdemucs import HTDemucs
from omegaconf import OmegaConf
from oracle import generator
from oracle.golden import write_safetensors
from oracle.networks import encode, save_model
from oracle.quantised import dequantised, quantise
from torch import nn

FOLDER = Path(__file__).resolve().parents[1] / "Fixtures" / "checkpoints"
TINY = {
    "sources": ["hum", "hiss"],
    "channels": 4,
    "depth": 2,
    "nfft": 128,
    "dconv_mode": 3,
    "dconv_comp": 4,
    "t_layers": 1,
    "t_heads": 2,
    "t_hidden_scale": 1.0,
    "samplerate": 8000,
    "segment": Fraction(1, 2),
}
TINY_HDEMUCS = {
    "sources": ["hum", "hiss"],
    "channels": 8,
    "depth": 3,
    "nfft": 64,
    "hybrid_old": True,
    "norm_starts": 1,
    "dconv_comp": 2,
    "dconv_lstm": 1,
    "dconv_attn": 1,
    "samplerate": 8000,
    "segment": Fraction(1, 2),
}
TRAINING_ARGS = OmegaConf.create(
    {"seed": 42, "optim": {"lr": 3e-4, "betas": [0.9, 0.999]}, "sources": "${dset.x}", "dset": {"x": 2}}
)


def tensors() -> dict[str, torch.Tensor]:
    """Every kind of element, view and wrapper."""
    values = torch.arange(-30.0, 30.0)
    grid = (values / 7).reshape(5, 12)
    return OrderedDict(
        {
            "float32": grid.clone(),
            "float16": values.half() / 3,
            "bfloat16": (values / 3).bfloat16(),
            "float64": values.double() / 3,
            "int64": torch.tensor([-(2**40), 0, 2**40]),
            "int32": torch.tensor([-1, 2**31 - 1], dtype=torch.int32),
            "int16": torch.tensor([-2, 300], dtype=torch.int16),
            "int8": torch.tensor([-3, 127], dtype=torch.int8),
            "uint8": torch.tensor([0, 255], dtype=torch.uint8),
            "bool": torch.tensor([True, False, True]),
            "uint16": torch.tensor([0, 65535], dtype=torch.uint16),
            "scalar": torch.tensor(3.5),
            "empty": torch.zeros(0, 4),
            "transposed": grid.t(),
            "slice": grid[1:4, 2:9:3],
            "flat": grid.reshape(-1)[7:],
            "half_view": (values.half() / 3).reshape(3, 4, 5).permute(2, 0, 1),
            "repeated": torch.tensor([1.5, -2.5]).expand(3, 2),
            "parameter": nn.Parameter(grid * 2),
            "named": with_attribute(nn.Parameter(values[:4] * 3)),
        }
    )


def with_attribute(parameter: nn.Parameter) -> nn.Parameter:
    """A parameter with an attribute of its own, which PyTorch writes by another function."""
    parameter.note = "kept by _rebuild_parameter_with_state"
    return parameter


def package() -> dict[str, Any]:
    """A package whose arguments are of every kind that is met."""
    return {
        "klass": HTDemucs,
        "args": (["a", "b"], 2),
        "kwargs": {
            "segment": Fraction(39, 5),
            "channels": 8,
            "growth": np.float64(2.5),
            "depth": np.int32(-3),
            "half": np.float16(0.5),
            "flag": np.bool_(True),
            "freq_emb": 0.2,
            "rewrite": True,
            "t_lr": None,
            "size": torch.Size([3, 4]),
            "pair": (1, 2.5),
            "nested": OrderedDict(x=[{"y": "é"}]),
            "listed": OmegaConf.create([500.0, 1, "z"]),
            "mapped": OmegaConf.create({"k": {"l": True}}),
            "path": pathlib.PurePosixPath("/x"),
            "large": 2**70,
            "infinite": float("inf"),
        },
        "state": tensors(),
        "training_args": OmegaConf.to_container(TRAINING_ARGS, resolve=True),
    }


def expected() -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """What is to be read of `package`: its tensors as float32, and its arguments."""
    arguments = package()
    plain = {
        **arguments["kwargs"],
        "growth": 2.5,
        "depth": -3,
        "half": 0.5,
        "flag": True,
        "size": [3, 4],
        "listed": [500.0, 1, "z"],
        "mapped": {"k": {"l": True}},
        "path": {"_type": "python", "name": "pathlib.PurePosixPath"},
        "large": {"_type": "python", "name": "an integer"},
        "infinite": {"_type": "python", "name": "a float"},
    }
    values = {name: value.detach().float().contiguous().numpy() for name, value in tensors().items()}
    metadata = {
        "klass": "demucs.htdemucs.HTDemucs",
        "args": json.dumps(encode(arguments["args"])),
        "kwargs": json.dumps(encode(plain)),
    }
    return values, metadata


def rezip(source: Path, target: Path, method: int = zipfile.ZIP_STORED, **changes: Any) -> None:
    """Write the archive anew: another compression, folder, or entries."""
    folder = changes.get("folder")
    stream = target.open("wb")
    output = Pipe(stream) if changes.get("piped") else stream
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(output, "w", method) as new:
        for name in old.namelist():
            top, rest = name.split("/", 1)
            if rest in changes.get("leave", []):
                continue
            info = zipfile.ZipInfo((folder if folder is not None else top + "/") + rest)
            info.compress_type = method
            with new.open(info, "w", force_zip64=changes.get("zip64", False)) as entry:
                entry.write(changes.get("replace", {}).get(rest, old.read(name)))
    stream.close()


class Pipe(io.RawIOBase):
    """A stream that cannot seek, to which zipfile writes sizes behind the data."""

    def __init__(self, target: io.BufferedWriter) -> None:
        """Write on to `target`."""
        self.target = target

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Write on."""
        return self.target.write(data)


def make_tiny(folder: Path) -> None:
    """One network as each writer has it."""
    model = HTDemucs(**TINY)
    generator.fill(model)
    for suffix, half in (("", True), ("32", False)):
        save_model(model, TINY, folder / f"tiny{suffix}.safetensors", half)
        torch.save(demucs.states.serialize_model(model, TRAINING_ARGS, half=half), folder / f"tiny{suffix}.th")
    content = demucs.states.serialize_model(model, TRAINING_ARGS)
    content["args"] = (content["kwargs"].pop("sources"), 2, content["kwargs"].pop("channels"))
    torch.save(content, folder / "tiny-positional.th")


def make_hdemucs(folder: Path) -> None:
    """A network of version 3 as each writer has it."""
    model = HDemucs(**TINY_HDEMUCS)
    generator.fill(model)
    save_model(model, TINY_HDEMUCS, folder / "hdemucs.safetensors", half=True)
    torch.save(demucs.states.serialize_model(model, TRAINING_ARGS), folder / "hdemucs.th")


def make_layouts(folder: Path) -> None:
    """The same package in many containers."""
    default = folder / "layout-default.th"
    torch.save(package(), default)
    for protocol in (1, 3, 4, 5):
        torch.save(package(), folder / f"layout-protocol{protocol}.pt", pickle_protocol=protocol)
    buffer = io.BytesIO()
    torch.save(package(), buffer)
    (folder / "layout-buffer.ckpt").write_bytes(buffer.getvalue())
    torch.serialization.set_crc32_options(False)
    torch.save(package(), folder / "layout-nochecksum.pth")
    torch.serialization.set_crc32_options(True)
    recent = ["byteorder", ".format_version", ".storage_alignment", ".data/serialization_id"]
    rezip(default, folder / "layout-old.th", leave=recent)
    rezip(default, folder / "layout-deflated.th", zipfile.ZIP_DEFLATED)
    rezip(default, folder / "layout-folder.th", folder="a folder/é/")
    rezip(default, folder / "layout-nofolder.th", folder="")
    rezip(default, folder / "layout-zip64.th", zip64=True)
    rezip(default, folder / "layout-piped.th", zipfile.ZIP_DEFLATED, piped=True)
    write_safetensors(folder / "layout.safetensors", *expected())


def save_quantised(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """Write tensors, and beside them what they are in float32."""
    # Larger elements first keeps all of them aligned.
    ordered = dict(sorted(tensors.items(), key=lambda item: -item[1].element_size()))
    write_safetensors(path, {name: value.numpy() for name, value in ordered.items()}, metadata)
    values = {name: value.float().numpy() for name, value in dequantised(tensors).items()}
    write_safetensors(path.with_stem(f"{path.stem}-values"), values, metadata)


def make_quantised(folder: Path) -> None:
    """Weights of 8 bits with a scale for each row: in the tiny network, in all shapes, and wrong ones."""
    model = HTDemucs(**TINY)
    generator.fill(model)
    tensors = {}
    for name, value in model.state_dict().items():
        if value.ndim >= 2:
            tensors[name], tensors[f"{name}.scale"] = quantise(value)
        else:
            tensors[name] = value.half()
    kwargs = json.dumps(encode(TINY))
    metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": kwargs, "format": "pt"}
    save_quantised(folder / "tiny8.safetensors", tensors, metadata)

    every = torch.arange(-128, 128).to(torch.int8)
    kinds = {
        "vector": (every[::32], torch.linspace(0.1, 2.0, 8)),
        "matrix": (torch.stack([every, every.flip(0), every.roll(7)]), torch.tensor([1 / 3, 1e-40, 1e36])),
        "volume": (every[3:].reshape(-1)[:210].reshape(5, 3, 2, 7), torch.tensor([0.003, 7.0, 0.11, 1e-7, 0.05])),
        "silent": (torch.stack([every[:9], torch.zeros(9, dtype=torch.int8)]), torch.tensor([0.7, 0.0])),
        "empty": (torch.zeros(0, 4, dtype=torch.int8), torch.zeros(0)),
        "rows": (torch.zeros(3, 0, dtype=torch.int8), torch.ones(3)),
        # Of a parameter that has such a name itself.
        "gamma_1.scale": (every[:5], torch.linspace(0.2, 0.9, 5)),
    }
    metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": "{}"}
    tensors = {"gamma_2.scale": torch.linspace(1, 2, 3), "half": torch.linspace(-1, 1, 7).half()}
    for name, (integers, scales) in kinds.items():
        tensors |= {name: integers, f"{name}.scale": scales}
    save_quantised(folder / "int8.safetensors", tensors, metadata)

    grid = every[:6].reshape(2, 3)
    wrong = {
        "alone": (grid, None),
        "scalar": (every[5], torch.ones(1)),
        "half": (grid, torch.ones(2).half()),
        "columns": (grid, torch.ones(3)),
        "flat": (grid, torch.ones(2, 1)),
        "nan": (grid, torch.tensor([1.0, math.nan])),
        "infinite": (grid, torch.tensor([math.inf, 1.0])),
        "negative": (grid, torch.tensor([1.0, -0.5])),
        "zero": (grid, torch.tensor([0.0, 0.5])),
    }
    for name, (integers, scales) in wrong.items():
        content = {} if scales is None else {"w.scale": scales.numpy()}
        write_safetensors(folder / f"refused-int8-{name}.safetensors", {**content, "w": integers.numpy()}, metadata)


def make_refused(folder: Path) -> None:
    """What is recognised, and refused with a way out."""
    small = {**package(), "state": {"w": torch.ones(2)}}

    def save(name: str, content: Any, **options: Any) -> None:
        torch.save(content, folder / f"refused-{name}.th", **options)

    # Without the class: this format would keep its source code.
    plain = {"state": small["state"]}
    save("legacy", plain, _use_new_zipfile_serialization=False)
    save("legacy1", plain, _use_new_zipfile_serialization=False, pickle_protocol=1)
    save("legacy4", plain, _use_new_zipfile_serialization=False, pickle_protocol=4)
    save("state", OrderedDict(w=torch.ones(2), b=torch.ones(1)))
    save("lightning", {"epoch": 3, "state_dict": {"w": torch.ones(2)}})
    save("module", nn.Linear(2, 1))
    save("quantized", {**small, "state": {"__quantized": True, "quantized": [torch.ones(2)]}})
    save("sparse", {**small, "state": {"w": torch.eye(2).to_sparse()}})
    save("complex", {**small, "state": {"w": torch.ones(2, dtype=torch.complex64)}})
    save("negated", {**small, "state": {"w": torch.ones(2, dtype=torch.complex64).conj().imag}})
    save("tensor", torch.ones(2))
    torch.jit.script(nn.Linear(2, 1)).save(folder / "refused-script.th")
    default = folder / "layout-default.th"
    rezip(default, folder / "refused-bigendian.th", replace={"byteorder": b"big"}, leave=["data/5"])
    with tarfile.open(folder / "refused-tar.th", "w") as archive:
        archive.addfile(tarfile.TarInfo("storages"))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=FOLDER)
    folder: Path = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    makers: list[Callable[[Path], None]] = [make_tiny, make_hdemucs, make_layouts, make_quantised, make_refused]
    for make in makers:
        make(folder)
    for path in sorted(folder.iterdir()):
        print(f"{path.stat().st_size:8,} {path.name}")


if __name__ == "__main__":
    main()
