"""The ledger's production smoke: SMOKE_BASE_URL, and SMOKE_EXPECT_USER where the role matters."""

import http.client
import json
import os
import sys
import time
from urllib.parse import urlsplit

PATIENCE_S = float(os.environ.get("SMOKE_PATIENCE_S") or 15)


def call(method, path, until):
    address = urlsplit(os.environ["SMOKE_BASE_URL"])
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    while True:
        connection = kind(address.netloc, timeout=10)
        try:
            connection.request(method, address.path.rstrip("/") + path)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
            # 502 and 503 are the router's while the service starts.
            if response.status not in (502, 503) or time.monotonic() > until:
                return response.status, text
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() > until:
                return 0, type(error).__name__
        finally:
            connection.close()
        time.sleep(0.5)


def main():
    until = time.monotonic() + PATIENCE_S
    wrong = []

    def expect(what, holds, seen):
        print(f"{'pass' if holds else 'fail'}: {what} ({seen})", flush=True)
        if not holds:
            wrong.append(what)

    status, _ = call("GET", "/healthz", until)
    expect("the service is alive", status == 200, status)

    status, text = call("GET", "/readyz", until)
    try:
        state = json.loads(text) if status == 200 else {}
    except ValueError:
        state = {}
    kind = os.environ.get("SMOKE_EXPECT_DIALECT") or "postgresql"
    expect(f"the books are in {kind}", state.get("database") == kind, state.get("database"))
    expect("the schema has a revision", bool(state.get("schema_revision")), state.get("schema_revision"))
    if os.environ.get("SMOKE_EXPECT_USER"):
        expect("the role is the expected one", state.get("role") == os.environ["SMOKE_EXPECT_USER"], state.get("role"))

    status, text = call("POST", "/bookings/trial", until)
    expect("a trial booking adds up", status == 200, text)

    status, _ = call("POST", "/payouts", until)
    expect("a payout is refused", status == 403, status)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
