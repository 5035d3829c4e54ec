"""What a run and its steps are, and which changes of state they allow. Standard library only.

Promises that a run never leaves an end state but by being resumed, that reports may come twice, late or out of order,
and that progress never counts a step twice. Leaves storing and executing to the adapters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

MAX_RESTARTS = 3
"""How often a run is restarted by itself while no step finishes in between."""


class RunState(StrEnum):
    """State of a run."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    CANCELLING = "CANCELLING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class StepState(StrEnum):
    """State of a step."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CACHED = "CACHED"


class ExecutorKind(StrEnum):
    """Where a run is executed."""

    LOCAL = "LOCAL"
    KUBEFLOW = "KUBEFLOW"


END_STATES = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED})
DONE = frozenset({StepState.SUCCEEDED, StepState.CACHED})
_SILENT = "its process ended before it said more"


@dataclass(frozen=True)
class RunSpec:
    """What is wanted of a run, checked."""

    model: str
    base_version: str
    parameters: Mapping[str, Any]
    executor: ExecutorKind
    data: str

    @property
    def iterations(self) -> int:
        """Turns of the loop asked for."""
        return int(self.parameters.get("iterations", 1))

    def arguments(self) -> dict[str, Any]:
        """The pipeline's parameters with the ones that have fields of their own."""
        return {**self.parameters, "model": self.model, "base_version": self.base_version, "data": self.data}


@dataclass(frozen=True)
class Step:
    """A step as last reported; `sequence` numbers the reports of an attempt."""

    name: str
    attempt: int
    sequence: int
    state: StepState
    start_time: datetime
    progress: float = 0.0
    eta_s: float | None = None
    message: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    checkpoint_digest: str = ""
    error: str = ""
    end_time: datetime | None = None
    report_digest: str = ""
    page_digest: str = ""
    permanent: bool = False
    """Where it failed: whether trying again cannot mend it."""


@dataclass(frozen=True)
class Run:
    """A run and the steps that began, in that order."""

    id: str
    spec: RunSpec
    state: RunState
    creator: str
    create_time: datetime
    update_time: datetime
    steps: tuple[Step, ...] = ()
    error: str = ""
    version: str = ""
    external_id: str = ""
    external_url: str = ""
    restarts: int = 0
    revision: int = 1

    @property
    def name(self) -> str:
        return f"runs/{self.id}"

    @property
    def ended(self) -> bool:
        return self.state in END_STATES

    def step(self, name: str) -> Step | None:
        """The step of that name, if it began."""
        return next((step for step in self.steps if step.name == name), None)

    def with_report(self, report: Step, *, version: str = "") -> "Run":
        """The run after a report; the same run where the report is late, repeated or the run has ended."""
        known = self.step(report.name)
        if self.ended or (known and (report.attempt, report.sequence) <= (known.attempt, known.sequence)):
            return self
        if known and report.attempt == known.attempt:
            report = replace(report, start_time=known.start_time)
        others = tuple(report if step.name == report.name else step for step in self.steps)
        steps = others if known else (*self.steps, report)
        return replace(
            self,
            steps=steps,
            version=version or self.version,
            restarts=0 if report.state in DONE else self.restarts,
        )

    def begun(self, external_id: str, external_url: str) -> "Run":
        """The executor has taken it."""
        return replace(self, state=RunState.RUNNING, external_id=external_id, external_url=external_url)

    def cancelling(self) -> "Run":
        """Cancellation was asked for; a run that no executor has seen is cancelled at once."""
        if self.ended or self.state is RunState.CANCELLING:
            return self
        return replace(self, state=RunState.CANCELLING if self.external_id else RunState.CANCELLED)

    def resumed(self) -> "Run":
        """Waiting to go on; what its steps finished counts as reused, what failed for good is tried once more."""
        steps = tuple(replace(step, permanent=False) for step in _reused(self.steps))
        return replace(self, state=RunState.PENDING, error="", restarts=0, steps=steps)

    def restarted(self) -> "Run":
        """Waiting to go on because its executor lost it."""
        return replace(self, state=RunState.PENDING, restarts=self.restarts + 1, steps=_reused(self.steps))

    @property
    def may_restart(self) -> bool:
        return self.restarts < MAX_RESTARTS

    def finished(self, state: RunState, *, error: str, now: datetime) -> "Run":
        """The run at its end; steps that were still running ended with it."""
        steps = tuple(_stopped(step, state, now) for step in self.steps)
        return replace(self, state=state, error=error, steps=steps)

    def failed_step(self, *, leaving_out: str = "") -> Step | None:
        """The step that failed last, or that was at work when the run failed; without the exit handler's."""
        found = [step for step in self.steps if step.state not in DONE and step.name != leaving_out]
        return found[-1] if found else None

    def step_error(self, *, leaving_out: str = "") -> str:
        """What the step that failed last said of it; empty where none failed."""
        failed = self.failed_step(leaving_out=leaving_out)
        return f"step {failed.name} failed: {failed.error or _SILENT}" if failed else ""


def _reused(steps: Sequence[Step]) -> tuple[Step, ...]:
    return tuple(replace(step, state=StepState.CACHED) if step.state in DONE else step for step in steps)


def _stopped(step: Step, state: RunState, now: datetime) -> Step:
    if step.state is not StepState.RUNNING:
        return step
    if state is RunState.SUCCEEDED:
        return replace(step, state=StepState.SUCCEEDED, progress=1.0, end_time=now)
    error = "cancelled" if state is RunState.CANCELLED else _SILENT
    return replace(step, state=StepState.FAILED, error=error, end_time=now)
