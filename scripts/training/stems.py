"""The constants that every file of the trainer agrees on."""

from __future__ import annotations

import os

RATE = 44100
"""Samples a second."""

STEMS = ("drums", "bass", "other", "vocals", "guitar", "piano")
"""The order of the sources in the checkpoint."""

SEGMENT = int(os.environ.get("TRAINING_SEGMENT", "343980"))
"""Samples of one training segment, which is that of the network: 39/5 s at RATE, less in the smoke run."""
