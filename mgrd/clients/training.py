"""Client of the orchestrator: runs of the MGRD pipeline, their steps and progress."""

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from mgrd.clients.codec import read, write
from mgrd.clients.connection import Connection
from mgrd.clients.errors import DeadlineExceededError, UnavailableError
from mgrd.clients.paging import every
from mgrd.clients.request_ids import given_or_new, id_of
from mgrd.training.v1 import training_pb2 as pb
from mgrd.training.v1.training_pb2_grpc import TrainingServiceStub

_LOG = logging.getLogger(__name__)
_WATCH_TIMEOUT_S = 3_600.0
_RECONNECT_S = 0.5


class RunState(StrEnum):
    """State of a run."""

    PENDING = "pending"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether the run goes no further by itself."""
        return self in {RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}


class StepState(StrEnum):
    """State of a step."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CACHED = "cached"


class Executor(StrEnum):
    """Where a run is executed."""

    LOCAL = "local"
    KUBEFLOW = "kubeflow"


@dataclass(frozen=True)
class RunSpec:
    """What is wanted of a run."""

    model: str
    """`models/{model}` that the result is registered under."""
    base_version: str = ""
    """`models/{model}/versions/{version}`; empty for the shipped base."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Of the pipeline, by name; unknown names are refused."""
    executor: Executor | None = None
    """None takes the installation's default."""
    data: str = ""
    """Own rows: "sha256:..." in the content store, or a path on the local executor's machine; empty: the world."""


@dataclass(frozen=True)
class Step:
    """One step of a run."""

    name: str
    attempt: int = 1
    state: StepState | None = StepState.RUNNING
    progress: float = 0.0
    """Part done, 0 to 1."""
    eta: timedelta | None = None
    message: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    checkpoint_digest: str = ""
    error: str = ""
    start_time: datetime | None = None
    end_time: datetime | None = None
    report_digest: str = ""
    """The stage's report, JSON in the content store."""
    page_digest: str = ""
    """The run's report up to this step, HTML in the content store."""
    permanent: bool = False
    """Where it failed: whether trying again cannot mend it."""


@dataclass(frozen=True)
class Run:
    """A run as the orchestrator knows it."""

    name: str
    spec: RunSpec
    state: RunState
    steps: tuple[Step, ...]
    creator: str
    create_time: datetime | None
    update_time: datetime | None
    error: str
    version: str
    """Version it registered; empty before that."""
    external_id: str
    external_url: str
    progress: float
    eta: timedelta | None
    etag: str


class TrainingClient:
    """One method per RPC. A `request_id` makes a repeated call return the first one's result."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = TrainingServiceStub(connection.channel)

    def create_run(
        self, spec: RunSpec, *, run_id: str = "", validate_only: bool = False, request_id: str | None = None
    ) -> Run:
        """Starts a run, or with `validate_only` raises what is wrong with it."""
        request = pb.CreateRunRequest(
            spec=write(pb.RunSpec, spec),
            run_id=run_id,
            validate_only=validate_only,
            request_id=given_or_new(request_id),
        )
        return read(Run, self._connection.unary(self._stub.CreateRun, request).run)

    def get_run(self, name: str) -> Run:
        """One run, by `runs/{run}`."""
        return read(Run, self._connection.unary(self._stub.GetRun, pb.GetRunRequest(name=name)).run)

    def list_runs(self, *, state: RunState | None = None, page_size: int = 0) -> Iterator[Run]:
        """Runs, newest first."""
        number = pb.RunState.Value(f"RUN_STATE_{(state or 'unspecified').upper()}")

        def page(token: str) -> Any:
            request = pb.ListRunsRequest(page_size=page_size, page_token=token, state=number)
            return self._connection.unary(self._stub.ListRuns, request)

        return every(Run, page, field="runs")

    def cancel_run(self, name: str, *, request_id: str | None = None) -> Run:
        """Asks the run to stop; what its finished stages produced stays."""
        request = pb.CancelRunRequest(name=name, request_id=given_or_new(request_id))
        return read(Run, self._connection.unary(self._stub.CancelRun, request).run)

    def resume_run(self, name: str, *, request_id: str | None = None) -> Run:
        """Continues a failed or cancelled run from its last finished stage."""
        request = pb.ResumeRunRequest(name=name, request_id=given_or_new(request_id))
        return read(Run, self._connection.unary(self._stub.ResumeRun, request).run)

    def report_step(
        self,
        run: str,
        step: Step,
        *,
        sequence: int,
        version: str = "",
        announce: RunSpec | None = None,
        external_id: str = "",
        timeout_s: float | None = None,
    ) -> bool:
        """Says how far a step is; True when the step should stop. Its request_id follows from what it reports."""
        request = pb.ReportStepRequest(
            run=run,
            step=write(pb.Step, step),
            sequence=sequence,
            request_id=id_of(run, step.name, step.attempt, sequence),
            version=version,
            announce=write(pb.RunSpec, announce) if announce else None,
            external_id=external_id,
        )
        return bool(self._connection.unary(self._stub.ReportStep, request, timeout_s=timeout_s).cancel_requested)

    def watch_run(self, name: str) -> Iterator[Run]:
        """The run as it is now and at each change, to its end. Outlives a restart of the orchestrator."""
        request = pb.WatchRunRequest(name=name)
        while True:
            try:
                for response in self._connection.stream(self._stub.WatchRun, request, timeout_s=_WATCH_TIMEOUT_S):
                    run = read(Run, response.run)
                    yield run
                    if run.state.ended:
                        return
            except (UnavailableError, DeadlineExceededError) as error:
                _LOG.info("watching %s again: %s", name, error)
            time.sleep(_RECONNECT_S)
            run = self.get_run(name)  # with its own retries, it decides whether the service comes back
            if run.state.ended:
                yield run
                return
