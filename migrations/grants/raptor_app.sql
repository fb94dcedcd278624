-- The grant matrix of raptor_app, the role that Raptor runs as. Run by the owner of the schema, as often as wanted.
-- Only GRANT, REVOKE and ALTER DEFAULT PRIVILEGES, and plain names.

-- Nobody makes tables in the schema by being anybody.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM raptor_app;
GRANT USAGE ON SCHEMA public TO raptor_app;

-- Rows, not structure.
REVOKE TRUNCATE, REFERENCES, TRIGGER ON ALL TABLES IN SCHEMA public FROM raptor_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO raptor_app;

-- Every BIGSERIAL key takes its value from a sequence. Setting one back (UPDATE) is not the app's to do.
REVOKE UPDATE ON ALL SEQUENCES IN SCHEMA public FROM raptor_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO raptor_app;

-- What the owner creates from now on, or the next migration's tables would be out of the app's reach. Without FOR ROLE
-- this is about the role that runs it, and that is the one that runs migrations.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO raptor_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO raptor_app;

-- The record of migrations is read (the app shows its revision) and never written.
REVOKE ALL ON alembic_version FROM raptor_app;
GRANT SELECT ON alembic_version TO raptor_app;

-- Audit is append-only. Erasing a customer still reaches audit_customer_access: a cascade runs as the table's owner.
REVOKE UPDATE, DELETE ON audit_events, audit_customer_access FROM raptor_app;
