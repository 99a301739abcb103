"""Cuts a long text into the items of a thread, where a reader would, so that each item fits all who get it."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import regex

from sendoff.domain.capabilities import Capabilities
from sendoff.domain.post import Item
from sendoff.domain.text import GRAPHEME, filled, fitting, marks, warning_size


@dataclass(frozen=True, slots=True)
class Reader:
    """One account that gets the items: its figures, and what only its channel knows about the post."""

    figures: Capabilities
    options: Mapping[str, str] = field(default_factory=dict)

    def of(self, item: Item) -> Reader:
        """The same with the figures that count for this item."""
        return replace(self, figures=self.figures.of(item, self.options))

    def takes(self, text: str) -> bool:
        own = self.figures
        return own.text is None or filled(text, own, warning_size(own, self.options)) <= own.text

    def most(self, text: str) -> int:
        """About how many of the first code points it takes; see `fitting`."""
        return fitting(text, self.figures, warning_size(self.figures, self.options))


def split_item(item: Item, readers: Sequence[Reader], *, numbered: bool = False) -> tuple[Item, ...]:
    """An item as the thread it has to become; files and poll stay with the first. One that fits comes back as it is.

    Every text fits each reader by that reader's own count. Nothing of it is lost but white space where it is cut. No
    link, mention, tag or character is cut apart: what is longer than an item by itself stands alone, and is too long.

    Args:
        numbered: end each text with " 1/3", which counts.
    """
    first, others = [one.of(item) for one in readers], [one.of(Item()) for one in readers]
    if all(one.takes(item.text) for one in first):
        return (item,)
    text = _Text(item.text)
    pieces = text.pieces(first, others, "")
    if numbered and len(pieces) > 1:
        for digits in itertools.count(1):  # the room for the numbers may make more items, and longer numbers
            longest = "9" * digits
            pieces = text.pieces(first, others, f" {longest}/{longest}")
            if len(pieces) < 10**digits:
                break
        pieces = [f"{one} {number}/{len(pieces)}" for number, one in enumerate(pieces, 1)]
    return (replace(item, text=pieces[0]), *map(Item, pieces[1:]))


Gap = tuple[int, int]
"""Where an item may end and where the next one begins: what lies between is white space."""


class _Text:
    """A text with the places where it may be cut, the best kind first."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._bounds = [0, *(hit.end() for hit in GRAPHEME.finditer(text))]
        gaps = self._gaps()
        # A link goes on to the next white space for one network and not for another. Where what is safe for all would
        # leave no place to cut, it is what `marks` sees that stays whole.
        self._ways = [_Way(gaps, spans, self._bounds, text) for spans in (_generous(text), _strict(text))]

    def pieces(self, first: Sequence[Reader], others: Sequence[Reader], suffix: str) -> list[str]:
        """The texts of the items, each short enough to carry the suffix."""
        found: list[str] = []
        at, end = self._inside()
        while at < end:
            stop, after = self._next(at, end, others if found else first, suffix)
            found.append(self._text[at:stop])
            at = after
        return found or [""]

    def _next(self, at: int, end: int, readers: Sequence[Reader], suffix: str) -> Gap:
        rest = self._text[at:end]
        size = min((one.most(rest) for one in readers), default=len(rest))

        def fits(stop: int) -> bool:
            return all(one.takes(self._text[at:stop] + suffix) for one in readers)

        if size == len(rest) and fits(end):
            return end, end
        wanted = (gap for way in self._ways for gap in way.best_first(at, min(at + size, end - 1)))
        return next((gap for gap in wanted if fits(gap[0])), self._ways[-1].shortest(at, end))

    def _inside(self) -> Gap:
        """The text without the white space around it."""
        text = self._text
        start = self._bound_before(len(text) - len(text.lstrip()))
        return start, max(len(text.rstrip()), start)

    def _bound_before(self, place: int) -> int:
        return self._bounds[bisect_right(self._bounds, place) - 1]

    def _gaps(self) -> dict[str, list[Gap]]:
        """All white space and other places between words, by what ends there."""
        text = self._text
        found: dict[str, list[Gap]] = {"paragraph": [], "sentence": [], "word": []}
        for hit in _SPACE.finditer(text):
            gap = (hit.start(), self._bound_before(hit.end()))  # a mark may stand on the last space
            lines = hit[0].count("\n")
            ends = lines or _ENDS.search(text, max(gap[0] - 8, 0), gap[0])
            found["paragraph" if lines > 1 else "sentence" if ends else "word"].append(gap)
        for kind, pattern in (("sentence", _CLOSED), ("word", _BETWEEN_SIGNS)):
            found[kind] += [(hit.end(), hit.end()) for hit in pattern.finditer(text) if _joins_nothing(text, hit.end())]
        return {kind: sorted(gaps) for kind, gaps in found.items()}


