"""Connections to strangers: only to addresses of the public internet, checked where the connection really goes."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable

Allowed = Callable[[str], bool]
"""Whether an IP address, as text, may be connected to."""

MOST_ADDRESSES = 4
"""How many addresses of one name are tried."""

_UNICAST = ipaddress.IPv6Network("2000::/3")
"""What IPv6 addresses of the public internet there are (IANA, IPv6 address space)."""

_NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "2001:db8::/32", "3fff::/20")
    )
)
"""What Python 3.11 may still call global: protocol assignments, Teredo and 6to4, which lead to IPv4 addresses, and
documentation (IANA's special-purpose registries, read 2026-11-27)."""


class Forbidden(OSError):
    """A name leads to an address that must not be connected to."""


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet; what is private, local, shared or reserved does not.

    Addresses that only lead to another one (IPv4-mapped, NAT64, 6to4, Teredo) are none of it.
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if found.version == 6 and found not in _UNICAST:
        return False
    return found.is_global and not (found.is_multicast or found.is_reserved) and not _is_special(found)


def _is_special(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return any(address in network for network in _NOT_PUBLIC)


def connect(host: str, port: int, seconds: float, allowed: Allowed) -> socket.socket:
    """A connection to one of a name's addresses. The name is looked up once, and what was checked is what is connected
    to: a name that leads elsewhere a moment later changes nothing.

    Raises:
        Forbidden: none of its addresses is allowed. OSError: it can't be reached.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    fine = [one for one in found if allowed(str(one[4][0]))]
    if not fine:
        raise Forbidden(f"{host} is no address of the public internet.")
    wrong: OSError | None = None
    for family, kind, protocol, _, address in fine[:MOST_ADDRESSES]:
        line = socket.socket(family, kind, protocol)
        line.settimeout(seconds)
        try:
            line.connect(address)
            if not allowed(str(line.getpeername()[0])):
                raise Forbidden(f"{host} is no address of the public internet.")
        except OSError as error:
            line.close()
            wrong = error
        else:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return line
    assert wrong is not None
    raise wrong
