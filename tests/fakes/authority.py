"""A certificate authority for servers on this computer."""

from __future__ import annotations

import datetime
import ssl
from functools import lru_cache
from pathlib import Path

import trustme


@lru_cache(maxsize=1)
def authority() -> trustme.CA:
    """Made once; a key costs some milliseconds."""
    return trustme.CA()


def ca_file(folder: Path) -> Path:
    """The authority as a PEM file, to be named in an account."""
    place = folder / "ca.pem"
    if not place.exists():
        authority().cert_pem.write_to_path(str(place))
    return place


@lru_cache(maxsize=16)
def server_context(*names: str, expired: bool = False) -> ssl.SSLContext:
    """TLS for a server with these host names (by default localhost and 127.0.0.1)."""
    day = datetime.datetime.now(datetime.UTC)
    certificate = authority().issue_cert(
        *(names or ("localhost", "127.0.0.1")),
        not_after=day - datetime.timedelta(days=1) if expired else day + datetime.timedelta(days=1),
        not_before=day - datetime.timedelta(days=2),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context
