"""The entry that starts Sendoff in the tray at login: really written, really removed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QSettings

from sendoff import APP_ID
from sendoff.domain.errors import SetupMissing

DELAY = 20
"""Seconds after login, so that the panel, the keychain and the network are there and the login itself stays quick.
Sendoff waits them out itself, because only GNOME has a key for it; a person who opens it meanwhile does not wait."""

RUN_KEY = r"HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Run"
"""What Windows starts at login; the uninstaller removes our value. Tried in Wine."""


def apply(wanted: bool) -> None:
    """Makes the entry be there, or not.

    Raises:
        SetupMissing: it cannot be written; the message says where.
    """
    if sys.platform == "win32":
        run_value(QSettings(RUN_KEY, QSettings.Format.NativeFormat), wanted)
        return
    path = entry_path(sys.platform, os.environ)
    text = launch_agent(command()) if sys.platform == "darwin" else desktop_entry(command())
    try:
        if not wanted:
            path.unlink(missing_ok=True)
        elif not path.exists() or path.read_bytes() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
    except OSError as wrong:
        raise SetupMissing(f"The autostart entry {path} can’t be written: {wrong.strerror}.") from wrong


def entry_path(platform: str, environment: Mapping[str, str]) -> Path:
    """Where the entry stands: the Desktop Application Autostart Specification, or a LaunchAgent."""
    if platform == "darwin":
        return Path.home() / "Library" / "LaunchAgents" / f"{APP_ID}.plist"
    config = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(config) / "autostart" / f"{APP_ID}.desktop"


def command() -> list[str]:
    """What starts this very Sendoff in the tray, with the profile that it has now."""
    home = os.environ.get("SENDOFF_HOME")
    with_it = ["--home", os.path.abspath(home)] if home else []
    return [*program(), *with_it, "--background", "--delay", str(DELAY)]


def program() -> list[str]:
    """What starts this Sendoff, and stays where it is when Sendoff is updated: an AppImage's own file, the link on the
    search path to a frozen program, the script beside a virtual environment's Python."""
    if getattr(sys, "frozen", False):
        image = os.environ.get("APPIMAGE")
        link = shutil.which("sendoff")
        is_ours = link is not None and os.path.realpath(link) == os.path.realpath(sys.executable)
        return [image or (link if link is not None and is_ours else sys.executable)]
    beside = shutil.which("sendoff-window", path=str(Path(sys.executable).parent))
    return [beside] if beside else [sys.executable, "-m", "sendoff"]


def desktop_entry(words: Sequence[str]) -> bytes:
    """An autostart file."""
    return (
        "[Desktop Entry]\n"
        "Type=Application\n"
        "Name=Sendoff\n"
        "Comment=Sends what you planned\n"
        f"Exec={' '.join(_quoted(word) for word in words)}\n"
        f"Icon={APP_ID}\n"
        "Terminal=false\n"
        "X-GNOME-Autostart-enabled=true\n"
    ).encode()


def launch_agent(words: Sequence[str]) -> bytes:
    """A property list for launchd (launchd.plist(5)). Written for macOS, and not run there."""
    import plistlib

    return plistlib.dumps({"Label": APP_ID, "ProgramArguments": list(words), "RunAtLoad": True})


def _quoted(word: str) -> str:
    """A word of an Exec line (Desktop Entry Specification, "The Exec key")."""
    doubled = word.replace("%", "%%")
    if not any(character in " \t\n\"'\\><~|&;$*?#()`" for character in word):
        return doubled
    for character in '\\"`$':
        doubled = doubled.replace(character, "\\" + character)
    # The whole value is a string too, in which a backslash is written twice.
    return '"' + doubled.replace("\\", "\\\\") + '"'


def run_value(key: QSettings, wanted: bool) -> None:
    """Writes or removes our value under Windows' Run key.

    Raises:
        SetupMissing: the registry does not take it.
    """
    if wanted:
        key.setValue("Sendoff", subprocess.list2cmdline(command()))
    else:
        key.remove("Sendoff")
    key.sync()
    if key.status() is not QSettings.Status.NoError:
        raise SetupMissing("The autostart entry can’t be written into the registry.")
