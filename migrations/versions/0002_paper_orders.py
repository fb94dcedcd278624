"""paper orders"""

import sqlalchemy as sa
from alembic import op

from backend_v2.alembic.column_types import JSONB, TEXT, TIMESTAMPTZ, bigserial_key

revision = "0002_paper_orders"
down_revision = "0001_raptor_baseline"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "paper_orders",
        bigserial_key(),
        sa.Column("submitted_at", TIMESTAMPTZ),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("order_payload", JSONB),
    )


def downgrade():
    op.drop_table("paper_orders")
