"""What a page says of itself, for the card below a post: fetched carefully, because anybody may have written it."""

from __future__ import annotations

import io
import re
import struct
import threading
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from sendoff.channels import guarded
from sendoff.channels.http import Answer, Http, Patience, Transport
from sendoff.domain.errors import BadInput, Rejected, SendError, TryLater

SECONDS = 12.0
"""For the page with all its redirects; its picture has as long again."""

PAGE_BYTES, PICTURE_BYTES = 1 << 20, 8 << 20
REDIRECTS = 4
TITLE, TEXT = 300, 1000
"""The most characters that are kept."""

SIDE = 1200
"""The longest side of the picture in pixels; what networks show is smaller (Open Graph asks for 1200 × 630)."""

MOST_BYTES = 976_000
"""The most bytes of the picture (lexicon app.bsky.embed.external: 1,000,000; its app keeps to this)."""

MOST_PIXELS = 50_000_000
"""Larger pictures are not opened, however few bytes they have."""

KEPT, KEPT_FAILED, KEPT_PAGES = 3600.0, 60.0, 64
"""Seconds for which an answer, or that there was none, is not asked for again, and how many are kept."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """The page's picture, written anew as JPEG. `width` and `height` are in pixels."""

    data: bytes = field(repr=False)
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says of itself."""

    title: str
    text: str = ""
    picture: Thumbnail | None = None


class Cards:
    """Fetches pages, one answer for each address for a while. May be asked from any thread, and takes seconds.

    Args:
        allowed: which addresses may be connected to.
        clock: monotonic seconds.
    """

    def __init__(
        self, allowed: guarded.Allowed = guarded.is_public, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._transport = Transport(Patience(connect=5, read=6, total=SECONDS, most=PAGE_BYTES), allowed)
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Page | SendError]] = OrderedDict()
        self._lock = threading.Lock()

    def fetch(self, url: str, *, again: bool = False) -> Page:
        """The page's card.

        Args:
            again: ask although it is known.

        Raises:
            Rejected, TryLater: there is none, in a sentence.
        """
        with self._lock:
            until, known = self._known.get(url, (0.0, None))
        if known is None or again or until < self._clock():
            try:
                known, life = self._fetched(url), KEPT
            except SendError as wrong:
                known, life = wrong, KEPT_FAILED
            with self._lock:
                self._known[url] = (self._clock() + life, known)
                self._known.move_to_end(url)
                while len(self._known) > KEPT_PAGES:
                    self._known.popitem(last=False)
        if isinstance(known, SendError):
            raise known
        return known

    def _fetched(self, url: str) -> Page:
        answer, where = self._followed(url, PAGE_BYTES, "text/html,application/xhtml+xml;q=0.9")
        kind = answer.headers.get("Content-Type", "")
        if kind.partition(";")[0].strip().lower() not in ("text/html", "application/xhtml+xml"):
            raise Rejected(f"{_host(where)} shows no page there, so there is no card.")
        about = _read(_decoded(answer.body, kind))
        title = about.first("og:title", "twitter:title", "title")
        if not title:
            raise Rejected(f"The page at {_host(where)} has no title, so there is no card.")
        text = about.first("og:description", "twitter:description", "description")
        shown = about.first("og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src")
        picture = self._picture(_joined(_joined(where, about.base), shown)) if shown else None
        return Page(_cut(title, TITLE), _cut(text, TEXT), picture)

    def _picture(self, url: str) -> Thumbnail | None:
        """The page's picture; None where there is none that can be shown. The card goes without it then."""
        try:
            answer, _ = self._followed(url, PICTURE_BYTES, "image/jpeg,image/png,image/webp,image/gif")
        except SendError:
            return None
        if not answer.whole or len(answer.body) >= PICTURE_BYTES:
            return None
        return thumbnail(answer.body)

    def _followed(self, url: str, most: int, accept: str) -> tuple[Answer, str]:
        """The answer behind all redirects, and where it came from. Each step is checked like the first."""
        end = self._clock() + SECONDS
        for _ in range(REDIRECTS + 1):
            origin, path = _parts(url)
            left = end - self._clock()
            if left <= 0:
                raise TryLater(f"{_host(url)} did not answer in time.")
            patience = replace(self._transport.patience, total=left, most=most)
            try:
                http = Http(self._transport, origin, _host(url), {"Accept": accept}, patience=patience, any_http=True)
                answer = http.send("GET", path, effect=False)
            except (BadInput, ValueError):  # requests' own word for an address that it can't write down is a ValueError
                raise _no_address() from None
            if answer.status in (301, 302, 303, 307, 308) and answer.headers.get("Location"):
                url = _joined(url, answer.headers["Location"])
                continue
            if answer.status != 200:
                raise Rejected(f"{_host(url)} answered {answer.status}, so there is no card.")
            return answer, url
        raise Rejected(f"{_host(url)} sends us round in circles, so there is no card.")


