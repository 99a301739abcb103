"""What a mail says to one person: merge fields filled, Markdown rendered, a plain alternative made."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser

from sendoff.domain.errors import BadInput
from sendoff.domain.post import Content, Mail, Markup, Recipient
from sendoff.domain.text import FIELD


@dataclass(frozen=True, slots=True)
class Rendered:
    """The finished words of one mail. `html` is "" for a plain one."""

    subject: str
    text: str
    html: str


def render(content: Content, recipient: Recipient | None = None) -> Rendered:
    """Fills and renders a mail, for one person or (recipient None) with the placeholders left as they stand."""
    mail = content.mail or Mail()
    values = fields_of(recipient) if recipient else None
    body = content.items[0].text
    if mail.markup is Markup.HTML:
        source = fill(mail.html, values, html.escape)
        text = fill(body, values) or plain_from_html(source)
    elif mail.markup is Markup.MARKDOWN:
        source = from_markdown(fill(body, values))
        text = fill(body, values)
    else:
        source, text = "", fill(body, values)
    if source:
        source = _page(source, fill(mail.preheader, values, html.escape))
    return Rendered(subject=_one_line(fill(mail.subject, values)), text=text, html=source)


def fill(template: str, values: Mapping[str, str] | None, escape: Callable[[str], str] = str) -> str:
    """Puts values in place of {{name}} and {{name|fallback}}; with values None the text stays as it is."""
    if values is None:
        return template
    return FIELD.sub(lambda hit: escape(values.get(hit[1].lower()) or hit[2] or ""), template)


def placeholders(content: Content) -> dict[str, bool]:
    """The merge fields that a mail names, each with whether every place has a fallback."""
    mail = content.mail or Mail()
    named: dict[str, bool] = {}
    for template in (mail.subject, mail.preheader, mail.html, mail.unsubscribe, content.items[0].text):
        for hit in FIELD.finditer(template):
            named[hit[1].lower()] = named.get(hit[1].lower(), True) and hit[2] is not None
    return named


def fields_of(recipient: Recipient) -> dict[str, str]:
    """What fills the placeholders of this person's copy, by name in lower case."""
    own = {"email": recipient.address, "address": recipient.address, "name": recipient.name}
    return own | {name.lower(): value for name, value in recipient.fields.items()}


def from_markdown(text: str) -> str:
    """CommonMark with tables and bare links to HTML; raw HTML in the text is shown, not obeyed."""
    from markdown_it import MarkdownIt

    rendered: str = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).render(text)
    return rendered


_BODY_TAG = re.compile(r"<body[^>]*>", re.IGNORECASE)


def _page(body: str, preheader: str) -> str:
    """A whole page around a fragment; a page stays as it is but for the hidden preheader."""
    hidden = f'<div style="display:none;max-height:0;overflow:hidden">{preheader}</div>' if preheader else ""
    if re.search(r"<html[\s>]", body, re.IGNORECASE):
        return _BODY_TAG.sub(lambda tag: tag[0] + hidden, body, count=1)
    return (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>\n'
        f"<body>{hidden}\n{body}\n</body></html>\n"
    )


class _PlainText(HTMLParser):
    """Collects the words of a page: blocks on lines of their own, links with their address behind them."""

    BLOCKS = frozenset(
        {
            "p",
            "div",
            "br",
            "hr",
            "tr",
            "table",
            "ul",
            "ol",
            "li",
            "blockquote",
            "section",
            "article",
            "header",
            "footer",
        }
        | {f"h{size}" for size in range(1, 7)}
    )
    LINES = frozenset({"br", "div", "tr", "li"})
    SILENT = frozenset(("style", "script", "head", "title"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent = 0
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag in self.SILENT or "display:none" in (known.get("style") or "").replace(" ", ""):
            self._silent += tag not in ("br", "hr", "img", "meta", "link")
        if self._silent:
            return
        if tag in self.BLOCKS:
            self.pieces.append("\n- " if tag == "li" else "\n" if tag in self.LINES else "\n\n")
        elif tag == "a":
            self._links.append((known.get("href") or "", len(self.pieces)))
        elif tag == "img" and known.get("alt"):
            self.pieces.append(f"[{known['alt']}]")

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            self._silent -= tag in self.SILENT or tag == "div"
            return
        if tag == "a" and self._links:
            address, since = self._links.pop()
            if address.startswith(("http", "mailto")) and address not in "".join(self.pieces[since:]):
                self.pieces.append(f" ({address})")
        elif tag in self.BLOCKS and tag != "li":
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(re.sub(r"\s+", " ", data))


def plain_from_html(source: str) -> str:
    """The words of an HTML mail, for readers without HTML."""
    parser = _PlainText()
    parser.feed(source)
    parser.close()
    lines = (line.strip() for line in "".join(parser.pieces).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _one_line(text: str) -> str:
    return " ".join(text.split())


_WITH_NAME = re.compile(r'\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<name>[^<>]*?))\s*<(?P<address>[^<>]+)>\s*')


def parse_recipient(text: str) -> Recipient:
    """Reads `ada@example.org` or `Ada Lovelace <ada@example.org>`, in any script; no look-up, no network.

    Raises:
        BadInput: it is no mail address; the message says which one and why.
    """
    from email_validator import EmailNotValidError, validate_email  # loading it costs a start of the program a tenth

    named = _WITH_NAME.fullmatch(text)
    address = (named["address"] if named else text).strip()
    name = (
        re.sub(r"\\(.)", r"\1", named["quoted"])
        if named and named["quoted"] is not None
        else (named["name"] if named else "")
    )
    if any(character in text for character in "\r\n\0"):
        raise BadInput(f"An address cannot hold a line break: “{' '.join(text.split())}”.")
    try:
        checked = validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as wrong:
        raise BadInput(f"“{address}” is not a mail address: {wrong}") from None
    return Recipient(checked.normalized, " ".join(name.split()))


def parse_recipients(text: str) -> tuple[Recipient, ...]:
    """Reads several addresses between commas, semicolons or line ends (a comma in quotes is part of a name)."""
    parts = re.findall(r'(?:[^,;\n"]|"(?:[^"\\]|\\.)*"|")+', text)
    return tuple(parse_recipient(part) for part in parts if part.strip())
