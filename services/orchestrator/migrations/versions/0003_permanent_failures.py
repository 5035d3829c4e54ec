"""Whether trying a failed step again cannot mend it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Steps of before are tried again."""
    op.add_column("steps", sa.Column("permanent", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Failed steps are all tried again."""
    with op.batch_alter_table("steps") as steps:
        steps.drop_column("permanent")
