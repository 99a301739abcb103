"""Mailgun: mail over its HTTP API, in both of its regions, with doubt settled by a look into its log."""

from __future__ import annotations

import email.utils
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from sendoff.channels import mailgun_answers as answers
from sendoff.channels import mailgun_check as checks
from sendoff.channels import mailgun_form as form
from sendoff.channels import mime, tls
from sendoff.channels.http import Answer, Http
from sendoff.domain import mail as mails
from sendoff.domain.account import Account
from sendoff.domain.address import ascii_name
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import (
    Channel,
    Field,
    Frozen,
    How,
    Identity,
    Kind,
    Option,
    Parcel,
    Problem,
    Settle,
    Trace,
)
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import BadInput, CannotLook, NeedsLogin, NotFound, Rejected, SendError, TryLater
from sendoff.domain.post import Content, Recipient

if TYPE_CHECKING:
    from sendoff.channels.registry import Context

HOSTS = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}
"""Two separate worlds: a domain lives in exactly one (documentation.mailgun.com, API overview; 2026-11-23)."""

LOOKS = (5, 15, 60, 300, 900, 2100)
"""Seconds after a doubtful send. Events show within seconds as a rule, and are complete after about half an hour
(documentation.mailgun.com, Events, event polling)."""

KEPT = timedelta(hours=20)
"""For how long an absence from the log proves anything: the smallest plan keeps events for a day."""

CLOCKS = timedelta(days=1)
"""How far before the first try a look begins: this computer's clock may be wrong, and the id is what is looked for."""

ENOUGH = 50
"""Events that one look reads. One proves that a mail was taken; each lists up to 1,000 recipients."""

LOG_BYTES = 8 << 20
"""How much of the log one look reads at most: fifty events of a large batch and some."""

SLOWEST = 32_000
"""Bytes a second at which a mail with attachments may still leave."""

_OURS = re.compile(r"[0-9a-f]{32}@.+")
_AS_DOMAIN = ("", "As the domain says")
_OPENS = (_AS_DOMAIN, ("yes", "Yes"), ("no", "No"))
_CLICKS = (*_OPENS, ("htmlonly", "Only in the HTML part"))


