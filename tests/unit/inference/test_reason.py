"""One question's way, against fakes of directory, features and Tritons."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from mgrd.clients.errors import UnavailableError
from mgrd.common.v1.common_pb2 import Descriptor, Evidence
from services.inference.domain import Alias, Route, Version
from services.inference.gateway.familiarity import HEARD
from services.inference.gateway.ports import Heard, Measured
from services.inference.gateway.question import Question
from services.inference.gateway.reason import Reasoner
from services.inference.gateway.replies import Answering, Cancellation, Completed, ReasonerOptions, ReplyEvent
from services.inference.triton import errors
from services.inference.triton.errors import TritonError
from services.inference.triton.protocol import Ask, End, Event, MelFrames, Piece
from services.kit.errors import ResourceExhausted, Unavailable
from services.kit.telemetry import span, trace_id

OLD = Version("models/m/versions/1", "sha256:" + "1" * 64, "front/1")
NEW = Version("models/m/versions/2", "sha256:" + "2" * 64, "front/2")
ALIAS = Alias("models/m/aliases/production", wanted=NEW)


def label(name: str, value: str) -> Descriptor:
    return Descriptor(name=name, value=value)


MEASURED = Measured((label("pitch_direction", "rises"),), 1.0)
QUESTION = Question(alias=ALIAS.name, ask=Ask("does it rise ?"), audio=b"sound")
REPLY = [
    Event((Piece("reasoning", "the pitch ", 2),)),
    Event((Piece("reasoning", "rises .", 2), Piece("answer", "ri", 1))),
    Event((Piece("answer", "se", 1),), End("stop", 4, 2, answer_logprob=-0.1)),
]


class FakeReply(Iterator[Event]):
    def __init__(self, events: Sequence[Event | Exception]) -> None:
        self._events = iter(events)
        self.cancelled = False

    def __next__(self) -> Event:
        if self.cancelled:
            raise TritonError("cancelled", reason=errors.CANCELLED)
        event = next(self._events)
        if isinstance(event, Exception):
            raise event
        return event

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class World:
    """Directory, features and Tritons in memory."""

    routes: list[Route | None] = field(default_factory=lambda: [Route(NEW, ("a:1",))])
    replies: dict[str, list[Sequence[Event | Exception]]] = field(default_factory=dict)
    given: list[FakeReply] = field(default_factory=list)
    asked: list[tuple[str, str, MelFrames]] = field(default_factory=list)
    extracted: list[str] = field(default_factory=list)
    verified: list[str] = field(default_factory=list)
    traces: set[str] = field(default_factory=set)
    measured: Measured = field(default=MEASURED)
    features_fail: bool = False

    def alias(self, _name: str) -> Alias:
        return ALIAS

    def route(self, _alias: Alias) -> Route | None:
        return self.routes.pop(0) if len(self.routes) > 1 else self.routes[0]

    def extract(self, _audio: bytes, *, front_end_version: str, timeout_s: float) -> Heard:
        self.extracted.append(front_end_version)
        return Heard(MelFrames(bytes(512), (1,)), front_end_version, 1.0)

    def describe(self, _audio: bytes, *, timeout_s: float) -> Measured:
        self._maybe_fail()
        self.traces.add(trace_id())
        return self.measured

    def verify(self, _audio: bytes, *, text: str, timeout_s: float) -> Sequence[Evidence]:
        self._maybe_fail()
        self.verified.append(text)
        self.traces.add(trace_id())
        return [Evidence(measured="rises", confidence=0.9)]

    def ask(self, replica: str, model: str, *, ask: Ask, mel: MelFrames, timeout_s: float) -> FakeReply:
        self.asked.append((replica, model, mel))
        scripts = self.replies.get(replica)
        self.given.append(FakeReply(scripts.pop(0) if scripts else REPLY))
        return self.given[-1]

    def _maybe_fail(self) -> None:
        if self.features_fail:
            raise UnavailableError("away", reason="UNAVAILABLE", code="UNAVAILABLE")


@pytest.fixture
def world() -> World:
    return World()


def reasoner(world: World, **options: float) -> Reasoner:
    chosen = ReasonerOptions(**{"patience_s": 0.0, "retry_every_s": 0.001, **options})
    return Reasoner(directory=world, features=world, tritons=world, options=chosen)


def kinds(events: Sequence[ReplyEvent]) -> list[str]:
    return [event.phase if isinstance(event, Piece) else type(event).__name__.lower() for event in events]


def test_events_come_in_their_order_and_the_claims_of_the_reasoning_are_verified(world: World) -> None:
    events = list(reasoner(world).reason(QUESTION))
    assert kinds(events) == ["answering", *["reasoning"] * 2, *["answer"] * 2, "evidence", "completed"]
    assert world.verified == ["the pitch rises ."]
    first, last = events[0], events[-1]
    assert isinstance(first, Answering)
    assert first.version == NEW
    assert isinstance(last, Completed)
    assert (last.answer, last.end.reasoning_tokens, last.unfamiliar) == ("rise", 4, "")
    assert world.extracted == ["front/2"], "the features are those the version was trained with"


def test_what_is_measured_beside_the_reply_belongs_to_its_trace(world: World) -> None:
    with span("Reason"):
        list(reasoner(world).reason(QUESTION))
        assert world.traces == {trace_id()}


def test_without_sound_nothing_is_extracted_nor_verified(world: World) -> None:
    events = list(reasoner(world).reason(Question(alias=ALIAS.name, ask=Ask("?"))))
    assert world.extracted == world.verified == []
    assert world.asked[0][2] == MelFrames()
    assert "evidence" not in kinds(events)


def test_evidence_is_left_out_where_the_caller_skips_it(world: World) -> None:
    events = list(reasoner(world).reason(Question(alias=ALIAS.name, ask=Ask("?"), audio=b"x", wants_evidence=False)))
    assert world.verified == []
    assert kinds(events)[-1] == "completed"


def test_a_features_service_that_cannot_measure_costs_the_evidence_not_the_answer(world: World) -> None:
    world.features_fail = True
    events = list(reasoner(world).reason(QUESTION))
    assert "evidence" not in kinds(events)
    assert isinstance(events[-1], Completed)
    assert events[-1].answer == "rise"


@pytest.mark.parametrize("reason", [errors.UNAVAILABLE, errors.STUB_DEAD, errors.NOT_LOADED, errors.ENGINE_FULL])
def test_before_the_first_token_another_replica_takes_over(world: World, reason: str) -> None:
    world.routes = [Route(NEW, ("a:1", "b:1"))]
    world.replies = {"a:1": [[TritonError("no", reason=reason)]]}
    events = list(reasoner(world).reason(QUESTION))
    assert [replica for replica, _, _ in world.asked] == ["a:1", "b:1"]
    assert kinds(events).count("answering") == 1


def test_questions_go_where_the_fewest_replies_are_written(world: World) -> None:
    world.routes = [Route(NEW, ("a:1", "b:1"))]
    asking = reasoner(world)
    first, second = asking.reason(QUESTION), asking.reason(QUESTION)
    next(first), next(second)
    assert [replica for replica, _, _ in world.asked] == ["a:1", "b:1"]
    list(second)
    third = asking.reason(QUESTION)
    next(third)
    first.close()  # type: ignore[attr-defined]
    next(asking.reason(QUESTION))
    assert [replica for replica, _, _ in world.asked] == ["a:1", "b:1", "b:1", "a:1"]


def test_after_the_first_token_nothing_takes_over(world: World) -> None:
    world.routes = [Route(NEW, ("a:1", "b:1"))]
    world.replies = {"a:1": [[REPLY[0], TritonError("dead", reason=errors.STUB_DEAD)]]}
    events = []
    with pytest.raises(TritonError):
        events.extend(reasoner(world).reason(QUESTION))
    assert len(world.asked) == 1


def test_a_question_waits_for_a_version_that_is_being_loaded(world: World) -> None:
    world.routes = [None, None, Route(NEW, ("a:1",))]
    assert kinds(list(reasoner(world, patience_s=5.0).reason(QUESTION)))[-1] == "completed"


def test_patience_ends(world: World) -> None:
    world.routes = [None]
    with pytest.raises(Unavailable) as problem:
        list(reasoner(world, patience_s=0.02).reason(QUESTION))
    assert problem.value.reason == "NOT_READY"
    assert problem.value.retry_after_s > 0


def test_the_features_follow_the_version_that_takes_over(world: World) -> None:
    world.routes = [Route(OLD, ("a:1",)), Route(NEW, ("a:1",))]
    world.replies = {"a:1": [[TritonError("gone", reason=errors.NOT_LOADED)]]}
    events = list(reasoner(world, patience_s=5.0).reason(QUESTION))
    assert world.extracted == ["front/1", "front/2"]
    assert isinstance(events[0], Answering)
    assert events[0].version == NEW


def test_a_refused_request_is_not_tried_again(world: World) -> None:
    world.routes = [Route(NEW, ("a:1", "b:1"))]
    world.replies = {"a:1": [[TritonError("too long", reason=errors.REJECTED)]]}
    with pytest.raises(TritonError, match="too long"):
        list(reasoner(world, patience_s=5.0).reason(QUESTION))
    assert len(world.asked) == 1


def test_one_reply_too_many_is_told_to_come_back(world: World) -> None:
    busy = reasoner(world, max_replies=1)
    running = busy.reason(QUESTION)
    next(running)
    with pytest.raises(ResourceExhausted) as refused:
        next(busy.reason(QUESTION))
    assert refused.value.retry_after_s > 0
    running.close()
    assert kinds(list(busy.reason(QUESTION)))[-1] == "completed", "the slot was given back"


def test_closing_a_reply_cancels_it_in_triton(world: World) -> None:
    running = reasoner(world).reason(QUESTION)
    next(running)
    running.close()
    assert world.given[0].cancelled


def test_a_cancellation_reaches_a_reply_that_waits_for_its_version(world: World) -> None:
    world.routes = [None]
    cancellation = Cancellation()
    threading.Timer(0.05, cancellation.pull).start()
    with pytest.raises(TritonError) as gone:
        list(reasoner(world, patience_s=30.0).reason(QUESTION, cancellation=cancellation))
    assert gone.value.reason == errors.CANCELLED


def test_a_reply_that_stops_without_its_end_is_an_error(world: World) -> None:
    world.replies = {"a:1": [[REPLY[0]]]}
    with pytest.raises(Unavailable, match="broke off"):
        list(reasoner(world).reason(QUESTION))


UNHEARD = tuple(Descriptor(name=name, abstained=True) for name in sorted(HEARD))


@pytest.mark.parametrize(
    ("measured", "logprob", "why"),
    [
        (MEASURED, -0.1, ""),
        (Measured(MEASURED.descriptors, 90.0), -0.1, "lasts 90.00 s"),
        (Measured(MEASURED.descriptors, 0.1), -0.1, "lasts 0.10 s"),
        (Measured(UNHEARD, 1.0), -0.1, "9 of 9"),
        (Measured((*UNHEARD[:5], *MEASURED.descriptors * 4), 1.0), -0.1, ""),
        (Measured((*UNHEARD, label("silence", "silent"), label("loudness", "-80")), 1.0), -0.1, ""),
        (Measured((*UNHEARD, label("silence", "silent"), label("loudness", "-20")), 1.0), -0.1, "9 of 9"),
        (MEASURED, -3.0, "mean probability of only 0.05"),
    ],
)
def test_a_clip_unlike_the_training_clips_is_marked_with_why(
    world: World, measured: Measured, logprob: float, why: str
) -> None:
    world.measured = measured
    world.replies = {"a:1": [[Event((Piece("answer", "rise", 1),), End("stop", 0, 1, answer_logprob=logprob))]]}
    last = list(reasoner(world).reason(QUESTION))[-1]
    assert isinstance(last, Completed)
    assert why in last.unfamiliar
    assert bool(why) == bool(last.unfamiliar)


@pytest.mark.parametrize(
    ("choices", "why"), [((), ""), (("falls", "Rise ."), ""), (("falls", "level"), "none of the choices")]
)
def test_an_answer_that_is_none_of_the_choices_is_marked(world: World, choices: tuple[str, ...], why: str) -> None:
    question = replace(QUESTION, ask=replace(QUESTION.ask, choices=choices))
    last = list(reasoner(world).reason(question))[-1]
    assert isinstance(last, Completed)
    assert why in last.unfamiliar
    assert bool(why) == bool(last.unfamiliar)
