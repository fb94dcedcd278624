"""raptor baseline

The schema that grew as numbered SQL files on SQLite, as one revision: 35 tables. Everything that belongs to a
customer hangs below `customers` by ON DELETE CASCADE, so that erasing a customer is one DELETE.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import CreateIndex, CreateTable

from backend_v2.alembic.column_types import (
    AMOUNT,
    BIGINT,
    BYTEA,
    JSONB,
    TEXT,
    TIMESTAMPTZ,
    belongs_to,
    bigserial_key,
    document,
    flag,
    moment,
    one_of,
    refers_to,
    required,
)

revision = "0001_raptor_baseline"
down_revision = None
branch_labels = None
depends_on = None

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def table(name, *parts):
    return sa.Table(name, metadata, *parts)


def index(*columns, **options):
    return sa.Index(None, *columns, **options)


# --- Customers -------------------------------------------------------------------------------------------------------

table(
    "customers",
    bigserial_key(),
    sa.Column("email", TEXT, nullable=False, unique=True),
    required("status", TEXT, "active"),
    flag("email_verified"),
    flag("live_trading_allowed"),
    moment(),
    sa.Column("erasure_requested_at", TIMESTAMPTZ),
    one_of("status", "active", "suspended", "closed"),
)
table(
    "customer_profiles",
    bigserial_key(),
    belongs_to("customers", "customer_id"),
    sa.Column("display_name", TEXT),
    sa.Column("country", sa.String(2)),
    required("time_zone", TEXT, "UTC"),
    moment("updated_at"),
    sa.UniqueConstraint("customer_id"),
)
table(
    "customer_consents",
    bigserial_key(),
    belongs_to("customers", "customer_id"),
    required("purpose", TEXT),
    required("document_version", TEXT),
    flag("granted"),
    moment("decided_at"),
    index("customer_id", "purpose", "decided_at"),
)
table(
    "customer_settings",
    bigserial_key(),
    belongs_to("customers", "customer_id"),
    required("name", TEXT),
    document("value"),
    moment("updated_at"),
    sa.UniqueConstraint("customer_id", "name"),
)

# --- Authentication and sessions -------------------------------------------------------------------------------------

table(
    "customer_credentials",
    bigserial_key(),
    belongs_to("customers", "customer_id"),
    required("kind", TEXT),
    required("secret_hash", BYTEA),
    sa.Column("salt", BYTEA),
    document("parameters"),
    moment(),
    sa.Column("revoked_at", TIMESTAMPTZ),
    one_of("kind", "password", "passkey", "recovery_code"),
)
table(
    "customer_mfa_factors",
    bigserial_key(),
    belongs_to("customers", "customer_id"),
    required("kind", TEXT),
    required("secret_ciphertext", BYTEA),
    flag("confirmed"),
    moment(),
    sa.Column("last_used_at", TIMESTAMPTZ),
    one_of("kind", "totp", "webauthn"),
)
table(
    "customer_sessions",
    bigserial_key(),
    belongs_to("customers", "customer_id"),
    sa.Column("token_hash", BYTEA, nullable=False, unique=True),
    sa.Column("ip_prefix", TEXT),
    sa.Column("user_agent", TEXT),
    moment(),
    sa.Column("expires_at", TIMESTAMPTZ, nullable=False, index=True),
    sa.Column("revoked_at", TIMESTAMPTZ),
)
table(
    "login_attempts",
    bigserial_key(),
    required("email_digest", BYTEA),
    sa.Column("ip_prefix", TEXT),
    flag("succeeded"),
    moment("attempted_at"),
    index("email_digest", "attempted_at"),
)

# --- Symbols and market data -----------------------------------------------------------------------------------------

table(
    "exchanges",
    bigserial_key(),
    sa.Column("code", TEXT, nullable=False, unique=True),
    required("name", TEXT),
    required("time_zone", TEXT),
    document("trading_hours"),
)
table(
    "symbols",
    bigserial_key(),
    refers_to("exchanges", "exchange_id"),
    required("ticker", TEXT),
    required("name", TEXT),
    required("asset_class", TEXT),
    required("currency", sa.String(3)),
    flag("tradable", default=True),
    sa.Column("delisted_on", sa.Date),
    sa.UniqueConstraint("exchange_id", "ticker"),
    one_of("asset_class", "equity", "etf", "option", "crypto"),
)
table(
    "market_bars",
    sa.Column("symbol_id", BIGINT, sa.ForeignKey("symbols.id", ondelete="RESTRICT"), primary_key=True),
    sa.Column("bar_interval", TEXT, primary_key=True),
    sa.Column("opened_at", TIMESTAMPTZ, primary_key=True),
    required("open", AMOUNT),
    required("high", AMOUNT),
    required("low", AMOUNT),
    required("close", AMOUNT),
    required("volume", AMOUNT),
    index("opened_at"),
)
table(
    "market_quotes",
    bigserial_key(),
    refers_to("symbols", "symbol_id"),
    required("quoted_at", TIMESTAMPTZ),
    sa.Column("bid", AMOUNT),
    sa.Column("ask", AMOUNT),
    flag("delayed"),
    sa.Column("raw", JSONB),
    index("symbol_id", "quoted_at"),
)
table(
    "watchlists",
    bigserial_key(),
    belongs_to("customers", "customer_id"),
    required("name", TEXT),
    flag("pinned"),
    moment(),
    sa.UniqueConstraint("customer_id", "name"),
)
table(
    "watchlist_items",
    bigserial_key(),
    belongs_to("watchlists", "watchlist_id"),
    refers_to("symbols", "symbol_id"),
    required("position", sa.Integer, "0"),
    moment("added_at"),
    sa.UniqueConstraint("watchlist_id", "symbol_id"),
)

# --- Trading ---------------------------------------------------------------------------------------------------------

table(
    "broker_accounts",
    bigserial_key(),
    belongs_to("customers", "customer_id"),
    required("broker", TEXT),
    required("account_reference", TEXT),
    sa.Column("access_token_ciphertext", BYTEA),
    flag("paper", default=True),
    moment("linked_at"),
    sa.UniqueConstraint("broker", "account_reference"),
)
table(
    "strategies",
    bigserial_key(),
    belongs_to("customers", "customer_id"),
    required("name", TEXT),
    document("definition"),
    flag("enabled"),
    moment(),
    moment("updated_at"),
    sa.UniqueConstraint("customer_id", "name"),
)
table(
    "orders",
    bigserial_key(),
    belongs_to("broker_accounts", "broker_account_id"),
    refers_to("symbols", "symbol_id"),
    sa.Column("strategy_id", BIGINT, sa.ForeignKey("strategies.id", ondelete="CASCADE"), index=True),
    sa.Column("client_order_id", TEXT, nullable=False, unique=True),
    required("side", TEXT),
    required("order_type", TEXT),
    required("quantity", AMOUNT),
    sa.Column("limit_price", AMOUNT),
    required("status", TEXT, "new"),
    moment("submitted_at"),
    sa.Column("broker_response", JSONB),
    one_of("side", "buy", "sell"),
    index(
        "broker_account_id",
        "submitted_at",
        postgresql_where=sa.text("status IN ('new', 'working')"),
        sqlite_where=sa.text("status IN ('new', 'working')"),
    ),
)
table(
    "trades",
    bigserial_key(),
    belongs_to("orders", "order_id"),
    required("quantity", AMOUNT),
    required("price", AMOUNT),
    required("fee", AMOUNT, "0"),
    sa.Column("executed_at", TIMESTAMPTZ, nullable=False, index=True),
    sa.Column("venue_execution_id", TEXT, unique=True),
)
table(
    "positions",
    bigserial_key(),
    belongs_to("broker_accounts", "broker_account_id"),
    refers_to("symbols", "symbol_id"),
    required("quantity", AMOUNT),
    required("average_cost", AMOUNT),
    moment("updated_at"),
    sa.UniqueConstraint("broker_account_id", "symbol_id"),
)
table(
    "portfolio_snapshots",
    bigserial_key(),
    belongs_to("broker_accounts", "broker_account_id"),
    required("taken_at", TIMESTAMPTZ),
    required("equity", AMOUNT),
    required("cash", AMOUNT),
    document("holdings"),
    sa.UniqueConstraint("broker_account_id", "taken_at"),
)

# --- Settings and administration -------------------------------------------------------------------------------------

table(
    "admin_users",
    bigserial_key(),
    sa.Column("email", TEXT, nullable=False, unique=True),
    required("role", TEXT),
    required("password_hash", BYTEA),
    flag("active", default=True),
    moment(),
    one_of("role", "support", "operator", "owner"),
)
table(
    "admin_sessions",
    bigserial_key(),
    belongs_to("admin_users", "admin_user_id"),
    sa.Column("token_hash", BYTEA, nullable=False, unique=True),
    moment(),
    required("expires_at", TIMESTAMPTZ),
)
table(
    "app_settings",
    sa.Column("name", TEXT, primary_key=True),
    document("value"),
    refers_to("admin_users", "updated_by", nullable=True),
    moment("updated_at"),
)
table(
    "feature_flags",
    sa.Column("name", TEXT, primary_key=True),
    flag("enabled"),
    document("rules"),
    moment("updated_at"),
)

# --- Billing ---------------------------------------------------------------------------------------------------------

table(
    "billing_plans",
    bigserial_key(),
    sa.Column("code", TEXT, nullable=False, unique=True),
    required("monthly_cents", BIGINT),
    required("currency", sa.String(3)),
    document("features"),
    flag("offered", default=True),
)
table(
    "subscriptions",
    bigserial_key(),
    belongs_to("customers", "customer_id"),
    refers_to("billing_plans", "billing_plan_id"),
    sa.Column("processor_reference", TEXT, unique=True),
    required("status", TEXT),
    moment("started_at"),
    sa.Column("current_period_ends_at", TIMESTAMPTZ),
    flag("cancel_at_period_end"),
    one_of("status", "trialing", "active", "past_due", "cancelled"),
)
table(
    "invoices",
    bigserial_key(),
    belongs_to("subscriptions", "subscription_id"),
    sa.Column("number", TEXT, nullable=False, unique=True),
    required("total_cents", BIGINT),
    flag("paid"),
    moment("issued_at"),
    sa.Column("rendered_pdf", BYTEA),
)

# --- Visual feedback and support -------------------------------------------------------------------------------------

table(
    "visual_feedback",
    bigserial_key(),
    belongs_to("customers", "customer_id"),
    required("page", TEXT),
    sa.Column("comment", TEXT),
    sa.Column("screenshot", BYTEA),
    document("viewport"),
    moment(),
)
table(
    "visual_feedback_settings",
    bigserial_key(),
    belongs_to("customers", "customer_id"),
    flag("enabled", default=True),
    flag("include_screenshot"),
    moment("updated_at"),
    sa.UniqueConstraint("customer_id"),
)
table(
    "support_tickets",
    bigserial_key(),
    belongs_to("customers", "customer_id"),
    refers_to("admin_users", "assigned_to", nullable=True),
    required("subject", TEXT),
    required("status", TEXT, "open"),
    moment("opened_at"),
    sa.Column("closed_at", TIMESTAMPTZ),
    one_of("status", "open", "waiting", "closed"),
)
table(
    "support_messages",
    bigserial_key(),
    belongs_to("support_tickets", "support_ticket_id"),
    flag("from_customer"),
    required("body", TEXT),
    sa.Column("attachment", BYTEA),
    moment("sent_at"),
)

# --- Audit and trace -------------------------------------------------------------------------------------------------

# No reference to a customer: what the company did is kept when a customer is erased, so the subject is a digest.
table(
    "audit_events",
    bigserial_key(),
    sa.Column("actor", TEXT, nullable=False, index=True),
    required("action", TEXT),
    sa.Column("subject_digest", BYTEA),
    document("details"),
    sa.Column("occurred_at", TIMESTAMPTZ, nullable=False, server_default=sa.func.now(), index=True),
)
# Who looked at a customer's data is that customer's data, and goes with the customer.
table(
    "audit_customer_access",
    bigserial_key(),
    belongs_to("customers", "customer_id"),
    refers_to("admin_users", "admin_user_id"),
    required("purpose", TEXT),
    moment("accessed_at"),
)
table(
    "trace_runs",
    bigserial_key(),
    belongs_to("strategies", "strategy_id"),
    flag("succeeded"),
    moment("started_at"),
    sa.Column("finished_at", TIMESTAMPTZ),
)
table(
    "trace_events",
    bigserial_key(),
    belongs_to("trace_runs", "trace_run_id"),
    required("name", TEXT),
    document("attributes"),
    moment("recorded_at"),
    index("attributes", postgresql_using="gin"),
)


def upgrade():
    for one in metadata.sorted_tables:
        op.execute(CreateTable(one))
        for each in sorted(one.indexes, key=lambda found: found.name):
            op.execute(CreateIndex(each))


def downgrade():
    for one in reversed(metadata.sorted_tables):
        op.drop_table(one.name)
