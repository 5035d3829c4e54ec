"""Clients cover every RPC, mirror the messages, retry only what is safe, and turn failures into typed errors."""

import re
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from mgrd import clients
from mgrd.clients import (
    Connection,
    FeaturesClient,
    InferenceClient,
    RegistryClient,
    TrainingClient,
    connect,
    registry_values,
    sound,
)
from mgrd.clients import inference as inference_values
from mgrd.clients import training as training_values
from mgrd.clients.codec import read, write
from mgrd.clients.inference import AnswerDelta, Answerer, Completion, Question, ReasoningDelta, Sampling
from mgrd.clients.registry_values import Comparison, Gate, Requirement
from mgrd.clients.training import RunSpec, RunState, Step, StepState
from mgrd.common.v1 import common_pb2
from mgrd.errors import MgrdError
from mgrd.features.v1 import features_pb2
from mgrd.inference.v1 import inference_pb2, inference_pb2_grpc
from mgrd.manifest import Manifest, ManifestFile
from mgrd.registry.v1 import registry_pb2, registry_pb2_grpc
from mgrd.training.v1 import training_pb2, training_pb2_grpc

AREAS = [
    (features_pb2, "FeaturesService", FeaturesClient),
    (training_pb2, "TrainingService", TrainingClient),
    (registry_pb2, "RegistryService", RegistryClient),
    (inference_pb2, "InferenceService", InferenceClient),
]
MIRRORED = [
    *((sound, name, common_pb2) for name in ("Claim", "Evidence", "Descriptor")),
    *((training_values, name, training_pb2) for name in ("RunSpec", "Run", "Step")),
    *(
        (registry_values, name, registry_pb2)
        for name in (
            *("Alias", "Approval", "AuditRecord", "Evaluation", "Gate", "Lineage", "Model", "Promotion"),
            *("Requirement", "Upload", "Version", "Manifest"),
        )
    ),
    *((inference_values, name, inference_pb2) for name in ("Sampling", "Answerer", "Completion", "Deployment")),
]


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@pytest.mark.parametrize(("module", "service", "client"), AREAS)
def test_every_rpc_has_a_client_method(module, service: str, client: type) -> None:
    rpcs = [method.name for method in module.DESCRIPTOR.services_by_name[service].methods]
    missing = [rpc for rpc in rpcs if not callable(getattr(client, snake(rpc), None))]
    assert rpcs
    assert missing == []


@pytest.mark.parametrize(("module", "name", "proto"), MIRRORED)
def test_values_mirror_their_messages(module, name: str, proto) -> None:
    ours = {field.name for field in fields(getattr(module, name))}
    theirs = {field.name for field in getattr(proto, name).DESCRIPTOR.fields}
    assert ours == theirs


def test_no_proto_type_leaks() -> None:
    kinds = [getattr(module, name) for module, name, _ in MIRRORED]
    assert all(is_dataclass(kind) and "pb2" not in str(kind.__annotations__) for kind in kinds)


def test_values_survive_the_wire() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    step = Step(
        "distil-1", 2, StepState.CACHED, 0.5, timedelta(seconds=9), "m", {"accuracy": 1.0}, "sha256:1", "", now, now
    )
    spec = RunSpec("models/nano", parameters={"steps": 3, "rate": 0.5, "names": ["a"], "deep": {"n": 1}})
    gate = Gate((Requirement("heldout", "accuracy", Comparison.AT_LEAST_CURRENT_PLUS, -0.02, ("a",)),), 1, True)
    manifest = Manifest((ManifestFile("a.json", 1, "a" * 64),), "f", "a")
    assert read(Step, write(training_pb2.Step, step)) == step
    assert read(RunSpec, write(training_pb2.RunSpec, spec)) == spec
    assert read(Gate, write(registry_pb2.Gate, gate)) == gate
    assert read(Manifest, write(registry_pb2.Manifest, manifest)).digest == manifest.digest
    assert read(Sampling, write(inference_pb2.Sampling, Sampling(temperature=0.0))) == Sampling(temperature=0.0)


@contextmanager
def serving(register: Callable[[grpc.Server], None]) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(4))
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


def status(code: int, message: str, *details) -> object:
    packed = []
    for detail in details:
        packed.append(any_pb2.Any())
        packed[-1].Pack(detail)
    return rpc_status.to_status(status_pb2.Status(code=code, message=message, details=packed))


