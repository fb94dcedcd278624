"""The ledger's web service, on $PORT."""

import json
import os
import signal
import socketserver
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from sqlalchemy.exc import SQLAlchemyError

from store import Misconfigured, Store


class ThreadedServer(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self):
        # WSGIServer's looks up the host's name, which can hang.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]
        self.setup_environ()


class Terse(WSGIRequestHandler):
    def log_request(self, code="-", size="-"):
        print(f"[{code}] {self.command} {json.dumps(self.path.partition('?')[0])}", flush=True)


def application(store):
    def alive():
        return "200 OK", {"alive": True}

    def state():
        return "200 OK", store.state()

    def trial():
        total = store.trial_booking()
        return ("200 OK" if total == 1234 else "500 Internal Server Error"), {"total_cents": total}

    def payout():
        return "403 Forbidden", {"refused": "payouts are made by people"}

    routes = {
        ("GET", "/healthz"): alive,
        ("GET", "/readyz"): state,
        ("POST", "/bookings/trial"): trial,
        ("POST", "/payouts"): payout,
    }

    def respond(environ, start_response):
        route = routes.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        try:
            status, content = route() if route else ("404 Not Found", {"missing": True})
        except SQLAlchemyError as error:
            # The class only: messages repeat statements and addresses.
            status, content = "503 Service Unavailable", {"failed": type(error).__name__}
        payload = json.dumps(content).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(payload)))])
        return [payload]

    return respond


def main():
    try:
        store = Store()
        store.make_local_tables()
    except Misconfigured as error:
        print(f"ledger: {error}", file=sys.stderr, flush=True)
        return 1
    server = ThreadedServer(("127.0.0.1", int(os.environ["PORT"])), Terse)
    server.set_app(application(store))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown, daemon=True).start())
    print(f"ledger on port {server.server_port}, {store.kind}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
