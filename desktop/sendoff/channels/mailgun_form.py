"""What is posted to Mailgun: a mail as the parts of a form, with a value for each person where each gets a copy."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from sendoff.channels import mime
from sendoff.domain import mail as mails
from sendoff.domain.channel import Parcel
from sendoff.domain.errors import Rejected
from sendoff.domain.post import Attachment, Content, Mail, Recipient
from sendoff.domain.text import FIELD

Part = tuple[str, tuple[str | None, str | bytes] | tuple[str, bytes, str]]
"""One part of a multipart form: (its field, (file name or None, content[, type]))."""

CHOSEN = {
    "tracking": "o:tracking",
    "tracking_opens": "o:tracking-opens",
    "tracking_clicks": "o:tracking-clicks",
    "deliver_within": "o:deliver-within",
    "ip_pool": "o:sending-ip-pool",
}
SWITCHED = {"test_mode": "o:testmode", "require_tls": "o:require-tls"}


def builds_mime(parcel: Parcel) -> bool:
    """Whether Sendoff builds the finished message: when told to, and where Mailgun's own builder gets names wrong.

    Never for copies to several people: only Mailgun's form fills in each person's own values.
    """
    if is_batch(parcel):
        return False
    mail = parcel.content.mail or Mail()
    people = (mime.sender(parcel.account), *parcel.recipients, *mail.cc, *mail.bcc)
    odd = any(name_suffers(one.name) for one in people) or any(file_suffers(one) for one in parcel.item.media)
    return parcel.options.get("mime") == "mime" or odd


def is_batch(parcel: Parcel) -> bool:
    mail = parcel.content.mail or Mail()
    return mail.separately and len(parcel.recipients) > 1


def name_suffers(name: str) -> bool:
    """A display name outside ASCII with one of ( ) , " arrives within quotes that nobody wrote.

    github.com/anymail/django-anymail/issues/270, confirmed there by Mailgun in 2022, who advise messages.mime.
    """
    return not name.isascii() and bool(re.search(r'[(),"]', name))


def file_suffers(attachment: Attachment) -> bool:
    """A form quotes these in file names in ways that servers read differently (RFC 7578 section 4.2)."""
    return bool(re.search(r'["\\\x00-\x1f\x7f]', attachment.name)) or not attachment.name.strip()


# --- the whole ----------------------------------------------------------------------------------------------------


def of_mime(parcel: Parcel, message: bytes) -> list[Part]:
    """A finished message for /messages.mime; its envelope is everyone of To, Cc and Bcc."""
    _, addresses = mime.envelope(parcel)
    return [
        *(("to", (None, address)) for address in addresses),
        ("message", ("message.mime", message, "message/rfc822")),
        *_plain(options(parcel.options)),
    ]


def of_fields(parcel: Parcel, message_id: str) -> list[Part]:
    """A mail for /messages.

    Raises:
        Rejected: an address cannot be used, or a file is gone.
        NotFound: a file is gone.
    """
    letter = batch(parcel) if is_batch(parcel) else single(parcel)
    page, inside = _placed(_own_links(letter.html), parcel.item.media)
    files = [_file("inline", name, one, parcel) for one, name in inside.items()]
    files += [_file("attachment", one.name, one, parcel) for one in parcel.item.media if one not in inside]
    return [
        ("from", (None, spec(mime.sender(parcel.account)))),
        *_addressees(parcel),
        ("subject", (None, letter.subject)),
        *_plain([(name, body) for name, body in (("text", letter.text), ("html", page)) if body]),
        ("h:Message-Id", (None, message_id)),
        *_plain(letter.headers),
        *_plain(options(parcel.options)),
        *_plain([("recipient-variables", json.dumps(letter.variables))] if letter.variables else []),
        *files,
    ]


def _plain(pairs: list[tuple[str, str]]) -> Iterator[Part]:
    return ((name, (None, value)) for name, value in pairs)


def _addressees(parcel: Parcel) -> Iterator[Part]:
    """Everyone, each in a field of the own. In a batch a name that would suffer stays out; its owner knows it."""
    mail = parcel.content.mail or Mail()
    alone = is_batch(parcel)
    for one in parcel.recipients:
        yield "to", (None, spec(replace(one, name="") if alone and name_suffers(one.name) else one))
    if not mail.separately:
        for role, people in (("cc", mail.cc), ("bcc", mail.bcc)):
            yield from ((role, (None, spec(one))) for one in people)


def spec(one: Recipient) -> str:
    """`Name <address>` as the form takes it: names in any script as they are, quoted where they must be."""
    address = mime.wire_address(one.address)
    name = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", one.name).split())
    if not name:
        return address
    if re.search(r"[()<>\[\]:;@\\,.\"]", name):
        name = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    return f"{name} <{address}>"


def options(chosen: Mapping[str, str]) -> list[tuple[str, str]]:
    """The o: fields. What is left as the domain has it is not sent at all."""
    found = [("o:tag", tag) for tag in tags(chosen)]
    found += [(name, chosen[key].strip()) for key, name in CHOSEN.items() if chosen.get(key, "").strip()]
    return found + [(name, "yes") for key, name in SWITCHED.items() if chosen.get(key) == "yes"]


def tags(chosen: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(tag.strip() for tag in chosen.get("tags", "").split(",") if tag.strip()))


def headers(mail: Mail, person: Recipient | None = None) -> list[tuple[str, str]]:
    """The h: fields, each on one line.

    Raises:
        Rejected: the reply address or the address for unsubscribing cannot be used.
    """
    lines = [*mime.reply_to_lines(mail), *mime.unsubscribe_lines(mail, person)]
    split = (line.replace("\r\n", "").partition(": ") for line in lines)
    return [(f"h:{name}", value) for name, _, value in split]


# --- the words ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's words. `variables` are the recipient variables of a batch: address → name → value."""

    subject: str
    text: str
    html: str
    headers: list[tuple[str, str]]
    variables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def single(parcel: Parcel) -> Letter:
    """One mail for all, or for the one person that there is."""
    mail = parcel.content.mail or Mail()
    alone = len(parcel.recipients) == 1 and not (mail.cc or mail.bcc)
    person = parcel.recipients[0] if alone else None
    rendered = mails.render(parcel.content, person)
    return Letter(rendered.subject, rendered.text, rendered.html, headers(mail, person))


