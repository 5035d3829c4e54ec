"""The registry's first tables, and triggers that keep history as it was written."""

import sqlalchemy as sa
from alembic import op

from services.kit.tables import Sequence64, Timestamp, kit_tables_upgrade

revision = "registry_0001"
down_revision = None

_APPEND_ONLY = ("promotions", "gates", "evaluations", "audit")


def upgrade() -> None:
    """Makes everything."""
    kit_tables_upgrade(op)
    _make_tables()
    for table in _APPEND_ONLY:
        _make_append_only(table)


def _make_append_only(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )


def _make_tables() -> None:
    op.create_table(
        "garbage",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("mark_time", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "models",
        sa.Column("model", sa.String(length=63), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("creator", sa.Text(), nullable=False),
        sa.Column("create_time", Timestamp, nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("model"),
    )
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=63), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("creator", sa.Text(), nullable=False),
        sa.Column("expire_time", Timestamp, nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_uploads_expire_time", "uploads", ["expire_time"], unique=False)
    op.create_index("ix_uploads_sha256", "uploads", ["sha256"], unique=False)
    op.create_table(
        "upload_parts",
        sa.Column("upload", sa.String(length=63), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["upload"], ["uploads.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("upload", "part"),
    )
    op.create_index("ix_upload_parts_sha256", "upload_parts", ["sha256"], unique=False)
    op.create_table(
        "versions",
        sa.Column("model", sa.String(length=63), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("create_time", Timestamp, nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model"],
            ["models.model"],
        ),
        sa.PrimaryKeyConstraint("model", "number"),
    )
    op.create_index(
        "versions_by_digest",
        "versions",
        ["model", "digest"],
        unique=True,
        sqlite_where=sa.text("state != 'DELETED'"),
        postgresql_where=sa.text("state != 'DELETED'"),
    )
    op.create_table(
        "aliases",
        sa.Column("model", sa.String(length=63), nullable=False),
        sa.Column("alias", sa.String(length=63), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("update_time", Timestamp, nullable=False),
        sa.ForeignKeyConstraint(
            ["model", "number"],
            ["versions.model", "versions.number"],
        ),
        sa.ForeignKeyConstraint(
            ["model"],
            ["models.model"],
        ),
        sa.PrimaryKeyConstraint("model", "alias"),
    )
    op.create_index("aliases_by_version", "aliases", ["model", "number"], unique=False)
    op.create_table(
        "evaluations",
        sa.Column("id", Sequence64, autoincrement=True, nullable=False),
        sa.Column("model", sa.String(length=63), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("suite", sa.String(length=63), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("data_digest", sa.Text(), nullable=False),
        sa.Column("evaluator", sa.Text(), nullable=False),
        sa.Column("by_service", sa.Boolean(), nullable=False),
        sa.Column("create_time", Timestamp, nullable=False),
        sa.ForeignKeyConstraint(
            ["model", "number"],
            ["versions.model", "versions.number"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("evaluations_by_version", "evaluations", ["model", "number", "id"], unique=False)
    op.create_table(
        "lineages",
        sa.Column("id", Sequence64, autoincrement=True, nullable=False),
        sa.Column("model", sa.String(length=63), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=False),
        sa.Column("data_digest", sa.Text(), nullable=False),
        sa.Column("code_commit", sa.Text(), nullable=False),
        sa.Column("registrant", sa.Text(), nullable=False),
        sa.Column("create_time", Timestamp, nullable=False),
        sa.ForeignKeyConstraint(
            ["model", "number"],
            ["versions.model", "versions.number"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("lineages_by_version", "lineages", ["model", "number"], unique=False)
    op.create_table(
        "version_files",
        sa.Column("model", sa.String(length=63), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["model", "number"],
            ["versions.model", "versions.number"],
        ),
        sa.PrimaryKeyConstraint("model", "number", "path"),
    )
    op.create_index("ix_version_files_sha256", "version_files", ["sha256"], unique=False)
    op.create_table(
        "approvals",
        sa.Column("id", Sequence64, autoincrement=True, nullable=False),
        sa.Column("model", sa.String(length=63), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("alias", sa.String(length=63), nullable=False),
        sa.Column("approver", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("create_time", Timestamp, nullable=False),
        sa.Column("void_reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model", "alias"],
            ["aliases.model", "aliases.alias"],
        ),
        sa.ForeignKeyConstraint(
            ["model", "number"],
            ["versions.model", "versions.number"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("approvals_by_version", "approvals", ["model", "number", "alias"], unique=False)
    op.create_table(
        "gates",
        sa.Column("id", Sequence64, autoincrement=True, nullable=False),
        sa.Column("model", sa.String(length=63), nullable=False),
        sa.Column("alias", sa.String(length=63), nullable=False),
        sa.Column("gate", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("setter", sa.Text(), nullable=False),
        sa.Column("create_time", Timestamp, nullable=False),
        sa.ForeignKeyConstraint(
            ["model", "alias"],
            ["aliases.model", "aliases.alias"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("gates_by_alias", "gates", ["model", "alias", "id"], unique=False)
    op.create_table(
        "promotions",
        sa.Column("model", sa.String(length=63), nullable=False),
        sa.Column("alias", sa.String(length=63), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("previous_number", sa.Integer(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("create_time", Timestamp, nullable=False),
        sa.Column("rollback", sa.Boolean(), nullable=False),
        sa.Column("approvers", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model", "alias"],
            ["aliases.model", "aliases.alias"],
        ),
        sa.ForeignKeyConstraint(
            ["model", "number"],
            ["versions.model", "versions.number"],
        ),
        sa.ForeignKeyConstraint(
            ["model", "previous_number"],
            ["versions.model", "versions.number"],
        ),
        sa.PrimaryKeyConstraint("model", "alias", "sequence"),
    )
