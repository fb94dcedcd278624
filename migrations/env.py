"""How Alembic reaches the database: as its owner, whatever role the app itself runs as."""

from logging.config import fileConfig

from alembic import context
from sqlalchemy import create_engine, pool

from backend_v2.db.engine import owner_url

if context.config.config_file_name is not None:
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)


def run_offline():
    """Prints the SQL and connects to nothing: `alembic upgrade REVISION:head --sql`."""
    context.configure(url=owner_url(), literal_binds=True, dialect_opts={"paramstyle": "named"})
    with context.begin_transaction():
        context.run_migrations()


def run_online():
    # hide_parameters: a failing statement is printed, and must not print customers' data with it.
    engine = create_engine(owner_url(), poolclass=pool.NullPool, hide_parameters=True)
    with engine.connect() as connection:
        # One transaction for the whole upgrade: a revision that fails leaves the database as it was found.
        context.configure(connection=connection, transaction_per_migration=False)
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    run_online()
