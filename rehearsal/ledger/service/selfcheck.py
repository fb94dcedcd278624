"""Books on SQLite and adds up: `python selfcheck.py`, exit status 1 when the books do not balance."""

import sys

from sqlalchemy.exc import SQLAlchemyError

from store import Misconfigured, Store


def main():
    try:
        store = Store()
        if store.kind != "sqlite":
            print(f"the books are in {store.kind}, not in sqlite")
            return 1
        store.make_local_tables()
        total = store.trial_booking()
    except Misconfigured as error:
        print(f"ledger: {error}")
        return 1
    except SQLAlchemyError as error:
        print(f"books: {type(error).__name__}")
        return 1
    print(f"booked {total} cents on {store.kind}")
    return 0 if total == 1234 else 1


if __name__ == "__main__":
    sys.exit(main())
