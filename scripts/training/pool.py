"""Songs in GPU memory, and which of them a mixture is made of.

The pool keeps some hundred songs as int16, [slots, stems, 2, samples]. The first ROOM slots are kept for real songs,
which stay; the others are refreshed as the feeder delivers new ones. What is drawn, `mixer.py` cuts, colours and sums.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mixer import Mixer
from stems import SEGMENT, STEMS

FAVOUR = (0.7, 0.8, 1.3, 0.8, 1.3, 1.3)
"""How often each stem is among the few; the three that are hard to tell apart come more often."""


@dataclass(frozen=True)
class Recipe:
    """How mixtures are drawn; see the-loss.md for the curriculum."""

    together: float = 0.5
    """Share of mixtures whose stems come from one song."""
    real: float = 0.15
    """Share of draws from real songs."""
    few: float = 0.0
    """Share of mixtures of one, two or three stems."""
    drop: float = 0.0
    """Chance that a stem of a full mixture is left out."""
    spread_db: float = 2.0
    """Standard deviation of the stems' levels."""

    @staticmethod
    def at(progress: float) -> Recipe:
        """Few stems and even levels at first; full, sparse and uneven mixtures later; in the end mostly whole songs."""
        ease = min(max((progress - 0.05) / 0.3, 0.0), 1.0)
        whole = min(max((progress - 0.6) / 0.3, 0.0), 1.0)
        return Recipe(
            together=0.4 + 0.25 * ease + 0.15 * whole,
            real=0.05 + 0.15 * ease,
            few=0.65 - 0.4 * ease - 0.12 * whole,
            drop=0.08 * ease,
            spread_db=2.0 + 2.0 * ease,
        )


