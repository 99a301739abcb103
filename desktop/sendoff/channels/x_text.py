"""Text as X counts and marks it: the weights of twitter-text's configuration 3, and what X takes for a link, a mention
and a tag."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import regex

from sendoff import resources
from sendoff.domain import price, text
from sendoff.domain.capabilities import Capabilities

COUNTER = "x"
LINK_WEIGHT = 23
"""What every link counts, whatever its length (transformedURLLength)."""

INVALID = "\ufffe\ufeff\uffff"
"""Characters that X refuses in a post."""

# Characters and patterns of twitter-text (github.com/twitter/twitter-text at 30e2430d, 2021-10-21). Names are walked
# through label by label instead of being one pattern, which takes minutes on some texts.
_MARKERS = r"\u202a-\u202e\u061c\u200e\u200f\u2066-\u2069"
_SPACES = r"\t-\r \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_NO_NAME = rf"!'#%&()*+,\\/:;<=>?@\[\]^{{|}}~${_SPACES}{INVALID}{_MARKERS}"
_ACCENTS = (
    r"\xc0-\xd6\xd8-\xf6\xf8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272\u0289\u028b\u02bb"
    r"\u0300-\u036f\u1e00-\u1eff"
)
_RUN = regex.compile(rf"[^{_NO_NAME}]+")
"""A stretch in which a name can be: labels with dots, hyphens and underscores."""

_NOT_BEFORE = regex.compile(rf"[A-Za-z0-9@＠$#＃{INVALID}]")
_SCHEME = regex.compile(r"https?://$", regex.IGNORECASE)
_GOES_ON = regex.compile(r"[0-9a-zA-Z@+-]")
"""What must not follow a top-level name."""

_PUNYCODE = regex.compile(r"xn--[-0-9a-z]+", regex.IGNORECASE)
_LATIN = regex.compile(rf"(?r)[-a-z0-9{_ACCENTS}]+$", regex.IGNORECASE)  # from the end: labels may be long
_IN_PATH = rf"[a-z\u0400-\u04ff0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{_ACCENTS}]"
_BALANCED = rf"\((?!\)){_IN_PATH}*+(?:\({_IN_PATH}++\){_IN_PATH}*+)?\)"
_PATH = regex.compile(rf"(?::[0-9]+)?(?P<path>/(?:{_IN_PATH}++|{_BALANCED})*+)?", regex.IGNORECASE)
_PATH_TAIL = regex.compile(rf"[^+\-a-z\u0400-\u04ff0-9=_#/){_ACCENTS}]+$", regex.IGNORECASE)
_QUERY = regex.compile(r"\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-z0-9\-_&=#/]", regex.IGNORECASE)
_SHORT = regex.compile(rf"https?://t\.co/(?P<slug>[a-z0-9]+)(?:{_QUERY.pattern})?", regex.IGNORECASE)
SLUG, ADDRESS, LABEL = 40, 4096, 63
"""The longest name behind t.co/, the longest link, and the longest label of a name."""

_FLAG_TAGS = r"\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]+\U000e007f"
_PERSON = r"\p{Emoji_Modifier_Base}\p{Emoji_Modifier}"
_SIGN = rf"(?:{_PERSON}|\p{{Extended_Pictographic}}\ufe0f?)"
EMOJI = regex.compile(
    rf"[0-9#*]\ufe0f?\u20e3|\p{{Regional_Indicator}}{{2}}|{_FLAG_TAGS}"
    rf"|{_SIGN}(?:\u200d{_SIGN})++|{_PERSON}|\p{{Extended_Pictographic}}\ufe0f|\p{{Emoji_Presentation}}"
)
"""An emoji as X counts it: the whole sequence is one, skin, joiners, flags, keycaps and all."""

_IN_TAG = (
    r"\p{L}\p{M}\p{Nd}_\u200c\u200d\ua67e\u05be\u05f3\u05f4\uff5e\u301c\u309b\u309c\u30a0\u30fb\u3003\u0f0b\u0f0c\xb7"
)
_TAG = regex.compile(
    rf"(?:(?<![{_IN_TAG}&])|(?<=[\ufe0e\ufe0f]))[#＃](?![\ufe0f\u20e3])(?>[{_IN_TAG}]*[\p{{L}}\p{{M}}][{_IN_TAG}]*)"
    r"(?![#＃]|://)"
)
_MENTION = regex.compile(
    r"(?:(?<![A-Za-z0-9_!#$%&*@＠])|(?<=(?:^|[^A-Za-z0-9_+~.@＠-])[rR][tT]:?))"
    rf"[@＠](?>[A-Za-z0-9_]{{1,20}}(?:/[A-Za-z][A-Za-z0-9_-]{{0,24}})?)(?![@＠{_ACCENTS}]|://)"
)
"""Somebody's name, or a list of theirs."""