class Registry(registry_pb2_grpc.RegistryServiceServicer):
    """Fails as told, then answers; remembers what it was sent."""

    def __init__(self, *failures: object) -> None:
        self.failures = list(failures)
        self.requests: list[object] = []
        self.tokens: list[str] = []
        self.deadlines: list[float] = []
        self.parts: dict[int, bytes] = {}

    def _take(self, request, context) -> None:
        self.requests.append(request)
        self.tokens.append(dict(context.invocation_metadata()).get("authorization", ""))
        self.deadlines.append(context.time_remaining())
        if self.failures:
            context.abort_with_status(self.failures.pop(0))

    def Promote(self, request, context):
        self._take(request, context)
        return registry_pb2.PromoteResponse(promotion=registry_pb2.Promotion(version=request.version))

    def ListVersions(self, request, context):
        self._take(request, context)
        first = int(request.page_token or 0)
        manifest = registry_pb2.Manifest(files=[registry_pb2.ManifestFile(path="a", sha256="a" * 64)])
        versions = [registry_pb2.Version(name=f"v{n}", manifest=manifest) for n in range(first, first + 2)]
        return registry_pb2.ListVersionsResponse(versions=versions, next_page_token="2" if first == 0 else "")

    def CreateUpload(self, request, context):
        self.parts[0] = b"ab"
        return registry_pb2.CreateUploadResponse(
            upload=registry_pb2.Upload(name="uploads/1", size_bytes=request.size_bytes, part_size_bytes=2, parts=[0])
        )

    def UploadPart(self, request, context):
        self.parts[request.part] = request.content
        return registry_pb2.UploadPartResponse(upload=registry_pb2.Upload(name=request.name))

    def CompleteUpload(self, request, context):
        return registry_pb2.CompleteUploadResponse(upload=registry_pb2.Upload(complete=True, sha256="s"))


@contextmanager
def registry(servicer: Registry, **options) -> Iterator[RegistryClient]:
    with serving(lambda server: registry_pb2_grpc.add_RegistryServiceServicer_to_server(servicer, server)) as address:
        connection = Connection(address, **options)
        yield RegistryClient(connection)
        connection.close()


def test_unavailable_is_retried_with_the_same_request_id() -> None:
    servicer = Registry(*(status(code_pb2.UNAVAILABLE, "restarting") for _ in range(3)))
    with registry(servicer) as client:
        assert client.promote("models/m/aliases/a", version="v").promotion.version == "v"
    assert len({request.request_id for request in servicer.requests}) == 1
    assert len(servicer.requests) == 4
    uuid.UUID(servicer.requests[0].request_id)


@pytest.mark.parametrize("code", ["INTERNAL", "ABORTED", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "UNKNOWN"])
def test_nothing_else_is_retried(code: str) -> None:
    servicer = Registry(status(code_pb2.Code.Value(code), "no"))
    with registry(servicer) as client, pytest.raises(clients.CallError) as caught:
        client.promote("models/m/aliases/a", version="v")
    assert caught.value.code == code
    assert len(servicer.requests) == 1


def test_retrying_ends_at_its_limit() -> None:
    servicer = Registry(*(status(code_pb2.UNAVAILABLE, "down") for _ in range(1000)))
    with registry(servicer, retry_for_s=0.2) as client, pytest.raises(clients.UnavailableError):
        client.promote("models/m/aliases/a", version="v")
    assert 2 <= len(servicer.requests) < 20


def test_every_call_has_a_deadline_and_the_token_of_the_file(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("one\n")
    servicer = Registry()
    with registry(servicer, token_file=token, timeout_s=7) as client:
        client.promote("a", version="v")
        token.write_text("two\n")  # projected tokens are replaced while a process runs
        client.promote("a", version="v")
    assert servicer.tokens == ["Bearer one", "Bearer two"]
    assert all(0 < left < 7.5 for left in servicer.deadlines)


def test_a_missing_token_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    with registry(Registry(), token_file=tmp_path / "none") as client:
        with pytest.raises(MgrdError, match="set MGRD_TOKEN_FILE"):
            client.promote("a", version="v")


def test_details_of_a_refusal_arrive_typed() -> None:
    failure = error_details_pb2.PreconditionFailure(
        violations=[{"type": "METRIC", "subject": "heldout/accuracy", "description": "0.4 is below 0.5"}] * 2
    )
    info = error_details_pb2.ErrorInfo(reason="GATE_NOT_MET", domain="mgrd", metadata={"alias": "production"})
    servicer = Registry(status(code_pb2.FAILED_PRECONDITION, "the gate is not met", info, failure))
    with registry(servicer) as client, pytest.raises(clients.FailedPreconditionError, match="gate") as caught:
        client.promote("a", version="v")
    error = caught.value
    assert (error.reason, error.metadata, error.field) == ("GATE_NOT_MET", {"alias": "production"}, None)
    assert [(one.kind, one.subject, one.description) for one in error.violations] == [
        ("METRIC", "heldout/accuracy", "0.4 is below 0.5")
    ] * 2


def test_the_offending_field_and_the_time_to_wait_arrive() -> None:
    bad = error_details_pb2.BadRequest(field_violations=[{"field": "version", "description": "is no name"}])
    retry = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=2))
    servicer = Registry(
        status(code_pb2.INVALID_ARGUMENT, "version 'x' is no name", bad),
        status(code_pb2.RESOURCE_EXHAUSTED, "busy", retry),
    )
    with registry(servicer) as client:
        with pytest.raises(clients.InvalidArgumentError) as wrong:
            client.promote("a", version="x")
        with pytest.raises(clients.ResourceExhaustedError) as busy:
            client.promote("a", version="x")
    assert wrong.value.field == "version"
    assert busy.value.retry_after_s == 2.0


