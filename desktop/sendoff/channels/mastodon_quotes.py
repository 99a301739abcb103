"""The post that one quotes: by its address on any server, found as the own server knows it (Mastodon 4.5 …)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlsplit

from sendoff.channels import mastodon_servers as servers
from sendoff.channels.http import Http
from sendoff.channels.reading import listed, table
from sendoff.domain.channel import Parcel
from sendoff.domain.errors import Rejected

_PATH = re.compile(r"/(?:web/)?(?:@[^/\s]+(?:/statuses)?|users/[^/\s]+/statuses|notice|notes|p/[^/\s]+)/([\w-]+)/?")
"""Where the programs of the fediverse show a post; the last piece is its id in the API of that server."""

_OBJECT = re.compile(r"/(?:objects|display|activities)/[\w-]+/?|/@[^/\s]+/posts/[\w-]+/?")
"""Where it is under a name that the API does not know."""


def named(typed: str) -> tuple[str, str] | None:
    """The server and the id in the address of a post's page, "" where that is another name than the API's; None where
    it is no address of a post."""
    try:
        parts = urlsplit(typed.strip())
    except ValueError:
        return None
    found, other = _PATH.fullmatch(parts.path), _OBJECT.fullmatch(parts.path)
    if parts.scheme not in ("https", "http") or not parts.netloc or not (found or other):
        return None
    return parts.netloc.lower(), found[1] if found else ""


def quoted(http: Http, parcel: Parcel) -> dict[str, str]:
    """The parameter that names the quoted post, in the first part of a post that quotes one; else {}.

    Raises:
        Rejected: there is no such post, nobody may quote it, or the server has no quotes. NeedsLogin, TryLater.
    """
    typed = parcel.options.get("quote", "").strip()
    if not typed or parcel.previous:
        return {}
    parameter = parcel.account.learned.get("quotes")
    if not isinstance(parameter, str):
        parameter = servers.quotes(*servers.instance(http))
    if not parameter:
        raise Rejected(f"{http.name} has no quotes.", advice="Take the address under “Quotes” out.")
    where = named(typed)
    is_here = where and where[1] and where[0] == http.name.lower()
    found = _there(http, where[1]) if where and is_here else _searched(http, typed)
    if table(found.get("quote_approval")).get("current_user") == "denied":
        raise Rejected(f"Its author does not let you quote {typed}.", advice="Write a link to it instead.")
    return {parameter: str(found["id"])}


def _there(http: Http, name: str) -> dict[str, Any]:
    """A post of the own server, by its id there."""
    answer = http.read(f"/api/v1/statuses/{quote(name, safe='')}", ok=(400, 404, 422))
    found = table(answer.json())
    if answer.status != 200 or not isinstance(found.get("id"), str):
        raise Rejected("The post that this quotes is not there.", advice="Was it deleted? Copy its address anew.")
    return found


def _searched(http: Http, typed: str) -> dict[str, Any]:
    """A post of any server, which the own one fetches if it does not know it (docs.joinmastodon.org/methods/search)."""
    query = f"q={quote(typed, safe='')}&type=statuses&resolve=true&limit=1"
    answer = http.read(f"/api/v2/search?{query}", ok=(401, 403, 404))
    if answer.status in (401, 403):
        raise Rejected(
            f"{http.name} does not let this key look for posts of other servers: it lacks the scope read:search.",
            advice=f"Sign in again, or give the address that the post has on {http.name}.", status=answer.status,
        )  # fmt: skip
    for one in listed(table(answer.json()).get("statuses")):
        if isinstance(table(one).get("id"), str):
            return table(one)
    raise Rejected(
        f"{http.name} does not find the post that this quotes.", advice="Is its address right, and is it public?"
    )
