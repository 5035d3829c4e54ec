"""Loudness: its contour and whether the clip as a whole grows louder, softer or stays even.

Promises a direction only when the fitted change is clearly more, or clearly less, than what syllables and notes vary
by themselves. Leaves the loudness of single sounds to `sounds`.
"""

import numpy as np

from model.acoustics.descriptors.frames import SILENT_DB, Frames
from model.acoustics.descriptors.values import Descriptor
from model.acoustics.frontend import FloatArray

_WINDOW_FRAMES = 12  # about a syllable: within it only the loudest moment counts
_ACTIVE_RANGE_DB = 30.0
_OVER_BACKGROUND_DB = 5.0
_EVEN_DB, _CLEAR_DB = 4.5, 6.0
_FEWEST_WINDOWS = 4


def loudness_descriptors(frames: Frames) -> list[Descriptor]:
    """Mean level, fitted change over the clip and its direction."""
    mean_db = float(10 * np.log10(max(float(np.mean(frames.samples_N**2)), 10 ** (SILENT_DB / 10))))
    level = Descriptor("loudness", round(mean_db, 1), "dB", 1.0, frames.span_s)
    change = loudness_change(frames.smooth_db_T, background_db=frames.background_db)
    if change is None:
        why = "too little of the clip is over its background"
        return [level, *(_abstained(name, frames, why) for name in ("loudness_change", "loudness_direction"))]
    measured = Descriptor("loudness_change", round(change, 1), "dB", 0.9, frames.span_s)
    return [level, measured, _direction(change, frames)]


def loudness_change(level_db_T: FloatArray, *, background_db: float) -> float | None:
    """Decibels between the two ends of a line through the loudest moments; None if there are too few."""
    times_W, peaks_W = _peaks(level_db_T)
    threshold_db = max(float(level_db_T.max()) - _ACTIVE_RANGE_DB, background_db + _OVER_BACKGROUND_DB)
    keep = peaks_W > threshold_db
    if np.count_nonzero(keep) < _FEWEST_WINDOWS:
        return None
    times_W, peaks_W = times_W[keep], peaks_W[keep]
    gaps = times_W[None, :] - times_W[:, None]
    later = gaps > (times_W[-1] - times_W[0]) / 4
    slopes = ((peaks_W[None, :] - peaks_W[:, None])[later]) / gaps[later]
    return float(np.median(slopes) * (times_W[-1] - times_W[0]))


def loudness_label(change_db: float) -> str | None:
    """"louder", "softer", "even", or None in between."""
    if abs(change_db) < _EVEN_DB:
        return "even"
    if abs(change_db) < _CLEAR_DB:
        return None
    return "louder" if change_db > 0 else "softer"


def _direction(change_db: float, frames: Frames) -> Descriptor:
    label = loudness_label(change_db)
    if label is None:
        return _abstained("loudness_direction", frames, f"a change of {change_db:.1f} dB is neither even nor clear")
    margin = abs(abs(change_db) - (_EVEN_DB + _CLEAR_DB) / 2)
    return Descriptor("loudness_direction", label, "label", round(min(1.0, 0.5 + margin / 10), 2), frames.span_s)


def _peaks(level_db_T: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The loudest moment of every window: its frame and level."""
    count = max(1, len(level_db_T) // _WINDOW_FRAMES)
    windows = np.array_split(level_db_T, count)
    starts = np.cumsum([0, *(len(window) for window in windows[:-1])])
    times = [start + int(window.argmax()) for start, window in zip(starts, windows, strict=True)]
    return np.array(times, np.float32), np.array([window.max() for window in windows], np.float32)


def _abstained(name: str, frames: Frames, why: str) -> Descriptor:
    unit = "label" if name == "loudness_direction" else "dB"
    return Descriptor(name, None, unit, 0.0, frames.span_s, abstained=True, reason=why)