# --- addresses ----------------------------------------------------------------------------------------------------


def _parts(url: str) -> tuple[str, str]:
    """Origin and path of a page's address.

    Raises:
        Rejected: it is no address of a page.
    """
    try:
        where = urlsplit(url)
        is_page = where.scheme in ("http", "https") and bool(where.hostname) and where.port != 0
        is_page = is_page and not (where.username or where.password)
        if not is_page or any(ord(sign) < 33 for sign in url):
            raise ValueError
        path = where._replace(scheme="", netloc="", fragment="").geturl()
        return f"{where.scheme}://{where.netloc}", re.sub("^[/\\\\]*", "/", path) if path[:1] != "?" else "/" + path
    except ValueError:
        raise _no_address() from None


def _no_address() -> Rejected:
    return Rejected("That is no address of a web page, so there is no card.")


def _joined(base: str, reference: str) -> str:
    """Where a reference of a page leads; "" if nowhere."""
    try:
        return urljoin(base, reference.strip())
    except ValueError:
        return ""


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the page"
    except ValueError:
        return "the page"


# --- the page -----------------------------------------------------------------------------------------------------

_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)


def _decoded(body: bytes, content_type: str) -> str:
    """The page's text, by the charset of the header, a mark at its beginning, or its own word (HTML, "encoding")."""
    if body.startswith(b"\xef\xbb\xbf"):
        return body.decode("utf-8-sig", "replace")
    named = _CHARSET.search(content_type) or _CHARSET.search(body[:2048].decode("latin-1"))
    try:
        return body.decode(named[1] if named else "utf-8", "replace")
    except (LookupError, ValueError):  # no such charset, or one that is none of text
        return body.decode("utf-8", "replace")


class _About(HTMLParser):
    """Collects what stands in a page's head; `done` where the body begins."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.base = ""
        self.done = False
        self._title: list[str] | None = None

    def first(self, *names: str) -> str:
        return next((found for name in names if (found := _clean(self.found.get(name, "")))), "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag == "meta":
            name = (known.get("property") or known.get("name") or "").strip().lower()
            if known.get("content", "").strip():
                self.found.setdefault(name, known["content"])
        elif tag == "base" and not self.base:
            self.base = known.get("href", "")
        elif tag == "title" and "title" not in self.found:
            self._title = []
        elif tag == "body":
            self.done = True

    def handle_data(self, data: str) -> None:
        if self._title is not None:
            self._title.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "title" and self._title is not None:
            self.found["title"], self._title = "".join(self._title), None
        elif tag == "head":
            self.done = True


BITE, READING = 8192, 1.0
"""Characters that are parsed at once, and seconds after which what was found must do."""


def _read(html: str) -> _About:
    about, end = _About(), time.monotonic() + READING
    for start in range(0, len(html), BITE):
        try:
            about.feed(html[start : start + BITE])
        except AssertionError:  # the parser's way to say that a declaration is none
            break
        if about.done or time.monotonic() > end:
            break
    return about


_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")


def _clean(text: str) -> str:
    """One line of words, without what cannot be seen or turns the direction of what follows."""
    return " ".join(_UNSEEN.sub(" ", text).split())


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


# --- its picture --------------------------------------------------------------------------------------------------


def thumbnail(data: bytes) -> Thumbnail | None:
    """The first frame of a picture as a JPEG that a network takes; None if it is none, or a bomb."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP", "GIF")) as image:
                if image.width * image.height > MOST_PIXELS:
                    return None
                image.draft("RGB", (SIDE, SIDE))
                upright = ImageOps.exif_transpose(image).convert("RGBA")
        except (
            UnidentifiedImageError, OSError, ValueError, SyntaxError, TypeError, IndexError, struct.error, EOFError,
            Image.DecompressionBombError,
        ):  # fmt: skip
            return None
    upright.thumbnail((SIDE, SIDE))
    flat = Image.new("RGB", upright.size, "white")
    flat.paste(upright, mask=upright)
    for quality in (85, 70, 50):
        target = io.BytesIO()
        flat.save(target, "JPEG", quality=quality)
        if target.tell() <= MOST_BYTES:
            return Thumbnail(target.getvalue(), *flat.size)
    return None
