"""The own posts on Mastodon and its kin, through which a look for a lost one goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sendoff.channels import mastodon_posts as posts
from sendoff.channels import mastodon_servers as servers
from sendoff.channels.http import Http, Patience
from sendoff.channels.reading import moment, table
from sendoff.domain.channel import Parcel
from sendoff.domain.errors import CannotLook, Rejected, TryLater
from sendoff.domain.text import graphemes

PAGE = 40
"""Posts of one page of the own list; the most that Mastodon gives (docs.joinmastodon.org/methods/accounts)."""

PAGES = 5
"""How far back a look goes. An account that posted more in between can't be judged by its list."""

PAGE_BYTES = 16 << 20
"""Bytes of such a page that are read at most. Some servers take posts of 200,000 characters."""

TOLERANCE = timedelta(minutes=5)
"""How far a server's clock may be behind ours, where the list could not be read before the first try."""


def newest(http: Http, parcel: Parcel) -> dict[str, str] | None:
    """The newest own post of any kind, a boost too, so that an empty list means that there is none at all."""
    try:
        page = page_of(http, _own_id(http, parcel), "limit=1")
    except Rejected:
        return None
    return {"id": page[0]["id"], "at": str(page[0].get("created_at", ""))} if page else {}


def since(http: Http, patience: Patience, parcel: Parcel) -> Iterator[dict[str, Any]]:
    """The own posts since this part was made ready, newest first. The server's clock is compared with itself alone;
    only where the list could not be read then, ours stands in for it."""
    known = parcel.prepared.get("since")
    mark, start = table(known).get("id"), moment(table(known).get("at"))
    if known is None and parcel.first_try:
        start = parcel.first_try - TOLERANCE
    wide = replace(http, patience=replace(patience, most=PAGE_BYTES))
    own_id, older_than = _own_id(http, parcel), ""
    for _ in range(PAGES):
        page = page_of(wide, own_id, f"limit={PAGE}&exclude_reblogs=true{older_than and f'&max_id={older_than}'}")
        for status in page:
            came = moment(status.get("created_at"))
            if status["id"] == mark or (start and came and came < start):
                return
            if status["id"] not in parcel.known:
                yield status
        if not page or page[-1]["id"] == older_than:
            return
        older_than = page[-1]["id"]
    raise CannotLook(f"You posted more than {PAGE * PAGES} times since. Look at your profile whether it is there.")


def _own_id(http: Http, parcel: Parcel) -> str:
    known = parcel.account.learned.get("account_id")
    return known if isinstance(known, str) and known else str(servers.person(http)["id"])


def says_the_same(http: Http, status: Mapping[str, Any], text: str) -> bool:
    """Whether a post has our words: as its HTML shows them, else as they were typed (GET …/source)."""
    wanted, shown = posts.bare(text), posts.bare(posts.plain(str(status.get("content") or "")))
    if not wanted:
        return len(graphemes(shown)) <= 1  # a server may put one sign where nothing was written
    if shown == wanted:
        return True
    source = table(http.read(f"/api/v1/statuses/{status['id']}/source", ok=range(300, 600)).json())
    return isinstance(source.get("text"), str) and posts.bare(source["text"]) == wanted


def page_of(http: Http, own_id: str, query: str) -> list[dict[str, Any]]:
    """Own posts, newest first. A page may be short without being the last one: some servers sift late."""
    answer = http.read(f"/api/v1/accounts/{own_id}/statuses?{query}")
    page = answer.json()
    if not isinstance(page, list) or not all(isinstance(table(one).get("id"), str) for one in page):
        raise TryLater(f"{http.name} answered the look with something else than posts.", detail=answer.text[:500])
    return page
