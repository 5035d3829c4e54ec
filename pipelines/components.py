"""The bodies of the pipeline's components: each calls one function of `pipelines.steps`.

KFP embeds the source of each function in the template, so a body imports what it needs and holds no logic. They become
components in `mgrd_pipeline`, where the image and the module of the stages are chosen.
"""

# mypy: disable-error-code="valid-type,no-untyped-def,type-arg"
from typing import NamedTuple

from kfp.dsl import HTML, Dataset, Input, Metrics, Model, Output, PipelineTaskFinalStatus


def announce(model: str, base_version: str, data: str, parameters: dict) -> NamedTuple(
    "Announced", [("run", str), ("reuse_key", str)]
):
    """Tells the orchestrator what this run is; its name there, and what earlier results it may reuse."""
    from pipelines.steps import announcing

    done = announcing.announce(model=model, base_version=base_version, data=data, parameters=parameters)
    return (done.run, done.reuse_key)


def prepare(
    stages: str,
    seed: int,
    train_scenes: int,
    heldout_scenes: int,
    base_version: str,
    data: str,
    reuse_key: str,
    dataset: Output[Dataset],
) -> NamedTuple("Prepared", [("base", str), ("data_digest", str)]):
    """Checks and lays out the run's data, finds the checkpoint to start from."""
    from pipelines.steps import preparation

    done = preparation.prepare(
        stages=stages,
        settings={"seed": seed, "train_scenes": train_scenes, "heldout_scenes": heldout_scenes},
        data=data,
        base_version=base_version,
        out=dataset.path,
    )
    dataset.metadata.update(digest=done.data_digest, reuse_key=reuse_key)
    return (done.base_digest, done.data_digest)


def evaluate(
    stages: str,
    seed: int,
    stage: str,
    turn: int,
    checkpoint: str,
    dataset: Input[Dataset],
    metrics: Output[Metrics],
    page: Output[HTML],
) -> dict:
    """Measures a checkpoint on held-out scenes: with and without thinking, with and without sound."""
    from pipelines.steps import evaluation

    found = evaluation.evaluate(
        stages=stages,
        settings={"seed": seed},
        step=f"evaluate-{stage}-{turn}" if turn else f"evaluate-{stage}",
        checkpoint=checkpoint,
        data=dataset.path,
        metrics_path=metrics.path,
        page_path=page.path,
    )
    metrics.metadata.update(found)
    return found


def distil(
    stages: str,
    seed: int,
    questions: int,
    candidates: int,
    turn: int,
    checkpoint: str,
    dataset: Input[Dataset],
    kept: Output[Dataset],
    metrics: Output[Metrics],
) -> None:
    """Lets the model reason about sound and keeps the chains that the measurements support."""
    from pipelines.steps import training

    found = training.distil(
        stages=stages,
        settings={"seed": seed, "questions": questions, "candidates": candidates},
        turn=turn,
        checkpoint=checkpoint,
        data=dataset.path,
        out=kept.path,
        metrics_path=metrics.path,
    )
    metrics.metadata.update(found)


def finetune(
    stages: str,
    seed: int,
    epochs: int,
    learning_rate: float,
    trainer: str,
    processes: int,
    turn: int,
    checkpoint: str,
    kept: Input[Dataset],
    trained: Output[Model],
    metrics: Output[Metrics],
) -> str:
    """Fine-tunes on the kept chains, beside direct answers and text; the result is named by its digest."""
    from pipelines.steps import training

    digest = training.finetune(
        stages=stages,
        settings={
            "seed": seed,
            "epochs": epochs,
            "learning_rate": learning_rate,
            "trainer": trainer,
            "processes": processes,
        },
        turn=turn,
        checkpoint=checkpoint,
        kept=kept.path,
        record=trained.path,
        metrics_path=metrics.path,
    )
    trained.metadata.update(digest=digest, parent=checkpoint)
    return digest


def reinforce(
    stages: str,
    seed: int,
    steps: int,
    prompts_per_step: int,
    samples: int,
    learning_rate: float,
    algorithm: str,
    trainer: str,
    processes: int,
    turn: int,
    checkpoint: str,
    dataset: Input[Dataset],
    trained: Output[Model],
    metrics: Output[Metrics],
) -> str:
    """Reinforces on questions of middling difficulty; the result is named by its digest."""
    from pipelines.steps import training

    digest = training.reinforce(
        stages=stages,
        settings={
            "seed": seed,
            "steps": steps,
            "prompts_per_step": prompts_per_step,
            "samples": samples,
            "learning_rate": learning_rate,
            "algorithm": algorithm,
            "trainer": trainer,
            "processes": processes,
        },
        turn=turn,
        checkpoint=checkpoint,
        data=dataset.path,
        record=trained.path,
        metrics_path=metrics.path,
    )
    trained.metadata.update(digest=digest, parent=checkpoint)
    return digest


