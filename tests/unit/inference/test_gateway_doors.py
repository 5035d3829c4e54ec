"""The gRPC and HTTP doors over one gateway, with real tokens, a real database and fakes behind."""

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from starlette.testclient import TestClient

from mgrd.events.v1.events_pb2 import AliasMoved, DeploymentFailed, DeploymentReady
from mgrd.inference.v1 import inference_pb2 as wire
from mgrd.inference.v1 import inference_pb2_grpc as stubs
from services.inference.adapters.deployments import UNLOADED
from services.inference.domain import Version
from services.inference.gateway.directory import DatabaseDirectory, Refresher, handlers
from services.inference.gateway.http.door import application
from services.inference.gateway.reason import Reasoner
from services.inference.gateway.replies import ReasonerOptions
from services.inference.gateway.servicer import POLICY, InferenceServicer
from services.kit.auth import Caller, TokenTable
from services.kit.database import Database
from services.kit.migrations import migrate
from services.kit.server import in_process
from tests.support.gateway import FakeRegistry, World

OLD = Version("models/m/versions/1", "sha256:" + "1" * 64, "front/1")
NEW = Version("models/m/versions/2", "sha256:" + "2" * 64, "front/2")
ALIAS = "models/m/aliases/production"
TOKEN = (("authorization", "Bearer secret"),)


class Gateway:
    """A gateway without processes."""

    def __init__(self, database: Database) -> None:
        self.database, self.registry, self.world = database, FakeRegistry({ALIAS: OLD}), World()
        self.refresher = Refresher(database, self.registry)
        self.handlers = handlers(self.refresher)
        self.directory = DatabaseDirectory(database, self.refresher, fresh_for_s=3600)
        options = ReasonerOptions(max_replies=2, patience_s=0.0)
        self.reasoner = Reasoner(directory=self.directory, features=self.world, tritons=self.world, options=options)
        self.tokens = TokenTable.of(
            {
                "secret": Caller("rita", "person", frozenset({"reader"})),
                "idle": Caller("noah", "person", frozenset()),
            }
        )

    def hears(self, event: AliasMoved | DeploymentReady | DeploymentFailed) -> None:
        kind = {AliasMoved: "alias.moved", DeploymentReady: "deployment.ready"}.get(type(event), "deployment.failed")
        with self.database.unit_of_work() as work:
            self.handlers[f"mgrd.{kind}.v1"](work, event)
            work.commit()

    def ready(self, version: Version, replica: str = "a:1") -> None:
        self.hears(DeploymentReady(version=version.name, digest=version.digest, replica=replica))

    def failed(self, version: Version, reason: str) -> None:
        self.hears(DeploymentFailed(version=version.name, digest=version.digest, replica="a:1", reason=reason))


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    migrate(url, package="services.inference")
    database = Database(url)
    gateway = Gateway(database)
    yield gateway
    gateway.reasoner.close()
    database.close()


@pytest.fixture
def stub(gateway: Gateway) -> Iterator[stubs.InferenceServiceStub]:
    servicer = InferenceServicer(gateway.reasoner, gateway.directory)
    server, port = in_process(register=servicer.register, policy=POLICY, tokens=gateway.tokens)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield stubs.InferenceServiceStub(channel)
    server.stop(0).wait()


@pytest.fixture
def http(gateway: Gateway) -> TestClient:
    app = application(reasoner=gateway.reasoner, directory=gateway.directory, tokens=gateway.tokens)
    return TestClient(app, headers={"authorization": "Bearer secret"}, raise_server_exceptions=False)


def reason(stub: stubs.InferenceServiceStub, **changes: object) -> list[wire.ReasonResponse]:
    request = wire.ReasonRequest(**{"model": "models/m", "question": "does it rise ?", "audio": b"sound", **changes})
    return list(stub.Reason(request, timeout=10, metadata=TOKEN))


def served(stub: stubs.InferenceServiceStub) -> str:
    return reason(stub)[0].answerer.version


def test_a_reply_crosses_the_wire_in_its_order(gateway: Gateway, stub: stubs.InferenceServiceStub) -> None:
    gateway.ready(OLD)
    events = [event.WhichOneof("event") for event in reason(stub)]
    assert events == ["answerer", "reasoning", "reasoning", "answer", "answer", "evidence", "completion"]


def test_a_promotion_switches_when_a_replica_has_the_version_and_not_before(
    gateway: Gateway, stub: stubs.InferenceServiceStub
) -> None:
    gateway.ready(OLD)
    assert served(stub) == OLD.name
    gateway.registry.wanted[ALIAS] = NEW
    gateway.hears(AliasMoved(alias=ALIAS, version=NEW.name, digest=NEW.digest))
    assert gateway.refresher.woken.is_set()
    gateway.refresher.refresh()
    assert served(stub) == OLD.name
    gateway.failed(NEW, "LOAD_FAILED: bad weights")
    assert served(stub) == OLD.name
    gateway.ready(NEW)
    assert served(stub) == NEW.name
    gateway.failed(NEW, "STUB_DEAD")
    with pytest.raises(grpc.RpcError) as nobody:
        reason(stub)
    assert nobody.value.code() is grpc.StatusCode.UNAVAILABLE, "no silent return to a version nobody wants any more"


