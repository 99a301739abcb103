"""E-mail through the mail server of one's own provider (SMTP), and a look into its sent mail when in doubt (IMAP)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sendoff.channels import mime, sent_folder, smtp_words, tls
from sendoff.channels.mail_providers import PRESETS
from sendoff.channels.smtp_wire import (
    Broken,
    Dialogue,
    Negative,
    NotOffered,
    NotSmtp,
    Patience,
    Reply,
    Server,
    Step,
)
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
    Level,
    Parcel,
    Problem,
    Settle,
    Trace,
)
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import BadInput, CannotLook, InDoubt, NeedsLogin, Rejected, SendError, TryLater
from sendoff.domain.limits import size_text
from sendoff.domain.post import Content, Mail, Recipient
from sendoff.domain.redact import Redactor

if TYPE_CHECKING:
    from sendoff.channels.registry import Context

TESTING = 30.0
"""Seconds that any step may take while a person waits for the test of a sign-in."""

LOOKING = 20.0
"""Seconds that IMAP may take for one answer."""

LOOKS = (60, 120, 300)
"""When to look into the sent mail, in seconds: providers file their copy within a minute or two of taking a mail."""


class Smtp(Channel):
    """One connection for each mail. What arming decided (Message-ID, date, every byte) is the same in every try."""

    kind = "smtp"
    title = "E-mail (SMTP)"
    needs = "Address and password · 2 min"
    group = "mail"
    mark = "smtp"
    steps = (
        "Name your mail address or your provider, and its servers are filled in. For one that is not known here, look "
        "for “SMTP” in its help pages.",
        "Gmail, Yahoo, AOL, iCloud and others want an app password: in the provider’s security settings switch on "
        "two-step verification, then make an app password and copy it.",
        "With the IMAP server too, Sendoff can look into your sent mail if an answer gets lost, and need not ask you.",
    )
    can_reach = True
    tells_leaving = True
    capabilities = Capabilities(
        checked="2026-11-23",
        sources=(
            "RFC 5321 section 4.5.3.1.8 (100 recipients)",
            "RFC 1870 (SIZE; the server’s own figure counts once connected)",
            "Gmail Help: 25 MB a message, 100 recipients a message over SMTP",
            "Apple support article 102198: 20 MB",
        ),
        mail=True,
        spacing=3.0,
        prepares=True,
        recipients=100,
        message_bytes=25_000_000,
    )
    fields = (
        Field("host", "Server", help="The outgoing mail server.", placeholder="smtp.example.org"),
        Field(
            "security", "Encryption", Kind.CHOICE, default="tls",
            choices=(("tls", "TLS from the start (port 465)"), ("starttls", "STARTTLS (port 587)")),
            help="Without encryption nothing is sent.",
        ),
        Field(
            "port", "Port", Kind.NUMBER, required=False, placeholder="465",
            help="Left empty: 465 for TLS, 587 for STARTTLS.",
        ),
        Field(
            "username", "User name", required=False, placeholder="you@example.org",
            help="Mostly your whole mail address. Empty only for a server that wants no sign-in.",
        ),
        Field("password", "Password", Kind.SECRET, required=False, help="For many providers an app password."),
        Field(
            "from", "From", required=False, placeholder="Ada Lovelace <ada@example.org>",
            help="The address that your mails come from, with your name if you like. Left empty: the user name.",
        ),
        Field(
            "ca_file", "CA file", Kind.FILE, required=False, advanced=True,
            help="Only for a server whose certificate is not signed by a public authority. PEM.",
        ),
        Field(
            "imap_host", "IMAP server", required=False, advanced=True, placeholder="imap.example.org",
            help="Lets Sendoff look into your sent mail when an answer got lost. Same user name and password.",
        ),
        Field(
            "imap_port", "IMAP port", Kind.NUMBER, required=False, default="993", advanced=True,
            help="993 begins with TLS, 143 with STARTTLS.",
        ),
        Field(
            "imap_folder", "Sent folder", required=False, advanced=True, placeholder="Sent",
            help="Only if the server does not say itself which folder holds sent mail.",
        ),
    )  # fmt: skip
    presets = PRESETS
    from_address: Mapping[str, str] = {"username": "{address}", "from": "{address}"}

    def __init__(self, context: Context, patience: Patience = Patience()) -> None:
        self._patience = patience

    # --- signing in -----------------------------------------------------------------------------------------------

    def connect(self, fields: Mapping[str, str]) -> Identity:
        settings = _settings(fields)
        person, secret = _sender(settings), {"password": fields.get("password", "")}
        _check_sign_in(settings["username"], secret["password"])
        login = _Login.of(settings, secret)
        address = mime.wire_address(person.address)
        with self._dialogue(login, Trace(), self._patience.at_most(TESTING)) as line:
            utf8 = _wants_utf8(line, login, [address], b"")
            line.sender(address, utf8=utf8)
            line.reset()
            keywords = dict(line.keywords)
        note = self._sent_mail_note(login)
        own = {"keywords": " ".join(sorted(keywords.keys() & _KEYWORDS))}
        return Identity(
            handle=person.address, name=person.name, learned=_figures(keywords), settings=settings | own, note=note
        )

    def _sent_mail_note(self, login: _Login) -> str:
        """Tries the way into the sent mail, where the person gave one."""
        if login.mailbox is None:
            return "If an answer gets lost, you will be asked: without IMAP Sendoff can’t look into your sent mail."
        try:
            with sent_folder.opened(login.mailbox, LOOKING) as folder:
                return f"If an answer gets lost, Sendoff looks into “{folder.name}”."
        except (sent_folder.NoFolder, SendError) as wrong:
            raise Rejected(
                f"Sending would work, but the way into your sent mail does not: {wrong}",
                advice=" ".join([getattr(wrong, "advice", ""), "Or leave the IMAP server empty."]).strip(),
                detail=getattr(wrong, "detail", ""),
            ).at("imap_host") from None

    # --- before sending -------------------------------------------------------------------------------------------

    def check(self, content: Content, options: Mapping[str, str], account: Account) -> Iterator[Problem]:
        yield from mime.check(content)
        keywords = account.settings.get("keywords")
        mail = content.mail or Mail()
        for one in (*mail.to, *mail.cc, *mail.bcc):
            if keywords is not None and "SMTPUTF8" not in keywords and mime.needs_smtputf8([one.address]):
                yield Problem(
                    Level.ERROR, "smtputf8", f"{account.settings['host']} can’t reach {one.address}.",
                    "It takes only plain Latin letters before the @.", "to",
                )  # fmt: skip

    def settle(self, account: Account) -> Settle:
        if not account.settings.get("imap_host"):
            return Settle(How.ASK, why=_ASK)
        return Settle(How.SEARCH, looks=LOOKS, absent_after=LOOKS[-1], why=_SEARCH)

    def arm(self, parcel: Parcel) -> Frozen:
        """Makes the mail, once. In seven bits, so that the same bytes suit a server with 8BITMIME and one without."""
        sender, recipients = mime.envelope(parcel)
        message_id = f"<{parcel.key}@{sender.rpartition('@')[2]}>"
        blob = mime.build(parcel, message_id=message_id, date=parcel.now, seven_bit=True)
        return Frozen({"message_id": message_id, "sender": sender, "recipients": recipients}, blob)

    # --- sending --------------------------------------------------------------------------------------------------

    def publish(self, parcel: Parcel) -> Receipt:
        login = _Login.of(parcel.account.settings, parcel.secret)
        sender, recipients = parcel.frozen["sender"], list(parcel.frozen["recipients"])
        assert parcel.blob is not None
        with self._dialogue(login, parcel.trace, self._patience) as line:
            utf8 = _wants_utf8(line, login, [sender, *recipients], parcel.blob)
            _check_size(line, login, parcel.blob)
            line.sender(sender, len(parcel.blob), utf8=utf8)
            refused = line.recipients(recipients)
            if len(refused) == len(recipients):
                raise _nobody(login, refused)
            reply = line.data(parcel.blob)
        return Receipt(
            parcel.frozen["message_id"],
            answer=str(reply)[:500],
            refused=tuple((address, str(reply)[:300]) for address, reply in refused.items()),
        )

    @contextmanager
    def _dialogue(self, login: _Login, trace: Trace, patience: Patience) -> Iterator[Dialogue]:
        """A signed-in connection; whatever goes wrong on it becomes one of the ends."""
        try:
            with Dialogue(login.server, patience, trace, Redactor([login.password])) as line:
                if login.username:
                    line.sign_in(login.username, login.password)
                yield line
        except Broken as broken:
            raise _broken(login.server, broken) from None
        except Negative as negative:
            raise _negative(login, negative) from None
        except NotOffered as missing:
            raise _not_offered(login.server, missing) from None

    def reach(self, account: Account) -> None:
        server = _Login.of(account.settings, {}).server
        tls.reach(server.host, server.port)

    # --- looking --------------------------------------------------------------------------------------------------

    def find(self, parcel: Parcel) -> Receipt | None:
        """Looks for the Message-ID in the sent mail.

        "Not there" counts only where the server has filed a mail of ours under our own Message-ID before: many file
        nothing by themselves, and some rename.
        """
        login = _Login.of(parcel.account.settings, parcel.secret)
        if login.mailbox is None:
            raise CannotLook(_ASK)
        if "message_id" not in parcel.frozen:
            raise CannotLook("The mail had no id of its own, so it can’t be looked for.")
        message_id = parcel.frozen["message_id"]
        try:
            with sent_folder.opened(login.mailbox, LOOKING) as folder:
                if folder.has(message_id):
                    return Receipt(message_id, answer=f"Found in “{folder.name}”.")
                if not any(map(_OURS.fullmatch, folder.message_ids(mime.MAILER.split()[0]))):
                    raise CannotLook(
                        f"It is not in “{folder.name}”, but nothing shows that {login.server.host} files what Sendoff "
                        "sends, so that proves nothing. Ask the recipient, or look at the provider’s website."
                    )
        except (sent_folder.NoFolder, Rejected) as wrong:  # a look that is refused says nothing about the mail
            raise CannotLook(str(wrong)) from None
        return None


_OURS = re.compile(r"<[0-9a-f]{32}@[^<>@\s]+>")
_KEYWORDS = frozenset(("8BITMIME", "CHUNKING", "DSN", "FUTURERELEASE", "PIPELINING", "SIZE", "SMTPUTF8"))
_ASK = "Plain SMTP can’t be asked what became of a mail. With the IMAP server in the account, Sendoff can look itself."
_SEARCH = "Sendoff looks into the folder of sent mail."


# --- what was typed -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Login:
    """The account's fields as the protocols want them."""

    server: Server
    username: str
    password: str = field(repr=False)
    mailbox: sent_folder.Mailbox | None

    @staticmethod
    def of(settings: Mapping[str, str], secret: Mapping[str, str]) -> _Login:
        username, password = settings.get("username", ""), secret.get("password", "")
        starttls = settings.get("security") == "starttls"
        port, ca_file = int(settings.get("port") or (587 if starttls else 465)), settings.get("ca_file", "")
        mailbox = None
        if settings.get("imap_host"):
            mailbox = sent_folder.Mailbox(
                settings["imap_host"], int(settings.get("imap_port") or 993), username, password,
                settings.get("imap_folder", ""), ca_file,
            )  # fmt: skip
        return _Login(Server(settings["host"], port, starttls, ca_file), username, password, mailbox)