def ground(
    stages: str,
    seed: int,
    cold_start_epochs: int,
    text_rl_steps: int,
    algorithm: str,
    checkpoint: str,
    dataset: Input[Dataset],
) -> str:
    """Cold start and reinforcement on text, where asked for; the result is named by its digest."""
    from pipelines.steps import grounding

    asked = grounding.Grounding(
        seed=seed, cold_start_epochs=cold_start_epochs, text_rl_steps=text_rl_steps, algorithm=algorithm
    )
    return grounding.ground(stages=stages, asked=asked, checkpoint=checkpoint, data=dataset.path)


def gain(
    stages: str,
    seed: int,
    min_gain: float,
    iterations: int,
    turn: int,
    before: str,
    before_metrics: dict,
    after: str,
    after_metrics: dict,
    dataset: Input[Dataset],
) -> NamedTuple("Judged", [("word", str), ("turn", int), ("checkpoint", str), ("metrics", dict)]):
    """Measures what a turn gained on development questions, and says whether another one follows."""
    from pipelines.steps import stopping

    decided = stopping.judge(
        stages=stages,
        seed=seed,
        min_gain=min_gain,
        iterations=iterations,
        before=stopping.Turn(turn - 1, before, before_metrics),
        after=stopping.Turn(turn, after, after_metrics),
        data=dataset.path,
    )
    kept = decided.kept
    return (decided.word, kept.number, kept.checkpoint, dict(kept.metrics))


def align(
    stages: str, seed: int, pairs: int, turn: int, checkpoint: str, metrics: dict, dataset: Input[Dataset]
) -> NamedTuple("Aligned", [("checkpoint", str), ("metrics", dict), ("step", str)]):
    """Corrects what the model believes about its ears, where asked for, and measures the result."""
    from pipelines.steps import aligning

    found = aligning.align(
        stages=stages,
        seed=seed,
        pairs=pairs,
        candidate=aligning.Candidate(checkpoint, metrics, f"reinforce-{turn}"),
        data=dataset.path,
    )
    return (found.checkpoint, dict(found.metrics), found.step)


def register(model: str, checkpoint: str, base: str, step: str, data_digest: str, metrics: dict) -> str:
    """Registers the checkpoint with lineage and evaluation, and makes it the candidate."""
    from pipelines.steps import registration

    return registration.register(
        model=model,
        checkpoint=checkpoint,
        base=base,
        step=step,
        data_digest=data_digest,
        metrics=metrics,
    )


def compare(
    stages: str,
    seed: int,
    version: str,
    alias: str,
    base: str,
    base_metrics: dict,
    data_digest: str,
    dataset: Input[Dataset],
) -> None:
    """Measures the version now behind the alias on the same held-out scenes, where its gate compares the two."""
    from pathlib import Path

    from pipelines.steps import comparison

    comparison.compare(
        stages=stages,
        settings={"seed": seed},
        alias=alias,
        version=version,
        base=comparison.Measured(base, base_metrics),
        scenes=comparison.Scenes(Path(dataset.path), data_digest),
    )


def ask(model: str, version: str, timeout_s: int, dataset: Input[Dataset]) -> str:
    """Waits until the candidate is served and asks it one held-out question."""
    from pipelines.steps import asking

    return asking.ask(model=model, version=version, data=dataset.path, timeout_s=timeout_s)


def promote(
    model: str, version: str, alias: str, approval_timeout_s: int, timeout_s: int, dataset: Input[Dataset]
) -> str:
    """Points the alias at the version, or waits until people have; then asks it one held-out question there."""
    from pipelines.steps import promotion

    return promotion.promote(
        model=model,
        version=version,
        alias=alias,
        data=dataset.path,
        approval_timeout_s=approval_timeout_s,
        timeout_s=timeout_s,
    )


def finish(status: PipelineTaskFinalStatus) -> None:
    """Tells the orchestrator how the run ended."""
    from pipelines.steps import finishing

    finishing.finish(state=status.state, error=status.error_message or "")
