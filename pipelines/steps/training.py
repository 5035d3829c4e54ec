"""The steps that learn: self-distillation, joint fine-tuning, reinforcement, and any other stage that trains.

Promises that a stage killed in the middle finds its work folder again when the step is tried anew, and that the folder
goes once the stage's result is kept.
"""

import shutil
from pathlib import Path

from pipelines.answerers.judges import judge_from_environment
from pipelines.launch.choice import PROCESSES, choose_launcher
from pipelines.launch.job import TrainingJob
from pipelines.steps import checkpoints
from pipelines.steps.reporting import reported
from pipelines.steps.run_reports import keep_report
from pipelines.steps.stages import Settings, load_stages, write_json
from pipelines.steps.surroundings import Surroundings


def distil(
    *, stages: str, settings: Settings, turn: int, checkpoint: str, data: str, out: str, metrics_path: str
) -> dict[str, float]:
    """Lets the model reason about the training questions and keeps what passes the filter, in `out`/kept.jsonl."""
    around = Surroundings.from_environment()
    with reported(around, f"distil-{turn}") as (progress, outcome):
        learning = load_stages(stages)
        from model.distillation.keeping import require_kept  # here and after the stages, since it imports torch

        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        report = learning.distil(
            learning.DistilConfig(**settings),
            checkpoint=checkpoints.fetch(around, checkpoint),
            data=Path(data) / "train.jsonl",
            out=folder,
            progress=progress,
            work=around.work(f"distil-{turn}"),
            judge=judge_from_environment(around.folder("judge")),
        )
        outcome.metrics.update(report.metrics)
        keep_report(around, outcome, report.to_dict())
        write_json(metrics_path, report.to_dict())
        require_kept(report.to_dict())
        shutil.rmtree(around.work(f"distil-{turn}"), ignore_errors=True)
        return dict(report.metrics)


def finetune(
    *, stages: str, settings: Settings, turn: int, checkpoint: str, kept: str, record: str, metrics_path: str
) -> str:
    """Trains on the kept chains; returns the digest of the new checkpoint."""
    return train_stage(
        Surroundings.from_environment(),
        f"finetune-{turn}",
        stages=stages,
        stage="finetune",
        config="SftConfig",
        settings=settings,
        checkpoint=checkpoint,
        data=Path(kept) / "kept.jsonl",
        record=record,
        metrics_path=metrics_path,
    )


def reinforce(
    *, stages: str, settings: Settings, turn: int, checkpoint: str, data: str, record: str, metrics_path: str
) -> str:
    """Reinforces on questions of middling difficulty; returns the digest of the new checkpoint."""
    return train_stage(
        Surroundings.from_environment(),
        f"reinforce-{turn}",
        stages=stages,
        stage="reinforce",
        config="RlConfig",
        settings=settings,
        checkpoint=checkpoint,
        data=Path(data) / "rl.jsonl",
        record=record,
        metrics_path=metrics_path,
    )


def train_stage(
    around: Surroundings,
    step: str,
    *,
    stages: str,
    stage: str,
    config: str,
    settings: Settings,
    checkpoint: str,
    data: Path,
    record: str = "",
    metrics_path: str = "",
) -> str:
    """Runs a stage that trains, as a step of its own; returns the digest of the new checkpoint.

    The setting `processes` says in how many; the other settings are the stage's own.
    `record` and `metrics_path` are files of the pipeline's own to write, where it has such.
    """
    with reported(around, step) as (progress, outcome):
        trained = around.folder(step) / "checkpoint"
        job = TrainingJob(
            stages=stages,
            stage=stage,
            config=config,
            settings={name: value for name, value in settings.items() if name != PROCESSES},
            checkpoint=str(checkpoints.fetch(around, checkpoint)),
            data=str(data),
            out=str(trained),
            work=str(around.work(step)),
        )
        processes = int(settings.get(PROCESSES, 1))
        launcher = choose_launcher(around, step, processes=processes, checkpoint=checkpoint)
        report = launcher.train(job, processes=processes, progress=progress)
        digest = checkpoints.keep(around, trained)
        outcome.metrics.update(report["metrics"])
        outcome.checkpoint_digest = digest
        keep_report(around, outcome, report)
        if metrics_path:
            write_json(metrics_path, report)
        if record:
            write_json(record, {"digest": digest, "parent": checkpoint, "step": step, "metrics": report["metrics"]})
        shutil.rmtree(around.work(step), ignore_errors=True)
        return digest
