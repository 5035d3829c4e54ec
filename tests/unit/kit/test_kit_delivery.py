"""Outbox and inbox at every point where a process may die: nothing is lost, no effect happens twice."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from google.protobuf.message import Message
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from mgrd.events.v1.events_pb2 import AliasMoved, RunFinished
from services.kit import telemetry
from services.kit.background import BackgroundThreads
from services.kit.database import Database, UnitOfWork
from services.kit.events.bus import Event, EventBus, EventTooLarge, open_bus
from services.kit.events.relay import Relay
from services.kit.events.subscription import Subscription
from services.kit.tables import KIT
from tests.support.events import an_event, drain, kit_database

TOPIC = "mgrd.registry"


class Killed(BaseException):
    """Stands for the death of the process: nothing after it runs, nothing catches it."""


class DiesAfterPublishing:
    """A bus whose process dies right after the events are durable, before anybody hears of it."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    def publish(self, topic: str, events: Sequence[Event]) -> None:
        self._bus.publish(topic, events)
        raise Killed


class Handled:
    """An effect in the database: one audit record per event."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self, work: UnitOfWork, body: Message) -> None:
        work.audit(body.alias, "alias.followed", trace=telemetry.trace_id())

    def effects(self) -> list[str]:
        with self._database.unit_of_work(read_only=True) as work:
            return list(work.session.execute(select(KIT.audit.c.resource).order_by(KIT.audit.c.seq)).scalars())


@pytest.fixture
def bus(tmp_path: Path) -> EventBus:
    return open_bus(f"sqlite:///{tmp_path}/events.db")


@pytest.fixture
def producer(tmp_path: Path) -> Iterator[Database]:
    database = kit_database(tmp_path, "producer")
    yield database
    database.close()


@pytest.fixture
def consumer(tmp_path: Path) -> Iterator[Database]:
    database = kit_database(tmp_path, "consumer")
    yield database
    database.close()


def _publish(database: Database, *bodies: str, key: str = "k") -> None:
    with database.unit_of_work() as work:
        for body in bodies:
            work.publish(AliasMoved(alias=body), subject=body, key=key)
        work.commit()


def _relay(database: Database, bus: EventBus) -> Relay:
    return Relay(database, bus, source="mgrd/registry", topic=TOPIC)


def _subscription(database: Database, bus: EventBus, handler: object, *, attempts: int = 2) -> Subscription:
    handlers = {"mgrd.alias.moved.v1": handler}
    return Subscription(database, bus, group="inference", topics=[TOPIC], handlers=handlers, attempts=attempts)


def _handle(subscription: Subscription, bus: EventBus, *, rounds: int = 1) -> None:
    member = bus.consumer("inference", [TOPIC])
    for _ in range(rounds):
        subscription.handle_next(member, threading.Event(), timeout_s=0.05)
    member.close()


def test_death_between_commit_and_publishing_loses_nothing(
    producer: Database, consumer: Database, bus: EventBus
) -> None:
    _publish(producer, "a", "b")
    producer.close()  # the process ends here; another begins
    assert _relay(producer, bus).publish_pending() == 2
    handled = Handled(consumer)
    _handle(_subscription(consumer, bus, handled), bus)
    assert handled.effects() == ["a", "b"]


def test_death_between_publishing_and_marking_has_no_second_effect(
    producer: Database, consumer: Database, bus: EventBus
) -> None:
    _publish(producer, "a")
    with pytest.raises(Killed):
        _relay(producer, DiesAfterPublishing(bus)).publish_pending()
    assert _relay(producer, bus).publish_pending() == 1
    handled = Handled(consumer)
    _handle(_subscription(consumer, bus, handled), bus, rounds=2)
    assert len(drain(bus.consumer("looking", [TOPIC]), want=2)) == 2
    assert handled.effects() == ["a"]


def test_death_between_effect_and_offset_has_no_second_effect(
    producer: Database, consumer: Database, bus: EventBus
) -> None:
    class DiesBeforeCommitting:
        def __init__(self) -> None:
            self.inner = bus.consumer("inference", [TOPIC])

        def poll(self, max_events: int, *, timeout_s: float) -> list:
            return self.inner.poll(max_events, timeout_s=timeout_s)

        def commit(self) -> None:
            raise Killed

    _publish(producer, "a")
    _relay(producer, bus).publish_pending()
    handled = Handled(consumer)
    dying = DiesBeforeCommitting()
    with pytest.raises(Killed):
        _subscription(consumer, bus, handled).handle_next(dying, threading.Event(), timeout_s=1)
    dying.inner.close()
    _handle(_subscription(consumer, bus, handled), bus, rounds=2)
    assert handled.effects() == ["a"]


def test_a_failing_handler_leaves_no_trace_of_its_attempt(
    producer: Database, consumer: Database, bus: EventBus
) -> None:
    handled, failures = Handled(consumer), iter([True, False])

    def fails_once(work: UnitOfWork, body: Message) -> None:
        handled(work, body)
        if next(failures):
            raise RuntimeError("after the effect")

    _publish(producer, "a")
    _relay(producer, bus).publish_pending()
    _handle(_subscription(consumer, bus, fails_once), bus)
    assert handled.effects() == ["a"]


def test_a_database_that_is_away_is_waited_for_and_buries_nothing(
    producer: Database, consumer: Database, bus: EventBus
) -> None:
    handled, away = Handled(consumer), iter([True] * 4 + [False])

    def needs_database(work: UnitOfWork, body: Message) -> None:
        if next(away):
            raise OperationalError("connect", {}, Exception("connection refused"))
        handled(work, body)

    _publish(producer, "a")
    _relay(producer, bus).publish_pending()
    _handle(_subscription(consumer, bus, needs_database, attempts=1), bus)
    assert handled.effects() == ["a"]


def test_a_wrong_statement_is_poison_and_not_waited_for(producer: Database, consumer: Database, bus: EventBus) -> None:
    def wrong_statement(work: UnitOfWork, _body: Message) -> None:
        work.session.execute(text("SELECT missing FROM nowhere"))

    _publish(producer, "a")
    _relay(producer, bus).publish_pending()
    _handle(_subscription(consumer, bus, wrong_statement, attempts=1), bus)
    [letter] = drain(bus.consumer("looking", [f"{TOPIC}.dlq"]), want=1, timeout_s=0.3)
    assert "no such table" in letter.event.extensions["dlqreason"]


def test_unreadable_flawed_and_foreign_events_stall_nothing(consumer: Database, bus: EventBus) -> None:
    good = an_event(body="good")
    unreadable = Event("1", "mgrd.alias.moved.v1", "s", "s", "k", good.time, b"\xff\xff\xff")
    nameless = Event("", "mgrd.alias.moved.v1", "s", "s", "k", good.time, b"")
    future = Event("2", "mgrd.alias.moved.v2", "s", "s", "k", good.time, b"\xff")
    bus.publish(TOPIC, [unreadable, nameless, future, good])
    handled = Handled(consumer)
    _handle(_subscription(consumer, bus, handled, attempts=1), bus)
    letters = drain(bus.consumer("looking", [f"{TOPIC}.dlq"]), want=3, timeout_s=0.3)
    assert handled.effects() == ["good"]
    assert [letter.event.extensions["dlqreason"].split(":")[0] for letter in letters] == [
        "DecodeError",
        "the event lacks id",
    ]


def test_the_trace_goes_from_the_change_to_its_effect(producer: Database, consumer: Database, bus: EventBus) -> None:
    with telemetry.span("change"):
        trace = telemetry.trace_id()
        _publish(producer, "a")
    _relay(producer, bus).publish_pending()
    _handle(_subscription(consumer, bus, Handled(consumer)), bus)
    with consumer.unit_of_work(read_only=True) as work:
        [record] = work.session.execute(select(KIT.audit)).all()
    assert (record.trace_id, record.details["trace"]) == (trace, trace)


def test_a_broker_that_is_away_delays_the_events_and_keeps_their_order(producer: Database, bus: EventBus) -> None:
    class AwayAtFirst:
        failures = 3

        def publish(self, topic: str, events: Sequence[Event]) -> None:
            if self.failures:
                self.failures -= 1
                raise ConnectionError("broker is down")
            bus.publish(topic, events)

    _publish(producer, *map(str, range(5)))
    workers = BackgroundThreads([_relay(producer, AwayAtFirst())])
    workers.start()
    found = drain(bus.consumer("looking", [TOPIC]), want=5)
    workers.stop(timeout_s=5)
    assert [AliasMoved.FromString(delivery.event.data).alias for delivery in found] == list("01234")


def test_a_body_too_big_for_a_broker_is_refused_before_it_is_committed(producer: Database) -> None:
    with pytest.raises(EventTooLarge, match="digest"), producer.unit_of_work() as work:
        work.publish(RunFinished(error="x" * 2_000_000), subject="s", key="k")