CASHTAG = regex.compile(
    rf"(?<![^{_SPACES}])\$[A-Za-z]{{1,6}}(?:[._][A-Za-z]{{1,2}})?(?=[\s\ufeff!'#%&()*+,\\\-./:;<=>?@\[\]^_{{|}}~$]|$)"
)

_LIGHT = regex.compile(r"[\0-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]+")


@lru_cache(maxsize=1)
def _tops() -> frozenset[str]:
    return frozenset(resources.text("x-top-level-domains.txt").split())


@lru_cache(maxsize=1)
def _longest() -> int:
    return max(map(len, _tops()))


def _top_end(written: str, start: int, end: int) -> int:
    """Where the top-level name that a label begins with ends, or 0 where it begins with none."""
    coded = _PUNYCODE.match(written, start, end)
    if coded:
        return coded.end()
    for cut in range(min(end, start + _longest()), start, -1):
        if written[start:cut].lower() in _tops() and not _GOES_ON.match(written, cut):
            return cut
    return 0


def links(written: str) -> list[tuple[int, int]]:
    """Where the links of a text are: start and end in code points, end exclusive, in order."""
    found: list[tuple[int, int]] = []
    if "." not in written:
        return found
    over = 0  # everything before is part of what was found
    for run in _RUN.finditer(written):
        if "." not in run[0] or run.end() <= over:
            continue
        for start, end in _names(written, max(run.start(), over), run.end(), over):
            whole_end, has_path = _ends(written, end)
            scheme = _SCHEME.search(written, max(start - 8, over), start)
            if scheme and not (scheme.start() and _NOT_BEFORE.match(written[scheme.start() - 1])):
                found += _with_scheme(written, scheme.start(), start, end, whole_end)
            else:
                found += _bare(written, start, end, whole_end if has_path else end)
            over = whole_end
    return found


def _names(written: str, start: int, end: int, over: int) -> Iterator[tuple[int, int]]:
    """The names in a run: each from the first place where one can begin to the last top-level name that it reaches."""
    labels = _labels(written, start, end)
    ends = [_top_end(written, *label) for label in labels]
    reach = [0] * (len(labels) + 1)  # by label: where a name that begins with it whole ends, 0 nowhere
    for number in range(len(labels) - 2, 0, -1):
        label = written[slice(*labels[number])]
        if label and label[0] not in "-_" and label[-1] not in "-_":
            reach[number] = reach[number + 1] or ("_" not in label and ends[number + 1]) or 0
    begin = start
    for number, (at, until) in enumerate(labels[:-1]):
        at = max(at, begin)
        if at >= until or written[until - 1] in "-_" or not (reach[number + 1] or ends[number + 1]):
            continue
        if not reach[number + 1]:
            at = max(at, written.rfind("_", at, until) + 1)
        while at < until and (written[at] in "-_" or not _may_begin(written, at, over)):
            at += 1
        if at < until:
            begin = reach[number + 1] or ends[number + 1]
            yield at, begin
            over = begin


def _labels(written: str, start: int, end: int) -> list[tuple[int, int]]:
    """Where the labels of a run are."""
    dots = [start - 1, *(place for place in range(start, end) if written[place] == "."), end]
    return [(before + 1, dot) for before, dot in itertools.pairwise(dots)]


