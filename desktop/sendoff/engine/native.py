"""Functions of system libraries, told what they take and give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Load = Callable[[str], Any]
"""Opens a library by its name: ctypes.CDLL."""

Prototypes = Mapping[str, tuple[Any, Sequence[Any]]]
"""A function's name, and the ctypes types of its result and its arguments."""


def typed(library: Any, prototypes: Prototypes) -> Any:
    """The library with its prototypes; without them ctypes would cut handles to 32 bits."""
    for name, (result, arguments) in prototypes.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
