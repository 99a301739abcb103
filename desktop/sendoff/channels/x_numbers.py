"""What people did with posts on X. Each post that is read costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sendoff.channels.reading import count, listed, table
from sendoff.channels.x_api import Api, problem_kind
from sendoff.domain.errors import TryLater
from sendoff.domain.numbers import Numbers

AT_ONCE = 100
"""The most posts of one question (X's OpenAPI file 2.167, GET /2/tweets)."""

GONE = "resource-not-found"


def read(api: Api, ids: Sequence[str]) -> dict[str, Numbers | None]:
    """The numbers by the posts' numbers; None for one that X says it has not. What it tells nothing of is left out.

    Raises:
        Rejected, NeedsLogin, TryLater.
    """
    answer = api.get("/2/tweets", {"ids": ",".join(ids), "post.fields": "public_metrics"})
    told = table(answer.json())
    if "data" not in told and "errors" not in told:
        raise TryLater("X answered with something else than posts.", detail=answer.text[:500])
    there, missing = ([table(one) for one in listed(told.get(name))] for name in ("data", "errors"))
    found: dict[str, Numbers | None] = {
        str(one.get("resource_id") or one.get("value")): None for one in missing if problem_kind(one) == GONE
    }
    found |= {str(one.get("id")): _counted(table(one.get("public_metrics"))) for one in there}
    return {name: found[name] for name in ids if name in found}


def _counted(told: Mapping[str, Any]) -> Numbers:
    """Reposts were called retweets before version 2.167 of the file."""
    reposts = told.get("repost_count", told.get("retweet_count"))
    likes, replies, quotes, views = (told.get(f"{name}_count") for name in ("like", "reply", "quote", "impression"))
    return Numbers(count(likes), count(reposts), count(replies), count(quotes), count(views))
