"""How networks count and mark text: graphemes, links, mentions, tags. Long ones are cut in split.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import regex

from sendoff.domain.capabilities import Capabilities

GRAPHEME = regex.compile(r"\X")

# A link as Mastodon's server recognises it (its length validator: app/validators/status_length_validator.rb with
# twitter-text's host names and the paths of config/initializers/twitter_regex.rb): http or https, a host name with a
# top-level name of letters and no underscore in the last two parts, no user name, no address in numbers, not glued to
# a preceding letter, digit, @ or $. A path may be in any script; only Latin may stand in a query, as in its web page,
# which counts more and is the safe side.
_LABEL = r"[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?"
_TOP = r"(?:xn--[a-z0-9-]+|\p{Latin}{2,}|(?:(?!\p{Latin})\p{L}){2,})(?![a-z0-9@+-])"  # in one script
_HOST = rf"(?:[\p{{L}}\p{{N}}](?:[\p{{L}}\p{{N}}_-]*[\p{{L}}\p{{N}}])?\.)*{_LABEL}\.{_TOP}"
_PATH_PART = r"[^\s<>()?]"
_BALANCED = rf"\((?:{_PATH_PART}+|{_PATH_PART}*\({_PATH_PART}+\){_PATH_PART}*)\)"
_PATH_END = rf"""(?:[^\s()?!*"'「」<>;:=,.$%\[\]~&|@]|{_BALANCED})"""
_PATH = rf"(?:{_PATH_PART}*(?:{_BALANCED}{_PATH_PART}*)*{_PATH_END}|{_PATH_PART}+/)"
_QUERY = r"[a-z0-9!?*'();:&=+$/%#\[\]\-_.,~|@]*[a-z0-9\-_&=#/]"
LINK = regex.compile(
    rf"(?<![\p{{L}}\p{{N}}@$/])https?://{_HOST}(?::\d+)?(?:/{_PATH}*)?(?:\?{_QUERY})?",
    regex.IGNORECASE,
)
# Mastodon's Account::MENTION_RE: the name, and behind a second @ the server, which is not counted.
MENTION = regex.compile(
    r"(?<![=/\p{L}\p{N}])@(?P<name>[a-z0-9_]+(?:[.-]+[a-z0-9_]+)*)(?:@(?P<host>[\p{L}\p{N}.-]+[\p{L}\p{N}]+))?",
    regex.IGNORECASE,
)
TAG = regex.compile(r"(?:^|(?<=\s))[#＃](?=[\p{L}\p{N}_·]*\p{L})[\p{L}\p{M}\p{N}_·]+")
FIELD = regex.compile(r"\{\{\s*([\p{L}_][\p{L}\p{N}_.-]*)\s*(?:\|([^{}]*))?\}\}")


class Mark(StrEnum):
    """What a stretch of text is, for the editor and the previews."""

    LINK = "link"
    MENTION = "mention"
    TAG = "tag"
    FIELD = "field"


@dataclass(frozen=True, slots=True)
class Span:
    """A marked stretch: `start` and `end` count Python characters (code points), end exclusive."""

    start: int
    end: int
    mark: Mark


def marks(text: str) -> list[Span]:
    """The links, mentions, tags and merge fields of a text, in order, never overlapping."""
    found: list[Span] = []
    taken = bytearray(len(text))
    for mark, pattern in ((Mark.FIELD, FIELD), (Mark.LINK, LINK), (Mark.MENTION, MENTION), (Mark.TAG, TAG)):
        for hit in pattern.finditer(text):
            start, end = hit.span()
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                found.append(Span(start, end, mark))
    return sorted(found, key=lambda span: span.start)


def graphemes(text: str) -> list[str]:
    """The characters as a reader sees them: a family emoji is one."""
    return GRAPHEME.findall(text)


def _count_graphemes(text: str, _: Capabilities) -> int:
    return len(graphemes(text))


def _count_codepoints(text: str, _: Capabilities) -> int:
    return len(text)


def _count_bytes(text: str, _: Capabilities) -> int:
    return len(text.encode())


def _count_mastodon(text: str, capabilities: Capabilities) -> int:
    """Graphemes, with every link as `url_length` and a mention without its server (status_length_validator.rb)."""
    placeholder = "x" * (capabilities.url_length or 23)
    shortened = LINK.sub(placeholder, text)
    return len(graphemes(MENTION.sub(r"@\g<name>", shortened)))


COUNTERS: dict[str, Callable[[str, Capabilities], int]] = {
    "graphemes": _count_graphemes,
    "codepoints": _count_codepoints,
    "bytes": _count_bytes,
    "mastodon": _count_mastodon,
}
"""How text is counted, by the name that a channel declares. A channel whose network counts in its own way adds it."""


def count(text: str, capabilities: Capabilities) -> int:
    """The length of a text as this endpoint counts it."""
    return _counted(text, capabilities)


@lru_cache(maxsize=512)
def _counted(text: str, capabilities: Capabilities) -> int:
    return COUNTERS[capabilities.counter](text, capabilities)


def warning_size(capabilities: Capabilities, options: Mapping[str, str]) -> int:
    """The characters of each item's limit that a content warning takes."""
    warning = options.get("spoiler_text", "")
    return count(warning, capabilities) if warning else 0


def filled(text: str, capabilities: Capabilities, spare: int = 0) -> int:
    """How much of the limit a text takes: its length and `spare`, and more than the limit if it has too many bytes."""
    taken = count(text, capabilities) + spare
    if capabilities.text is None or taken > capabilities.text or not _has_too_many_bytes(text, capabilities):
        return taken
    return capabilities.text + len(graphemes(text[fitting(text, capabilities, spare) :]))


def _has_too_many_bytes(text: str, capabilities: Capabilities) -> bool:
    return capabilities.text_bytes is not None and len(text.encode()) > capabilities.text_bytes


FAR = 20
"""How many times the limit a text may be long and still be counted whole: links can make a long one short."""


def fitting(text: str, capabilities: Capabilities, spare: int = 0) -> int:
    """How many of the first code points fit the limit; cut only between graphemes.

    Args:
        spare: characters to leave free, for a content warning or a number.
    """
    if capabilities.text is None:
        return len(text)
    limit = capabilities.text - spare

    def fits(start: str) -> bool:
        return count(start, capabilities) <= limit and not _has_too_many_bytes(start, capabilities)

    if len(text) <= FAR * limit and fits(text):
        return len(text)
    window = text[: max(FAR * limit, 1)]
    ends = [hit.end() for hit in GRAPHEME.finditer(window)]
    if len(window) < len(text) and len(ends) > 1:
        ends.pop()  # it may go on behind the window
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(text[: ends[middle - 1]]):
            low = middle
        else:
            high = middle - 1
    return ends[low - 1] if low else 0
