"""Events and databases for tests of the kit."""

import uuid
from datetime import UTC, datetime
from pathlib import Path

from mgrd.events.v1.events_pb2 import AliasMoved
from services.kit.database import Database
from services.kit.events.bus import Consumer, Delivery, Event
from services.kit.tables import KIT


def an_event(key: str = "k", *, body: str = "a", event_id: str = "") -> Event:
    """An alias.moved event with alias `body`."""
    return Event(
        id=event_id or str(uuid.uuid4()),
        type="mgrd.alias.moved.v1",
        source="mgrd/registry",
        subject="models/m/aliases/a",
        key=key,
        time=datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC),
        data=AliasMoved(alias=body).SerializeToString(),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )


def kit_database(folder: Path, name: str = "kit") -> Database:
    """A SQLite database that has the kit's tables."""
    database = Database(f"sqlite:///{folder}/{name}.db")
    KIT.outbox.metadata.create_all(database.engine)
    return database


def drain(consumer: Consumer, *, want: int, timeout_s: float = 20.0) -> list[Delivery]:
    """Polls until `want` events came; fewer after the timeout."""
    ends_at = datetime.now(UTC).timestamp() + timeout_s
    found: list[Delivery] = []
    while len(found) < want and datetime.now(UTC).timestamp() < ends_at:
        found += consumer.poll(want - len(found), timeout_s=0.5)
    return found
