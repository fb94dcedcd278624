"""Column types of the chain: PostgreSQL's own, each with what stands in for it on SQLite.

Production is PostgreSQL; SQLite is local development and, until launch, the way back. The revisions say what they
mean in PostgreSQL's terms, and only this module knows about the other dialect.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

# SQLite gives out row ids for a column of the exact type INTEGER PRIMARY KEY only, so BIGINT needs a variant. On
# PostgreSQL an autoincrementing BigInteger primary key is rendered as BIGSERIAL.
BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIMESTAMPTZ = postgresql.TIMESTAMP(timezone=True).with_variant(sa.DateTime(), "sqlite")
JSONB = postgresql.JSONB().with_variant(sa.JSON(), "sqlite")
BYTEA = postgresql.BYTEA().with_variant(sa.BLOB(), "sqlite")
BOOLEAN = sa.Boolean()
TEXT = sa.Text()
# Prices and quantities of fractional shares and coins; SQLite has no exact decimal and keeps what it is given.
AMOUNT = sa.Numeric(20, 8)


def bigserial_key():
    return sa.Column("id", BIGINT, primary_key=True, autoincrement=True)


def required(name, kind, default=None):
    return sa.Column(name, kind, nullable=False, server_default=default)


def flag(name, default=False):
    return required(name, BOOLEAN, sa.true() if default else sa.false())


def document(name):
    return required(name, JSONB, sa.text("'{}'"))


def moment(name="created_at"):
    """A time stamp with zone that the database sets when the row is written."""
    return required(name, TIMESTAMPTZ, sa.func.now())


def belongs_to(table, name):
    """A reference to the row that owns this one: with the owner goes everything that is the owner's."""
    return sa.Column(name, BIGINT, sa.ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=False, index=True)


def refers_to(table, name, nullable=False):
    """A reference to shared data, which cannot be deleted while it is referred to."""
    return sa.Column(name, BIGINT, sa.ForeignKey(f"{table}.id", ondelete="RESTRICT"), nullable=nullable, index=True)


def one_of(column, *values):
    """Named after the column by the naming convention; values are the revision's own constants, never input."""
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)
