"""Evaluations: who measured is who called, and a proof by a real request is the serving agent's alone to give."""

import math
from collections.abc import Mapping

from mgrd.events.v1.events_pb2 import EvaluationRecorded
from services.kit.errors import FailedPrecondition, InvalidArgument, PermissionDenied, shown
from services.registry.domain.gates import SMOKE_SUITE, Evaluation
from services.registry.domain.versions import VersionState
from services.registry.usecases.context import Context
from services.registry.usecases.texts import checked_label, checked_text

METRICS_MOST = 500


def create_evaluation(
    ctx: Context, *, model: str, number: int, suite: str, metrics: Mapping[str, float], data_digest: str
) -> Evaluation:
    """Records a result of a version."""
    _check(ctx, suite, metrics)
    version = ctx.version(model, number)
    if version.state is VersionState.DELETED:
        raise FailedPrecondition(f"{version.name} is deleted; nothing can be measured on it", reason="VERSION_DELETED")
    evaluation = ctx.evaluations.add(
        version,
        suite=suite,
        metrics=metrics,
        data_digest=checked_text(data_digest, field="evaluation.data_digest"),
        evaluator=ctx.caller,
        create_time=ctx.now,
    )
    ctx.work.audit(version.name, "evaluation.recorded", suite=suite, evaluation=evaluation.name)
    body = EvaluationRecorded(version=version.name, suite=suite, metrics=metrics)
    ctx.work.publish(body, subject=version.name, key=f"models/{model}")
    return evaluation


def _check(ctx: Context, suite: str, metrics: Mapping[str, float]) -> None:
    checked_label(suite, field="evaluation.suite")
    if suite == SMOKE_SUITE and "agent" not in ctx.caller.roles:
        raise PermissionDenied(
            f"suite {SMOKE_SUITE!r} is recorded by serving agents, which {ctx.caller.subject} is not",
            reason="SMOKE_NOT_BY_AGENT",
        )
    if not 1 <= len(metrics) <= METRICS_MOST:
        raise InvalidArgument(
            f"the evaluation holds {len(metrics)} metrics; send 1 to {METRICS_MOST}", field="evaluation.metrics"
        )
    for name, value in metrics.items():
        checked_label(name, field="evaluation.metrics")
        if not math.isfinite(value):
            raise InvalidArgument(
                f"metric {shown(name)} is {value}; send finite numbers", field="evaluation.metrics", reason="NOT_FINITE"
            )
