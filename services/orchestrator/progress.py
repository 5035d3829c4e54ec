"""How far a run is and how long it will still take, from the plan's weights and the steps' reports."""

from collections.abc import Sequence
from datetime import datetime

from pipelines.plan import PlannedStep
from services.orchestrator.domain import DONE, Run, RunState, Step

_TELLING_SHARE = 0.03
"""Part of a run that must be done before its pace tells anything."""


def fraction_done(run: Run, plan: Sequence[PlannedStep]) -> float:
    """Part done over all steps, 0 to 1."""
    if run.state is RunState.SUCCEEDED:
        return 1.0
    return sum(step.weight * _done(run.step(step.name)) for step in plan) / sum(step.weight for step in plan)


def time_left_s(run: Run, plan: Sequence[PlannedStep], *, now: datetime) -> float | None:
    """Seconds left, from the pace so far; None where nothing tells."""
    if run.state is not RunState.RUNNING:
        return None
    began = [(step.weight, found) for step in plan if (found := run.step(step.name)) and _done(found) > 0]
    worked = sum(weight * _done(step) for weight, step in began)
    elapsed_s = sum(((step.end_time or now) - step.start_time).total_seconds() for _, step in began)
    if worked < _TELLING_SHARE * sum(step.weight for step in plan) or elapsed_s <= 0:
        return None
    left = sum(step.weight * (1 - _done(run.step(step.name))) for step in plan)
    return left * elapsed_s / worked


def _done(step: Step | None) -> float:
    if step is None:
        return 0.0
    return 1.0 if step.state in DONE else min(1.0, max(0.0, step.progress))
