"""The embedded event log: Kafka's semantics in one SQLite file that the processes of a machine share.

Promises offsets in the order of commits (the write lock is taken before an offset is given), durability before
`publish` returns, and readers that never wait for writers. Leaves groups to `groups`.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from services.kit.events.bus import LEASE_S, Delivery, Event, EventError
from services.kit.events.groups import LogConsumer

PARTITIONS = 4
RETENTION = timedelta(days=7)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS topics (name TEXT PRIMARY KEY, partitions INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS entries (
    topic TEXT NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL,
    id TEXT NOT NULL, type TEXT NOT NULL, source TEXT NOT NULL, subject TEXT NOT NULL, key TEXT NOT NULL,
    time TEXT NOT NULL, data BLOB NOT NULL, traceparent TEXT NOT NULL, extensions TEXT NOT NULL,
    appended_at TEXT NOT NULL,
    PRIMARY KEY (topic, partition, "offset"));
CREATE TABLE IF NOT EXISTS groups (name TEXT PRIMARY KEY, generation INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS members (
    "group" TEXT NOT NULL, member TEXT NOT NULL, topics TEXT NOT NULL, expires_at REAL NOT NULL,
    PRIMARY KEY ("group", member));
CREATE TABLE IF NOT EXISTS assignments (
    "group" TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, member TEXT NOT NULL,
    PRIMARY KEY ("group", topic, partition));
CREATE TABLE IF NOT EXISTS offsets (
    "group" TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
    PRIMARY KEY ("group", topic, partition));
"""
_COLUMNS = "id, type, source, subject, key, time, data, traceparent, extensions"
_READ = f"""SELECT "offset", {_COLUMNS} FROM entries
    WHERE topic = ? AND partition = ? AND "offset" >= ? ORDER BY "offset" LIMIT ?"""  # noqa: S608 - constants alone
_APPEND = f"""INSERT INTO entries (topic, partition, "offset", {_COLUMNS}, appended_at)
    SELECT ?1, ?2, COALESCE(MAX("offset") + 1, 0), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
    FROM entries WHERE topic = ?1 AND partition = ?2"""  # noqa: S608 - constants alone


class LogFile:
    """One connection to the log's file; each thread that uses the log has its own."""

    def __init__(self, path: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(_SCHEMA)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection within one write transaction, rolled back on an error."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def data_version(self) -> int:
        """A number that changes whenever another connection has committed."""
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, values).fetchall()

    def read(self, topic: str, partition: int, *, start: int, most: int) -> list[Delivery]:
        """Up to `most` records of a partition from offset `start` on."""
        found = self.rows(_READ, topic, partition, start, most)
        return [Delivery(_event(row[1:]), topic, partition, row[0]) for row in found]

    def close(self) -> None:
        self._connection.close()


class EventLog:
    """The embedded EventBus. Safe for threads: publishing takes a connection of its own each time."""

    def __init__(self, path: str, *, partitions: int = PARTITIONS, lease_s: float = LEASE_S) -> None:
        if not Path(path).is_absolute():
            raise EventError(f"the event log's path {path!r} is relative; give an absolute one")
        self._path = path
        self._partitions = partitions
        self._lease_s = lease_s

    def publish(self, topic: str, events: Sequence[Event]) -> None:
        file = LogFile(self._path)
        try:
            with file.writing() as connection:
                count = ensure_topic(connection, topic, partitions=self._partitions)
                for event in events:
                    _append(connection, topic, zlib.crc32(event.key.encode()) % count, event)
        finally:
            file.close()

    def consumer(self, group: str, topics: Sequence[str]) -> LogConsumer:
        file = LogFile(self._path)
        with file.writing() as connection:
            for topic in topics:
                ensure_topic(connection, topic, partitions=self._partitions)
            _forget(connection, older_than=datetime.now(UTC) - RETENTION)
        return LogConsumer(file, group=group, topics=topics, lease_s=self._lease_s)

    def close(self) -> None:
        """Nothing is held open between calls."""


def ensure_topic(connection: sqlite3.Connection, topic: str, *, partitions: int) -> int:
    """The topic's number of partitions; a new topic gets `partitions`."""
    connection.execute("INSERT OR IGNORE INTO topics VALUES (?, ?)", (topic, partitions))
    return int(connection.execute("SELECT partitions FROM topics WHERE name = ?", (topic,)).fetchone()[0])


def _forget(connection: sqlite3.Connection, *, older_than: datetime) -> None:
    """Deletes what was appended long ago, save the last of each partition: the next offset is counted from it."""
    connection.execute(
        """DELETE FROM entries WHERE appended_at < ? AND "offset" <
            (SELECT MAX("offset") FROM entries e WHERE e.topic = entries.topic AND e.partition = entries.partition)""",
        (older_than.isoformat(),),
    )


def _append(connection: sqlite3.Connection, topic: str, partition: int, event: Event) -> None:
    connection.execute(
        _APPEND,
        (
            topic,
            partition,
            event.id,
            event.type,
            event.source,
            event.subject,
            event.key,
            event.time.isoformat(),
            event.data,
            event.traceparent,
            json.dumps(dict(event.extensions)),
            datetime.now(UTC).isoformat(),
        ),
    )


def _event(row: Sequence[Any]) -> Event:
    identifier, kind, source, subject, key, time, data, traceparent, extensions = row
    return Event(
        id=identifier,
        type=kind,
        source=source,
        subject=subject,
        key=key,
        time=datetime.fromisoformat(time),
        data=data,
        traceparent=traceparent,
        extensions=json.loads(extensions),
    )
