"""What the planner says of a chip: to the eye in a card or row, and to a screen reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sendoff.domain.account import Account, wait_span
from sendoff.domain.channel import Channel
from sendoff.domain.delivery import State
from sendoff.domain.when import clock_text, distance
from sendoff.domain.words import counted
from sendoff.store.timeline import ATTENTION, Chip
from sendoff.ui.planner.days import Entry, day_words
from sendoff.ui.planner.layout import Spot
from sendoff.ui.states import FACES

AWAKE = frozenset({State.SCHEDULED, State.CLAIMED, State.HELD})
"""The states of what leaves only if this computer is awake then."""


def time_words(entry: Entry) -> str:
    """ "Wed 25 Nov, 13:00"."""
    return f"{day_words(entry.wall.date())}, {clock_text(entry.wall)}"


def zone_words(entry: Entry, zone: str, now: datetime) -> str:
    """The zone and how far away it is; a zone of the post's own with its own time: "12:00 Europe/London · in 2 h"."""
    when, away = entry.chip.when, distance(entry.chip.at - now)
    if when.zone == zone:
        twice = when.local.utcoffset() != when.wall.replace(tzinfo=when.local.tzinfo, fold=1 - when.fold).utcoffset()
        return f"{zone}{f' ({when.local.tzname()})' if twice else ''} · {away}"
    other_day = "" if when.wall.date() == entry.wall.date() else f"{day_words(when.wall.date())}, "
    return f"Planned as {other_day}{clock_text(when.wall)} {when.zone} · {away}"


def state_words(chip: Chip, channels: Mapping[str, Channel]) -> str:
    """The word for a state; one that an endpoint holds names it."""
    if chip.state is State.HANDED_OVER and (name := holder(chip, channels)):
        return f"Held by {name}"
    return FACES[chip.state].word


def holder(chip: Chip, channels: Mapping[str, Channel]) -> str:
    """The network that holds all of it, or ""."""
    kinds = {seat.channel for seat in chip.seats}
    kind = kinds.pop()
    return "" if kinds or kind not in channels else channels[kind].title


def rests(chip: Chip, known: Iterable[Account], now: datetime, zone: str) -> list[str]:
    """What is said of each account of a chip that can't send when it should leave: "Harbor News rests until 09:20"."""
    waiting = {seat.account_id for seat in chip.seats if seat.state in (State.SCHEDULED, State.CLAIMED)}
    shut = [one for one in known if one.id in waiting and (one.opens(chip.at) > chip.at or one.rest_until == chip.at)]
    return [f"{one.name} {_lower(wait)}" for one in shut if (wait := wait_span(one, now, zone))]


def _lower(words: str) -> str:
    return f"{words[:1].lower()}{words[1:]}"


def where_words(chip: Chip) -> str:
    """The account's name, or how many they are."""
    if len(chip.seats) == 1:
        return chip.seats[0].name
    return counted(len(chip.seats), "account", "accounts")


def spoken(entry: Entry, zone: str) -> str:
    """A chip in one sentence."""
    chip = entry.chip
    names = ", ".join(seat.name for seat in chip.seats)
    own = "" if chip.when.zone == zone else f", planned in {chip.when.zone}"
    return f"{time_words(entry)}, {FACES[chip.state].word}, {chip.excerpt or 'no words'}, to {names}{own}"


def fold_words(spot: Spot) -> str:
    """What a fold hides, and the state of it that must be seen: "2 more posts, the most urgent: In doubt"."""
    told = counted(len(spot.entries), "more post", "more posts")
    return f"{told}, the most urgent: {FACES[spot.state].word}" if spot.state in ATTENTION else told
