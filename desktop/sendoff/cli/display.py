"""Whether a window could be shown, asked before Qt is, because Qt ends the process where it could not."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

X_SOCKETS = "/tmp/.X11-unix/X"  # noqa: S108  # where X servers listen, by its protocol's habit
PATIENCE = 2.0
"""Seconds to wait for a display to take a connection."""


def trouble(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str:
    """A sentence if no window can be shown, or ""."""
    wanted = environment.get("QT_QPA_PLATFORM", "")
    if not platform.startswith("linux") or wanted.partition(":")[0] not in ("", "xcb", "wayland"):
        return ""
    display, wayland = environment.get("DISPLAY", ""), environment.get("WAYLAND_DISPLAY", "")
    if not display and not wayland:
        return "There is no display to open the window on."
    if wayland and _answers(Path(environment.get("XDG_RUNTIME_DIR", "/")) / wayland):
        return ""
    if display and _is_x(display):
        return ""
    return f"The display {display or wayland} does not answer."


def _is_x(display: str) -> bool:
    """Whether an X server is there; one on another computer is believed to be."""
    host, _, number = display.rpartition(":")
    if host not in ("", "unix"):
        return True
    path = X_SOCKETS + number.partition(".")[0]
    return _answers("\0" + path) or _answers(path)


def _answers(address: str | Path) -> bool:
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(PATIENCE)
        line.connect(str(address))
        return True
    return False
