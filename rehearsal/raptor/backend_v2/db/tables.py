"""The columns that this app touches itself; the whole schema is in the migrations."""

from sqlalchemy import JSON, BigInteger, Column, DateTime, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

_metadata = MetaData()
_KEY = BigInteger().with_variant(Integer, "sqlite")
_DOCUMENT = JSONB().with_variant(JSON, "sqlite")

paper_orders = Table(
    "paper_orders",
    _metadata,
    Column("id", _KEY, primary_key=True),
    Column("submitted_at", DateTime(timezone=True)),
    Column("status", Text),
    Column("order_payload", _DOCUMENT),
)
customers = Table("customers", _metadata, Column("id", _KEY, primary_key=True), Column("email", Text))
audit_events = Table(
    "audit_events",
    _metadata,
    Column("id", _KEY, primary_key=True),
    Column("actor", Text),
    Column("action", Text),
    Column("subject_digest", LargeBinary),
)
