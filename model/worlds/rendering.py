"""From a scene to sound.

Promises: the same scene and bank give the same samples to the bit; float32 mono at 16 kHz within
±1; well over 50 times faster than real time. Leaves to others: what is in the scene.
"""

from __future__ import annotations

import numpy as np

from model.worlds.bank import RATE_HZ, Bank, Samples
from model.worlds.lexicon import TREND_DB
from model.worlds.scenes import Note, Part, Room, Scene

BANK_LEVEL_DBFS = -23.0
RELEASE_S = 0.03
ECHO_TAPS, ECHO_S, ECHO_DECAY_S, ECHO_GAIN = 14, 0.16, 0.05, 0.18
LIMIT = 0.98


def render(scene: Scene, bank: Bank) -> Samples:
    """samples_N of the scene."""
    samples_N = np.zeros(round(scene.duration_s * RATE_HZ), dtype=np.float32)
    for part in scene.parts:
        _place(samples_N, part, bank)
    if scene.trend != "even":
        _ramp(samples_N, scene)
    if scene.room.echo_seed is not None:
        samples_N = _echoed(samples_N, scene.room.echo_seed)
    if scene.room.noise_db is not None:
        samples_N += _noise(scene.room, len(samples_N), bank)
    samples_N *= np.float32(_factor(scene.gain_db))
    return np.clip(samples_N, -LIMIT, LIMIT, out=samples_N)


def _factor(db: float) -> float:
    return float(10 ** (db / 20))


def _place(samples_N: Samples, part: Part, bank: Bank) -> None:
    sound_N = bank.clip(part.clip)
    if isinstance(part, Note):
        sound_N = sound_N[: round(part.length_s * RATE_HZ)]
        release = int(RELEASE_S * RATE_HZ)
        sound_N[-release:] *= np.linspace(1, 0, release, dtype=np.float32)
    start = round(part.start_s * RATE_HZ)
    room = samples_N[start : start + len(sound_N)]
    room += sound_N[: len(room)] * np.float32(_factor(part.gain_db))


def _ramp(samples_N: Samples, scene: Scene) -> None:
    """A loudness trend, linear in dB, over the span that sounds."""
    start = round(scene.parts[0].start_s * RATE_HZ)
    stop = round((scene.parts[-1].start_s + scene.parts[-1].length_s) * RATE_HZ)
    sounding = samples_N[start:stop]
    half = TREND_DB[scene.trend] / 2
    sounding *= np.float32(10) ** np.linspace(-half / 20, half / 20, len(sounding), dtype=np.float32)


def _echoed(samples_N: Samples, seed: int) -> Samples:
    """Sparse exponentially decaying echoes: a small, slightly hard room."""
    rng = np.random.default_rng(seed)
    delays = rng.integers(RATE_HZ // 100, int(ECHO_S * RATE_HZ), ECHO_TAPS)
    signs = rng.choice((-1.0, 1.0), ECHO_TAPS)
    heard_N = samples_N.copy()
    for delay, sign in zip(delays, signs, strict=True):
        gain = np.float32(sign * ECHO_GAIN * np.exp(-delay / (ECHO_DECAY_S * RATE_HZ)))
        heard_N[delay:] += gain * samples_N[:-delay]
    return heard_N


def _noise(room: Room, count: int, bank: Bank) -> Samples:
    roll_N = bank.noise[room.noise_colour]
    start = room.noise_start % (len(roll_N) - count)
    level = np.float32(_factor(BANK_LEVEL_DBFS - (room.noise_db or 0.0)))
    return roll_N[start : start + count] * level
