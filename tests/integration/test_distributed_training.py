"""Reinforcement in two processes under ZeRO 3, one of which is killed: the torch trainer's curve, and nothing lost."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from safetensors.torch import load_file

from model.acoustics.frontend import FRONT_END_VERSION
from model.base.train import nano_tokenizer
from model.distillation.stage_prepare import PrepareConfig, prepare
from model.network.checkpoint import load_checkpoint, save_checkpoint
from pipelines.launch.job import InProcess, TrainingFailedError, TrainingJob
from pipelines.launch.torchrun import Torchrun
from tests.unit.learning.tiny import tiny_model

pytestmark = pytest.mark.timeout(600)


class Deadly:
    """A progress callback that kills one of the training processes as soon as a step is done."""

    killed = False

    def __call__(self, _fraction: float, _message: str, metrics: Mapping[str, float] | None = None, /) -> None:
        if metrics and not self.killed:
            workers = [p for p in psutil.Process().children(recursive=True) if "worker" in " ".join(p.cmdline())]
            workers[-1].kill()
            self.killed = True


def silent(*_: object) -> None:
    """A progress callback that hears nothing."""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("inputs")
    tokenizer = nano_tokenizer()
    checkpoint = save_checkpoint(
        folder / "base", tiny_model(tokenizer=tokenizer), tokenizer, front_end_version=FRONT_END_VERSION
    )
    prepare(PrepareConfig(seed=3, train_scenes=8, heldout_scenes=4, text_questions=6), folder / "data", silent)
    return {"checkpoint": str(checkpoint), "data": str(folder / "data" / "rl.jsonl")}


def job(inputs: dict[str, str], place: Path, trainer: str) -> TrainingJob:
    settings: dict[str, Any] = {"steps": 3, "prompts_per_step": 3, "samples": 2, "resume_every": 1, "trainer": trainer}
    return TrainingJob(
        stages="tests.support.tiny_training",
        stage="reinforce",
        config="RlConfig",
        settings=settings,
        **inputs,
        out=str(place / "out"),
        work=str(place / "work"),
    )


def weights(place: Path) -> dict[str, torch.Tensor]:
    return load_file(place / "out" / "model.safetensors")


def test_two_processes_end_where_one_does_and_a_death_among_them_changes_nothing(
    inputs: dict[str, str], tmp_path: Path
) -> None:
    places = {name: tmp_path / name for name in ("torch", "straight", "killed")}
    alone = InProcess().train(job(inputs, places["torch"], "torch"), processes=1, progress=silent)
    zero = {name: job(inputs, places[name], "deepspeed-zero3") for name in ("straight", "killed")}
    straight = Torchrun().train(zero["straight"], processes=2, progress=silent)
    deadly = Deadly()
    with contextlib.suppress(TrainingFailedError):
        Torchrun().train(zero["killed"], processes=2, progress=deadly)
    assert deadly.killed
    assert not (places["killed"] / "out").exists()
    resumed = Torchrun().train(zero["killed"], processes=2, progress=silent)

    assert resumed == straight
    ends = {name: weights(place) for name, place in places.items()}
    assert all(torch.equal(ends["killed"][name], tensor) for name, tensor in ends["straight"].items())
    assert len(straight["details"]["curve"]) == 3
    for step, other in zip(straight["details"]["curve"], alone["details"]["curve"], strict=True):
        assert step == pytest.approx(other, abs=1e-4)
    for name, tensor in ends["torch"].items():
        torch.testing.assert_close(ends["straight"][name], tensor, atol=1e-4, rtol=1e-3)
    load_checkpoint(places["straight"] / "out")
