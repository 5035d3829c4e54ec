"""One question on its way to its answer: the steps of `Reasoner.reason`, and the state they share.

The version is pinned when its first token comes: until then another replica, or a version that has just
become ready, may take over; afterwards nothing does. The clip is measured and the claims are verified
beside the reply; where that fails the evidence is left out and logged, and the answer still counts.
"""

import logging
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextvars import copy_context
from dataclasses import dataclass, field

from mgrd.clients.errors import CallError
from mgrd.common.v1.common_pb2 import Evidence
from services.inference.domain import Route, Version
from services.inference.gateway.failures import unavailable
from services.inference.gateway.familiarity import off_choices, unfamiliar
from services.inference.gateway.load import Load
from services.inference.gateway.metrics import QUEUE
from services.inference.gateway.ports import Directory, Features, Heard, Measured, Reply, Tritons
from services.inference.gateway.question import Question
from services.inference.gateway.replies import Answering, Cancellation, Completed, ReasonerOptions, ReplyEvent
from services.inference.triton import errors
from services.inference.triton.errors import TritonError
from services.inference.triton.protocol import End, Event, MelFrames, Piece
from services.inference.triton.repository import triton_name
from services.kit.telemetry import trace_id

log = logging.getLogger(__name__)

SILENT = Heard(mel=MelFrames(), front_end_version="", duration_s=0.0)


@dataclass(frozen=True)
class Parts:
    """What every turn needs."""

    directory: Directory
    features: Features
    tritons: Tritons
    aside: Executor
    options: ReasonerOptions
    clock: Callable[[], float] = time.monotonic
    load: Load = field(default_factory=Load)


@dataclass
class Turn:
    """One question on its way to its answer."""

    parts: Parts
    question: Question
    cancellation: Cancellation
    ends_at_s: float
    arrived_s: float = 0.0
    first_token_s: float | None = None
    replica: str = ""
    reasoning: list[str] = field(default_factory=list)
    answer: list[str] = field(default_factory=list)

    def events(self) -> Generator[ReplyEvent, None, None]:
        """The events of the reply, in their order."""
        try:
            yield from self._events()
        finally:
            self._hand_to("")

    def _events(self) -> Iterator[ReplyEvent]:
        self.arrived_s = self._now()
        version, first, reply = self._begin()
        measured = self._measured()  # not before the first token: it would take its time from it
        yield Answering(version, request_id=trace_id() or uuid.uuid4().hex)
        evidence: Future[object] | None = None
        end: End | None = None
        for event in _chain(first, reply):
            for piece in event.pieces:
                if piece.phase == "answer" and not self.answer:
                    evidence = self._verified()
                yield self._noted(piece)
            end = event.end or end
        if end is None:
            raise unavailable("the reply broke off", reason="REPLY_BROKEN")
        yield from self._evidence(evidence or self._verified())
        yield self._completed(end, measured)

    def _begin(self) -> tuple[Version, Event, Reply]:
        """The version that answers, its first event, and the rest of the reply.

        Waits, within bounds, for a version that is being loaded or recovered.
        """
        alias = self.parts.directory.alias(self.question.alias)
        patient_until_s = min(self._now() + self.parts.options.patience_s, self.ends_at_s)
        while True:
            problem: Exception = unavailable(f"no replica holds a version for {alias.name} ready", reason="NOT_READY")
            route = self.parts.directory.route(alias)
            if route is not None:
                try:
                    return self._ask(route)
                except TritonError as error:
                    problem = error
            if not _may_retry(problem) or self._now() >= patient_until_s:
                raise problem
            if self.cancellation.pulled.wait(self.parts.options.retry_every_s):
                raise TritonError("the caller is gone", reason=errors.CANCELLED)
            alias = self.parts.directory.alias(self.question.alias)

    def _ask(self, route: Route) -> tuple[Version, Event, Reply]:
        """Asks the replicas of a route in turn until one gives its first event."""
        heard = self._heard(route.version)
        name = triton_name(route.version.model, route.version.digest)
        for index, replica in enumerate(self.parts.load.least_busy_first(route.replicas), start=1):
            self._hand_to(replica)
            try:
                reply = self.parts.tritons.ask(
                    replica, name, ask=self.question.ask, mel=heard.mel, timeout_s=self._remaining_s()
                )
                self.cancellation.watch(reply)
                return route.version, _first(reply), reply
            except TritonError as error:
                if not error.retryable or index == len(route.replicas):
                    raise
                log.warning("%s does not answer on %s: %s", name, replica, error)
        raise TritonError(f"no replica holds {name}", reason=errors.NOT_LOADED)

    def _hand_to(self, replica: str) -> None:
        """The question is this replica's now, and no more the one's before; nobody's at the end."""
        if self.replica:
            self.parts.load.end(self.replica)
        self.replica = replica
        if replica:
            self.parts.load.begin(replica)

    def _heard(self, version: Version) -> Heard:
        if self.question.audio is None:
            return SILENT
        return self.parts.features.extract(
            self.question.audio, front_end_version=version.front_end_version, timeout_s=self._remaining_s()
        )

    def _measured(self) -> Future[object] | None:
        audio, features = self.question.audio, self.parts.features
        if audio is None or not self.question.wants_evidence:
            return None
        limit_s = min(self._remaining_s(), self.parts.options.evidence_timeout_s)
        return self._aside(lambda: features.describe(audio, timeout_s=limit_s))

    def _verified(self) -> Future[object] | None:
        audio, text, features = self.question.audio, "".join(self.reasoning), self.parts.features
        if audio is None or not text.strip() or not self.question.wants_evidence:
            return None
        limit_s = min(self._remaining_s(), self.parts.options.evidence_timeout_s)
        return self._aside(lambda: features.verify(audio, text=text, timeout_s=limit_s))

    def _aside(self, work: Callable[[], object]) -> Future[object]:
        return self.parts.aside.submit(copy_context().run, work)  # in its context: the trace goes on

    def _evidence(self, pending: Future[object] | None) -> Sequence[Evidence]:
        found = _result(pending, "evidence")
        return tuple(found) if isinstance(found, list | tuple) else ()

    def _completed(self, end: End, measured: Future[object] | None) -> Completed:
        description = _result(measured, "descriptors")
        now_s, answer = self._now(), "".join(self.answer).strip()
        doubt = unfamiliar(description if isinstance(description, Measured) else None, end=end)
        return Completed(
            end=end,
            answer=answer,
            first_token_ms=((self.first_token_s or now_s) - self.arrived_s) * 1e3,
            total_ms=(now_s - self.arrived_s) * 1e3,
            unfamiliar=doubt or off_choices(answer, self.question.ask.choices),
        )

    def _noted(self, piece: Piece) -> Piece:
        if self.first_token_s is None:
            self.first_token_s = self._now()
        (self.reasoning if piece.phase == "reasoning" else self.answer).append(piece.text)
        return piece

    def _remaining_s(self) -> float:
        return max(self.ends_at_s - self._now(), 0.001)

    def _now(self) -> float:
        return self.parts.clock()


def _first(reply: Reply) -> Event:
    with QUEUE.time():
        return next(reply)


def _chain(first: Event, rest: Iterator[Event]) -> Iterator[Event]:
    yield first
    yield from rest


def _may_retry(problem: Exception) -> bool:
    return not isinstance(problem, TritonError) or problem.retryable


def _result(pending: Future[object] | None, what: str) -> object:
    """What ran aside gave; None where it failed, which must not cost the caller the answer."""
    if pending is None:
        return None
    try:
        return pending.result()
    except CallError as error:
        log.warning("no %s for a reply: %s", what, error)
        return None
