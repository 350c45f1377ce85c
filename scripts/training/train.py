"""Train the network from a feeder's songs.

One process a GPU (or one on the CPU). The run lasts until a deadline: learning rate and curriculum follow the clock.
Every minute the average of the weights is written to OUT/open_6s.safetensors; now and then it is scored on held-out songs.

Usage: python train.py --spool DIR --out DIR --minutes 20 [--gpus 4] [--start CHECKPOINT] [--real DIR] [--validation DIR]
       python train.py --spool DIR --out DIR --minutes 2 --overfit 8 --expect 1        (the check before every change)
"""

from __future__ import annotations

import argparse
import copy
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor

import network
import scores
from captured import Captured
from flat import FlatParameters
from loss import LossSettings, training_loss
from optimise import Optimiser
from pool import PoolFiller, Recipe, SongPool
from schedule import Clock, learning_rate
from stems import RATE, SEGMENT, STEMS


@dataclass(frozen=True)
class Settings:
    """What the command line says; see `--help`."""

    spool: Path
    out: Path
    real: Path | None
    validation: Path | None
    start: Path | None
    minutes: float
    gpus: int
    batch: int
    rate: float
    seconds: float
    slots: int
    first: int
    overfit: int
    tiny: bool
    compile: bool
    capture: bool
    seed: int
    device: str
    average: float
    score_every: float
    spectral: float
    begin_at: float
    late: Path | None
    late_from: float
    optimiser: str
    warm_up: int
    hold: float
    expect: float | None
    steps: int


class Tally:
    """Running means of what the training batches show."""

    def __init__(self, device: torch.device) -> None:
        self.sums, self.counts = torch.zeros(2, len(STEMS), device=device), torch.zeros(2, len(STEMS), device=device)
        self.loss, self.steps = torch.zeros((), device=device), 0

    def add(self, loss: Tensor, active: Tensor, shown: Tensor) -> None:
        self.loss += loss
        self.steps += 1
        for row, which in enumerate((active, ~active)):
            self.sums[row] += (shown * which).sum(0)
            self.counts[row] += which.sum(0)

    def means(self) -> tuple[list[float], list[float]]:
        """The SDR of each stem where it is active, and its leak where it is not, in dB."""
        sdr, leak = (self.sums / self.counts.clamp(min=1)).tolist()
        return sdr, leak

    def text(self) -> str:
        """A line for the log."""
        mean = self.means()
        sdr = " ".join(f"{s[:3]} {v:5.2f}" for s, v in zip(STEMS, mean[0], strict=True))
        leak = " ".join(f"{v:4.0f}" for v in mean[1])
        return f"loss {float(self.loss) / max(self.steps, 1):6.3f} | {sdr} | leak {leak}"


