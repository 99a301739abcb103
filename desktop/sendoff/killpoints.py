"""Named points at which a crash test ends this very process; they do nothing unless SENDOFF_KILL_AT names one.

The variable holds a point's name, and after a colon at which time of reaching it (from 1, the default). With
SENDOFF_KILL_WITH=STOP the process is stopped there instead of killed, as a suspended machine would stop it. Both are
for tests: nothing in Sendoff sets them.
"""

from __future__ import annotations

import itertools
import os
import signal

_NAME, _, _NTH = os.environ.get("SENDOFF_KILL_AT", "").partition(":")
_WITH = os.environ.get("SENDOFF_KILL_WITH", "KILL")
_reached = itertools.count(1)


def reach(point: str) -> None:
    """Marks a step after which a crash must leave a true state. What follows it never runs after a kill."""
    if point == _NAME and next(_reached) == int(_NTH or 1):
        os.kill(os.getpid(), getattr(signal, f"SIG{_WITH}"))
