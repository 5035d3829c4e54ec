"""Which of the pitched stretches of a clip belong together: the voice or melody, apart from sounds beside it.

Promises one stretch to judge direction and rate by, the material of its register, what else of the clip could be
meant instead, and whether all this is a melody. Leaves the judging to `intonation` and `rhythm`.
"""

from dataclasses import dataclass

import numpy as np

from model.acoustics.descriptors.frames import FRAME_HZ, runs
from model.acoustics.descriptors.pitch import Track, semitones
from model.acoustics.frontend import FloatArray

Stretch = tuple[int, int]
_PAUSE_FRAMES = 22
_SAME_REGISTER_ST = 9.0
_RIVAL_SHARE = 0.35
_OTHER_REGISTER_SHARE = 0.6
_STEADY_FRAMES, _STEADY_ST_PER_S = 6, 4.0
_MUSICAL_STEADINESS, _MUSICAL_RANGE_ST, _FEWEST_NOTES = 0.6, 1.5, 3


@dataclass(frozen=True, eq=False)
class Phrases:
    """The pitched material of a clip: stretches are [first, end) in frames."""

    contour: Track
    """Everything in the register of the main stretch; 0 elsewhere."""
    main: Stretch
    """The longest stretch."""
    rivals: tuple[Stretch, ...]
    """Others long enough to be what someone speaks of."""
    other_register: bool
    """Whether something of quite another height is nearly as long as the main stretch."""


def find_phrases(contour: Track) -> Phrases:
    """Voiced runs, joined across pauses shorter than 0.22 s, and sorted out by length and height."""
    stretches = _stretches(contour)
    if not stretches:
        return Phrases(contour, (0, 0), (), other_register=False)
    sizes = [int(np.count_nonzero(contour.f0_hz_T[first:end])) for first, end in stretches]
    main = int(np.argmax(sizes))
    rivals = [place for place in range(len(stretches)) if place != main and sizes[place] >= _RIVAL_SHARE * sizes[main]]
    heights = [_height(contour, first, end) for first, end in stretches]
    apart = [abs(height - heights[main]) > _SAME_REGISTER_ST for height in heights]
    f0_hz_T: FloatArray = np.zeros_like(contour.f0_hz_T)
    for place, (first, end) in enumerate(stretches):
        if not apart[place]:
            f0_hz_T[first:end] = contour.f0_hz_T[first:end]
    return Phrases(
        contour=Track(f0_hz_T, contour.periodicity_T),
        main=stretches[main],
        rivals=tuple(stretches[place] for place in rivals),
        other_register=any(apart[place] and sizes[place] >= _OTHER_REGISTER_SHARE * sizes[main] for place in rivals),
    )


def pitch_steadiness(contour: Track) -> float:
    """Share of the voiced frames whose pitch moves less than 4 semitones a second: high for notes, low for speech."""
    before_T, after_T = contour.f0_hz_T[:-_STEADY_FRAMES], contour.f0_hz_T[_STEADY_FRAMES:]
    both_T = (before_T > 0) & (after_T > 0)
    if not both_T.any():
        return 0.0
    moved_T = np.abs(semitones(after_T[both_T]) - semitones(before_T[both_T])) * FRAME_HZ / _STEADY_FRAMES
    return float(np.mean(moved_T < _STEADY_ST_PER_S))


def is_musical(contour: Track, phrases: Phrases, steadiness: float) -> bool:
    """Steady pitches at several heights, in one stretch or each its own: a monotone voice is steady, but at one."""
    if steadiness < _MUSICAL_STEADINESS:
        return False
    if _range(contour, *phrases.main) >= _MUSICAL_RANGE_ST:
        return True
    stretches = _stretches(contour)
    heights = [_height(contour, first, end) for first, end in stretches]
    return len(stretches) >= _FEWEST_NOTES and float(np.ptp(heights)) >= _MUSICAL_RANGE_ST


def _stretches(contour: Track) -> list[Stretch]:
    joined: list[Stretch] = []
    for first, end in runs(contour.voiced_T):
        if joined and first - joined[-1][1] < _PAUSE_FRAMES:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((first, end))
    return joined


def _height(contour: Track, first: int, end: int) -> float:
    f0_hz = contour.f0_hz_T[first:end]
    return float(np.median(semitones(f0_hz[f0_hz > 0])))


def _range(contour: Track, first: int, end: int) -> float:
    f0_hz = contour.f0_hz_T[first:end]
    low, high = np.percentile(semitones(f0_hz[f0_hz > 0]), [10, 90])
    return float(high - low)