class Trainer:
    """One process of the run."""

    def __init__(self, rank: int, settings: Settings) -> None:
        self.rank, self.settings = rank, settings
        self.device = torch.device("cuda:0" if settings.device == "cuda" else "cpu")
        torch.manual_seed(settings.seed)
        if settings.start and settings.start.exists():
            self.model, self.configuration = network.load(settings.start)
        else:
            self.configuration = network.TINY if settings.tiny else network.CONFIGURATION
            self.model = network.build(self.configuration)
        self.model.to(self.device).train()
        self.flat = FlatParameters(self.model)
        self.average = self.flat.data.clone()
        self.shadow = copy.deepcopy(self.model).eval()
        self.shadow_flat = FlatParameters(self.shadow, with_grad=False)
        self.half = self.device.type == "cuda"
        kind = torch.bfloat16 if self.half else torch.float32
        self.network = network.Network(self.model, kind, settings.compile)
        kinds = (torch.bfloat16, torch.float32) if self.half else (torch.float32,)
        self.shadow_networks = {str(kind).split(".")[1]: network.Network(self.shadow, kind) for kind in kinds}
        self.optimiser = Optimiser(settings.optimiser, self.model, self.flat)
        # In memory that stays in place, for a captured update.
        self.rate, self.renewal = torch.zeros((), device=self.device), torch.zeros((), device=self.device)
        self.forward_backward, self.apply = self.step, self.change
        self.loss = LossSettings(spectral_weight=settings.spectral)
        self.training_loss = torch.compile(training_loss, dynamic=False) if settings.compile else training_loss
        samples = int(settings.seconds * RATE)
        room = 180 if settings.real else 0
        self.pool = SongPool(room, settings.slots, samples, self.device, settings.seed * 1000 + rank, settings.compile)

    def say(self, text: str) -> None:
        if self.rank == 0:
            print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)

    def step(self, mix: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Forward and backward; gradients are added up in the flat buffer."""
        assert self.flat.grad is not None
        self.flat.grad.zero_()
        loss, active, shown = self.training_loss(self.network(mix), target, mix, self.loss)
        loss.backward()
        return loss.detach(), active, shown

    def change(self) -> tuple[Tensor]:
        """Clip the gradient, change the weights and their average; returns the gradient's norm."""
        assert self.flat.grad is not None
        self.flat.grad /= self.settings.gpus
        norm = self.flat.grad.norm()
        self.flat.grad *= torch.nan_to_num(5.0 / norm.clamp(min=5.0), nan=0.0)
        self.flat.grad.nan_to_num_(0.0, 0.0, 0.0)
        self.optimiser.step(self.rate)
        self.average.lerp_(self.flat.data, self.renewal)
        return (norm,)

    def update(self, step: int, progress: float) -> Tensor:
        """Add up the gradients of the GPUs and apply them at this step's learning rate; returns the gradient's norm."""
        settings = self.settings
        if settings.gpus > 1:
            dist.all_reduce(self.flat.grad)
        self.rate.fill_(learning_rate(settings.rate, step, progress, settings.warm_up, settings.hold))
        self.renewal.fill_(1 - min(settings.average, (1 + step) / (20 + step)))
        return self.apply()[0]

    def prepare(self) -> None:
        """Compile on noise while the first songs arrive, then wait until there are enough of them."""
        batch = self.settings.batch
        if self.settings.compile:
            noise = 0.1 * torch.randn(batch, len(STEMS), 2, SEGMENT, device=self.device)
            begun = time.time()
            for _ in range(3):
                self.step(noise.sum(1), noise)
            self.say(f"compiled in {time.time() - begun:.0f} s")
        if self.half:
            noise = 0.1 * torch.randn(batch, len(STEMS), 2, SEGMENT, device=self.device)
            self.measure("launched one by one", noise)
            # A graph would keep the first weight of the magnitude term, which falls.
            if self.settings.capture and not self.settings.spectral:
                self.capture(noise)
                self.measure("captured", noise)
        while self.pool.added < self.settings.first:
            time.sleep(0.2)
        self.say(f"pool: {self.pool.added} songs, {self.pool.real} pieces of real ones")
        if settings_start := self.settings.start:
            # The checkpoint may arrive while this process compiles.
            while not settings_start.exists():
                time.sleep(0.2)
            self.model.load_state_dict(network.load(settings_start)[0].state_dict())
            self.average.copy_(self.flat.data)

    def capture(self, noise: Tensor) -> None:
        """Record the step and the update, and make sure that the recorded step gives the gradient of the other."""
        assert self.flat.grad is not None
        mix = noise.sum(1)
        self.step(mix, noise)
        slope = self.flat.grad.clone()
        captured = Captured(self.step, mix, noise)
        captured(mix, noise)
        distance = float((self.flat.grad - slope).norm() / slope.norm())
        self.say(f"the gradient of the captured step differs by {distance:.1e}")
        # Products in bfloat16 are summed in another order from run to run; a wrong graph is far off.
        if not distance < 0.05:
            raise SystemExit(f"train: the captured step is wrong by {distance:.1e}; run with --no-capture")
        # Three changes of nothing at a rate of 0, and what the optimiser remembers of them is forgotten.
        self.flat.grad.zero_()
        self.rate.zero_()
        change = Captured(self.change)
        self.optimiser.forget()
        self.forward_backward, self.apply = captured, change

    def measure(self, how: str, noise: Tensor) -> None:
        """Say how long a step takes without the mixing of songs, the update at a rate of 0 included."""
        self.rate.zero_()
        mix = noise.sum(1)
        for repeats in (1, 5):
            torch.cuda.synchronize()
            begun = time.time()
            for _ in range(repeats):
                self.forward_backward(mix, noise)
                self.apply()
            torch.cuda.synchronize()
            taken = (time.time() - begun) / repeats
        self.optimiser.forget()
        memory = torch.cuda.max_memory_allocated() / 2**30
        self.say(f"a step of {len(mix)} segments, {how}, takes {1000 * taken:.0f} ms; at most {memory:.0f} GiB in use")

    def shared_progress(self, clock: Clock, step: int) -> float:
        """Rank 0's clock, the same for all."""
        value = torch.tensor([clock.progress(step) if self.rank == 0 else 0.0], device=self.device)
        if self.settings.gpus > 1:
            dist.broadcast(value, 0)
        return float(value)

    def run(self, begun: float) -> None:
        settings = self.settings
        spool = settings.spool / f"gpu{self.rank}"
        # The check before every change is to give the same result every time.
        most = settings.first if settings.overfit else None
        filler = PoolFiller(self.pool, spool, [settings.real] if settings.real else [], most)
        filler.start()
        self.prepare()
        if settings.gpus > 1:
            dist.barrier(device_ids=[0])
        clock = Clock(settings.out, settings.steps, begun + 60 * settings.minutes)
        if self.rank == 0:
            (settings.out / "started").touch()
        fixed = [self.full_mixture() for _ in range(-(-settings.overfit // settings.batch))]
        every = 50 if self.half else 5
        step, progress, tally = 0, 0.0, Tally(self.device)
        scored = written = seen = time.time()
        while progress < 1.0:
            if step % (10 if self.half else 1) == 0:
                progress = self.shared_progress(clock, step)
            if settings.gpus > 1 and step % 200 == 0:
                # The same arithmetic everywhere keeps the weights equal; this makes sure of it.
                dist.broadcast(self.flat.data, 0)
            if settings.late and progress > settings.late_from and settings.late not in filler.real:
                if self.rank == 0:
                    self.score(step)
                    shutil.copy(settings.out / "open_6s.safetensors", settings.out / "before-late.safetensors")
                filler.real.append(settings.late)
            recipe = Recipe.at(settings.begin_at + (1 - settings.begin_at) * progress)
            # The magnitude term helps at the start; it costs SDR at the end.
            if settings.spectral:
                self.loss = LossSettings(spectral_weight=settings.spectral * max(0.0, 1 - progress / 0.6))
            mix, target = fixed[step % len(fixed)] if fixed else self.pool.draw(settings.batch, recipe)
            tally.add(*self.forward_backward(mix, target))
            norm = self.update(step, progress)
            step += 1
            if step % every == 0:
                if self.rank == 0:
                    # Its figures wait for the GPU: only then is it known how long the steps took.
                    text = tally.text()
                    speed = settings.gpus * settings.batch * every / (time.time() - seen)
                    self.say(
                        f"step {step} {progress:5.1%} {text} | norm {float(norm):5.2f} "
                        f"| {speed:5.1f} segments/s, {self.pool.added} songs"
                    )
                seen, tally = time.time(), Tally(self.device)
            if self.rank == 0 and time.time() - written > 60:
                self.write()
                written = time.time()
            if self.rank == 0 and not fixed and time.time() - scored > settings.score_every:
                self.score(step)
                scored = time.time()
        if self.rank == 0:
            self.score(step)
            self.say(f"done after {step} steps, {step * settings.batch * settings.gpus} segments")
            (settings.out / "done").write_text(str(step))
        filler.stopped.set()
        filler.join()
        if settings.expect is not None:
            self.check(settings.expect, fixed)

    @torch.no_grad()
    def full_mixture(self) -> tuple[Tensor, Tensor]:
        """A batch of mixtures in which every stem plays, for the check before every change."""
        batch, found = self.settings.batch, []
        for _ in range(100):
            mix, target = self.pool.draw(batch, Recipe(together=0.0, real=0.0))
            active = self.training_loss(target, target, mix, self.loss)[1]
            found += [(mix[n], target[n]) for n in range(batch) if bool(active[n].all())]
            if len(found) >= batch:
                mixes, targets = zip(*found[:batch], strict=True)
                return torch.stack(mixes), torch.stack(targets)
        raise SystemExit("train: 100 draws from the pool gave too few mixtures of all six stems: let it wait for more songs (--first)")

    @torch.no_grad()
    def check(self, expected: float, fixed: list[tuple[Tensor, Tensor]]) -> None:
        """Fail unless every stem of the fixed mixtures is separated by at least `expected` dB of SDR."""
        tally = Tally(self.device)
        for mix, target in fixed:
            tally.add(*self.training_loss(self.network(mix), target, mix, self.loss))
        self.say(f"in the end: {tally.text()}")
        low = [stem for stem, value in zip(STEMS, tally.means()[0], strict=True) if not value >= expected]
        if low:
            raise SystemExit(f"train: {', '.join(low)}: below {expected} dB on the fixed mixtures: this set-up does not learn")

    def write(self) -> None:
        """Write the averaged weights."""
        network.save(self.settings.out / "open_6s.safetensors", self.flat.state(self.average), self.configuration)

    @torch.no_grad()
    def score(self, step: int) -> None:
        """Write the averaged weights, and say how they do on the validation songs."""
        self.write()
        self.shadow_flat.data.copy_(self.average)
        if not self.settings.validation or not self.settings.validation.exists():
            return
        # In the arithmetic of the training, and in that of the program that will run the network.
        results: dict[str, list] = {}
        for name, song in scores.generated_songs(self.settings.validation):
            song = song.to(self.device)
            for kind, shadow in self.shadow_networks.items():
                estimate = network.separate_song(shadow, song.sum(0), batch=8 if self.half else 1)
                row = f"{name.split('-')[0].rstrip('0123456789')} {kind}"
                results.setdefault(row, []).append(scores.score_song(song, estimate))
        for kind, songs in results.items():
            means = scores.mean_scores(songs)
            figures = " ".join(f"{stem} {value:.2f}" for stem, value in means.items())
            leaks = " ".join(f"{value:.0f}" for value in scores.mean_scores(songs, "leak_db").values())
            mean = sum(means.values()) / max(len(means), 1)
            self.say(f"validation step {step}: {kind} {figures} mean {mean:.2f} | leak {leaks}")


def start_process(rank: int, settings: Settings, begun: float) -> None:
    if settings.device == "cuda":
        # A process that sees only its own GPU compiles the same code as the others: one cache serves any number of GPUs.
        known = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(settings.gpus)))).split(",")
        if len(known) < settings.gpus:
            raise SystemExit(f"train: --gpus {settings.gpus}, but CUDA_VISIBLE_DEVICES names {len(known)}")
        os.environ["CUDA_VISIBLE_DEVICES"] = known[rank].strip()
        torch.cuda.set_device(0)
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    if settings.gpus > 1:
        os.environ.setdefault("MASTER_ADDR", "localhost")
        os.environ.setdefault("MASTER_PORT", "29507")
        dist.init_process_group("nccl", rank=rank, world_size=settings.gpus)
    Trainer(rank, settings).run(begun)
    if settings.gpus > 1:
        dist.destroy_process_group()


def parse() -> Settings:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spool", type=Path, required=True, help="folder that feeder.py fills")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--real", type=Path, help="folder that music.py filled")
    parser.add_argument("--validation", type=Path, help="folder of held-out songs (feeder.py --held-out)")
    parser.add_argument("--start", type=Path, help="checkpoint to start from; from scratch without it")
    parser.add_argument("--minutes", type=float, default=25.0, help="from start to end, set-up included")
    parser.add_argument("--steps", type=int, default=0, help="end after so many steps instead")
    parser.add_argument("--gpus", type=int, default=1)
    parser.add_argument("--batch", type=int, default=16, help="segments a GPU and step")
    parser.add_argument("--rate", type=float, default=6e-4, help="highest learning rate")
    parser.add_argument("--seconds", type=float, default=24.0, help="length of the feeder's songs")
    parser.add_argument("--slots", type=int, default=1200, help="generated songs in the pool of a GPU (25 MB each)")
    parser.add_argument("--first", type=int, default=100, help="songs to wait for before the first step")
    parser.add_argument("--overfit", type=int, default=0, help="train on this many fixed mixtures only")
    parser.add_argument("--tiny", action="store_true", help="a tiny network, for the smoke run")
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    parser.add_argument("--no-capture", dest="capture", action="store_false", help="launch every kernel by itself")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--average", type=float, default=0.999, help="decay of the average of the weights")
    parser.add_argument("--score-every", type=float, default=120.0, help="seconds between two validations")
    parser.add_argument("--spectral", type=float, default=0.0, help="weight of the magnitude term")
    parser.add_argument("--begin-at", type=float, default=0.0, help="where on the curriculum to begin: 1, its end, after a warm start")
    parser.add_argument("--late", type=Path, help="real songs held out until LATE_FROM of the run")
    parser.add_argument("--late-from", type=float, default=0.65)
    parser.add_argument("--optimiser", choices=Optimiser.NAMES, default="muon")
    parser.add_argument("--warm-up", type=int, default=100, help="steps until the highest learning rate")
    parser.add_argument("--hold", type=float, default=0.0, help="share of the run at the highest rate, before it falls")
    parser.add_argument("--expect", type=float, help="with --overfit: fail unless every stem reaches this SDR in dB")
    return Settings(**vars(parser.parse_args()))


def main() -> None:
    settings, begun = parse(), time.time()
    settings.out.mkdir(parents=True, exist_ok=True)
    if settings.gpus > 1:
        mp.spawn(start_process, (settings, begun), nprocs=settings.gpus)
    else:
        start_process(0, settings, begun)


if __name__ == "__main__":
    main()
