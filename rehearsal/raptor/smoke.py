"""Raptor's smoke suite: asks a running Raptor over HTTP, and exits 1 when an answer is wrong.

SMOKE_BASE_URL         where it is
SMOKE_EXPECT_USER      the database role that it must be connected as; any when empty
SMOKE_EXPECT_DIALECT   postgresql unless set
SMOKE_PATIENCE_S       seconds that it may take to start, 15 unless set
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

# A restart answers 502 or 503, or refuses the connection, until the new processes are up.
PATIENCE_S = float(os.environ.get("SMOKE_PATIENCE_S") or 15)
REQUEST_TIMEOUT_S = 10
STILL_STARTING = (502, 503)

# The app itself is asked, never a proxy that the environment names.
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(method, path, deadline):
    """Status and JSON; retried until the deadline while the app may still be starting."""
    url = os.environ["SMOKE_BASE_URL"].rstrip("/") + path
    while True:
        request = urllib.request.Request(url, method=method, data=b"{}" if method == "POST" else None)
        request.add_header("Content-Type", "application/json")
        try:
            with opener.open(request, timeout=REQUEST_TIMEOUT_S) as response:
                return response.status, parsed(response.read())
        except urllib.error.HTTPError as error:
            status, content = error.code, parsed(error.read())
            if status not in STILL_STARTING or time.monotonic() > deadline:
                return status, content
        except OSError as error:
            if time.monotonic() > deadline:
                reason = getattr(error, "reason", error)
                return None, {"unreachable": type(reason).__name__}
        time.sleep(0.5)


def parsed(payload):
    try:
        content = json.loads(payload)
    except ValueError:
        content = None
    return content if isinstance(content, dict) else {}


def checks(deadline):
    """Yields a name, whether it holds, and what was seen."""
    status, _ = ask("GET", "/health", deadline)
    yield "health", status == 200, f"status {status}"

    status, seen = ask("GET", "/ready", deadline)
    yield "readiness", status == 200, f"status {status}"

    dialect = os.environ.get("SMOKE_EXPECT_DIALECT") or "postgresql"
    yield "dialect", seen.get("dialect") == dialect, f"{seen.get('dialect')}, expected {dialect}"

    yield "revision", bool(seen.get("revision")), f"{seen.get('revision')}, {seen.get('tables')} tables"

    user = os.environ.get("SMOKE_EXPECT_USER")
    if user:
        yield "database role", seen.get("current_user") == user, f"{seen.get('current_user')}, expected {user}"

    status, seen = ask("POST", "/paper-orders/round-trip", deadline)
    yield "paper order", status == 200 and seen.get("round_trip") is True, f"status {status}, {seen}"

    status, _ = ask("POST", "/orders", deadline)
    yield "live orders refused", status == 403, f"status {status}"


def main():
    if not os.environ.get("SMOKE_BASE_URL"):
        print("SMOKE_BASE_URL is not set")
        return 1
    failed = 0
    for name, holds, seen in checks(time.monotonic() + PATIENCE_S):
        print(f"{'ok  ' if holds else 'FAIL'} {name}: {seen}", flush=True)
        failed += 0 if holds else 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
