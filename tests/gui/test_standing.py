"""How things stand, in words: a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sendoff.domain.account import Account
from sendoff.domain.delivery import State
from sendoff.domain.when import When
from sendoff.store.timeline import Chip, Seat
from sendoff.ui.banners import rests
from sendoff.ui.pausing import pauses, tomorrow
from sendoff.ui.standing import Mood, Standing

NOW = datetime(2026, 11, 23, 17, 52, tzinfo=UTC)


def chip(ahead: timedelta, *channels: str) -> Chip:
    seats = tuple(
        Seat(one, one, kind, kind, kind, State.SCHEDULED) for one, kind in enumerate(channels or ("mastodon",))
    )
    return Chip(1, NOW + ahead, When.at(NOW + ahead, "UTC"), State.SCHEDULED, "Guji natural", seats)


def standing(**more: object) -> Standing:
    values: dict[str, object] = {
        "mood": Mood.RUNNING,
        "now": NOW,
        "zone": "Europe/Berlin",
        "titles": {"mastodon": "Mastodon"},
    }
    return Standing(**{**values, **more})  # type: ignore[arg-type]


TOMORROW = chip(timedelta(hours=14, minutes=8))
RESTS = Account(
    1, 1, "mastodon", "Ada", "@ada", strikes=5, rest_until=NOW + timedelta(minutes=5), rest_reason="It is full."
)
HELD_UP = "The keychain is locked. Unlock it, and the sending goes on."
SAID = [
    (Standing(), "Starting…", "", "missed", "running"),
    (standing(), "Nothing planned", "Ready when you are", "sent", "running"),
    (standing(upcoming=(TOMORROW,)), "Next: Tue 09:00", "Mastodon · in 14 h", "sent", "running"),
    (standing(upcoming=(chip(timedelta(hours=1), "mastodon", "x", "smtp"),)), "Next: 19:52", "3 accounts · in 1 h",
     "sent", "running"),
    (standing(upcoming=(chip(timedelta()),)), "Sending now", "Mastodon · now", "sent", "running"),
    (standing(upcoming=(TOMORROW,), needs_you=1), "Next: Tue 09:00", "1 thing needs you", "doubt", "needs-you"),
    (standing(upcoming=(TOMORROW,), resting=(RESTS,)), "Next: Tue 09:00", "Ada rests", "doubt",
     "running"),
    (standing(upcoming=(TOMORROW,), resting=(RESTS, RESTS)), "Next: Tue 09:00", "2 accounts rest",
     "doubt", "running"),
    (standing(mood=Mood.PAUSED, paused_until="forever", waiting=9), "Paused", "9 deliveries wait", "missed", "paused"),
    (standing(mood=Mood.PAUSED, paused_until="2026-11-24T07:00:00+00:00", waiting=1), "Paused until Tue 08:00",
     "1 delivery waits", "missed", "paused"),
    (standing(mood=Mood.ELSEWHERE, elsewhere=True, upcoming=(TOMORROW,)), "Next: Tue 09:00", "Another Sendoff sends it",
     "held", "running"),
    (standing(mood=Mood.ELSEWHERE, elsewhere=True), "Another Sendoff sends", "It sends for this profile", "held",
     "running"),
    (standing(mood=Mood.PAUSED, paused_until="forever", paused_why="It was copied.", waiting=9), "Paused",
     "It was copied. Look at what it would send, then resume.", "doubt", "needs-you"),
    (standing(upcoming=(TOMORROW,), warning="No room for a copy."), "Next: Tue 09:00", "No room for a copy.", "doubt",
     "needs-you"),
    (standing(mood=Mood.TROUBLE, trouble=HELD_UP), "Sending waits", HELD_UP, "doubt", "needs-you"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "headline", "detail", "token", "icon"), SAID, ids=lambda value: str(value)[:30])
def test_words_dot_and_icon(one: Standing, headline: str, detail: str, token: str, icon: str) -> None:
    assert (one.headline, one.detail, one.token, one.icon) == (headline, detail, token, icon)


def test_sentences_are_shown_whole() -> None:
    assert standing(mood=Mood.TROUBLE, trouble=HELD_UP).is_long
    assert standing(mood=Mood.PAUSED, paused_why="It was copied.").is_long
    assert standing(warning="No room.").is_long
    assert not standing(mood=Mood.PAUSED, warning="No room.", waiting=3).is_long
    assert not standing(upcoming=(TOMORROW,)).is_long


def test_what_quitting_means() -> None:
    assert standing(waiting=9).on_quitting == ("9 deliveries won’t go out until you start it again",)
    assert standing(waiting=1).on_quitting == ("1 delivery won’t go out until you start it again",)
    assert standing(waiting=1, leaving=1).on_quitting == (
        "1 delivery is leaving and may end in doubt", "1 delivery won’t go out until you start it again",
    )  # fmt: skip
    assert standing().on_quitting == ()
    assert standing(waiting=9, leaving=1, elsewhere=True).on_quitting == ()


def test_the_words_are_looked_at_every_second_shortly_before() -> None:
    assert standing(upcoming=(chip(timedelta(seconds=30)),)).next_change == timedelta(seconds=1)
    assert standing(upcoming=(chip(timedelta(minutes=30)),)).next_change == timedelta(seconds=20)
    assert standing(upcoming=(TOMORROW,)).next_change == standing().next_change == timedelta(minutes=1)
    assert standing(elsewhere=True).next_change == timedelta(seconds=20)


def test_the_pauses_end_at_the_persons_own_morning() -> None:
    hour, morning, forever = pauses(NOW, "Europe/Berlin")
    assert (hour.until, hour.hint) == (NOW + timedelta(hours=1), "19:52")
    hour = pauses(NOW + timedelta(seconds=32), "Europe/Berlin")[0]
    assert (hour.until, hour.hint) == (NOW + timedelta(minutes=61), "19:53")
    assert (morning.until, morning.hint) == (datetime(2026, 11, 24, 7, tzinfo=UTC), "08:00")
    assert forever.until is None
    # The night in which Berlin's clock is set back has 25 hours.
    assert tomorrow(datetime(2026, 10, 24, 20, tzinfo=UTC), "Europe/Berlin") == datetime(2026, 10, 25, 7, tzinfo=UTC)


def test_who_rests_is_told_whole_in_the_banner() -> None:
    waits = "What is due there waits; then Sendoff asks whether it works again."
    assert rests(standing()) == ""
    one = rests(standing(resting=(RESTS,)))
    assert one == f"Ada: rests until 18:57 after 5 refusals in a row: It is full. {waits}"
    other = replace(RESTS, name="Bob", rest_until=NOW + timedelta(hours=1))
    assert rests(standing(resting=(RESTS, other))) == (
        f"2 accounts rest after refusals: Ada until 18:57, Bob until 19:52. {waits}"
    )
    over = rests(standing(resting=(replace(RESTS, rest_until=NOW),)))
    assert over.startswith("Ada: is asked now whether it works again after 5 refusals")
