"""The loop end to end over files, with a checkpoint of random weights: seconds, and every report."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file

from model.base.train import nano_tokenizer
from model.distillation.difficulty import DifficultyConfig
from model.distillation.filtering import FilterConfig
from model.distillation.keeping import NothingKeptError, require_kept
from model.distillation.rows import Row, read_rows, write_rows
from model.distillation.stages import (
    DistilConfig,
    EvalConfig,
    PrepareConfig,
    RlConfig,
    SftConfig,
    distil,
    evaluate,
    finetune,
    prepare,
    reinforce,
)
from model.learning.reinforcement import ReinforcementConfig
from model.network.checkpoint import load_checkpoint, save_checkpoint
from model.network.errors import CheckpointError
from tests.unit.learning.tiny import tiny_model

SIZES = PrepareConfig(seed=3, train_scenes=8, heldout_scenes=4, text_questions=6)
DISTIL = DistilConfig(questions=4, candidates=2, filter=FilterConfig(acoustic=False))
SFT = SftConfig(epochs=2, batch_size=4)
ANY_DIFFICULTY = DifficultyConfig(samples=2, least=0, most=2)
RL = RlConfig(
    steps=2,
    prompts_per_step=3,
    samples=2,
    difficulty=ANY_DIFFICULTY,
    update=ReinforcementConfig(epochs=1, minibatch_rows=4),
)


class Watched:
    """Keeps what a stage said."""

    def __init__(self) -> None:
        self.fractions: list[float] = []
        self.messages: list[str] = []

    def __call__(self, fraction: float, message: str, metrics: Mapping[str, float] | None = None, /) -> None:
        self.fractions.append(fraction)
        self.messages.append(message)

    @property
    def orderly(self) -> bool:
        return [0.0, *self.fractions, 1.0] == sorted([0.0, *self.fractions, 1.0])


class CancelledError(Exception):
    """What a caller raises to stop a stage."""


def cancel(_fraction: float, _message: str, _metrics: Mapping[str, float] | None = None, /) -> None:
    raise CancelledError


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(SIZES, tmp_path_factory.mktemp("run") / "data", Watched())


@pytest.fixture
def kept(data: Path, tmp_path: Path) -> Path:
    """What distil would have kept of a better model: chains on two clips, and text reasoning."""
    clips = [
        replace(
            row,
            audio=str((data / row.audio).resolve()),
            reasoning=f"the pitch rises . it gets louder . so the answer is {row.answer} .",
        )
        for row in read_rows(data / "train.jsonl")[:2]
        if row.audio is not None
    ]
    path = tmp_path / "kept.jsonl"
    write_rows(path, [*clips, *read_rows(data / "text.jsonl")])
    return path


def weights(checkpoint: Path) -> dict[str, object]:
    return load_file(checkpoint / "model.safetensors")


def changed_parts(before: Path, after: Path) -> set[str]:
    old, new = weights(before), weights(after)
    assert set(old) == set(new)
    return {name.split(".")[0] for name in old if not old[name].equal(new[name])}


def test_a_model_that_knows_nothing_keeps_nothing_and_fine_tuning_says_so(
    checkpoint: Path, data: Path, tmp_path: Path
) -> None:
    watched = Watched()
    report = distil(
        DISTIL, checkpoint=checkpoint, data=data / "train.jsonl", out=tmp_path / "distilled", progress=watched
    )
    assert watched.orderly
    assert report.metrics["kept"] == 0
    assert report.metrics["text_chains"] == 6
    reasons = report.details["reasons"]
    assert sum(reasons.values()) == report.metrics["candidates"] == 2 * report.metrics["selected"]
    rejected = [json.loads(line) for line in (tmp_path / "distilled" / "rejected.jsonl").read_text().splitlines()]
    assert len(rejected) == report.metrics["candidates"]
    assert all(row["reason"] in reasons for row in rejected)
    assert json.loads((tmp_path / "distilled" / "report.json").read_text()) == report.to_dict()
    with pytest.raises(NothingKeptError, match=r"none of \d+ chains was kept: ") as refused:
        require_kept(report.to_dict())
    assert str(sum(reasons.values())) in str(refused.value)
    with pytest.raises(NothingKeptError, match=r"kept\.jsonl holds no acoustic chain; draw more"):
        finetune(
            SFT,
            checkpoint=checkpoint,
            data=tmp_path / "distilled" / "kept.jsonl",
            out=tmp_path / "tuned",
            progress=Watched(),
        )
    assert not (tmp_path / "tuned").exists()


def test_a_model_that_argues_keeps_chains_and_learns_from_them(checkpoint: Path, data: Path, tmp_path: Path) -> None:
    lessons = [
        replace(
            row, audio=str((data / row.audio).resolve()), reasoning=f"we hear it well . so the answer is {row.answer} ."
        )
        for row in read_rows(data / "train.jsonl")
        if row.audio is not None
    ]
    write_rows(tmp_path / "lessons.jsonl", lessons)
    by_heart = SftConfig(epochs=60, batch_size=8, learning_rate=1e-2, direct_share=0)
    taught = tmp_path / "taught"
    finetune(by_heart, checkpoint=checkpoint, data=tmp_path / "lessons.jsonl", out=taught, progress=Watched())

    config = replace(DISTIL, candidates=6, kept_per_question=2)
    out = tmp_path / "distilled"
    report = distil(config, checkpoint=taught, data=data / "train.jsonl", out=out, progress=Watched())
    chains = [row for row in read_rows(out / "kept.jsonl") if row.audio is not None]
    assert report.metrics["kept"] == len(chains) > 0
    assert report.metrics["kept_questions"] == len({row.id for row in chains})
    assert all(row.reasoning.endswith(f"so the answer is {row.answer} .") for row in chains)
    assert max(Counter(row.id for row in chains).values()) <= 2
    assert len({(row.id, row.reasoning) for row in chains}) == len(chains)
    assert all((out / str(row.audio)).is_file() for row in chains)
    again = finetune(SFT, checkpoint=taught, data=out / "kept.jsonl", out=tmp_path / "tuned", progress=Watched())
    assert again.metrics["skipped_steps"] == 0


def test_fine_tuning_learns_and_leaves_the_encoder(checkpoint: Path, kept: Path, tmp_path: Path) -> None:
    watched = Watched()
    report = finetune(SFT, checkpoint=checkpoint, data=kept, out=tmp_path / "tuned", progress=watched)
    assert watched.orderly
    assert watched.fractions[-1] == 1
    assert report.metrics["rows"] == 8 + 1
    assert report.metrics["steps"] == len(report.details["curve"]) == 2 * 3
    assert report.metrics["last_loss"] < report.metrics["first_loss"]
    assert changed_parts(checkpoint, tmp_path / "tuned") == {"adaptor", "language_model"}


def test_fine_tuning_twice_gives_the_same_weights(checkpoint: Path, kept: Path, tmp_path: Path) -> None:
    first, again = (
        finetune(SFT, checkpoint=checkpoint, data=kept, out=tmp_path / name, progress=Watched())
        for name in ("one", "two")
    )
    assert first == again
    assert changed_parts(tmp_path / "one", tmp_path / "two") == set()


def test_reinforcement_draws_text_and_sound_and_leaves_the_encoder(
    checkpoint: Path, data: Path, tmp_path: Path
) -> None:
    watched = Watched()
    report = reinforce(RL, checkpoint=checkpoint, data=data / "rl.jsonl", out=tmp_path / "rl", progress=watched)
    assert watched.orderly
    assert (report.metrics["prompts_audio"], report.metrics["prompts_text"]) == (4, 6)
    assert report.metrics["steps"] == len(report.details["curve"]) == 2
    assert {"reward", "accuracy_audio", "accuracy_text", "entropy"} <= set(report.details["curve"][0])
    assert sum(report.details["difficulty"]["audio"].values()) == 4
    assert changed_parts(checkpoint, tmp_path / "rl") <= {"adaptor", "language_model"}
    json.dumps(report.to_dict())


def test_without_a_question_of_middling_difficulty_nothing_is_trained(
    checkpoint: Path, data: Path, tmp_path: Path
) -> None:
    config = replace(RL, difficulty=DifficultyConfig(samples=2, least=2, most=2))
    report = reinforce(config, checkpoint=checkpoint, data=data / "rl.jsonl", out=tmp_path / "rl", progress=Watched())
    assert (report.metrics["prompts_audio"], report.metrics["prompts_text"], report.metrics["steps"]) == (0, 0, 0)
    assert changed_parts(checkpoint, tmp_path / "rl") == set()


def test_evaluation_reports_every_condition(checkpoint: Path, data: Path, tmp_path: Path) -> None:
    config = EvalConfig(max_new_tokens=10)
    report = evaluate(
        config, checkpoint=checkpoint, data=data / "heldout.jsonl", out=tmp_path / "report", progress=Watched()
    )
    assert {"accuracy_think", "accuracy_direct", "accuracy_silent", "accuracy_text", "claims_supported"} <= set(
        report.metrics
    )
    assert sum(group["questions"] for group in report.details["by_kind_think"].values()) == 4
    assert [sample["question"] for sample in report.details["samples"]] == [
        row.question for row in read_rows(data / "heldout.jsonl")
    ]
    assert json.loads((tmp_path / "report" / "report.json").read_text()) == report.to_dict()


def test_a_written_checkpoint_goes_on_to_the_next_stage(checkpoint: Path, kept: Path, tmp_path: Path) -> None:
    finetune(SFT, checkpoint=checkpoint, data=kept, out=tmp_path / "tuned", progress=Watched())
    loaded = load_checkpoint(tmp_path / "tuned")
    assert loaded.tokenizer.get_vocab() == nano_tokenizer().get_vocab()
    assert not loaded.model.training


@pytest.mark.parametrize("stage", ["distil", "finetune", "reinforce", "evaluate"])
def test_a_cancelled_stage_stops_and_leaves_no_checkpoint(
    checkpoint: Path, data: Path, kept: Path, tmp_path: Path, stage: str
) -> None:
    run: dict[str, Callable[[], object]] = {
        "distil": lambda: distil(
            DISTIL, checkpoint=checkpoint, data=data / "train.jsonl", out=tmp_path / "out", progress=cancel
        ),
        "finetune": lambda: finetune(SFT, checkpoint=checkpoint, data=kept, out=tmp_path / "out", progress=cancel),
        "reinforce": lambda: reinforce(
            RL, checkpoint=checkpoint, data=data / "rl.jsonl", out=tmp_path / "out", progress=cancel
        ),
        "evaluate": lambda: evaluate(
            EvalConfig(), checkpoint=checkpoint, data=data / "heldout.jsonl", out=tmp_path / "out", progress=cancel
        ),
    }
    with pytest.raises(CancelledError):
        run[stage]()
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_of_another_front_end_is_refused(data: Path, tmp_path: Path) -> None:
    tokenizer = nano_tokenizer()
    model = tiny_model(tokenizer=tokenizer)
    old = save_checkpoint(tmp_path / "old", model, tokenizer, front_end_version="logmel-8k/0")
    with pytest.raises(CheckpointError, match="logmel-8k/0"):
        evaluate(EvalConfig(), checkpoint=old, data=data / "heldout.jsonl", out=tmp_path / "out", progress=Watched())


def test_rows_without_sound_cannot_be_distilled_from(checkpoint: Path, tmp_path: Path) -> None:
    write_rows(tmp_path / "train.jsonl", [Row("how much is 1 + 1 ?", "2", reasoning="so the answer is 2 .")])
    report = distil(
        DISTIL, checkpoint=checkpoint, data=tmp_path / "train.jsonl", out=tmp_path / "out", progress=Watched()
    )
    assert (report.metrics["selected"], report.metrics["kept"]) == (0, 0)
