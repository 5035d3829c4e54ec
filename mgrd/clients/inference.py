"""Client of the inference gateway: questions about sound, answered as a stream with evidence."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from mgrd.clients.codec import read, write
from mgrd.clients.connection import Connection, Replies
from mgrd.clients.paging import every
from mgrd.clients.sound import Evidence
from mgrd.inference.v1 import inference_pb2 as pb
from mgrd.inference.v1.inference_pb2_grpc import InferenceServiceStub

_REASON_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn; None takes the server's default."""

    max_new_tokens: int | None = None
    temperature: float | None = None
    """0 is greedy."""
    top_p: float | None = None
    seed: int | None = None
    max_think_tokens: int | None = None


@dataclass(frozen=True)
class Question:
    """What is asked, of whom, about which sound."""

    model: str
    """`models/{model}`."""
    text: str
    audio: bytes | None = None
    """A WAV, FLAC, OGG or MP3 file's bytes; None asks without sound."""
    alias: str = ""
    """Empty means "production"."""
    choices: tuple[str, ...] = ()
    think: bool = True
    sampling: Sampling = Sampling()
    skip_evidence: bool = False


@dataclass(frozen=True)
class Answerer:
    """Who answers; comes first."""

    version: str
    digest: str
    request_id: str
    front_end_version: str


@dataclass(frozen=True)
class ReasoningDelta:
    """Next piece of the reasoning."""

    text: str
    tokens: int


@dataclass(frozen=True)
class AnswerDelta:
    """Next piece of the answer."""

    text: str
    tokens: int


@dataclass(frozen=True)
class Completion:
    """How the reply ended; comes last."""

    finish_reason: str
    answer: str
    reasoning_tokens: int
    answer_tokens: int
    time_to_first_token_ms: float
    total_ms: float
    out_of_domain: bool
    """The clip is unlike what the model was trained on: the answer is a guess."""
    out_of_domain_reason: str


ReplyEvent = Answerer | ReasoningDelta | AnswerDelta | Evidence | Completion
_EVENTS: dict[str, type[ReplyEvent]] = {
    "answerer": Answerer,
    "reasoning": ReasoningDelta,
    "answer": AnswerDelta,
    "evidence": Evidence,
    "completion": Completion,
}


@dataclass(frozen=True)
class Turn:
    """Opens a turn of a live conversation; its audio may follow in pieces."""

    question: Question


@dataclass(frozen=True)
class AudioPiece:
    """Next bytes of the turn's clip."""

    content: bytes


@dataclass(frozen=True)
class EndOfTurn:
    """The model may answer."""


@dataclass(frozen=True)
class Interrupt:
    """Stops the answer that is running."""


LiveInput = Turn | AudioPiece | EndOfTurn | Interrupt


@dataclass(frozen=True)
class LiveEvent:
    """An event of the reply to turn number `turn`, from 1."""

    turn: int
    event: ReplyEvent


class DeploymentState(StrEnum):
    """State of a version in one Triton."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    DRAINING = "draining"


@dataclass(frozen=True)
class Deployment:
    """A version in one Triton."""

    replica: str
    version: str
    digest: str
    state: DeploymentState
    message: str
    observe_time: datetime | None
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class AliasDeployment:
    """What the registry wants behind an alias, and what serves it."""

    desired_version: str
    desired_digest: str
    serving: bool
    deployments: tuple[Deployment, ...]


class InferenceClient:
    """One method per RPC."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = InferenceServiceStub(connection.channel)

    def reason(self, question: Question, *, timeout_s: float = _REASON_TIMEOUT_S) -> Iterator[ReplyEvent]:
        """The reply as it comes: answerer, reasoning, answer, evidence, completion. Closing it cancels the request."""
        replies = self._connection.stream(self._stub.Reason, _request(question), timeout_s=timeout_s)
        return _events(replies)

    def reason_live(self, inputs: Iterable[LiveInput], *, timeout_s: float = _REASON_TIMEOUT_S) -> Iterator[LiveEvent]:
        """A conversation over one stream: `inputs` is read while replies come."""
        requests = (_live_request(one) for one in inputs)
        for response in self._connection.converse(self._stub.ReasonLive, requests, timeout_s=timeout_s):
            yield LiveEvent(response.turn, _event(response.reply))

    def get_deployment(self, model: str, *, alias: str = "") -> AliasDeployment:
        """What serves behind an alias, replica by replica."""
        request = pb.GetDeploymentRequest(model=model, alias=alias)
        return read(AliasDeployment, self._connection.unary(self._stub.GetDeployment, request))

    def list_deployments(self, *, page_size: int = 0) -> Iterator[Deployment]:
        """All deployments the gateway knows."""

        def page(token: str) -> Any:
            request = pb.ListDeploymentsRequest(page_size=page_size, page_token=token)
            return self._connection.unary(self._stub.ListDeployments, request)

        return every(Deployment, page, field="deployments")


def _events(replies: Replies[pb.ReasonResponse]) -> Iterator[ReplyEvent]:
    try:
        for response in replies:
            yield _event(response)
    finally:
        replies.close()


def _event(response: pb.ReasonResponse) -> ReplyEvent:
    name = response.WhichOneof("event") or "answerer"
    return read(_EVENTS[name], getattr(response, name))


def _request(question: Question) -> pb.ReasonRequest:
    return pb.ReasonRequest(
        model=question.model,
        alias=question.alias,
        audio=question.audio,
        question=question.text,
        choices=question.choices,
        think=pb.THINK_MODE_ON if question.think else pb.THINK_MODE_OFF,
        sampling=write(pb.Sampling, question.sampling),
        skip_evidence=question.skip_evidence,
    )


def _live_request(one: LiveInput) -> pb.ReasonLiveRequest:
    match one:
        case Turn(question):
            return pb.ReasonLiveRequest(turn=_request(question))
        case AudioPiece(content):
            return pb.ReasonLiveRequest(audio=content)
        case EndOfTurn():
            return pb.ReasonLiveRequest(end_of_turn=True)
        case Interrupt():
            return pb.ReasonLiveRequest(interrupt=True)
