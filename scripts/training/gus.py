"""Patches of the Gravis UltraSound (`.pat`), the format of the FreePats project: a few looped samples an instrument."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from stems import RATE

WIDE, UNSIGNED, LOOPED, BACK_AND_FORTH, BACKWARDS = 1, 2, 4, 8, 16


def read_patch(path: Path, seconds: float, life: float) -> Iterator[tuple[np.ndarray, float]]:
    """Every sample of a patch, mono at 44.1 kHz, with its pitch (MIDI).

    A loop goes on until `seconds`, and fades with a time constant of `life` seconds.
    """
    data = path.read_bytes()
    if data[:8] != b"GF1PATCH" or len(data) < 239:
        raise ValueError(f"{path} is no GUS patch")
    place = 239
    for _ in range(data[198]):
        size, begin, end, rate, _, _, root = struct.unpack_from("<IIIHIII", data, place + 8)
        modes = data[place + 55]
        body = data[place + 96 : place + 96 + size]
        place += 96 + size
        if modes & WIDE:
            sound = np.frombuffer(body[: size // 2 * 2], "<u2" if modes & UNSIGNED else "<i2").astype(np.float32)
            sound = sound / 32768 - (1.0 if modes & UNSIGNED else 0.0)
            begin, end = begin // 2, end // 2
        else:
            sound = np.frombuffer(body, np.uint8 if modes & UNSIGNED else np.int8).astype(np.float32)
            sound = sound / 128 - (1.0 if modes & UNSIGNED else 0.0)
        if modes & BACKWARDS:
            sound = sound[::-1]
        if rate == 0 or root == 0 or len(sound) < 64:
            continue
        wanted = int(seconds * rate)
        if modes & LOOPED and end - begin > 16 and end <= len(sound) and end < wanted:
            loop = sound[begin:end]
            loop = np.concatenate([loop, loop[::-1]]) if modes & BACK_AND_FORTH else loop
            tail = np.resize(loop, wanted - end) * np.exp(-np.arange(wanted - end) / (life * rate))
            sound = np.concatenate([sound[:end], tail])
        sound = sound[:wanted]
        at = np.arange(int(len(sound) * RATE / rate)) * (rate / RATE)
        audio = np.interp(at, np.arange(len(sound)), sound).astype(np.float32)
        yield audio, 69 + 12 * math.log2(root / 440_000)
