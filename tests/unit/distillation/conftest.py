"""Fixtures of the distillation tests: clips on disk, and a checkpoint with random weights."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from model.acoustics.frontend import FRONT_END_VERSION, RATE_HZ
from model.base.train import nano_tokenizer
from model.network.checkpoint import save_checkpoint
from tests.unit.learning.cores import one_core
from tests.unit.learning.tiny import tiny_model

__all__ = ["one_core"]

WriteClip = Callable[..., Path]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tokenizer = nano_tokenizer()
    folder = tmp_path_factory.mktemp("base") / "checkpoint"
    return save_checkpoint(folder, tiny_model(tokenizer=tokenizer), tokenizer, front_end_version=FRONT_END_VERSION)


@pytest.fixture
def write_clip(tmp_path: Path) -> WriteClip:
    """Writes a rising or falling tone of its own length and pitch, as WAV, below the test's folder."""

    def write(name: str, *, seconds: float = 0.5, start_hz: float = 200, end_hz: float = 300) -> Path:
        count = round(seconds * RATE_HZ)
        phase_N = 2 * np.pi * np.cumsum(np.geomspace(start_hz, end_hz, count)) / RATE_HZ
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, (0.3 * np.sin(phase_N)).astype(np.float32), RATE_HZ, subtype="PCM_16")
        return path

    return write
