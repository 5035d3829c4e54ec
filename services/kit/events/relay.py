"""The outbox relay: publishes committed events in their order, then marks them published.

Promises at-least-once delivery (a crash between publishing and marking publishes again; inboxes drop the copy)
and order per key: one leased relay per database reads `published_at IS NULL ORDER BY seq`, never `id > last`,
which would miss rows that commit late. Wakes at once for this process's commits and polls for those of others.
"""

import logging
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, delete, select, update

from services.kit.database import Database
from services.kit.events.bus import Event, EventBus
from services.kit.idempotency import forget_old_requests
from services.kit.leases import Lease
from services.kit.metrics import EVENTS, OUTBOX_AGE
from services.kit.tables import KIT, now

_BATCH = 200
_POLL_EVERY_S = 0.25
_CLEAN_EVERY_S = 3600.0
_PUBLISHED_KEPT_FOR = timedelta(days=7)
_HANDLED_KEPT_FOR = timedelta(days=60)  # longer than any broker keeps an event, so no redelivery outlives its row
_log = logging.getLogger(__name__)


class Relay:
    """Background worker: one topic takes every event of one service."""

    def __init__(self, database: Database, bus: EventBus, *, source: str, topic: str) -> None:
        self.name = f"relay to {topic}"
        self._database = database
        self._bus = bus
        self._source = source
        self._topic = topic
        self._lease = Lease(database, "relay")
        self._clean_at = time.monotonic() + _CLEAN_EVERY_S

    def run(self, stopping: threading.Event) -> None:
        try:
            while not stopping.is_set():
                self._database.events_written.clear()
                if self._lease.hold() and self.publish_pending() == _BATCH:
                    continue
                self._clean_now_and_then()
                self._database.events_written.wait(_POLL_EVERY_S)
        finally:
            self._lease.release()

    def publish_pending(self) -> int:
        """Publishes up to a batch of waiting events; returns how many."""
        rows = self._pending()
        OUTBOX_AGE.labels(self.name).set((now() - rows[0].time).total_seconds() if rows else 0)
        if rows:
            self._bus.publish(self._topic, [self._event(row) for row in rows])
            self._database.retrying(lambda: self._mark(rows))
            EVENTS.labels(self.name, "published").inc(len(rows))
        return len(rows)

    def _pending(self) -> Sequence[Row[Any]]:
        waiting = select(KIT.outbox).where(KIT.outbox.c.published_at.is_(None)).order_by(KIT.outbox.c.seq)
        with self._database.unit_of_work(read_only=True) as work:
            return work.session.execute(waiting.limit(_BATCH)).all()

    def _mark(self, rows: Sequence[Row[Any]]) -> None:
        published = KIT.outbox.c.seq.in_([row.seq for row in rows])
        with self._database.unit_of_work() as work:
            work.session.execute(update(KIT.outbox).where(published).values(published_at=now()))
            work.commit()

    def _event(self, row: Row[Any]) -> Event:
        return Event(
            id=row.id,
            type=row.type,
            source=self._source,
            subject=row.subject,
            key=row.key,
            time=row.time,
            data=row.data,
            traceparent=row.traceparent,
        )

    def _clean_now_and_then(self) -> None:
        if time.monotonic() >= self._clean_at:
            self._clean_at = time.monotonic() + _CLEAN_EVERY_S
            self._database.retrying(lambda: clean(self._database))


def clean(database: Database) -> None:
    """Forgets published events, handled inbox rows and stored answers whose time has passed."""
    with database.unit_of_work() as work:
        work.session.execute(delete(KIT.outbox).where(KIT.outbox.c.published_at < now() - _PUBLISHED_KEPT_FOR))
        work.session.execute(delete(KIT.inbox).where(KIT.inbox.c.handled_at < now() - _HANDLED_KEPT_FOR))
        forget_old_requests(work)
        work.commit()
