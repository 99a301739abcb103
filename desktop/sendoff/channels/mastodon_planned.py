"""The posts that a server of Mastodon's kind keeps for an account until their time, whoever planned them there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sendoff.channels.http import Http
from sendoff.channels.reading import listed, moment, table
from sendoff.domain.channel import Planned

PAGE = 40
"""The most of one page (docs.joinmastodon.org/methods/scheduled_statuses)."""

PAGES = 8
"""A server keeps 300 at most (Mastodon: scheduled_status.rb)."""


def planned(http: Http) -> list[Planned]:
    """All of them, the next one first.

    Raises:
        Rejected, NeedsLogin, TryLater: they can't be read.
    """
    found: dict[str, Planned] = {}
    older_than = ""
    for _ in range(PAGES):
        answer = http.read(
            f"/api/v1/scheduled_statuses?limit={PAGE}{older_than and f'&max_id={older_than}'}", ok=(404, 501)
        )
        page = [table(one) for one in listed(answer.json())] if answer.status == 200 else []
        fresh = [one for one in page if isinstance(one.get("id"), str) and one["id"] not in found]
        found |= {one["id"]: made for one in fresh if (made := _planned(one))}
        if len(page) < PAGE or not fresh:
            break
        older_than = fresh[-1]["id"]
    return sorted(found.values(), key=lambda one: one.at)


def _planned(one: Mapping[str, Any]) -> Planned | None:
    at, what = moment(one.get("scheduled_at")), table(one.get("params"))
    text = what.get("text")
    pictures = len(listed(one.get("media_attachments")))
    return Planned(str(one["id"]), at, text if isinstance(text, str) else "", pictures) if at else None
