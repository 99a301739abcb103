"""An endpoint as a person described it: the form read and checked, and the request that it makes of a post."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from sendoff.channels import http_endpoint_template as template
from sendoff.channels.http_endpoint_template import Body, Template, Values
from sendoff.domain.address import web_address
from sendoff.domain.errors import BadInput
from sendoff.domain.text import FIELD

METHODS = ("POST", "PUT", "PATCH", "GET", "DELETE")
TO_FILL = re.compile(r"\bYOUR-[A-Z0-9][A-Z0-9_-]*")
"""What presets and imports leave for the person to write."""

HUB = "X-Hub-Signature-256"
"""The header of GitHub's signature."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = frozenset({
    "host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade", "expect", "keep-alive",
    "accept-encoding", "proxy-authorization", "proxy-connection", "webhook-id", "webhook-timestamp",
    "webhook-signature",
})  # fmt: skip
"""Headers that the request itself decides, or that would make two requests of one."""
_KEYS = frozenset({"authorization", "cookie", "x-api-key", "api-key", "x-auth-token", "private-token"})
"""Headers whose value is a secret."""


@dataclass(frozen=True, slots=True)
class Look:
    """How to look for what became of a part: a GET, and where in its answer the part would be."""

    path: str
    inside: str
    by: str
    value: str
    id_at: str


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it leaves. `path` begins with a slash and holds the query."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: Body | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The settings of an account, each checked. `read` makes it; see the channel's fields for what they mean."""

    base: str
    path: str = field(repr=False)
    method: str
    auth: str
    key_name: str
    username: str
    token_url: str
    authorize_url: str
    redirect_port: int
    scope: str
    secret: str = field(repr=False)
    headers: tuple[tuple[str, str], ...]
    template: Template
    success: tuple[range, ...]
    success_at: str
    success_is: str
    id_at: str
    url_at: str
    error_at: str
    doubt: str
    key_header: str
    key_quoted: bool
    key_life: int
    look: Look | None
    check_path: str
    ca_file: str

    @property
    def host(self) -> str:
        """What to call it in sentences: the host, with its port where that is an uncommon one."""
        return self.base.partition("://")[2]

    @property
    def named(self) -> frozenset[str]:
        """Every field that the request has."""
        texts = [self.path, *(value for _, value in self.headers)]
        return frozenset(self.template.named) | {name for text in texts for name in template.names(text)}

    @property
    def names_part(self) -> bool:
        """Whether the request carries an id of its own, so that another one of the same post can be told by it."""
        return self.doubt == "key" or "id" in self.named or self.auth == "webhooks"

    def counts(self, status: int) -> bool:
        """Whether a status says that it was taken."""
        return any(status in one for one in self.success)

    # --- the requests ---------------------------------------------------------------------------------------------

    def request(self, given: Values, now: datetime, token: str = "") -> Request:
        """The request for a part.

        Args:
            token: what the token endpoint gave (client credentials only).

        Raises:
            Missing: the post lacks something that it needs.
        """
        path, headers, body = self.filled(given)
        if body is not None and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = body.content_type
        key = str(given.known["id"])
        if self.doubt == "key" and self.key_header:
            headers[self.key_header] = f'"{key}"' if self.key_quoted else key
        if self.auth == "webhooks":
            body = body and Body(body.content_type, (body.whole(),))
            headers |= signed(self.secret, key, now, body.whole() if body else b"")
        if self.auth == "hub":
            body = body and Body(body.content_type, (body.whole(),))
            headers[self.key_name] = hub_signature(self.secret, body.whole() if body else b"")
        return Request(self.method, self._with_key(path), headers | self._proof(token), body)

    def filled(self, given: Values) -> tuple[str, dict[str, str], Body | None]:
        """Path, headers and body with the post's fields in them, before anything shows who we are.

        Raises:
            Missing: the post lacks something that it needs.
        """
        headers = {
            name: template.fill(value, given, template.in_header)
            for name, value in self.headers
            if not template.left_out(value, given)
        }
        return template.fill(self.path, given, template.in_address), headers, self.template.body(given)

    def read_request(self, path: str, given: Values, token: str = "") -> Request:
        """A GET that has no effect: the check of the key, or a look."""
        filled = template.fill(path, given, template.in_address)
        return Request("GET", self._with_key(filled), self._proof(token))

    def _with_key(self, path: str) -> str:
        if self.auth != "query":
            return path
        return f"{path}{'&' if '?' in path else '?'}{quote(self.key_name, safe='')}={quote(self.secret, safe='')}"

    def _proof(self, token: str) -> dict[str, str]:
        """The header that shows who we are."""
        if self.auth == "bearer":
            return {"Authorization": f"Bearer {self.secret}"}
        if self.auth in ("client_credentials", "code"):
            return {"Authorization": f"Bearer {token}"}
        if self.auth == "basic":
            return {"Authorization": basic(self.username, self.secret)}
        return {self.key_name: self.secret} if self.auth == "header" else {}