def _may_begin(written: str, at: int, over: int) -> bool:
    """Whether a name can begin here: behind a character that is no part of what was found, and none that forbids it.

    X looks for that character first. So what a text begins with stands before the name ("übers.de": bers.de) unless it
    can't, or no name could begin behind it.
    """
    if at == 0:
        return bool(_NOT_BEFORE.match(written)) or written[1:2] in ("", ".", "-", "_")
    return at - 1 >= over and not _NOT_BEFORE.match(written[at - 1])


def _ends(written: str, end: int) -> tuple[int, bool]:
    """Where the link with a name that ends here ends: behind its query, else its path without closing punctuation,
    else its port; and whether it has a path."""
    hit = _PATH.match(written, end)
    path = hit["path"] if hit else None
    end = hit.end() if hit else end
    if path:
        tail = _PATH_TAIL.search(path)
        end -= len(tail[0]) if tail else 0
    query = _QUERY.match(written, end)
    return (query.end() if query else end), bool(path)


def _with_scheme(written: str, start: int, name: int, name_end: int, end: int) -> Iterator[tuple[int, int]]:
    short = _SHORT.match(written, start, end)
    if short:
        if len(short["slug"]) <= SLUG:
            yield start, short.end()
        return
    encoded = _encoded(written[name:name_end])
    if encoded and end - start - (name_end - name) + len(encoded) <= ADDRESS:
        yield start, end


def _bare(written: str, start: int, end: int, whole_end: int) -> Iterator[tuple[int, int]]:
    """Without https:// only what is Latin in the name is a link, and what follows belongs to the last such one."""
    if start and written[start - 1] in "-_./":
        return
    names = [(at, until) for at, until in _latin_names(written, start, end) if _encoded(written[at:until])]
    if names and whole_end > end:
        names[-1] = (names[-1][0], whole_end)
    yield from names


def _latin_names(written: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The names of Latin labels inside a name; each ends at the last top-level name before other letters come."""
    begin: int | None = None
    last = 0
    for at, until in _labels(written, start, end):
        if begin is not None and (top := _top_end(written, at, until)):
            last = top
        if begin is None or not _LATIN.fullmatch(written, at, until):
            if begin is not None and last:
                yield begin, last
            tail = _LATIN.search(written, at, until)
            begin, last = tail.start() if tail else None, 0
    if begin is not None and last:
        yield begin, last


def _encoded(name: str) -> str:
    """A name as the DNS has it, or "" where it has none such."""
    labels = []
    for label in name.lower().split("."):
        if label.isascii():
            written = label
            try:
                if label.startswith("xn--"):
                    label.encode().decode("punycode" if label == "xn--" else "idna")
            except UnicodeError:
                return ""
        else:
            written = "xn--" + unicodedata.normalize("NFKC", label).encode("punycode").decode()
        if len(written) > LABEL:
            return ""
        labels.append(written)
    return ".".join(labels)


def marks(written: str) -> list[text.Span]:
    """The links, mentions, hashtags and cashtags of a text; of two that overlap X makes the one that begins first."""
    found = [text.Span(start, end, text.Mark.LINK) for start, end in links(written)]
    for mark, pattern in ((text.Mark.MENTION, _MENTION), (text.Mark.TAG, _TAG), (text.Mark.TAG, CASHTAG)):
        found += [text.Span(*hit.span(), mark) for hit in pattern.finditer(written)]
    kept: list[text.Span] = []
    for one in sorted(found, key=lambda span: span.start):
        if not kept or kept[-1].end <= one.start:
            kept.append(one)
    return kept


def without_links(written: str) -> list[str]:
    """What stands before, between and behind the links."""
    edges = [0, *(edge for link in links(written) for edge in link), len(written)]
    return [written[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]


def weight(written: str) -> int:
    """How much of a post's 280 a text takes."""
    pieces = without_links(unicodedata.normalize("NFC", written))
    return LINK_WEIGHT * (len(pieces) - 1) + sum(_plain(piece) for piece in pieces)


def _plain(piece: str) -> int:
    """Emoji are two, light characters one, all others two."""
    rest, emoji = EMOJI.subn("", piece)
    return 2 * emoji + len(rest) + len(_LIGHT.sub("", rest))


def _count(written: str, _: Capabilities) -> int:
    return weight(written)


text.COUNTERS[COUNTER] = _count
price.LINKS[COUNTER] = links
