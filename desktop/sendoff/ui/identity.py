"""Which program this process is, where the system would take it for a nameless one."""

from __future__ import annotations

import sys

from sendoff import APP_ID


def declare() -> None:
    """Tells Windows our AppUserModelID, before the first window. Elsewhere the desktop file does that.

    Task bar and notifications take name and icon from the start menu's entry of the same id, which the installer makes
    (learn.microsoft.com, "Application User Model IDs", 26 Nov 2026).
    """
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.shell32.SetCurrentProcessExplicitAppUserModelID(ctypes.c_wchar_p(APP_ID))
