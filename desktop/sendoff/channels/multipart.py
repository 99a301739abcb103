"""A form with files in it, read from the disk while it is sent, so that their size is no matter."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

BLOCK = 16_384
"""Bytes handed to the socket at once. Its time-out is for each block, so a slow line may still carry a big file."""

_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}$")


def unnamed(name: str, stem: str = "file") -> str:
    """A file name without meaning: what the person called it is nobody's business where nobody sees it."""
    suffix = _SUFFIX.search(name)
    return stem + (suffix[0] if suffix else "")


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file of a form: the field that it fills, where it lies, and what the receiver is told of it."""

    field: str
    path: Path
    name: str
    mime: str

    @property
    def head(self) -> str:
        # Raw UTF-8 (RFC 7578 section 5.1). Servers disagree about how a quote in it is written, so there is none.
        name = re.sub(r"[\x00-\x1f\x7f]", " ", self.name).replace('"', "'").replace("\\", "_")
        about = f'Content-Disposition: form-data; name="{self.field}"; filename="{name}"'
        return f"{about}\r\nContent-Type: {self.mime}\r\n\r\n"


class FileForm:
    """A multipart/form-data body (RFC 7578) of text fields and files, in this order.

    `shown` is what may stand in the record of a try: the fields without the files' bytes.
    """

    def __init__(self, fields: Mapping[str, str], *files: FormFile) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self.shown = "\n".join(
            [f"{key}: {value}" for key, value in fields.items()]
            + [f"{one.field}: {one.name} ({one.mime}, {one.path.stat().st_size} bytes)" for one in files]
        ).encode()
        words = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in fields.items()
        )
        self._words = words.encode()
        self._files = [(f"--{boundary}\r\n{one.head}".encode(), one.path) for one in files]
        self._tail = f"--{boundary}--\r\n".encode()
        sizes = [len(head) + path.stat().st_size + len(b"\r\n") for head, path in self._files]
        self._size = len(self._words) + sum(sizes) + len(self._tail)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        head = self._words
        for disposition, path in self._files:
            yield head + disposition
            with path.open("rb") as file:
                while block := file.read(BLOCK):
                    yield block
            head = b"\r\n"
        yield head + self._tail
