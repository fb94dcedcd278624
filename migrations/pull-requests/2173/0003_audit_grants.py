"""audit grants

The audit tables are append-only for the runtime role. The role exists in some environments only, so elsewhere this
does nothing, and is stamped as done all the same: whoever creates the role later has the grants still to make.
"""

from alembic import op

revision = "0003_audit_grants"
down_revision = "0002_paper_orders"
branch_labels = None
depends_on = None

GRANT = (
    "GRANT SELECT, INSERT ON audit_events, audit_customer_access TO raptor_app",
    "GRANT USAGE, SELECT ON SEQUENCE audit_events_id_seq, audit_customer_access_id_seq TO raptor_app",
    "REVOKE UPDATE, DELETE, TRUNCATE ON audit_events, audit_customer_access FROM raptor_app",
)
REVOKE = (
    "REVOKE SELECT, INSERT ON audit_events, audit_customer_access FROM raptor_app",
    "REVOKE USAGE, SELECT ON SEQUENCE audit_events_id_seq, audit_customer_access_id_seq FROM raptor_app",
)


def upgrade():
    execute_where_role_exists(GRANT)


def downgrade():
    execute_where_role_exists(REVOKE)


def execute_where_role_exists(statements):
    if op.get_context().dialect.name != "postgresql":
        return
    body = "".join(f"        {statement};\n" for statement in statements)
    op.execute(
        "DO $$\nBEGIN\n"
        "    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'raptor_app') THEN\n"
        f"{body}"
        "    END IF;\nEND\n$$"
    )
