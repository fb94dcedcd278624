"""SQLite as the database on purpose: until launch it is the way back from PostgreSQL."""

import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import inspect

SLUG = Path(__file__).resolve().parents[2]


def prepare_local_database(engine):
    """Makes the tables where DATABASE_URL names a SQLite file that has none: each dyno begins with an empty one.

    Where DATABASE_URL is unset, on a developer's machine, the file is the developer's to migrate.
    """
    if engine.dialect.name != "sqlite" or not os.environ.get("DATABASE_URL", "").strip():
        return
    if inspect(engine).get_table_names():
        return
    command.upgrade(Config(str(SLUG / "alembic.ini")), "head")
