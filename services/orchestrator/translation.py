"""Between the messages of mgrd.training.v1 and the domain."""

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

from google.protobuf.json_format import MessageToDict, SerializeToJsonError

from mgrd.training.v1 import training_pb2 as pb
from pipelines.plan import planned_steps
from services.kit.errors import InvalidArgument, shown
from services.kit.names import NamePattern, check_id
from services.orchestrator.domain import ExecutorKind, Run, RunState, Step, StepState
from services.orchestrator.progress import fraction_done, time_left_s
from services.orchestrator.specs import Wanted

RUN = NamePattern("runs/{run}")
MODEL = NamePattern("models/{model}")
VERSION = NamePattern("models/{model}/versions/{version}")
_EXECUTORS = {pb.EXECUTOR_LOCAL: ExecutorKind.LOCAL, pb.EXECUTOR_KUBEFLOW: ExecutorKind.KUBEFLOW}


def run_id(name: str, *, field: str = "name") -> str:
    """The id in `runs/{run}`."""
    return RUN.parse(name, field=field)[0]


def wanted(spec: pb.RunSpec, *, run_id: str = "", field: str = "spec") -> Wanted:
    """What a request asks for."""
    if spec.base_version:
        VERSION.parse(spec.base_version, field=f"{field}.base_version")
    if spec.executor not in (pb.EXECUTOR_UNSPECIFIED, *_EXECUTORS):
        raise InvalidArgument(f"{spec.executor} is no executor", field=f"{field}.executor")
    return Wanted(
        model=MODEL.parse(spec.model, field=f"{field}.model")[0],
        base_version=spec.base_version,
        parameters=_parameters(spec, field=f"{field}.parameters"),
        executor=_EXECUTORS.get(spec.executor),
        data=spec.data,
        run_id=check_id(run_id, field="run_id") if run_id else "",
    )


def _parameters(spec: pb.RunSpec, *, field: str) -> dict[str, Any]:
    try:
        return dict(MessageToDict(spec.parameters))
    except (SerializeToJsonError, ValueError) as error:  # a number that is none, or a value without a kind
        raise InvalidArgument(f"{field} cannot be read: {error}", field=field, reason="INVALID_PARAMETER") from None


def state(value: int, *, field: str = "state") -> RunState | None:
    """The state a list is narrowed to; None for all."""
    if value == pb.RUN_STATE_UNSPECIFIED:
        return None
    if value not in pb.RunState.values():
        raise InvalidArgument(f"{value} is no state of a run", field=field)
    return RunState(pb.RunState.Name(value).removeprefix("RUN_STATE_"))


def step(request: pb.ReportStepRequest, *, now: datetime) -> Step:
    """The step a report is about."""
    told = request.step
    check_id(told.name, field="step.name")
    if told.attempt < 1 or request.sequence < 0:
        raise InvalidArgument(f"attempt is {told.attempt}; attempts count from 1", field="step.attempt")
    if told.state not in pb.StepState.values() or told.state == pb.STEP_STATE_UNSPECIFIED:
        raise InvalidArgument(f"step.state is {told.state}; say what state it is in", field="step.state")
    if not 0 <= told.progress <= 1:
        raise InvalidArgument(f"progress is {shown(str(told.progress))}; it must be 0 to 1", field="step.progress")
    found = StepState(pb.StepState.Name(told.state).removeprefix("STEP_STATE_"))
    return Step(
        name=told.name,
        attempt=told.attempt,
        sequence=request.sequence,
        state=found,
        start_time=now,
        progress=told.progress,
        eta_s=told.eta.ToMilliseconds() / 1000 if told.HasField("eta") else None,
        message=told.message,
        # What is no number is left out: PostgreSQL's JSON has no NaN, and a figure gone wrong must not end the run.
        metrics={name: value for name, value in told.metrics.items() if math.isfinite(value)},
        checkpoint_digest=told.checkpoint_digest,
        report_digest=told.report_digest,
        page_digest=told.page_digest,
        error=told.error,
        permanent=told.permanent,
        end_time=None if found is StepState.RUNNING else now,
    )


def to_proto(run: Run, *, clock: Callable[[], datetime]) -> pb.Run:
    """The run as callers see it, progress and time left included."""
    plan = planned_steps(run.spec.iterations, run.spec.parameters)
    message = pb.Run(
        name=run.name,
        spec=_spec(run),
        state=pb.RunState.Value(f"RUN_STATE_{run.state}"),
        steps=[_step(found) for found in run.steps],
        creator=run.creator,
        create_time=run.create_time,
        update_time=run.update_time,
        error=run.error,
        version=run.version,
        external_id=run.external_id,
        external_url=run.external_url,
        progress=fraction_done(run, plan),
        etag=str(run.revision),
    )
    left_s = time_left_s(run, plan, now=clock())
    if left_s is not None:
        message.eta.FromMilliseconds(int(1000 * left_s))
    return message


def _spec(run: Run) -> pb.RunSpec:
    spec = pb.RunSpec(
        model=f"models/{run.spec.model}",
        base_version=run.spec.base_version,
        executor=pb.Executor.Value(f"EXECUTOR_{run.spec.executor}"),
        data=run.spec.data,
    )
    spec.parameters.update(dict(run.spec.parameters))
    return spec


def _step(step: Step) -> pb.Step:
    message = pb.Step(
        name=step.name,
        attempt=step.attempt,
        state=pb.StepState.Value(f"STEP_STATE_{step.state}"),
        progress=step.progress,
        message=step.message,
        metrics=dict(step.metrics),
        checkpoint_digest=step.checkpoint_digest,
        report_digest=step.report_digest,
        page_digest=step.page_digest,
        error=step.error,
        permanent=step.permanent,
        start_time=step.start_time,
        end_time=step.end_time,
    )
    if step.eta_s is not None and step.state is StepState.RUNNING:
        message.eta.FromMilliseconds(int(1000 * step.eta_s))
    return message
