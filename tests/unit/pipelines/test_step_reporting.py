"""What a step tells the orchestrator, and what stops it."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipelines.errors import Cancelled, GivenUpError, PipelineError
from pipelines.steps import reporting
from pipelines.steps.reporting import LogOnly, Outcome, Reporter, StepReport
from pipelines.steps.surroundings import Surroundings
from pipelines.steps.tracing import trace_of


@dataclass
class NotingOrchestrator:
    """Keeps every report; cancels when told."""

    attempt: int = 1
    cancelling: bool = False
    reports: list[StepReport] = field(default_factory=list)
    must_arrive: list[bool] = field(default_factory=list)

    def next_attempt(self, step: str) -> int:
        return self.attempt

    def report(self, report: StepReport, *, must_arrive: bool) -> bool:
        self.reports.append(report)
        self.must_arrive.append(must_arrive)
        return self.cancelling


def test_the_first_and_the_last_report_must_arrive_and_those_between_are_few() -> None:
    orchestrator = NotingOrchestrator(attempt=3)
    reporter = Reporter(orchestrator, "distil-1")
    reporter.begin()
    for percent in range(100):
        reporter(percent / 100, "working", {"kept": float(percent)})
    reporter.succeed(Outcome(message="done", metrics={"rows": 7.0}, checkpoint_digest="sha256:x"))
    first, last = orchestrator.reports[0], orchestrator.reports[-1]
    assert (first.state, first.attempt, first.sequence) == ("RUNNING", 3, 0)
    assert (last.state, last.progress, last.checkpoint_digest) == ("SUCCEEDED", 1.0, "sha256:x")
    assert last.metrics == {"kept": 99.0, "rows": 7.0}
    assert len(orchestrator.reports) <= 3
    assert (orchestrator.must_arrive[0], orchestrator.must_arrive[-1]) == (True, True)
    assert [report.sequence for report in orchestrator.reports] == list(range(len(orchestrator.reports)))


def test_a_cancelled_run_stops_its_step() -> None:
    orchestrator = NotingOrchestrator(cancelling=True)
    with pytest.raises(Cancelled):
        Reporter(orchestrator, "distil-1").begin()


def test_a_step_that_is_done_when_cancelled_stays_done() -> None:
    orchestrator = NotingOrchestrator()
    reporter = Reporter(orchestrator, "distil-1")
    reporter.begin()
    orchestrator.cancelling = True
    reporter.succeed(Outcome())
    assert orchestrator.reports[-1].state == "SUCCEEDED"


def test_a_failure_is_told_with_its_reason() -> None:
    orchestrator = NotingOrchestrator()
    told = reporting.reported(surroundings(), "distil-1", orchestrator=orchestrator)
    with pytest.raises(ZeroDivisionError), told:
        _ = 1 / 0
    assert orchestrator.reports[-1].error == "ZeroDivisionError: division by zero"
    assert orchestrator.reports[-1].state == "FAILED"


class DeafOrchestrator(NotingOrchestrator):
    """Takes no report of a failure."""

    def report(self, report: StepReport, *, must_arrive: bool) -> bool:
        if report.state == "FAILED":
            raise ConnectionError("nobody listens")
        return super().report(report, must_arrive=must_arrive)


def test_a_failure_that_cannot_be_told_is_still_the_one_that_is_raised() -> None:
    with pytest.raises(ZeroDivisionError), reporting.reported(surroundings(), "x", orchestrator=DeafOrchestrator()):
        _ = 1 / 0


class WrongRowError(ValueError):
    reason = "ROW_WRONG"
    permanent = True


def test_an_error_raised_on_purpose_speaks_for_itself_and_says_whether_a_retry_can_mend_it() -> None:
    orchestrator = NotingOrchestrator()
    with (
        pytest.raises(WrongRowError),
        reporting.reported(surroundings(), "distil-1", orchestrator=orchestrator) as (_, outcome),
    ):
        outcome.metrics["kept"] = 0.0
        outcome.report_digest = "sha256:x"
        raise WrongRowError("line 3 is no JSON")
    last = orchestrator.reports[-1]
    assert (last.error, last.permanent) == ("line 3 is no JSON", True)
    assert (last.metrics, last.report_digest) == ({"kept": 0.0}, "sha256:x")
    assert reporting.told(UnicodeDecodeError("utf-8", b"x", 0, 1, "bad")).startswith("UnicodeDecodeError: ")


class GivingUpOrchestrator(NotingOrchestrator):
    """Knows that the step failed for good."""

    def next_attempt(self, step: str) -> int:
        raise GivenUpError(f"step {step} failed for good")


def test_a_retry_of_what_failed_for_good_does_nothing_and_says_nothing() -> None:
    orchestrator = GivingUpOrchestrator()
    with pytest.raises(GivenUpError), reporting.reported(surroundings(), "distil-1", orchestrator=orchestrator):
        pytest.fail("the step began")
    assert orchestrator.reports == []


def test_without_a_platform_the_log_takes_the_reports() -> None:
    assert isinstance(reporting.orchestrator_of(surroundings()), LogOnly)


def test_a_kubeflow_run_is_named_after_its_id_there(tmp_path: Path) -> None:
    around = surroundings(MGRD_KFP_RUN="0a1b", MGRD_SCRATCH=str(tmp_path))
    assert (around.run, around.external_id) == ("kfp-0a1b", "0a1b")
    assert surroundings(MGRD_RUN="mine").run == "mine"
    with pytest.raises(PipelineError, match="MGRD_STORE_URL is not set"):
        around.need("store_url")


def surroundings(**environment: str) -> Surroundings:
    return Surroundings.from_environment({"MGRD_SCRATCH": ".", **environment})


def test_all_steps_of_a_run_call_under_one_trace() -> None:
    version, trace, parent, flags = trace_of("r1").split("-")
    assert (version, len(trace), len(parent), flags) == ("00", 32, 16, "01")
    assert trace_of("r1") == trace_of("r1") != trace_of("r2")
    assert trace_of("") == ""
