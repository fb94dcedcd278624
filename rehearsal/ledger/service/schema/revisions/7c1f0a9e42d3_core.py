"""core: organisations and their books"""

import sqlalchemy as sa
from alembic import op

revision = "7c1f0a9e42d3"
down_revision = None

# SQLite numbers rows only where the type is INTEGER to the letter.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def key():
    return sa.Column("id", KEY, sa.Identity(), primary_key=True)


def of(table, name):
    return sa.Column(name, KEY, sa.ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=False, index=True)


def upgrade():
    op.create_table(
        "organisations",
        key(),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("founded_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    op.create_table(
        "currencies",
        sa.Column("code", sa.String(3), primary_key=True),
        sa.Column("decimals", sa.SmallInteger, nullable=False),
    )
    op.create_table(
        "accounts",
        key(),
        of("organisations", "organisation_id"),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("currency", sa.String(3), sa.ForeignKey("currencies.code"), nullable=False),
        sa.UniqueConstraint("organisation_id", "number"),
    )
    op.create_table(
        "journals",
        key(),
        of("organisations", "organisation_id"),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("opened_on", sa.Date, nullable=False),
    )
    op.create_table(
        "entries",
        key(),
        of("journals", "journal_id"),
        of("accounts", "account_id"),
        sa.Column("amount", sa.Numeric(18, 2), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("memo", sa.Text),
    )


def downgrade():
    for table in ("entries", "journals", "accounts", "currencies", "organisations"):
        op.drop_table(table)