class Mailgun(Channel):
    """Sends a mail as form fields, or as a finished message where Mailgun's own builder is known to get it wrong."""

    kind = "mailgun"
    title = "Mailgun"
    needs = "A domain and its key · 2 min"
    group = "mail"
    mark = "mailgun"
    steps = (
        "Sign in at app.mailgun.com and open “Send”, “Sending”, “Domains”. The list shows each domain and its region.",
        "Open the domain, then “Domain settings”, “Sending keys”, “Add sending key”. Copy it: it is shown only once.",
        "Optional: behind your name, “API security”, “Add new key” makes an account key, which may read the log.",
    )
    can_reach = True
    tells_leaving = True
    own_ids = True
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
            help="Where the domain lives. Mailgun shows it beside the domain’s name.",
        ),
        Field("domain", "Sending domain", placeholder="mg.example.org", help="As it stands in Mailgun’s list."),
        Field(
            "from", "From", placeholder="Ada Lovelace <ada@mg.example.org>",
            help="Who the mails are from: an address, with a name before it if you like.",
        ),
        Field(
            "sending_key", "Sending key", Kind.SECRET,
            help="The domain’s sending key, which can send and nothing else. An account key works too.",
        ),
        Field(
            "account_key", "Account key", Kind.SECRET, required=False,
            help="Optional, and may read: with it Sendoff checks the domain, and when an answer is lost it looks into "
            "Mailgun’s log by itself. Without it Sendoff has to ask you.",
        ),
        Field(
            "base_url", "Address", Kind.ADDRESS, required=False, advanced=True, placeholder="https://api.mailgun.net",
            help="Instead of the region’s own address, for a gateway. Without /v3.",
        ),
    )  # fmt: skip
    options = (
        Option("tags", "Tags", help="For Mailgun’s statistics: up to 10, between commas, in plain ASCII."),
        Option("tracking", "Track opens and clicks", Kind.CHOICE, choices=_CLICKS, help="Mailgun rewrites the links."),
        Option("tracking_opens", "Track opens", Kind.CHOICE, choices=_OPENS),
        Option("tracking_clicks", "Track clicks", Kind.CHOICE, choices=_CLICKS),
        Option(
            "test_mode", "Test mode", Kind.SWITCH, default="no",
            help="Mailgun takes the mail and bills it, and nobody gets it.",
        ),
        Option(
            "require_tls", "Only over TLS", Kind.SWITCH, default="no",
            help="Whoever’s server has no TLS does not get it.",
        ),
        Option("deliver_within", "Give up after", help="How long Mailgun goes on trying: 5m to 24h, like 1h30m."),
        Option("ip_pool", "IP pool", help="The id of a pool of your own addresses."),
        Option(
            "mime", "Who builds the mail", Kind.CHOICE, default="fields",
            choices=(("fields", "Mailgun"), ("mime", "Sendoff")),
            help="Sendoff does it unasked for names that Mailgun gets wrong. Mailgun always does it for a mail that "
            "goes separately to several people: it fills in each one’s copy.",
        ),
    )  # fmt: skip

    def __init__(self, context: Context, hosts: Mapping[str, str] = HOSTS) -> None:
        self._transport = context.transport
        self._hosts = hosts

    # --- signing in -----------------------------------------------------------------------------------------------

    def connect(self, fields: Mapping[str, str]) -> Identity:
        """Reads the domain's state where a key may, and proves the sending key by a send that names nobody."""
        settings, secrets = self._settings(fields), _secrets(fields)
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
            note=" ".join(_notes(settings, person, reads, is_sandbox, bool(domain))),
        )

    def _settings(self, fields: Mapping[str, str]) -> dict[str, str]:
        region = fields.get("region") or "us"
        if region not in self._hosts:
            raise BadInput(f"“{region}” is no region of Mailgun. It has: {', '.join(self._hosts)}.").at("region")
        person = _sender(fields["from"])
        return {
            "region": region,
            "domain": _domain_name(fields["domain"]),
            "from": form.spec(person),
            "base_url": re.sub(r"/v[1-5]$", "", fields.get("base_url", "").strip().rstrip("/")),
        }

    def _domain(self, settings: Mapping[str, str], secrets: Mapping[str, str]) -> Mapping[str, Any]:
        """The domain as Mailgun describes it; empty where the key may not read it."""
        key = _reading_key(secrets)
        answer = self._ask_for_domain(settings, key)
        found = _object(answer) if answer.status == 200 else {}
        if isinstance(found.get("domain"), dict):
            _refuse_unfit(found["domain"], found.get("sending_dns_records"))
            domain: Mapping[str, Any] = found["domain"]
            return domain
        if answer.status == 404 and "not found" in answers.words(answer).lower():
            raise self._no_such_domain(settings, key)
        if answer.status in (401, 403) and secrets.get("account_key"):
            if other := self._region_of(settings, key):
                raise _wrong_region(settings, other)
            raise NeedsLogin(
                "Mailgun does not accept the account key. It is made under “API security”; a domain’s sending key "
                "does not belong there. The field may also stay empty.", status=answer.status,
            ).at("account_key")  # fmt: skip
        return {}

    def _ask_for_domain(self, settings: Mapping[str, str], key: str) -> Answer:
        return self._http(settings, key).read(f"/v4/domains/{quote(settings['domain'])}", ok=(400, 401, 403, 404, 405))

    def _no_such_domain(self, settings: Mapping[str, str], key: str) -> SendError | BadInput:
        """Why a key that Mailgun knows finds no such domain: the other region has it, or nobody has."""
        if other := self._region_of(settings, key):
            return _wrong_region(settings, other)
        listed = _quietly(lambda: self._http(settings, key).read("/v4/domains?limit=20"))
        items = _object(listed).get("items") if listed else None
        names = [str(one.get("name")) for one in items if isinstance(one, dict)] if isinstance(items, list) else []
        has = f" It has: {', '.join(names)}." if names else ""
        return Rejected(f"This Mailgun account has no domain {_place(settings)}.{has}", status=404).at("domain")

    def _region_of(self, settings: Mapping[str, str], key: str) -> str:
        """The other region, if the domain lives there; else ""."""
        other = self._other_region(settings)
        there = _quietly(lambda: self._ask_for_domain({**settings, "region": other}, key)) if other else None
        return other if there and there.status == 200 else ""

    def _prove_sending(self, settings: Mapping[str, str], key: str) -> None:
        """A send to nobody that says nothing: refused with 400 where the key is right, with 401 where it is not."""
        answer = self._send_to_nobody(settings, key)
        said = answers.words(answer)
        if answer.status == 400 and "not allowed to send" not in said:
            return
        if answer.status == 200 and said.startswith("Queued"):
            return  # a gateway that takes everything; there was nobody to send to
        if answer.status in (401, 404) and (other := self._other_region(settings)):
            there = _quietly(lambda: self._send_to_nobody({**settings, "region": other}, key))
            if there and there.status == 400:
                raise _wrong_region(settings, other)
        if answer.status == 401:
            raise NeedsLogin(
                f"Mailgun does not accept the sending key for {_place(settings)}{answers.quoted(said)} Check the key "
                "and the domain.", status=401,
            ).at("sending_key")  # fmt: skip
        if answer.status in (200, 404):
            raise Rejected(
                f"Mailgun has no sending address for {_place(settings)}{answers.quoted(said)} Check the domain, the "
                "region and the address.", status=answer.status,
            ).at("domain")  # fmt: skip
        http = self._http(settings, key)
        answers.judge(http, answer, domain=settings["domain"], now=datetime.now(UTC), effect=False)

    def _send_to_nobody(self, settings: Mapping[str, str], key: str) -> Answer:
        parts: list[form.Part] = [
            ("from", (None, settings["from"])),
            ("to", (None, "")),
            ("subject", (None, "Sendoff checks its key")),
            ("o:testmode", (None, "yes")),
        ]
        return self._http(settings, key).send("POST", _path(settings, "messages"), effect=False, files=parts)

    def _can_read(self, settings: Mapping[str, str], secrets: Mapping[str, str]) -> bool:
        """Whether a key reads the log, which settles doubt later."""
        http, path = self._http(settings, _reading_key(secrets)), f"{_path(settings, 'events')}?limit=1"
        answer = _quietly(lambda: http.read(path))
        return answer is not None and isinstance(_object(answer).get("items"), list)

    def _other_region(self, settings: Mapping[str, str]) -> str:
        """The region beside the chosen one; none where the address is the person's own."""
        others = [name for name in self._hosts if name != settings["region"]]
        return others[0] if others and not settings["base_url"] else ""

    def reach(self, account: Account) -> None:
        tls.reach_web(self._base(account.settings))

    def _base(self, settings: Mapping[str, str]) -> str:
        return settings.get("base_url") or self._hosts[settings.get("region") or "us"]

    def _http(self, settings: Mapping[str, str], key: str, trace: Trace | None = None, size: int = 0) -> Http:
        base = self._base(settings)
        patience = self._transport.patience
        patience = replace(patience, total=patience.total + size / SLOWEST, most=max(patience.most, LOG_BYTES))
        return Http(self._transport, base, self.title, auth=("api", key), trace=trace or Trace(), patience=patience)

    # --- before sending -------------------------------------------------------------------------------------------

    def check(self, content: Content, options: Mapping[str, str], account: Account) -> Iterable[Problem]:
        """What Mailgun would refuse, change or keep to itself."""
        return checks.problems(content, options, account, self.options)

    def settle(self, account: Account) -> Settle:
        if account.learned.get("reads_log"):
            return Settle(
                How.SEARCH, looks=LOOKS, absent_after=LOOKS[-1],
                why="Sendoff looks for the mail’s own id in Mailgun’s log, which is complete after about half an hour.",
            )  # fmt: skip
        return Settle(
            How.ASK,
            why="This account’s key can’t look into Mailgun’s log. Look there yourself; with an account key Sendoff "
            "does it for you.",
        )  # fmt: skip

    def arm(self, parcel: Parcel) -> Frozen:
        """The Message-Id, which Mailgun keeps and by which it can be asked; and the bytes where Sendoff builds them."""
        message_id = f"<{uuid.uuid4().hex}@{parcel.account.settings['domain']}>"
        if not form.builds_mime(parcel):
            return Frozen({"message_id": message_id})
        return Frozen({"message_id": message_id}, mime.build(parcel, message_id=message_id, date=parcel.now))

    # --- sending --------------------------------------------------------------------------------------------------

    def publish(self, parcel: Parcel) -> Receipt:
        settings, message_id = parcel.account.settings, str(parcel.frozen["message_id"])
        name, parts = self._parts(parcel, message_id)
        size = sum(len(part[1][1]) for part in parts)
        http = self._http(settings, parcel.secret["sending_key"], parcel.trace, size)
        answer = http.send("POST", _path(settings, name), effect=True, files=parts)
        answers.judge(http, answer, domain=settings["domain"], now=parcel.now, effect=True, first_try=parcel.first_try)
        note = " Test mode: nobody gets it." if parcel.options.get("test_mode") == "yes" else ""
        return answers.receipt(answer, message_id, note)

    def _parts(self, parcel: Parcel, message_id: str) -> tuple[str, list[form.Part]]:
        """The endpoint's name and the form. Whatever is wrong here is found before anything leaves."""
        try:
            if parcel.blob is not None:
                return "messages.mime", form.of_mime(parcel, parcel.blob)
            return "messages", form.of_fields(parcel, message_id)
        except NotFound as missing:
            raise Rejected(str(missing), advice="Attach it again.") from None

    # --- looking --------------------------------------------------------------------------------------------------

    def find(self, parcel: Parcel) -> Receipt | None:
        message_id = str(parcel.frozen.get("message_id", ""))
        if not message_id:
            raise CannotLook("The mail had no id of its own, so Mailgun’s log can’t be asked for it.")
        look = _Look(self._http(parcel.account.settings, _reading_key(parcel.secret), parcel.trace), parcel)
        wanted = message_id.strip("<>")
        found = look.events(**{"message-id": wanted})
        own = _about(found or (), wanted) or _about(look.logs(wanted) or (), wanted)
        if own:
            return answers.verdict(own, message_id)
        if found is None:
            raise CannotLook("This account’s key can’t read Mailgun’s log. Look there yourself.")
        if found:
            raise CannotLook("Mailgun’s log answered with other mails than the one that was asked for. Look there.")
        look.may_be_believed()
        return None


