"""The registry's tables. Promotions and gates are only ever added to; triggers of the first migration see to that.

A version's `digest` is unique among the versions of its model that are not deleted, so registering the same content
twice at once cannot make two versions.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

from services.kit.tables import Sequence64, Timestamp, kit_tables

METADATA = MetaData()
KIT = kit_tables(METADATA)

_ID = String(63)
_DIGEST = String(71)
_SHA256 = String(64)


def _version_key(column: str = "number") -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["model", column], ["versions.model", "versions.number"])


def _alias_key() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["model", "alias"], ["aliases.model", "aliases.alias"])


models = Table(
    "models",
    METADATA,
    Column("model", _ID, primary_key=True),
    Column("description", Text, nullable=False),
    Column("creator", Text, nullable=False),
    Column("create_time", Timestamp, nullable=False),
    Column("last_number", Integer, nullable=False),
)

versions = Table(
    "versions",
    METADATA,
    Column("model", _ID, ForeignKey("models.model"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", _DIGEST, nullable=False),
    Column("manifest", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("author", Text, nullable=False),
    Column("create_time", Timestamp, nullable=False),
    Column("description", Text, nullable=False),
)
Index(
    "versions_by_digest",
    versions.c.model,
    versions.c.digest,
    unique=True,
    sqlite_where=versions.c.state != "DELETED",
    postgresql_where=versions.c.state != "DELETED",
)

version_files = Table(
    "version_files",
    METADATA,
    Column("model", _ID, nullable=False),
    Column("number", Integer, nullable=False),
    Column("path", String(255), nullable=False),
    Column("sha256", _SHA256, nullable=False, index=True),
    PrimaryKeyConstraint("model", "number", "path"),
    _version_key(),
)

lineages = Table(
    "lineages",
    METADATA,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("model", _ID, nullable=False),
    Column("number", Integer, nullable=False),
    Column("run", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("parent", Text, nullable=False),
    Column("data_digest", Text, nullable=False),
    Column("code_commit", Text, nullable=False),
    Column("registrant", Text, nullable=False),
    Column("create_time", Timestamp, nullable=False),
    _version_key(),
    Index("lineages_by_version", "model", "number"),
)

evaluations = Table(
    "evaluations",
    METADATA,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("model", _ID, nullable=False),
    Column("number", Integer, nullable=False),
    Column("suite", _ID, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("data_digest", Text, nullable=False),
    Column("evaluator", Text, nullable=False),
    Column("by_service", Boolean, nullable=False),
    Column("create_time", Timestamp, nullable=False),
    _version_key(),
    Index("evaluations_by_version", "model", "number", "id"),
)

aliases = Table(
    "aliases",
    METADATA,
    Column("model", _ID, ForeignKey("models.model"), primary_key=True),
    Column("alias", _ID, primary_key=True),
    Column("number", Integer),
    Column("revision", Integer, nullable=False),
    Column("update_time", Timestamp, nullable=False),
    _version_key(),
    Index("aliases_by_version", "model", "number"),
)

gates = Table(
    "gates",
    METADATA,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("model", _ID, nullable=False),
    Column("alias", _ID, nullable=False),
    Column("gate", JSON, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("setter", Text, nullable=False),
    Column("create_time", Timestamp, nullable=False),
    _alias_key(),
    Index("gates_by_alias", "model", "alias", "id"),
)

approvals = Table(
    "approvals",
    METADATA,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("model", _ID, nullable=False),
    Column("number", Integer, nullable=False),
    Column("alias", _ID, nullable=False),
    Column("approver", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("create_time", Timestamp, nullable=False),
    Column("void_reason", Text, nullable=False),
    _version_key(),
    _alias_key(),
    Index("approvals_by_version", "model", "number", "alias"),
)

promotions = Table(
    "promotions",
    METADATA,
    Column("model", _ID, nullable=False),
    Column("alias", _ID, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("previous_number", Integer),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("create_time", Timestamp, nullable=False),
    Column("rollback", Boolean, nullable=False),
    Column("approvers", JSON, nullable=False),
    PrimaryKeyConstraint("model", "alias", "sequence"),
    _version_key(),
    _version_key("previous_number"),
    _alias_key(),
)

uploads = Table(
    "uploads",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", _SHA256, nullable=False, index=True),
    Column("creator", Text, nullable=False),
    Column("expire_time", Timestamp, nullable=False, index=True),
    Column("complete", Boolean, nullable=False),
)

upload_parts = Table(
    "upload_parts",
    METADATA,
    Column("upload", _ID, ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("sha256", _SHA256, nullable=False, index=True),
)

garbage = Table(
    "garbage",
    METADATA,
    Column("sha256", _SHA256, primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mark_time", Timestamp, nullable=False),
)
