"""Pitch: the f0 contour with voicing, and what it says of direction, range and register.

Promises f0 between 65 and 1,100 Hz every 10 ms, nothing where there is no pitch, and directions only when the change
is clear. The tracker is autocorrelation normalised by that of its window, several candidates a frame, and the
cheapest path through them (Boersma 1993; Viterbi). Leaves notes and keys to `notes` and `tonality`.

Shapes: T frames, N samples a frame, L lags, C candidates of which the last means "unvoiced".
"""

from dataclasses import dataclass
from math import log2

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from model.acoustics.descriptors.frames import FRAME_HZ, Frames, runs
from model.acoustics.descriptors.values import Descriptor
from model.acoustics.frontend import HOP, RATE_HZ, FloatArray

LOWEST_HZ, HIGHEST_HZ = 65.0, 1_100.0
_WINDOW = 800
_FFT = 1280
_BAND_HZ = (50.0, 3_500.0)  # pitch lives here; the noise above only blurs the correlation
_CANDIDATES = 6
_UNVOICED_STRENGTH = 0.4
_OCTAVE_COST = 0.05  # prefers the higher of two equally good octaves
_REGISTER_COST = 0.2  # per octave beyond one from the clip's median
_NEUTRAL_HZ = 200.0  # where that preference neither helps nor hinders voicing
_JUMP_COST = 0.35  # per octave between neighbouring frames
_VOICING_COST = 0.14
_SILENT_RANGE_DB = 40.0
_SHORTEST_VOICED = 4

_LEVEL_ST, _CLEAR_ST = 1.5, 2.5  # semitones: below level, above a direction, between an abstention
_LOW_HZ, _HIGH_HZ = 150.0, 180.0
_FEWEST_VOICED = 12
_SEMITONES = 12.0


@dataclass(frozen=True, eq=False)
class Track:
    """f0 every 10 ms (0 where unvoiced) and how periodic the frame is, 0 to 1."""

    f0_hz_T: FloatArray
    periodicity_T: FloatArray

    @property
    def voiced_T(self) -> NDArray[np.bool_]:
        return self.f0_hz_T > 0


def track(frames: Frames) -> Track:
    """The f0 contour of the clip.

    The path is sought twice: what lies more than an octave from the median of the first is a harmonic or a formant
    more often than a pitch, and pays for it in the second.
    """
    f0_TC, strength_TC = _candidates(_correlation(frames.samples_N, count=len(frames.power_TK)))
    octaves_TC = np.log2(np.maximum(f0_TC, LOWEST_HZ) / _NEUTRAL_HZ)
    score_TC = strength_TC + _OCTAVE_COST * octaves_TC
    quiet_T = np.clip((frames.peak_db - _SILENT_RANGE_DB - frames.level_db_T) / 10, 0, 1)
    score_TC[:, -1] = _UNVOICED_STRENGTH + quiet_T
    f0_hz_T = _along_path(f0_TC, score_TC)
    if f0_hz_T.any():
        away_TC = np.abs(octaves_TC - np.log2(np.median(f0_hz_T[f0_hz_T > 0]) / _NEUTRAL_HZ))
        score_TC[:, :-1] -= _REGISTER_COST * np.maximum(away_TC[:, :-1] - 1, 0)
        f0_hz_T = _along_path(f0_TC, score_TC)
    for first, end in runs(f0_hz_T > 0):
        if end - first < _SHORTEST_VOICED:
            f0_hz_T[first:end] = 0
    return Track(f0_hz_T=f0_hz_T, periodicity_T=strength_TC[:, :-1].max(axis=1))


def _along_path(f0_TC: FloatArray, score_TC: FloatArray) -> FloatArray:
    path_T = _cheapest_path(f0_TC, score_TC)
    f0_hz_T: FloatArray = f0_TC[np.arange(len(path_T)), path_T]
    return f0_hz_T


def semitones(hz: FloatArray) -> FloatArray:
    """Height in semitones; 440 Hz is 69, as in MIDI."""
    height: FloatArray = 69 + _SEMITONES * np.log2(hz / 440)
    return height


def semitone(hz: float) -> float:
    """The same of one frequency."""
    return 69 + _SEMITONES * log2(hz / 440)


