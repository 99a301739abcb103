"""Mailgun: mail over its HTTP API, in both of its regions, with doubt settled by a look into its log."""

from __future__ import annotations

import email.utils
import html
import json
import re
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import idna

from sendoff.channels import mime
from sendoff.channels.http import Answer, Http, Transport, reset_time, retry_after
from sendoff.domain import mail as mails
from sendoff.domain.account import Account
from sendoff.domain.channel import (
    Capabilities,
    Channel,
    Field,
    Frozen,
    How,
    Identity,
    Kind,
    Level,
    Option,
    Parcel,
    Problem,
    Settle,
    Trace,
)
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import BadInput, CannotLook, InDoubt, NeedsLogin, NotFound, Rejected, SendError, TryLater
from sendoff.domain.post import Attachment, Content, Mail, Recipient
from sendoff.domain.text import FIELD

if TYPE_CHECKING:
    from sendoff.channels.registry import Context

HOSTS = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}
"""Two separate worlds: a domain lives in exactly one (documentation.mailgun.com, API overview; 2026-11-23)."""

LOOKS = (5, 15, 60, 300, 900, 2100)
"""Seconds after a doubtful send. Events show within seconds as a rule, and are complete after about half an hour
(documentation.mailgun.com, Events, event polling)."""

KEPT = timedelta(hours=20)
"""For how long an absence from the log is believed: the smallest plan keeps events for a day."""

CLOCKS = timedelta(days=1)
"""How far before the first try the look into the log begins: this computer's clock may be wrong, the id is not."""

APPEARS = timedelta(minutes=10)
"""For how long “Domain not found” may be a new domain that has not reached all of Mailgun's machines."""

OPTIONS_BYTES = 16 * 1024
TAG, TAGS, OLD_TAGS = 128, 10, 3
SLOWEST = 32_000
"""Bytes a second at which a mail with attachments may still leave."""

Part = tuple[str, tuple[str | None, str | bytes] | tuple[str, bytes, str]]
"""One part of a form as requests takes it: (field, (file name or None, content[, type]))."""

_TOKEN = re.compile(
    r"%(?:recipient(?:\.[^%\s]+|_(?:email|name|fname|lname))?"
    r"|(?:tag_|mailing_list_)?unsubscribe_url|unsubscribe_email)%"
)
_WITHIN = re.compile(r"(?=.)(?:\d+h)?(?:\d+m)?")
_OURS = re.compile(r"[0-9a-f]{32}@.+")

_ON_OFF = (("", "As the domain says"), ("yes", "Yes"), ("no", "No"))
_CLICKS = (*_ON_OFF, ("htmlonly", "Only in the HTML part"))
_FORM_NAMES = {
    "tracking": "o:tracking",
    "tracking_opens": "o:tracking-opens",
    "tracking_clicks": "o:tracking-clicks",
    "deliver_within": "o:deliver-within",
    "ip_pool": "o:sending-ip-pool",
}
_SWITCHES = {"test_mode": "o:testmode", "require_tls": "o:require-tls"}


