"""Key and mode: which tonic and whether major or minor.

Promises a mode only for music whose pitch classes decide it by a margin. The classes come from the tracked notes, and
from the spectrum where there are too few; they are set against the profiles of Albrecht and Shanahan (2013).
Leaves harmony (chords, modulation) alone.
"""

from functools import cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from model.acoustics.descriptors.frames import Frames
from model.acoustics.descriptors.pitch import semitone, semitones
from model.acoustics.descriptors.values import Descriptor, Segment
from model.acoustics.frontend import RATE_HZ

NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_MAJOR = (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081)
_MINOR = (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052)
_FEWEST_NOTES = 3
_MARGIN = 0.03
_FFT, _HOP = 4096, 1600
_SPECTRUM_HZ = (100.0, 2_000.0)

Chroma = NDArray[np.float64]


def tonality_descriptors(frames: Frames, notes: tuple[Segment, ...], *, musical: bool) -> list[Descriptor]:
    """Key and mode of a clip that has steady pitches; both abstain for speech and noise."""
    if not musical:
        return _abstained(frames, "the clip has no steady notes")
    chroma_P = note_chroma(notes) if len(notes) >= _FEWEST_NOTES else spectral_chroma(frames)
    scores_KM = _scores(chroma_P)
    tonic, mode = np.unravel_index(scores_KM.argmax(), scores_KM.shape)
    margin = float(scores_KM[:, mode].max() - scores_KM[:, 1 - mode].max())
    if margin < _MARGIN:
        return _abstained(frames, f"major and minor fit almost equally ({margin:.3f} apart)")
    name, sure = ("major", "minor")[int(mode)], round(min(1.0, 0.6 + 2 * margin), 2)
    key = Descriptor("key", f"{NAMES[int(tonic)]} {name}", "label", round(sure * 0.8, 2), frames.span_s)
    return [key, Descriptor("mode", name, "label", sure, frames.span_s)]


def note_chroma(notes: tuple[Segment, ...]) -> Chroma:
    """How much each pitch class sounds, C first."""
    chroma_P = np.zeros(12)
    for note in notes:
        if note.pitch_hz:
            chroma_P[round(semitone(note.pitch_hz)) % 12] += min(note.end_s - note.start_s, 0.8)
    return chroma_P


def spectral_chroma(frames: Frames) -> Chroma:
    """The same from spectral peaks, for chords and accompanied music."""
    padded = np.pad(frames.samples_N, (_FFT // 2, _FFT // 2))
    window_N = np.hanning(_FFT).astype(np.float32)
    windows_TN = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP] * window_N
    amplitude_TK = np.abs(scipy.fft.rfft(windows_TN))
    bins_hz = np.fft.rfftfreq(_FFT, 1 / RATE_HZ)
    middle = amplitude_TK[:, 1:-1]
    is_peak = (middle > amplitude_TK[:, :-2]) & (middle >= amplitude_TK[:, 2:])
    weight_K = np.concatenate(([0.0], np.where(is_peak, middle, 0).sum(axis=0), [0.0]))
    inside = (bins_hz > _SPECTRUM_HZ[0]) & (bins_hz < _SPECTRUM_HZ[1])
    classes = np.round(semitones(bins_hz[inside].astype(np.float32))).astype(int) % 12
    chroma_P: Chroma = np.bincount(classes, weights=weight_K[inside], minlength=12).astype(float)
    return chroma_P


def _scores(chroma_P: Chroma) -> NDArray[np.float64]:
    """Correlation of the chroma with every tonic (rows) in major and minor (columns)."""
    centred = chroma_P - chroma_P.mean()
    centred /= max(float(np.linalg.norm(centred)), 1e-9)
    return np.stack([_profiles(mode) @ centred for mode in range(2)], axis=1)


@cache
def _profiles(mode: int) -> NDArray[np.float64]:
    profile = np.array((_MAJOR, _MINOR)[mode])
    profile = (profile - profile.mean()) / np.linalg.norm(profile - profile.mean())
    return np.stack([np.roll(profile, tonic) for tonic in range(12)])


def _abstained(frames: Frames, why: str) -> list[Descriptor]:
    return [Descriptor(name, None, "label", 0.0, frames.span_s, abstained=True, reason=why) for name in ("key", "mode")]
