"""Which of the pitched stretches of a clip belong together: the voice or melody, apart from sounds beside it.

Promises one set of frames to judge direction, register and rate by, and whether something else of the clip could
claim the same. Leaves the judging to `pitch` and `rhythm`.
"""

from dataclasses import dataclass

import numpy as np

from model.acoustics.descriptors.frames import runs
from model.acoustics.descriptors.pitch import Track, semitones
from model.acoustics.frontend import FloatArray

_PAUSE_FRAMES = 22
_SAME_REGISTER_ST = 9.0
_RIVAL_SHARE = 0.6


@dataclass(frozen=True, eq=False)
class Phrase:
    """The main pitched material: its contour (0 elsewhere), first and end frame, and whether it has a rival."""

    contour: Track
    first: int
    end: int
    rivalled: bool


def main_phrase(contour: Track) -> Phrase:
    """The longest pitched stretch with all others of its register."""
    stretches = _stretches(contour)
    if not stretches:
        return Phrase(contour, 0, 0, rivalled=False)
    heights = [_height(contour, first, end) for first, end in stretches]
    sizes = [int(np.count_nonzero(contour.f0_hz_T[first:end])) for first, end in stretches]
    main = int(np.argmax(sizes))
    belongs = [abs(height - heights[main]) <= _SAME_REGISTER_ST for height in heights]
    f0_hz_T: FloatArray = np.zeros_like(contour.f0_hz_T)
    kept = [stretch for stretch, is_kept in zip(stretches, belongs, strict=True) if is_kept]
    for first, end in kept:
        f0_hz_T[first:end] = contour.f0_hz_T[first:end]
    largest_other = max((size for size, is_kept in zip(sizes, belongs, strict=True) if not is_kept), default=0)
    rivalled = largest_other >= _RIVAL_SHARE * sizes[main]
    return Phrase(Track(f0_hz_T, contour.periodicity_T), kept[0][0], kept[-1][1], rivalled)


def _stretches(contour: Track) -> list[tuple[int, int]]:
    """Voiced runs, joined across pauses shorter than 0.22 s."""
    joined: list[tuple[int, int]] = []
    for first, end in runs(contour.voiced_T):
        if joined and first - joined[-1][1] < _PAUSE_FRAMES:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((first, end))
    return joined


def _height(contour: Track, first: int, end: int) -> float:
    f0_hz = contour.f0_hz_T[first:end]
    return float(np.median(semitones(f0_hz[f0_hz > 0])))
