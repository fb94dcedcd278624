-- What ledger_runtime may do. Run by the owner, any number of times.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO ledger_runtime;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ledger_runtime;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO ledger_runtime;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ledger_runtime;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO ledger_runtime;
-- The record of revisions is the owner's; the log of bookings only grows.
REVOKE ALL ON schema_revision FROM ledger_runtime;
GRANT SELECT ON schema_revision TO ledger_runtime;
REVOKE UPDATE, DELETE, TRUNCATE ON booking_log FROM ledger_runtime;
