"""Brightness: the spectral centroid over time, its typical value and what a listener would call it.

Leaves timbre beyond this one number alone.
"""

import numpy as np

from model.acoustics.descriptors.frames import BINS_HZ, Frames
from model.acoustics.descriptors.values import Descriptor
from model.acoustics.frontend import FloatArray

_DARK_HZ, _BRIGHT_HZ = 900.0, 1_800.0
_ACTIVE_RANGE_DB = 25.0


def centroid_hz(frames: Frames) -> FloatArray:
    """The centre of gravity of each frame's power spectrum, weighting amplitude rather than power."""
    amplitude_TK = np.sqrt(frames.power_TK)
    centroid_T: FloatArray = amplitude_TK @ BINS_HZ / np.maximum(amplitude_TK.sum(axis=1), 1e-9)
    return centroid_T


def brightness_descriptors(frames: Frames, centroid_hz_T: FloatArray) -> list[Descriptor]:
    """Median centroid of the loud part, and "bright" or "dark" where it is clearly either."""
    active_T = frames.level_db_T > frames.peak_db - _ACTIVE_RANGE_DB
    median_hz = float(np.median(centroid_hz_T[active_T]))
    measured = Descriptor("centroid", round(median_hz, 0), "Hz", 0.9, frames.span_s)
    if _DARK_HZ <= median_hz <= _BRIGHT_HZ:
        why = f"a centroid of {median_hz:.0f} Hz is neither bright nor dark"
        return [measured, Descriptor("brightness", None, "label", 0.0, frames.span_s, abstained=True, reason=why)]
    value = "bright" if median_hz > _BRIGHT_HZ else "dark"
    return [measured, Descriptor("brightness", value, "label", 0.8, frames.span_s)]
