"""Puts off, until the first paint, what costs time on the way to it and serves nobody there."""

from __future__ import annotations

import gc
import os
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

STUBS = "shibokensupport.signature.lib.pyi_generator"
"""What writes the stubs of Qt for Python. It is loaded with it at each start, and only its makers use it."""


class _WithoutStubs:
    """A finder, and loader, that has an empty module for it.

    Asked only where Qt for Python's own Python lies in files, as `packaging/bootstrap.sh` and the packages have it. In
    its library, where it lies otherwise, it is found before anybody is asked.
    """

    def find_spec(self, name: str, _path: object, _target: object = None, /) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name == STUBS else None  # type: ignore[arg-type]

    def create_module(self, _spec: ModuleSpec) -> None:
        """The usual one."""

    def exec_module(self, _module: ModuleType) -> None:
        """Nothing comes into it."""


_finder = _WithoutStubs()


def begin() -> None:
    """Before Qt is loaded: no looking for garbage, where all that is made stays; late binding of functions; and no
    writer of stubs.

    Python lets the system's loader look up every function that a library names before it goes on (RTLD_NOW). Qt's
    three bindings name 13,000 (PySide6 6.11), of which a first paint calls a small part; with RTLD_LAZY each is looked
    up when it is called first, as in most programs (dlopen(3)). Measured: 13 to 18 ms of 150.

    The writer of stubs has two patterns of 6 kB compiled, in Python, which re is: a fifth of all that a processor does
    until an empty window of Qt is painted.
    """
    gc.disable()
    sys.meta_path.insert(0, _finder)
    if sys.platform != "win32":
        sys.setdlopenflags(os.RTLD_LAZY)


def end() -> None:
    """As Python has it."""
    gc.enable()
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    if sys.platform != "win32":
        sys.setdlopenflags(os.RTLD_NOW)
