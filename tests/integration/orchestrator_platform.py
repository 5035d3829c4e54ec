"""An orchestrator with its supervisor in this process, a registry that only takes notes, and the real local runner."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import grpc

from mgrd.registry.v1 import registry_pb2, registry_pb2_grpc
from mgrd.store import open_store
from mgrd.training.v1 import training_pb2 as pb
from mgrd.training.v1 import training_pb2_grpc as pb_grpc
from pipelines.compile import compile_template
from services.kit.auth import Caller, TokenTable
from services.kit.background import BackgroundThreads
from services.kit.database import Database
from services.kit.migrations import migrate
from services.kit.server import in_process
from services.kit.settings import ServiceSettings
from services.orchestrator.adapters.local import LocalExecutor
from services.orchestrator.adapters.template import TemplateCatalog
from services.orchestrator.changes import Changes
from services.orchestrator.domain import ExecutorKind
from services.orchestrator.policy import POLICY
from services.orchestrator.servicer import TrainingServicer
from services.orchestrator.specs import Rules
from services.orchestrator.supervision import Supervisor

TOKENS = {
    "author-token": Caller("ana", "person", frozenset({"author"})),
    "step-token": Caller("pipeline", "service", frozenset({"step"})),
    "reader-token": Caller("rob", "person", frozenset({"reader"})),
}
STAGES = "tests.unit.pipelines.fake_stages"


@dataclass
class NotingRegistry(registry_pb2_grpc.RegistryServiceServicer):
    """Says yes and remembers what it was asked."""

    calls: list[str] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)

    def GetModel(self, request: registry_pb2.GetModelRequest, context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode.NOT_FOUND, "no such model")

    def GetAlias(self, request: registry_pb2.GetAliasRequest, context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode.NOT_FOUND, "no such alias")

    def CreateModel(
        self, request: registry_pb2.CreateModelRequest, context: grpc.ServicerContext
    ) -> registry_pb2.CreateModelResponse:
        self._note("CreateModel", request.request_id)
        return registry_pb2.CreateModelResponse()

    def CreateVersion(
        self, request: registry_pb2.CreateVersionRequest, context: grpc.ServicerContext
    ) -> registry_pb2.CreateVersionResponse:
        self._note("CreateVersion", request.request_id)
        version = registry_pb2.Version(name=f"{request.parent}/versions/1", manifest=request.manifest)
        return registry_pb2.CreateVersionResponse(version=version)

    def CreateEvaluation(
        self, request: registry_pb2.CreateEvaluationRequest, context: grpc.ServicerContext
    ) -> registry_pb2.CreateEvaluationResponse:
        self._note(f"CreateEvaluation {request.evaluation.suite}", request.request_id)
        return registry_pb2.CreateEvaluationResponse()

    def Promote(
        self, request: registry_pb2.PromoteRequest, context: grpc.ServicerContext
    ) -> registry_pb2.PromoteResponse:
        self._note(f"Promote {request.alias}", request.request_id)
        return registry_pb2.PromoteResponse()

    def _note(self, call: str, request_id: str) -> None:
        self.calls.append(call)
        self.request_ids.append(request_id)


@dataclass(frozen=True)
class Platform:
    """What a test speaks to."""

    folder: Path
    stub: pb_grpc.TrainingServiceStub
    registry: NotingRegistry
    database: Database
    environment: dict[str, str]
    stop: Callable[[], None]
    """Ends the orchestrator as kill -9 would: runners live on."""

    def watch_until(self, name: str, wanted: Callable[[pb.Run], bool], *, timeout_s: float = 150) -> pb.Run:
        """The first state of the run that is as wanted."""
        for seen in self.stub.WatchRun(pb.WatchRunRequest(name=name), timeout=timeout_s, metadata=as_("reader")):
            if wanted(seen.run):
                return seen.run
        raise AssertionError(f"{name} ended and never was as wanted: {seen.run}")

    def calls(self) -> list[str]:
        """The stages that ran, in order."""
        path = self.folder / "calls"
        return path.read_text().split() if path.exists() else []


def as_(who: str) -> tuple[tuple[str, str], ...]:
    """Metadata of a caller."""
    return (("authorization", f"Bearer {who}-token"),)


def write_base(folder: Path) -> Path:
    """A checkpoint folder that the stand-in stages can train."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"front_end_version": "fe/1", "model_type": "mgrd_audio_lm"}')
    (folder / "model.safetensors").write_text("base\n")
    return folder


