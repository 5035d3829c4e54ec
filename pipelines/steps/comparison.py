"""The step that measures what is behind the alias now on the run's held-out scenes, where the alias's gate compares.

Such a gate holds results on the same scenes against each other, and every run has scenes of its own. Promises that
nothing is measured where the gate compares nothing, where the alias points nowhere, or where the result is known: from
this run, which may have started from that very version, or from an earlier one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mgrd.clients import NotFoundError, RegistryClient
from mgrd.clients.registry_values import Comparison, Evaluation, Version
from mgrd.clients.request_ids import id_of
from pipelines.steps import checkpoints
from pipelines.steps.evaluation import with_headline
from pipelines.steps.platform import clients_of
from pipelines.steps.registration import SUITE
from pipelines.steps.reporting import Reporter, reported
from pipelines.steps.stages import Settings, load_stages
from pipelines.steps.surroundings import Surroundings

STEP = "evaluate-current"
DEFAULT_ALIAS = "production"


@dataclass(frozen=True)
class Measured:
    """A checkpoint and what it reached on the run's held-out scenes."""

    checkpoint: str
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Scenes:
    """What a version is judged by: the laid out data, and its identity."""

    folder: Path
    digest: str


def compare(*, stages: str, settings: Settings, alias: str, version: str, base: Measured, scenes: Scenes) -> None:
    """Records the held-out evaluation of what is behind `alias` of the model of `version`, where one is missing."""
    around = Surroundings.from_environment()
    with clients_of(around) as clients:
        name = f"{version.partition('/versions/')[0]}/aliases/{alias or DEFAULT_ALIAS}"
        current = lacking(clients.registry, name, version=version, data_digest=scenes.digest)
        if current is None:
            return
        with reported(around, STEP) as (progress, outcome):
            known = current.digest == base.checkpoint
            metrics = dict(base.metrics) if known else _measured(around, stages, settings, current, scenes, progress)
            evaluation = Evaluation(suite=SUITE, metrics=metrics, data_digest=scenes.digest)
            request_id = id_of(f"runs/{around.run}", "evaluation", current.name)
            clients.registry.create_evaluation(current.name, evaluation=evaluation, request_id=request_id)
            outcome.metrics.update(metrics)
            outcome.message = f"{current.name}, now behind {name.rpartition('/')[2]}, measured on the same scenes"


def lacking(registry: RegistryClient, alias: str, *, version: str, data_digest: str) -> Version | None:
    """The version behind the alias, if its gate compares and no result of it on this data is known."""
    try:
        found = registry.get_alias(alias)
    except NotFoundError:
        return None
    compares = any(
        each.suite == SUITE and each.comparison is Comparison.AT_LEAST_CURRENT_PLUS for each in found.gate.requirements
    )
    if not compares or found.version in ("", version):
        return None
    results = registry.list_evaluations(found.version)
    if any(each.suite == SUITE and each.data_digest == data_digest for each in results):
        return None
    return registry.get_version(found.version)


def _measured(
    around: Surroundings, stages: str, settings: Settings, current: Version, scenes: Scenes, progress: Reporter
) -> dict[str, float]:
    learning = load_stages(stages)
    report = learning.evaluate(
        learning.EvalConfig(**settings),
        checkpoint=checkpoints.fetch(around, checkpoints.base_digest(around, current.name)),
        data=scenes.folder / "heldout.jsonl",
        out=around.folder(STEP),
        progress=progress,
    )
    return with_headline(report.metrics)
