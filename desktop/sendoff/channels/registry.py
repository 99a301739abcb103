"""Finds the channels: the built-in ones come in by the same door as those of others."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path

from sendoff.channels.http import Transport
from sendoff.domain.channel import Channel

log = logging.getLogger(__name__)

GROUP = "sendoff.channels"
"""The entry-point group. An entry names a callable that takes a `Context` and returns a `Channel`."""


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
    """Loads every channel that is installed. One that fails is reported, never fatal."""
    registry = Registry()
    for entry in sorted(entry_points(group=GROUP), key=lambda one: one.name):
        try:
            channel: Channel = entry.load()(context)
        except Exception as wrong:  # noqa: BLE001  # somebody else's code: whatever it raises, the others work
            log.error("the channel %s could not be loaded: %s", entry.name, wrong)
            registry.failed[entry.name] = f"{type(wrong).__name__}: {wrong}"
        else:
            registry.channels[channel.kind] = channel
    return registry


def ordered(channels: Mapping[str, Channel]) -> list[Channel]:
    """Networks first, then mail and what takes any API, the practice one last; by name."""
    groups = ("network", "mail", "other", "practice")
    places = {group: place for place, group in enumerate(groups)}
    return sorted(channels.values(), key=lambda one: (places.get(one.group, 0), one.title.lower()))
