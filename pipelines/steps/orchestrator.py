"""The orchestrator as steps see it, over the typed client."""

import logging
from datetime import timedelta

from mgrd.clients.errors import (
    CallError,
    DeadlineExceededError,
    NotFoundError,
    ResourceExhaustedError,
    UnavailableError,
)
from mgrd.clients.training import Executor, RunSpec, RunState, Step, StepState
from pipelines.errors import GivenUpError
from pipelines.steps.platform import clients_of
from pipelines.steps.reporting import Announcement, StepReport
from pipelines.steps.surroundings import Surroundings

_LOGGER = logging.getLogger(__name__)
_PASSING_TIMEOUT_S = 0.5
_AT_WORK = (RunState.RUNNING, RunState.CANCELLING)
_DROPPABLE = (UnavailableError, DeadlineExceededError, ResourceExhaustedError)


class PlatformOrchestrator:
    """Takes the reports of one run's steps."""

    def __init__(self, around: Surroundings) -> None:
        self._run = f"runs/{around.run}"
        self._external_id = around.external_id
        self._client = clients_of(around).training

    def next_attempt(self, step: str) -> int:
        """One more than the orchestrator knows of; 1 for a run it does not know yet.

        GivenUpError where the last one failed for good: kfp tries a step again whatever it failed of.
        """
        try:
            run = self._client.get_run(self._run)
        except NotFoundError:
            return 1
        last = next((known for known in run.steps if known.name == step), None)
        if last is None:
            return 1
        if last.permanent and run.state in _AT_WORK:
            raise GivenUpError(f"step {step} failed for good, and is not tried again: {last.error}")
        return 1 + last.attempt

    def report(self, report: StepReport, *, must_arrive: bool) -> bool:
        """Sends a report; a passing one is dropped when the orchestrator does not answer at once."""
        try:
            return self._client.report_step(
                self._run,
                _step(report),
                sequence=report.sequence,
                version=report.version,
                announce=_spec(report.announce) if report.announce and self._external_id else None,
                external_id=self._external_id,
                timeout_s=None if must_arrive else _PASSING_TIMEOUT_S,
            )
        except CallError as error:
            if must_arrive or not isinstance(error, _DROPPABLE):
                raise
            _LOGGER.warning("a progress report of %s was dropped: %s", report.step, error)
            return False


def _step(report: StepReport) -> Step:
    return Step(
        name=report.step,
        attempt=report.attempt,
        state=StepState(report.state.lower()),
        progress=min(1.0, max(0.0, report.progress)),
        eta=None if report.eta_s is None else timedelta(seconds=report.eta_s),
        message=report.message[:1000],
        metrics=dict(report.metrics),
        checkpoint_digest=report.checkpoint_digest,
        report_digest=report.report_digest,
        page_digest=report.page_digest,
        error=report.error,
        permanent=report.permanent,
    )


def _spec(announcement: Announcement) -> RunSpec:
    return RunSpec(
        model=f"models/{announcement.model}",
        base_version=announcement.base_version,
        parameters={name: _number_or_text(value) for name, value in announcement.parameters.items()},
        executor=Executor.KUBEFLOW,
        data=announcement.data,
    )


def _number_or_text(value: float | str) -> float | str:
    """A parameter; KFP may hand numbers over as text."""
    try:
        return float(value)
    except ValueError:
        return value
