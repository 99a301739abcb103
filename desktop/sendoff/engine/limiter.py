"""How fast, and how often again: the pause after a failed try, and when an account may send next."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

FIRST_PAUSE = 15.0
LONGEST_PAUSE = 1800.0
OFFLINE_PAUSE = 20.0
REACHING_PAUSE = 1.0
MOST_TRIES = 100
"""Tries of one delivery that certainly failed, whatever time is left; about a day and a half of them."""

CATCHING_UP = timedelta(minutes=1)
"""From this lateness on a delivery belongs to a backlog, which leaves at the pace of `CALM`."""

CALM = 2.0
"""Seconds between two deliveries of one account while it catches up: a hundred at once look like an attack."""

LONGEST_WISH = 86_400.0
"""An endpoint may ask for a day's pause at most; absurd wishes are cut (RFC 9110 section 10.2.3 sets no bound)."""


def pause(
    tries: int, wish: timedelta | None, offline: bool, chance: random.Random, *, waits_for_host: bool = False
) -> timedelta:
    """How long to wait after a try that certainly failed.

    The endpoint's wish is kept to, with a little added so that many do not come back at once. Without one the pause
    doubles from 15 s to 30 min, shortened at random by up to a half ("equal jitter").

    Args:
        tries: tries spent before this one.
        wish: what the endpoint asked for (Retry-After).
        offline: nothing could be reached; the pause stays short, because coming online is nobody's mercy.
        waits_for_host: the account's host is asked whether it is there, so the pause need not do that.
    """
    if wish is not None:
        seconds = min(max(wish.total_seconds(), 1.0), LONGEST_WISH)
        return timedelta(seconds=seconds + chance.uniform(0, min(seconds * 0.1, 30.0)))
    if offline:
        return timedelta(seconds=(REACHING_PAUSE if waits_for_host else OFFLINE_PAUSE) * chance.uniform(0.75, 1.25))
    seconds = min(FIRST_PAUSE * 2.0 ** min(tries, 20), LONGEST_PAUSE)
    return timedelta(seconds=seconds * chance.uniform(0.5, 1.0))


def pace(spacing: float, late_by: timedelta) -> float:
    """The seconds between a delivery that left so late and the account's next one."""
    return max(spacing, CALM) if late_by > CATCHING_UP else spacing


def ready_after(now: datetime, spacing: float, wish: timedelta | None = None) -> datetime | None:
    """When an account may send next: after its spacing, and after what the endpoint asked for."""
    wait = max(spacing, min(wish.total_seconds(), LONGEST_WISH) if wish else 0.0)
    return now + timedelta(seconds=wait) if wait > 0 else None
