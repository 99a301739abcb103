"""Puts off, until the first paint, what costs time on the way to it and serves nobody there."""

from __future__ import annotations

import gc
import os
import sys


def begin() -> None:
    """Before Qt is loaded: no looking for garbage, where all that is made stays, and late binding of functions.

    Python lets the system's loader look up every function that a library names before it goes on (RTLD_NOW). Qt's
    three bindings name 13,000 (PySide6 6.11), of which a first paint calls a small part; with RTLD_LAZY each is looked
    up when it is called first, as in most programs (dlopen(3)). Measured: 13 to 18 ms of 150.
    """
    gc.disable()
    if sys.platform != "win32":
        sys.setdlopenflags(os.RTLD_LAZY)


def end() -> None:
    """As Python has it."""
    gc.enable()
    if sys.platform != "win32":
        sys.setdlopenflags(os.RTLD_NOW)