def batch(parcel: Parcel) -> Letter:
    """One form for many: each merge field becomes a recipient variable, with its value worked out here.

    The fields are taken out before the mail is rendered and put in afterwards, so that neither Markdown nor an
    address of a link can break the %recipient.…% that Mailgun looks for.
    """
    marks = _Marks(f"zq{parcel.key[:12]}z")
    rendered = mails.render(_each(parcel.content, marks.mark))
    mail = parcel.content.mail or Mail()
    unsubscribing = replace(mail, unsubscribe=marks.mark(mail.unsubscribe))
    letter = Letter(
        subject=marks.put("s", rendered.subject),
        text=marks.put("t", rendered.text),
        html=marks.put("h", rendered.html),
        headers=[(name, marks.put("u", value)) for name, value in headers(unsubscribing)],
    )
    people = {mime.wire_address(one.address): marks.values(one) for one in parcel.recipients}
    return replace(letter, variables=people)


def _own_links(page: str) -> str:
    """Mailgun's own link for unsubscribing, as the target of a Markdown link, lost its percent signs to their code."""
    return re.sub(r"%25((?:tag_|mailing_list_)?unsubscribe_(?:url|email))%25", r"%\1%", page)


def _each(content: Content, change: Callable[[str], str]) -> Content:
    """The content with every text that may hold merge fields changed."""
    mail = content.mail or Mail()
    mail = replace(mail, subject=change(mail.subject), preheader=change(mail.preheader), html=change(mail.html))
    item = replace(content.items[0], text=change(content.items[0].text))
    return replace(content, items=(item, *content.items[1:]), mail=mail)


_WRITTEN: Mapping[str, Callable[[str], str]] = {
    "s": lambda value: " ".join(value.split()),
    "t": str,
    "h": html.escape,
    "u": lambda value: quote(value, safe=""),
}
"""How a value is written in the subject, the text, the HTML, and an address."""


class _Marks:
    """The merge fields of one mail: where they stood, and which ways of writing them are needed."""

    def __init__(self, sign: str) -> None:
        self._sign = sign  # letters and digits only, so that no Markdown and no address changes it
        self._fields: list[str] = []
        self._used: set[tuple[str, int]] = set()

    def mark(self, text: str) -> str:
        """The text with a sign of ours for each merge field."""

        def sign(found: str) -> str:
            if found not in self._fields:
                self._fields.append(found)
            return f"{self._sign}{self._fields.index(found)}z"

        return FIELD.sub(lambda hit: sign(hit[0]), text)

    def put(self, way: str, text: str) -> str:
        """The text with Mailgun's variables in place of the signs."""

        def variable(hit: re.Match[str]) -> str:
            self._used.add((way, int(hit[1])))
            return f"%recipient.{way}{hit[1]}%"

        return re.sub(rf"{self._sign}(\d+)z", variable, text)

    def values(self, person: Recipient) -> dict[str, str]:
        """This person's value of every variable; what is missing has become its fallback."""
        known = mails.fields_of(person)
        return {
            f"{way}{number}": _WRITTEN[way](mails.fill(self._fields[number], known))
            for way, number in sorted(self._used)
        }


# --- files --------------------------------------------------------------------------------------------------------


def _placed(page: str, media: tuple[Attachment, ...]) -> tuple[str, dict[Attachment, str]]:
    """The HTML, and the files that it shows, each with the name that is its Content-ID at Mailgun.

    Mailgun makes the file name the Content-ID, so a name that is none gets a short one. One that ends like a
    domain is blocked by Gmail (github.com/anymail/django-anymail/issues/112).
    """
    forms = mime.name_forms(one.name for one in reversed(media))
    files = {one.name: one for one in reversed(media)}
    inside: dict[Attachment, str] = {}

    def place(hit: re.Match[str]) -> str:
        attachment = files[forms[hit[1]]]
        inside.setdefault(attachment, _content_id(attachment, len(inside) + 1))
        return f"cid:{inside[attachment]}"

    return (mime.mention(forms).sub(place, page) if forms else page), inside


def _content_id(attachment: Attachment, number: int) -> str:
    if re.fullmatch(r"[A-Za-z0-9_-]{1,60}\.(png|jpe?g|gif|webp|svg)", attachment.name):
        return attachment.name
    ending = re.sub(r"[^a-z0-9]", "", attachment.mime.rpartition("/")[2].lower())[:8] or "bin"
    return f"img{number}.{ending}"


def _file(role: str, name: str, attachment: Attachment, parcel: Parcel) -> Part:
    try:
        data = parcel.file(attachment).read_bytes()
    except OSError as wrong:
        raise Rejected(f"{attachment.name} can’t be read: {wrong.strerror}.", advice="Attach it again.") from None
    return role, (name, data, attachment.mime)
