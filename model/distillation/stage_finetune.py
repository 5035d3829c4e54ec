"""Stage finetune: joint SFT on the kept acoustic chains and the original text reasoning (eq 5).

Deviations: (1) the mean over tokens in place of the sum over samples (`learning.sft`); (2) a share of
direct answers to the same questions keeps the model able to answer without thinking.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from model.distillation.clips import Dataset, encode_rows
from model.distillation.finetuning import LearnConfig, learn, stride
from model.distillation.keeping import NothingKeptError
from model.distillation.progress import Progress, StageReport
from model.distillation.resuming import ResumePoints, fingerprint
from model.distillation.workbench import Workbench, open_checkpoint
from model.learning.batching import TokenSequence
from model.learning.examples import training_row


@dataclass(frozen=True)
class SftConfig(LearnConfig):
    """Sizes of joint fine-tuning."""

    direct_share: float = 0.25
    """Kept questions that are also trained without their chain."""


def finetune(
    config: SftConfig, *, checkpoint: Path, data: Path, out: Path, progress: Progress, work: Path | None = None
) -> StageReport:
    """Trains and writes a checkpoint folder to `out`; resumes from `work`."""
    bench = open_checkpoint(checkpoint, seed=config.seed)
    rows = _training_rows(bench, data, config)
    points = ResumePoints(work, identity=fingerprint(config, checkpoint, data), every=config.resume_every)
    report = learn(bench, rows, config, points=points, progress=progress, stage="finetune")
    bench.save(out)
    return report


def _training_rows(bench: Workbench, data: Path, config: SftConfig) -> list[TokenSequence]:
    dataset = Dataset(data)
    if not any(row.audio for row in dataset.rows):
        raise NothingKeptError(f"{data.name} holds no acoustic chain; draw more: raise `questions` and `candidates`")
    examples = encode_rows(bench.model, dataset, dataset.rows)
    every = stride(config.direct_share, among=len(examples))
    direct = [replace(e, reasoning="") for e in examples[::every] if e.has_audio]
    return [training_row(bench.tokenizer, example) for example in (*examples, *direct)]