def test_an_unloaded_version_is_forgotten(gateway: Gateway, stub: stubs.InferenceServiceStub) -> None:
    gateway.ready(OLD)
    gateway.ready(NEW)
    gateway.failed(NEW, UNLOADED)
    response = stub.ListDeployments(wire.ListDeploymentsRequest(), timeout=5, metadata=TOKEN)
    assert [one.version for one in response.deployments] == [OLD.name]


def test_a_registry_that_is_away_stops_nobody(gateway: Gateway, stub: stubs.InferenceServiceStub) -> None:
    gateway.ready(OLD)
    served(stub)
    gateway.registry.is_down = True
    assert not gateway.refresher.refresh()
    assert served(stub) == OLD.name
    later = DatabaseDirectory(gateway.database, gateway.refresher)
    assert later.alias(ALIAS).wanted == OLD, "a gateway that starts now knows it too"


def test_get_deployment_says_what_is_wanted_and_what_is(gateway: Gateway, stub: stubs.InferenceServiceStub) -> None:
    gateway.registry.wanted[ALIAS] = NEW
    gateway.ready(OLD)
    gateway.failed(NEW, "LOAD_FAILED: bad weights")
    found = stub.GetDeployment(wire.GetDeploymentRequest(model="models/m"), timeout=5, metadata=TOKEN)
    assert (found.desired_version, found.serving) == (NEW.name, False)
    states = {one.version: (one.state, one.message, list(one.aliases)) for one in found.deployments}
    assert states[OLD.name] == (wire.DEPLOYMENT_STATE_READY, "", [])
    assert states[NEW.name] == (wire.DEPLOYMENT_STATE_FAILED, "LOAD_FAILED: bad weights", [ALIAS])


