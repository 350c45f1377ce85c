"""When a run ends, and the learning rate on the way there."""

from __future__ import annotations

import time
from pathlib import Path


class Clock:
    """The end of the run: after so many steps, or at a deadline.

    The deadline lies in OUT/deadline as seconds since 1970, so that it can be moved while the run goes on.
    """

    def __init__(self, out: Path, steps: int, end: float) -> None:
        self.steps = steps
        self.file = out / "deadline"
        self.begun = time.time()
        if not self.file.exists():
            self.file.write_text(str(end))

    def progress(self, step: int) -> float:
        """0 at the first step, 1 at the end."""
        if self.steps:
            return step / self.steps
        deadline = float(self.file.read_text())
        return (time.time() - self.begun) / max(deadline - self.begun, 1.0)


def learning_rate(peak: float, step: int, progress: float, warm_up: int = 100, hold: float = 0.0) -> float:
    """A linear warm-up of `warm_up` steps, the peak until `hold` of the run, then straight down to a hundredth of it."""
    warm = min(1.0, (step + 1) / warm_up)
    left = min(1.0, (1 - min(progress, 1.0)) / max(1 - hold, 1e-9))
    return peak * warm * (0.01 + 0.99 * left)
