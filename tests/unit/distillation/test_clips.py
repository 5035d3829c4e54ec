"""Clips of rows: read once, encoded in batches as if each were alone, silenced for the control."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from model.distillation.clips import Dataset, encode_rows
from model.learning.examples import training_row
from model.network.audio_lm import AudioLanguageModel
from tests.unit.learning.tiny import tiny_model, tiny_tokenizer

WriteClip = Callable[..., Path]
SECONDS = (0.9, 0.3, 26.0, 0.6)


@pytest.fixture
def dataset(tmp_path: Path, write_clip: WriteClip) -> Dataset:
    """Four clips of different length, the third of two chunks, and a row without sound between them."""
    rows: list[dict[str, object]] = [
        {"audio": write_clip(f"{i}.wav", seconds=seconds).name, "question": "q ?", "answer": "sad", "kind": str(i)}
        for i, seconds in enumerate(SECONDS)
    ]
    rows.insert(2, {"question": "t ?", "answer": "low", "kind": "text"})
    (tmp_path / "own.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return Dataset(tmp_path / "own.jsonl")


@torch.no_grad()
def test_each_clip_is_encoded_as_if_it_were_alone(dataset: Dataset) -> None:
    model: AudioLanguageModel = tiny_model()
    examples = encode_rows(model, dataset, dataset.rows)
    assert [one.kind for one in examples] == ["0", "1", "text", "2", "3"]
    assert [len(one.audio) for one in examples] == [1, 1, 0, 2, 1]
    for row, one in zip(dataset.rows, examples, strict=True):
        clip = dataset.clip(row)
        mels = clip.mels() if clip else []
        for mel_TM, frames_FE in zip(mels, one.audio, strict=True):
            torch.testing.assert_close(frames_FE, model.encode_audio([mel_TM])[0], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_token_counts_fit_the_network(dataset: Dataset) -> None:
    model, tokenizer = tiny_model(), tiny_tokenizer()
    for one in encode_rows(model, dataset, dataset.rows):
        row = training_row(tokenizer, one)
        assert model(torch.tensor([row.prompt_ids]), frames=row.frames).isfinite().all()


def test_silence_takes_the_place_of_sound_at_the_same_length(dataset: Dataset) -> None:
    model = tiny_model()
    heard, silent = (encode_rows(model, dataset, dataset.rows, silent=silent) for silent in (False, True))
    for loud, still in zip(heard, silent, strict=True):
        assert [frames.shape for frames in still.audio] == [frames.shape for frames in loud.audio]
        assert still.audio_tokens == loud.audio_tokens
        assert not any(torch.equal(a, b) for a, b in zip(loud.audio, still.audio, strict=True))
    still = dataset.clip(dataset.rows[0])
    assert still is not None
    assert not still.silenced().samples_N.any()


def test_a_clip_is_read_once_and_measured_once(dataset: Dataset, tmp_path: Path) -> None:
    row = dataset.rows[0]
    first = dataset.clip(row)
    assert first is not None
    (tmp_path / "0.wav").unlink()
    assert dataset.clip(row) is first
    assert first.descriptors is first.descriptors
    assert dataset.clip(dataset.rows[2]) is None
