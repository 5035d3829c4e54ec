"""The features service as the gateway uses it. Failures are `CallError`s."""

from collections.abc import Sequence

from mgrd.clients.connection import Connection
from mgrd.common.v1.common_pb2 import Evidence
from mgrd.features.v1 import features_pb2 as wire
from mgrd.features.v1 import features_pb2_grpc as stubs
from services.inference.gateway.ports import Heard, Measured
from services.inference.triton.protocol import MEL_BANDS, MelFrames


class RemoteFeatures:
    """Features over gRPC."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = stubs.FeaturesServiceStub(connection.channel)

    def extract(self, audio: bytes, *, front_end_version: str, timeout_s: float) -> Heard:
        """Log-mel frames by the front end the checkpoint was trained with; FAILED_PRECONDITION on another."""
        options = wire.ExtractOptions(front_end_version=front_end_version)
        request = wire.ExtractRequest(audio=audio, options=options)
        features = self._connection.unary(self._stub.Extract, request, timeout_s=timeout_s).features
        return Heard(
            mel=mel_frames(features.chunks),
            front_end_version=features.front_end_version,
            duration_s=features.duration_s,
        )

    def describe(self, audio: bytes, *, timeout_s: float) -> Measured:
        """What can be measured of a clip."""
        response = self._connection.unary(self._stub.Describe, wire.DescribeRequest(audio=audio), timeout_s=timeout_s)
        return Measured(descriptors=tuple(response.descriptors), duration_s=response.duration_s)

    def verify(self, audio: bytes, *, text: str, timeout_s: float) -> Sequence[Evidence]:
        """The claims of a text, each with its measurement and verdict."""
        request = wire.VerifyClaimsRequest(audio=audio, text=text)
        return tuple(self._connection.unary(self._stub.VerifyClaims, request, timeout_s=timeout_s).evidence)


def mel_frames(chunks: Sequence[wire.MelChunk]) -> MelFrames:
    """The chunks as one tensor; ValueError where a chunk is not of 128 bands."""
    wrong = [chunk.bands for chunk in chunks if chunk.bands != MEL_BANDS]
    if wrong:
        raise ValueError(f"features came with {wrong[0]} mel bands; the model reads {MEL_BANDS}")
    return MelFrames(b"".join(chunk.values for chunk in chunks), tuple(chunk.frames for chunk in chunks))
