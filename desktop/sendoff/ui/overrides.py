"""Keeps an error in an override of ours from ending the process, on Python 3.11."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any

from PySide6.QtCore import QObject


def guard() -> None:
    """Lets errors leave the overrides of all classes that are defined from now on as whole exceptions.

    What C code raises may travel as a bare message until somebody catches it. PySide6 (seen with 6.8.3 to 6.11.3)
    takes that message for the exception when it leaves an override, and the process dies of a segmentation fault, and
    with it the sending. Python 3.12 knows no such bare messages.
    """
    QObject.__init_subclass__ = classmethod(_guard_class)  # type: ignore[assignment, method-assign]


def _guard_class(cls: type[QObject]) -> None:
    super(QObject, cls).__init_subclass__()
    for name, what in list(vars(cls).items()):
        overrides = not name.startswith("__") and any(hasattr(base, name) for base in cls.__bases__)
        if overrides and isinstance(what, FunctionType):
            setattr(cls, name, _whole(what))


def _whole(override: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(override)
    def run(*given: Any, **named: Any) -> Any:
        try:
            return override(*given, **named)
        except BaseException:  # catching is what makes it whole
            raise

    return run