def _settings(fields: Mapping[str, str]) -> dict[str, str]:
    """The plain fields, checked and with the gaps filled.

    Raises:
        BadInput: one of them cannot be right.
    """
    names = [field.name for field in Smtp.fields if not field.secret]
    settings = {name: fields.get(name, "").strip() for name in names}
    settings["security"] = settings["security"] or "tls"
    settings["port"] = settings["port"] or ("587" if settings["security"] == "starttls" else "465")
    settings["from"] = settings["from"] or settings["username"]
    settings["host"] = _host(settings, "host")
    if settings["imap_host"]:
        settings["imap_host"] = _host(settings, "imap_host")
        settings["imap_port"] = settings["imap_port"] or "993"
    for name in ("port", "imap_port"):
        if settings[name] and not 0 < int(settings[name]) < 65_536:
            raise BadInput(f"There is no port {settings[name]}. It is 465 or 587 for SMTP, 993 for IMAP.").at(name)
    return settings


def _host(settings: Mapping[str, str], field: str) -> str:
    """A server's name in ASCII."""
    text = settings[field]
    name = ascii_name(text.rstrip("."))
    if not re.fullmatch(r"(?!-)[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+", name) or ".." in name:
        raise BadInput(
            f"“{text}” is not the name of a server. Write it like smtp.example.org; the port has a field."
        ).at(field)
    return name


