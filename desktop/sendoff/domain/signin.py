"""How long a sign-in lasts where its end is known: when to warn, when to ask whether it still works, and the words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sendoff.domain.account import Account
from sendoff.domain.text import graphemes
from sendoff.domain.when import distance, moment, within

STEPS = (7, 3, 1)
"""Days before the end at which the person is told, once each."""

ENDED = 0
"""The step of a sign-in whose end is past."""

DAILY = timedelta(days=1)
"""How old the last sign that the key works may be."""

AHEAD = timedelta(hours=4)
"""How long before a post is due its account is asked: time enough to sign in again."""

NAME = 40
"""Characters by which a post at risk is called."""

TOO_LATE = timedelta(minutes=2)
"""Closer to the due time nobody is asked any more: the sending itself finds out."""


def step(expires_at: datetime | None, now: datetime) -> int | None:
    """The last step that was reached, in days before the end; None: it is further away, or the end is not known."""
    if expires_at is None:
        return None
    left = expires_at - now
    if left <= timedelta():
        return ENDED
    return min((days for days in STEPS if left <= timedelta(days=days)), default=None)


def ends_first(account: Account, due_at: datetime, now: datetime, zone: str) -> str:
    """That the sign-in ends before a post is due, as a sentence; "" if it does not, as far as is known."""
    if account.expires_at is None or not now < account.expires_at <= due_at:
        return ""
    return f"The sign-in of {account.name} ends {_when(account.expires_at, now, zone)}, before this is due."


def is_to_probe(account: Account, due_at: datetime | None, now: datetime) -> bool:
    """Whether it is time to ask if the key still works.

    Args:
        due_at: when the account's next post is due, if that is within AHEAD.
    """
    signs = [at for at in (account.probed_at, account.last_sent_at) if at is not None]
    seen_at = max(signs, default=None)
    if seen_at is None or now - seen_at >= DAILY:
        return True
    if account.expires_at is not None and seen_at < account.expires_at <= now:
        return True
    return due_at is not None and seen_at < due_at - AHEAD and now + TOO_LATE < due_at


def _short(excerpt: str) -> str:
    signs = graphemes(excerpt)
    return excerpt if len(signs) <= NAME else f"{''.join(signs[: NAME - 1]).rstrip()}…"


def _when(instant: datetime, now: datetime, zone: str) -> str:
    return within(moment(instant, zone, now))


@dataclass(frozen=True, slots=True)
class Ending:
    """A sign-in that ends within the first step, and the posts that are planned for later than that.

    `at_risk` counts them, `excerpts` are how the first of them begin.
    """

    account: Account
    expires_at: datetime
    at_risk: int = 0
    excerpts: tuple[str, ...] = ()

    def words(self, now: datetime, zone: str) -> str:
        """When it ends, and what that means for what is planned later, in sentences."""
        when = _when(self.expires_at, now, zone)
        said = f"ends {when}, {distance(self.expires_at - now)}" if self.expires_at > now else f"ended {when}"
        return f"The sign-in of {self.account.name} {said}. {self.risk}"

    @property
    def risk(self) -> str:
        """What is planned for later: "2 posts are planned for later: “Lunch” and “Dinner”. Sign in again before, …"."""
        if not self.at_risk:
            return "Nothing is planned for later."
        named = [f"“{_short(one)}”" for one in self.excerpts if one]
        if named and self.at_risk > len(named):
            named.append(f"{self.at_risk - len(named)} more")
        *first, last = named or [""]
        which = f": {', '.join(first)} and {last}" if first else f": {last}" if last else ""
        if self.at_risk == 1:
            return f"1 post is planned for later{which}. Sign in again before, and it goes."
        return f"{self.at_risk} posts are planned for later{which}. Sign in again before, and they go."
