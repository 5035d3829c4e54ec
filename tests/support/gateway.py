"""What stands behind a gateway, in memory: a registry, features and Tritons that answer from a script."""

import threading
from collections.abc import Iterator, Sequence

from mgrd.clients.errors import UnavailableError
from mgrd.common.v1.common_pb2 import Descriptor, Evidence
from services.inference.domain import Version
from services.inference.gateway.ports import Heard, Measured
from services.inference.triton import errors
from services.inference.triton.errors import TritonError
from services.inference.triton.protocol import Ask, End, Event, MelFrames, Piece

REPLY = (
    Event((Piece("reasoning", "the pitch ", 2),)),
    Event((Piece("reasoning", "rises .", 2), Piece("answer", "ri", 1))),
    Event((Piece("answer", "se", 1),), End("stop", 4, 2, answer_logprob=-0.1)),
)


class FakeRegistry:
    """Aliases and what they want."""

    def __init__(self, wanted: dict[str, Version]) -> None:
        self.wanted, self.is_down = wanted, False

    def aliases(self) -> Sequence[tuple[str, Version]]:
        if self.is_down:
            raise UnavailableError("away", reason="UNAVAILABLE", code="UNAVAILABLE")
        return list(self.wanted.items())


class FakeReply(Iterator[Event]):
    """A scripted reply; held back after its first event until it is cancelled, where told so."""

    def __init__(self, *, held: bool) -> None:
        self._events, self._held, self._given = iter(REPLY), held, 0
        self.cancelled = threading.Event()

    def __next__(self) -> Event:
        if self._held and self._given and self.cancelled.wait(20):
            raise TritonError("cancelled", reason=errors.CANCELLED)
        self._given += 1
        return next(self._events)

    def cancel(self) -> None:
        self.cancelled.set()


class World:
    """Features and Tritons."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.given: list[FakeReply] = []
        self._held = False

    def hold(self) -> None:
        self._held = True

    def extract(self, audio: bytes, *, front_end_version: str, timeout_s: float) -> Heard:
        self.heard.append(audio)
        return Heard(MelFrames(bytes(512), (1,)), front_end_version, 1.0)

    def describe(self, audio: bytes, *, timeout_s: float) -> Measured:
        return Measured((Descriptor(name="pitch", value="rises"),), 1.0)

    def verify(self, audio: bytes, *, text: str, timeout_s: float) -> Sequence[Evidence]:
        return [Evidence(measured="rises", confidence=0.9)]

    def ask(self, replica: str, model: str, *, ask: Ask, mel: MelFrames, timeout_s: float) -> FakeReply:
        self.given.append(FakeReply(held=self._held))
        return self.given[-1]
