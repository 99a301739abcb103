"""Rich text as Bluesky's own client finds it: links, mentions, tags, and where they stand in UTF-8 bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import regex

from sendoff import resources
from sendoff.domain.text import Mark, Span, graphemes

# The patterns of packages/api/src/rich-text (github.com/bluesky-social/atproto at d6296a1c, 2026-08-20). What is white
# space and where a word ends is said out, because JavaScript means other characters by \s and \b than Python does.
_SPACE = r"\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_UNSEEN = r"\xad\u2060\u200a\u200b\u200c\u200d\u20e2"  # characters without width end a tag
_BEFORE = rf"(?:^|[{_SPACE}(])"
_MENTION = regex.compile(rf"{_BEFORE}(?P<shown>@(?P<handle>[a-zA-Z0-9.-]+))\b", regex.ASCII)
_LINK = regex.compile(
    rf"{_BEFORE}(?P<shown>https?://[^{_SPACE}]+|(?P<domain>[a-z][a-z0-9]*(?:\.[a-z0-9]+)+)[^{_SPACE}]*)",
    regex.IGNORECASE | regex.MULTILINE | regex.ASCII,
)
_TAG = regex.compile(
    rf"(?:^|[{_SPACE}])(?P<sign>[#＃])"
    rf"(?P<tag>(?!\ufe0f)[^{_SPACE}{_UNSEEN}]*[^0-9{_SPACE}\p{{P}}{_UNSEEN}]+[^{_SPACE}{_UNSEEN}]*)"
)
_CASHTAG = regex.compile(
    rf"{_BEFORE}(?P<shown>\$(?P<ticker>[A-Za-z][A-Za-z0-9]{{0,4}}))(?=[{_SPACE}.,;:!?)\"'\u2019]|$)"
)
_TRAILING = regex.compile(r"\p{P}+$")
_URI = regex.compile(rf"[A-Za-z0-9_]+:(//)?[^{_SPACE}/][^{_SPACE}]*")
"""What the server takes for an address (packages/syntax, ensureValidUri); anything else would cost the whole post."""

TAG_GRAPHEMES, TAG_BYTES = 64, 640
"""The longest tag (lexicon app.bsky.richtext.facet)."""

PREFIX = "app.bsky.richtext.facet#"


@dataclass(frozen=True, slots=True)
class Found:
    """A stretch of a text that means something.

    `start` and `end` count UTF-8 bytes, end exclusive. `value` is the address of a "link", the name of a "tag", the
    handle of a "mention", which still has to be resolved.
    """

    kind: str
    start: int
    end: int
    value: str


def found(text: str) -> list[Found]:
    """The links, mentions and tags of a text in order, never overlapping."""
    bytes_before = _offsets(text)
    return [Found(kind, bytes_before[start], bytes_before[end], value) for kind, start, end, value in _stretches(text)]


def marks(text: str) -> list[Span]:
    """The same for a preview. Whether a handle is anybody's is known when the post leaves."""
    return [Span(start, end, Mark(kind)) for kind, start, end, _ in _stretches(text)]


def handles(text: str) -> list[str]:
    """The handles that a text mentions, each once."""
    return list(dict.fromkeys(one.value for one in found(text) if one.kind == "mention"))


def first_link(text: str) -> str:
    """The address of the first link, or ""."""
    return next((one.value for one in found(text) if one.kind == "link"), "")


def facets(text: str, dids: Mapping[str, str]) -> list[dict[str, Any]]:
    """A text's facets in the record's JSON (lexicon app.bsky.richtext.facet).

    Args:
        dids: who is behind a handle. One that is not among them is nobody, and stays plain text.
    """
    made = []
    for one in found(text):
        if one.kind == "mention" and one.value not in dids:
            continue
        name, value = {
            "mention": ("did", dids.get(one.value, "")),
            "link": ("uri", one.value),
            "tag": ("tag", one.value),
        }[one.kind]
        feature = {"$type": PREFIX + one.kind, name: value}
        made.append({"index": {"byteStart": one.start, "byteEnd": one.end}, "features": [feature]})
    return made


def _offsets(text: str) -> list[int]:
    """For every place between two code points how many bytes are before it."""
    sums = [0]
    for character in text:
        sums.append(sums[-1] + len(character.encode()))
    return sums


_Stretch = tuple[str, int, int, str]  # kind, start, end in code points, value


def _stretches(text: str) -> list[_Stretch]:
    kept: list[_Stretch] = []
    for one in (*_mentions(text), *_links(text), *_tags(text)):
        if not any(one[1] < end and start < one[2] for _, start, end, _ in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one[1])


def _mentions(text: str) -> Iterator[_Stretch]:
    for hit in _MENTION.finditer(text):
        handle = hit["handle"]
        if is_domain(handle) or handle.endswith(".test"):
            yield "mention", *hit.span("shown"), handle


def _links(text: str) -> Iterator[_Stretch]:
    for hit in _LINK.finditer(text):
        uri, (start, end) = hit["shown"], hit.span("shown")
        if not uri.startswith(("http://", "https://")):
            if not hit["domain"] or not is_domain(hit["domain"]):
                continue
            uri = f"https://{uri}"
        if uri[-1] in ".,;:!?":
            uri, end = uri[:-1], end - 1
        if uri[-1] == ")" and "(" not in uri:
            uri, end = uri[:-1], end - 1
        if _URI.fullmatch(uri):
            yield "link", start, end, uri


def _tags(text: str) -> Iterator[_Stretch]:
    for hit in _TAG.finditer(text):
        tag = _TRAILING.sub("", hit["tag"])
        start = hit.start("sign")
        if tag and len(graphemes(tag)) <= TAG_GRAPHEMES and len(tag.encode()) <= TAG_BYTES:
            yield "tag", start, start + 1 + len(tag), tag
    for hit in _CASHTAG.finditer(text):
        yield "tag", *hit.span("shown"), f"${hit['ticker'].upper()}"


def is_domain(name: str) -> bool:
    """Whether a name ends in a top-level domain that there is."""
    before, dot, last = name.rpartition(".")
    return bool(before and dot) and last in _top_level()


@lru_cache(maxsize=1)
def _top_level() -> frozenset[str]:
    return frozenset(resources.text("top-level-domains.txt").split())
