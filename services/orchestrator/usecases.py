"""One function for each RPC, and one for what the supervisor does with a run. Each is one transaction.

Promises that a change of state, its audit record and its event are committed together. Executors are only called by
the supervisor, between transactions, so no lock is held while a process starts.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mgrd.events.v1 import events_pb2
from pipelines.plan import FINISH, KUBEFLOW_PREFIX
from services.kit.database import UnitOfWork
from services.kit.errors import AlreadyExists, FailedPrecondition, NotFound
from services.kit.paging import Page
from services.kit.tables import now
from services.orchestrator.adapters.runs import Runs
from services.orchestrator.domain import DONE, ExecutorKind, Run, RunState, Step, StepState
from services.orchestrator.ports import Condition, Handle, Observation
from services.orchestrator.specs import Rules, Wanted, announced_spec, checked_spec


def create_run(work: UnitOfWork, wanted: Wanted, *, rules: Rules, validate_only: bool) -> Run:
    """A new run, waiting for its executor; with `validate_only` as it would be."""
    spec = checked_spec(wanted, rules)
    runs, time = Runs(work.session), rules.clock()
    run = Run(
        id=wanted.run_id or _new_id(spec.model, time),
        spec=spec,
        state=RunState.PENDING,
        creator=work.caller.subject,
        create_time=time,
        update_time=time,
    )
    if runs.get(run.id) is not None:
        raise AlreadyExists(f"{run.name} exists already; choose another id, or none", reason="RUN_EXISTS")
    if not validate_only:
        runs.add(run)
        work.audit(run.name, "run.created", model=spec.model, executor=spec.executor, data=spec.data)
    return run


def get_run(work: UnitOfWork, run_id: str) -> Run:
    """The run; NotFound where there is none. Steps on Kubeflow know a run by its id there."""
    runs = Runs(work.session)
    run = runs.get(run_id) or runs.by_external_id(run_id.removeprefix(KUBEFLOW_PREFIX))
    if run is None:
        raise NotFound(f"runs/{run_id} does not exist; `mgrd run list` shows those that do", reason="RUN_NOT_FOUND")
    return run


def list_runs(work: UnitOfWork, page: Page, *, state: RunState | None) -> Sequence[Run]:
    """Runs, newest first: one more than the page holds, where there are more."""
    return Runs(work.session).page(page, state=state)


def cancel_run(work: UnitOfWork, run_id: str) -> Run:
    """The run, being stopped; an ended run is refused, one being stopped is left as it is."""
    run = get_run(work, run_id)
    if run.ended:
        raise FailedPrecondition(f"{run.name} has ended as {run.state}; there is nothing to cancel", reason="RUN_ENDED")
    changed = run.cancelling()
    if changed is run:
        return run
    work.audit(run.name, "run.cancellation_requested")
    return _saved(work, run, changed)


def resume_run(work: UnitOfWork, run_id: str) -> Run:
    """The run, waiting to go on after its last finished step."""
    run = get_run(work, run_id)
    if run.state not in (RunState.FAILED, RunState.CANCELLED):
        raise FailedPrecondition(
            f"{run.name} is {run.state}; only a failed or cancelled run can be resumed", reason="RUN_NOT_RESUMABLE"
        )
    work.audit(run.name, "run.resumed")
    return _saved(work, run, run.resumed())


@dataclass(frozen=True)
class Report:
    """What a pipeline step says."""

    run_id: str
    step: Step
    version: str = ""
    external_id: str = ""
    announced: Wanted | None = None


def report_step(work: UnitOfWork, report: Report, *, rules: Rules) -> Run:
    """The run after the report. A run started elsewhere comes into being by the report that announces it."""
    runs = Runs(work.session)
    run = runs.get(report.run_id) or runs.by_external_id(report.external_id) or _announced(work, report, rules)
    told = _exit_handlers_word(run, report.step) if report.step.name == FINISH else report.step
    changed = run.with_report(told, version=report.version)
    if changed is run:
        return run
    _publish_checkpoint(work, run, report.step)
    if report.step.name == FINISH and run.spec.executor is ExecutorKind.KUBEFLOW:
        changed = _ended_by_exit_handler(changed, report.step, rules.clock())
    return _saved(work, run, changed)


def begin(work: UnitOfWork, run_id: str, handle: Handle) -> Run:
    """The executor has taken the run, unless it was cancelled meanwhile."""
    run = get_run(work, run_id)
    begun = run.begun(handle.external_id, handle.external_url)
    if run.state is not RunState.PENDING:
        begun = replace(begun, state=run.state if run.state is not RunState.CANCELLED else RunState.CANCELLING)
    return _saved(work, run, begun)


def observe(work: UnitOfWork, run_id: str, seen: Observation, *, clock: Callable[[], datetime] = now) -> Run:
    """What the executor sees of a run, drawn into its state."""
    run = get_run(work, run_id)
    if run.state not in (RunState.RUNNING, RunState.CANCELLING) or seen.condition is Condition.ACTIVE:
        return run
    if seen.condition is Condition.LOST and run.state is RunState.RUNNING and run.may_restart:
        work.audit(run.name, "run.restarted", restarts=run.restarts + 1)
        return _saved(work, run, run.restarted())
    state, error = _end_of(run, seen)
    return _saved(work, run, run.finished(state, error=error, now=clock()))


def fail(work: UnitOfWork, run_id: str, error: str, *, clock: Callable[[], datetime] = now) -> Run:
    """The run could not be executed at all."""
    run = get_run(work, run_id)
    return _saved(work, run, run.finished(RunState.FAILED, error=error, now=clock()))


def _end_of(run: Run, seen: Observation) -> tuple[RunState, str]:
    if seen.condition is Condition.SUCCEEDED:
        return RunState.SUCCEEDED, ""
    if run.state is RunState.CANCELLING or seen.condition is Condition.CANCELLED:
        return RunState.CANCELLED, ""
    if seen.condition is Condition.LOST:
        return RunState.FAILED, f"its process died {run.restarts + 1} times in a row; its log says more"
    return RunState.FAILED, run.step_error(
        leaving_out=FINISH
    ) or seen.error or "the executor reports a failure and no reason"


def _saved(work: UnitOfWork, before: Run, after: Run) -> Run:
    saved = Runs(work.session).save(after)
    if saved.ended and not before.ended:
        work.audit(saved.name, f"run.{saved.state.lower()}", error=saved.error, version=saved.version)
        body = events_pb2.RunFinished(run=saved.name, state=str(saved.state), version=saved.version, error=saved.error)
        work.publish(body, subject=saved.name, key=saved.id)
    return saved


def _publish_checkpoint(work: UnitOfWork, run: Run, step: Step) -> None:
    known = run.step(step.name)
    if step.checkpoint_digest and (known is None or known.checkpoint_digest != step.checkpoint_digest):
        body = events_pb2.CheckpointProduced(
            run=run.name, step=step.name, digest=step.checkpoint_digest, metrics=dict(step.metrics)
        )
        work.publish(body, subject=run.name, key=run.id)


def _announced(work: UnitOfWork, report: Report, rules: Rules) -> Run:
    if report.announced is None:
        return get_run(work, report.run_id)
    wanted, time = report.announced, rules.clock()
    spec = announced_spec(wanted, rules)
    run = Run(
        id=report.run_id,
        spec=spec,
        state=RunState.RUNNING,
        creator=work.caller.subject,
        create_time=time,
        update_time=time,
        external_id=report.external_id,
        external_url=rules.page_of(report.external_id),
    )
    work.audit(run.name, "run.announced", external_id=report.external_id)
    return Runs(work.session).add(run)


def _ended_by_exit_handler(run: Run, step: Step, time: datetime) -> Run:
    if step.state in DONE:
        return run.finished(RunState.SUCCEEDED, error="", now=time)
    if step.state is StepState.FAILED:
        state = RunState.CANCELLED if run.state is RunState.CANCELLING else RunState.FAILED
        return run.finished(state, error=run.step_error(leaving_out=FINISH) or step.error, now=time)
    return run


def _exit_handlers_word(run: Run, step: Step) -> Step:
    """The exit handler's step as it is kept: it did its work, which is to say how the run ended, and is no cause."""
    if step.state is not StepState.FAILED:
        return step
    failed = run.failed_step(leaving_out=FINISH)
    if run.state is RunState.CANCELLING:
        return replace(step, state=StepState.SUCCEEDED, message="the run was cancelled", error="")
    message = f"the run failed in {failed.name}" if failed else f"the run failed: {step.error}"
    return replace(step, state=StepState.SUCCEEDED, message=message, error="")


def _new_id(model: str, time: datetime) -> str:
    return f"{model[:40].rstrip('-')}-{time:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
