"""A web site on this computer, for what Sendoff reads of pages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HTML = {"Content-Type": "text/html; charset=utf-8"}


class Site(ThreadingHTTPServer):
    """A web site on this computer: answers by path, and the paths that were asked for."""

    daemon_threads = True

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__((host, 0), Handler)
        self.pages: dict[str, tuple[int, dict[str, str], bytes | Callable[[Handler], None]]] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.url = f"http://{host}:{self.server_address[1]}"

    def page(self, path: str, body: str | bytes | Callable[[Handler], None], status: int = 200, **headers: str) -> str:
        made = body.encode() if isinstance(body, str) else body
        self.pages[path] = (status, {**HTML, **{name.replace("_", "-"): text for name, text in headers.items()}}, made)
        return self.url + path


class Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.headers.append(dict(self.headers))
        status, headers, body = self.server.pages.get(self.path, (404, HTML, b"gone"))
        if callable(body):
            body(self)
            return
        self.send_response(status)
        for name, text in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def opened(host: str = "127.0.0.1") -> Iterator[Site]:
    """A site that listens."""
    server = Site(host)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def here(address: str) -> bool:
    """A policy for tests: this computer, under one of its addresses."""
    return address == "127.0.0.1"
