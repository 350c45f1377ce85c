#!/usr/bin/env python3
"""What the contestants share: weights in the format of each, one segment of audio, one song.

    prepare.py --folder DIR [--preset htdemucs_6s] [--song-seconds 180]

The folder gets NAME.safetensors (ours and PyTorch), repo/NAME.th (``python -m demucs``), core.onnx (ONNX Runtime),
segment.wav, song.wav and prepared.json, which says what they are. What is there and up to date is not made again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
import torch  # noqa: E402
from demucs.htdemucs import HTDemucs  # noqa: E402

from oracle import generator, networks  # noqa: E402
from oracle.make_model import PRESETS  # noqa: E402
from oracle.quantised import load_model  # noqa: E402
from oracle.signals import SONG  # noqa: E402
from peers import core  # noqa: E402

OPSET = 18
PACKAGES = ("torch", "demucs", "numpy", "onnx", "onnxruntime", "onnxscript")
SEGMENT_START = 44_100


def model_name(preset: str) -> str:
    """The name of the model in every table: it has the size of a published one, not its weights."""
    return f"{preset}_size"


def stamp(preset: str) -> str:
    """A digest of all that the model files depend on."""
    digest = hashlib.sha256(preset.encode())
    for name in PACKAGES:
        digest.update(f"{name} {version(name)}".encode())
    for module in (__file__, core.__file__, generator.__file__, networks.__file__):
        digest.update(Path(str(module)).read_bytes())
    return digest.hexdigest()


def export(model: HTDemucs, path: Path) -> str:
    """The network without its transforms as ONNX; returns which exporter did it."""
    samples = int(model.segment * model.samplerate)
    mix = torch.zeros(1, model.audio_channels, samples)
    inputs = (model._magnitude(model._spec(mix)).contiguous(), mix)
    names = {"input_names": ["spectrogram", "mix"], "output_names": ["estimate", "waveform"]}
    network = core.CoreNetwork(model).eval()
    # The exporter that is tried second cannot express PyTorch's fused attention.
    torch.backends.mha.set_fastpath_enabled(False)
    failures = []
    for exporter, dynamo in (("torch.onnx.export(dynamo=True)", True), ("torch.onnx.export(dynamo=False)", False)):
        try:
            with torch.no_grad():
                torch.onnx.export(
                    network, inputs, path, dynamo=dynamo, opset_version=OPSET, external_data=False, verbose=False, **names
                )
        except Exception as error:  # whatever an exporter raises, the other one is tried
            failures.append(f"{exporter}: {type(error).__name__}: {str(error).strip().splitlines()[0]}")
        else:
            return f"{exporter}, opset {OPSET}"
    raise RuntimeError("; ".join(failures))


def write_models(preset: str, folder: Path) -> dict[str, Any]:
    """The weights in every format, and the facts about them."""
    name = model_name(preset)
    kwargs = PRESETS[preset]
    weights = folder / f"{name}.safetensors"
    networks.save_model(networks.build(kwargs), kwargs, weights, half=True)
    model = load_model(weights).eval()

    repository = folder / "repo"
    repository.mkdir(exist_ok=True)
    state = {key: value.half() for key, value in model.state_dict().items()}
    torch.save({"klass": HTDemucs, "args": (), "kwargs": kwargs, "state": state}, repository / f"{name}.th")

    facts: dict[str, Any] = {
        "name": name,
        "parameters": sum(value.numel() for value in model.parameters()),
        "sources": list(model.sources),
        "rate": model.samplerate,
        "samples": int(model.segment * model.samplerate),
    }
    try:
        facts["exporter"] = export(model, folder / "core.onnx")
    except RuntimeError as error:
        facts["exportError"] = str(error)
    return facts


def write_audio(facts: dict[str, Any], song_seconds: float, folder: Path) -> None:
    """One segment of the sample song as 32-bit float, and a song as long as asked for as 16-bit integers."""
    samples, rate = soundfile.read(SONG, dtype="int16", always_2d=True)
    if rate != facts["rate"]:
        print(f"prepare: samples of {rate} Hz are taken for samples of {facts['rate']} Hz", file=sys.stderr)
    segment = samples[SEGMENT_START : SEGMENT_START + facts["samples"]].astype(np.float32) / np.float32(32768)
    soundfile.write(folder / "segment.wav", segment, facts["rate"], subtype="FLOAT")
    count = round(song_seconds * facts["rate"])
    song = np.resize(samples, (count, samples.shape[1])) if count else samples[:1]
    soundfile.write(folder / "song.wav", song, facts["rate"], subtype="PCM_16")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--preset", choices=PRESETS, default="htdemucs_6s")
    parser.add_argument("--song-seconds", type=float, default=180.0)
    options = parser.parse_args()

    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "prepared.json"
    wanted = stamp(options.preset)
    facts = json.loads(record.read_text()) if record.exists() else {}
    if facts.get("stamp") != wanted:
        record.unlink(missing_ok=True)
        facts = {**write_models(options.preset, folder), "stamp": wanted}
        facts["versions"] = {name: version(name) for name in PACKAGES}
        record.write_text(json.dumps(facts, indent=1))
    write_audio(facts, options.song_seconds, folder)


if __name__ == "__main__":
    main()
