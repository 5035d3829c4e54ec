"""The orchestrator's tables."""

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text, false

from services.kit.tables import Timestamp, kit_tables

METADATA = MetaData()
KIT = kit_tables(METADATA)

runs = Table(
    "runs",
    METADATA,
    Column("id", String(63), primary_key=True),
    Column("model", String(63), nullable=False),
    Column("base_version", Text, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("executor", String(20), nullable=False),
    Column("data", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("creator", Text, nullable=False),
    Column("create_time", Timestamp, nullable=False),
    Column("update_time", Timestamp, nullable=False),
    Column("error", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("external_id", String(200), nullable=False),
    Column("external_url", Text, nullable=False),
    Column("restarts", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
)
Index("runs_by_age", runs.c.create_time, runs.c.id)
Index("runs_by_state", runs.c.state, runs.c.create_time)
Index("runs_by_external_id", runs.c.external_id)

steps = Table(
    "steps",
    METADATA,
    Column("run", String(63), ForeignKey("runs.id"), primary_key=True),
    Column("name", String(63), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("progress", Float, nullable=False),
    Column("eta_s", Float),
    Column("message", Text, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("checkpoint_digest", String(71), nullable=False),
    Column("error", Text, nullable=False),
    Column("start_time", Timestamp, nullable=False),
    Column("end_time", Timestamp),
    Column("report_digest", String(71), nullable=False, server_default=""),
    Column("page_digest", String(71), nullable=False, server_default=""),
    Column("permanent", Boolean, nullable=False, server_default=false()),
)
