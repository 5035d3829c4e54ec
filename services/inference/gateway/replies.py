"""The values of one reply on its way out: what a gateway yields, how it may be stopped, within which bounds."""

import threading
from dataclasses import dataclass

from mgrd.common.v1.common_pb2 import Evidence
from services.inference.domain import Version
from services.inference.gateway.ports import Reply
from services.inference.triton.protocol import End, Piece


@dataclass(frozen=True)
class Answering:
    """Who answers; the first event of a reply."""

    version: Version
    request_id: str


@dataclass(frozen=True)
class Completed:
    """The last event of a reply."""

    end: End
    answer: str
    first_token_ms: float
    total_ms: float
    unfamiliar: str


ReplyEvent = Answering | Piece | Evidence | Completed


@dataclass(frozen=True)
class ReasonerOptions:
    """Bounds of the use case."""

    max_replies: int = 32
    """Replies at once; one more is told to come back."""
    patience_s: float = 15.0
    """How long a question waits for a version that is just being loaded or recovered."""
    retry_every_s: float = 0.1
    reply_timeout_s: float = 120.0
    evidence_timeout_s: float = 20.0


class Cancellation:
    """Stops one running reply; may be pulled before there is one, and from any thread."""

    def __init__(self) -> None:
        self.pulled = threading.Event()
        self._reply: Reply | None = None
        self._lock = threading.Lock()

    def watch(self, reply: Reply) -> None:
        """Names the reply to stop; stops it at once where the cancellation came first."""
        with self._lock:
            self._reply = reply
        if self.pulled.is_set():
            reply.cancel()

    def pull(self) -> None:
        """Stops the reply."""
        self.pulled.set()
        with self._lock:
            reply = self._reply
        if reply is not None:
            reply.cancel()
