"""Whether there is a newer Sendoff: a small signed page. It is asked for only where the person wants that.

Where the page is, and who signs it, is put in by whoever makes a package; without that nothing is asked.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Self
from urllib.parse import urlsplit

from sendoff.channels.http import Http, Transport
from sendoff.channels.oauth import origin
from sendoff.channels.reading import table
from sendoff.domain.address import web_address
from sendoff.domain.errors import Rejected
from sendoff.release import NewerPage

MOST = 4096
"""Bytes. A page has some 300; as long a one is none."""

SIGNED_FOR = b"sendoff release\n"
"""Stands before what is signed, so that a signature for something else is none for a release."""

_VERSION = re.compile(r"\d{1,4}(\.\d{1,4}){1,3}")
_NAME = "The page of versions"


@dataclass(frozen=True, slots=True)
class Release:
    """A version, the day it came out, and the address of a page that says what is new."""

    version: str
    date: date
    notes: str

    @classmethod
    def of(cls, found: Any) -> Self:
        """Raises ValueError where it is not one."""
        told = {name: value if isinstance(value := table(found).get(name), str) else "" for name in cls.__slots__}
        where = urlsplit(told["notes"])
        if not _VERSION.fullmatch(told["version"]) or where.scheme != "https" or not where.hostname:
            raise ValueError(told)
        return cls(told["version"], date.fromisoformat(told["date"]), told["notes"])

    @property
    def text(self) -> str:
        return json.dumps({"version": self.version, "date": self.date.isoformat(), "notes": self.notes})

    def is_newer_than(self, version: str) -> bool:
        return _numbers(self.version) > _numbers(version)


def ask(transport: Transport, page: NewerPage, *, newest: str = "") -> Release:
    """Asks for the newest release. The request says nothing of who asks, nor which version they have.

    Args:
        newest: the newest version that was heard of; a page that knows only older ones is not believed.

    Raises:
        Rejected: what came is not believed, or leads elsewhere. TryLater: nothing came.
    """
    url = web_address(page.address)
    http = Http(
        transport,
        origin(url),
        _NAME,
        headers={"User-Agent": "Sendoff"},
        patience=replace(transport.patience, most=MOST),
    )
    answer = http.read(url)
    if len(answer.body) >= MOST or not answer.whole:
        raise Rejected(f"{_NAME} is far too long or broke off. It was not believed.")
    found = read(answer.body, page.key)
    if newest and _numbers(found.version) < _numbers(newest):
        raise Rejected(f"{_NAME} knows only {found.version}, and {newest} was there before. It was not believed.")
    return found


def read(page: bytes, key: bytes) -> Release:
    """The release that a page tells of, if its signature is right.

    Raises:
        Rejected: it is not signed by whoever has the key, or holds no release.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        told = table(json.loads(page))
        signed, signature = str(told.get("signed")), base64.b64decode(str(told.get("signature")), validate=True)
        Ed25519PublicKey.from_public_bytes(key).verify(signature, SIGNED_FOR + signed.encode())
    except (ValueError, RecursionError, InvalidSignature):
        raise Rejected(f"{_NAME} is not signed by the makers of Sendoff. It was not believed.") from None
    try:
        return Release.of(json.loads(signed))
    except (ValueError, RecursionError):
        raise Rejected(f"{_NAME} is signed, but does not tell of a release.") from None


def _numbers(version: str) -> tuple[int, ...]:
    """2.0 is 2.0.0; what follows the numbers (“.dev1”, “rc1”) does not count."""
    numbers = [int(one) for one in re.findall(r"\d+", re.match(r"[\d.]*", version)[0])]  # type: ignore[index]  # it matches
    return (*numbers, 0, 0, 0, 0)[:4]
