"""The session's D-Bus on Linux: launchers, notifications and portals raise the window and hand addresses over."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from PySide6.QtCore import ClassInfo, QObject, Slot
from PySide6.QtDBus import QDBusAbstractAdaptor, QDBusConnection

from sendoff import APP_ID
from sendoff.ui.start import COMMANDS, Start

log = logging.getLogger(__name__)

PATH = "/" + APP_ID.replace(".", "/").replace("-", "_")
TOKEN_KEYS = ("activation-token", "desktop-startup-id")

Take = Callable[[Start], object]
_named: Any = ClassInfo  # its stub does not know that it decorates


class Door(QObject):
    """Owns the program's name on the bus as long as it is open."""

    def __init__(self, bus: QDBusConnection, take: Take, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bus = bus
        self.adaptor = Application(self, take)

    @classmethod
    def open(cls, take: Take, parent: QObject) -> Self | None:
        """None where there is no session's bus, or where the window of another profile has the name."""
        if not _is_there(os.environ):
            return None
        door = cls(QDBusConnection.sessionBus(), take, parent)
        if door._bus.registerObject(PATH, door) and door._bus.registerService(APP_ID):
            return door
        log.debug("%s is not ours on this session's bus", APP_ID)
        door._bus.unregisterObject(PATH)
        return None

    def close(self) -> None:
        """Gives the name away, so that what comes now starts Sendoff anew."""
        self._bus.unregisterService(APP_ID)
        self._bus.unregisterObject(PATH)


@_named({"D-Bus Interface": "org.freedesktop.Application"})
class Application(QDBusAbstractAdaptor):
    """org.freedesktop.Application (Desktop Entry Specification 1.5, "D-Bus Activation").

    Calls carry the desktop's permission to come to the front where a person made them; without it the window shows
    itself behind. The actions are those of start.COMMANDS; whatever else is named does nothing.
    """

    def __init__(self, parent: QObject, take: Take) -> None:
        super().__init__(parent)
        self._take = take

    @Slot("QVariantMap")
    def Activate(self, data: Mapping[str, object]) -> None:
        self._ask(Start(), data)

    @Slot("QStringList", "QVariantMap")
    def Open(self, addresses: Sequence[str], data: Mapping[str, object]) -> None:
        self._ask(Start.with_things(addresses, compose=True, folder="/"), data)

    @Slot(str, "QVariantList", "QVariantMap")
    def ActivateAction(self, name: str, _parameters: Sequence[object], data: Mapping[str, object]) -> None:
        if name in COMMANDS:
            self._ask(Start(name), data)

    def _ask(self, start: Start, data: Mapping[str, object]) -> None:
        token = next((value for key in TOKEN_KEYS if isinstance(value := data.get(key), str) and value), "")
        self._take(replace(start, token=token, by_person=False))


def _is_there(environment: Mapping[str, str]) -> bool:
    """Whether there is a bus already. Asking libdbus for one would start one where there is none."""
    runtime = environment.get("XDG_RUNTIME_DIR")
    return bool(environment.get("DBUS_SESSION_BUS_ADDRESS")) or bool(runtime and Path(runtime, "bus").exists())
