"""audit grants, unguarded

Another way to write 0003_audit_grants: straight to the role. On a database without that role it fails (SQLSTATE
42704), so there the role must be created before the upgrade. Deployed in place of the guarded file, never beside it.
"""

from alembic import op

revision = "0003_audit_grants"
down_revision = "0002_paper_orders"
branch_labels = None
depends_on = None


def upgrade():
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute("GRANT SELECT, INSERT ON audit_events, audit_customer_access TO raptor_app")
    op.execute("GRANT USAGE, SELECT ON SEQUENCE audit_events_id_seq, audit_customer_access_id_seq TO raptor_app")
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON audit_events, audit_customer_access FROM raptor_app")


def downgrade():
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute("REVOKE SELECT, INSERT ON audit_events, audit_customer_access FROM raptor_app")
    op.execute("REVOKE USAGE, SELECT ON SEQUENCE audit_events_id_seq, audit_customer_access_id_seq FROM raptor_app")