def basic(name: str, password: str) -> str:
    """RFC 7617, in UTF-8."""
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def signed(secret: str, key: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks 1.0: the id is the same in every try, the time is that of this one.

    Raises:
        BadInput: the secret is none of that kind.
    """
    at = str(int(now.timestamp()))
    digest = hmac.digest(_signing_key(secret), f"{key}.{at}.".encode() + body, hashlib.sha256)
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": key, "webhook-timestamp": at, "webhook-signature": signature}


def hub_signature(secret: str, body: bytes) -> str:
    """The signature that GitHub gives its webhooks, and others after it: HMAC-SHA256 of the body, in hexadecimal
    (docs.github.com, “Validating webhook deliveries”, read 2026-11-27). It has neither id nor time in it."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def _signing_key(secret: str) -> bytes:
    try:
        raw = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) < 16:
        raise BadInput("That is no signing secret of Standard Webhooks: it begins with whsec_, base64 follows.")
    return raw


# --- reading the form ---------------------------------------------------------------------------------------------


def read(settings: Mapping[str, str], secrets: Mapping[str, str] | None) -> Setup:
    """The form, read.

    Args:
        secrets: None where they are not at hand; then it can't make requests, only be filled in.

    Raises:
        BadInput: a field can't be right, with the field's name.
    """
    typed = {name: value.strip() for name, value in settings.items()}

    def get(name: str) -> str:
        return typed.get(name, "")

    auth, method = get("auth") or "none", get("method") or "POST"
    secret = (secrets or {}).get("secret", "").strip()
    with _naming("secret"):
        if secrets is not None:
            _check_secret(auth, secret)
    if auth == "address":
        with _naming("secret"):
            base, path = (get("host"), "/") if secrets is None else _address(secret, fixed=True)
    else:
        with _naming("url"):
            base, path = _address(get("url"), fixed=False)
    with _naming("key_name"):
        key_name = _header_name(get("key_name")) if auth == "header" else get("key_name")
        if auth == "hub":
            key_name = _header_name(get("key_name") or HUB)
        if auth == "query" and not key_name:
            raise BadInput("How is the key called in the address? Write it, like api_key.")
    for name in ("username", "token_url"):
        if auth in ("client_credentials", "code") and not get(name):
            raise BadInput("OAuth needs a client ID and the address that hands out tokens.").at(name)
    with _naming("authorize_url"):
        if auth == "code":
            _check_page(get("authorize_url"))
    with _naming("username"):
        if auth == "basic" and (not get("username") or ":" in get("username")):
            raise BadInput("Basic sign-in needs a user name, and there can be no “:” in it.")
    with _naming("headers"):
        headers = tuple(_header(line, auth) for line in get("headers").splitlines() if line.strip())
        if len({name.lower() for name, _ in headers}) < len(headers):
            raise BadInput("A header stands there twice.")
    with _naming("body"):
        kind = get("body_type") or "json"
        own_type = next((value for name, value in headers if name.lower() == "content-type"), "")
        body = Template(kind, _filled_in(get("body")), own_type)
    if own_type and kind in ("form", "multipart"):
        raise BadInput("The Content-Type follows from the body here; leave it out.").at("headers")
    setup = Setup(
        base=base, path=path, method=method, auth=auth, key_name=key_name, username=get("username"),
        token_url=get("token_url"), authorize_url=get("authorize_url"), redirect_port=_port(get("redirect_port")),
        scope=get("scope"), secret=secret, headers=headers, template=body,
        success=_statuses(get("success")), **_places(get),
        doubt=get("doubt") or "ask", key_header=_key_header(get), key_quoted=get("key_form") == "quoted",
        key_life=60 * _minutes(get("key_life")), look=_look(get, base),
        check_path=_same_host(get("check_url"), base, "check_url"), ca_file=get("ca_file"),
    )  # fmt: skip
    if setup.doubt == "key" and not setup.key_header and "id" not in setup.named:
        raise BadInput("By what does it know a repeat? Name the header, or write {{id}} where the id belongs.").at(
            "doubt"
        )
    return setup


