"""What the trainer never hears: instruments, soundfont programs, voices and a song kept for evaluation."""

from __future__ import annotations

SAMPLED = {
    "bassVI_flat_fingered_neck", "hofner_black_electric_DI", "headroom_yamahaC3_decca", "wurlitzer_ep200",
    "iowa_trumpet", "iowa_violin", "iowa_clarinet", "organ_unitraB11_flutes", "gogodze",
    "sung_mirko-ah", "sung_mirko-oh", "ps_euphoric_trance_adlibs",
}  # fmt: skip
"""Instruments of `shared/instruments` (for a drum kit, the start of the name)."""

PROGRAMS = {
    (0, 1), (0, 5), (0, 26), (0, 30), (8, 25), (0, 33), (0, 36), (0, 39), (0, 11), (0, 19), (0, 48), (0, 61), (0, 65),
    (0, 73), (0, 80), (0, 89), (128, 32), (128, 25),
}  # fmt: skip
"""(bank, program) of every soundfont."""

VOICES = {"flite_rms", "espeak_it_f1", "festival_slt"}
"""Synthetic singers."""

SOUNDFONTS = {"TimGM6mb"}
"""Soundfonts (file names without their ending) whose every program is held out: a maker that the trainer never meets."""

SONGS = {"rubidium"}
"""Songs of `shared/music` that `music.py` leaves out unless asked: to hold a whole song out, or to let it join late."""

WINDOWS = {"hydrogen": (100, 130), "sodium": (200, 230), "potassium": (120, 150), "rubidium": (60, 120), "caesium": (100, 130)}
"""Seconds of each song that are never trained on, whatever becomes of the rest."""


def is_held_out(name: str) -> bool:
    """Whether a sampled instrument or a synthetic singer is kept for evaluation."""
    return name in SAMPLED | VOICES or name.split("_")[0] in SAMPLED
