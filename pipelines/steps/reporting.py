"""Progress of a step, told to the orchestrator.

Promises that the first and the last report arrive or the step fails, that at most two a second go out in between and
those are dropped rather than hold up training, that a repeated report is the same report (UUID5 ids), and that a
cancelled run makes the next report raise Cancelled. Leaves the run's own state to the orchestrator.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from pipelines.errors import Cancelled
from pipelines.steps.surroundings import Surroundings
from pipelines.steps.tracing import step_span

INTERVAL_S = 0.5
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Announcement:
    """What a run started elsewhere, such as in the Kubeflow UI, says of itself."""

    model: str
    base_version: str
    data: str
    parameters: Mapping[str, float | str]
    """Numbers, which KFP may hand over as text, and texts."""


@dataclass(frozen=True)
class StepReport:
    """One report: the step as it is now."""

    step: str
    attempt: int
    sequence: int
    state: str
    """RUNNING, SUCCEEDED or FAILED."""
    progress: float = 0.0
    eta_s: float | None = None
    message: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    checkpoint_digest: str = ""
    report_digest: str = ""
    page_digest: str = ""
    version: str = ""
    error: str = ""
    permanent: bool = False
    """Whether trying again cannot mend the error."""
    announce: Announcement | None = None


class Orchestrator(Protocol):
    """Where reports go."""

    def next_attempt(self, step: str) -> int:
        """Number of the attempt that begins now, from 1; GivenUpError where the step failed for good."""

    def report(self, report: StepReport, *, must_arrive: bool) -> bool:
        """Sends a report; true when the run is being cancelled."""


class Reporter:
    """The progress callback of one attempt at a step."""

    def __init__(self, orchestrator: Orchestrator, step: str, *, announce: Announcement | None = None) -> None:
        self._orchestrator = orchestrator
        self._step = step
        self._announce = announce
        self._attempt = orchestrator.next_attempt(step)
        self._sequence = 0
        self._began_s = time.monotonic()
        self._last_s = 0.0
        self._metrics: dict[str, float] = {}
        self._message = ""

    def __call__(self, fraction: float, message: str, metrics: Mapping[str, float] | None = None) -> None:
        """Says how far the step is; raises Cancelled when it should stop."""
        self._metrics.update(metrics or {})
        self._message = message
        if time.monotonic() - self._last_s >= INTERVAL_S:
            self._send("RUNNING", progress=fraction, eta_s=self._eta_s(fraction), message=message)

    def begin(self) -> None:
        """Says that the step began."""
        self._send("RUNNING", message="starting", must_arrive=True)

    def succeed(self, outcome: "Outcome") -> None:
        """Says that the step is done, and what came of it."""
        self._metrics.update(outcome.metrics)
        self._send(
            "SUCCEEDED",
            progress=1.0,
            message=outcome.message or self._message or "done",
            checkpoint_digest=outcome.checkpoint_digest,
            report_digest=outcome.report_digest,
            page_digest=outcome.page_digest,
            version=outcome.version,
            must_arrive=True,
        )

    def fail(self, error: BaseException, outcome: "Outcome") -> None:
        """Says that the step failed and why, and what it had found until then."""
        self._metrics.update(outcome.metrics)
        self._send(
            "FAILED",
            error=told(error)[:2000],
            permanent=bool(getattr(error, "permanent", False)),
            report_digest=outcome.report_digest,
            must_arrive=True,
            cancellable=False,
        )

    def _send(self, state: str, *, must_arrive: bool = False, cancellable: bool = True, **fields: object) -> None:
        report = StepReport(
            step=self._step,
            attempt=self._attempt,
            sequence=self._sequence,
            state=state,
            metrics=dict(self._metrics),
            announce=self._announce if self._sequence == 0 else None,
            **fields,  # type: ignore[arg-type]
        )
        self._sequence += 1
        self._last_s = time.monotonic()
        if self._orchestrator.report(report, must_arrive=must_arrive) and cancellable and state == "RUNNING":
            raise Cancelled(f"the run is being cancelled; step {self._step} stops")

    def _eta_s(self, fraction: float) -> float | None:
        elapsed_s = time.monotonic() - self._began_s
        return elapsed_s * (1 - fraction) / fraction if fraction > 0 else None


@dataclass
class Outcome:
    """What a step found, filled in by it while it works."""

    message: str = ""
    """Empty means what the stage said last."""
    metrics: dict[str, float] = field(default_factory=dict)
    checkpoint_digest: str = ""
    report_digest: str = ""
    page_digest: str = ""
    version: str = ""


def told(error: BaseException) -> str:
    """What people read of an error: one raised on purpose has a reason (DATA_ROW_INVALID) and speaks for itself."""
    reason = getattr(error, "reason", "")
    on_purpose = isinstance(reason, str) and reason.isupper()
    return str(error) if on_purpose else f"{type(error).__name__}: {error}"


@contextmanager
def reported(
    around: Surroundings,
    step: str,
    *,
    announce: Announcement | None = None,
    orchestrator: Orchestrator | None = None,
) -> Iterator[tuple[Reporter, Outcome]]:
    """Begins a step and reports its end, good or bad."""
    with step_span(around.run, step):
        reporter, outcome = Reporter(orchestrator or orchestrator_of(around), step, announce=announce), Outcome()
        try:
            reporter.begin()
            yield reporter, outcome
        except BaseException as error:
            _LOGGER.exception("step %s failed", step)
            _tell_failure(reporter, error, outcome)
            raise
        reporter.succeed(outcome)


def _tell_failure(reporter: Reporter, error: BaseException, outcome: Outcome) -> None:
    """What keeps the report from arriving is noted, and never stands in the place of why the step failed."""
    try:
        reporter.fail(error, outcome)
    except Exception:
        _LOGGER.exception("the failure could not be reported")


def orchestrator_of(around: Surroundings) -> Orchestrator:
    """The platform's orchestrator, or the log where there is none."""
    if not (around.orchestrator_addr and around.run):
        return LogOnly()
    from pipelines.steps.orchestrator import PlatformOrchestrator

    return PlatformOrchestrator(around)


class LogOnly:
    """Stands in where a step runs with no platform around it."""

    def next_attempt(self, step: str) -> int:
        return 1

    def report(self, report: StepReport, *, must_arrive: bool) -> bool:
        _LOGGER.info("%s %s %.0f%% %s", report.step, report.state, 100 * report.progress, report.message)
        return False