class _Look:
    """One look into the log, through the domain's events, and through the account's log that is to follow them.

    Either may prove that a mail is there. That it is not there only the events can say: the account's log answers
    for every domain, even for one that the key's account does not have, and not every role may ask it.
    """

    def __init__(self, http: Http, parcel: Parcel) -> None:
        self._http = http
        self._parcel = parcel
        self._settings = parcel.account.settings
        self._since = (parcel.first_try or parcel.now) - CLOCKS

    def events(self, **wanted: str) -> list[Mapping[str, Any]] | None:
        """Events, oldest first; None where this interface is closed to the key. Ids go without their brackets."""
        asked = {"begin": str(int(self._since.timestamp())), "ascending": "yes", "limit": str(ENOUGH), **wanted}
        return self._items("GET", f"{_path(self._settings, 'events')}?{urlencode(asked)}")

    def logs(self, message_id: str) -> list[Mapping[str, Any]] | None:
        """The same from the newer interface."""
        rules = {"domain": self._settings["domain"], "message_id": message_id}
        asked = {
            "start": email.utils.format_datetime(self._since),
            "filter": {
                "AND": [
                    {"attribute": name, "comparator": "=", "values": [{"label": value, "value": value}]}
                    for name, value in rules.items()
                ]
            },
            "pagination": {"sort": "timestamp:asc", "limit": ENOUGH},
        }
        return self._items("POST", "/v1/analytics/logs", json=asked)

    def _items(self, method: str, path: str, **request: Any) -> list[Mapping[str, Any]] | None:
        answer = self._http.send(method, path, effect=False, **request)
        if answer.status in (401, 403, 404, 405, 410) and "limit exceeded" not in answers.words(answer):
            return None
        try:
            answers.judge(self._http, answer, domain=self._settings["domain"], now=self._parcel.now, effect=False)
        except Rejected as odd:  # the look was refused, which says nothing about the mail
            if answer.status < 400:
                raise TryLater(odd.reason, detail=odd.detail, status=odd.status) from None
            raise CannotLook(f"{odd.reason} Look into Mailgun’s log yourself.") from None
        items = _object(answer).get("items")
        if not isinstance(items, list):
            raise TryLater("Mailgun’s log answered something else than events.", detail=answer.text[:500])
        return [one for one in items if isinstance(one, dict)]

    def may_be_believed(self) -> None:
        """Whether “not there” proves anything.

        Raises:
            CannotLook: the log may have forgotten it, or a mail like it went out under an id that is not ours.
        """
        if self._parcel.now - (self._parcel.last_try or self._parcel.now) > KEPT:
            raise CannotLook(
                "Mailgun’s log no longer tells: it may keep events for a day only. Ask one of the recipients."
            )
        if self._twin():
            raise CannotLook(
                "Mailgun’s log has a mail with this subject to the same person under an id that is not this one’s. "
                "Compare it there."
            )

    def _twin(self) -> bool:
        """Something that ignored our id (a gateway) may have sent it under another. Ids of ours are other mails."""
        person = (*self._parcel.recipients, Recipient(""))[0]
        subject = mails.render(self._parcel.content, person).subject
        taken = self.events(event="accepted", recipient=mime.wire_address(person.address)) if person.address else None
        return any(
            answers.header_of(one, "subject") == subject and not _OURS.fullmatch(answers.header_of(one, "message-id"))
            for one in taken or ()
        )


