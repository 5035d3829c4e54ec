"""Training the base: a killed run goes on to the same curve; the digest of inputs tells when it is stale."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from model.base import train
from model.base.inputs import inputs_digest
from model.base.train import BaseConfig, nano_tokenizer, train_base
from model.network.template import encode_plain
from model.worlds import vocabulary
from tests.unit.learning.tiny import tiny_config

CONFIG = BaseConfig(seed=5, encoder_steps=3, steps=12, batch_size=1, scenes=3, warmup_steps=2, save_every=8)


class KilledError(BaseException):
    """Stands for a kill signal: nothing in the training may catch it."""


def curve(work: Path) -> dict[int, float]:
    """Loss by step; a step that was made twice counts as it was made last."""
    return {row["step"]: row["loss"] for row in map(json.loads, (work / "curve.jsonl").read_text().splitlines())}


def test_a_killed_run_goes_on_to_the_same_curve_and_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "nano", tiny_config)
    straight, _ = train_base(CONFIG, tmp_path / "straight")

    losses, loss_of = 0, train.sft_loss

    def killed(*args: object) -> Tensor:
        nonlocal losses
        losses += 1
        if losses == 11:
            raise KilledError
        return loss_of(*args)

    with monkeypatch.context() as patched, pytest.raises(KilledError):
        patched.setattr(train, "sft_loss", killed)
        train_base(CONFIG, tmp_path / "killed")
    torch.manual_seed(99)
    resumed, _ = train_base(CONFIG, tmp_path / "killed")

    assert curve(tmp_path / "killed") == curve(tmp_path / "straight")
    assert list(curve(tmp_path / "straight")) == list(range(1, 13))
    weights = resumed.state_dict()
    assert all(torch.equal(weight, weights[name]) for name, weight in straight.state_dict().items())
    assert not resumed.training


def test_a_word_of_the_world_is_one_token() -> None:
    tokenizer = nano_tokenizer()
    words = [word for word in vocabulary() if not word.isdigit()]
    assert len(words) > 100
    assert [word for word in words if len(encode_plain(tokenizer, word)) != 1] == []


def test_the_digest_of_inputs_repeats_and_follows_the_settings() -> None:
    digest = inputs_digest(CONFIG)
    assert digest == inputs_digest(CONFIG)
    assert digest.startswith("sha256:")
    changed = [
        replace(CONFIG, seed=6),
        replace(CONFIG, steps=13),
        replace(CONFIG, mixture=replace(CONFIG.mixture, caption=0.2)),
    ]
    assert len({digest, *map(inputs_digest, changed)}) == 4
