"""The constants that every file of the trainer agrees on."""

from __future__ import annotations

RATE = 44100
"""Samples a second."""

STEMS = ("drums", "bass", "other", "vocals", "guitar", "piano")
"""The order of the sources in the checkpoint."""

SEGMENT = 343980
"""Samples of one training segment: 39/5 s at RATE, the segment of the network."""
