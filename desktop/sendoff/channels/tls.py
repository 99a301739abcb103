"""Lines to servers: what is demanded of encrypted ones, and what it means that none came about."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from functools import lru_cache
from urllib.parse import urlsplit

from sendoff.domain.errors import Rejected, SendError, TryLater

REACH_SECONDS = 5.0
_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL}
_CUT_SHORT = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


def context(ca_file: str = "") -> ssl.SSLContext:
    """TLS 1.2 at least, with the chain and the host name verified (RFC 8314, RFC 8997).

    Args:
        ca_file: authorities of the person's own, as PEM, beside the system's.

    Raises:
        Rejected: that file cannot be used.
    """
    try:
        return _context(ca_file, os.stat(ca_file).st_mtime_ns if ca_file else 0)
    except OSError as wrong:  # ssl.SSLError is one of them
        why = "it holds no certificate" if isinstance(wrong, ssl.SSLError) else wrong.strerror
        raise Rejected(f"The CA file {ca_file} can’t be used: {why}.", advice="Choose a PEM file.") from None


@lru_cache(maxsize=8)
def _context(ca_file: str, changed: int) -> ssl.SSLContext:  # noqa: ARG001  # a file that changed is read again
    """Kept, because reading the system's authorities takes 30 ms, just when a mail is due."""
    made = ssl.create_default_context()
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        made.load_verify_locations(ca_file)
    return made


def reach(host: str, port: int) -> None:
    """Whether a host takes connections at a port. Nothing is said to it.

    Raises:
        TryLater: it does not; `offline` where this computer reaches nothing.
    """
    try:
        socket.create_connection((host, port), REACH_SECONDS).close()
    except OSError as wrong:
        raise not_reached(host, port, wrong) from None


def reach_web(url: str) -> None:
    """`reach` for the host of a web address."""
    reach(*host_and_port(url))


def host_and_port(url: str) -> tuple[str, int]:
    """Where a web address leads."""
    where = urlsplit(url)
    return str(where.hostname), where.port or (443 if where.scheme == "https" else 80)


def not_reached(host: str, port: int, cause: BaseException) -> SendError:
    """The end that a failed connection or handshake means. Nothing was sent."""
    if isinstance(cause, ssl.SSLError) and not isinstance(cause, _CUT_SHORT):
        return _not_trusted(host, port, cause)
    detail = words(cause)
    if isinstance(cause, socket.gaierror):
        return TryLater(
            f"The name {host} could not be found.", offline=True, detail=detail,
            advice="Is it spelt right, and is this computer online?",
        )  # fmt: skip
    if isinstance(cause, TimeoutError):
        return TryLater(
            f"{host} could not be reached at port {port} in time.", offline=True, detail=detail,
            advice="Is the port right, and does a firewall let it through?",
        )  # fmt: skip
    if isinstance(cause, OSError) and cause.errno in _UNREACHABLE:
        return TryLater(f"This computer is offline, or the way to {host} is cut.", offline=True, detail=detail)
    if isinstance(cause, ConnectionRefusedError):
        return TryLater(
            f"{host} refused the connection at port {port}.", detail=detail,
            advice="Is the port right? Nothing listens there now.",
        )  # fmt: skip
    return TryLater(f"The line to {host} broke before it stood. Nothing was sent.", detail=detail)


_UNKNOWN_AUTHORITY = (
    "If this is your own server, choose its CA file in the account’s form, under Advanced. "
    "Else wait until it is mended.",
    "ca_file",
)
_ANOTHER_NAME = ("Is the server’s name right? Its certificate is for another one.", "")
_UNPROVEN = {
    9: ("Is this computer’s clock right? The certificate begins later.", ""),  # X509_V_ERR_CERT_NOT_YET_VALID
    10: ("Whoever runs it has to renew the certificate. Is this computer’s clock right?", ""),  # …_CERT_HAS_EXPIRED
    62: _ANOTHER_NAME,  # X509_V_ERR_HOSTNAME_MISMATCH
    64: _ANOTHER_NAME,  # X509_V_ERR_IP_ADDRESS_MISMATCH
}
"""What to do, and the field it is about, by OpenSSL's number for what is wrong (x509_vfy.h); else the authority is."""


def _not_trusted(host: str, port: int, cause: ssl.SSLError) -> SendError:
    if isinstance(cause, ssl.SSLCertVerificationError):
        advice, field = _UNPROVEN.get(cause.verify_code, _UNKNOWN_AUTHORITY)
        return Rejected(
            f"{host} can’t prove that it is {host}: {cause.verify_message.rstrip('.')}. Nothing was sent.",
            advice=advice, detail=words(cause),
        ).at(field)  # fmt: skip
    if cause.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"):
        return Rejected(
            f"{host} does not begin with TLS at port {port}. Nothing was sent.",
            advice="Choose STARTTLS for this port (usually 587), or TLS with port 465.",
            detail=words(cause),
        )
    return Rejected(
        f"{host} speaks no TLS that is safe enough ({cause.reason or 'handshake failed'}). Nothing was sent.",
        detail=words(cause),
    )


def words(cause: BaseException) -> str:
    """An error as it is kept with an attempt."""
    return f"{type(cause).__name__}: {cause}"[:500]