def _sender(settings: Mapping[str, str]) -> Recipient:
    if not settings["from"]:
        raise BadInput("“From” is empty. Put the address there that your mails come from.").at("from")
    try:
        return mails.parse_recipient(settings["from"])
    except BadInput as wrong:
        raise BadInput(f"“From”: {wrong} Write it like Ada Lovelace <ada@example.org>.").at("from") from None


def _check_sign_in(username: str, password: str) -> None:
    if bool(username) != bool(password):
        name, missing = ("password", "password") if username else ("username", "user name")
        raise BadInput(f"The {missing} is missing. Leave both empty only for a server that wants no sign-in.").at(name)
    if "\0" in username + password:
        raise BadInput("A user name and a password can’t hold a null character.")


def _figures(keywords: Mapping[str, str]) -> dict[str, Any]:
    """What the server told of its limits: SIZE (RFC 1870; 0: no fixed one), RCPTMAX (RFC 9422)."""
    figures: dict[str, Any] = {}
    if keywords.get("SIZE", "").isdecimal():
        figures["message_bytes"] = int(keywords["SIZE"]) or None
    if most := re.search(r"\bRCPTMAX=(\d+)", keywords.get("LIMITS", "")):
        figures["recipients"] = int(most[1]) or None
    return figures


# --- what can be known before the first command -------------------------------------------------------------------


