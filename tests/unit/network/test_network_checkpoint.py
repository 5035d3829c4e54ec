"""Checkpoints come back as they were, and nothing wrong or unsafe is loaded."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import PreTrainedTokenizerFast

from model.network.audio_lm import AudioLanguageModel
from model.network.checkpoint import load_checkpoint, save_checkpoint
from model.network.errors import CheckpointError

FRONT_END = "logmel-test/1"


@pytest.fixture
def folder(model: AudioLanguageModel, tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> Path:
    return save_checkpoint(tmp_path / "checkpoint", model, tokenizer, front_end_version=FRONT_END)


def test_a_checkpoint_comes_back_as_it_was(folder: Path, model: AudioLanguageModel) -> None:
    loaded = load_checkpoint(folder)
    ids = torch.arange(20).remainder(4)[None] + 100
    assert torch.equal(loaded.model(ids), model(ids))
    assert (loaded.front_end_version, loaded.model.training) == (FRONT_END, False)
    assert loaded.tokenizer.decode(loaded.tokenizer.encode("the voice")) == "the voice"


def test_a_loaded_model_learns_and_stays_tied(folder: Path) -> None:
    language_model = load_checkpoint(folder).model.language_model
    assert language_model.lm_head.weight is language_model.model.embed_tokens.weight
    assert all(parameter.requires_grad for parameter in language_model.parameters())


def test_transformers_own_door_leads_to_the_same_loader(folder: Path) -> None:
    assert isinstance(AudioLanguageModel.from_pretrained(folder), AudioLanguageModel)


def test_saving_again_replaces_the_whole_folder(
    folder: Path, model: AudioLanguageModel, tokenizer: PreTrainedTokenizerFast
) -> None:
    (folder / "left-over.json").write_text("{}")
    save_checkpoint(folder, model, tokenizer, front_end_version="other/1")
    assert not (folder / "left-over.json").exists()
    assert load_checkpoint(folder).front_end_version == "other/1"
    assert [path.name for path in folder.parent.iterdir()] == ["checkpoint"]


def test_weights_that_are_not_finite_are_not_written(
    model: AudioLanguageModel, tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    with torch.no_grad():
        model.adaptor.linear1.bias[0] = float("nan")
    with pytest.raises(CheckpointError, match="linear1"):
        save_checkpoint(tmp_path / "bad", model, tokenizer, front_end_version=FRONT_END)
    assert list(tmp_path.iterdir()) == []


def rewrite_weights(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        change(weights)
        save_file(weights, folder / "model.safetensors")

    return damage


def rewrite_config(**changes: object) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        fields = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**fields, **changes}))

    return damage


BIAS = "adaptor.linear1.bias"
DAMAGES: list[tuple[str, Callable[[Path], object]]] = [
    ("PICKLE", lambda folder: (folder / "pytorch_model.bin").write_bytes(b"\x80")),
    ("BAD_CONFIG", lambda folder: (folder / "config.json").write_text("{")),
    ("FOREIGN_MODEL", rewrite_config(model_type="llama")),
    ("NO_FRONT_END", rewrite_config(front_end_version=None)),
    ("BAD_WEIGHTS", lambda folder: (folder / "model.safetensors").write_bytes(b"\xff" * 64)),
    ("BAD_WEIGHTS", lambda folder: (folder / "model.safetensors").unlink()),
    ("WRONG_KEYS", rewrite_weights(lambda weights: weights.pop(BIAS))),
    ("WRONG_KEYS", rewrite_weights(lambda weights: weights.update(surplus=torch.zeros(1)))),
    ("WRONG_SHAPE", rewrite_weights(lambda weights: weights.update({BIAS: torch.zeros(3)}))),
    ("WRONG_DTYPE", rewrite_weights(lambda weights: weights.update({BIAS: torch.zeros(256, dtype=torch.int64)}))),
    ("NOT_FINITE", rewrite_weights(lambda weights: weights[BIAS].fill_(float("inf")))),
    ("BAD_TOKENIZER", lambda folder: (folder / "tokenizer.json").unlink()),
    ("BAD_TOKENIZER", lambda folder: (folder / "tokenizer.json").write_text("{}")),
    ("BAD_TOKENIZER", rewrite_config(audio_patch_token_id=7)),
]


@pytest.mark.parametrize(("reason", "damage"), DAMAGES)
def test_what_is_wrong_is_refused_with_its_reason(folder: Path, reason: str, damage: Callable[[Path], object]) -> None:
    damage(folder)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(folder)
    assert caught.value.reason == reason


def test_another_front_end_is_refused(folder: Path) -> None:
    assert load_checkpoint(folder, front_end_version=FRONT_END).front_end_version == FRONT_END
    with pytest.raises(CheckpointError, match="logmel-test/1"):
        load_checkpoint(folder, front_end_version="logmel-test/2")


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(tmp_path / "nowhere")
    assert caught.value.reason == "NO_CHECKPOINT"
