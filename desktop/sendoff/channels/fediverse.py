"""Where a server of the fediverse is and which program it runs: WebFinger and NodeInfo, for all channels that ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from sendoff.channels.http import Http, Transport
from sendoff.channels.reading import listed, table
from sendoff.domain.address import is_this_computer, web_address
from sendoff.domain.errors import BadInput, SendError


@dataclass(frozen=True, slots=True)
class Software:
    """The program that a server runs, as NodeInfo names it: lower case, "" where it does not say."""

    name: str = ""
    version: str = ""


def home(transport: Transport, typed: str, ca_file: str = "") -> str:
    """The address of the server that a person means, by its name, its address, a profile's address or a handle.

    A handle's domain need not be the server's own name; WebFinger says where the account lives (RFC 7033).

    Raises:
        BadInput: that names no server.
    """
    text = typed.strip()
    if "@" in text and "://" not in text:
        user, _, domain = text.lstrip("@").rpartition("@")
        if not user:
            user, domain = "", text.strip("@")
        base = _address(domain)
        return (_webfinger(transport, base, user, domain, ca_file) if user else "") or base
    parts = urlsplit(_address(text))
    return f"{parts.scheme}://{parts.netloc}"


def _address(text: str) -> str:
    """https, but for this computer's own names: nobody has a certificate for those."""
    if not text:
        raise BadInput("Which server? Write its name, like mastodon.social, or your whole handle there.")
    if "://" not in text and is_this_computer(urlsplit(f"//{text}").hostname or ""):
        text = f"http://{text}"
    return web_address(text)


def _webfinger(transport: Transport, base: str, user: str, domain: str, ca_file: str) -> str:
    """Where the account lives, or "" if the domain does not say. It names a place that nobody typed, so only a name
    on the web counts, or the same computer that was asked."""
    http = Http(transport, base, domain, ca_file=ca_file)
    try:
        answer = http.read(f"/.well-known/webfinger?resource={quote(f'acct:{user}@{domain}', safe='')}")
    except SendError:
        return ""
    for link in listed(table(answer.json()).get("links")):
        parts = _parts(table(link).get("href"))
        if parts and table(link).get("rel") == "self":
            found = f"{parts.scheme}://{parts.netloc}"
            if found == base or (parts.scheme == "https" and _is_name(parts.hostname or "")):
                return found
    return ""


def _parts(href: Any) -> SplitResult | None:
    try:
        return urlsplit(href) if isinstance(href, str) else None
    except ValueError:
        return None


def _is_name(host: str) -> bool:
    return "." in host and not host.rpartition(".")[2].isdecimal() and ":" not in host and not is_this_computer(host)


def software(http: Http) -> Software:
    """The program behind a server (NodeInfo 2: /.well-known/nodeinfo names the document). Never an error."""
    try:
        for link in reversed(
            listed(table(http.read("/.well-known/nodeinfo").json()).get("links"))
        ):  # newest schema last
            parts = _parts(table(link).get("href"))
            if parts and parts.netloc == urlsplit(http.base).netloc:
                found = table(table(http.read(parts.path).json()).get("software"))
                return Software(str(found.get("name", "")).lower(), str(found.get("version", "")))
    except SendError:
        pass  # it does not say
    return Software()
