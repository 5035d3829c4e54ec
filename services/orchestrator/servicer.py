"""TrainingService over gRPC: translates, opens the transaction, answers. What happens is in `usecases`."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from mgrd.training.v1 import training_pb2 as pb
from mgrd.training.v1 import training_pb2_grpc as pb_grpc
from services.kit.auth import current_caller
from services.kit.database import Database, UnitOfWork
from services.kit.idempotency import check_request_id, idempotent
from services.kit.paging import read_page
from services.kit.peers import is_on_this_machine
from services.orchestrator import translation, usecases
from services.orchestrator.changes import Changes
from services.orchestrator.domain import Run, RunState
from services.orchestrator.specs import Rules
from services.orchestrator.usecases import Report

Response = TypeVar("Response", bound=Message)
_WATCH_EVERY_S = 0.5


class TrainingServicer(pb_grpc.TrainingServiceServicer):
    """Every RPC of TrainingService."""

    def __init__(self, database: Database, *, rules: Rules, changes: Changes) -> None:
        self._database = database
        self._rules = rules
        self._changes = changes

    def CreateRun(self, request: pb.CreateRunRequest, context: grpc.ServicerContext) -> pb.CreateRunResponse:
        near = is_on_this_machine(context.peer())
        wanted = replace(translation.wanted(request.spec, run_id=request.run_id), is_from_here=near)

        def make(work: UnitOfWork) -> pb.CreateRunResponse:
            run = usecases.create_run(work, wanted, rules=self._rules, validate_only=request.validate_only)
            return pb.CreateRunResponse(run=self._shown(run))

        if request.validate_only:
            with self._database.unit_of_work(current_caller(), read_only=True) as work:
                return make(work)
        return self._once("CreateRun", request, make)

    def GetRun(self, request: pb.GetRunRequest, context: grpc.ServicerContext) -> pb.GetRunResponse:
        return pb.GetRunResponse(run=self._shown(self._read(translation.run_id(request.name))))

    def ListRuns(self, request: pb.ListRunsRequest, context: grpc.ServicerContext) -> pb.ListRunsResponse:
        state = translation.state(request.state)
        page = read_page(request.page_size, request.page_token, filters=["ListRuns", str(state or "")])
        with self._database.unit_of_work(current_caller(), read_only=True) as work:
            found = usecases.list_runs(work, page, state=state)
        runs, token = page.cut(found, key=lambda run: (run.id,))
        return pb.ListRunsResponse(runs=[self._shown(run) for run in runs], next_page_token=token)

    def CancelRun(self, request: pb.CancelRunRequest, context: grpc.ServicerContext) -> pb.CancelRunResponse:
        run_id = translation.run_id(request.name)
        return self._once(
            "CancelRun",
            request,
            lambda work: pb.CancelRunResponse(run=self._shown(usecases.cancel_run(work, run_id))),
        )

    def ResumeRun(self, request: pb.ResumeRunRequest, context: grpc.ServicerContext) -> pb.ResumeRunResponse:
        run_id = translation.run_id(request.name)
        return self._once(
            "ResumeRun",
            request,
            lambda work: pb.ResumeRunResponse(run=self._shown(usecases.resume_run(work, run_id))),
        )

    def ReportStep(self, request: pb.ReportStepRequest, context: grpc.ServicerContext) -> pb.ReportStepResponse:
        """Idempotent by (run, step, attempt, sequence), so no answer needs to be kept."""
        report = self._report(request)

        def transaction() -> Run:
            with self._database.unit_of_work(current_caller()) as work:
                run = usecases.report_step(work, report, rules=self._rules)
                work.commit()
                return run

        run = self._database.retrying(transaction)
        self._changes.announce()
        return pb.ReportStepResponse(cancel_requested=run.state is RunState.CANCELLING or run.ended)

    def WatchRun(self, request: pb.WatchRunRequest, context: grpc.ServicerContext) -> Iterator[pb.WatchRunResponse]:
        run_id = translation.run_id(request.name)
        seen, revision = 0, 0
        while context.is_active():
            run = self._read(run_id)
            if run.revision != revision:
                revision = run.revision
                yield pb.WatchRunResponse(run=self._shown(run))
            if run.ended:
                return
            seen = self._changes.wait_beyond(seen, timeout_s=_WATCH_EVERY_S)

    def _report(self, request: pb.ReportStepRequest) -> Report:
        check_request_id(request.request_id)
        announced = None
        if request.HasField("announce"):
            announced = translation.wanted(request.announce, field="announce")
        return Report(
            run_id=translation.run_id(request.run, field="run"),
            step=translation.step(request, now=self._rules.clock()),
            version=request.version,
            external_id=request.external_id,
            announced=announced,
        )

    def _read(self, run_id: str) -> Run:
        with self._database.unit_of_work(current_caller(), read_only=True) as work:
            return usecases.get_run(work, run_id)

    def _once(self, method: str, request: Message, make: Callable[[UnitOfWork], Response]) -> Response:
        def transaction() -> Response:
            with self._database.unit_of_work(current_caller()) as work:
                response = idempotent(
                    work,
                    request_id=request.request_id,
                    method=method,
                    request=request,
                    make=lambda: make(work),
                )
                work.commit()
                return response

        response = self._database.retrying(transaction)
        self._changes.announce()
        return response

    def _shown(self, run: Run) -> pb.Run:
        return translation.to_proto(run, clock=self._rules.clock)
