"""What is the embedded log's own: retention, relative paths."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.kit.events.bus import EventError, open_bus
from services.kit.events.log import LogFile
from tests.support.events import an_event, drain

TOPIC = "mgrd.registry"


def test_old_records_are_forgotten_and_offsets_go_on(tmp_path: Path) -> None:
    bus = open_bus(f"sqlite:///{tmp_path}/events.db")
    bus.publish(TOPIC, [an_event("k", event_id=f"old-{number}") for number in range(3)])
    with LogFile(str(tmp_path / "events.db")).writing() as connection:
        week_old = datetime.now(UTC) - timedelta(days=8)
        connection.execute("UPDATE entries SET appended_at = ?", (week_old.isoformat(),))
    reader = bus.consumer("a", [TOPIC])
    assert [delivery.event.id for delivery in drain(reader, want=1)] == ["old-2"]
    bus.publish(TOPIC, [an_event("k", event_id="new")])
    [new] = drain(reader, want=1)
    assert (new.event.id, new.offset) == ("new", 3)
    reader.close()


def test_a_log_must_have_an_absolute_path() -> None:
    for url in ("sqlite:///events.db", "sqlite://events.db", "mqtt://x"):
        with pytest.raises(EventError, match=r"absolute|no event bus"):
            open_bus(url)
