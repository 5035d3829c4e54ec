"""The bank: every clip the world is made of, decoded once into memory.

Promises: `Bank.load` in under two seconds, cached per folder; clips as float32 at 16 kHz.
Leaves to others: how the bank was made (`tools/build_bank.py`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from model.worlds.lexicon import WORLD_VERSION

RATE_HZ = 16_000
Samples = NDArray[np.float32]
Pcm = NDArray[np.int16]
DEFAULT_FOLDER = Path(__file__).parents[2] / "assets" / "bank"
KINDS = ("speech", "note", "event")
NOISE_S = 8


class BankError(ValueError):
    """The bank is missing or does not belong to this world."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, eq=False)
class Bank:
    """Clips by name, what is known about each, and two rolls of noise of unit power."""

    pcm: dict[str, Pcm]
    facts: dict[str, dict[str, Any]]
    noise: dict[str, Samples]

    @staticmethod
    def load(path: Path | None = None) -> Bank:
        return _load((path or DEFAULT_FOLDER).resolve())

    def clip(self, name: str) -> Samples:
        """float32 samples of one clip."""
        if name not in self.pcm:
            raise BankError("UNKNOWN_CLIP", f"no clip {name!r} in the bank: rebuild it")
        return self.pcm[name].astype(np.float32) * np.float32(1 / 32768)


@lru_cache(maxsize=2)
def _load(folder: Path) -> Bank:
    index_path = folder / "index.json"
    if not index_path.exists():
        raise BankError("NO_BANK", f"{index_path} does not exist: check the path, or run tools.build_bank")
    index = json.loads(index_path.read_text(encoding="utf-8"))
    if index["world"] != WORLD_VERSION:
        raise BankError(
            "WRONG_WORLD",
            f"bank is of {index['world']!r}, this code of {WORLD_VERSION!r}: rebuild the bank",
        )
    sound = {kind: _decoded(folder / f"{kind}.flac") for kind in KINDS}
    pcm = {row["name"]: sound[row["kind"]][row["start"] : row["start"] + row["count"]] for row in index["clips"]}
    return Bank(pcm, {row["name"]: row for row in index["clips"]}, _noise())


def _decoded(path: Path) -> Pcm:
    pcm_N, rate_hz = soundfile.read(path, dtype="int16")
    if rate_hz != RATE_HZ:
        raise BankError("WRONG_RATE", f"{path.name} is at {rate_hz} Hz, not 16000: rebuild it")
    return np.asarray(pcm_N, dtype=np.int16)


def _noise() -> dict[str, Samples]:
    """White noise, and the same with power falling 3 dB an octave (pink)."""
    white_N = np.random.default_rng(0).standard_normal(NOISE_S * RATE_HZ)
    bins = np.fft.rfft(white_N)
    pink_N = np.fft.irfft(bins / np.sqrt(np.maximum(np.arange(len(bins)), 20)))
    return {
        "white": white_N.astype(np.float32),
        "pink": (pink_N / pink_N.std()).astype(np.float32),
    }
