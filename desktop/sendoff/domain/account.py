"""One signed-in identity at a channel, without its secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sendoff.domain.when import moment


class AccountState(StrEnum):
    """What the account can do now."""

    WORKING = "working"
    SIGN_IN = "sign_in"  # the endpoint no longer takes the key; deliveries are held


@dataclass(frozen=True, slots=True)
class Workspace:
    """A client or a brand: its accounts and posts."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Account:
    """An account as stored.

    `settings` are the fields of the sign-in form that are not secret. `learned` are figures that the server told on
    connecting, by the names of `Capabilities`. `secret_ref` names the keychain item; None where there is none.
    `spacing` is the shortest time between two sends, in seconds. `ready_at` is the earliest next send. `late` is its
    own lateness rule, "" where the preference counts. `strikes` counts refusals in a row; after some of them the
    account rests until `rest_until`, for `rest_reason`. `expires_at` is when the sign-in ends, where that is known, and
    `warned` the last step (signin.py) of which the person was told. `probed_at` is when the endpoint last took the key
    without anything being sent. `removed`: the person took it away; its row stays, because history points to it.
    """

    id: int
    workspace_id: int
    channel: str
    name: str
    handle: str
    settings: Mapping[str, str] = field(default_factory=dict)
    learned: Mapping[str, Any] = field(default_factory=dict)
    secret_ref: str | None = None
    state: AccountState = AccountState.WORKING
    reason: str = ""
    spacing: float = 0.0
    ready_at: datetime | None = None
    last_sent_at: datetime | None = None
    url: str = ""
    late: str = ""
    strikes: int = 0
    rest_until: datetime | None = None
    rest_reason: str = ""
    expires_at: datetime | None = None
    warned: int | None = None
    probed_at: datetime | None = None
    removed: bool = False

    def opens(self, due_at: datetime) -> datetime:
        """When what is due then can leave for it."""
        return opens(due_at, self.ready_at, self.rest_until)


def opens(due_at: datetime, ready_at: datetime | None, rest_until: datetime | None) -> datetime:
    """When what is due then can leave: its account may rest longer, or keep a pause that its endpoint asked for."""
    return max(one for one in (due_at, ready_at, rest_until) if one is not None)


STRIKES = 5
"""After so many refusals in a row an account rests: an endpoint that is pressed on bans it."""

A_MOMENT = timedelta(minutes=1)
"""Shorter waits of an account are not worth a word: that is its pace."""

FIRST_REST = timedelta(minutes=5)
LONGEST_REST = timedelta(hours=1)


def rest(strikes: int) -> timedelta:
    """How long an account rests after so many refusals in a row: not at all, then ever longer."""
    beyond = strikes - STRIKES
    return min(FIRST_REST * 2 ** min(beyond, 10), LONGEST_REST) if beyond >= 0 else timedelta()


def rest_words(account: Account, now: datetime, zone: str) -> str:
    """Until when an account rests, and why: "Rests until 09:20 after 5 refusals in a row: it is full"; or ""."""
    if account.rest_until is None:
        return ""
    reason = account.rest_reason.strip()
    why = f" after {account.strikes} refusals in a row: {reason}" if reason and account.strikes else ""
    words = f"{rest_span(account, now, zone)}{why}"
    return words if words.endswith((".", "!", "?")) else f"{words}."


def rest_span(account: Account, now: datetime, zone: str) -> str:
    """The same without the reason; where the rest is over, that the account is asked."""
    if account.rest_until is None:
        return ""
    if account.rest_until <= now:
        return "Is asked now whether it works again"
    return f"Rests until {_minute(account.rest_until, now, zone)}"


def wait_span(account: Account, now: datetime, zone: str) -> str:
    """Until when nothing leaves for an account: it rests, or keeps a pause that its endpoint asked for. Else ""."""
    ready, rests = account.ready_at, account.rest_until
    if ready is None or ready - now < A_MOMENT or (rests is not None and rests >= ready):
        return rest_span(account, now, zone)
    return f"Waits until {_minute(ready, now, zone)}"


def _minute(instant: datetime, now: datetime, zone: str) -> str:
    minute = (instant + timedelta(seconds=59)).replace(second=0, microsecond=0)
    return moment(minute, zone, now).removeprefix("Today ")
