"""A mail as finished bytes: headers in any script, text and HTML, pictures inside, files beside; the same each time."""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote, urlsplit

from sendoff import __version__
from sendoff.domain import mail as mails
from sendoff.domain.account import Account
from sendoff.domain.address import ascii_name
from sendoff.domain.channel import Level, Parcel, Problem
from sendoff.domain.errors import BadInput, Rejected
from sendoff.domain.post import Attachment, Content, Mail, Recipient

MAILER = f"Sendoff {__version__}"
"""The X-Mailer header, by which a mail of ours is known again in a folder of sent mail."""

_CRLF = b"\r\n"
_LINE = 78  # characters a line should have at most; RFC 5322 section 2.1.1
_LONGEST = 998  # octets a line may have at most; the same place
_WORD_BYTES = 30  # of text in one encoded word: with a long field name before it, it still ends within 76 characters
_PLAIN_PIECE = 60  # characters of a name that may stand as they are; longer ones are cut by the rules for any script


# --- addresses ----------------------------------------------------------------------------------------------------


def wire_address(address: str) -> str:
    """An address as the protocols carry it: the domain in ASCII (IDNA 2008 with the mapping of UTS 46).

    A local part outside ASCII stays as it is; only SMTPUTF8 (RFC 6531) can carry it.

    Raises:
        Rejected: it is no mail address.
    """
    local, _, domain = address.rpartition("@")
    if not local or not domain or re.search(r"[\s\x00-\x1f\x7f<>\"(),;:@\\]", local) or "@" in domain:
        raise _no_address(address)
    return f"{unicodedata.normalize('NFC', local)}@{_ascii_domain(domain, address)}"


def _ascii_domain(domain: str, address: str) -> str:
    domain = ascii_name(domain)
    if not re.fullmatch(r"[A-Za-z0-9._-]+|\[[A-Za-z0-9.:]+\]", domain):
        raise _no_address(address)
    return domain


def _no_address(address: str) -> Rejected:
    return Rejected(f"“{_clean(address)[:100]}” is not a mail address.", advice="Correct it and send the mail again.")


def sender(account: Account) -> Recipient:
    """Who an account's mail is from: its field "from", with the display name if one stands there.

    Raises:
        Rejected: that field holds no address.
    """
    try:
        return mails.parse_recipient(account.settings.get("from") or account.handle)
    except BadInput as wrong:
        raise Rejected(
            f"The account’s own address can’t be used: {wrong}", advice="Correct it in the account."
        ) from None


def envelope(parcel: Parcel) -> tuple[str, list[str]]:
    """The sender's address and everyone's who gets this part (To, Cc and Bcc), each once, ready for the wire.

    Raises:
        Rejected: one of them is no mail address, or there is nobody.
    """
    everyone: dict[str, str] = {}
    for group in _people(parcel):
        for one in group:
            address = wire_address(one.address)
            everyone.setdefault(address.lower(), address)
    if not everyone:
        raise Rejected("Nobody is named to send it to.", advice="Put an address into To.")
    return wire_address(sender(parcel.account).address), list(everyone.values())


def needs_smtputf8(addresses: Iterable[str]) -> bool:
    """Whether an address has a local part that only a server with SMTPUTF8 takes."""
    return not all(address.rpartition("@")[0].isascii() for address in addresses)


def _people(parcel: Parcel) -> tuple[tuple[Recipient, ...], tuple[Recipient, ...], tuple[Recipient, ...]]:
    """To, Cc and Bcc of this part. A mail sent separately shows its one person and nobody else."""
    mail = parcel.content.mail or Mail()
    if mail.separately:
        if len(parcel.recipients) > 1:
            raise ValueError(f"A copy is for one person, not for {len(parcel.recipients)}.")
        return parcel.recipients, (), ()
    return parcel.recipients or mail.to, mail.cc, mail.bcc


# --- what can be said before sending ------------------------------------------------------------------------------


