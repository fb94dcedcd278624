"""The one SQLAlchemy engine of this process, and the only place that knows which database it is."""

import os
import threading

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

LOCAL_DATABASE = "sqlite+pysqlite:///./dev.db"
ROLE_SEPARATION_FLAG = "FLAG_RAPTOR_APP_ROLE_SEPARATION"
CONNECT_TIMEOUT_S = 5

_engine = None
_lock = threading.Lock()


class ConfigurationError(Exception):
    """What is wrong with the environment, and what to set. Never holds a value from it."""


def owner_url():
    """The database as its owner: DATABASE_URL, or a local SQLite file where that is unset or empty."""
    return _parsed("DATABASE_URL", os.environ.get("DATABASE_URL", "").strip() or LOCAL_DATABASE)


def role_separation():
    return os.environ.get(ROLE_SEPARATION_FLAG, "").strip() == "1"


def runtime_url():
    """The database as the app uses it: as the restricted role once role separation is on."""
    if not role_separation():
        return owner_url()
    # Not falling back to the owner: that would work, and would hide that the separation is not in force.
    value = os.environ.get("RAPTOR_APP_DATABASE_URL", "").strip()
    if not value:
        raise ConfigurationError(
            f"{ROLE_SEPARATION_FLAG} is 1 and RAPTOR_APP_DATABASE_URL is not set. "
            "Attach the restricted credential, or unset the flag."
        )
    return _parsed("RAPTOR_APP_DATABASE_URL", value)


def init_engine():
    """Makes the engine. It connects at the first use, so the process starts while the database is away."""
    global _engine
    with _lock:
        if _engine is None:
            _engine = _make_engine(runtime_url())
        return _engine


def get_engine():
    if _engine is None:
        raise RuntimeError("init_engine() has not been called")
    return _engine


def _make_engine(url):
    connect_args = {}
    if url.get_backend_name() == "postgresql":
        # sslmode is left alone: the platform's URLs carry none, and libpq's default asks for TLS first.
        connect_args = {"application_name": "raptor-web", "connect_timeout": CONNECT_TIMEOUT_S}
    engine = create_engine(
        url,
        pool_size=5,
        max_overflow=10,
        pool_pre_ping=True,
        # What a failed statement carried is customers' data, and the message goes to the log.
        hide_parameters=True,
        connect_args=connect_args,
    )
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_sqlite_pragmas)
    return engine


def _set_sqlite_pragmas(connection, _record):
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA busy_timeout = 5000")
    cursor.close()


def _parsed(variable, value):
    # The platform writes postgres://, which SQLAlchemy has not known since 1.4.
    if value.startswith("postgres://"):
        value = "postgresql://" + value[len("postgres://") :]
    try:
        return make_url(value)
    except (ArgumentError, ValueError):
        # The parser's own message repeats what it could not parse, password included.
        raise ConfigurationError(f"{variable} is not a database URL") from None