class Mailgun(Channel):
    """Sends as form fields, or as a finished MIME message where Mailgun's own builder is known to get it wrong."""

    kind = "mailgun"
    title = "Mailgun"
    needs = "A domain at Mailgun and its sending key · 2 minutes"
    group = "mail"
    mark = "mailgun"
    steps = (
        "Open app.mailgun.com and choose “Send”, then “Sending”, then “Domains”: it shows your domain and its region.",
        "Open the domain, then “Domain settings”, “Sending keys”, “Add sending key”. Copy it: Mailgun shows it once.",
        "Optional: behind your name at the top right, “API security”, “Add new key”: an account key, which may read.",
    )
    capabilities = Capabilities(
        checked="2026-11-23",
        sources=(
            "https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/send-http",
            "https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/batch-sending",
            "https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages",
        ),
        mail=True,
        batch=1000,
        recipients=1000,
        message_bytes=25_000_000,
    )
    fields = (
        Field(
            "region", "Region", Kind.CHOICE, default="us",
            choices=(("us", "US (api.mailgun.net)"), ("eu", "EU (api.eu.mailgun.net)")),
            help="Where the domain lives. Mailgun shows it beside the domain's name.",
        ),
        Field("domain", "Sending domain", placeholder="mg.example.org", help="As it stands in Mailgun's list."),
        Field(
            "from", "From", placeholder="Ada Lovelace <ada@mg.example.org>",
            help="Who the mails are from: an address, with a name before it if you like.",
        ),
        Field(
            "sending_key", "Sending key", Kind.SECRET,
            help="The domain's sending key: it can send and nothing else. An account key works too.",
        ),
        Field(
            "account_key", "Account key", Kind.SECRET, required=False,
            help="Optional, may read: with it Sendoff checks the domain, and looks into Mailgun's log by itself when "
            "an answer was lost. Without it Sendoff has to ask you.",
        ),
        Field(
            "base_url", "Address", Kind.ADDRESS, required=False, advanced=True, placeholder="https://api.mailgun.net",
            help="Instead of the region's own address, for a gateway. Without /v3.",
        ),
    )  # fmt: skip
    options = (
        Option("tags", "Tags", help="For Mailgun's statistics, between commas: up to 10, in plain ASCII."),
        Option("tracking", "Track opens and clicks", Kind.CHOICE, choices=_CLICKS, help="Mailgun rewrites the links."),
        Option("tracking_opens", "Track opens", Kind.CHOICE, choices=_ON_OFF),
        Option("tracking_clicks", "Track clicks", Kind.CHOICE, choices=_CLICKS),
        Option(
            "test_mode", "Test mode", Kind.SWITCH, default="no",
            help="Mailgun takes the mail and bills it, and nobody gets it.",
        ),
        Option(
            "require_tls", "Only over TLS", Kind.SWITCH, default="no",
            help="A recipient whose server has no TLS does not get it.",
        ),
        Option(
            "deliver_within", "Give up after", help="How long Mailgun goes on trying: 5m to 24h, like 1h30m.",
        ),
        Option("ip_pool", "IP pool", help="The id of a pool of your own addresses."),
        Option(
            "mime", "Who builds the mail", Kind.CHOICE, default="fields",
            choices=(("fields", "Mailgun"), ("mime", "Sendoff")),
            help="Sendoff does it by itself for names that Mailgun gets wrong. A mail that is sent separately to "
            "several people is always built by Mailgun, which fills in each copy.",
        ),
    )  # fmt: skip

    def __init__(self, context: Context, hosts: Mapping[str, str] = HOSTS) -> None:
        self._transport: Transport = context.transport
        self._hosts = hosts

    # --- signing in -----------------------------------------------------------------------------------------------

    def connect(self, fields: Mapping[str, str]) -> Identity:
        """Proves the sending key by a send without a recipient, and reads the domain's state where a key may read."""
        settings, secrets = _settings(fields), _secrets(fields)
        domain = self._domain(settings, secrets)
        self._prove_sending(settings, secrets["sending_key"])
        reads = self._can_read(settings, secrets)
        person = mails.parse_recipient(settings["from"])
        is_sandbox = domain.get("type") == "sandbox" or settings["domain"].startswith("sandbox")
        return Identity(
            handle=person.address,
            name=person.name or person.address,
            settings=settings,
            secrets=secrets,
            learned={"reads_log": reads, "sandbox": is_sandbox},
            note=" ".join(_notes(settings, reads, is_sandbox, bool(domain))),
        )

    def _domain(self, settings: Mapping[str, str], secrets: Mapping[str, str]) -> Mapping[str, Any]:
        """The domain as Mailgun describes it; empty where the given key may not read it."""
        key, is_account_key = _reading_key(secrets)
        answer = self._ask_for_domain(settings, key)
        found = answer.json() if answer.status == 200 else None
        domain = found.get("domain") if isinstance(found, dict) else None
        if isinstance(domain, dict):
            _refuse_unfit(domain)
            return domain
        if answer.status == 404 and "not found" in _words(answer).lower():
            raise self._unknown_domain(settings, key)
        if answer.status in (401, 403) and is_account_key:
            raise NeedsLogin(
                "Mailgun does not accept the account key. A domain's sending key does not belong there: create the "
                "account key under “API security”, or leave the field empty.",
                detail=_words(answer), status=answer.status,
            )  # fmt: skip
        return {}

    def _ask_for_domain(self, settings: Mapping[str, str], key: str) -> Answer:
        path = f"/v4/domains/{quote(settings['domain'], safe='')}"
        return self._http(settings, key).read(path, ok=(400, 401, 403, 404, 405))

    def _unknown_domain(self, settings: Mapping[str, str], key: str) -> SendError | BadInput:
        """Why a key that Mailgun knows finds no such domain: the other region has it, or nobody has."""
        name, here = settings["domain"], settings["region"].upper()
        if other := self._other_region(settings):
            answer = self._quietly(lambda: self._ask_for_domain({**settings, "region": other}, key))
            if answer and answer.status == 200:
                return _wrong_region(name, here, other)
        answer = self._quietly(lambda: self._http(settings, key).read("/v4/domains?limit=20"))
        listed = answer.json() if answer else None
        items = listed.get("items") if isinstance(listed, dict) else None
        names = [str(one.get("name")) for one in items if isinstance(one, dict)] if isinstance(items, list) else []
        there = f" It has: {', '.join(names)}." if names else ""
        return Rejected(f"This Mailgun account has no domain {name} in its {here} region.{there}", status=404)

    def _prove_sending(self, settings: Mapping[str, str], key: str) -> None:
        """A send to nobody: refused with 400 where the key is right, with 401 where it is not."""
        answer = self._send_to_nobody(settings, key)
        said, where = _words(answer), f"{settings['domain']} in the {settings['region'].upper()} region"
        if answer.status == 400 and "not allowed to send" not in said:
            return
        if answer.status == 200 and _queued(answer):
            return
        if answer.status in (401, 404):
            if other := self._other_region(settings):
                there = self._quietly(lambda: self._send_to_nobody({**settings, "region": other}, key))
                if there and there.status == 400:
                    raise _wrong_region(settings["domain"], settings["region"].upper(), other)
        if answer.status == 401:
            raise NeedsLogin(
                f"Mailgun does not accept the sending key for {where} (“{said or answer.status}”). Check the key and "
                "the domain.", status=401,
            )  # fmt: skip
        if answer.status == 404:
            raise Rejected(f"Mailgun knows no domain {where} (“{said or 404}”).", status=404)
        if answer.status == 200:
            raise Rejected(
                f"What answers at {self._base(settings)} is not Mailgun's sending address. Check the address and the "
                "domain.", detail=answer.text[:500], status=200,
            )  # fmt: skip
        raise _end(answer, settings["domain"], datetime.now(UTC))

    def _send_to_nobody(self, settings: Mapping[str, str], key: str) -> Answer:
        form: list[Part] = [
            ("from", (None, mime_free_spec(mails.parse_recipient(settings["from"])))),
            ("subject", (None, "Sendoff checks the key")),
            ("text", (None, "This has no recipient, so nobody gets it.")),
            ("o:testmode", (None, "yes")),
        ]
        return self._http(settings, key).send("POST", _path(settings["domain"], "messages"), effect=False, files=form)

    def _can_read(self, settings: Mapping[str, str], secrets: Mapping[str, str]) -> bool:
        """Whether the key that may read reads the log, which settles doubt later."""
        path = f"{_path(settings['domain'], 'events')}?limit=1"
        answer = self._quietly(lambda: self._http(settings, _reading_key(secrets)[0]).read(path, ok=(401, 403, 404)))
        found = answer.json() if answer and answer.status == 200 else None
        return isinstance(found, dict) and isinstance(found.get("items"), list)