def test_pages_are_one_iterator() -> None:
    with registry(Registry()) as client:
        assert [version.name for version in client.list_versions("models/m")] == ["v0", "v1", "v2", "v3"]


def test_upload_sends_only_the_missing_parts(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"abcde")
    servicer = Registry()
    with registry(servicer) as client:
        assert client.upload(path) == "s"
    assert servicer.parts == {0: b"ab", 1: b"cd", 2: b"e"}


class Training(training_pb2_grpc.TrainingServiceServicer):
    """Cuts the first watch, as a restart does."""

    def __init__(self) -> None:
        self.watches = 0

    def _run(self, state: str):
        return training_pb2.Run(name="runs/r", state=training_pb2.RunState.Value(f"RUN_STATE_{state}"))

    def WatchRun(self, request, context):
        self.watches += 1
        yield training_pb2.WatchRunResponse(run=self._run("RUNNING"))
        if self.watches == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, "restarting")
        yield training_pb2.WatchRunResponse(run=self._run("SUCCEEDED"))

    def GetRun(self, request, context):
        return training_pb2.GetRunResponse(run=self._run("RUNNING"))


def test_watching_outlives_a_restart() -> None:
    servicer = Training()
    with serving(lambda server: training_pb2_grpc.add_TrainingServiceServicer_to_server(servicer, server)) as address:
        states = [run.state for run in TrainingClient(Connection(address)).watch_run("runs/r")]
    assert states == [RunState.RUNNING, RunState.RUNNING, RunState.SUCCEEDED]


class Inference(inference_pb2_grpc.InferenceServiceServicer):
    def __init__(self, *, endless: bool = False) -> None:
        self.ended = threading.Event()
        self.endless = endless

    def Reason(self, request, context):
        context.add_callback(self.ended.set)
        yield inference_pb2.ReasonResponse(answerer={"version": "models/m/versions/1"})
        yield inference_pb2.ReasonResponse(reasoning={"text": "the pitch rises", "tokens": 3})
        if self.endless:
            assert self.ended.wait(10)
        yield inference_pb2.ReasonResponse(evidence={"claim": {"descriptor": "pitch"}, "verdict": 1})
        yield inference_pb2.ReasonResponse(answer={"text": "happy", "tokens": 1})
        yield inference_pb2.ReasonResponse(completion={"answer": "happy", "finish_reason": "stop"})


def test_a_reply_comes_as_typed_events() -> None:
    with serving(
        lambda server: inference_pb2_grpc.add_InferenceServiceServicer_to_server(Inference(), server)
    ) as address:
        events = list(InferenceClient(Connection(address)).reason(Question("models/m", "how does it sound ?")))
    assert [type(event) for event in events] == [Answerer, ReasoningDelta, sound.Evidence, AnswerDelta, Completion]
    assert events[2].verdict is sound.Verdict.SUPPORTED
    assert events[2].claim.start_s is None


def test_leaving_a_reply_cancels_the_request() -> None:
    servicer = Inference(endless=True)
    with serving(lambda server: inference_pb2_grpc.add_InferenceServiceServicer_to_server(servicer, server)) as address:
        reply = InferenceClient(Connection(address)).reason(Question("models/m", "?"))
        next(reply)
        reply.close()
        assert servicer.ended.wait(5)


def test_connect_names_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGRD_HOME", str(tmp_path))
    for area in ("FEATURES", "ORCHESTRATOR", "REGISTRY", "INFERENCE"):
        monkeypatch.delenv(f"MGRD_{area}_ADDR", raising=False)
    with pytest.raises(MgrdError, match="mgrd up"):
        connect()
    monkeypatch.setenv("MGRD_REGISTRY_ADDR", "127.0.0.1:1")
    with connect() as found:
        assert isinstance(found.registry, RegistryClient)
        with pytest.raises(MgrdError, match="MGRD_FEATURES_ADDR"):
            _ = found.features
