"""What is said of a doubt, as a table: facts that the rows hold, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sendoff.domain import doubt
from sendoff.domain.account import Account, AccountState
from sendoff.domain.channel import Channel, How, Settle
from sendoff.domain.delivery import Attempt, Delivery, Outcome, Part, Receipt, State
from sendoff.domain.doubt import STOPPED_WHILE, Doubt

NOW = datetime(2026, 11, 23, 13, 1, tzinfo=UTC)
"""14:01 in Berlin."""
AT = NOW - timedelta(minutes=1) + timedelta(seconds=0.2)
BROKE = "The line to Loft broke before it answered. It may have gone out."
NOT_YET = "Not found so far, 30 s after it left. That proves nothing yet; Sendoff looks again."


class Loft(Channel):
    kind, title = "loft", "Loft"

    def __init__(self, settle: Settle) -> None:
        self._settle = settle

    def settle(self, account: Account) -> Settle:
        return self._settle


ASK = Loft(Settle(How.ASK, why="Loft can’t be searched."))
SEARCH = Loft(Settle(How.SEARCH, looks=(30, 60), absent_after=300, why="Sendoff reads your last posts."))
DELIVERY = Delivery(
    id=1, post_id=1, account_id=1, state=State.IN_DOUBT, planned_at=AT, wall="2026-11-23 14:00", zone="Europe/Berlin",
    fold=0, due_at=AT, late="send", give_up_at=NOW + timedelta(days=1), version=1, created_at=AT, reason=BROKE,
)  # fmt: skip
TRY = Attempt(1, 1, 1, AT, AT + timedelta(seconds=29.8), Outcome.DOUBT, summary=BROKE, request="POST /")
ONE = (Part(1, 1, "key"),)
ACCOUNT = Account(1, 1, "loft", "Ada", "@ada")


def told(delivery: Delivery = DELIVERY, parts: tuple[Part, ...] = ONE, attempts: tuple[Attempt, ...] = (TRY,),
         account: Account = ACCOUNT, channel: Channel | None = ASK) -> Doubt:  # fmt: skip
    return doubt.known(delivery, parts, attempts, account, channel, NOW, "Europe/Berlin")


def test_nothing_is_promised_for_an_account_that_cannot_send() -> None:
    two = (Part(1, 1, "key"), Part(2, 2, "more"))
    gone = told(replace(DELIVERY, look_at=NOW), two, account=replace(ACCOUNT, removed=True), channel=SEARCH)
    assert gone.why_not == "Its account was removed, so Sendoff can’t look."
    assert dict(gone.facts)["Next"] == "Sendoff can’t look for it, so it is your word that counts."
    assert "does not go again, because its account was removed" in gone.absent
    assert "the rest does not follow" in gone.there
    signed_out = told(parts=two, account=replace(ACCOUNT, state=AccountState.SIGN_IN))
    assert signed_out.absent.startswith("It goes out again when you have signed in again.")
    assert signed_out.there == "This part counts as sent, and the other part follows when you have signed in again."


def test_a_try_without_an_answer_at_a_network_that_cannot_be_asked() -> None:
    found = told()
    assert found.facts == (
        ("Left", "The last try began today 14:00:00.2 and was over after 29.8 s."),
        ("Answer", f"None was read. {BROKE}"),
        ("Next", "Sendoff can’t look for it, so it is your word that counts."),
        ("Channel", "Loft can’t be searched."),
    )
    assert (found.can_look, found.why_not) == (False, "Loft can’t be searched.")
    assert found.there == "It counts as sent, and nothing goes out again."
    assert found.absent == "It goes out again now. If it did arrive after all, people get it twice."


LOOKED = replace(
    DELIVERY, looked_at=AT + timedelta(seconds=30), look_at=NOW + timedelta(minutes=4), reason=NOT_YET, looks=1
)
OUT = Part(1, 1, "a", receipt=Receipt("1"))
THREAD = (OUT, Part(2, 2, "b"), Part(3, 3, "c"), Part(4, 4, "d"))
SECOND = replace(TRY, id=2, part_number=2)
CRASHED = replace(TRY, ended_at=NOW, summary=STOPPED_WHILE, request="")
ERROR = replace(TRY, status=502, summary="Loft answered with an error of its own (502).", answer="<html>")
TABLE = [
    ("Looked", {"delivery": LOOKED, "channel": SEARCH}, f"Last today 14:00:30.2. {NOT_YET}"),
    ("Looked", {"channel": SEARCH}, "Not yet."),
    ("Looked", {}, None),
    ("Looked", {"delivery": replace(LOOKED, advice="There is something like it."), "channel": SEARCH},
     f"Last today 14:00:30.2. {NOT_YET} There is something like it."),
    ("Next", {"delivery": LOOKED, "channel": SEARCH},
     "Sendoff looks today 14:05. What is not there 5 min after it left counts as not sent, and goes again."),
    ("Next", {"delivery": replace(LOOKED, look_at=NOW), "channel": Loft(Settle(How.REPEAT))}, "Sendoff looks now."),
    ("Next", {"channel": SEARCH}, "Sendoff does not look by itself any more: it is your word that counts."),
    ("Part", {}, None),
    ("Part", {"parts": THREAD, "attempts": (TRY, SECOND)},
     "Part 2 of 4 is in doubt. Part 1 is out. 2 parts wait for it."),
    ("Part", {"parts": THREAD[1:]}, "Part 2 of 3 is in doubt. None is surely out. 2 parts wait for it."),
    ("Part", {"parts": (OUT, replace(OUT, number=2), replace(THREAD[2]))},
     "Part 3 of 3 is in doubt. 2 parts are out."),
    ("Left", {"attempts": (CRASHED,)}, "The last try began today 14:00:00.2. Sendoff stopped before it was over."),
    ("Left", {"attempts": (TRY, replace(TRY, number=2))},
     "The last try began today 14:00:00.2 and was over after 29.8 s. It was try 2."),
    ("Left", {"attempts": ()}, "There is no try on record."),
    ("Answer", {"attempts": (CRASHED,)}, "None is on record, and it is not known how much of it left."),
    ("Answer", {"attempts": (ERROR,)}, "One came (status 502), and it does not tell what became of it: "
     "Loft answered with an error of its own (502)."),
    ("Answer", {"attempts": ()}, None),
    ("Channel", {"channel": SEARCH}, "Sendoff reads your last posts."),
    ("Channel", {"channel": None}, "There is no channel “loft” in this Sendoff, so it can’t look."),
    ("Channel", {"channel": SEARCH, "account": replace(ACCOUNT, state=AccountState.SIGN_IN)},
     "Ada wants you to sign in again; then Sendoff can look."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "what", "words"), TABLE)
def test_each_fact(name: str, what: dict[str, object], words: str | None) -> None:
    assert dict(told(**what).facts).get(name) == words  # type: ignore[arg-type]


def test_the_other_parts_follow_what_is_there() -> None:
    assert told(parts=THREAD).there == "This part counts as sent, and the other 2 parts follow now."
    assert told(parts=THREAD[:3]).there == "This part counts as sent, and the other part follows now."