def _places(get: Callable[[str], str]) -> dict[str, str]:
    found = {}
    for name in ("success_at", "id_at", "url_at", "error_at"):
        with _naming(name):
            found[name] = template.checked_place(get(name))
    return {**found, "success_is": get("success_is")}


@contextmanager
def _naming(name: str) -> Iterator[None]:
    try:
        yield
    except BadInput as wrong:
        raise wrong.at(wrong.field or name) from None


def _filled_in(text: str) -> str:
    """The text, if nothing is left in it that the person was to write.

    Raises:
        BadInput: something is.
    """
    if left := TO_FILL.search(text):
        raise BadInput(f"Write yours instead of {left[0]}.")
    return text


def _address(text: str, *, fixed: bool) -> tuple[str, str]:
    """Origin and the rest of a web address, in which fields may stand behind the host.

    Args:
        fixed: it is a secret as a whole, and has no fields.
    """
    if not text:
        raise BadInput("Where does the request go? Write the address, like https://api.example.org/posts.")
    tight = FIELD.sub(lambda hit: hit[0] if hit[2] else "".join(hit[0].split()), text if fixed else _filled_in(text))
    if "://" not in tight:
        tight = f"https://{tight}"
    parts = re.fullmatch(r"([a-zA-Z]+)://([^/?#]+)([^#]*)", tight)
    if parts is None:
        raise BadInput("That is no web address, or it has a “#”. Write it like https://api.example.org/posts.")
    scheme, host, rest = parts[1].lower(), parts[2], parts[3]
    if "{{" in host:
        raise BadInput("A field can’t stand in the host: a post must not decide where it goes.")
    if fixed and "{{" in rest:
        raise BadInput("An address that is a secret can’t have fields in it.")
    if any(character.isspace() for character in FIELD.sub("", rest)):
        raise BadInput("There is a blank in the address. Write %20 for one that belongs there.")
    base = web_address(f"{scheme}://{host.lower()}")
    _refuse_metadata(base)
    template.check(rest)
    return base, rest if rest.startswith("/") else f"/{rest}"


def _refuse_metadata(base: str) -> None:
    """Addresses of the link itself (RFC 3927, RFC 4291) hold no service of a person's; clouds keep keys there."""
    host = re.sub(r":\d+$", "", base.partition("://")[2]).strip("[]")
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        try:
            found = ipaddress.ip_address(socket.inet_aton(host))  # whole numbers and hexadecimal ones too
        except OSError:
            return
    mapped = getattr(found, "ipv4_mapped", None)
    if (mapped or found).is_link_local:
        raise BadInput(f"{host} is an address of the link itself. Nothing is sent there.")


