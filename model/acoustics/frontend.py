"""The log-mel front end: 16 kHz samples to the 100 Hz, 128-band spectrogram the audio encoder reads.

Promises Whisper's numbers (within 1e-5 of transformers' extractor on the frames both define) at a third of its
time, and a version string that names every setting, so that features made by two builds can be told apart.
Leaves decoding and resampling to `decoding`, and the padding of batches to the network.

Deviation from Whisper, as in facts/paper.md §1: a clip is padded by 479 samples, not to 30 s, and the floor
(maximum - 8) is taken per chunk; therefore the chunk length is part of the version.
"""

from functools import cache

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.sparse import csr_array

from model.acoustics.errors import AudioError

RATE_HZ = 16_000
CHUNK_S = 25
N_FFT = 400
HOP = 160
N_MELS = 128
FRONT_END_VERSION = f"logmel-{RATE_HZ // 1000}k-{N_FFT}-{HOP}-{N_MELS}-c{CHUNK_S}/1"

_RIGHT_PAD = 479
_BLOCK_FRAMES = 512  # what stays in the second-level cache between the transform and the filters
_SHORTEST_CHUNK = N_FFT  # samples; anything shorter would give the network no audio token at all
_POWER_FLOOR = 1e-10
_DYNAMIC_RANGE = 8.0  # decades of power kept below the loudest value of a chunk

FloatArray = NDArray[np.float32]


def log_mel(samples_N: FloatArray) -> FloatArray:
    """The spectrogram mel_TF of one chunk, with T = (N + 479) // 160 and F = 128.

    Raises AudioError EMPTY_AUDIO, NOT_MONO or NOT_FINITE.
    """
    if samples_N.ndim != 1:
        raise AudioError("NOT_MONO", f"samples have shape {samples_N.shape}; pass one channel as a flat array")
    if samples_N.size == 0:
        raise AudioError("EMPTY_AUDIO", "there are no samples; pass at least one")
    with np.errstate(invalid="ignore", over="ignore"):  # such samples are refused below, with a reason
        mel_TF = _mel_power(_frames(samples_N))
    np.maximum(mel_TF, _POWER_FLOOR, out=mel_TF)
    np.log10(mel_TF, out=mel_TF)
    loudest = mel_TF.max()
    if not np.isfinite(loudest):
        raise AudioError("NOT_FINITE", "samples hold NaN, infinite or enormous values; scale them to within [-1, 1]")
    np.maximum(mel_TF, loudest - _DYNAMIC_RANGE, out=mel_TF)
    mel_TF += 4.0
    mel_TF *= 0.25
    return mel_TF


def chunks(samples_N: FloatArray) -> list[FloatArray]:
    """Cuts a clip into pieces of at most 25 s, each an audio item of its own; never an empty one.

    A piece too short to give an audio token (under 25 ms) is padded with zeros, so nothing heard is dropped.
    """
    size = CHUNK_S * RATE_HZ
    pieces = [samples_N[start : start + size] for start in range(0, samples_N.size, size)]
    if pieces and pieces[-1].size < _SHORTEST_CHUNK:
        pieces[-1] = np.pad(pieces[-1], (0, _SHORTEST_CHUNK - pieces[-1].size))
    return pieces


def _frames(samples_N: FloatArray) -> FloatArray:
    """Overlapping frames_TN, centred on multiples of the hop, the start mirrored as torch.stft does."""
    half = N_FFT // 2
    padded = np.zeros(half + samples_N.size + _RIGHT_PAD + half, np.float32)
    padded[half : half + samples_N.size] = samples_N
    padded[:half] = padded[2 * half : half : -1]
    frame_count = (samples_N.size + _RIGHT_PAD) // HOP
    return sliding_window_view(padded, N_FFT)[::HOP][:frame_count]


def _mel_power(frames_TN: FloatArray) -> FloatArray:
    window_N, filters_FK = _hann(), _mel_filters()
    mel_FT = np.empty((N_MELS, len(frames_TN)), np.float32)
    for start in range(0, len(frames_TN), _BLOCK_FRAMES):
        block = slice(start, start + _BLOCK_FRAMES)
        spectrum_TK = scipy.fft.rfft(frames_TN[block] * window_N, overwrite_x=True)
        squares = spectrum_TK.view(np.float32)
        np.square(squares, out=squares)
        mel_FT[:, block] = filters_FK @ (squares[:, 0::2] + squares[:, 1::2]).T
    return np.ascontiguousarray(mel_FT.T)


@cache
def _hann() -> FloatArray:
    return np.hanning(N_FFT + 1)[:-1].astype(np.float32)


@cache
def _mel_filters() -> csr_array:
    """Triangular filters_FK on the Slaney mel scale, each of unit area, over K = 201 bins.

    Sparse, because a bin lies in two filters at most: faster than a full product, and on one thread.
    """
    bins_hz = np.linspace(0, RATE_HZ / 2, N_FFT // 2 + 1)
    edges_hz = _slaney_hz(np.linspace(0, _slaney_mel(RATE_HZ / 2), N_MELS + 2))[:, None]
    low, centre, high = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising, falling = (bins_hz - low) / (centre - low), (high - bins_hz) / (high - centre)
    return csr_array((np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)).astype(np.float32))


# Slaney's scale: linear to 1 kHz (15 mel), then 27 mel to every factor of 6.4.
def _slaney_mel(hz: float) -> float:
    return 15 + 27 * float(np.log(hz / 1000) / np.log(6.4)) if hz >= 1000 else hz * 3 / 200


def _slaney_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel >= 15, 1000 * np.exp((mel - 15) * np.log(6.4) / 27), mel * 200 / 3)
