"""Where the window begins."""

from __future__ import annotations

import gc
from collections.abc import Sequence

BACKGROUND, COMPOSE = "--background", "--compose"
"""What a start can ask for: to stay in the tray, or to begin with a new post."""


def main(argv: Sequence[str] | None = None) -> int:
    """Opens the window, or raises the one that is open; returns the exit code.

    Args:
        argv: BACKGROUND, COMPOSE, or nothing.

    Raises:
        SetupMissing: the profile's folder cannot be used.
        Refused: the window that is open does not answer.
    """
    # Until the first paint many objects are made and none is dropped; looking for garbage would only cost time.
    gc.disable()
    from sendoff.ui import session

    return session.run(background=BACKGROUND in (argv or ()), compose=COMPOSE in (argv or ()))