def _same_host(text: str, base: str, name: str) -> str:
    """The path of an address that is asked with the same key; "" where none is named."""
    if not text:
        return ""
    with _naming(name):
        origin, path = _address(base + text if text.startswith("/") else text, fixed=False)
        if origin != base:
            raise BadInput(f"It has to be at {base}, because it is asked with the same key.")
        return path


def _check_secret(auth: str, secret: str) -> None:
    if auth not in ("none", "code") and not secret:
        raise BadInput("The key is missing. Choose “None” above if there is none.")
    if auth in ("header", "bearer", "address") and not (secret.isascii() and secret.isprintable()):
        raise BadInput("That is no key: it has characters that none has. Copy it once more.")
    if auth == "webhooks":
        _signing_key(secret)


def _check_page(url: str) -> None:
    """The page to sign in at: parameters of its own may stand behind a “?”."""
    if not url:
        raise BadInput("Where does one sign in? Write the address of the page that asks you to allow it.")
    web_address(url.partition("?")[0])


def _port(typed: str) -> int:
    """A port of this computer; 0: any that is free."""
    number = int(typed) if typed.isdecimal() else 0
    if typed and not 1024 <= number <= 65535:
        raise BadInput("A port for the way back has a number between 1024 and 65535.").at("redirect_port")
    return number


def _header_name(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise BadInput(f"“{name}” is no name of a header. Write one like X-API-Key." if name else "Name the header.")
    if name.lower() in _OURS:
        raise BadInput(f"{name} is made for each request; it can’t be set.")
    return name


def _header(line: str, auth: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise BadInput(f"“{line.strip()[:40]}” is no header. Write each as Name: value, on a line of its own.")
    name, value = _header_name(name.strip()), value.strip()
    proves = {"bearer": "authorization", "basic": "authorization", "client_credentials": "authorization",
              "code": "authorization"}  # fmt: skip
    if name.lower() == proves.get(auth):
        raise BadInput(f"{name} comes from the sign-in above; leave it out here.")
    template.check(_filled_in(value))
    if name.lower() in _KEYS and "secret" not in template.names(value):
        raise BadInput(f"{name} holds a key. Put that into the field for the key, and write {{{{secret}}}} here.")
    if not (value.isascii() and value.isprintable()):
        raise BadInput(f"{name}: only plain ASCII can stand in a header.")
    return name, value


def _key_header(get: Callable[[str], str]) -> str:
    with _naming("key_header"):
        name = get("key_header")
        return _header_name(name) if name else ""


def _statuses(text: str) -> tuple[range, ...]:
    """ "200-299, 303" as ranges; nothing means 2xx."""
    found = []
    for one in (text or "200-299").replace(",", " ").split():
        first, _, last = one.partition("-")
        if not re.fullmatch(r"[234]\d\d(-[234]\d\d)?", one) or int(last or first) < int(first):
            raise BadInput(f"“{one}” is no status of an answer. Write them like 200-299 or 201, 202.").at("success")
        found.append(range(int(first), int(last or first) + 1))
    return tuple(found)


def _minutes(text: str) -> int:
    found = int(text or 1440)
    if found > 525_600:
        raise BadInput("No endpoint remembers an id for more than a year.").at("key_life")
    return found


def _look(get: Callable[[str], str], base: str) -> Look | None:
    if get("doubt") != "look":
        return None
    path = _same_host(get("look_url"), base, "look_url")
    inside, by = get("look_in"), get("look_for")
    value = get("look_is") or "{{id}}"
    if not path:
        raise BadInput("Where can it be looked up? Write an address, like /posts/{{id}}.").at("look_url")
    for name, place in (("look_in", inside), ("look_for", by), ("look_id", get("look_id"))):
        with _naming(name):
            template.checked_place(place)
    with _naming("look_is"):
        template.check(value)
    if not by and "id" not in template.names(path):
        raise BadInput("How is the post known there? Write {{id}} in the address, or say where its id stands.").at(
            "look_for"
        )
    return Look(path, inside, by, value, get("look_id") or "/id")
