"""Stage align: self-cognition corrected by DPO on the model's own answers (paper section 2.4).

The policy answers probes several times; right answers are preferred to wrong ones; the error is measured on held-out
probes before and after. Deviations: (1) a grammar of denials stands in for the judge (`self_cognition`); (2) probes
without any sound are among them, where the right answer is that nothing is heard; (3) where the policy made no mistake,
the mistake is written out (`preference`); (4) the paper's 8,000 pairs and 5,000 probes are settings.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from model.distillation.clips import encode_file
from model.distillation.finetuning import LearnConfig
from model.distillation.preference import Preferences, preferences
from model.distillation.progress import Progress, StageReport
from model.distillation.resuming import Curve, ResumePoints, fingerprint
from model.distillation.self_cognition import is_mistaken, is_right
from model.distillation.workbench import MAX_NEW_TOKENS, Workbench, open_checkpoint
from model.engine.params import SamplingParams
from model.evaluation.intervals import wilson
from model.learning.dpo import DpoStep, preference_steps, with_reference
from model.learning.examples import Example
from model.learning.rewards import RewardConfig
from model.learning.rollouts import Rollout, roll_out
from model.learning.trainer import OptimiserConfig
from model.learning.trainers import make_trainer

_SAMPLES = 6
_LEARNING_FROM, _LEARNING_TO = 0.4, 0.9


@dataclass(frozen=True)
class AlignConfig(LearnConfig):
    """Sizes of alignment; beta and rate are not disclosed in the paper."""

    epochs: int = 1
    batch_size: int = 16
    learning_rate: float = 1e-4
    pairs: int = 128
    """At most so many; the paper had 8,000."""
    candidates: int = 8
    """Answers drawn for each probe."""
    beta: float = 0.1
    likelihood_weight: float = 1.0
    """How much the likelihood of the chosen answer counts beside the preference."""
    temperature: float = 1.0
    """Of all answers: the policy's own distribution shows mistakes that serving, drawing cooler, hides."""
    think: bool = False
    """Whether probes are answered after thinking."""


@dataclass(frozen=True)
class Measured:
    """The answers to held-out probes."""

    rollouts: list[Rollout]

    @property
    def error(self) -> float:
        """Answers with a wrong picture of the model itself."""
        return _share([is_mistaken(r) for r in self.rollouts])

    def figures(self, when: str) -> dict[str, float]:
        """Error with its 95 % interval, apart with and without sound, and the share of right answers."""
        present = [is_mistaken(r) for r in self.rollouts if r.example.has_audio]
        absent = [is_mistaken(r) for r in self.rollouts if not r.example.has_audio]
        low, high = wilson(sum(present) + sum(absent), len(self.rollouts))
        return {
            f"error_{when}": self.error,
            f"error_{when}_low": low,
            f"error_{when}_high": high,
            f"error_{when}_present": _share(present),
            f"error_{when}_absent": _share(absent),
            f"right_{when}": _share([is_right(r) for r in self.rollouts]),
        }


def align(
    config: AlignConfig, *, checkpoint: Path, data: Path, out: Path, progress: Progress, work: Path | None = None
) -> StageReport:
    """Trains on pairs from `data` (probes.jsonl) and writes a checkpoint folder to `out`; resumes from `work`.

    The error is measured on heldout_probes.jsonl beside it.
    """
    bench = open_checkpoint(checkpoint, seed=config.seed)
    probes = encode_file(bench.model, data.parent / "heldout_probes.jsonl")
    before = Measured(_asked(bench, probes, config))
    progress(0.1, f"{before.error:.1%} of held-out probes are answered with a wrong picture of itself")
    asked = _answers(bench, encode_file(bench.model, data), config, n=config.candidates)
    found = preferences(bench.tokenizer, asked, limit=config.pairs)
    progress(_LEARNING_FROM, f"{len(found.pairs)} pairs, {found.sources['own']} of them its own mistakes")
    points = ResumePoints(work, identity=fingerprint(config, checkpoint, data), every=config.resume_every)
    curve, skipped = _learn(bench, found, config, points, progress)
    after = Measured(_asked(bench, probes, config))
    bench.save(out)
    progress(1.0, f"wrong pictures of itself: {before.error:.1%} before, {after.error:.1%} after")
    metrics = {
        "probes": float(len(before.rollouts)),
        "pairs": float(len(found.pairs)),
        "steps": float(len(curve)),
        "skipped_steps": float(skipped),
        **{f"pairs_{name}": float(count) for name, count in found.sources.items()},
        **before.figures("before"),
        **after.figures("after"),
    }
    return StageReport("align", metrics, {"curve": curve, "samples": _samples(before, after)})


def _asked(bench: Workbench, probes: Sequence[Example], config: AlignConfig) -> list[Rollout]:
    return [group[0] for group in _answers(bench, probes, config, n=1)]


def _answers(bench: Workbench, probes: Sequence[Example], config: AlignConfig, *, n: int) -> list[list[Rollout]]:
    sampling = SamplingParams(max_new_tokens=MAX_NEW_TOKENS, temperature=config.temperature, seed=config.seed)
    return roll_out(bench.engine, probes, sampling, n=n, rewards=RewardConfig(), think=config.think, peers=bench.peers)


def _learn(
    bench: Workbench, found: Preferences, config: AlignConfig, points: ResumePoints, progress: Progress
) -> tuple[Curve, int]:
    """The curve, and how many steps were skipped."""
    total = config.epochs * -(-len(found.pairs) // config.batch_size)
    referenced = with_reference(bench.model, found.pairs, batch_size=config.batch_size, pad_id=bench.pad_id)
    optimiser = OptimiserConfig(learning_rate=config.learning_rate, total_steps=total, warmup_steps=3, bf16=False)
    trainer = make_trainer(config.trainer, bench.model, optimiser)
    curve = points.resume(trainer, bench.generator)
    for step in preference_steps(
        bench.model,
        referenced,
        trainer,
        epochs=config.epochs,
        batch_size=config.batch_size,
        beta=config.beta,
        likelihood_weight=config.likelihood_weight,
        pad_id=bench.pad_id,
        generator=torch.Generator().manual_seed(config.seed),
        done=len(curve),
    ):
        curve.append(_entry(step))
        points.save(trainer, bench.generator, curve)
        done = step.step / total
        progress(_LEARNING_FROM + (_LEARNING_TO - _LEARNING_FROM) * done, f"preferring over {total} steps", curve[-1])
    trainer.leave()
    return curve, trainer.skipped


def _entry(step: DpoStep) -> dict[str, float]:
    figures = {"loss": step.loss, "margin": step.margin, "accuracy": step.accuracy}
    return {"step": float(step.step), **{name: value for name, value in figures.items() if math.isfinite(value)}}


def _samples(before: Measured, after: Measured) -> list[dict[str, str]]:
    """A few probes whose answer changed."""
    pairs = zip(before.rollouts, after.rollouts, strict=True)
    changed = [(one, other) for one, other in pairs if one.response.answer != other.response.answer]
    return [
        {
            "question": one.example.question,
            "reference": one.example.answer,
            "before": one.response.answer,
            "after": other.response.answer,
        }
        for one, other in changed[:_SAMPLES]
    ]


def _share(mistakes: Sequence[bool]) -> float:
    return sum(mistakes) / len(mistakes) if mistakes else 0.0
