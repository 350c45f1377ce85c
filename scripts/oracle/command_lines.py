"""What files demucs writes for its command lines: Tests/DemucsCLITests/Snapshots/demucs-command-lines.json.

Its own parser and its own naming run; the network and the encoders are left out, as only names are wanted.

usage: $(scripts/oracle/setup) -m oracle.command_lines      (in scripts/)
"""

import contextlib
import io
import json
import os
import pathlib
import shlex
import tempfile

import demucs.separate
import torch

SONGS = ["song.mp3", "second.song.flac"]

LINES = """
-n htdemucs song.mp3
-n htdemucs song.mp3 second.song.flac
-n htdemucs_6s song.mp3
-nhtdemucs -oout -j2 -dcpu song.mp3
-n htdemucs --two-stems=vocals song.mp3
-n htdemucs --two-stems vocals --other-method minus song.mp3
-n htdemucs --two-stems=drums --other-method none song.mp3
-n htdemucs --mp3 song.mp3
-n htdemucs --mp3 --mp3-bitrate 192 song.mp3
-n htdemucs --mp3 --mp3-bitrate=128 --mp3-preset 7 --two-stems=vocals song.mp3
-n htdemucs --mp3 --int24 song.mp3
-n htdemucs --flac second.song.flac
-n htdemucs --flac --int24 song.mp3
-n htdemucs --int24 song.mp3
-n htdemucs --float32 song.mp3
-n htdemucs -o 'my stems' song.mp3
-n htdemucs --out out/below song.mp3
-n htdemucs --filename '{track}-{stem}.{ext}' song.mp3
-n htdemucs --filename '{track} {trackext}/{stem}.{ext}' second.song.flac
-n htdemucs --filename '{stem}/{track}.{ext}' --two-stems vocals --mp3 song.mp3 second.song.flac
-n htdemucs --shifts 2 --overlap 0.1 song.mp3
-n htdemucs --shifts=0 --segment 7 song.mp3
-n htdemucs --segment=5 -j 2 -d cpu song.mp3
-n htdemucs --no-split song.mp3
-n htdemucs --clip-mode clamp song.mp3
-n htdemucs --clip-mode none --float32 -v song.mp3
--name htdemucs --repo models --jobs 1 --device cpu --verbose song.mp3
""".strip().splitlines()


class Model:
    def __init__(self, name):
        self.sources = ["drums", "bass", "other", "vocals"] + (["guitar", "piano"] if name.endswith("_6s") else [])


class Separator:
    samplerate = 8000

    def __init__(self, model, **_):
        self.model = Model(model)

    def separate_audio_file(self, _):
        audio = torch.zeros(2, 8)
        return audio, {source: audio.clone() for source in self.model.sources}


def files(line):
    """The paths that a command line of demucs saves audio to, below the folder where it runs."""
    written = []
    demucs.separate.Separator = Separator
    demucs.separate.save_audio = lambda _, path, **__: written.append(path)
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for song in SONGS:
                pathlib.Path(song).touch()
            with contextlib.redirect_stdout(io.StringIO()):
                demucs.separate.main(shlex.split(line))
        finally:
            os.chdir(here)
    return sorted(written)


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    rows = [{"line": line, "arguments": shlex.split(line), "files": files(line)} for line in LINES]
    target = root / "Tests/DemucsCLITests/Snapshots/demucs-command-lines.json"
    target.write_text(json.dumps({"songs": SONGS, "rows": rows}, indent=1) + "\n")
    print(target)


if __name__ == "__main__":
    main()
