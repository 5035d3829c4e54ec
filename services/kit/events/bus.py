"""The event bus as services see it: an event, a delivery, and the port that the embedded log and Kafka implement.

The semantics are Kafka's: partitions by key, offsets in commit order, consumer groups, at-least-once delivery.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from services.kit.events.security import BrokerSecurity

MAX_EVENT_BYTES = 1_000_000
DEAD_LETTER_SUFFIX = ".dlq"
LEASE_S = 120.0


class EventError(ValueError):
    """Root of the errors of events; `reason` is stable."""

    reason = "EVENT_INVALID"


class EventTooLarge(EventError):
    """The body is bigger than a broker takes; put it in the store and send its digest."""

    reason = "EVENT_TOO_LARGE"


class Fenced(EventError):
    """The group gave this consumer's partitions to another while it worked: the offsets were not committed."""

    reason = "CONSUMER_FENCED"


@dataclass(frozen=True)
class Event:
    """A CloudEvent 1.0. `key` decides the partition; events of one key keep their order."""

    id: str
    type: str
    source: str
    subject: str
    key: str
    time: datetime
    data: bytes
    traceparent: str = ""
    extensions: Mapping[str, str] = field(default_factory=dict)
    flaw: str = ""
    """What an adapter could not read in the record; never travels."""

    def problem(self) -> str:
        """What makes the event unusable, empty where nothing does."""
        if self.flaw:
            return self.flaw
        missing = [name for name in ("id", "type", "source") if not getattr(self, name)]
        return f"the event lacks {', '.join(missing)}" if missing else ""


@dataclass(frozen=True)
class Delivery:
    """An event where it stands in its topic."""

    event: Event
    topic: str
    partition: int
    offset: int


class Consumer(Protocol):
    """A member of a consumer group; used by one thread."""

    def poll(self, max_events: int, *, timeout_s: float) -> list[Delivery]:
        """The next events of the partitions this member holds; empty where none came in time."""

    def commit(self) -> None:
        """The group goes on behind everything polled. Fenced where the partitions are another's by now."""

    def close(self) -> None:
        """Leaves the group; what was polled and not committed is delivered again."""


class EventBus(Protocol):
    """Publishes events and hands out consumers."""

    def publish(self, topic: str, events: Sequence[Event]) -> None:
        """Returns when all are durable. After an error any of them may be there: publishing again is right."""

    def consumer(self, group: str, topics: Sequence[str]) -> Consumer: ...

    def close(self) -> None: ...


def open_bus(url: str, *, lease_s: float = LEASE_S, security: "BrokerSecurity | None" = None) -> EventBus:
    """The bus of a URL: sqlite:///abs/events.db, or kafka://host:port whose brokers want `security`.

    A consumer that does not poll for `lease_s` loses its partitions to the other members of its group.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and rest.startswith("/"):
        from services.kit.events.log import EventLog

        return EventLog(rest[1:], lease_s=lease_s)
    if scheme == "kafka":
        from services.kit.events.kafka import KafkaBus
        from services.kit.events.security import NO_SECURITY

        return KafkaBus(rest, lease_s=lease_s, security=security or NO_SECURITY)
    raise EventError(f"{url!r} is no event bus; use sqlite:///absolute/path.db or kafka://host:port")