class SongPool:
    """Songs on one device: `room` slots for real songs, then `slots` for generated ones."""

    def __init__(self, room: int, slots: int, samples: int, device: torch.device, seed: int, compiled: bool) -> None:
        self.room = room
        slots += room
        self.songs = torch.zeros(slots, len(STEMS), 2, samples, dtype=torch.int16, device=device)
        self.present = torch.zeros(slots, len(STEMS), device=device)
        self.balance = torch.zeros(slots, len(STEMS), device=device)
        self.device, self.slots, self.samples = device, slots, samples
        self.real, self.added = 0, 0
        self.generator = torch.Generator(device).manual_seed(seed)
        self.favour = torch.tensor(FAVOUR, device=device)
        self.mixer = Mixer(device, compiled)

    def put(self, song: np.ndarray) -> None:
        """Add a generated song, in the place of the oldest one when the pool is full."""
        self._write(self.room + self.added % (self.slots - self.room), song)
        self.added += 1

    def put_real(self, song: np.ndarray, balance: list[float]) -> None:
        """Add a piece of a real song, for good; `balance` is its own, in dB a stem."""
        if self.real < self.room:
            self._write(self.real, song)
            self.balance[self.real] = torch.tensor(balance, device=self.device)
            self.real += 1

    def _write(self, slot: int, song: np.ndarray) -> None:
        data = torch.from_numpy(song).to(self.device)
        self.songs[slot] = data
        self.present[slot] = (data.abs().amax((1, 2)) > 300).float()
        if self.device.type == "cuda":
            torch.cuda.current_stream(self.device).synchronize()

    def _random(self, *shape: int) -> Tensor:
        return torch.rand(*shape, device=self.device, generator=self.generator)

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, device=self.device, generator=self.generator)

    def _choose(self, batch: int, recipe: Recipe) -> tuple[Tensor, Tensor]:
        """Slots [B, S], and which samples keep one song together [B]."""
        stems, real = len(STEMS), self.real
        share = recipe.real if real else 0.0
        first, last = self.room, min(self.room + self.added, self.slots)
        weight = torch.full_like(self.present[:last], 1e-12)
        weight[first:] += (1 - share) * self.present[first:last] / self.present[first:last].sum(0).clamp(min=1)
        chance = torch.zeros(last, device=self.device)
        chance[first:] = (1 - share) / (last - first)
        if real:
            weight[:real] += share * self.present[:real] / self.present[:real].sum(0).clamp(min=1)
            chance[:real] = share / real
        apart = torch.multinomial(weight.t(), batch, replacement=True, generator=self.generator).t()
        one = torch.multinomial(chance, batch, replacement=True, generator=self.generator)
        together = self._random(batch) < recipe.together
        return torch.where(together[:, None], one[:, None].expand(batch, stems), apart), together

    def _keep(self, batch: int, recipe: Recipe) -> Tensor:
        """Which stems play, [B, S] of 0 and 1: all but the dropped ones, or one to three chosen ones."""
        stems = len(STEMS)
        full = (self._random(batch, stems) >= recipe.drop).float()
        # Gumbel's trick: the n largest of log weight + noise are n draws without replacement.
        noise = -torch.log(-torch.log(self._random(batch, stems).clamp(1e-6, 1 - 1e-6)))
        order = (self.favour.log() + noise).argsort(1, descending=True).argsort(1)
        dice = self._random(batch, 1)
        number = 1 + (dice > 0.3).long() + (dice > 0.7).long()
        return torch.where(self._random(batch, 1) < recipe.few, (order < number).float(), full)

    def _cut(self, slots: Tensor, together: Tensor) -> Tensor:
        """Segments [B, S, 2, SEGMENT] from random places, played at a random speed."""
        batch, stems = slots.shape
        shared = together[:, None]
        speed = 2 ** ((self._random(batch, stems) - 0.5) * 0.5)
        speed = torch.where(self._random(batch, stems) < 0.4, torch.ones_like(speed), speed)
        speed = torch.where(shared, speed[:, :1], speed)
        room = self.samples - 2 - (SEGMENT * speed).ceil()
        start = (self._random(batch, stems) * room.clamp(min=0)).floor()
        start = torch.where(shared, start[:, :1], start).long()
        return self.mixer.cut(self.songs, slots, start, speed)

    @torch.no_grad()
    def draw(self, batch: int, recipe: Recipe) -> tuple[Tensor, Tensor]:
        """Mixtures [B, 2, SEGMENT] and their stems [B, S, 2, SEGMENT]."""
        slots, together = self._choose(batch, recipe)
        audio = self.mixer.colour(self._cut(slots, together), self.generator)
        # Some mixtures are much more uneven than others; real songs mostly keep their own balance.
        uneven = 0.5 + self._random(batch, 1) + 1.5 * (self._random(batch, 1) < 0.1)
        decibels = self._normal(batch, len(STEMS)) * recipe.spread_db * uneven
        own = (together & (self._random(batch) < 0.6)).float()[:, None]
        decibels = decibels + own * self.balance.gather(0, slots)
        level = 10 ** (decibels / 20) * self._keep(batch, recipe)
        return self.mixer.mix(audio, level, self.generator)


class PoolFiller(threading.Thread):
    """Moves songs from the feeder's folder into the pool, in the background; `real` may grow while it runs.

    With `most` that many songs, the first ones, and no more: what is drawn then does not depend on how fast they come.
    """

    def __init__(self, pool: SongPool, spool: Path, real: list[Path], most: int | None = None) -> None:
        super().__init__(daemon=True)
        self.pool, self.spool, self.real, self.most = pool, spool, real, most
        self.seen: set[Path] = set()
        self.stopped = threading.Event()

    def run(self) -> None:
        if self.pool.device.type == "cuda":
            torch.cuda.set_device(self.pool.device)
            # On a stream of its own a song need not wait for the steps in flight.
            torch.cuda.set_stream(torch.cuda.Stream(self.pool.device))
        while not self.stopped.is_set():
            found = sorted(self.spool.glob("*.npy"))
            if self.most is not None:
                found = found[: self.most - self.pool.added]
            for path in found[:8]:
                self.pool.put(np.load(path))
                path.unlink()
            self._take_real()
            if not found:
                self.stopped.wait(0.1)

    def _take_real(self) -> None:
        """Real songs lie still: each is read once, and only while there is room before the generated ones."""
        for folder in list(self.real):
            for path in sorted(folder.glob("*.npy")):
                if path not in self.seen:
                    self.seen.add(path)
                    balance = path.with_name(f"{path.stem.split('-')[0]}.json")
                    self.pool.put_real(np.load(path), json.loads(balance.read_text()))
