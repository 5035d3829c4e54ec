"""What every event bus promises, run on the embedded log and on a real Kafka broker."""

import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer

from services.kit.events.bus import EventBus, Fenced, open_bus
from services.kit.events.replay import replay
from services.kit.events.subscription import Subscription
from services.kit.events.types import parse_body
from tests.support.brokers import kafka_broker
from tests.support.events import an_event, drain, kit_database

OpenBus = Callable[..., EventBus]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with kafka_broker(tmp_path_factory.mktemp("kafka")) as address:
        yield address


@pytest.fixture(params=["log", "kafka"])
def open_it(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenBus]:
    """Opens the same bus as often as wanted, as several processes would."""
    kafka = request.param == "kafka"
    url = f"kafka://{request.getfixturevalue('broker')}" if kafka else f"sqlite:///{tmp_path}/events.db"
    opened: list[EventBus] = []

    def open_another(**options: float) -> EventBus:
        opened.append(open_bus(url, **options))
        return opened[-1]

    yield open_another
    for bus in opened:
        bus.close()


@pytest.fixture
def topic() -> str:
    return f"mgrd.test-{uuid.uuid4().hex[:8]}"


def test_an_event_arrives_as_it_was_sent(open_it: OpenBus, topic: str) -> None:
    bus = open_it()
    sent = replace(an_event("clé"), extensions={"dlqreason": "ünusual"})
    bus.publish(topic, [sent])
    consumer = bus.consumer("g", [topic])
    [delivery] = drain(consumer, want=1)
    assert (delivery.event, delivery.topic) == (sent, topic)
    consumer.close()


def test_events_of_one_key_keep_their_order_and_partition(open_it: OpenBus, topic: str) -> None:
    bus = open_it()
    bus.publish(topic, [an_event(f"key-{number % 5}", body=str(number)) for number in range(100)])
    consumer = bus.consumer("g", [topic])
    deliveries = drain(consumer, want=100)
    seen: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for delivery in deliveries:
        number = int(parse_body(delivery.event.type, delivery.event.data).alias)
        seen[delivery.event.key].append((number, delivery.partition))
    assert len(deliveries) == 100
    for entries in seen.values():
        assert entries == sorted(entries)
        assert len({partition for _, partition in entries}) == 1
    consumer.close()


def test_offsets_of_a_partition_are_consecutive(open_it: OpenBus, topic: str) -> None:
    bus = open_it()
    for number in range(5):
        bus.publish(topic, [an_event("one", body=str(number))])
    consumer = bus.consumer("g", [topic])
    assert [delivery.offset for delivery in drain(consumer, want=5)] == [0, 1, 2, 3, 4]
    consumer.close()


def test_what_was_not_committed_comes_again_and_what_was_does_not(open_it: OpenBus, topic: str) -> None:
    bus = open_it()
    bus.publish(topic, [an_event("one", body="first")])
    first = bus.consumer("g", [topic])
    assert len(drain(first, want=1)) == 1
    first.commit()
    bus.publish(topic, [an_event("one", body="second")])
    assert len(drain(first, want=1)) == 1
    first.close()
    second = bus.consumer("g", [topic])
    [again] = drain(second, want=1)
    assert parse_body(again.event.type, again.event.data).alias == "second"
    assert second.poll(1, timeout_s=0.3) == []
    second.close()


def test_every_group_gets_every_event(open_it: OpenBus, topic: str) -> None:
    bus = open_it()
    bus.publish(topic, [an_event(str(number)) for number in range(10)])
    for group in ("a", "b"):
        consumer = bus.consumer(group, [topic])
        assert len(drain(consumer, want=10)) == 10
        consumer.close()


def test_members_of_a_group_share_the_partitions_and_miss_nothing(open_it: OpenBus, topic: str) -> None:
    bus = open_it()
    bus.publish(topic, [an_event(str(number), event_id=f"e{number}") for number in range(200)])
    got: dict[int, set[str]] = {0: set(), 1: set()}
    done = threading.Event()

    def consume(member: int) -> None:
        consumer = open_it().consumer("g", [topic])
        while not done.is_set():
            got[member] |= {delivery.event.id for delivery in consumer.poll(5, timeout_s=0.1)}
            with suppress(Fenced):
                consumer.commit()
            if len(got[0] | got[1]) == 200:
                done.set()
        consumer.close()

    members = [threading.Thread(target=consume, args=(number,)) for number in (0, 1)]
    for member in members:
        member.start()
    done.wait(20)
    done.set()
    for member in members:
        member.join(20)
    assert got[0] | got[1] == {f"e{number}" for number in range(200)}


