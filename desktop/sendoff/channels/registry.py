"""Finds the channels: the built-in ones come in by the same door as those of others."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from sendoff.channels.http import Transport
from sendoff.channels.shelter import shelter
from sendoff.domain import limits
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import Channel, Field, Option
from sendoff.domain.post import Content, Item

log = logging.getLogger(__name__)

GROUP = "sendoff.channels"
"""The entry-point group. An entry is called like the channel's `kind`, and names a callable that takes a
`Context` and returns a `Channel`."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a channel is given: the shared transport, and a folder of the profile for files of its own."""

    transport: Transport
    folder: Path


@dataclass(slots=True)
class Registry:
    """The channels by kind, and what could not be loaded with the reason."""

    channels: dict[str, Channel] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def load(context: Context) -> Registry:
    """Loads every channel that is installed, Sendoff's own first. One that fails is reported, never fatal."""
    registry = Registry()
    found = entry_points(group=GROUP)
    for entry in sorted(found, key=lambda one: (not _is_own(one), one.name)):
        try:
            channel = entry.load()(context)
            _examine(channel, entry.name, registry.channels)
            if not _is_own(entry):
                _try_figures(channel)
                shelter(channel, _package(entry))
        except _Unfit as wrong:
            _fail(registry, entry.name, str(wrong))
        except (Exception, SystemExit) as wrong:  # noqa: BLE001  # somebody else's code: the others work all the same
            _fail(registry, entry.name, f"{type(wrong).__name__}: {wrong}")
        else:
            registry.channels[channel.kind] = channel
    return registry


def _is_own(entry: EntryPoint) -> bool:
    return entry.value.startswith("sendoff.")


def _package(entry: EntryPoint) -> str:
    """What to call whoever ships a channel."""
    return f"the package {entry.dist.name} {entry.dist.version}" if entry.dist else f"the module {entry.module}"


class _Unfit(Exception):
    """What was loaded is no channel that could work. The message says what its author has to change."""


def _examine(channel: object, name: str, known: Mapping[str, Channel]) -> None:
    """Refuses what would only fail later, in the middle of something else.

    Raises:
        _Unfit: it does not declare what every channel does, or another one has its name.
    """
    if not isinstance(channel, Channel):
        raise _Unfit(f"its entry point made a {type(channel).__name__}, not a sendoff.domain.channel.Channel.")
    if getattr(channel, "kind", None) != name:
        raise _Unfit(f"its entry point is called “{name}”, and it calls itself “{getattr(channel, 'kind', '')}”.")
    if name in known:
        raise _Unfit(f"there is a channel “{name}” already ({known[name].title}).")
    for what, made in {"title": str, "capabilities": Capabilities}.items():
        if not isinstance(getattr(channel, what, None), made):
            raise _Unfit(f"it declares no {what}.")
    for what, kind in {"fields": Field, "options": Option, "places": str}.items():
        declared: object = getattr(channel, what)
        if not (isinstance(declared, tuple) and all(isinstance(one, kind) for one in declared)):
            raise _Unfit(f"its {what} are no tuple of {kind.__name__}.")


def _try_figures(channel: Channel) -> None:
    """Counts with what was declared.

    Raises:
        _Unfit: it can't be counted with.
    """
    try:
        limits.check(Content((Item("A few words."),)), channel.capabilities, channel.title, {})
    except Exception as wrong:
        raise _Unfit(f"its capabilities can’t be counted with ({type(wrong).__name__}: {wrong}).") from wrong


def _fail(registry: Registry, name: str, reason: str) -> None:
    log.error("the channel %s could not be loaded: %s", name, reason)
    registry.failed[name] = reason


def ordered(channels: Mapping[str, Channel]) -> list[Channel]:
    """Networks first, then mail and what takes any API, the practice one last; by name."""
    groups = ("network", "mail", "other", "practice")
    places = {group: place for place, group in enumerate(groups)}
    return sorted(channels.values(), key=lambda one: (places.get(one.group, 0), one.title.lower()))
