"""Numbers of posts: when they are read, added up, and in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sendoff.domain.numbers import Numbers, Reading, is_due, total

SENT = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "read", "due"),
    [
        (0.5, None, False), (1, None, True), (1.5, 0.2, True), (1.5, 1.1, False), (23, 1.1, False), (24, 1.1, True),
        (30, 25, False), (168, 25, True), (168, 169, False), (191, 25, True), (192, None, False), (30, None, True),
    ],
)  # fmt: skip
def test_an_hour_a_day_and_a_week_after(age: float, read: float | None, due: bool) -> None:
    """In hours after the sending: the post's age, the age at the last reading."""
    read_at = None if read is None else SENT + timedelta(hours=read)
    assert is_due(SENT, read_at, SENT + timedelta(hours=age)) is due


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        (Numbers(1, 0, 2), "1 like, 0 reposts, 2 replies"),
        (Numbers(1200, 1, 1, 3, 10_000), "1,200 likes, 1 repost, 1 reply, 3 quotes, 10,000 views"),
        (Numbers(5, None, None, 0, 0), "5 likes"),
        (Numbers(), "The network tells no numbers"),
    ],
)
def test_words(numbers: Numbers, words: str) -> None:
    assert numbers.words == words


def test_a_thread_is_the_sum_of_what_is_there() -> None:
    parts = [Reading(SENT, Numbers(1, 2, 3)), Reading(SENT, None), Reading(SENT, Numbers(10, None, 30, 4))]
    assert total(parts) == Numbers(11, 2, 33, 4)
    assert total([Reading(SENT, None)]) is None
    assert total({}) is None
