"""Whom the registry takes for the starter of a run: the orchestrator's word, and no word is no answer."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from mgrd.clients.connection import Connection
from mgrd.training.v1 import training_pb2 as pb
from mgrd.training.v1 import training_pb2_grpc
from services.kit.auth import Caller, TokenTable
from services.kit.errors import NotFound, Unavailable
from services.kit.server import in_process
from services.orchestrator.policy import POLICY
from services.registry.adapters.runs import OrchestratorRuns


class Training(training_pb2_grpc.TrainingServiceServicer):
    def GetRun(self, request: pb.GetRunRequest, context: grpc.ServicerContext) -> pb.GetRunResponse:
        if request.name == "runs/broken":
            raise RuntimeError("no database")
        if request.name != "runs/known":
            raise NotFound(f"{request.name} does not exist")
        return pb.GetRunResponse(run=pb.Run(name=request.name, creator="cem"))


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[OrchestratorRuns]:
    token = tmp_path / "registry.token"
    token.write_text("t")
    server, port = in_process(
        register=lambda found: training_pb2_grpc.add_TrainingServiceServicer_to_server(Training(), found),
        policy=POLICY,
        tokens=TokenTable.of({"t": Caller("registry", "service", frozenset({"reader"}))}),
    )
    connection = Connection(f"127.0.0.1:{port}", token_file=token, retry_for_s=0.0)
    yield OrchestratorRuns(connection)
    connection.close()
    server.stop(0)


def test_the_orchestrator_says_who_started_a_run(runs: OrchestratorRuns) -> None:
    assert runs.starter("runs/known") == "cem"


@pytest.mark.parametrize("run", ["", "runs/elsewhere", "https://evil/runs/known", "runs/../known", "runs/known\n"])
def test_a_run_it_never_heard_of_has_no_starter(runs: OrchestratorRuns, run: str) -> None:
    assert runs.starter(run) == ""


def test_where_it_cannot_say_nothing_is_registered(runs: OrchestratorRuns) -> None:
    with pytest.raises(Unavailable, match="runs/broken"):
        runs.starter("runs/broken")
