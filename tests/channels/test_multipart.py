"""Forms with a file, and big bodies on slow lines: the time-out is for each piece, not for the whole."""

from __future__ import annotations

import email
import email.policy
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sendoff.channels.http import Http, Patience, Transport
from sendoff.channels.multipart import FileForm, FormFile, unnamed

PIECE, PIECES = 65_536, 360


@pytest.fixture
def slow_server() -> Iterator[str]:
    """Takes a body at about 12 MB/s, and answers when it has all of it."""

    def serve(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as wire:
            while wire.readline().strip():
                pass  # the head
            for _ in range(PIECES):
                wire.read(PIECE)
                time.sleep(0.005)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    def accept() -> None:
        serve(listener.accept()[0])

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


def test_a_big_body_may_take_longer_than_a_connection_may(slow_server: str) -> None:
    http = Http(Transport(Patience(connect=0.5, read=10.0, total=20.0)), slow_server, "lab")
    began = time.monotonic()
    assert http.write("/", data=b"x" * PIECE * PIECES).status == 200
    assert time.monotonic() - began > 0.5


def test_a_form_says_what_it_holds_and_how_long_it_is(tmp_path: Path) -> None:
    content = bytes(range(256)) * 300
    (tmp_path / "file").write_bytes(content)
    form = FileForm(
        {"description": "Ein „Elefant“\r\n🐘"}, FormFile("file", tmp_path / "file", unnamed('x"\r\n.PNG'), "image/png")
    )
    body = b"".join(form)
    assert len(form) == len(body)
    parsed = email.message_from_bytes(
        f"Content-Type: {form.content_type}\r\n\r\n".encode() + body, policy=email.policy.HTTP
    )
    words, file = parsed.iter_parts()
    assert words.get_payload(decode=True).decode() == "Ein „Elefant“\r\n🐘"
    assert file.get_payload(decode=True) == content
    assert file.get_filename() == "file.PNG"
    assert file.get_content_type() == "image/png"
    assert b"".join(form) == body  # it can be sent again
