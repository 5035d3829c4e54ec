"""Clips of rows, read once: decoded, measured when asked, encoded by the frozen encoder.

The encoder never changes after the base, so a clip's frames are computed once a stage.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.acoustics.decoding import decode
from model.acoustics.descriptors.describe import describe
from model.acoustics.descriptors.values import Descriptors
from model.acoustics.errors import AudioError
from model.acoustics.frontend import RATE_HZ, chunks, log_mel
from model.distillation.rows import DataError, Row, audio_path, read_numbered
from model.learning.examples import Example
from model.network.audio_lm import AudioLanguageModel
from model.network.lengths import adaptor_token_count

MAX_CLIP_S = 120.0
"""A longer clip would leave no room for question and reasoning in the shipped model's context."""
_ENCODER_BATCH = 32


class Clip:
    """Decoded sound with its measurements."""

    def __init__(self, samples_N: NDArray[np.float32]) -> None:
        self.samples_N = samples_N

    @cached_property
    def descriptors(self) -> Descriptors:
        """Measured at first use."""
        return describe(self.samples_N)

    def mels(self) -> list[Tensor]:
        """`mel_TM` of each chunk."""
        return [torch.from_numpy(log_mel(chunk)) for chunk in chunks(self.samples_N)]

    def silenced(self) -> "Clip":
        """As long, without sound: the control."""
        return Clip(np.zeros_like(self.samples_N))


class Dataset:
    """Rows of one file with their clips."""

    def __init__(self, path: Path) -> None:
        self.path = path
        numbered = read_numbered(path)
        self.rows = list(numbered.values())
        self._lines = {row: number for number, row in numbered.items()}
        self._clips: dict[str, Clip] = {}

    def clip(self, row: Row) -> Clip | None:
        """The row's clip, decoded at first use."""
        where = audio_path(self.path, row)
        if where is None:
            return None
        key = str(where)
        if key not in self._clips:
            self._clips[key] = _decoded(self.path, self._lines[row], where)
        return self._clips[key]


def encode_rows(
    model: AudioLanguageModel, dataset: Dataset, rows: Sequence[Row], *, silent: bool = False
) -> list[Example]:
    """Examples of rows with their clips' encoder frames; `silent` puts silence in their place."""
    clips = [dataset.clip(row) for row in rows]
    mels = [_mels(clip, silent=silent) for clip in clips]
    flat = [mel for chunk_mels in mels for mel in chunk_mels]
    frames = iter(encode_mels(model, flat))
    return [
        example_of(row, tuple(next(frames) for _ in chunk_mels)) for row, chunk_mels in zip(rows, mels, strict=True)
    ]


def encode_file(model: AudioLanguageModel, path: Path) -> list[Example]:
    """Examples of every row of a file, with their clips' encoder frames; DataError where a row or clip is bad."""
    dataset = Dataset(path)
    return encode_rows(model, dataset, dataset.rows)


def _mels(clip: Clip | None, *, silent: bool) -> list[Tensor]:
    if clip is None:
        return []
    return clip.silenced().mels() if silent else clip.mels()


@torch.no_grad()
def encode_mels(model: AudioLanguageModel, mels: Sequence[Tensor]) -> list[Tensor]:
    """Encoder frames of each, in order; batched by like length."""
    order = sorted(range(len(mels)), key=lambda i: len(mels[i]))
    encoded: list[Tensor] = [torch.empty(0)] * len(mels)
    for start in range(0, len(order), _ENCODER_BATCH):
        near = order[start : start + _ENCODER_BATCH]
        for i, frames_FE in zip(near, model.encode_audio([mels[i] for i in near]), strict=True):
            encoded[i] = frames_FE
    return encoded


def example_of(row: Row, frames: tuple[Tensor, ...]) -> Example:
    """A row as the model meets it, with its clip's encoder frames, if it has a clip."""
    bare = Example(
        id=row.id,
        question=row.question,
        answer=row.answer,
        choices=row.choices,
        reasoning=row.reasoning,
        kind=row.kind,
        depth=row.depth,
        contradictory=row.contradictory,
    )
    return replace(bare, audio=frames, audio_tokens=tuple(adaptor_token_count(len(f)) for f in frames))


def _decoded(path: Path, line: int, where: Path) -> Clip:
    try:
        sound = decode(where.read_bytes(), max_duration_s=MAX_CLIP_S)
    except AudioError as error:
        raise DataError(path, line, f"audio {where.name}: {error}") from error
    if len(sound.samples_N) < RATE_HZ // 10:
        raise DataError(path, line, f"audio {where.name} is shorter than 0.1 s; give a longer clip")
    return Clip(sound.samples_N)
