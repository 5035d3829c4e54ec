"""A service's database and its unit of work: state, audit record and event in one transaction.

Promises rollback by default and serializable writers on both databases: SQLite takes the write lock at BEGIN,
PostgreSQL runs SERIALIZABLE and `retrying` repeats what it refuses. Leaves the tables to the services.
"""

import random
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from google.protobuf.message import Message
from sqlalchemy import Connection, Engine, create_engine, event, insert
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from services.kit.auth import Caller
from services.kit.events.bus import MAX_EVENT_BYTES, EventTooLarge
from services.kit.events.types import type_of
from services.kit.metrics import CHANGES
from services.kit.patience import patience
from services.kit.tables import KIT, now
from services.kit.telemetry import trace_id, traceparent

Result = TypeVar("Result")

_BUSY_TIMEOUT_S = 30
_SYSTEM = Caller(subject="system", kind="service", roles=frozenset())
# PostgreSQL: serialization failure, deadlock, and the unique violation a lost race may show as.
_RETRYABLE_STATES = frozenset({"40001", "40P01", "23505"})
_SQLITE_TRANSIENT = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL})
# Classes of PostgreSQL errors: connection, rollback by race, resources, operator's doing, system.
_POSTGRES_TRANSIENT = frozenset({"08", "40", "53", "57", "58"})


class UnitOfWork:
    """One transaction. What is not committed when the block ends is rolled back."""

    def __init__(self, session: Session, *, caller: Caller) -> None:
        self.session = session
        self.caller = caller
        self.wrote_events = False
        self.committed = False
        self._actions: list[str] = []

    def audit(self, resource: str, action: str, /, **details: object) -> None:
        """Records that `caller` did `action` (past tense, "version.registered") to `resource`."""
        self.session.execute(
            insert(KIT.audit).values(
                resource=resource,
                action=action,
                actor=self.caller.subject,
                actor_kind=self.caller.kind,
                create_time=now(),
                details={name: str(value) for name, value in details.items()},
                trace_id=trace_id(),
            )
        )
        self._actions.append(action)

    def publish(self, body: Message, *, subject: str, key: str) -> None:
        """Writes an event to the outbox; events of one `key` are delivered in the order of their commits."""
        data = body.SerializeToString(deterministic=True)
        if len(data) > MAX_EVENT_BYTES:
            raise EventTooLarge(f"{type_of(body)} of {subject} has {len(data)} bytes; send the digest of what is big")
        self.session.execute(
            insert(KIT.outbox).values(
                id=str(uuid.uuid4()),
                type=type_of(body),
                subject=subject,
                key=key,
                time=now(),
                data=data,
                traceparent=traceparent(),
            )
        )
        self.wrote_events = True

    def commit(self) -> None:
        """Makes everything since the block began durable at once."""
        self.session.commit()
        self.committed = True
        for action in self._actions:
            CHANGES.labels(action).inc()
        self._actions.clear()


class Database:
    """An engine and its units of work. `events_written` is set whenever an outbox row was committed."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self.events_written = threading.Event()

    @contextmanager
    def unit_of_work(self, caller: Caller | None = None, *, read_only: bool = False) -> Iterator[UnitOfWork]:
        """A transaction; `read_only` ones take no lock and see one snapshot."""
        with Session(self._connectable(read_only), expire_on_commit=False) as session:
            work = UnitOfWork(session, caller=caller or _SYSTEM)
            try:
                yield work
            finally:
                session.rollback()
        if work.committed and work.wrote_events:
            self.events_written.set()

    def retrying(self, transaction: Callable[[], Result], *, attempts: int = 6) -> Result:
        """`retrying` of this module."""
        return retrying(transaction, attempts=attempts)

    def check(self) -> None:
        """Raises where the database does not answer; a readiness check."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")

    def close(self) -> None:
        self.engine.dispose()

    def _connectable(self, read_only: bool) -> Engine:
        if self.engine.dialect.name == "sqlite":
            return self.engine.execution_options(mgrd_begin="BEGIN" if read_only else "BEGIN IMMEDIATE")
        if read_only:
            return self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        return self.engine


def retrying(transaction: Callable[[], Result], *, attempts: int = 6) -> Result:
    """Runs a whole transaction, again where the database lost a race for it; `transaction` opens its own unit."""
    for attempt in range(1, attempts):
        try:
            return transaction()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _RETRYABLE_STATES:
                raise
        time.sleep(random.uniform(0, 0.01 * 2**attempt))
    return transaction()


def is_transient(error: DBAPIError) -> bool:
    """True where the database, not the statement, is to blame: away, busy, full; trying again later may work."""
    sqlite_code = getattr(error.orig, "sqlite_errorcode", None)
    if sqlite_code is not None:
        return sqlite_code & 0xFF in _SQLITE_TRANSIENT
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # no server said anything: there is no connection
        return isinstance(error, OperationalError | InterfaceError)
    return state[:2] in _POSTGRES_TRANSIENT


def _engine(url: str) -> Engine:
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S, "check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(url, isolation_level="SERIALIZABLE", pool_pre_ping=True, connect_args=patience(url))


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver would begin late, and deferred; `_begin_sqlite` does it
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("mgrd_begin", "BEGIN IMMEDIATE"))