def _about(events: Iterable[Mapping[str, Any]], message_id: str) -> list[Mapping[str, Any]]:
    """Those of this very mail: a filter that is not understood brings others."""
    return [one for one in events if answers.header_of(one, "message-id").strip("<>") == message_id]


# --- what was typed -----------------------------------------------------------------------------------------------


def _sender(text: str) -> Recipient:
    try:
        person = mails.parse_recipient(text)
    except BadInput as wrong:
        raise wrong.at("from") from None
    if not person.address.rpartition("@")[0].isascii():
        raise BadInput(f"Mailgun can’t send from {person.address}: what stands before the @ has to be plain ASCII.").at(
            "from"
        )
    return person


def _domain_name(text: str) -> str:
    name = ascii_name(text.strip().strip(".").lower())
    if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+", name):
        raise BadInput(f"“{text}” is not a domain. Write it as it stands at Mailgun, like mg.example.org.").at("domain")
    return name


def _secrets(fields: Mapping[str, str]) -> dict[str, str]:
    """The keys, without the blanks that came along when they were copied."""
    labels = {"sending_key": "sending key", "account_key": "account key"}
    keys = {name: fields.get(name, "").strip() for name in labels}
    for name, key in keys.items():
        if key.startswith("pubkey-"):
            raise BadInput(f"That is the public key. The {labels[name]} is another one, and it is secret.").at(name)
        if key and not re.fullmatch(r"[!-~]+", key):
            raise BadInput(f"The {labels[name]} holds a character that no key has. Copy it once more.").at(name)
    return {name: key for name, key in keys.items() if key or name == "sending_key"}


