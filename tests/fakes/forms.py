"""Form bodies as a server reads them: multipart/form-data (RFC 7578) and urlencoded, with repeated fields."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class File:
    """A part that came with a file name. `field` is the form's name for it."""

    field: str
    name: str
    mime: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """What was posted: the fields in order, each as often as it came, and the files."""

    fields: tuple[tuple[str, str], ...] = ()
    files: tuple[File, ...] = ()
    is_multipart: bool = False

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name]

    def one(self, name: str) -> str | None:
        """The last value, as a server with a dictionary of fields would see it."""
        return next(iter(reversed(self.all(name))), None)

    def with_prefix(self, *prefixes: str) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self.fields if name.startswith(prefixes)]


class Malformed(Exception):
    """The body is not what its Content-Type says."""


def read(headers: Mapping[str, str], body: bytes) -> Form:
    """Reads a request's body.

    Raises:
        Malformed: it has no usable type, or is not of it.
    """
    named = {name.lower(): value for name, value in headers.items()}
    if named.get("content-encoding", "").lower() == "gzip":
        body = _unpacked(body)
    kind = Message()
    kind["Content-Type"] = named.get("content-type", "")
    if kind.get_content_type() == "application/x-www-form-urlencoded":
        return Form(tuple(parse_qsl(body.decode(), keep_blank_values=True)))
    boundary = kind.get_boundary()
    if kind.get_content_type() != "multipart/form-data" or not boundary:
        raise Malformed(f"not a form: {named.get('content-type', 'no type')}")
    return _multipart(body, boundary.encode())


def _unpacked(body: bytes) -> bytes:
    try:
        return gzip.decompress(body)
    except (OSError, EOFError):
        raise Malformed("not gzip") from None


def _multipart(body: bytes, boundary: bytes) -> Form:
    fields, files = [], []
    for raw in _parts(body, boundary):
        head, gap, data = raw.partition(b"\r\n\r\n")
        if not gap:
            raise Malformed("a part without a head")
        # Names travel as raw UTF-8 (RFC 7578 section 5.1), so the head is text, and its parameters are read as text.
        part = HeaderParser().parsestr(head.decode("utf-8", "replace"))
        name = part.get_param("name", header="Content-Disposition")
        filename = part.get_param("filename", header="Content-Disposition")
        if not isinstance(name, str):
            raise Malformed("a part without a name")
        if filename is None:
            fields.append((name, data.decode("utf-8", "replace")))
        elif isinstance(filename, str) and filename:
            files.append(File(name, filename, part.get_content_type(), data))
    return Form(tuple(fields), tuple(files), is_multipart=True)


def _parts(body: bytes, boundary: bytes) -> list[bytes]:
    """What stands between the boundary lines, byte for byte."""
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise Malformed("no closing boundary")
    if any(not piece.startswith(b"\r\n") for piece in pieces[1:-1]):
        raise Malformed("text behind a boundary")
    return [piece[2:] for piece in pieces[1:-1]]
