"""A stand-in for `model.distillation.stages`: writes the files and figures of each stage in no time at all.

`MGRD_FAKE_KEEPS_NOTHING` makes distillation keep no chain. `MGRD_FAKE_FAIL=STAGE` makes that stage fail while the file
named by `MGRD_FAKE_FAIL_ONCE` does not exist (it is made by the failure); `MGRD_FAKE_CALLS` names a file that lists the
stages that ran; `MGRD_FAKE_HOLD` one that they wait for.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class PrepareConfig:
    seed: int = 1
    train_scenes: int = 8
    heldout_scenes: int = 8
    data: str = ""


@dataclass(frozen=True)
class DistilConfig:
    seed: int = 1
    questions: int = 4
    candidates: int = 2


@dataclass(frozen=True)
class SftConfig:
    seed: int = 1
    epochs: int = 1
    learning_rate: float = 1e-3
    trainer: str = "torch"


@dataclass(frozen=True)
class RlConfig:
    seed: int = 1
    steps: int = 1
    prompts_per_step: int = 1
    samples: int = 2
    learning_rate: float = 1e-3
    algorithm: str = "ppo"
    trainer: str = "torch"


@dataclass(frozen=True)
class EvalConfig:
    seed: int = 1


@dataclass(frozen=True)
class ColdStartConfig:
    seed: int = 1
    epochs: int = 1


@dataclass(frozen=True)
class AlignConfig:
    seed: int = 1
    pairs: int = 8


@dataclass(frozen=True)
class GainConfig:
    seed: int = 1
    min_gain: float = 0.0


@dataclass(frozen=True)
class Report:
    metrics: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class DataError(ValueError):
    """A row of own data is wrong."""


def prepare(config: PrepareConfig, out: Path, progress: Callable[..., None]) -> Path:
    _called("prepare", progress)
    if config.data and not Path(config.data).read_text().startswith("{"):
        raise DataError(f"{config.data}:1: this row is not JSON")
    out.mkdir(parents=True, exist_ok=True)
    (out / "clip.wav").write_bytes(b"RIFF")
    row = {"audio": "clip.wav", "question": "what is it ?", "answer": "a bell", "choices": ["a bell", "a dog"]}
    for name in ("train", "rl", "heldout", "dev", "text", "probes"):
        (out / f"{name}.jsonl").write_text(json.dumps({**row, "seed": config.seed}) + "\n")
    return out


def distil(
    config: DistilConfig,
    *,
    checkpoint: Path,
    data: Path,
    out: Path,
    progress: Callable[..., None],
    work: Path,
    judge: object,
) -> Report:
    _called("distil", progress)
    (out / "kept.jsonl").write_text(data.read_text())
    if os.environ.get("MGRD_FAKE_KEEPS_NOTHING"):
        return Report({"kept": 0.0, "candidates": 8.0, "selected": 4.0})
    return Report({"kept": float(config.candidates)})


def finetune(
    config: SftConfig, *, checkpoint: Path, data: Path, out: Path, progress: Callable[..., None], work: Path
) -> Report:
    _called("finetune", progress)
    return _train(checkpoint, out, f"finetuned {config.epochs}", work)


def reinforce(
    config: RlConfig, *, checkpoint: Path, data: Path, out: Path, progress: Callable[..., None], work: Path
) -> Report:
    _called("reinforce", progress)
    return _train(checkpoint, out, f"reinforced {config.steps}", work)


def cold_start(
    config: ColdStartConfig, *, checkpoint: Path, data: Path, out: Path, progress: Callable[..., None], work: Path
) -> Report:
    _called("cold_start", progress)
    return _train(checkpoint, out, f"grounded {config.epochs}", work)


def reinforce_text(
    config: RlConfig, *, checkpoint: Path, data: Path, out: Path, progress: Callable[..., None], work: Path
) -> Report:
    _called("reinforce_text", progress)
    return _train(checkpoint, out, f"reasoned {config.steps}", work)


def align(
    config: AlignConfig, *, checkpoint: Path, data: Path, out: Path, progress: Callable[..., None], work: Path
) -> Report:
    _called("align", progress)
    return _train(checkpoint, out, f"aligned {config.pairs}", work)


def measure_gain(config: GainConfig, *, before: Path, after: Path, data: Path, progress: Callable[..., None]) -> Report:
    """A tenth for each stage that lies between them."""
    _called("measure_gain", progress)
    stages = [len((folder / "model.safetensors").read_text().splitlines()) for folder in (before, after)]
    gain = 0.1 * (stages[1] - stages[0])
    return Report({"gain": gain, "goes_on": float(gain > config.min_gain)})


def evaluate(config: EvalConfig, *, checkpoint: Path, data: Path, out: Path, progress: Callable[..., None]) -> Report:
    _called("evaluate", progress)
    stages = len((checkpoint / "model.safetensors").read_text().splitlines())
    return Report({"accuracy": 0.5 + 0.1 * stages, "claims_supported": 0.9})


def _train(checkpoint: Path, out: Path, what: str, work: Path) -> Report:
    work.mkdir(parents=True, exist_ok=True)
    (work / "point").write_text(what)
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text((checkpoint / "config.json").read_text())
    (out / "model.safetensors").write_text((checkpoint / "model.safetensors").read_text() + what + "\n")
    return Report({"loss": 0.5})


def _called(stage: str, progress: Callable[..., None]) -> None:
    if calls := os.environ.get("MGRD_FAKE_CALLS"):
        with Path(calls).open("a") as file:
            file.write(stage + "\n")
    if os.environ.get("MGRD_FAKE_FAIL") == stage and not Path(once := os.environ["MGRD_FAKE_FAIL_ONCE"]).exists():
        Path(once).touch()
        raise RuntimeError(f"{stage} was told to fail")
    if (hold := os.environ.get("MGRD_FAKE_HOLD")) and stage == "finetune":
        _wait_for(Path(hold), progress)
    progress(0.5, f"{stage} is half done", {})


def _wait_for(path: Path, progress: Callable[..., None]) -> None:
    while not path.exists():
        progress(0.25, "holding", {})
        time.sleep(0.05)