def _reading_key(secrets: Mapping[str, str]) -> str:
    return secrets.get("account_key") or secrets["sending_key"]


def _place(settings: Mapping[str, str]) -> str:
    where = "" if settings["base_url"] else f" in the {settings['region'].upper()} region"
    return settings["domain"] + where


def _wrong_region(settings: Mapping[str, str], other: str) -> BadInput:
    here, there = settings["region"].upper(), other.upper()
    words = f"{settings['domain']} lives in Mailgun’s {there} region, not in {here}. Choose {there}."
    return BadInput(words).at("region")


def _refuse_unfit(domain: Mapping[str, Any], records: Any) -> None:
    """A domain that cannot send is named when connecting, not when the first mail fails."""
    name, disabled = domain.get("name", ""), domain.get("disabled")
    if domain.get("is_disabled") is True or domain.get("state") == "disabled":
        reason = disabled.get("reason") if isinstance(disabled, dict) else ""
        why = f": “{reason}”" if reason else ""
        raise Rejected(f"Mailgun has disabled {name}{why}. Its support can lift that.").at("domain")
    if domain.get("state") == "unverified":
        known = [one for one in records if isinstance(one, dict)] if isinstance(records, list) else []
        missing = [f"{one.get('record_type')} for {one.get('name')}" for one in known if one.get("valid") != "valid"]
        which = f" Missing: {', '.join(missing)}." if missing else ""
        raise Rejected(
            f"Mailgun does not send for {name} before it has found the domain’s DNS records.{which} Set them, and let "
            "Mailgun check them."
        ).at("domain")


def _notes(
    settings: Mapping[str, str], person: Recipient, reads: bool, is_sandbox: bool, is_known: bool
) -> Iterator[str]:
    if not reads:
        yield (
            "This key can send but not look into Mailgun’s log: when an answer is lost, Sendoff has to ask you. "
            "An account key settles that."
        )
    if not is_known:
        yield "Whether the domain is verified could not be read."
    if is_sandbox:
        yield "A sandbox domain reaches only the addresses that you authorised in Mailgun, five at most."
    own, sending = person.address.rpartition("@")[2].lower(), settings["domain"]
    if own != sending and not (own.endswith(f".{sending}") or sending.endswith(f".{own}")):
        yield f"Mails from @{own} go out through {sending}; many servers take that for forged (DMARC)."


def _path(settings: Mapping[str, str], name: str) -> str:
    return f"/v3/{quote(settings['domain'])}/{name}"


def _object(answer: Answer) -> Mapping[str, Any]:
    found = answer.json()
    return found if isinstance(found, dict) else {}


def _quietly(ask: Callable[[], Answer]) -> Answer | None:
    """A question whose answer only helps to say more; None if it did not work."""
    try:
        return ask()
    except SendError:
        return None
