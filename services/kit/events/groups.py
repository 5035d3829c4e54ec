"""Consumer groups of the embedded log: membership by lease, assignment by generation, commits that are fenced.

Promises that a partition is handed to one live member at a time, that a member which died (at once) or hung (after
its lease) loses its partitions, and that its late commit is refused. Every change of membership begins a new
generation; members notice at their next poll and go on from the committed offsets.
"""

import json
import sqlite3
import time
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from services.kit.events.bus import Delivery, Fenced
from services.kit.processes import identity, is_gone

if TYPE_CHECKING:
    from services.kit.events.log import LogFile

_LOOK_EVERY_S = 0.015
_CHECK_MEMBERS_EVERY_S = 0.5

TopicPartition = tuple[str, int]


class LogConsumer:
    """A member of a group, used by one thread. A handler that works longer than `lease_s` is fenced."""

    def __init__(self, file: "LogFile", *, group: str, topics: Sequence[str], lease_s: float) -> None:
        self._file = file
        self._group = group
        self._topics = tuple(topics)
        self._lease_s = lease_s
        self._member = f"{identity()}/{uuid.uuid4().hex[:8]}"
        self._generation = -1
        self._positions: dict[TopicPartition, int] = {}
        self._seen_version = -1
        self._check_at = 0.0
        self._renew_at = 0.0

    def poll(self, max_events: int, *, timeout_s: float) -> list[Delivery]:
        ends_at = time.monotonic() + timeout_s
        while True:
            found = self._look(max_events)
            if found or time.monotonic() >= ends_at:
                return found
            time.sleep(_LOOK_EVERY_S)

    def commit(self) -> None:
        with self._file.writing() as connection:
            if not self._is_current(connection):
                self._check_at = self._renew_at = 0.0
                raise Fenced(f"group {self._group!r} has a newer generation than {self._generation}")
            connection.executemany(
                "INSERT INTO offsets VALUES (?, ?, ?, ?) "
                'ON CONFLICT ("group", topic, partition) DO UPDATE SET next = excluded.next',
                [(self._group, topic, number, at) for (topic, number), at in self._positions.items()],
            )

    def close(self) -> None:
        with self._file.writing() as connection:
            self._remove(connection, [self._member])
        self._file.close()

    def _look(self, max_events: int) -> list[Delivery]:
        self._keep_membership()
        version = self._file.data_version()
        if version == self._seen_version:
            return []
        self._follow_generation()
        found: list[Delivery] = []
        for (topic, number), start in self._positions.items():
            found += self._file.read(topic, number, start=start, most=max_events - len(found))
            if len(found) == max_events:
                break
        if not found:
            self._seen_version = version
        self._advance(found)
        return found

    def _advance(self, found: Sequence[Delivery]) -> None:
        for delivery in found:
            partition = delivery.topic, delivery.partition
            # To the back of the queue, so that a busy partition does not starve the others.
            self._positions.pop(partition)
            self._positions[partition] = delivery.offset + 1

    def _keep_membership(self) -> None:
        now = time.monotonic()
        if now < self._check_at:
            return
        self._check_at = now + _CHECK_MEMBERS_EVERY_S
        members = self._file.rows('SELECT member, expires_at FROM members WHERE "group" = ?', self._group)
        lost = [name for name, until in members if name != self._member and (until < time.time() or is_gone(name))]
        joined = any(name == self._member for name, _ in members)
        if joined and not lost and now < self._renew_at:
            return
        with self._file.writing() as connection:
            self._remove(connection, lost)
            self._join_or_renew(connection)
        self._renew_at = now + self._lease_s / 3
        self._seen_version = -1

    def _join_or_renew(self, connection: sqlite3.Connection) -> None:
        until = time.time() + self._lease_s
        renewed = connection.execute(
            'UPDATE members SET expires_at = ? WHERE "group" = ? AND member = ?', (until, self._group, self._member)
        )
        if renewed.rowcount == 0:
            row = (self._group, self._member, json.dumps(self._topics), until)
            connection.execute("INSERT INTO members VALUES (?, ?, ?, ?)", row)
            self._rebalance(connection)

    def _remove(self, connection: sqlite3.Connection, members: Sequence[str]) -> None:
        gone = [(self._group, member) for member in members]
        if connection.executemany('DELETE FROM members WHERE "group" = ? AND member = ?', gone).rowcount > 0:
            self._rebalance(connection)

    def _rebalance(self, connection: sqlite3.Connection) -> None:
        """Deals the partitions of every topic round to the members that want the topic; a new generation."""
        connection.execute('DELETE FROM assignments WHERE "group" = ?', (self._group,))
        query = 'SELECT member, topics FROM members WHERE "group" = ? ORDER BY member'
        members = [(name, json.loads(topics)) for name, topics in connection.execute(query, (self._group,))]
        partitions = connection.execute("SELECT name, partitions FROM topics ORDER BY name").fetchall()
        dealt = 0
        for topic, number in ((topic, number) for topic, count in partitions for number in range(count)):
            if wanting := [name for name, topics in members if topic in topics]:
                row = (self._group, topic, number, wanting[dealt % len(wanting)])
                connection.execute("INSERT INTO assignments VALUES (?, ?, ?, ?)", row)
                dealt += 1
        connection.execute(
            "INSERT INTO groups VALUES (?, 0) ON CONFLICT (name) DO UPDATE SET generation = generation + 1",
            (self._group,),
        )

    def _follow_generation(self) -> None:
        rows = self._file.rows("SELECT generation FROM groups WHERE name = ?", self._group)
        if rows and rows[0][0] == self._generation:
            return
        self._generation = rows[0][0] if rows else -1
        query = (
            "SELECT a.topic, a.partition, COALESCE(o.next, 0) FROM assignments a LEFT JOIN offsets o "
            'ON o."group" = a."group" AND o.topic = a.topic AND o.partition = a.partition '
            'WHERE a."group" = ? AND a.member = ?'
        )
        held = self._file.rows(query, self._group, self._member)
        self._positions = {(topic, number): start for topic, number, start in held}

    def _is_current(self, connection: sqlite3.Connection) -> bool:
        query = (
            'SELECT 1 FROM members m JOIN groups g ON g.name = m."group" '
            'WHERE m."group" = ? AND m.member = ? AND m.expires_at >= ? AND g.generation = ?'
        )
        values = (self._group, self._member, time.time(), self._generation)
        return connection.execute(query, values).fetchone() is not None
