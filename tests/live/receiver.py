"""Somebody who is told: a loopback server for Apprise's json:// addresses."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer


@contextmanager
def receiver(status: int = 200) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """Its address, and what it was told; it answers with `status`."""
    got: list[dict[str, object]] = []

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *args: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Keep) as server:
        thread = threading.Thread(target=server.serve_forever, name="receiver")
        thread.start()
        try:
            yield f"json://127.0.0.1:{server.server_port}", got
        finally:
            server.shutdown()
            thread.join()
