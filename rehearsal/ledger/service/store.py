"""Where the books are kept."""

import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

VERSION_TABLE = "schema_revision"


class Misconfigured(Exception):
    """Names the variable that is wrong, never its value."""


def owner_address():
    return _address("DATABASE_URL", os.environ.get("DATABASE_URL") or "sqlite:///ledger.db")


def service_address():
    """The runtime role's database when LEDGER_RUNTIME_ROLE is on, else the owner's."""
    if os.environ.get("LEDGER_RUNTIME_ROLE") != "on":
        return owner_address()
    value = os.environ.get("LEDGER_RUNTIME_DATABASE_URL")
    if not value:
        raise Misconfigured("LEDGER_RUNTIME_ROLE is on and LEDGER_RUNTIME_DATABASE_URL is not set")
    return _address("LEDGER_RUNTIME_DATABASE_URL", value)


def _address(variable, value):
    if value.startswith("postgres:"):
        value = value.replace("postgres:", "postgresql:", 1)
    try:
        return make_url(value)
    except (SQLAlchemyError, ValueError):
        # The parser repeats what it was given, and that holds a password.
        raise Misconfigured(f"{variable} is not a database address") from None


class Store:
    def __init__(self):
        address = service_address()
        self.kind = address.get_backend_name()
        options = {"application_name": "ledger-service", "connect_timeout": 5} if self.kind == "postgresql" else {}
        self._engine = create_engine(address, pool_pre_ping=True, hide_parameters=True, connect_args=options)

    def close(self):
        self._engine.dispose()

    def make_local_tables(self):
        """In a SQLite file that DATABASE_URL names and that has no table yet, as every dyno's own file is at first."""
        if self.kind == "sqlite" and os.environ.get("DATABASE_URL") and not inspect(self._engine).get_table_names():
            command.upgrade(Config(str(Path(__file__).with_name("alembic.ini"))), "head")

    def state(self):
        with self._engine.connect() as connection:
            migrated = inspect(connection).has_table(VERSION_TABLE)
            return {
                "database": self.kind,
                "role": connection.scalar(text("SELECT current_user")) if self.kind == "postgresql" else None,
                "schema_revision": connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))
                if migrated
                else None,
            }

    def trial_booking(self):
        """Books an entry from nothing, adds it up, and rolls everything back. Returns the sum in cents."""
        with self._engine.connect() as connection:
            connection.execute(text("INSERT INTO currencies (code, decimals) VALUES ('XTS', 2)"))
            organisation = _insert(connection, "organisations (name) VALUES ('trial booking')")
            account = _insert(
                connection,
                "accounts (organisation_id, number, currency) VALUES (:organisation, '1000', 'XTS')",
                organisation=organisation,
            )
            journal = _insert(
                connection,
                "journals (organisation_id, title, opened_on) VALUES (:organisation, 'trial', CURRENT_DATE)",
                organisation=organisation,
            )
            _insert(
                connection,
                "entries (journal_id, account_id, amount, memo) VALUES (:journal, :account, 12.34, 'trial')",
                journal=journal,
                account=account,
            )
            total = connection.scalar(
                text("SELECT sum(amount) FROM entries WHERE account_id = :account"), {"account": account}
            )
            connection.rollback()
            return round(total * 100)


def _insert(connection, statement, **values):
    return connection.scalar(text(f"INSERT INTO {statement} RETURNING id"), values)
