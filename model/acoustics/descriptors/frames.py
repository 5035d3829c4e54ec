"""What every descriptor starts from: power spectrum, band levels and loudness every 10 ms, computed once per clip.

Promises T frames centred on multiples of 10 ms, levels in dB below full scale, and the background of each band.
Leaves every judgement to the modules beside it.

Shapes: T frames, K = 257 bins of 31.25 Hz, B = 40 bands.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from model.acoustics.frontend import HOP, RATE_HZ, FloatArray

N_FFT = 512
FRAME_HZ = RATE_HZ // HOP
BINS_HZ: FloatArray = np.fft.rfftfreq(N_FFT, 1 / RATE_HZ).astype(np.float32)
SILENT_DB = -90.0
_LOWEST_HZ = 60.0  # below lie offsets and hum, not sound events
_BANDS = 40
_BLOCK_FRAMES = 1024  # bounds the memory of long clips
_QUIET_SHARE = 10  # per cent of frames taken to hold background alone


@dataclass(frozen=True, eq=False)
class Frames:
    """A clip, framed: `power_TK` sums over K to the mean square of the frame."""

    samples_N: FloatArray
    power_TK: FloatArray

    @property
    def duration_s(self) -> float:
        return self.samples_N.size / RATE_HZ

    @property
    def span_s(self) -> tuple[float, float]:
        return 0.0, round(self.duration_s, 3)

    @cached_property
    def level_db_T(self) -> FloatArray:
        """Level of each frame in dB relative to full scale."""
        return decibels(self.power_TK.sum(axis=1))

    @cached_property
    def smooth_db_T(self) -> FloatArray:
        """Level over 50 ms."""
        return decibels(uniform_filter1d(self.power_TK.sum(axis=1), 5))

    @cached_property
    def bands_db_TB(self) -> FloatArray:
        """Level in 40 bands, equally wide in a scale linear to 1 kHz and logarithmic above."""
        return decibels(self.power_TK @ _band_filters())

    @cached_property
    def background_db(self) -> float:
        """Level of the quietest tenth of the frames."""
        return float(np.percentile(self.smooth_db_T, _QUIET_SHARE))

    @cached_property
    def peak_db(self) -> float:
        return float(self.smooth_db_T.max())

    @property
    def rise_db(self) -> float:
        """How far the loudest moment stands over the background: small in noise, and where nothing ever rests."""
        return self.peak_db - self.background_db


def frames_of(samples_N: FloatArray) -> Frames:
    """Frames of a clip of any length from one sample on."""
    half = N_FFT // 2
    padded = np.zeros(samples_N.size + N_FFT, np.float32)
    padded[half : half + samples_N.size] = samples_N
    count = max(1, -(-samples_N.size // HOP))
    frames_TN = sliding_window_view(padded, N_FFT)[::HOP][:count]
    power_TK = np.empty((count, BINS_HZ.size), np.float32)
    for start in range(0, count, _BLOCK_FRAMES):
        power_TK[start : start + _BLOCK_FRAMES] = _power(frames_TN[start : start + _BLOCK_FRAMES])
    return Frames(samples_N=samples_N, power_TK=power_TK)


def _power(frames_TN: FloatArray) -> FloatArray:
    window_N = np.hanning(N_FFT + 1)[:-1].astype(np.float32)
    spectrum_TK = scipy.fft.rfft(frames_TN * window_N, overwrite_x=True)
    power_TK: FloatArray = spectrum_TK.real**2 + spectrum_TK.imag**2
    power_TK *= 2 / (N_FFT * float(np.sum(window_N**2)))
    power_TK[:, BINS_HZ < _LOWEST_HZ] = 0
    return power_TK


def decibels(power: FloatArray) -> FloatArray:
    level_db: FloatArray = 10 * np.log10(np.maximum(power, 10 ** (SILENT_DB / 10)))
    return level_db


def runs(active_T: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The stretches [first, end) of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], active_T, [False])).astype(np.int8)))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def _band_filters() -> FloatArray:
    warped_K = np.where(BINS_HZ < 1000, BINS_HZ / 1000, 1 + np.log2(np.maximum(BINS_HZ, 1) / 1000))
    edges = np.linspace(warped_K[int(_LOWEST_HZ / BINS_HZ[1])], warped_K[-1], _BANDS + 1)
    filters_KB = np.zeros((BINS_HZ.size, _BANDS), np.float32)
    band_K = np.clip(np.searchsorted(edges, warped_K, side="right") - 1, 0, _BANDS - 1)
    filters_KB[np.arange(BINS_HZ.size), band_K] = 1
    return filters_KB