class _Way:
    """The gaps that cut nothing apart which has to stay whole."""

    def __init__(self, gaps: Mapping[str, list[Gap]], whole: Iterable[Gap], bounds: list[int], text: str) -> None:
        inside = {place for start, end in whole for place in range(start + 1, end)}
        allowed = set(bounds) - inside
        letters = [(place, place) for place in bounds[1:] if place in allowed]
        kept = {kind: [gap for gap in found if gap[0] in allowed] for kind, found in gaps.items()}
        self._levels = [
            (2, _Gaps(kept["paragraph"])),
            (3, _Gaps(kept["sentence"])),
            (None, _Gaps(kept["word"])),
            (None, _Gaps([gap for gap in letters if _joins_nothing(text, gap[0])])),
            (None, _Gaps(letters)),
        ]

    def best_first(self, at: int, most: int) -> Iterator[Gap]:
        """Gaps in (at, most]: a paragraph's end past the middle, a sentence's past the first third, words, letters."""
        for part, gaps in self._levels:
            yield from gaps.backwards(at + (most - at) // part if part else at, most)

    def shortest(self, at: int, end: int) -> Gap:
        return min((gaps.after(at, end) for _, gaps in self._levels), key=lambda gap: (gap[0], -gap[1]))


class _Gaps:
    """Gaps of one kind, in order."""

    def __init__(self, gaps: list[Gap]) -> None:
        self._gaps = gaps
        self._stops = [stop for stop, _ in gaps]

    def backwards(self, least: int, most: int) -> Iterator[Gap]:
        """Those that stop in (least, most], the last first."""
        low, high = bisect_right(self._stops, least), bisect_right(self._stops, most)
        return reversed(self._gaps[low:high])

    def after(self, at: int, end: int) -> Gap:
        place = bisect_right(self._stops, at)
        return self._gaps[place] if place < len(self._gaps) and self._stops[place] < end else (end, end)


# --- what ends where ----------------------------------------------------------------------------------------------

_SPACE = regex.compile(r"\s+")
# The end of a sentence, apart from the dot behind a single letter ("J. Doe", "z. B.").
_ENDS = regex.compile(r"""(?:[!?…。！？]|(?<!\b\p{L})\.)['"”’)」』）]*$""")
_SIGNS = r"[\p{Han}\p{Hiragana}\p{Katakana}]"
_CLOSED = regex.compile(r"[。！？][」』）”’]*(?=[^\s」』）”’。！？])")  # scripts that write without spaces
_BETWEEN_SIGNS = regex.compile(rf"{_SIGNS}(?={_SIGNS})")

# A tag wherever one of the networks sees one: Mastodon only behind white space, X behind any sign too.
_ANY_TAG = regex.compile(r"(?<![\p{L}\p{N}_&])[#＃$][\p{L}\p{M}\p{N}_·\u200c\u200d]+")

# What begins a mention, a tag or a link where it stands at the start of an item, and might not inside a word.
_BEGINS = regex.compile(r"[@＠#＃$]|https?:|www\.", regex.IGNORECASE)
_LONG_LINK = regex.compile(
    r"https?://\S+"
    r"|(?<![\w.@-])[a-z0-9_-]++(?:\.[a-z0-9_-]++)++(?:[:/?#]\S*+)?"  # an address without https://
    r"|(?<![\w.%+-])[\w.%+-]*+@[\w.-]++(?:@[\w.-]++)?",  # a mail address, a mention
    regex.IGNORECASE,
)


def _joins_nothing(text: str, place: int) -> bool:
    return _BEGINS.match(text, place) is None


def _strict(text: str) -> list[Gap]:
    return [(one.start, one.end) for one in marks(text)]


def _generous(text: str) -> list[Gap]:
    return _strict(text) + [hit.span() for found in (_LONG_LINK, _ANY_TAG) for hit in found.finditer(text)]
