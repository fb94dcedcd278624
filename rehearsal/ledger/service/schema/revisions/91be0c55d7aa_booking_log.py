"""booking log"""

import sqlalchemy as sa
from alembic import op

revision = "91be0c55d7aa"
down_revision = "7c1f0a9e42d3"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade():
    op.create_table(
        "booking_log",
        sa.Column("id", KEY, sa.Identity(), primary_key=True),
        sa.Column("entry_id", KEY, sa.ForeignKey("entries.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("logged_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )


def downgrade():
    op.drop_table("booking_log")
