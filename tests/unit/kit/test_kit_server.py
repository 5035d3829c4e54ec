"""The layers around every RPC, seen by a client of a real server on loopback."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2 as details
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from mgrd.clients import Connection, RegistryClient
from mgrd.registry.v1 import registry_pb2 as pb
from mgrd.registry.v1 import registry_pb2_grpc
from services.kit.auth import Caller, TokenTable, current_caller
from services.kit.deadlines import remaining_s
from services.kit.errors import FailedPrecondition, InvalidArgument, ResourceExhausted, Violation
from services.kit.server import in_process
from services.kit.settings import ServiceSettings
from services.kit.telemetry import span, trace_id, traceparent

METHOD = "/mgrd.registry.v1.RegistryService/"
TRACE = "0af7651916cd43dd8448eb211c80319c"
ADA = Caller(subject="ada", kind="person", roles=frozenset({"reader"}))
Behaviour = Callable[[pb.GetModelRequest], str]


class Registry(registry_pb2_grpc.RegistryServiceServicer):
    behaviour: Behaviour = staticmethod(lambda request: request.name)

    def GetModel(self, request: pb.GetModelRequest, context: grpc.ServicerContext) -> pb.GetModelResponse:
        return pb.GetModelResponse(model=pb.Model(name=self.behaviour(request)))


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def address(registry: Registry) -> Iterator[str]:
    server, port = in_process(
        register=lambda found: registry_pb2_grpc.add_RegistryServiceServicer_to_server(registry, found),
        policy={METHOD + "GetModel": frozenset({"reader"}), METHOD + "GetVersion": frozenset({"author"})},
        tokens=TokenTable.of({"t": ADA}),
        settings=ServiceSettings(max_concurrent_rpcs=2, max_deadline_s=30),
    )
    yield f"127.0.0.1:{port}"
    server.stop(0)


@pytest.fixture
def channel(address: str) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(address) as channel:
        yield channel


def _call(
    channel: grpc.Channel, *, name: str = "m", timeout: float | None = 10, token: str = "t", trace: str = ""
) -> str:
    metadata = [("authorization", f"Bearer {token}")] if token else []
    metadata += [("traceparent", trace)] if trace else []
    stub = registry_pb2_grpc.RegistryServiceStub(channel)
    return stub.GetModel(pb.GetModelRequest(name=name), timeout=timeout, metadata=metadata).model.name


def _refusal(call: Callable[[], object]) -> tuple[grpc.StatusCode, details.ErrorInfo, grpc.RpcError]:
    with pytest.raises(grpc.RpcError) as refused:
        call()
    status = rpc_status.from_call(refused.value)
    infos = [found for found in status.details if found.Is(details.ErrorInfo.DESCRIPTOR)]
    assert len(infos) == 1
    info = details.ErrorInfo()
    infos[0].Unpack(info)
    assert info.domain == "mgrd"
    return refused.value.code(), info, refused.value


def _detail(error: grpc.RpcError, kind: type) -> object:
    for found in rpc_status.from_call(error).details:
        if found.Is(kind.DESCRIPTOR):
            message = kind()
            found.Unpack(message)
            return message
    raise AssertionError(f"no {kind.__name__}")


def test_the_caller_deadline_and_trace_reach_the_servicer(registry: Registry, channel: grpc.Channel) -> None:
    registry.behaviour = lambda _: f"{current_caller().subject} {trace_id()} {remaining_s() <= 30}"
    given = f"00-{TRACE}-b7ad6b7169203331-01"
    assert _call(channel, timeout=31_536_000, trace=given) == f"ada {TRACE} True"


def test_a_call_without_a_trace_begins_one(registry: Registry, channel: grpc.Channel) -> None:
    registry.behaviour = lambda _: trace_id()
    assert len(_call(channel)) == 32


def test_a_call_made_within_a_call_belongs_to_its_trace(registry: Registry, address: str, tmp_path: Path) -> None:
    registry.behaviour = lambda _: trace_id()
    (tmp_path / "token").write_text("t")
    connection = Connection(address, token_file=tmp_path / "token", traceparent=traceparent)
    client = RegistryClient(connection)
    with span("outer"):
        assert client.get_model("models/m").name == trace_id()
    assert client.get_model("models/m").name != ""
    connection.close()


def test_no_token_no_deadline_no_right(channel: grpc.Channel) -> None:
    assert _refusal(lambda: _call(channel, token=""))[1].reason == "TOKEN_MISSING"
    assert _refusal(lambda: _call(channel, token="x"))[0] is grpc.StatusCode.UNAUTHENTICATED
    assert _refusal(lambda: _call(channel, timeout=None))[1].reason == "DEADLINE_MISSING"
    stub = registry_pb2_grpc.RegistryServiceStub(channel)
    metadata = [("authorization", "Bearer t")]
    code, info, _ = _refusal(lambda: stub.GetVersion(pb.GetVersionRequest(), timeout=5, metadata=metadata))
    assert (code, info.reason) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")


def test_an_unexpected_error_is_internal_and_tells_only_an_id(
    registry: Registry, channel: grpc.Channel, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: pb.GetModelRequest) -> str:
        raise RuntimeError("password is hunter2")

    registry.behaviour = fail
    code, info, error = _refusal(lambda: _call(channel))
    assert code is grpc.StatusCode.INTERNAL
    assert "hunter2" not in error.details()
    logged = [record for record in caplog.records if getattr(record, "error_id", "") == info.metadata["error_id"]]
    assert len(logged) == 1


def test_errors_carry_what_helps_to_mend_them(registry: Registry, channel: grpc.Channel) -> None:
    def refuse(error: Exception) -> grpc.RpcError:
        def behaviour(_: pb.GetModelRequest) -> str:
            raise error

        registry.behaviour = behaviour
        return _refusal(lambda: _call(channel))[2]

    bad = _detail(refuse(InvalidArgument("wrong", field="model.name")), details.BadRequest)
    assert [violation.field for violation in bad.field_violations] == ["model.name"]
    violations = [Violation("GATE", "models/m", "one"), Violation("APPROVAL", "models/m", "two")]
    unmet = refuse(FailedPrecondition("no", reason="GATE_NOT_MET", violations=violations))
    failure = _detail(unmet, details.PreconditionFailure)
    assert [(v.type, v.subject, v.description) for v in failure.violations] == [
        ("GATE", "models/m", "one"),
        ("APPROVAL", "models/m", "two"),
    ]
    full = refuse(ResourceExhausted("full", retry_after_s=1.5))
    assert _detail(full, details.RetryInfo).retry_delay.ToMilliseconds() == 1500
    assert len(_detail(full, details.QuotaFailure).violations) == 1


def test_a_text_with_nul_or_without_end_is_refused_with_its_field(channel: grpc.Channel) -> None:
    for name in ("a\0b", "x" * 100_001):
        code, _, error = _refusal(lambda name=name: _call(channel, name=name))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert _detail(error, details.BadRequest).field_violations[0].field == "name"


def test_one_call_too_many_is_told_to_come_back_and_health_still_answers(
    registry: Registry, channel: grpc.Channel
) -> None:
    entered, leave = threading.Semaphore(0), threading.Event()

    def wait(_: pb.GetModelRequest) -> str:
        entered.release()
        leave.wait(20)
        return "done"

    registry.behaviour = wait
    with ThreadPoolExecutor(2) as pool:
        busy = [pool.submit(_call, channel) for _ in range(2)]
        for _ in busy:
            entered.acquire(timeout=20)
        code, info, error = _refusal(lambda: _call(channel))
        health = health_pb2_grpc.HealthStub(channel)
        state = health.Check(health_pb2.HealthCheckRequest(service="mgrd.registry.v1.RegistryService"), timeout=5)
        leave.set()
        assert [future.result() for future in busy] == ["done", "done"]
    assert (code, info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS")
    assert _detail(error, details.RetryInfo).retry_delay.ToMilliseconds() > 0
    assert state.status == health_pb2.HealthCheckResponse.SERVING
    assert _call(channel) == "done"


def test_bytes_that_are_no_message_are_an_invalid_argument(channel: grpc.Channel) -> None:
    send = channel.unary_unary(METHOD + "GetModel", request_serializer=bytes, response_deserializer=bytes)
    metadata = [("authorization", "Bearer t")]
    code, info, _ = _refusal(lambda: send(b"\xff\xff\xff", timeout=5, metadata=metadata))
    assert (code, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "GARBLED")
    assert _refusal(lambda: send(b"\xff\xff\xff", timeout=5))[0] is grpc.StatusCode.UNAUTHENTICATED


def test_a_message_beyond_the_limit_is_refused_and_harms_nobody(channel: grpc.Channel) -> None:
    send = channel.unary_unary(METHOD + "GetModel", request_serializer=bytes, response_deserializer=bytes)
    with pytest.raises(grpc.RpcError) as refused:
        send(bytes(65 * 2**20), timeout=20, metadata=[("authorization", "Bearer t")])
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert _call(channel, name="still here") == "still here"