def check(content: Content) -> Iterator[Problem]:
    """What no mail can carry, whichever channel takes it. Pure; called while typing."""
    mail = content.mail or Mail()
    if mail.reply_to.strip():
        try:
            mails.parse_recipients(mail.reply_to)
        except BadInput as wrong:
            yield Problem(Level.ERROR, "reply_to", "The reply address can’t be used.", str(wrong), "reply_to")
    if mail.unsubscribe and not _is_unsubscribe(mails.fill(mail.unsubscribe, {})):
        yield Problem(
            Level.ERROR, "unsubscribe", "The unsubscribe address can’t be used.", _UNSUBSCRIBE_FORM, "unsubscribe",
        )  # fmt: skip
    names = {one.name for one in content.items[0].media}
    for missing in sorted(_named_pictures(mails.render(content).html) - name_forms(names).keys()):
        yield Problem(
            Level.WARNING, "cid", f"The mail shows “{missing}”, which is not attached.",
            "Attach a file with that name, or take it out of the HTML.",
        )  # fmt: skip


_LONGEST_LINK = 900  # octets, so that its line keeps below _LONGEST
_UNSUBSCRIBE_FORM = f"It begins with https: or mailto:, has no spaces, and at most {_LONGEST_LINK} characters."


def _is_unsubscribe(address: str) -> bool:
    has_form = address.startswith(("https://", "mailto:")) and not re.search(r"[\s<>\x00-\x1f]", address)
    return has_form and len(_percent_coded(address)) <= _LONGEST_LINK


# --- the whole ----------------------------------------------------------------------------------------------------


def build(parcel: Parcel, *, message_id: str, date: datetime, seven_bit: bool = False) -> bytes:
    """The finished mail with CRLF line ends. The same arguments give the same bytes.

    Bcc stands nowhere in it. A file whose name the HTML mentions as cid:NAME stands inside it, every other one
    is attached.

    Args:
        message_id: with its angle brackets.
        date: aware; when the mail says that it was written.
        seven_bit: encode everything, for servers that do not announce 8BITMIME (RFC 6152).

    Raises:
        Rejected: an address, or the address for unsubscribing, cannot be used.
        NotFound: a file is gone.
    """
    mail = parcel.content.mail or Mail()
    person = parcel.recipients[0] if len(parcel.recipients) == 1 else None
    rendered = mails.render(parcel.content, person)
    boundaries = _boundaries(message_id)
    body = _Body(parcel, boundaries, message_id, seven_bit).make(rendered)
    head = [
        f"Date: {format_datetime(date)}",
        _people_header("From", (sender(parcel.account),)),
        *_addressees(parcel),
        *reply_to_lines(mail),
        _text_header("Subject", rendered.subject),
        f"Message-ID: {message_id}",
        *unsubscribe_lines(mail, person),
        f"X-Mailer: {MAILER}",
        "MIME-Version: 1.0",
    ]
    return "".join(f"{line}\r\n" for line in head).encode() + body.serialised()


def _addressees(parcel: Parcel) -> Iterator[str]:
    to, cc, _ = _people(parcel)
    yield _people_header("To", to) if to else "To: undisclosed-recipients:;"
    if cc:
        yield _people_header("Cc", cc)


def reply_to_lines(mail: Mail) -> Iterator[str]:
    if mail.reply_to.strip():
        try:
            yield _people_header("Reply-To", mails.parse_recipients(mail.reply_to))
        except BadInput as wrong:
            raise Rejected(f"The reply address can’t be used: {wrong}", advice="Correct it in the mail.") from None


def unsubscribe_lines(mail: Mail, person: Recipient | None) -> Iterator[str]:
    """List-Unsubscribe (RFC 2369), and for a web address the promise of one click (RFC 8058)."""
    if not mail.unsubscribe:
        return
    values = mails.fields_of(person) if person else None
    address = mails.fill(mail.unsubscribe, values, lambda value: quote(value, safe=""))
    if not _is_unsubscribe(address):
        raise Rejected(f"The unsubscribe address “{_clean(address)[:100]}” can’t be used.", advice=_UNSUBSCRIBE_FORM)
    yield f"List-Unsubscribe: <{_ascii_link(address)}>"
    if address.startswith("https:"):
        yield "List-Unsubscribe-Post: List-Unsubscribe=One-Click"