def pitch_descriptors(frames: Frames, contour: Track, *, change: float | None, rivalled: bool) -> list[Descriptor]:
    """Direction, change, range, median and register of the main contour.

    `change` replaces the fitted change where notes measure it better; `rivalled` says that another sound of the clip
    could be the one meant, which makes the labels abstain.
    """
    if np.count_nonzero(contour.voiced_T) < _FEWEST_VOICED:
        return [_abstained(name, frames.span_s, "too little of the clip has a pitch") for name in _UNITS]
    times_T = np.flatnonzero(contour.voiced_T)
    pitch_T = semitones(contour.f0_hz_T[times_T])
    span_s = float(times_T[0] / FRAME_HZ), float((times_T[-1] + 1) / FRAME_HZ)
    low, median, high = np.percentile(pitch_T, [5, 50, 95])
    change = _change(times_T, pitch_T) if change is None else change
    sure = round(float(np.median(contour.periodicity_T[times_T])), 3)
    median_hz = float(440 * 2 ** ((median - 69) / _SEMITONES))
    numbers = [
        Descriptor("pitch_median", round(median_hz, 1), "Hz", sure, span_s),
        Descriptor("pitch_range", round(float(high - low), 2), "semitones", sure, span_s),
        Descriptor("pitch_change", round(change, 2), "semitones", sure, span_s),
    ]
    if rivalled:
        why = "two sounds far apart in pitch could be meant"
        return [*numbers, *(_abstained(name, span_s, why) for name in ("pitch_direction", "register"))]
    return [*numbers, direction(change, span_s=span_s, sure=sure), _register(median_hz, span_s=span_s, sure=sure)]


def direction(change: float, *, span_s: tuple[float, float], sure: float) -> Descriptor:
    """Whether a change in semitones "rises", "falls" or stays "level"; abstains between 1.5 and 2.5."""
    if _LEVEL_ST <= abs(change) < _CLEAR_ST:
        why = f"a change of {change:.1f} semitones is neither level nor clear"
        return _abstained("pitch_direction", span_s, why)
    value = "level" if abs(change) < _LEVEL_ST else ("rises" if change > 0 else "falls")
    return Descriptor("pitch_direction", value, "label", sure, span_s)


def pitch_change(contour: Track, first: int, end: int) -> float | None:
    """Semitones between start and end of the frames [first, end); None with too little voice in them."""
    times_T = first + np.flatnonzero(contour.voiced_T[first:end])
    if times_T.size < _FEWEST_VOICED:
        return None
    return _change(times_T, semitones(contour.f0_hz_T[times_T]))


def _change(times_T: NDArray[np.intp], pitch_T: FloatArray) -> float:
    """Fitted line's rise over the voiced span, robust to octave errors: refitted to the nearer 80 %."""
    keep = np.ones(times_T.size, bool)
    slope = 0.0
    for _ in range(3):
        slope, offset = np.polyfit(times_T[keep], pitch_T[keep], 1)
        distance_T = np.abs(pitch_T - slope * times_T - offset)
        keep = distance_T <= max(float(np.percentile(distance_T, 80)), 0.5)
    return float(slope * (times_T[-1] - times_T[0]))


def _register(median_hz: float, *, span_s: tuple[float, float], sure: float) -> Descriptor:
    if _LOW_HZ <= median_hz < _HIGH_HZ:
        why = f"{median_hz:.0f} Hz is between a low and a high voice"
        return _abstained("register", span_s, why)
    return Descriptor("register", "low" if median_hz < _LOW_HZ else "high", "label", sure, span_s)


_UNITS = {
    "pitch_median": "Hz",
    "pitch_range": "semitones",
    "pitch_change": "semitones",
    "pitch_direction": "label",
    "register": "label",
}


def _abstained(name: str, span_s: tuple[float, float], why: str) -> Descriptor:
    return Descriptor(name, None, _UNITS[name], 0.0, span_s, abstained=True, reason=why)


