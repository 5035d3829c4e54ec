"""The tables every service has beside its own: outbox, inbox, audit, requests, leases.

`kit_tables(metadata)` adds them to a service's metadata; `KIT` is the kit's own copy to query with. A service's
first migration makes them with `kit_tables_upgrade`. Times are UTC on every database.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator

# SQLite numbers rows by itself only where the key is INTEGER.
Sequence64 = BigInteger().with_variant(Integer, "sqlite")


class Timestamp(TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite, which knows no zones, keeps it naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def now() -> datetime:
    """The present time, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class KitTables:
    """The kit's tables on one metadata."""

    outbox: Table
    inbox: Table
    audit: Table
    requests: Table
    leases: Table


def kit_tables(metadata: MetaData) -> KitTables:
    """Defines the kit's tables on a service's metadata."""
    return KitTables(_outbox(metadata), _inbox(metadata), _audit(metadata), _requests(metadata), _leases(metadata))


class _Operations(Protocol):
    def get_bind(self) -> Connection: ...


def kit_tables_upgrade(op: _Operations) -> None:
    """Creates the kit's tables within a service's first Alembic migration: `kit_tables_upgrade(op)`.

    A later change of these tables gets an upgrade function of its own beside this one.
    """
    metadata = MetaData()
    kit_tables(metadata)
    metadata.create_all(op.get_bind(), checkfirst=False)


def _outbox(metadata: MetaData) -> Table:
    table = Table(
        "outbox",
        metadata,
        Column("seq", Sequence64, primary_key=True, autoincrement=True),
        Column("id", String(36), nullable=False, unique=True),
        Column("type", String(200), nullable=False),
        Column("subject", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("time", Timestamp, nullable=False),
        Column("data", LargeBinary, nullable=False),
        Column("traceparent", String(100), nullable=False),
        Column("published_at", Timestamp),
    )
    # Plain, not partial: dialect options would load both dialects (90 ms) into every process.
    Index("outbox_unpublished", table.c.published_at, table.c.seq)
    return table


def _inbox(metadata: MetaData) -> Table:
    return Table(
        "inbox",
        metadata,
        Column("consumer", String(200), primary_key=True),
        Column("event_id", String(200), primary_key=True),
        Column("handled_at", Timestamp, nullable=False),
    )


def _audit(metadata: MetaData) -> Table:
    table = Table(
        "audit",
        metadata,
        Column("seq", Sequence64, primary_key=True, autoincrement=True),
        Column("resource", Text, nullable=False),
        Column("action", String(200), nullable=False),
        Column("actor", Text, nullable=False),
        Column("actor_kind", String(20), nullable=False),
        Column("create_time", Timestamp, nullable=False),
        Column("details", JSON, nullable=False),
        Column("trace_id", String(32), nullable=False),
    )
    Index("audit_by_resource", table.c.resource, table.c.seq)
    return table


def _requests(metadata: MetaData) -> Table:
    return Table(
        "requests",
        metadata,
        Column("caller", String(200), primary_key=True),
        Column("method", String(200), primary_key=True),
        Column("request_id", String(36), primary_key=True),
        Column("request_sha256", String(64), nullable=False),
        Column("response_type", String(200), nullable=False),
        Column("response", LargeBinary, nullable=False),
        Column("create_time", Timestamp, nullable=False, index=True),
    )


def _leases(metadata: MetaData) -> Table:
    return Table(
        "leases",
        metadata,
        Column("name", String(200), primary_key=True),
        Column("holder", String(100), nullable=False),
        Column("expires_at", Timestamp, nullable=False),
    )


KIT = kit_tables(MetaData())