def _ascii_link(address: str) -> str:
    host = urlsplit(address).hostname or ""
    if not host.isascii():
        address = address.replace(host, _ascii_domain(host, address), 1)
    return _percent_coded(address)


def _percent_coded(address: str) -> str:
    return quote(address, safe="!#$%&'()*+,/:;=?@[]~")


# --- headers ------------------------------------------------------------------------------------------------------


def _clean(text: str) -> str:
    """One line without control characters: nothing in it can begin another header."""
    kept = (" " if character.isspace() else character for character in text)
    return " ".join("".join(one for one in kept if unicodedata.category(one) not in ("Cc", "Cs")).split())


def _text_header(name: str, text: str) -> str:
    """A header with words in it, folded; outside ASCII as encoded words (RFC 2047)."""
    text = _clean(text)
    longest = max((len(word) for word in text.split()), default=0)
    if text.isascii() and "=?" not in text and longest < _PLAIN_PIECE:
        folded = textwrap.wrap(
            f"{name}: {text}", _LINE, break_long_words=False, break_on_hyphens=False, subsequent_indent=" "
        )
        return "\r\n".join(folded) if text else f"{name}: "
    return f"{name}: " + _encoded_words(text)


def _encoded_words(text: str) -> str:
    """The text in pieces of at most 75 characters, cut between characters."""
    pieces, piece = [], ""
    for character in text:
        if len((piece + character).encode()) > _WORD_BYTES:
            pieces.append(piece)
            piece = ""
        piece += character
    encoded = (base64.b64encode(piece.encode()).decode() for piece in [*pieces, piece])
    return "\r\n ".join(f"=?utf-8?B?{word}?=" for word in encoded)


def _people_header(name: str, people: Iterable[Recipient]) -> str:
    """An address on each line."""
    return f"{name}: " + ",\r\n ".join(_person(one) for one in people)


def _person(one: Recipient) -> str:
    address, name = wire_address(one.address), _clean(one.name)
    if not name:
        return address
    if not name.isascii() or "=?" in name or len(name) > _PLAIN_PIECE:
        return f"{_encoded_words(name)} <{address}>"
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+", name):
        name = _quoted(name)
    return f"{name} <{address}>"


def _quoted(text: str) -> str:
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    return f'"{escaped}"'


def _parameter(name: str, value: str) -> str:
    """A parameter of a MIME header on lines of its own; long or outside ASCII as RFC 2231 has it."""
    value = _clean(value)
    if value.isascii() and len(value) <= _PLAIN_PIECE:
        return f";\r\n {name}={_quoted(value)}"
    pieces, piece = [], "utf-8''"
    for character in value:
        encoded = quote(character, safe="")
        if len(piece) + len(encoded) > _PLAIN_PIECE:
            pieces.append(piece)
            piece = ""
        piece += encoded
    pieces.append(piece)
    if len(pieces) == 1:
        return f";\r\n {name}*={pieces[0]}"
    return "".join(f";\r\n {name}*{number}*={piece}" for number, piece in enumerate(pieces))


# --- the body -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    """A MIME entity: its header lines, and its content as it goes over the wire."""

    head: tuple[str, ...]
    content: bytes

    def serialised(self) -> bytes:
        return "".join(f"{line}\r\n" for line in self.head).encode("ascii") + _CRLF + self.content


def _boundaries(message_id: str) -> Iterator[str]:
    """Lines that no content can hold: "=_" is in neither base64 nor quoted-printable, and nobody can guess the rest."""
    seed = hashlib.sha256(message_id.encode()).hexdigest()[:32]
    return (f"=_{seed}_{number}" for number in range(10))


