"""Streaming RPCs inside the layers: the caller is known throughout, and a client that leaves frees its slot."""

import threading
from collections.abc import Iterator

import grpc
import pytest

from mgrd.features.v1 import features_pb2, features_pb2_grpc
from mgrd.training.v1 import training_pb2 as pb
from mgrd.training.v1 import training_pb2_grpc
from services.kit.auth import Caller, TokenTable, current_caller
from services.kit.errors import NotFound
from services.kit.server import in_process
from services.kit.settings import ServiceSettings

GET = "/mgrd.training.v1.TrainingService/GetRun"
WATCH = "/mgrd.training.v1.TrainingService/WatchRun"
STREAM = "/mgrd.features.v1.FeaturesService/ExtractStream"
METADATA = [("authorization", "Bearer t")]


class Training(training_pb2_grpc.TrainingServiceServicer):
    def __init__(self) -> None:
        self.left = threading.Event()

    def GetRun(self, request: pb.GetRunRequest, context: grpc.ServicerContext) -> pb.GetRunResponse:
        return pb.GetRunResponse(run=pb.Run(name=request.name))

    def WatchRun(self, request: pb.WatchRunRequest, context: grpc.ServicerContext) -> Iterator[pb.WatchRunResponse]:
        if request.name == "runs/none":
            raise NotFound("runs/none does not exist, or you may not see it")
        try:
            while context.is_active():
                yield pb.WatchRunResponse(run=pb.Run(name=current_caller().subject))
                if request.name == "runs/broken":
                    raise RuntimeError("in mid-stream")
        finally:
            self.left.set()


class Features(features_pb2_grpc.FeaturesServiceServicer):
    def ExtractStream(
        self, request_iterator: Iterator[features_pb2.ExtractStreamRequest], context: grpc.ServicerContext
    ) -> features_pb2.ExtractStreamResponse:
        size = sum(len(request.audio) for request in request_iterator)
        return features_pb2.ExtractStreamResponse(features=features_pb2.Features(duration_s=size))


@pytest.fixture
def training() -> Training:
    return Training()


@pytest.fixture
def channel(training: Training) -> Iterator[grpc.Channel]:
    def register(server: grpc.Server) -> None:
        training_pb2_grpc.add_TrainingServiceServicer_to_server(training, server)
        features_pb2_grpc.add_FeaturesServiceServicer_to_server(Features(), server)

    ada = Caller(subject="ada", kind="person", roles=frozenset({"reader"}))
    server, port = in_process(
        register=register,
        policy=dict.fromkeys((GET, WATCH, STREAM), frozenset({"reader"})),
        tokens=TokenTable.of({"t": ada}),
        settings=ServiceSettings(max_concurrent_rpcs=2),  # so one stream
    )
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    server.stop(0)


def _watch(channel: grpc.Channel, name: str = "runs/r") -> Iterator[pb.WatchRunResponse]:
    stub = training_pb2_grpc.TrainingServiceStub(channel)
    return stub.WatchRun(pb.WatchRunRequest(name=name), metadata=METADATA)


def test_a_stream_needs_no_deadline_and_knows_its_caller_throughout(channel: grpc.Channel) -> None:
    stream = _watch(channel)
    assert [next(stream).run.name for _ in range(20)] == ["ada"] * 20
    stream.cancel()


def test_a_client_that_leaves_frees_its_slot(
    training: Training, channel: grpc.Channel, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        training.left.clear()
        stream = _when_free(channel)
        stream.cancel()
        assert training.left.wait(10)
    assert [record.getMessage() for record in caplog.records if record.levelname in ("ERROR", "WARNING")] == []


def test_streams_that_stay_do_not_keep_other_calls_out(channel: grpc.Channel) -> None:
    staying = _watch(channel)
    next(staying)
    with pytest.raises(grpc.RpcError) as refused:
        next(_watch(channel))
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    stub = training_pb2_grpc.TrainingServiceStub(channel)
    assert stub.GetRun(pb.GetRunRequest(name="runs/r"), timeout=5, metadata=METADATA).run.name == "runs/r"
    staying.cancel()


def _when_free(channel: grpc.Channel) -> Iterator[pb.WatchRunResponse]:
    """A stream that has begun, as soon as there is a slot for it."""
    refusals: list[grpc.StatusCode] = []
    while len(refusals) < 100:
        stream = _watch(channel)
        try:
            next(stream)
        except grpc.RpcError as refused:
            refusals.append(refused.code())
            threading.Event().wait(0.02)
        else:
            break
    assert set(refusals) <= {grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert len(refusals) < 100
    return stream


def test_an_error_before_and_in_the_stream_has_its_status(training: Training, channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        next(_watch(channel, "runs/none"))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    stream = _watch(channel, "runs/broken")
    next(stream)
    with pytest.raises(grpc.RpcError) as broken:
        next(stream)
    assert broken.value.code() is grpc.StatusCode.INTERNAL
    assert "mid-stream" not in broken.value.details()


def test_every_message_of_a_client_stream_is_checked(channel: grpc.Channel) -> None:
    stub = features_pb2_grpc.FeaturesServiceStub(channel)
    good = features_pb2.ExtractStreamRequest(audio=b"ab")
    bad = features_pb2.ExtractStreamRequest(options=features_pb2.ExtractOptions(front_end_version="a\0"))
    assert stub.ExtractStream(iter([good, good]), metadata=METADATA).features.duration_s == 4
    with pytest.raises(grpc.RpcError) as refused:
        stub.ExtractStream(iter([good, bad]), metadata=METADATA)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
