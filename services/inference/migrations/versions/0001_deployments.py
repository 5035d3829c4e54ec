"""Deployments and aliases, beside the kit's tables."""

import sqlalchemy as sa
from alembic import op

from services.kit.tables import Timestamp, kit_tables_upgrade

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Creates the first tables."""
    kit_tables_upgrade(op)
    op.create_table(
        "deployments",
        sa.Column("replica", sa.String(255), primary_key=True),
        sa.Column("version", sa.String(255), primary_key=True),
        sa.Column("digest", sa.String(71), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("observe_time", Timestamp, nullable=False),
    )
    op.create_table(
        "aliases",
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("wanted_version", sa.String(255), nullable=False),
        sa.Column("wanted_digest", sa.String(71), nullable=False),
        sa.Column("wanted_front_end", sa.Text, nullable=False),
        sa.Column("serving_version", sa.String(255)),
        sa.Column("serving_digest", sa.String(71)),
        sa.Column("serving_front_end", sa.Text),
    )
