"""The wait for a server that still works on what was uploaded to it: how long until the next look, and what is said."""

from __future__ import annotations

from datetime import timedelta

from sendoff.domain.channel import Parcel
from sendoff.domain.errors import TryLater
from sendoff.domain.when import span_text

FIRST_GAP, LONGEST_GAP = timedelta(seconds=10), timedelta(minutes=1)
TOLD_FROM = timedelta(minutes=1)
"""From then on it is said how long the server has worked."""


def unfinished(name: str, what: str, parcel: Parcel, wish: timedelta = FIRST_GAP) -> TryLater:
    """The next look comes the later, the longer the server has worked.

    With the tries that a post has (engine/limiter.py) that is more than an hour and a quarter in all. No look comes
    later than LONGEST_GAP, because the account's other posts wait for it, too.

    Args:
        what: "a picture or video".
        wish: the time until the next look that the server asked for, or the first one.
    """
    worked = parcel.now - (parcel.first_try or parcel.now)
    gap = max(wish, min(worked / 10, LONGEST_GAP))
    if worked < TOLD_FROM:
        return TryLater(f"{name} still works on {what} of this post.", after=gap)
    span = span_text(worked.total_seconds())
    advice = "Its servers may be busy. A smaller file is done sooner."
    return TryLater(f"{name} still works on {what} of this post, for {span} now.", after=gap, advice=advice)
