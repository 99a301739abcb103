"""Text as Telegram formats it: what is sent, what a reader sees of it and Telegram counts, what it can't read."""

from __future__ import annotations

import html
from functools import lru_cache

import regex

from sendoff.domain.capabilities import Capabilities
from sendoff.domain.text import COUNTERS, LINK, Mark, Span

PLAIN, MARKDOWN, HTML = "", "markdown", "html"

TAGS = frozenset(
    {
        "a", "b", "blockquote", "code", "del", "em", "i", "ins", "pre", "s", "span", "strike", "strong", "tg-emoji",
        "tg-spoiler", "tg-time", "u",
    }
)  # fmt: skip
"""What parse_mode HTML takes (core.telegram.org/bots/api, HTML style, June 2026)."""

_TAG = regex.compile(
    r"""<(/?)([A-Za-z][A-Za-z0-9-]*)((?:\s+[A-Za-z-]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))?)*)\s*>"""
)
_ENTITY = regex.compile(r"&(?:lt|gt|amp|quot|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});")


_LETTERS = r"\p{Nd}\p{L}_\u200c\xb7\u0d80-\u0dff"
_HASHTAG = regex.compile(rf"(?<![{_LETTERS}])#(?=[{_LETTERS}]*\p{{L}})[{_LETTERS}]{{1,256}}+(?![{_LETTERS}]*#)")
_CASHTAG = regex.compile(rf"(?<![${_LETTERS}])\$(?:1INCH|[A-Z]{{1,8}}+)(?![${_LETTERS}])")
_MENTION = regex.compile(r"(?<![\p{L}\p{N}_])@[A-Za-z0-9_]{4,32}+(?![\p{L}\p{N}_])")
"""What Telegram makes of a text by itself (td/telegram/MessageEntity.cpp at github.com/tdlib/td, 2026-11-27). Names of
two and three characters are a few of Telegram's own."""


def marks(text: str) -> list[Span]:
    """The links, mentions, hashtags and cashtags of a text. Of names without https:// only some become links there,
    so they stay as they are."""
    found: list[Span] = []
    for mark, pattern in ((Mark.LINK, LINK), (Mark.MENTION, _MENTION), (Mark.TAG, _HASHTAG), (Mark.TAG, _CASHTAG)):
        for hit in pattern.finditer(text):
            if not any(hit.start() < one.end and one.start < hit.end() for one in found):
                found.append(Span(*hit.span(), mark))
    return sorted(found, key=lambda one: one.start)


def sent(text: str, written: str) -> str | None:
    """The text for parse_mode HTML, or None where it goes as it is."""
    if written == HTML:
        return text
    return _from_markdown(text) if written == MARKDOWN else None


def shown(text: str, written: str) -> str:
    """What a reader sees, and Telegram counts: the text without its marks."""
    source = sent(text, written)
    return text if source is None else _ENTITY.sub(lambda hit: html.unescape(hit[0]), _TAG.sub("", source))


def wrong(text: str) -> str:
    """What Telegram can't read in a text written as HTML, for a person; "" where all is well."""
    open_tags: list[str] = []
    for hit in regex.finditer(r"<", text):
        tag = _TAG.match(text, hit.start())
        if tag is None:
            return f"“{text[hit.start() : hit.start() + 20]}” is no tag. Write &lt; for a “<” of the text."
        closes, name = tag[1] == "/", tag[2].lower()
        if name not in TAGS:
            return f"Telegram has no <{name}>."
        if not closes:
            open_tags.append(name)
        elif not open_tags or open_tags.pop() != name:
            return f"</{name}> closes what is not open."
    return f"<{open_tags[-1]}> is not closed." if open_tags else ""


@lru_cache(maxsize=64)
def _from_markdown(text: str) -> str:
    """**bold**, *italic*, ~~struck~~, `code` and [words](address); all else, white space too, stays as it is."""
    from markdown_it import MarkdownIt

    rules = ["emphasis", "strikethrough", "backticks", "link", "escape"]
    tokens = MarkdownIt("zero").enable(rules).parseInline(text)[0].children or []
    pieces = []
    for token in tokens:
        if token.type == "code_inline":
            pieces.append(f"<code>{html.escape(token.content, quote=False)}</code>")
        elif token.type == "link_open":
            pieces.append(f'<a href="{html.escape(str(token.attrs.get("href", "")))}">')
        elif token.type in _MARKS:
            pieces.append(_MARKS[token.type])
        else:
            pieces.append(html.escape(token.content, quote=False))
    return "".join(pieces)


_MARKS = {
    "strong_open": "<b>", "strong_close": "</b>", "em_open": "<i>", "em_close": "</i>", "s_open": "<s>",
    "s_close": "</s>", "link_close": "</a>", "softbreak": "\n", "hardbreak": "\n",
}  # fmt: skip


def _counting(written: str) -> None:
    def count(text: str, _: Capabilities) -> int:
        return len(shown(text, written))

    COUNTERS[f"telegram_{written}"] = count


_counting(MARKDOWN)
_counting(HTML)
