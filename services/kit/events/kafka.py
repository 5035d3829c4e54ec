"""The event bus on Kafka: CloudEvents in binary mode (attributes as `ce_` headers), key = the event's key.

Promises acknowledged writes by all replicas before `publish` returns, and offsets committed only by `commit`.
A record that is no CloudEvent becomes an event with a flaw, so that it is buried instead of stalling its partition.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import (
    CommitFailedError,
    FencedInstanceIdError,
    IllegalGenerationError,
    RebalanceInProgressError,
    TopicAlreadyExistsError,
    UnknownMemberIdError,
)

from services.kit.events.bus import LEASE_S, Delivery, Event, Fenced
from services.kit.events.security import NO_SECURITY, BrokerSecurity

PARTITIONS = 4
_PUBLISH_TIMEOUT_S = 30.0
_RECONNECT_AT_MOST_MS = 2_000
_SESSION_TIMEOUT_MS = 10_000  # how long the partitions of a killed consumer wait
_LOST = (
    CommitFailedError,
    FencedInstanceIdError,
    IllegalGenerationError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
_ATTRIBUTES = frozenset({"id", "type", "source", "subject", "time", "specversion", "traceparent", "datacontenttype"})


class KafkaBus:
    """An EventBus; the producer is made at the first publish and shared by threads. Not to be used after a fork."""

    def __init__(
        self,
        bootstrap: str,
        *,
        partitions: int = PARTITIONS,
        lease_s: float = LEASE_S,
        security: BrokerSecurity = NO_SECURITY,
    ) -> None:
        self._brokers = {"bootstrap_servers": bootstrap, **security.options()}
        self._partitions = partitions
        self._lease_s = lease_s
        self._producer: KafkaProducer | None = None
        self._topics: set[str] = set()

    def publish(self, topic: str, events: Sequence[Event]) -> None:
        self._ensure_topics([topic])
        producer = self._connected()
        sent = [
            producer.send(topic, key=event.key.encode(), value=event.data, headers=headers_of(event))
            for event in events
        ]
        for future in sent:
            future.get(timeout=_PUBLISH_TIMEOUT_S)

    def consumer(self, group: str, topics: Sequence[str]) -> "KafkaLogConsumer":
        self._ensure_topics(topics)
        return KafkaLogConsumer(self._brokers, group=group, topics=topics, lease_s=self._lease_s)

    def close(self) -> None:
        if self._producer is not None:
            self._producer.close(timeout=_PUBLISH_TIMEOUT_S)
            self._producer = None

    def _connected(self) -> KafkaProducer:
        if self._producer is None:
            self._producer = KafkaProducer(**self._brokers, linger_ms=2, reconnect_backoff_max_ms=_RECONNECT_AT_MOST_MS)
        return self._producer

    def _ensure_topics(self, topics: Sequence[str]) -> None:
        missing = set(topics) - self._topics
        if not missing:
            return
        admin = KafkaAdminClient(**self._brokers)
        try:
            for topic in missing:
                self._create(admin, topic)
        finally:
            admin.close()
        self._topics |= missing

    def _create(self, admin: KafkaAdminClient, topic: str) -> None:
        try:
            admin.create_topics({topic: {"num_partitions": self._partitions}}, wait_for_metadata=True)
        except TopicAlreadyExistsError:
            return  # another process was first, or the operator made it with settings of their own


class KafkaLogConsumer:
    """A member of a Kafka consumer group."""

    def __init__(self, brokers: Mapping[str, str], *, group: str, topics: Sequence[str], lease_s: float) -> None:
        self._consumer = KafkaConsumer(
            *topics,
            **brokers,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=_SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=_SESSION_TIMEOUT_MS // 10,
            max_poll_interval_ms=int(lease_s * 1000),
            fetch_max_wait_ms=100,
            reconnect_backoff_max_ms=_RECONNECT_AT_MOST_MS,
        )

    def poll(self, max_events: int, *, timeout_s: float) -> list[Delivery]:
        by_partition = self._consumer.poll(timeout_ms=int(timeout_s * 1000), max_records=max_events)
        return [
            Delivery(event_of(record), record.topic, record.partition, record.offset)
            for records in by_partition.values()
            for record in records
        ]

    def commit(self) -> None:
        try:
            self._consumer.commit()
        except _LOST as lost:
            raise Fenced(f"the group took this consumer's partitions: {lost}") from lost

    def close(self) -> None:
        self._consumer.close(autocommit=False)


def headers_of(event: Event) -> list[tuple[str, bytes]]:
    """The CloudEvents binary-mode headers of an event."""
    attributes = {
        "specversion": "1.0",
        "id": event.id,
        "type": event.type,
        "source": event.source,
        "subject": event.subject,
        "time": event.time.isoformat(),
        "traceparent": event.traceparent,
        **event.extensions,
    }
    found = [(f"ce_{name}", value.encode()) for name, value in attributes.items() if value]
    return [*found, ("content-type", b"application/protobuf")]


def event_of(record: ConsumerRecord) -> Event:
    """The event a record holds; what cannot be read is said in `flaw`."""
    attributes = {
        name.removeprefix("ce_"): (value or b"").decode(errors="replace")
        for name, value in record.headers
        if name.startswith("ce_")
    }
    return Event(
        id=attributes.get("id", ""),
        type=attributes.get("type", ""),
        source=attributes.get("source", ""),
        subject=attributes.get("subject", ""),
        key=(record.key or b"").decode(errors="replace"),
        time=_time(attributes, record),
        data=record.value or b"",
        traceparent=attributes.get("traceparent", ""),
        extensions={name: value for name, value in attributes.items() if name not in _ATTRIBUTES},
        flaw="the record is a tombstone" if record.value is None else "",
    )


def _time(attributes: Mapping[str, str], record: ConsumerRecord) -> datetime:
    try:
        return datetime.fromisoformat(attributes["time"])
    except (KeyError, ValueError):
        return datetime.fromtimestamp(max(record.timestamp, 0) / 1000, UTC)