def _wants_utf8(line: Dialogue, login: _Login, addresses: list[str], mail: bytes) -> bool:
    """Whether SMTPUTF8 (RFC 6531) has to be asked for: only for a local part outside ASCII.

    Raises:
        Rejected: it has to be, and the server does not offer it.
    """
    beyond = [address for address in addresses if mime.needs_smtputf8([address])]
    if not beyond and mail.partition(b"\r\n\r\n")[0].isascii():
        return False
    if "SMTPUTF8" not in line.keywords:
        which = f"the address {beyond[0]}" if beyond else "the reply address"
        raise Rejected(
            f"{login.server.host} can’t carry {which}: it takes only plain Latin letters before the @.",
            advice="Use another address, or an account whose server offers SMTPUTF8.",
        )
    return True


def _check_size(line: Dialogue, login: _Login, mail: bytes) -> None:
    limit = _figures(line.keywords).get("message_bytes")
    if limit and len(mail) > limit:
        raise Rejected(
            f"The mail is too big for {login.server.host}: encoded it has {size_text(len(mail))}, "
            f"and {size_text(limit)} is the limit.",
            advice="Leave out an attachment, or share it as a link.",
        )


# --- ends ---------------------------------------------------------------------------------------------------------


def _broken(server: Server, broken: Broken) -> SendError:
    """Before the final dot nothing can have happened; after it, anything."""
    if broken.step in (Step.CONNECT, Step.TLS) and not isinstance(broken.cause, NotSmtp | EOFError):
        end = tls.not_reached(server.host, server.port, broken.cause)
        return end if end.field else end.at("host")
    what = _what_broke(server.host, broken)
    detail = tls.words(broken.cause)
    if broken.step is Step.END:
        return InDoubt(f"{what}, so it is not known whether it took it. It may have gone out.", detail=detail)
    advice = ""
    if broken.step is Step.GREETING:
        advice = "If this lasts, check port and encryption: 465 goes with TLS, 587 with STARTTLS."
    return TryLater(f"{what}. Nothing was sent.", detail=detail, advice=advice)


def _what_broke(host: str, broken: Broken) -> str:
    if isinstance(broken.cause, TimeoutError):
        return f"{host} did not answer in time {broken.step}"
    if isinstance(broken.cause, NotSmtp):
        return f"{host} answered something that is not SMTP {broken.step}"
    if isinstance(broken.cause, EOFError):
        return f"{host} hung up {broken.step}"
    return f"The line to {host} broke {broken.step}"


def _negative(login: _Login, negative: Negative) -> SendError:
    host = login.server.host
    known = smtp_words.end(host, negative.step, negative.reply)
    if isinstance(known, Rejected) and negative.step is Step.SENDER:
        return known.at("from")
    if known is not None:
        return known
    odd = f"{host} answered oddly {negative.step}{smtp_words.quoted(negative.reply)}"
    detail, status = str(negative.reply)[:500], negative.reply.code
    if negative.step is Step.END:
        return InDoubt(f"{odd} It may have gone out.", detail=detail, status=status)
    return TryLater(f"{odd} Nothing was sent.", detail=detail, status=status)


def _not_offered(server: Server, missing: NotOffered) -> SendError:
    if missing.what == "STARTTLS":
        return Rejected(
            f"{server.host} offers no STARTTLS at port {server.port}, and in the open no password and no mail is sent.",
            advice="Choose TLS with port 465. If it worked before, somebody on the way may be meddling with the line.",
        ).at("security")
    if missing.offered:
        return Rejected(
            f"{server.host} takes no password from other programs; it offers only {missing.offered}.",
            advice="Look in the provider’s settings whether passwords or app passwords can be allowed.",
        )
    return Rejected(
        f"{server.host} offers no sign-in at port {server.port}.",
        advice="Providers sign in at port 465 or 587. A server that wants no sign-in takes an empty user name.",
    )


def _nobody(login: _Login, refused: Mapping[str, Reply]) -> SendError:
    """Every recipient was refused. A missing sign-in, or one that may be taken later, decides for all."""
    host, opening = login.server.host, f"All {len(refused)} recipients were refused. " if len(refused) > 1 else ""
    ends = [
        smtp_words.end(host, Step.RECIPIENTS, reply, about=address, opening=opening)
        for address, reply in refused.items()
    ]
    order = (NeedsLogin, TryLater, Rejected)
    known = sorted((one for one in ends if one is not None), key=lambda one: order.index(type(one)))
    return known[0] if known else TryLater(f"{host} answered oddly {Step.RECIPIENTS}. Nothing was sent.")
