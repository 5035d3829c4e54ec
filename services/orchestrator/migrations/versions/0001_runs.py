"""Runs and their steps, beside the kit's tables."""

import sqlalchemy as sa
from alembic import op

from services.kit.tables import Timestamp, kit_tables_upgrade

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Creates everything."""
    kit_tables_upgrade(op)
    op.create_table(
        "runs",
        sa.Column("id", sa.String(63), primary_key=True),
        sa.Column("model", sa.String(63), nullable=False),
        sa.Column("base_version", sa.Text, nullable=False),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("executor", sa.String(20), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("creator", sa.Text, nullable=False),
        sa.Column("create_time", Timestamp, nullable=False),
        sa.Column("update_time", Timestamp, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("external_id", sa.String(200), nullable=False),
        sa.Column("external_url", sa.Text, nullable=False),
        sa.Column("restarts", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
    )
    op.create_index("runs_by_age", "runs", ["create_time", "id"])
    op.create_index("runs_by_state", "runs", ["state", "create_time"])
    op.create_index("runs_by_external_id", "runs", ["external_id"])
    op.create_table(
        "steps",
        sa.Column("run", sa.String(63), sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("name", sa.String(63), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("progress", sa.Float, nullable=False),
        sa.Column("eta_s", sa.Float),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("metrics", sa.JSON, nullable=False),
        sa.Column("checkpoint_digest", sa.String(71), nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("start_time", Timestamp, nullable=False),
        sa.Column("end_time", Timestamp),
    )


def downgrade() -> None:
    """Runs are never thrown away by a downgrade."""
    raise RuntimeError("0001 is the first version; restore a backup instead")
