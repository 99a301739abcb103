"""When this computer goes to sleep, and when it is back: one small interface over what each system says."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Protocol

log = logging.getLogger(__name__)

GoingToSleep = Callable[[float], None]
Woke = Callable[[], None]


class Power(Protocol):
    """A watch over this computer's sleep."""

    def hold_off(self, busy: bool) -> None:
        """Something is leaving or due within seconds: sleep shall wait for it as far as the system allows. Cheap."""

    def stop(self) -> None:
        """Ends the watch; nothing is told any more, and sleep need not wait."""


class NoPower:
    """Where the system has no such signals, or no code here; the clock watch sees the sleep afterwards."""

    def hold_off(self, busy: bool) -> None:
        pass

    def stop(self) -> None:
        pass


def watch(going_to_sleep: GoingToSleep, woke: Woke) -> Power:
    """Tells of sleep, from a thread of its own, until the watch is stopped.

    Each may be missing (no D-Bus, a sleep that the kernel began, a flat battery), so nobody relies on them alone. Where
    a sleep was told and did not come about, `woke` follows all the same.

    Args:
        going_to_sleep: called before sleep, and on Linux before a shutdown; the computer waits for its return, but not
            longer than the seconds it is given. They are 0.0 where it does not wait.
        woke: called after sleep.
    """
    if sys.platform == "win32":
        from sendoff.engine.power.windows import Windows

        return Windows(going_to_sleep, woke)
    if sys.platform == "darwin":
        from sendoff.engine.power.macos import MacOS

        return MacOS(going_to_sleep, woke)
    if not sys.platform.startswith("linux"):
        return NoPower()
    from sendoff.engine.power.logind import Logind

    return Logind(going_to_sleep, woke)


def tell(listener: Callable[[], None]) -> None:
    """Calls whoever listens; whatever happens there, the system gets its answer."""
    try:
        listener()
    except Exception:  # the thread is the system's or the watch's, and the last that can tell
        log.exception("a listener for sleep failed")
