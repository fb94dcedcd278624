"""The web process: `python -m backend_v2.app`, with PORT in the environment."""

import json
import os
import signal
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, urlsplit

from backend_v2.db.engine import ConfigurationError, get_engine, init_engine
from backend_v2.db.local import prepare_local_database
from backend_v2.routes import answer

# Only the router beside this process is to reach it.
HOST = "127.0.0.1"
LARGEST_BODY = 64 * 1024


class Server(ThreadingHTTPServer):
    # Requests under way are finished before the process ends; Handler.timeout bounds how long an idle one can hold it.
    daemon_threads = False
    request_queue_size = 64

    def server_bind(self):
        # Not HTTPServer's, which looks up the host's name and can hang for seconds where there is no resolver.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]


class Handler(BaseHTTPRequestHandler):
    server_version = "raptor"
    sys_version = ""
    timeout = 2

    def do_GET(self):
        self._respond()

    def do_POST(self):
        self._respond()

    def setup(self):
        self.began = time.monotonic()
        super().setup()

    def _respond(self):
        try:
            status, content = self._answer()
        except OSError:
            # The client is gone or stalled; there is nobody to answer.
            self.close_connection = True
            return
        except Exception as error:
            # Any other message could hold data, and http.server would print it with its traceback.
            print(f"error {type(error).__name__}", flush=True)
            status, content = 500, {"error": "internal"}
        payload = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _answer(self):
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            return 413, {"error": "body_too_large"}
        raw = self.rfile.read(int(length))
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            return 400, {"error": "body_not_json"}
        return answer(self.command, urlsplit(self.path).path, body)

    def log_request(self, code="-", size="-"):
        """One line a request; without the query string, which people put secrets in."""
        milliseconds = round((time.monotonic() - self.began) * 1000)
        path = quote(urlsplit(getattr(self, "path", "-")).path, safe="/-._~")
        print(f"{self.command or '-'} {path} {int(code)} {milliseconds}ms", flush=True)

    def log_message(self, format, *args):
        """Nothing: http.server's other messages repeat what the client sent."""


def main():
    try:
        prepare_local_database(init_engine())
        server = Server((HOST, _port()), Handler)
    except ConfigurationError as error:
        print(f"raptor cannot start: {error}", file=sys.stderr, flush=True)
        return 1

    def stop(_number, _frame):
        # shutdown() waits for the loop that this very thread is in.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"raptor serves on {HOST}:{server.server_port}, {get_engine().dialect.name}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    get_engine().dispose()
    return 0


def _port():
    value = os.environ.get("PORT", "")
    if not value.isdigit():
        raise ConfigurationError("PORT is not set to a number")
    return int(value)


if __name__ == "__main__":
    sys.exit(main())
