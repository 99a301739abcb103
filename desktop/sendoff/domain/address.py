"""Web addresses that a person may name as an endpoint: https anywhere, http on this computer only."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from sendoff.domain.errors import BadInput


@lru_cache(maxsize=256)
def web_address(text: str, any_http: bool = False) -> str:
    """The address without a slash at its end; "https://" is added where no scheme is named.

    Args:
        any_http: plain http to another computer will do, because no key goes there.

    Raises:
        BadInput: it is no web address, carries a password, or is plain http to another computer.
    """
    wanted = text.strip()
    if "://" not in wanted:
        wanted = "https://" + wanted
    try:
        parts = urlsplit(wanted)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or any(character.isspace() for character in wanted):
        raise BadInput(f"“{text}” is not a web address. Write it like https://example.org.")
    if parts.username or parts.password:
        raise BadInput("Leave the name and password out of the address; there are fields for them.")
    if parts.query or parts.fragment:
        raise BadInput(f"“{text}”: leave out what follows the “?” or “#”.")
    if parts.scheme == "http" and not any_http and not is_this_computer(host):
        raise BadInput(
            f"“{text}” would send your key in the open. Use https:// (http:// works only for this computer)."
        )
    return wanted.rstrip("/")


def ascii_name(name: str) -> str:
    """The name of a host in ASCII, by IDNA 2008 with the mapping of UTS 46; "" if it has none."""
    if name.isascii():
        return name
    import idna  # its tables are large, and most names need none

    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError:
        return ""


def is_this_computer(host: str) -> bool:
    """Whether a host name means the loopback interface, without asking anybody."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def may_name(teller: str, url: str) -> bool:
    """Whether the server at one address may send us to another: none from elsewhere names this computer.

    What else is inside of a network has to show a certificate for the name by which it is called, so nothing is said to
    it.
    """
    return not is_this_computer(urlsplit(url).hostname or "") or is_this_computer(urlsplit(teller).hostname or "")
