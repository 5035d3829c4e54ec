"""The states of a run and its steps."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.plan import planned_steps
from services.orchestrator.domain import DONE, ExecutorKind, Run, RunSpec, RunState, Step, StepState
from services.orchestrator.progress import fraction_done, time_left_s

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PLAN = planned_steps(1)


def run(**changes: object) -> Run:
    spec = RunSpec(model="nano", base_version="", parameters={}, executor=ExecutorKind.LOCAL, data="")
    begun = Run(id="r1", spec=spec, state=RunState.RUNNING, creator="ana", create_time=NOW, update_time=NOW)
    return replace(begun, **changes)  # type: ignore[arg-type]


def step(name: str = "prepare", **changes: object) -> Step:
    told = Step(name=name, attempt=1, sequence=0, state=StepState.RUNNING, start_time=NOW)
    return replace(told, **changes)  # type: ignore[arg-type]


def test_steps_stand_in_the_order_they_began() -> None:
    seen = run().with_report(step("prepare")).with_report(step("distil-1")).with_report(step("prepare", sequence=1))
    assert [found.name for found in seen.steps] == ["prepare", "distil-1"]


reports = st.lists(
    st.builds(
        step,
        st.sampled_from(["prepare", "distil-1"]),
        attempt=st.integers(1, 3),
        sequence=st.integers(0, 5),
        state=st.sampled_from(list(StepState)),
    ),
    max_size=20,
)


@given(reports)
def test_late_and_repeated_reports_change_nothing(told: list[Step]) -> None:
    seen = run()
    for report in told:
        seen = seen.with_report(report)
        assert seen.with_report(report) is seen
    for found in seen.steps:
        newest = max((report.attempt, report.sequence) for report in told if report.name == found.name)
        assert (found.attempt, found.sequence) == newest


def test_a_step_keeps_its_start_within_an_attempt_and_starts_anew_in_the_next() -> None:
    later = NOW + timedelta(seconds=9)
    seen = run().with_report(step()).with_report(step(sequence=1, start_time=later))
    assert seen.steps[0].start_time == NOW
    assert seen.with_report(step(attempt=2, start_time=later)).steps[0].start_time == later


@pytest.mark.parametrize("state", [RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED])
def test_an_ended_run_takes_no_reports(state: RunState) -> None:
    ended = run(state=state)
    assert ended.with_report(step()) is ended
    assert ended.cancelling() is ended


def test_a_waiting_run_is_cancelled_at_once_and_a_running_one_in_time() -> None:
    assert run(state=RunState.PENDING).cancelling().state is RunState.CANCELLED
    assert run(external_id="7").cancelling().state is RunState.CANCELLING
    assert run(state=RunState.PENDING, external_id="7").cancelling().state is RunState.CANCELLING


def test_resuming_reuses_what_was_finished() -> None:
    failed = run(state=RunState.FAILED, error="x", steps=(step(state=StepState.SUCCEEDED), step("distil-1")))
    resumed = failed.resumed()
    assert (resumed.state, resumed.error, resumed.steps[0].state) == (RunState.PENDING, "", StepState.CACHED)


def test_restarts_are_bounded_until_a_step_finishes() -> None:
    seen = run()
    for _ in range(3):
        assert seen.may_restart
        seen = replace(seen.restarted(), state=RunState.RUNNING)
    assert not seen.may_restart
    assert seen.with_report(step(state=StepState.SUCCEEDED)).may_restart


def test_a_step_at_work_ends_with_its_run() -> None:
    seen = run(steps=(step(),))
    assert seen.finished(RunState.CANCELLED, error="", now=NOW).steps[0].error == "cancelled"
    assert seen.finished(RunState.SUCCEEDED, error="", now=NOW).steps[0].state is StepState.SUCCEEDED


def test_the_error_of_a_run_is_that_of_the_step_that_failed() -> None:
    steps = (
        step("distil-1", state=StepState.FAILED, error="loss is NaN"),
        step("finish", state=StepState.FAILED, error="a task failed"),
    )
    assert run(steps=steps).step_error(leaving_out="finish") == "step distil-1 failed: loss is NaN"


def test_a_step_that_died_without_a_word_is_named_when_its_run_fails() -> None:
    steps = (step("prepare", state=StepState.SUCCEEDED), step("distil-1"))
    said = "step distil-1 failed: its process ended before it said more"
    assert run(steps=steps).step_error() == said
    assert run(steps=steps[:1]).step_error() == ""


def test_a_resumed_run_tries_again_what_had_failed_for_good() -> None:
    failed = step("distil-1", state=StepState.FAILED, error="no chain was kept", permanent=True)
    (tried,) = run(state=RunState.FAILED, steps=(failed,)).resumed().steps
    assert (tried.state, tried.permanent, tried.error) == (StepState.FAILED, False, "no chain was kept")
    (again,) = run(steps=(failed,)).restarted().steps
    assert again.permanent


@given(reports)
def test_progress_stays_within_its_bounds_and_reaches_its_end(told: list[Step]) -> None:
    seen = run()
    for report in told:
        seen = seen.with_report(report)
    assert 0 <= fraction_done(seen, PLAN) <= 1
    every = tuple(step(planned.name, state=StepState.SUCCEEDED) for planned in PLAN)
    assert fraction_done(run(steps=every), PLAN) == pytest.approx(1)


def test_the_time_left_follows_the_pace_so_far() -> None:
    done = step("prepare", state=StepState.SUCCEEDED, end_time=NOW + timedelta(seconds=10))
    weights = {planned.name: planned.weight for planned in PLAN}
    left = sum(weights.values()) - weights["prepare"]
    assert time_left_s(run(steps=(done,)), PLAN, now=NOW) == pytest.approx(10 * left / weights["prepare"])
    assert time_left_s(run(), PLAN, now=NOW) is None
    assert time_left_s(run(state=RunState.FAILED, steps=(done,)), PLAN, now=NOW) is None
    assert done.state in DONE