@contextmanager
def registry_server(registry: NotingRegistry) -> Iterator[str]:
    """The address of a running registry."""
    server = grpc.server(ThreadPoolExecutor(4))
    registry_pb2_grpc.add_RegistryServiceServicer_to_server(registry, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(0)


class Orchestrator:
    """A running orchestrator over the state in `folder`."""

    def __init__(self, folder: Path, environment: dict[str, str], *, listen: str = "127.0.0.1:0") -> None:
        url = f"sqlite:///{folder / 'orchestrator.db'}"
        migrate(url, package="services.orchestrator")
        self.database, changes = Database(url), Changes()
        executor = LocalExecutor(
            folder / "runs", template=folder / "fake.yaml", environment=environment, kill_after_s=2
        )
        rules = Rules(
            catalog=TemplateCatalog(folder / "fake.yaml"),
            store=open_store(environment["MGRD_STORE_URL"]),
            executors=frozenset({ExecutorKind.LOCAL}),
            default_executor=ExecutorKind.LOCAL,
        )
        servicer = TrainingServicer(self.database, rules=rules, changes=changes)
        self._server, port = in_process(
            register=lambda server: pb_grpc.add_TrainingServiceServicer_to_server(servicer, server),
            policy=POLICY,
            tokens=TokenTable.of(TOKENS),
            settings=ServiceSettings(listen=listen),
        )
        self.address = environment["MGRD_ORCHESTRATOR_ADDR"] = f"127.0.0.1:{port}"
        surviving = {ExecutorKind.LOCAL: _Surviving(executor)}
        self._workers = BackgroundThreads([Supervisor(self.database, surviving, changes=changes, every_s=0.1)])
        self._workers.start()
        self._channel = grpc.insecure_channel(self.address)
        self.stub = pb_grpc.TrainingServiceStub(self._channel)

    def stop(self) -> None:
        """Ends it; doing so again does nothing."""
        self._channel.close()
        self._workers.stop(timeout_s=5)
        self._server.stop(0).wait()
        self.database.close()


class _Surviving:
    """The executor without the order of `close`: what a killed process does not do."""

    def __init__(self, executor: LocalExecutor) -> None:
        self.start, self.look, self.cancel = executor.start, executor.look, executor.cancel

    def close(self) -> None:
        """A killed process closes nothing."""


@contextmanager
def platform(folder: Path) -> Iterator[Platform]:
    """Everything, in an empty folder."""
    compile_template(folder / "fake.yaml", stages=STAGES)
    (folder / "step-token").write_text("step-token")
    registry = NotingRegistry()
    with registry_server(registry) as registry_addr:
        environment = {
            "MGRD_STORE_URL": f"file://{folder / 'store'}",
            "MGRD_REGISTRY_ADDR": registry_addr,
            "MGRD_INFERENCE_ADDR": "",
            "MGRD_TOKEN_FILE": str(folder / "step-token"),
            "MGRD_BASE_CHECKPOINT": str(write_base(folder / "base")),
            "MGRD_FAKE_CALLS": str(folder / "calls"),
        }
        orchestrator = Orchestrator(folder, environment)
        try:
            yield Platform(folder, orchestrator.stub, registry, orchestrator.database, environment, orchestrator.stop)
        finally:
            orchestrator.stop()
            end_runners(folder / "runs")


@contextmanager
def restarted(running: Platform) -> Iterator[Platform]:
    """The platform after its orchestrator was killed and came back at the same address."""
    running.stop()
    orchestrator = Orchestrator(
        running.folder, running.environment, listen=running.environment["MGRD_ORCHESTRATOR_ADDR"]
    )
    try:
        yield replace(running, stub=orchestrator.stub, database=orchestrator.database, stop=orchestrator.stop)
    finally:
        orchestrator.stop()


def end_runners(folder: Path) -> None:
    """Kills what a failed test may have left at work."""
    for noted in folder.glob("*/process.json"):
        try:
            os.killpg(json.loads(noted.read_text())["pid"], signal.SIGKILL)
        except ProcessLookupError:
            continue
