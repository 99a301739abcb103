"""When a sign-in is asked after, and how its end is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sendoff.domain.account import Account
from sendoff.domain.signin import Ending, is_to_probe, step

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def account(**more: datetime | None) -> Account:
    return Account(1, 1, "practice", "Ada", "@ada", **more)  # type: ignore[arg-type]


def hours(n: float) -> datetime:
    return NOW + timedelta(hours=n)


@pytest.mark.parametrize(
    ("left", "reached"),
    [
        (timedelta(days=8), None), (timedelta(days=7, seconds=1), None), (timedelta(days=7), 7), (timedelta(days=4), 7),
        (timedelta(days=3), 3), (timedelta(days=1, seconds=1), 3), (timedelta(days=1), 1), (timedelta(seconds=1), 1),
        (timedelta(0), 0), (timedelta(days=-9), 0),
    ],
)  # fmt: skip
def test_steps(left: timedelta, reached: int | None) -> None:
    assert step(NOW + left, NOW) == reached


def test_an_unknown_end_has_no_steps() -> None:
    assert step(None, NOW) is None


@pytest.mark.parametrize(
    ("known", "due", "asked"),
    [
        ({}, None, True),  # never asked
        ({"probed_at": hours(-25)}, None, True),
        ({"probed_at": hours(-23)}, None, False),
        ({"probed_at": hours(-25), "last_sent_at": hours(-1)}, None, False),  # a post that went out is an answer
        ({"probed_at": hours(-5)}, hours(3), True),  # something is due soon
        ({"probed_at": hours(-0.5)}, hours(3), False),
        ({"probed_at": hours(-0.5), "last_sent_at": hours(-9)}, hours(3), False),
        ({"probed_at": hours(-1.5)}, hours(3), True),
        ({"probed_at": hours(-5)}, hours(0.02), False),  # too close: the sending finds out
        ({"probed_at": hours(-5), "expires_at": hours(-1)}, None, True),  # its end has come
        ({"probed_at": hours(-0.5), "expires_at": hours(-1)}, None, False),  # and it still worked after it
    ],
)
def test_when_it_is_asked(known: dict[str, datetime], due: datetime | None, asked: bool) -> None:
    assert is_to_probe(account(**known), due, NOW) is asked


@pytest.mark.parametrize(
    ("days", "risk", "excerpts", "words"),
    [
        (3, 0, (), "The sign-in of Ada ends Thu 12:00, in 3 days. Nothing is planned for later."),
        (
            0.25, 1, ("Lunch",),
            "The sign-in of Ada ends today 18:00, in 6 h. 1 post is planned for later: “Lunch”. Sign in again before, "
            "and it goes.",
        ),
        (
            3, 5, ("Lunch", "Dinner"),
            "The sign-in of Ada ends Thu 12:00, in 3 days. 5 posts are planned for later: “Lunch”, “Dinner” and 3 "
            "more. Sign in again before, and they go.",
        ),
        (3, 2, ("", ""), "The sign-in of Ada ends Thu 12:00, in 3 days. 2 posts are planned for later. Sign in again "
            "before, and they go."),
        (-0.25, 0, (), "The sign-in of Ada ended today 06:00. Nothing is planned for later."),
    ],
)  # fmt: skip
def test_the_words(days: float, risk: int, excerpts: tuple[str, ...], words: str) -> None:
    assert Ending(account(), NOW + timedelta(days=days), risk, excerpts).words(NOW, "UTC") == words
