"""Melodies on a triad: the notes decide the mode, their order the contour.

Promises: every melody sounds root, third and fifth; "rises" and "falls" are monotone; "level" ends
on the note it began with and has no slope.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.worlds import lexicon
from model.worlds.scenes import Melody, Note

OCTAVE = 12
SLOW_NOTE_S = 0.55


def composed(melody: Melody, count: int, rng: np.random.Generator) -> tuple[int, ...]:
    """MIDI notes of a melody of `count` notes."""
    triad = lexicon.TRIAD[melody.mode]
    ladder = [melody.root + OCTAVE * (step // 3) + triad[step % 3] for step in range(count)]
    if melody.contour == "rises":
        return tuple(ladder)
    if melody.contour == "falls":
        return tuple(reversed(ladder))
    half = [melody.root + interval for interval in rng.permutation(triad)]
    middle = half[-1:] if count % 2 == 0 else []
    return tuple(int(midi) for midi in [*half, *middle, *reversed(half[:-1])])


def laid_out(midis: Sequence[int], instrument: str, rate: str, start_s: float) -> tuple[Note, ...]:
    """One note a beat."""
    beat_s = 60 / lexicon.BEATS_PER_MINUTE[rate]
    length_s = min(SLOW_NOTE_S, beat_s)
    return tuple(
        Note(instrument, midi, round(start_s + place * beat_s, 3), length_s) for place, midi in enumerate(midis)
    )