def test_deployments_come_in_pages_and_foreign_tokens_are_refused(
    gateway: Gateway, stub: stubs.InferenceServiceStub
) -> None:
    for replica in ("c:1", "a:1", "b:1"):
        gateway.ready(OLD, replica)
    seen, token = [], ""
    while True:
        request = wire.ListDeploymentsRequest(page_size=2, page_token=token)
        page = stub.ListDeployments(request, timeout=5, metadata=TOKEN)
        seen += [one.replica for one in page.deployments]
        token = page.next_page_token
        if not token:
            break
    assert seen == ["a:1", "b:1", "c:1"]
    for bad in (wire.ListDeploymentsRequest(page_token="forged"), wire.ListDeploymentsRequest(page_size=-1)):
        with pytest.raises(grpc.RpcError) as refused:
            stub.ListDeployments(bad, timeout=5, metadata=TOKEN)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_every_error_names_its_field(gateway: Gateway, stub: stubs.InferenceServiceStub) -> None:
    gateway.ready(OLD)
    for changes, field in (
        ({"question": ""}, "question"),
        ({"model": "models/%2e%2e"}, "model"),
        ({"sampling": wire.Sampling(max_new_tokens=5000)}, "sampling.max_new_tokens"),
        ({"choices": ["x"] * 27}, "choices"),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            reason(stub, **changes)
        details = {type(one): one for one in _details(refused.value)}
        assert details[error_details_pb2.BadRequest].field_violations[0].field == field
        assert details[error_details_pb2.ErrorInfo].domain == "mgrd"


def _details(error: grpc.RpcError) -> Iterator[object]:
    for packed in rpc_status.from_call(error).details:
        for kind in (error_details_pb2.BadRequest, error_details_pb2.ErrorInfo):
            if packed.Is(kind.DESCRIPTOR):
                found = kind()
                packed.Unpack(found)
                yield found


def test_cancelling_the_call_cancels_the_reply_in_triton(gateway: Gateway, stub: stubs.InferenceServiceStub) -> None:
    gateway.ready(OLD)
    gateway.world.hold()
    request = wire.ReasonRequest(model="models/m", question="?", audio=b"sound")
    call = stub.Reason(request, timeout=30, metadata=TOKEN)
    assert next(call).WhichOneof("event") == "answerer"
    call.cancel()
    assert gateway.world.given[0].cancelled.wait(5)


def test_live_turns_are_numbered_and_an_early_piece_of_audio_is_an_error(
    gateway: Gateway, stub: stubs.InferenceServiceStub
) -> None:
    gateway.ready(OLD)
    turn = wire.ReasonLiveRequest(turn=wire.ReasonRequest(model="models/m", question="?"))
    audio, end = wire.ReasonLiveRequest(audio=b"so"), wire.ReasonLiveRequest(end_of_turn=True)
    events = list(stub.ReasonLive(iter([turn, audio, audio, end, turn, end]), timeout=10, metadata=TOKEN))
    assert [event.turn for event in events if event.reply.WhichOneof("event") == "completion"] == [1, 2]
    assert gateway.world.heard == [b"soso"], "the first turn had sound, the second none"
    with pytest.raises(grpc.RpcError) as early:
        list(stub.ReasonLive(iter([audio]), timeout=10, metadata=TOKEN))
    assert early.value.code() is grpc.StatusCode.FAILED_PRECONDITION


def test_a_live_conversation_in_which_nothing_is_said_ends_and_says_why(gateway: Gateway) -> None:
    gateway.ready(OLD)
    left = threading.Event()

    def messages() -> Iterator[wire.ReasonLiveRequest]:
        yield wire.ReasonLiveRequest(turn=wire.ReasonRequest(model="models/m", question="?"))
        yield wire.ReasonLiveRequest(end_of_turn=True)
        left.wait(10)

    servicer = InferenceServicer(gateway.reasoner, gateway.directory, live_idle_timeout_s=0.2)
    server, port = in_process(register=servicer.register, policy=POLICY, tokens=gateway.tokens)
    events = []
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel, pytest.raises(grpc.RpcError) as ended:
        for event in stubs.InferenceServiceStub(channel).ReasonLive(messages(), timeout=10, metadata=TOKEN):
            events.append(event)  # noqa: PERF402 - the stream ends with an error
    left.set()
    server.stop(0).wait()
    assert events[-1].reply.WhichOneof("event") == "completion", "what was asked before was answered"
    assert ended.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "0.2 s" in ended.value.details()


def test_the_http_door_continues_the_caller_s_trace_or_begins_one(gateway: Gateway, http: TestClient) -> None:
    gateway.ready(OLD)
    caller = "0af7651916cd43dd8448eb211c80319c"
    traced = {"traceparent": f"00-{caller}-b7ad6b7169203331-01"}
    assert http.post("/v1/chat/completions", json=chat(), headers=traced).json()["id"] == f"chatcmpl-{caller}"
    with http.stream("POST", "/v1/chat/completions", json=chat(stream=True), headers=traced) as stream:
        assert f"chatcmpl-{caller}" in next(stream.iter_lines())
    assert http.post("/v1/chat/completions", json=chat()).json()["id"] != f"chatcmpl-{caller}"


def test_the_http_door_speaks_openai(gateway: Gateway, http: TestClient) -> None:
    gateway.ready(OLD)
    answer = http.post("/v1/chat/completions", json=chat()).json()
    assert answer["choices"][0]["message"] == {
        "role": "assistant", "content": "rise", "reasoning_content": "the pitch rises .",
    }  # fmt: skip
    assert answer["mgrd"]["version"] == OLD.name
    assert answer["mgrd"]["evidence"][0]["measured"] == "rises"
    assert gateway.world.heard == [b"sound"]
    with http.stream("POST", "/v1/chat/completions", json=chat(stream=True)) as stream:
        lines = [line.removeprefix("data: ") for line in stream.iter_lines() if line]
    assert lines[-1] == "[DONE]"
    deltas = [json.loads(line)["choices"][0]["delta"] for line in lines[:-1]]
    assert "".join(delta.get("content", "") for delta in deltas) == "rise"
    assert http.get("/v1/models").json()["data"][0]["id"] == "m@production"


def chat(**changes: object) -> dict[str, object]:
    clip = {"type": "input_audio", "input_audio": {"data": b64encode(b"sound").decode(), "format": "wav"}}
    content = [clip, {"type": "text", "text": "does it rise ?"}]
    return {"model": "m", "messages": [{"role": "user", "content": content}], **changes}


@pytest.mark.parametrize(
    ("changes", "status", "param"),
    [
        ({"logprobs": True}, 400, "logprobs"),
        ({"n": 2}, 400, "n"),
        ({"seed": "1"}, 400, "seed"),
        ({"temperature": 9}, 400, "sampling.temperature"),
        ({"temperature": 1e-45}, 400, "sampling.temperature"),
        ({"top_p": 5e-324}, 400, "sampling.top_p"),
        ({"temperature": 10**400}, 400, "temperature"),
        ({"choices": ["\ud800", "b"]}, 400, "choices[0]"),
        ({"model": "../m"}, 400, "model"),
        ({"model": "m@nowhere"}, 404, None),
        ({"messages": []}, 400, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "%"}}]}]}, 400,
         "messages[0].content[0].input_audio.data"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "é"}}]}]}, 400,
         "messages[0].content[0].input_audio.data"),
    ],
)  # fmt: skip
def test_the_http_door_names_what_is_wrong(
    gateway: Gateway, http: TestClient, changes: dict[str, object], status: int, param: str | None
) -> None:
    gateway.ready(OLD)
    answer = http.post("/v1/chat/completions", content=json.dumps(chat(**changes)))
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param)


def test_the_http_door_is_shut_to_strangers_and_nonsense(gateway: Gateway, http: TestClient) -> None:
    assert http.post("/v1/chat/completions", json=chat(), headers={"authorization": "Bearer x"}).status_code == 401
    assert http.get("/v1/models", headers={"authorization": ""}).status_code == 401
    assert http.get("/v1/models", headers={"authorization": "Bearer idle"}).status_code == 403
    assert http.post("/v1/chat/completions", json=chat(), headers={"authorization": "Bearer idle"}).status_code == 403
    assert http.post("/v1/chat/completions", content=b"[" * 100_000).status_code == 400
    assert http.get("/healthz").json() == {"status": "serving"}
