"""Keeps Python's garbage collector from running just when somebody's time has come."""

from __future__ import annotations

import gc

WORTH_IT = 20_000
"""How many new objects make a collection worth its pause (some milliseconds)."""

TOO_MANY = 1_000_000
"""How many are collected whatever is due."""


class Quiet:
    """Collections happen when nothing is due, instead of whenever. What lives since the start is never looked at again.

    Left alone, a full collection stops every thread for tens of milliseconds in the middle of a burst; that was more
    than half of the lateness that was measured there.
    """

    def start(self) -> None:
        gc.collect()
        gc.freeze()
        gc.disable()

    def tidy(self, *, hurried: bool) -> None:
        """Called once a second."""
        new = gc.get_count()[0]
        if new > TOO_MANY or (new > WORTH_IT and not hurried):
            gc.collect()

    def stop(self) -> None:
        gc.unfreeze()
        gc.enable()
