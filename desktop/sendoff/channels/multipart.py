"""A form with a file in it, read from the disk while it is sent, so that its size is no matter."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

BLOCK = 16_384
"""Bytes handed to the socket at once. Its time-out is for each block, so a slow line may still carry a big file."""

_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}$")


class FileForm:
    """A multipart/form-data body (RFC 7578) of text fields and one file.

    The file goes under a name without meaning; what the person called it is nobody's business.
    """

    def __init__(self, fields: Mapping[str, str], path: Path, *, name: str, mime: str, field: str = "file") -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        suffix = _SUFFIX.search(name)
        words = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in fields.items()
        )
        self._head = (
            f'{words}--{boundary}\r\nContent-Disposition: form-data; name="{field}"; '
            f'filename="file{suffix[0] if suffix else ""}"\r\nContent-Type: {mime}\r\n\r\n'
        ).encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._path = path
        self._size = path.stat().st_size

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        with self._path.open("rb") as file:
            while block := file.read(BLOCK):
                yield block
        yield self._tail
