"""What a card says of an account: how it stands, what it may do, what comes next. Words only, no widgets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sendoff.domain.account import Account, AccountState, rest_span
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import Channel
from sendoff.domain.limits import size_text
from sendoff.domain.signin import Ending
from sendoff.domain.when import When, distance, short, span_text
from sendoff.domain.words import counted
from sendoff.ui.states import Face

SERVERS = ("host", "server", "base_url")
"""Settings that name the server, where a channel has one of them."""


class Action(StrEnum):
    """What a card's one button does."""

    CHECK = "Check"
    SIGN_IN = "Sign in"
    LOOK = "Look"
    ASK = "Ask now"


@dataclass(frozen=True, slots=True)
class Checked:
    """What the last live check found. `reason` is "" where all was well; `note` is what the endpoint told besides."""

    at: datetime
    reason: str = ""
    note: str = ""
    action: Action = Action.CHECK


@dataclass(frozen=True, slots=True)
class Facts:
    """One card. `edge` is the token of its line; `counts` are the deliveries by state."""

    account: Account
    title: str
    mark: str
    health: Face
    lines: tuple[tuple[str, str], ...]
    foot: str
    action: Action | None
    edge: str = "line"
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """The card in one sentence."""
        return ", ".join([self.account.name, self.title, self.account.handle, self.health.word, self.foot])

    @property
    def planned(self) -> int:
        return planned(self.counts)


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where the words are read."""

    now: datetime
    zone: str


def planned(counts: Mapping[str, int]) -> int:
    """How many deliveries wait for their time or for a sign-in."""
    return counts.get("scheduled", 0) + counts.get("held", 0)


def facts(
    account: Account,
    channel: Channel | None,
    counts: Mapping[str, int],
    moment: Moment,
    checked: Checked | None = None,
    failed: str = "",
    ending: Ending | None = None,
) -> Facts:
    """What is known of an account.

    Args:
        channel: None where it is not installed or could not be loaded; `failed` then says why.
        checked: what a live check found; it counts no longer once something was sent after it.
        ending: that the sign-in ends soon.
    """
    if channel is None:
        cause = failed or "Install it again, and the account works again."
        gone = Face("failed", "unplug", "Its channel is missing")
        return Facts(
            account, account.channel, "", gone, (("Cause", cause),), _foot(counts), None, "failed.line", counts
        )
    stands = _standing(account, counts, moment, checked, ending)
    lines = [("Cause", stands.cause)] if stands.cause else []
    figures = channel.capabilities.learned(account.learned)
    lines += [("May", may(figures)), ("Takes", takes(figures) or "–")]
    foot = _foot(counts) if account.state is AccountState.WORKING else "Planned times are kept"
    edge = f"{stands.health.token}.line" if stands.cause else "line"
    return Facts(account, channel.title, channel.mark, stands.health, tuple(lines), foot, stands.action, edge, counts)


@dataclass(frozen=True, slots=True)
class _Standing:
    """How an account stands, why, and what to do."""

    health: Face
    action: Action
    cause: str = ""


def _standing(
    account: Account, counts: Mapping[str, int], moment: Moment, checked: Checked | None, ending: Ending | None
) -> _Standing:
    if account.state is AccountState.SIGN_IN:
        waits = counts.get("held", 0)
        more = f" · {counted(waits, 'post waits', 'posts wait')}" if waits else ""
        face = Face("signin", "key-round", f"Sign in again{more}")
        return _Standing(face, Action.SIGN_IN, account.reason or "The key is no longer accepted.")
    if account.rest_until is not None:
        face = Face("doubt", "hourglass", rest_span(account, moment.now, moment.zone))
        after = f"{account.strikes} refusals in a row: " if account.strikes else ""
        return _Standing(face, Action.ASK, f"{after}{account.rest_reason}")
    if checked and checked.reason and not _sent_since(account, checked.at):
        face = Face("failed", "unplug", f"Check failed · {ago(checked.at, moment)}")
        return _Standing(face, checked.action, checked.reason)
    if ending is not None:
        when = short(When.at(ending.expires_at, moment.zone), moment.now)
        face = Face("doubt", "key-round", f"{'Sign-in ends' if ending.expires_at > moment.now else 'Ended'} {when}")
        return _Standing(face, Action.SIGN_IN, ending.risk)
    sent = f"sent {ago(account.last_sent_at, moment)}" if account.last_sent_at else "nothing sent yet"
    if doubtful := counts.get("in_doubt", 0):
        return _Standing(Face("doubt", "circle-question-mark", f"{doubtful} in doubt · {sent}"), Action.LOOK)
    if checked and not checked.reason:
        sent = f"checked {ago(checked.at, moment)}"
    return _Standing(Face("sent", "circle-check", f"Working · {sent}"), Action.CHECK)


def _sent_since(account: Account, at: datetime) -> bool:
    return account.last_sent_at is not None and account.last_sent_at > at


def _foot(counts: Mapping[str, int]) -> str:
    waiting = planned(counts)
    return f"{waiting:,} planned" if waiting else "Nothing planned"


# --- words --------------------------------------------------------------------------------------------------------


def may(figures: Capabilities) -> str:
    """What posts or mails it can be: "post, threads, pictures, polls"."""
    if figures.mail:
        return "send mail, to many separately" if figures.batch > 1 else "send mail"
    can = ["post"]
    can += ["threads"] if figures.threads else []
    can += ["pictures"] if figures.media else []
    can += ["polls"] if figures.poll_options else []
    return ", ".join(can)


def takes(figures: Capabilities) -> str:
    """How much of it: "500 characters, 4 pictures", "25 MB, 100 people at once"; "" where no limit is known."""
    if figures.mail:
        known = [size_text(figures.message_bytes)] if figures.message_bytes else []
        known += [f"{figures.recipients:,} people at once"] if figures.recipients else []
    else:
        known = [counted(figures.text, "character", "characters")] if figures.text else []
        known += [counted(figures.media, "picture", "pictures")] if figures.media else []
    return ", ".join(known)


def spacing_words(seconds: float) -> str:
    """The shortest time between two sends."""
    if not seconds:
        return "none, one may follow the other at once"
    exact = seconds % 60 == 0 or (seconds < 60 and seconds == round(seconds))
    return span_text(seconds) if exact else f"{seconds:g} s"


def ago(at: datetime, moment: Moment) -> str:
    """When something was: "just now", "20 min ago", "09:12", "20 Nov 18:30"."""
    gone = moment.now - at
    if gone.total_seconds() < 60:
        return "just now"
    if gone.total_seconds() < 3600:
        return distance(-gone)
    return short(When.at(at, moment.zone), moment.now)


def server(channel: Channel, settings: Mapping[str, str]) -> str:
    """Who is asked, for a person: the server where the settings name one, else the channel."""
    named = next((settings[name] for name in SERVERS if settings.get(name, "").strip()), "")
    return named.strip().removeprefix("https://").removeprefix("http://") or channel.title
