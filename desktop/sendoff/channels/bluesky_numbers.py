"""What people did with Bluesky posts. The account's server does not count; Bluesky's own view of the network does."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from sendoff.channels.http import Http, Transport
from sendoff.channels.reading import count, listed, table
from sendoff.domain.numbers import Numbers

VIEW = "https://public.api.bsky.app"
"""Where anybody may ask without signing in (docs.bsky.app, API Hosts and Auth, 2026-11-23)."""

AT_ONCE = 25
"""The most posts of one question (lexicon app.bsky.feed.getPosts)."""


def read(transport: Transport, view: str, uris: Iterable[str]) -> dict[str, Numbers]:
    """The numbers by the posts' addresses. What the view does not show is left out.

    Raises:
        Rejected, TryLater.
    """
    query = "&".join(f"uris={quote(uri, safe='')}" for uri in uris)
    answer = Http(transport, view, "Bluesky").read(f"/xrpc/app.bsky.feed.getPosts?{query}")
    found = [table(one) for one in listed(table(answer.json()).get("posts"))]
    return {
        str(one.get("uri")): Numbers(*(count(one.get(f"{name}Count")) for name in ("like", "repost", "reply", "quote")))
        for one in found
    }
