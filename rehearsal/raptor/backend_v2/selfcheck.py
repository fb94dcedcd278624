"""Reads and writes on SQLite as the app does, and exits 1 when that does not work: `python -m backend_v2.selfcheck`."""

import sys

from sqlalchemy.exc import SQLAlchemyError

from backend_v2.db.engine import ConfigurationError, init_engine
from backend_v2.db.local import prepare_local_database
from backend_v2.routes import ready, round_trip_paper_order


def main():
    try:
        engine = init_engine()
        if engine.dialect.name != "sqlite":
            print(f"the database is {engine.dialect.name}; expected sqlite. Set DATABASE_URL, and unset the flag.")
            return 1
        prepare_local_database(engine)
        for check in (ready, round_trip_paper_order):
            status, content = check(None)
            print(f"{check.__name__}: {status} {content}", flush=True)
            if status != 200:
                return 1
    except ConfigurationError as error:
        print(f"configuration: {error}")
        return 1
    except SQLAlchemyError as error:
        # The class and never the message, which may hold statements and addresses.
        print(f"database: {type(error).__name__}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
