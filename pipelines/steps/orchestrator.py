"""The orchestrator over gRPC, as steps see it."""

import logging

import grpc

from mgrd.training.v1 import training_pb2 as pb
from mgrd.training.v1 import training_pb2_grpc as pb_grpc
from pipelines.steps.platform import call, channel, request_id
from pipelines.steps.reporting import Announcement, StepReport
from pipelines.steps.surroundings import Surroundings

_LOGGER = logging.getLogger(__name__)
_DROPPABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED)


class GrpcOrchestrator:
    """Reports of the steps of one run."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._run = f"runs/{around.run}"
        self._stub = pb_grpc.TrainingServiceStub(channel(around.orchestrator_addr))

    def next_attempt(self, step: str) -> int:
        """One more than the orchestrator knows of; 1 for a run it does not know yet."""
        try:
            run = call(self._stub.GetRun, pb.GetRunRequest(name=self._run), token_file=self._around.token_file).run
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return 1
            raise
        return 1 + max((known.attempt for known in run.steps if known.name == step), default=0)

    def report(self, report: StepReport, *, must_arrive: bool) -> bool:
        """Sends a report; a passing one is dropped when the orchestrator does not answer at once."""
        patience_s, timeout_s = (120.0, 10.0) if must_arrive else (0.0, 2.0)
        try:
            response = call(
                self._stub.ReportStep,
                self._request(report),
                token_file=self._around.token_file,
                timeout_s=timeout_s,
                patience_s=patience_s,
            )
        except grpc.RpcError as error:
            if must_arrive or error.code() not in _DROPPABLE:
                raise
            _LOGGER.warning("a progress report of %s was dropped: %s", report.step, error.code().name)
            return False
        return bool(response.cancel_requested)

    def _request(self, report: StepReport) -> pb.ReportStepRequest:
        request = pb.ReportStepRequest(
            run=self._run,
            step=_step(report),
            sequence=report.sequence,
            request_id=request_id(self._around.run, report.step, report.attempt, report.sequence),
            version=report.version,
            external_id=self._around.external_id,
        )
        if report.announce is not None and self._around.external_id:
            request.announce.CopyFrom(_spec(report.announce))
        return request


def _step(report: StepReport) -> pb.Step:
    step = pb.Step(
        name=report.step,
        attempt=report.attempt,
        state=pb.StepState.Value(f"STEP_STATE_{report.state}"),
        progress=min(1.0, max(0.0, report.progress)),
        message=report.message[:1000],
        metrics=dict(report.metrics),
        checkpoint_digest=report.checkpoint_digest,
        error=report.error,
    )
    if report.eta_s is not None:
        step.eta.FromMilliseconds(int(1000 * report.eta_s))
    return step


def _spec(announcement: Announcement) -> pb.RunSpec:
    spec = pb.RunSpec(
        model=f"models/{announcement.model}",
        base_version=announcement.base_version,
        data=announcement.data,
        executor=pb.EXECUTOR_KUBEFLOW,
    )
    spec.parameters.update({name: float(value) for name, value in announcement.parameters.items()})
    return spec
