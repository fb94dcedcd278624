"""What Raptor answers. A route takes the request's JSON and returns a status and what is to be sent as JSON."""

import hashlib
import os
from contextlib import contextmanager
from datetime import datetime, timezone

from sqlalchemy import delete, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from backend_v2.db.engine import get_engine, role_separation
from backend_v2.db.tables import audit_events, customers, paper_orders

INSUFFICIENT_PRIVILEGE = "42501"


def health(_body):
    """This process lives. Asks nothing of the database, or an outage there would restart every process here."""
    return 200, {"status": "ok"}


def ready(_body):
    with _connected() as connection:
        on_postgres = connection.dialect.name == "postgresql"
        tables = inspect(connection).get_table_names()
        return 200, {
            "status": "ready",
            "dialect": connection.dialect.name,
            "current_user": connection.scalar(text("SELECT current_user")) if on_postgres else None,
            "tables": len(tables),
            "revision": _revision(connection) if "alembic_version" in tables else None,
        }


def version(_body):
    return 200, {"commit": os.environ.get("HEROKU_SLUG_COMMIT"), "role_separation": role_separation()}


def round_trip_paper_order(_body):
    """Writes a paper order, reads it back and deletes it, in one transaction: a process that dies leaves no row."""
    wanted = {
        "submitted_at": datetime.now(timezone.utc),
        "status": "round-trip",
        "order_payload": {"symbol": "RAXX", "side": "buy", "quantity": "1.5", "tags": ["smoke"]},
    }
    with _connected() as connection, connection.begin():
        [key] = connection.execute(insert(paper_orders).values(wanted)).inserted_primary_key
        found = connection.execute(select(paper_orders).where(paper_orders.c.id == key)).mappings().one()
        gone = connection.execute(delete(paper_orders).where(paper_orders.c.id == key)).rowcount
    same = (
        _as_utc(found["submitted_at"]) == wanted["submitted_at"]
        and found["status"] == wanted["status"]
        and found["order_payload"] == wanted["order_payload"]
    )
    passed = same and gone == 1
    return (200 if passed else 500), {"round_trip": passed, "same": same, "deleted": gone}


def place_order(_body):
    """Paper first: nothing that could reach a broker exists behind this, and no flag opens it."""
    return 403, {"error": "live_orders_refused"}


def sign_up(body):
    email = body.get("email") if isinstance(body, dict) else None
    if not isinstance(email, str) or not 3 <= len(email) <= 254 or "@" not in email:
        return 400, {"error": "email_invalid"}
    email = email.strip().lower()
    try:
        with _connected() as connection, connection.begin():
            [key] = connection.execute(insert(customers).values(email=email)).inserted_primary_key
            digest = hashlib.sha256(email.encode()).digest()
            connection.execute(insert(audit_events).values(actor="web", action="signup", subject_digest=digest))
    except IntegrityError:
        return 409, {"error": "email_taken"}
    return 201, {"id": key}


ROUTES = {
    "/health": {"GET": health},
    "/ready": {"GET": ready},
    "/version": {"GET": version},
    "/paper-orders/round-trip": {"POST": round_trip_paper_order},
    "/orders": {"POST": place_order},
    "/signup": {"POST": sign_up},
}


def answer(method, path, body):
    methods = ROUTES.get(path)
    if methods is None:
        return 404, {"error": "not_found"}
    if method not in methods:
        return 405, {"error": "method_not_allowed"}
    try:
        return methods[method](body)
    except DatabaseUnreachable:
        return 503, {"error": "database_unreachable"}
    except SQLAlchemyError as error:
        # The code and never the message, which may hold statements, names and addresses.
        return 500, {"error": "database_error", "sqlstate": _sqlstate(error)}


class DatabaseUnreachable(Exception):
    pass


@contextmanager
def _connected():
    try:
        connection = get_engine().connect()
    except SQLAlchemyError:
        raise DatabaseUnreachable() from None
    with connection:
        try:
            yield connection
        except DBAPIError as error:
            if error.connection_invalidated:
                raise DatabaseUnreachable() from None
            raise


def _revision(connection):
    try:
        return connection.scalar(text("SELECT version_num FROM alembic_version"))
    except DBAPIError as error:
        if _sqlstate(error) == INSUFFICIENT_PRIVILEGE:
            return None
        raise


def _sqlstate(error):
    return getattr(getattr(error, "orig", None), "pgcode", None)


def _as_utc(moment):
    """SQLite gives time stamps back without their zone."""
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment
