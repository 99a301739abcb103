"""A Mailgun on the loopback interface, as strict and as odd as the real one, with a ledger of what it accepted.

    with LoopbackMailgun() as mailgun:
        requests.post(f"{mailgun.url}/v3/mg.example.org/messages", auth=("api", ACCOUNT_KEY), data={…})
        assert mailgun.accepted[0].copies()[0].subject == "Hello"

What it answers follows documentation.mailgun.com (November 2026), the official OpenAPI file, and the traffic that the
official Ruby SDK publishes with its tests. Where those are silent about a wording, the words here are made up.
"""

from __future__ import annotations

import base64
import email
import email.message
import email.policy
import email.utils
import itertools
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sendoff.channels.fault_server import FaultServer, Reply, Request
from tests.fakes import forms
from tests.fakes.forms import File, Form

ACCOUNT_KEY = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-11111111-22222222"
SENDING_KEY = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-33333333-44444444"
ANALYST_KEY = "cccccccccccccccccccccccccccccccc-55555555-66666666"
PUBLIC_KEY = "pubkey-dddddddddddddddddddddddddddddddd"
DOMAIN = "mg.example.org"
EU_DOMAIN = "mg.example.eu"
SANDBOX = "sandbox0123456789abcdef.mailgun.org"

OPTIONS_BYTES = 16 * 1024
MESSAGE_BYTES = 25_000_000
REQUEST_BYTES = int(52.4 * 1024 * 1024)
RECIPIENTS = 1000
FARTHEST = 3 * 86_400
"""Seconds ahead that o:deliverytime may lie on the smaller plans."""


@dataclass(slots=True)
class Domain:
    """A sending domain. It lives in one region. `authorized` are the addresses that a sandbox reaches."""

    name: str
    region: str = "us"
    state: str = "active"
    kind: str = "custom"
    authorized: tuple[str, ...] = ()
    is_disabled: bool = False
    large_batches: bool = True


@dataclass(frozen=True, slots=True)
class Key:
    """What a key may do: `sends`, `reads` (GET), `logs` (POST /v1/analytics/logs); one domain's, or all domains'."""

    value: str
    sends: bool = True
    reads: bool = True
    logs: bool = True
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """A mail as one person gets it."""

    address: str
    sender: str
    to: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
    attachments: tuple[File, ...]
    inline: Mapping[str, File]


@dataclass(frozen=True, slots=True)
class Accepted:
    """One accepted call: an effect. `recipients` are (address, "to" | "cc" | "bcc")."""

    id: str
    domain: str
    region: str
    form: Form
    recipients: tuple[tuple[str, str], ...]
    variables: Mapping[str, Mapping[str, Any]] | None
    mime: email.message.EmailMessage | None
    at: float

    @property
    def tags(self) -> list[str]:
        return self.form.all("o:tag")

    @property
    def addresses(self) -> list[str]:
        return [address for address, _ in self.recipients]

    def copies(self) -> list[Copy]:
        """What everyone gets. In batch mode Cc and Bcc get one copy for each person of To."""
        read = _from_mime(self.mime) if self.mime else _from_fields(self.form)
        if self.variables is None:
            return [self._copy(read, address, {}) for address in self.addresses]
        shown = {email.utils.parseaddr(to)[1].lower(): to for to in self.form.all("to")}
        to = [address for address, role in self.recipients if role == "to"]
        others = [address for address, role in self.recipients if role != "to"]
        made = []
        for own in to:
            heads = read if self.mime else {**read, "to": shown.get(own.lower(), own)}
            made += [self._copy(heads, one, self.variables.get(own, {}), own) for one in (own, *others)]
        return made

    def _copy(self, read: Mapping[str, Any], address: str, values: Mapping[str, Any], own: str = "") -> Copy:
        known = {"recipient": own or address, "recipient_email": own or address, "recipient_name": ""}
        known |= {"unsubscribe_url": f"https://email.{self.domain}/u/{address}"}
        known |= {f"recipient.{name}": str(value) for name, value in values.items()}

        def put(text: str) -> str:
            return re.sub(r"%([\w.:-]+)%", lambda hit: known.get(hit[1], hit[0]), text)

        return Copy(
            address=address, sender=put(read["from"]), to=put(read["to"]), subject=put(read["subject"]),
            text=put(read["text"]), html=put(read["html"]), attachments=read["attachments"], inline=read["inline"],
            headers={name: put(value) for name, value in read["headers"].items()},
        )  # fmt: skip


def _from_fields(form: Form) -> dict[str, Any]:
    return {
        "from": _with_stray_quotes(form.one("from") or ""),
        "to": ", ".join(_with_stray_quotes(one) for one in form.all("to")),
        "subject": form.one("subject") or "",
        "text": form.one("text") or "",
        "html": form.one("html") or "",
        "headers": {name[2:]: value for name, value in form.fields if name.startswith("h:")},
        "attachments": tuple(one for one in form.files if one.field == "attachment"),
        "inline": {one.name: one for one in form.files if one.field == "inline"},
    }


def _with_stray_quotes(address: str) -> str:
    """The service's own fault: a name outside ASCII that has one of ( ) , " arrives within quotes that nobody wrote."""
    name, plain = email.utils.parseaddr(address)
    if name and not name.isascii() and re.search(r'[(),"]', name):
        return f'"\\"{name}\\"" <{plain}>'
    return address


def _from_mime(mime: email.message.EmailMessage) -> dict[str, Any]:
    text, page = mime.get_body(("plain",)), mime.get_body(("html",))
    inside = [part for part in mime.walk() if part["Content-ID"]]
    return {
        "from": str(mime["From"] or ""),
        "to": str(mime["To"] or ""),
        "subject": str(mime["Subject"] or ""),
        "text": text.get_content() if text else "",
        "html": page.get_content() if page else "",
        "headers": {name: str(value) for name, value in mime.items()},
        "attachments": tuple(_mime_file(part, "attachment") for part in mime.iter_attachments()),
        "inline": {str(part["Content-ID"]).strip("<>"): _mime_file(part, "inline") for part in inside},
    }


def _mime_file(part: email.message.Message, role: str) -> File:
    data = part.get_payload(decode=True)
    return File(role, part.get_filename() or "", part.get_content_type(), data if isinstance(data, bytes) else b"")


class Refusal(Exception):
    """An answer other than the wanted one."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.body.decode())
        self.reply = reply


def said(status: int, message: str) -> Refusal:
    return Refusal(_json(status, {"message": message}))


def forbidden() -> Refusal:
    """A wrong key at the sending and event endpoints is answered in plain text."""
    headers = {"Content-Type": "text/plain; charset=utf-8", "WWW-Authenticate": 'Basic realm="MG API"'}
    return Refusal(Reply(401, b"Forbidden", headers))


def _json(status: int, body: Any, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json", **named})


@dataclass(slots=True)
class Service:
    """The account behind both regions, and what a test may set.

    Args:
        now: the service's clock, in seconds since 1970.
        throttles: texts; each makes one send end with 429 and this message.
        events_after: seconds until an event can be read.
        suppressed: addresses with the reason under which nothing is sent to them (bounce, complaint, unsubscribe).
        rejects: a reason for which everything is refused after it was answered with 200, or "".
        own_ids: False makes it ignore h:Message-Id, as gateways in front of it may.
        answers: replies that come instead of its own, by the path's end ("messages", "events", "logs", …), in order.
    """

    now: Callable[[], float] = time.time
    domains: list[Domain] = field(
        default_factory=lambda: [
            Domain(DOMAIN),
            Domain(EU_DOMAIN, region="eu"),
            Domain(SANDBOX, kind="sandbox", authorized=("ada@example.org",)),
        ]
    )
    keys: list[Key] = field(
        default_factory=lambda: [
            Key(ACCOUNT_KEY),
            Key(SENDING_KEY, reads=False, logs=False, domain=DOMAIN),
            Key(ANALYST_KEY, sends=False, logs=False),
        ]
    )
    accepted: list[Accepted] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    throttles: list[str] = field(default_factory=list)
    events_after: float = 0.0
    suppressed: dict[str, str] = field(default_factory=dict)
    rejects: str = ""
    own_ids: bool = True
    answers: dict[str, list[Reply]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def domain(self, name: str) -> Domain:
        """The domain of that name, wherever it lives."""
        return next(one for one in self.domains if one.name == name)

    # --- accepting ------------------------------------------------------------------------------------------------

    def accept(self, domain: Domain, form: Form, mime: email.message.EmailMessage | None) -> Reply:
        recipients = tuple(_recipients(form))
        variables = _variables(form)
        _refuse_by_form(form, recipients, mime, self.now())
        self._refuse_by_state(domain, recipients)
        own = form.one("h:Message-Id") or (str(mime["Message-ID"] or "") if mime else "")
        made = f"<{time.strftime('%Y%m%d%H%M%S', time.gmtime(self.now()))}.{next(self._numbers)}@{domain.name}>"
        chosen = own if self.own_ids and re.fullmatch(r"<[^<>@\s]+@[^<>@\s]+>", own) else made
        call = Accepted(chosen, domain.name, domain.region, form, recipients, variables, mime, self.now())
        self.accepted.append(call)
        self._write_down(call)
        return _json(200, {"id": chosen, "message": "Queued. Thank you."})

    def _refuse_by_state(self, domain: Domain, recipients: tuple[tuple[str, str], ...]) -> None:
        if self.throttles:
            reset = str(int((self.now() + 10) * 1000))
            raise Refusal(
                _json(429, {"message": self.throttles.pop(0)}, X_RateLimit_Remaining="0", X_RateLimit_Reset=reset)
            )
        refused = f"Domain {domain.name} is not allowed to send"
        if domain.is_disabled:
            raise said(403, f"{refused}: account disabled")
        if domain.state == "unverified":
            raise said(
                403,
                f"{refused}: The domain is unverified and requires DNS configuration. Log in to your control panel.",
            )
        if not domain.large_batches and len(recipients) > 100:
            raise said(403, f"{refused} large batches yet")
        strangers = {address for address, _ in recipients} - set(domain.authorized)
        if domain.kind == "sandbox" and strangers:
            raise said(
                403,
                f"{refused}: Sandbox subdomains are for test purposes only. Please add your own domain or add the "
                "address to authorized recipients in Account Settings.",
            )

    def _write_down(self, call: Accepted) -> None:
        """The events of a call. Who is suppressed is accepted like everybody, and fails."""
        base = _news(call)
        is_test = base["flags"]["is-test-mode"]
        if self.rejects:
            self._event(call, base, "rejected", "", {"reject": {"reason": self.rejects, "description": ""}})
            return
        for address, _ in call.recipients:
            self._event(call, base, "accepted", address, {"method": "HTTP"})
            if reason := self.suppressed.get(address):
                code = {"bounce": 605, "complaint": 607}.get(reason, 606)
                status = {"code": code, "message": "", "description": f"Not delivering to previously {reason} address"}
                more = {"severity": "permanent", "reason": f"suppress-{reason}", "delivery-status": status}
                self._event(call, base, "failed", address, more)
            elif is_test:
                self._event(
                    call, base, "delivered", address, {"delivery-status": {"code": 650, "message": "Test mode"}}
                )
            elif not call.form.one("o:deliverytime"):
                self._event(call, base, "delivered", address, {"delivery-status": {"code": 250, "message": "OK"}})

    def _event(
        self, call: Accepted, base: Mapping[str, Any], kind: str, recipient: str, more: Mapping[str, Any]
    ) -> None:
        number = next(self._numbers)
        event = {
            "id": base64.urlsafe_b64encode(f"event-{number:010}".encode()).decode().rstrip("="),
            "event": kind,
            "timestamp": self.now() + number / 1e6,
            "log-level": "warn" if kind in ("failed", "rejected") else "info",
            **base,
            **more,
        }
        if recipient:
            event |= {"recipient": recipient, "recipient-domain": recipient.rpartition("@")[2]}
            event["envelope"] = {
                "transport": "smtp", "sender": base["message"]["headers"]["from"], "targets": recipient,
            }  # fmt: skip
        self.events.append({"event": event, "domain": call.domain, "region": call.region, "at": self.now()})

    def visible(self, region: str, domain: str | None = None) -> list[dict[str, Any]]:
        """The events that can be read by now, oldest first."""
        latest = self.now() - self.events_after
        return [
            {"_domain": one["domain"], **one["event"]}
            for one in self.events
            if one["region"] == region and one["at"] <= latest and domain in (None, one["domain"])
        ]


def _news(call: Accepted) -> dict[str, Any]:
    """What every event of a call says of the mail."""
    read = _from_mime(call.mime) if call.mime else _from_fields(call.form)
    files = (*read["attachments"], *read["inline"].values())
    is_test = call.form.one("o:testmode") in ("yes", "true")
    headers = {name: read[name] for name in ("to", "from", "subject")} | {"message-id": call.id.strip("<>")}
    key = f"stored-{call.id.strip('<>')[:20]}"
    return {
        "flags": {"is-authenticated": True, "is-routed": False, "is-test-mode": is_test, "is-system-test": False},
        "message": {
            "headers": headers,
            "attachments": [{"filename": one.name, "content-type": one.mime, "size": len(one.data)} for one in files],
            "recipients": call.addresses,
            "size": len(read["text"]) + len(read["html"]) + sum(len(one.data) for one in files),
        },
        "tags": call.tags,
        "user-variables": {name[2:]: value for name, value in call.form.with_prefix("v:")},
        "storage": {
            "key": key, "region": "us-west1" if call.region == "us" else "europe-west1", "env": "production",
            "url": f"https://storage.api.mailgun.net/v3/domains/{call.domain}/messages/{key}",
        },
    }  # fmt: skip


# --- what a form may say ------------------------------------------------------------------------------------------


def _recipients(form: Form) -> Iterator[tuple[str, str]]:
    """Every address once, in order. One that cannot be read fails the whole call."""
    seen: set[str] = set()
    for role in ("to", "cc", "bcc"):
        for _, address in _addresses(form, role):
            if address.lower() not in seen:
                seen.add(address.lower())
                yield address, role


_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"]+@[A-Za-z0-9\w-]+(\.[A-Za-z0-9\w-]+)*")


def _addresses(form: Form, role: str) -> list[tuple[str, str]]:
    pairs = []
    for value in form.all(role):
        found = email.utils.getaddresses([value])
        if not found or any(not _ADDRESS.fullmatch(address) for _, address in found):
            raise said(400, f"{role} parameter is not a valid address. please check documentation")
        pairs += found
    return pairs


def _variables(form: Form) -> Mapping[str, Mapping[str, Any]] | None:
    text = form.one("recipient-variables")
    if text is None:
        return None
    try:
        variables = json.loads(text)
    except ValueError:
        variables = None
    if not isinstance(variables, dict) or not all(isinstance(one, dict) for one in variables.values()):
        raise said(400, "'recipient-variables' parameter is not a valid JSON")
    return variables


def _refuse_by_form(
    form: Form, recipients: tuple[tuple[str, str], ...], mime: email.message.EmailMessage | None, now: float
) -> None:
    if mime is None:
        _refuse_fields(form)
    if not any(role == "to" for _, role in recipients):
        raise said(400, "to parameter is missing")
    if len(recipients) > RECIPIENTS:
        raise said(400, f"Too many recipients, max is {RECIPIENTS}")
    options = form.with_prefix("o:", "h:", "v:", "t:")
    if sum(len(name.encode()) + len(value.encode()) for name, value in options) > OPTIONS_BYTES:
        raise said(400, "Send options (parameters starting with o:, h:, v:, or t:) are limited to 16 kB total")
    for name, _ in options:
        if name.startswith("h:") and not name.isascii():
            raise said(400, f"Header name must be pure ASCII: {name[2:]}")
    _refuse_options(form, now)
    if _encoded_size(form) > MESSAGE_BYTES:
        raise said(400, "Message size limit of 25 MB exceeded")


def _refuse_fields(form: Form) -> None:
    if not form.one("from") and not form.one("template"):
        raise said(400, "from parameter is missing")
    if form.one("from"):
        _addresses(form, "from")
    if not any(form.one(name) for name in ("text", "html", "amp-html", "template")):
        raise said(400, "Need at least one of 'text', 'html', 'amp-html' or 'template' parameters specified")
    if form.one("html") and form.one("template"):
        raise said(400, "Only one parameters 'html' or 'template' is allowed")


_CHOICES = {
    "o:tracking": ("yes", "no", "true", "false", "htmlonly"),
    "o:tracking-clicks": ("yes", "no", "true", "false", "htmlonly"),
    "o:tracking-opens": ("yes", "no", "true", "false"),
    "o:testmode": ("yes", "no", "true", "false"),
    "o:require-tls": ("yes", "no", "true", "false"),
    "o:skip-verification": ("yes", "no", "true", "false"),
    "o:dkim": ("yes", "no", "true", "false"),
}


def _refuse_options(form: Form, now: float) -> None:
    for name, choices in _CHOICES.items():
        value = form.one(name)
        if value is not None and value not in choices:
            raise said(400, f"{name} parameter is not one of {', '.join(choices)}")
    within = form.one("o:deliver-within")
    if within is not None and not re.fullmatch(r"(?=.)(\d+h)?(\d+m)?", within):
        raise said(400, "invalid delivery time format")
    if (local := form.one("o:time-zone-localize")) is not None and not re.fullmatch(r"\d\d:\d\d([AP]M)?", local):
        raise said(400, f"{local} invalid 24 hour time")
    if (due := form.one("o:deliverytime")) is not None:
        at = _delivery_time(due)
        if at > now + FARTHEST:
            raise said(400, "o:deliverytime is more than 3 days ahead")


def _delivery_time(text: str) -> float:
    """RFC 2822, or seconds since 1970; never ISO 8601."""
    if text.isdecimal():
        return float(text)
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except ValueError:
        raise said(400, f"{text} is not an RFC-2822 compliant date") from None


def _encoded_size(form: Form) -> int:
    """What the message has once its files are in base64."""
    words = sum(len(value.encode()) for name, value in form.fields if name in ("text", "html", "amp-html"))
    files = sum(len(one.data) for one in form.files if one.field != "message") * 4 // 3
    return words + files + sum(len(one.data) for one in form.files if one.field == "message")


# --- one region's host --------------------------------------------------------------------------------------------


class Region:
    """The API host of one region: channels/fault_server.Endpoint."""

    def __init__(self, service: Service, name: str) -> None:
        self.service = service
        self.name = name

    @property
    def effects(self) -> list[Any]:
        return self.service.accepted

    def is_effect(self, request: Request) -> bool:
        return request.method == "POST" and bool(re.search(r"/messages(\.mime)?$", urlsplit(request.path).path))

    def handle(self, request: Request) -> Reply:
        path = unquote(urlsplit(request.path).path)
        waiting = self.service.answers.get(path.rpartition("/")[2])
        if waiting:
            return waiting.pop(0)
        try:
            return self._route(request, path)
        except Refusal as refusal:
            return refusal.reply

    def _route(self, request: Request, path: str) -> Reply:
        for method, pattern, verb in (
            ("POST", r"/v3/([^/]+)/messages", self._send),
            ("POST", r"/v3/([^/]+)/messages\.mime", self._send_mime),
            ("GET", r"/v3/([^/]+)/events(?:/([\w=-]+))?", self._events),
            ("POST", r"/v1/analytics/logs", self._logs),
            ("GET", r"/v[34]/domains", self._domains),
            ("GET", r"/v[34]/domains/([^/]+)", self._domain),
            ("GET", r"/v4/address/validate", self._validate),
            ("POST", r"/v4/address/validate", self._validate),
        ):
            hit = re.fullmatch(pattern, path)
            if hit and request.method == method:
                return verb(request, *hit.groups())
        if path in ("", "/", "/v3", "/v3/") or path.startswith("/v3/v3"):
            return Reply(200, b"Mailgun Magnificent API", {"Content-Type": "text/plain"})
        return Reply(404, b"<!DOCTYPE html><html><title>404 Not Found</title></html>", {"Content-Type": "text/html"})

    def _key(self, request: Request) -> Key | None:
        sent = {name.lower(): value for name, value in request.headers.items()}.get("authorization", "")
        try:
            user, _, value = base64.b64decode(sent.removeprefix("Basic ")).decode().partition(":")
        except ValueError:
            return None
        return next((key for key in self.service.keys if user == "api" and key.value == value), None)

    def _home(self, request: Request, domain: str, may: str) -> Domain:
        """The domain, if the key may do that with it here. A key knows nothing of the other region's domains."""
        key = self._key(request)
        found = next((one for one in self.service.domains if one.name == domain), None)
        if key is None or not getattr(key, may) or (key.domain and key.domain != domain):
            raise forbidden()
        if key.domain and found and found.region != self.name:
            raise forbidden()
        if found is None or found.region != self.name:
            raise said(404, f"Domain not found: {domain}")
        return found

    # --- sending --------------------------------------------------------------------------------------------------

    def _form(self, request: Request) -> Form:
        if len(request.body) > REQUEST_BYTES:
            raise Refusal(Reply(413, b"request size exceeds 52.4MiB limit", {"Content-Type": "text/plain"}))
        try:
            return forms.read(request.headers, request.body)
        except forms.Malformed:
            raise said(400, "malformed multipart/form-data request") from None

    def _send(self, request: Request, name: str) -> Reply:
        domain = self._home(request, name, "sends")
        return self.service.accept(domain, self._form(request), None)

    def _send_mime(self, request: Request, name: str) -> Reply:
        domain = self._home(request, name, "sends")
        form = self._form(request)
        if not form.is_multipart:
            raise said(400, "Invalid request content type. Expecting 'multipart/form-data' for messages.mime")
        files = [one for one in form.files if one.field == "message"]
        if not files:
            missing = form.one("message") is None
            raise said(400, "message parameter is missing" if missing else "'message' parameter is not a file")
        mime = email.message_from_bytes(files[0].data, policy=email.policy.default)
        return self.service.accept(domain, form, mime)  # type: ignore[arg-type]

    # --- reading --------------------------------------------------------------------------------------------------

    def _events(self, request: Request, name: str, token: str | None) -> Reply:
        self._home(request, name, "reads")
        asked = dict(parse_qsl(urlsplit(request.path).query, keep_blank_values=True))
        if token:
            asked = json.loads(base64.urlsafe_b64decode(token))
        found = _events_page(self.service.visible(self.name, name), asked)
        base = f"{_own_address(request)}/v3/{name}/events/"
        page, limit = found[: int(asked.get("limit", 100))], int(asked.get("limit", 100))
        skip = int(asked.get("_skip", 0))
        tokens = {"next": skip + len(page), "previous": max(skip - limit, 0), "first": 0, "last": max(0, skip)}
        paging = {
            word: base + base64.urlsafe_b64encode(json.dumps({**asked, "_skip": at}).encode()).decode()
            for word, at in tokens.items()
        }
        return _json(200, {"items": [_public(one) for one in page], "paging": paging})

    def _logs(self, request: Request) -> Reply:
        key = self._key(request)
        if key is None or not key.logs:
            raise forbidden()
        try:
            asked = json.loads(request.body)
            found = _logs_found(self.service.visible(self.name), asked)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise said(400, "Bad request format") from None
        paging = asked.get("pagination") or {}
        limit, skip = int(paging.get("limit", 50)), int(paging.get("token") or 0)
        if limit > 100:
            raise said(400, "pagination limit is 100 max")
        body = {
            "start": asked.get("start", ""), "end": asked.get("end", ""),
            "items": [_as_log(one) for one in found[skip : skip + limit]],
            "pagination": {
                "previous": str(max(skip - limit, 0)), "next": str(skip + limit), "first": "0", "last": str(len(found)),
                "total": len(found),
            },
            "aggregates": {},
        }  # fmt: skip
        return _json(200, body, X_Mailgun_Key_Id=key.value[-8:])

    def _domains(self, request: Request) -> Reply:
        if (key := self._key(request)) is None or not key.reads:
            raise said(401, "Invalid private key")
        asked = dict(parse_qsl(urlsplit(request.path).query))
        own = [one for one in self.service.domains if one.region == self.name]
        own = [one for one in own if asked.get("search", "") in one.name and asked.get("state", one.state) == one.state]
        page = own[int(asked.get("skip", 0)) :][: int(asked.get("limit", 100))]
        return _json(200, {"total_count": len(own), "items": [_shown(one) for one in page]})

    def _domain(self, request: Request, name: str) -> Reply:
        if (key := self._key(request)) is None or not key.reads:
            raise said(401, "Invalid private key")
        found = [one for one in self.service.domains if one.name == name and one.region == self.name]
        if not found:
            raise said(404, "Domain not found")
        valid = "valid" if found[0].state == "active" else "unknown"
        records = [
            {
                "record_type": "TXT", "name": name, "value": "v=spf1 include:mailgun.org ~all", "valid": valid,
                "is_active": True, "cached": [],
            },
            {
                "record_type": "TXT", "name": f"mx._domainkey.{name}", "value": "k=rsa; p=MIGf", "valid": valid,
                "is_active": True, "cached": [],
            },
        ]  # fmt: skip
        return _json(200, {"domain": _shown(found[0]), "sending_dns_records": records, "receiving_dns_records": []})

    def _validate(self, request: Request) -> Reply:
        if (key := self._key(request)) is None or not key.reads:
            raise said(401, "Invalid private key")
        if request.method == "POST":
            address = forms.read(request.headers, request.body).one("address")
        else:
            address = dict(parse_qsl(urlsplit(request.path).query)).get("address")
        if not address or len(address) > 512:
            raise said(400, "address parameter is missing or longer than 512 characters")
        return _json(200, _opinion(address))


def _own_address(request: Request) -> str:
    """Where the client thinks that we are; the paging addresses lead back there."""
    named = {name.lower(): value for name, value in request.headers.items()}
    return f"http://{named.get('host', 'localhost')}"


def _public(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if not name.startswith("_")}


def _shown(domain: Domain) -> dict[str, Any]:
    shown = {
        "name": domain.name, "id": f"{abs(hash(domain.name)):024x}"[:24], "state": domain.state, "type": domain.kind,
        "is_disabled": domain.is_disabled, "created_at": "Thu, 13 Oct 2011 18:02:00 GMT", "web_scheme": "https",
        "web_prefix": "email", "require_tls": False, "skip_verification": False, "message_ttl": 259_200,
        "smtp_login": f"postmaster@{domain.name}", "spam_action": "disabled", "wildcard": False,
        "use_automatic_sender_security": True, "encrypt_incoming_message": False,
    }  # fmt: skip
    if domain.is_disabled:
        shown["disabled"] = {"code": "disabled", "note": "", "reason": "too many bounces", "permanently": True}
    return shown


def _events_page(events: list[dict[str, Any]], asked: Mapping[str, str]) -> list[dict[str, Any]]:
    """The events that a query finds, in the order and from the place it names."""
    if int(asked.get("limit", 100)) > 300:
        raise said(400, "limit is 300 max")
    low, high, ascending = _range(asked)
    found = [one for one in events if low <= one["timestamp"] <= high]
    for name in ("event", "message-id", "recipient", "subject", "from", "to", "severity", "tags"):
        if name in asked:
            found = [one for one in found if _fits(one, name, asked[name])]
    found.sort(key=lambda one: one["timestamp"], reverse=not ascending)
    return found[int(asked.get("_skip", 0)) :]


def _range(asked: Mapping[str, str]) -> tuple[float, float, bool]:
    """The first and the last moment that count, and whether the oldest comes first.

    Time runs from `begin` in the direction that `end` or `ascending` gives it, and the two must agree.
    """
    begin, end, word = asked.get("begin"), asked.get("end"), asked.get("ascending")
    if begin and not end and word is None:
        raise said(400, "ascending must be given where the range has no end")
    if begin and end:
        first, last = _moment(begin), _moment(end)
        if word is not None and (word == "yes") != (first <= last):
            raise said(400, "ascending does not agree with begin and end")
        return min(first, last), max(first, last), first <= last
    start = _moment(begin) if begin else (0.0 if word == "yes" else 1e12)
    return (start, 1e12, True) if word == "yes" else (0.0, start, False)


def _moment(text: str) -> float:
    """Seconds since 1970, or RFC 2822."""
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else _delivery_time(text)


def _fits(event: Mapping[str, Any], name: str, expression: str) -> bool:
    """A filter expression: terms with OR, and NOT. With angle brackets an id is only a bag of words, as it is there."""
    headers = event["message"]["headers"]
    value = {
        "message-id": headers["message-id"], "subject": headers["subject"], "from": headers["from"],
        "to": headers["to"], "tags": " ".join(event["tags"]),
    }.get(name, event.get(name, ""))  # fmt: skip
    if name == "message-id" and "<" in expression:
        return bool(set(_words(expression)) & set(_words(value)))
    if expression.startswith("NOT "):
        return not _fits(event, name, expression[4:])
    terms = [term.strip().strip('"') for term in expression.split(" OR ")]
    if name in ("subject", "from", "to", "tags"):
        return any(set(_words(term)) <= set(_words(value)) for term in terms)
    return value.lower() in [term.lower() for term in terms]


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def _logs_found(events: list[dict[str, Any]], asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    low = email.utils.parsedate_to_datetime(asked["start"]).timestamp() if asked.get("start") else 0.0
    high = email.utils.parsedate_to_datetime(asked["end"]).timestamp() if asked.get("end") else 1e12
    found = [one for one in events if low <= one["timestamp"] <= high + 1]
    if asked.get("events"):
        found = [one for one in found if one["event"] in asked["events"]]
    for rule in (asked.get("filter") or {}).get("AND", []):
        found = [one for one in found if _obeys(one, rule)]
    descending = (asked.get("pagination") or {}).get("sort", "timestamp:desc").endswith("desc")
    return sorted(found, key=lambda one: one["timestamp"], reverse=descending)


def _obeys(event: Mapping[str, Any], rule: Mapping[str, Any]) -> bool:
    headers = event["message"]["headers"]
    value = {
        "domain": event["_domain"], "message_id": headers["message-id"], "subject": headers["subject"],
        "from": headers["from"], "to": headers["to"], "event": event["event"],
        "recipient": event.get("recipient", ""), "severity": event.get("severity", ""),
    }[rule["attribute"]]  # fmt: skip
    wanted = [one["value"] for one in rule["values"]]
    if rule["comparator"] == "contains":
        return any(one in value for one in wanted)
    return (value in wanted) == (rule["comparator"] == "=")


def _as_log(event: Mapping[str, Any]) -> dict[str, Any]:
    """The same news as the newer interface writes it."""
    log = _public(event)
    at = datetime.fromtimestamp(log.pop("timestamp"), UTC)
    log["@timestamp"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    log["user-variables"] = json.dumps(log["user-variables"])
    log["storage"] = {**log["storage"], "url": [log["storage"]["url"]]}
    log["flags"] = {**log["flags"], "is-delayed-bounce": False, "is-callback": False}
    return {**log, "domain": {"name": event["_domain"]}, "account": {"id": "1"}}


_SLIPS = {"gmial.com": "gmail.com", "gmai.com": "gmail.com", "hotmial.com": "hotmail.com"}


def _opinion(address: str) -> dict[str, Any]:
    local, _, domain = address.rpartition("@")
    is_role = local in ("admin", "info", "postmaster", "sales", "support", "webmaster")
    wrong = not _ADDRESS.fullmatch(address) or domain in _SLIPS or domain.endswith(".invalid")
    opinion = {
        "address": address, "is_disposable_address": domain == "mailinator.com", "is_role_address": is_role,
        "reason": ["no_mx"] if wrong else ["mailbox_is_role_address"] if is_role else [],
        "result": "undeliverable" if wrong else "deliverable", "risk": "high" if wrong else "low",
        "root_address": "", "engagement": None,
    }  # fmt: skip
    return opinion | ({"did_you_mean": f"{local}@{_SLIPS[domain]}"} if domain in _SLIPS else {})


# --- both hosts ---------------------------------------------------------------------------------------------------


class LoopbackMailgun:
    """Both regions on ports of 127.0.0.1, one account behind them. `us` and `eu` break requests as they are told.

    Args:
        service: with domains, keys and a clock of one's own.
        mode, times: how the US host breaks sends, as channels/fault_server.FaultServer has it.
    """

    def __init__(self, service: Service | None = None, mode: str = "accept", times: int | None = None) -> None:
        self.service = service or Service()
        self.us = FaultServer(Region(self.service, "us"), mode, times)
        self._eu: FaultServer | None = None

    def __enter__(self) -> LoopbackMailgun:
        return self

    def __exit__(self, *_: object) -> None:
        self.us.close()
        if self._eu:
            self._eu.close()

    @property
    def eu(self) -> FaultServer:
        """The EU host, started when it is first asked for."""
        self._eu = self._eu or FaultServer(Region(self.service, "eu"))
        return self._eu

    @property
    def url(self) -> str:
        """The US host, where the example domain lives."""
        return self.us.url

    @property
    def hosts(self) -> dict[str, str]:
        return {"us": self.us.url, "eu": self.eu.url}

    @property
    def accepted(self) -> list[Accepted]:
        """The ledger: what was accepted, oldest first."""
        return self.service.accepted
