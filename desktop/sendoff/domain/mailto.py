"""mailto: links (RFC 6068): what a page wants a mail to begin with. It fills fields; it never sends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from sendoff.domain.errors import BadInput

SCHEME = "mailto:"
LONGEST = 100_000
"""Characters of a link, or of a text from another program. More is no post that somebody wants to look over."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_IN_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Mailto:
    """Addresses as one types them, with commas between; whether they are right is seen in the composer."""

    to: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    body: str = ""


def is_mailto(text: str) -> bool:
    return text[: len(SCHEME)].lower() == SCHEME


def parse(link: str) -> Mailto:
    """Reads a link. To, Cc, Bcc, Subject and Body are taken, the first two as often as they stand there.

    Every other field is left out, as RFC 6068 section 4 has it for fields that are not known to be safe: what a page
    names to be attached would otherwise leave this computer, and a From would be somebody else's.

    Raises:
        BadInput: it is no such link, it is too long, or a field carries a line break, by which a page could put in
            headers of its own (section 7).
    """
    if not is_mailto(link):
        raise BadInput("That is no mailto: link.")
    if len(link) > LONGEST:
        raise BadInput(f"That mailto: link has more than {LONGEST:,} characters. Nothing was taken from it.")
    path, _, query = link[len(SCHEME) :].partition("#")[0].partition("?")
    fields: dict[str, list[str]] = {"to": [_line("To", path)]}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        name = unquote(name).strip().lower()
        if name == "body":
            fields.setdefault(name, []).append(_text(value))
        elif name in ("to", "cc", "bcc", "subject"):
            fields.setdefault(name, []).append(_line(name.capitalize(), value))
    to, cc, bcc = (", ".join(one for one in fields.get(name, []) if one) for name in ("to", "cc", "bcc"))
    return Mailto(to, cc, bcc, *("".join(fields.get(name, [])[:1]) for name in ("subject", "body")))


def plain_text(text: str) -> str:
    """A text from another program: its line ends made ours, and without control characters.

    Raises:
        BadInput: it is too long.
    """
    if len(text) > LONGEST:
        raise BadInput(f"That text has more than {LONGEST:,} characters. Attach it as a file.")
    return _CONTROL_IN_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _line(name: str, value: str) -> str:
    """A field of one line. A plus sign is a plus sign here, not a blank (section 5)."""
    decoded = unquote(value)
    if _CONTROL.search(decoded):
        raise BadInput(
            f"That mailto: link has a line break or another control character in its field {name}, by which it could "
            "put in more than one sees. Nothing was taken from it."
        )
    return decoded.strip()


def _text(value: str) -> str:
    return plain_text(unquote(value))
