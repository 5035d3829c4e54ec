"""The loop of supervised fine-tuning that its stages share: rows in, a curve and changed weights out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import torch

from model.distillation.progress import Progress, StageReport
from model.distillation.resuming import Curve, ResumePoints
from model.distillation.workbench import Workbench
from model.learning.batching import TokenSequence
from model.learning.sft import SftStep, finetune_steps
from model.learning.trainer import OptimiserConfig
from model.learning.trainer_names import TORCH
from model.learning.trainers import make_trainer


@dataclass(frozen=True)
class LearnConfig:
    """Sizes that every stage of fine-tuning has."""

    seed: int = 1
    epochs: int = 3
    batch_size: int = 32
    learning_rate: float = 5e-4
    trainer: str = TORCH
    """torch, or deepspeed-zero1, -zero2 or -zero3, which several processes may share."""
    resume_every: int = 25
    """Steps between two resume points."""


def stride(share: float, *, among: int) -> int:
    """The step between places that picks this share of so many, past all of them where the share is 0."""
    if not 0 <= share <= 1:
        raise ValueError(f"a share of {share} is none: choose 0 to 1")
    return round(1 / share) if share else among + 1


def learn(
    bench: Workbench,
    rows: Sequence[TokenSequence],
    config: LearnConfig,
    *,
    points: ResumePoints,
    progress: Progress,
    stage: str,
) -> StageReport:
    """Trains the checkpoint at hand on rows, from the last resume point on."""
    total = config.epochs * -(-len(rows) // config.batch_size)
    optimiser = OptimiserConfig(learning_rate=config.learning_rate, total_steps=total)
    trainer = make_trainer(config.trainer, bench.model, optimiser)
    curve = points.resume(trainer, bench.generator)
    order = torch.Generator().manual_seed(config.seed)  # drawn from its beginning, whatever is passed over
    bench.model.train()
    for step in finetune_steps(
        bench.model,
        rows,
        trainer,
        epochs=config.epochs,
        batch_size=config.batch_size,
        pad_id=bench.pad_id,
        generator=order,
        done=len(curve),
    ):
        curve.append(_entry(step))
        points.save(trainer, bench.generator, curve)
        progress(step.step / total, f"learning from {len(rows)} examples", _loss_of(curve[-1]))
    trainer.leave()
    bench.model.eval()
    metrics = {"rows": float(len(rows)), **_metrics(curve), "skipped_steps": float(trainer.skipped)}
    return StageReport(stage, metrics, {"curve": curve})


def _entry(step: SftStep) -> dict[str, float]:
    """A step of the curve; a loss that was not finite, and skipped, has no place in it."""
    loss = {"loss": step.loss} if math.isfinite(step.loss) else {}
    return {"step": float(step.step), **loss, "tokens": float(step.tokens)}


def _loss_of(entry: dict[str, float]) -> dict[str, float]:
    return {"loss": entry["loss"]} if "loss" in entry else {}


def _metrics(curve: Curve) -> dict[str, float]:
    losses = [entry["loss"] for entry in curve if "loss" in entry]
    ends = {"first_loss": fmean(losses[:3]), "last_loss": fmean(losses[-3:])} if losses else {}
    return {"steps": float(len(curve)), "tokens": sum(entry["tokens"] for entry in curve), **ends}
