"""What is known of a delivery in doubt, told in facts; and what each way out of it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sendoff.domain.account import Account, AccountState
from sendoff.domain.channel import Channel, How, Settle
from sendoff.domain.delivery import Attempt, Delivery, Outcome, Part
from sendoff.domain.when import exact, moment, span_text, within
from sendoff.domain.words import counted

STOPPED_WHILE = "Sendoff stopped while this was leaving, so it may or may not have gone out."
"""The summary of a try whose process ended before its answer was written down."""


GONE = "Its account was removed, so Sendoff can’t look."


@dataclass(frozen=True, slots=True)
class Doubt:
    """All that is known, each as a name and a sentence, and the ways out.

    `why_not` says why Sendoff can't look for it, "" where it can. `there` and `absent` say what the two answers do.
    """

    facts: tuple[tuple[str, str], ...]
    why_not: str
    there: str
    absent: str

    @property
    def can_look(self) -> bool:
        return not self.why_not


def known(
    delivery: Delivery,
    parts: Sequence[Part],
    attempts: Sequence[Attempt],
    account: Account,
    channel: Channel | None,
    now: datetime,
    zone: str,
) -> Doubt:
    """The facts about a delivery in doubt. Only what a row says: how far a request got is the try's own word.

    Args:
        channel: None where it is not installed.
        zone: whose wall time the times are told in.
    """
    part = next((one for one in parts if one.is_open), None)
    tries = [one for one in attempts if part is None or one.part_number == part.number]
    last = tries[-1] if tries else None
    settle = channel.settle(account) if channel else None
    why_not = _why_not(account, settle)
    facts = [
        ("Part", _part(parts, part)),
        ("Left", _left(tries, zone, now)),
        ("Answer", _answer(last)),
        ("Looked", _looked(delivery, last, zone, now, can_look=not why_not)),
        ("Next", _next(delivery, None if account.removed else settle, zone, now)),
        ("Channel", settle.why if settle and not why_not else why_not),
    ]
    return Doubt(
        facts=tuple((name, words) for name, words in facts if words),
        why_not=why_not,
        there=_there(parts, part, account),
        absent=_absent(account),
    )


def _why_not(account: Account, settle: Settle | None) -> str:
    if account.removed:
        return GONE
    if settle is None:
        return f"There is no channel “{account.channel}” in this Sendoff, so it can’t look."
    if settle.how is How.ASK:
        return settle.why or "This account can’t be asked what became of a post."
    if account.state is AccountState.SIGN_IN:
        return f"{account.name} wants you to sign in again; then Sendoff can look."
    return ""


def _part(parts: Sequence[Part], part: Part | None) -> str:
    """Which part it is about, and how the others stand."""
    if part is None or len(parts) == 1:
        return ""
    out = [one.number for one in parts if one.receipt]
    rest = sum(one.is_open for one in parts) - 1
    told = [f"Part {part.number} of {len(parts)} is in doubt."]
    told += [f"{_named(out)} out."] if out else ["None is surely out."]
    told += [f"{counted(rest, 'part waits', 'parts wait')} for it."] if rest else []
    return " ".join(told)


def _named(numbers: Sequence[int]) -> str:
    return f"Part {numbers[0]} is" if len(numbers) == 1 else f"{len(numbers)} parts are"


def _left(tries: Sequence[Attempt], zone: str, now: datetime) -> str:
    """When the last try began, and when and how it was over."""
    if not tries:
        return "There is no try on record."
    last = tries[-1]
    began = f"The last try began {within(exact(last.began_at, zone, now))}"
    if last.summary == STOPPED_WHILE:
        began += ". Sendoff stopped before it was over"
    elif last.ended_at:
        began += f" and was over after {_took((last.ended_at - last.began_at).total_seconds())}"
    return f"{began}." if len(tries) == 1 else f"{began}. It was try {last.number}."


def _answer(last: Attempt | None) -> str:
    """What came back, and the try's own word on how far it got."""
    if last is None or last.outcome is not Outcome.DOUBT:
        return ""
    if last.summary == STOPPED_WHILE:
        return "None is on record, and it is not known how much of it left."
    if last.status is not None:
        return f"One came (status {last.status}), and it does not tell what became of it: {last.summary}"
    return last.summary if last.answer else f"None was read. {last.summary}"


def _looked(delivery: Delivery, last: Attempt | None, zone: str, now: datetime, *, can_look: bool) -> str:
    """When the endpoint was last asked, and what that told."""
    told = " ".join(words for words in (_news(delivery, last), delivery.advice if can_look else "") if words)
    if delivery.looked_at is None:
        return told or ("Not yet." if can_look else "")
    return f"Last {within(exact(delivery.looked_at, zone, now))}. {told}".rstrip()


def _news(delivery: Delivery, last: Attempt | None) -> str:
    """The delivery's reason, where it is no longer that of the try but that of a look."""
    is_of_the_try = last is None or delivery.reason.endswith(last.summary) or delivery.reason == STOPPED_WHILE
    return "" if is_of_the_try else delivery.reason


def _next(delivery: Delivery, settle: Settle | None, zone: str, now: datetime) -> str:
    if delivery.look_at is None or settle is None:
        if settle is None or settle.how is How.ASK:
            return "Sendoff can’t look for it, so it is your word that counts."
        return "Sendoff does not look by itself any more: it is your word that counts."
    when = "now" if delivery.look_at <= now else within(moment(delivery.look_at, zone, now))
    if settle.how is How.SEARCH and settle.absent_after:
        after = span_text(settle.absent_after)
        return f"Sendoff looks {when}. What is not there {after} after it left counts as not sent, and goes again."
    return f"Sendoff looks {when}."


def _absent(account: Account) -> str:
    if account.removed:
        return "It counts as not sent, and does not go again, because its account was removed."
    return f"It goes out again {_soonest(account)}. If it did arrive after all, people get it twice."


def _there(parts: Sequence[Part], part: Part | None, account: Account) -> str:
    rest = sum(one.is_open for one in parts) - 1 if part else 0
    if rest > 0 and account.removed:
        return "This part counts as sent, and the rest does not follow, because its account was removed."
    if rest > 0:
        others = "the other part follows" if rest == 1 else f"the other {rest} parts follow"
        return f"This part counts as sent, and {others} {_soonest(account)}."
    return "It counts as sent, and nothing goes out again."


def _soonest(account: Account) -> str:
    return "when you have signed in again" if account.state is AccountState.SIGN_IN else "now"


def _took(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s" if seconds < 60 else span_text(seconds)