@dataclass(frozen=True, slots=True)
class _Body:
    """Builds what stands below the mail's own headers."""

    parcel: Parcel
    boundaries: Iterator[str]
    message_id: str
    seven_bit: bool

    def make(self, rendered: mails.Rendered) -> _Part:
        source, inside = self._placed(rendered.html)
        body = self._text("plain", rendered.text)
        if source:
            page = self._text("html", source)
            if inside:
                page = self._multipart('related;\r\n type="text/html"', [page, *inside.values()])
            body = self._multipart("alternative", [body, page])
        beside = [self._file(one) for one in self.parcel.item.media if one not in inside]
        return self._multipart("mixed", [body, *beside]) if beside else body

    def _placed(self, source: str) -> tuple[str, dict[Attachment, _Part]]:
        """The HTML with Content-IDs in place of file names, and the files that it shows."""
        inside: dict[Attachment, _Part] = {}
        forms = name_forms(one.name for one in reversed(self.parcel.item.media))
        files = {one.name: one for one in reversed(self.parcel.item.media)}
        domain = self.message_id.strip("<>").rpartition("@")[2]

        def place(hit: re.Match[str]) -> str:
            attachment = files[forms[hit[1]]]
            content_id = f"{attachment.sha256[:32]}@{domain}"
            inside[attachment] = self._file(attachment, content_id)
            return f"cid:{content_id}"

        return (mention(forms).sub(place, source) if forms else source), inside

    def _text(self, subtype: str, text: str) -> _Part:
        encoding, content = _encoded(text, self.seven_bit)
        head = (f"Content-Type: text/{subtype}; charset=utf-8", f"Content-Transfer-Encoding: {encoding}")
        return _Part(head, content)

    def _file(self, attachment: Attachment, content_id: str = "") -> _Part:
        path = self.parcel.file(attachment)
        try:
            data = path.read_bytes()
        except OSError as wrong:
            raise Rejected(f"{attachment.name} can’t be read: {wrong.strerror}.", advice="Attach it again.") from None
        head = [
            f"Content-Type: {_media_type(attachment.mime)}" + _parameter("name", attachment.name),
            "Content-Transfer-Encoding: base64",
            f"Content-Disposition: {'inline' if content_id else 'attachment'}"
            + _parameter("filename", attachment.name),
        ]
        if content_id:
            head.append(f"Content-ID: <{content_id}>")
        elif attachment.alt:
            head.append(_text_header("Content-Description", attachment.alt))
        return _Part(tuple(head), _base64(data))

    def _multipart(self, subtype: str, parts: list[_Part]) -> _Part:
        boundary = next(self.boundaries)
        opening = f"--{boundary}\r\n".encode()
        content = b"".join(opening + part.serialised() + _CRLF for part in parts)
        head = (f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"',)
        return _Part(head, content + f"--{boundary}--\r\n".encode())


def name_forms(names: Iterable[str]) -> dict[str, str]:
    """Every way in which HTML may write a file's name behind "cid:", each with the name."""
    ways = (str, html.escape, quote, lambda name: quote(name, safe=""))
    return {way(name): name for name in names for way in ways}


def mention(forms: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(forms, key=len, reverse=True)
    return re.compile(rf"\bcid:({'|'.join(map(re.escape, longest_first))})(?=[\"'\s)>]|$)")


def _named_pictures(source: str) -> set[str]:
    """What an HTML text wants to show from the mail itself."""
    return {hit[2] for hit in re.finditer(r"""(["'])cid:(.+?)\1""", source)}


def _media_type(mime: str) -> str:
    """The type as declared. A mail may not be encoded inside a mail (RFC 2046 section 5.2.1), so it is a plain file."""
    usable = re.fullmatch(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+", mime.lower())
    if not usable or mime.lower().startswith(("message/", "multipart/")):
        return "application/octet-stream"
    return mime.lower()


def _encoded(text: str, seven_bit: bool) -> tuple[str, bytes]:
    """Text for the wire and the name of its encoding: as it is where the lines allow, else whichever is shorter."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    data = "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace")
    longest = max(len(line) for line in data.split(_CRLF))
    if not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]| \r\n", data):
        if data.isascii() and longest <= _LINE:
            return "7bit", data
        if not seven_bit and not data.isascii() and longest <= _LONGEST:
            return "8bit", data
    quoted, packed = binascii.b2a_qp(data, istext=True), _base64(data)
    return ("quoted-printable", quoted) if len(quoted) <= len(packed) else ("base64", packed)


def _base64(data: bytes) -> bytes:
    """Lines of 76 characters (RFC 2045 section 6.8)."""
    return base64.encodebytes(data).replace(b"\n", _CRLF)
