"""Synthetic sound with exact truth, for the tests beside it."""

import numpy as np

RATE_HZ = 16_000


def voice(f0_hz_N: np.ndarray, *, tilt: float = 1.0, level: float = 0.1) -> np.ndarray:
    """A buzz of harmonics below 4 kHz that follows the given pitch."""
    phase_N = 2 * np.pi * np.cumsum(f0_hz_N) / RATE_HZ
    harmonics = [np.sin(k * phase_N) / k**tilt * (k * f0_hz_N < 4000) for k in range(1, 25)]
    return (level * np.sum(harmonics, axis=0)).astype(np.float32)


def glide(start_hz: float, end_hz: float, *, seconds: float = 1.0) -> np.ndarray:
    return voice(np.geomspace(start_hz, end_hz, int(seconds * RATE_HZ)))


def melody(semitones: list[float], *, beat_s: float = 0.4, root_hz: float = 261.63) -> np.ndarray:
    """Plucked notes, one a beat."""
    count = int(beat_s * RATE_HZ)
    decay_N = np.exp(-np.arange(count) / (0.25 * RATE_HZ)) * np.minimum(np.arange(count) / 80, 1)
    notes = [voice(np.full(count, root_hz * 2 ** (step / 12))) * decay_N for step in semitones]
    return np.concatenate(notes).astype(np.float32)


def bursts(levels_db: list[float], *, gap_s: float = 0.3, seed: int = 0) -> np.ndarray:
    """Bursts of noise of 0.2 s, each at its level, with rests between and around."""
    rng = np.random.default_rng(seed)
    rest, length = np.zeros(int(gap_s * RATE_HZ)), int(0.2 * RATE_HZ)
    pieces = [rest]
    for level_db in levels_db:
        pieces += [0.1 * 10 ** (level_db / 20) * rng.standard_normal(length), rest]
    return np.concatenate(pieces).astype(np.float32)


def syllables(count: int, *, rate_hz: float, f0_hz: float = 120.0) -> np.ndarray:
    """Vowels that alternate in colour, opening and closing at the given rate."""
    length = int(count / rate_hz * RATE_HZ)
    time_N = np.arange(length) / RATE_HZ
    opening_N = (0.5 - 0.5 * np.cos(2 * np.pi * rate_hz * time_N)) ** 2 + 0.02
    colour_N = 0.5 + 0.5 * np.sin(np.pi * rate_hz * time_N)
    base_N = voice(np.full(length, f0_hz), tilt=0.6), voice(np.full(length, f0_hz), tilt=1.8)
    return (opening_N * (colour_N * base_N[0] + (1 - colour_N) * base_N[1])).astype(np.float32)


def noisy(samples_N: np.ndarray, *, snr_db: float, seed: int = 1) -> np.ndarray:
    noise_N = np.random.default_rng(seed).standard_normal(samples_N.size)
    level = np.sqrt(np.mean(samples_N**2) / 10 ** (snr_db / 10))
    return (samples_N + level * noise_N).astype(np.float32)


def ramped(samples_N: np.ndarray, *, change_db: float) -> np.ndarray:
    """Louder (or softer) by so many decibels, evenly over the clip."""
    return (samples_N * 10 ** (np.linspace(-change_db / 2, change_db / 2, samples_N.size) / 20)).astype(np.float32)