def test_a_member_that_hung_loses_its_partitions_and_cannot_commit(open_it: OpenBus, topic: str) -> None:
    bus = open_it(lease_s=1.0)
    bus.publish(topic, [an_event("one", event_id="e")])
    hung = bus.consumer("g", [topic])
    assert len(drain(hung, want=1)) == 1
    heir = open_it().consumer("g", [topic])
    assert [delivery.event.id for delivery in drain(heir, want=1)] == ["e"]
    with pytest.raises(Fenced):
        hung.commit()
    heir.commit()
    hung.close()
    heir.close()


def test_a_poison_message_is_buried_with_its_story_and_can_be_replayed(
    open_it: OpenBus, topic: str, tmp_path: Path
) -> None:
    bus, database = open_it(), kit_database(tmp_path, "inbox")
    bus.publish(topic, [an_event("one", body=body, event_id=body) for body in ("before", "poison", "after")])
    handled: list[str] = []
    mended = False

    def handler(_work: object, body: object) -> None:
        if body.alias == "poison" and not mended:
            raise RuntimeError("cannot digest")
        handled.append(body.alias)

    subscription = Subscription(
        database, bus, group="g", topics=[topic], handlers={"mgrd.alias.moved.v1": handler}, attempts=2
    )
    consumer = bus.consumer("g", [topic])
    _handle_until(lambda: handled == ["before", "after"], subscription, consumer)
    letters = bus.consumer("looking", [f"{topic}.dlq"])
    [letter] = drain(letters, want=1)
    notes = letter.event.extensions
    assert (notes["dlqtopic"], notes["dlqoffset"], notes["dlqattempts"]) == (topic, "1", "2")
    assert notes["dlqreason"] == "RuntimeError: cannot digest"
    assert letter.event.traceparent == an_event().traceparent
    mended = True
    assert replay(bus, topic, quiet_s=3.0 if "Kafka" in type(bus).__name__ else 0.2) == 1
    _handle_until(lambda: handled == ["before", "after", "poison"], subscription, consumer)
    consumer.close()
    letters.close()


def _handle_until(reached: Callable[[], bool], subscription: Subscription, consumer: object) -> None:
    for _ in range(50):
        if reached():
            return
        subscription.handle_next(consumer, threading.Event(), timeout_s=0.3)
    assert reached()


def test_kafka_records_are_cloudevents_in_binary_mode(broker: str, topic: str) -> None:
    bus = open_bus(f"kafka://{broker}")
    bus.publish(topic, [an_event("the-key", body="x", event_id="e-1")])
    [record] = _raw(broker, topic)
    assert dict(record.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"e-1",
        "ce_type": b"mgrd.alias.moved.v1",
        "ce_source": b"mgrd/registry",
        "ce_subject": b"models/m/aliases/a",
        "ce_time": b"2026-01-02T03:04:05.678000+00:00",
        "ce_traceparent": b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "content-type": b"application/protobuf",
    }
    assert (record.key, record.value) == (b"the-key", an_event(body="x").data)
    bus.close()


def test_foreign_kafka_records_are_buried_and_stall_nothing(broker: str, topic: str, tmp_path: Path) -> None:
    bus, handled = open_bus(f"kafka://{broker}"), []
    bus.publish(topic, [an_event("k", body="before")])
    producer = KafkaProducer(bootstrap_servers=broker)
    headers = [("ce_id", b"t"), ("ce_type", b"mgrd.alias.moved.v1"), ("ce_source", b"s")]
    for value, found in ((b"not ours", []), (None, headers), (b"\xff\xff", [*headers[1:], ("ce_id", b"\xff")])):
        producer.send(topic, key=b"k", value=value, headers=found).get(timeout=10)
    producer.close()
    bus.publish(topic, [an_event("k", body="after")])
    subscription = Subscription(
        kit_database(tmp_path, "inbox"),
        bus,
        group="g",
        topics=[topic],
        handlers={"mgrd.alias.moved.v1": lambda _work, body: handled.append(body.alias)},
        attempts=1,
    )
    consumer = bus.consumer("g", [topic])
    _handle_until(lambda: handled == ["before", "after"], subscription, consumer)
    reasons = [
        dict(record.headers)["ce_dlqreason"].decode().split(":")[0] for record in _raw(broker, f"{topic}.dlq", 3)
    ]
    assert reasons == ["the event lacks id, type, source", "the record is a tombstone", "DecodeError"]
    consumer.close()
    bus.close()


def _raw(broker: str, topic: str, want: int = 1) -> list:
    consumer = KafkaConsumer(
        topic, bootstrap_servers=broker, auto_offset_reset="earliest", consumer_timeout_ms=10_000, group_id=None
    )
    try:
        return [next(consumer) for _ in range(want)]
    finally:
        consumer.close()
