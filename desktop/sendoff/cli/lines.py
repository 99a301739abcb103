"""One thing that happened, as a line for people or as JSON for programs; the worker and the demo print these."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sendoff.cli import render
from sendoff.domain.delivery import State
from sendoff.domain.when import When, distance
from sendoff.store.news import News

_WORDS = {
    "sent": "sent",
    "refused": "refused",
    "needs_login": "held",
    "later": "later",
    "doubt": "in doubt",
    "refused_recipient": "not taken",
}
"""Names of ends and events, for people; others are their own words."""


def clock(at: datetime, zone: str) -> str:
    return f"{When.at(at, zone).wall:%H:%M:%S}"


def line(news: News, zone: str, now: datetime) -> str:
    """For people: "09:00:00  sent      12  Ada  practice-1, 3 ms late"."""
    words = _WORDS.get(news.what, news.what.replace("_", " "))
    return f"{clock(news.at, zone)}  {words:<9} {news.delivery_id}  {render.one_line(news.account)}  {_rest(news, now)}"


def _rest(news: News, now: datetime) -> str:
    if news.what == "sent":
        late = f", {render.lateness(news.at, news.planned_at)}" if news.part == news.parts else ""
        part = f"part {news.part} of {news.parts}, " if news.parts > 1 else ""
        return f"{part}{render.one_line(news.remote_id)}{late}"
    again = ""
    if news.what == "later" and news.due_at and news.state is State.SCHEDULED:
        again = f" Next try {distance(news.due_at - now)}."
    return render.one_line(news.reason) + again


def as_json(news: News) -> dict[str, Any]:
    """For programs, one object a line."""
    return {
        "at": render.instant(news.at),
        "what": news.what,
        "delivery": news.delivery_id,
        "account": news.account,
        "state": news.state,
        "part": news.part,
        "parts": news.parts,
        "reason": news.reason,
        "remote_id": news.remote_id,
        "url": news.url,
        "next_try": render.instant(news.due_at),
        "began_at": render.instant(news.began_at),
        "planned_at": render.instant(news.planned_at),
    }
