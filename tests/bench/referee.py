"""A neutral referee: an HTTP server in a process of its own that stamps what arrives, and is asked afterwards."""

from __future__ import annotations

import json
import multiprocessing
import socket
import threading
import time
from multiprocessing.connection import Connection
from typing import Any

ANSWER = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n" + b'{"id": "ok"}'


def _serve(ready: Connection) -> None:
    """Reads requests as they come on every connection; the first line's path names the delivery."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    ready.send(listener.getsockname()[1])
    stamps: list[tuple[str, float]] = []

    def talk(peer: socket.socket) -> None:
        buffer = b""
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := peer.recv(65_536):
            now = time.time()
            buffer += data
            while b"\r\n\r\n" in buffer:
                head, _, rest = buffer.partition(b"\r\n\r\n")
                size = next(
                    (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
                )
                if len(rest) < size:
                    break
                buffer = rest[size:]
                stamps.append((head.split(b" ", 2)[1].decode(), now))
                peer.sendall(ANSWER)

    def accept() -> None:
        while True:
            peer, _ = listener.accept()
            threading.Thread(target=talk, args=(peer,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    while ready.recv() == "stamps":
        ready.send(list(stamps))
        stamps.clear()


class Referee:
    """Used as a context manager; `url` is where deliveries go, `stamps` says what came when since it was last asked."""

    def __enter__(self) -> Referee:
        self._pipe, far = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=_serve, args=(far,), daemon=True)
        self._process.start()
        self.url = f"http://127.0.0.1:{self._pipe.recv()}"
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send("end")
        self._process.join(5)

    def stamps(self) -> list[tuple[str, float]]:
        self._pipe.send("stamps")
        found: list[tuple[str, float]] = self._pipe.recv()
        return found


def body() -> bytes:
    """What each delivery carries: 450 bytes of JSON, as a short post would."""
    return json.dumps({"text": "x" * 438}).encode()


def percentiles(values: list[float]) -> dict[str, Any]:
    """p50, p99 and the largest, in milliseconds."""
    ordered = sorted(values)
    pick = lambda share: round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 2)  # noqa: E731
    return {"p50_ms": pick(0.5), "p99_ms": pick(0.99), "max_ms": pick(1.0)}