def _correlation(samples_N: FloatArray, *, count: int) -> FloatArray:
    """Autocorrelation_TL of every frame over that of its window, 1 at lag 0."""
    half = _WINDOW // 2
    padded = np.zeros(samples_N.size + _WINDOW, np.float32)
    padded[half : half + samples_N.size] = samples_N
    window_N = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    frames_TN = sliding_window_view(padded, _WINDOW)[::HOP][:count] * window_N
    spectrum_TK = scipy.fft.rfft(frames_TN, _FFT)
    power_TK = spectrum_TK.real**2 + spectrum_TK.imag**2
    bins_hz = np.fft.rfftfreq(_FFT, 1 / RATE_HZ)
    power_TK *= ((bins_hz >= _BAND_HZ[0]) & (bins_hz <= _BAND_HZ[1])).astype(np.float32)
    longest = int(RATE_HZ / LOWEST_HZ) + 2
    correlation_TL = scipy.fft.irfft(power_TK, _FFT)[:, :longest]
    window_L = scipy.fft.irfft(np.abs(scipy.fft.rfft(window_N, _FFT)) ** 2, _FFT)[:longest]
    energy_T1 = np.maximum(correlation_TL[:, :1], 1e-12)
    normal_TL: FloatArray = correlation_TL / energy_T1 / (window_L / window_L[0])
    return normal_TL


def _candidates(correlation_TL: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The best peaks of each frame as f0_TC and strength_TC; the last column is left for "unvoiced"."""
    shortest = int(RATE_HZ / HIGHEST_HZ)
    left, middle, right = (correlation_TL[:, shortest - 1 + k : correlation_TL.shape[1] - 2 + k] for k in range(3))
    is_peak = (middle > left) & (middle >= right) & (middle > 0.2)
    height_TL = np.where(is_peak, middle, 0)
    lags_L = np.arange(shortest, shortest + middle.shape[1], dtype=np.float32)
    handicap_L = _OCTAVE_COST * np.log2(lags_L / shortest)
    best_TC = np.argpartition(height_TL - handicap_L, -_CANDIDATES, axis=1)[:, -_CANDIDATES:]
    before, at, after = (np.take_along_axis(part, best_TC, axis=1) for part in (left, middle, right))
    curvature = np.minimum(before - 2 * at + after, -1e-9)
    shift = np.clip((before - after) / (2 * curvature), -0.5, 0.5)
    real_TC = np.take_along_axis(height_TL, best_TC, axis=1) > 0
    f0_TC = np.zeros((len(correlation_TL), _CANDIDATES + 1), np.float32)
    strength_TC = np.zeros_like(f0_TC)
    f0_TC[:, :-1] = np.where(real_TC, RATE_HZ / (best_TC + shortest + shift), 0)
    strength_TC[:, :-1] = np.where(real_TC, np.minimum(at - (before - after) * shift / 4, 1), 0)
    return f0_TC, strength_TC


def _cheapest_path(f0_TC: FloatArray, score_TC: FloatArray) -> NDArray[np.intp]:
    """The sequence of candidates with the greatest score less its jumps and changes of voicing."""
    voiced_TC = f0_TC > 0
    octave_TC = np.log2(np.maximum(f0_TC, 1))
    jump = np.abs(octave_TC[1:, None, :] - octave_TC[:-1, :, None]) * _JUMP_COST
    both = voiced_TC[1:, None, :] & voiced_TC[:-1, :, None]
    change = (voiced_TC[1:, None, :] != voiced_TC[:-1, :, None]) * _VOICING_COST
    cost_TCC = np.where(both, jump, change).astype(np.float32)
    empty_TC = ~voiced_TC
    empty_TC[:, -1] = False  # the last column is "unvoiced", which is never an empty place
    return _viterbi(np.where(empty_TC, np.float32(-1e3), score_TC), cost_TCC)


def _viterbi(score_TC: FloatArray, cost_TCC: FloatArray) -> NDArray[np.intp]:
    came_from_TC = np.zeros(score_TC.shape, np.intp)
    best_C = score_TC[0]
    columns = np.arange(score_TC.shape[1])
    for frame in range(1, len(score_TC)):
        reached_CC = best_C[:, None] - cost_TCC[frame - 1]
        came_from_TC[frame] = source_C = reached_CC.argmax(axis=0)
        best_C = reached_CC[source_C, columns] + score_TC[frame]
    path_T = np.empty(len(score_TC), np.intp)
    path_T[-1] = best_C.argmax()
    for frame in range(len(score_TC) - 1, 0, -1):
        path_T[frame - 1] = came_from_TC[frame, path_T[frame]]
    return path_T
