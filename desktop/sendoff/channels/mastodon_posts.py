"""A post in Mastodon's JSON: how a part becomes one, and how the one that a part became is told from others."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from sendoff.channels.mastodon_servers import Dialect, url
from sendoff.channels.reading import listed, table
from sendoff.domain.channel import Parcel
from sendoff.domain.delivery import Receipt
from sendoff.domain.text import MENTION


def body(parcel: Parcel, speaks: Dialect) -> dict[str, Any]:
    """The body of POST /api/v1/statuses (docs.joinmastodon.org/methods/statuses). Never a `scheduled_at`: servers that
    do not know it publish at once."""
    item, options = parcel.item, parcel.options
    made: dict[str, Any] = {"status": item.text, **speaks.body, **table(parcel.prepared.get("quoted"))}
    if parcel.prepared.get("media"):
        made["media_ids"] = list(parcel.prepared["media"])
        if not item.text and not speaks.takes_empty:
            del made["status"]
    if parcel.previous:
        made["in_reply_to_id"] = parcel.previous[-1].remote_id
    if item.poll:
        made["poll"] = {
            "options": list(item.poll.options),
            "expires_in": item.poll.lasts,
            "multiple": item.poll.multiple,
            "hide_totals": item.poll.hide_totals,
        }
    for name in ("visibility", "spoiler_text", "language"):
        if options.get(name, "").strip():
            made[name] = options[name].strip()
    if options.get("sensitive") == "yes":
        made["sensitive"] = True
    if options.get("quotes") and speaks.quote_policy:
        made["quote_approval_policy"] = options["quotes"]
    return made


def is_status(found: Mapping[str, Any]) -> bool:
    """Whether an answer is a published post: not a scheduled one, and not a page of somebody else."""
    is_named = isinstance(found.get("id"), str) and bool(found["id"])
    return is_named and "scheduled_at" not in found and ("uri" in found or "url" in found or "content" in found)


def receipt(status: Mapping[str, Any], answer: str = "") -> Receipt:
    data = {name: status[name] for name in ("uri", "created_at") if isinstance(status.get(name), str)}
    return Receipt(str(status["id"]), url=url(status, "url") or url(status, "uri"), answer=answer, data=data)


def is_built_the_same(status: Mapping[str, Any], parcel: Parcel) -> bool:
    """Whether a post with the same words hangs where this part does, with as many pictures behind the same warning.

    A server may turn the warning of a post without words into something else, so it counts only beside words.
    """
    parent = parcel.previous[-1].remote_id if parcel.previous else None
    warning, shown = bare(parcel.options.get("spoiler_text", "")), str(status.get("spoiler_text") or "")
    return (
        status.get("in_reply_to_id") == parent
        and len(listed(status.get("media_attachments"))) == len(parcel.item.shown)
        and bool(status.get("poll")) == bool(parcel.item.poll)
        and shows_quote(status) == bool(parcel.prepared.get("quoted"))
        and (not parcel.item.text.strip() or warning in (bare(shown), bare(plain(shown))))
    )


def shows_quote(status: Mapping[str, Any]) -> bool:
    """Whether a post quotes another one; the Pleroma family says so in a place of its own."""
    own = table(status.get("pleroma"))
    return any(one.get(name) for one in (status, own) for name in ("quote", "quote_id", "quoted_status_id"))


def bare(text: str) -> str:
    """What two forms of one text have in common: no white space, mentions without their server (as HTML shows them)."""
    shortened = MENTION.sub(r"@\g<name>", unicodedata.normalize("NFC", text))
    return "".join(shortened.split())


def plain(source: str) -> str:
    """The words of a post's HTML."""
    parser = _Words()
    parser.feed(source)
    parser.close()
    return "".join(parser.pieces)


class _Words(HTMLParser):
    """Collects the text; a new block or line is white space. What a style hides (the middle of a link) is text too,
    but not the link to a quoted post, which servers add (class quote-inline)."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._added = 0  # how deep it is in what the server added

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._new_line()
        elif self._added or "quote-inline" in (dict(attrs).get("class") or "").split():
            self._added += 1
        elif tag in ("p", "div", "li", "blockquote", "pre"):
            self._new_line()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._new_line()

    def handle_endtag(self, tag: str) -> None:
        self._added = max(self._added - 1, 0)

    def handle_data(self, data: str) -> None:
        if not self._added:
            self.pieces.append(data)

    def _new_line(self) -> None:
        self.pieces.append("\n")
