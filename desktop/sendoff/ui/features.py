"""Keeps PySide6 from reading the source of every module that is loaded after it."""

from __future__ import annotations


def switch_off() -> None:
    """Tells PySide6 that no module of this process asks for its feature switches.

    They are the other spellings of `from __feature__ import snake_case` (doc.qt.io/qtforpython-6/considerations.html).
    To learn where they may apply it looks for its own name in the source of each module (seen with 6.8.3 to 6.11.3):
    for the six hundred of a running Sendoff nine megabytes of text, which Python then keeps as lines in 20 MB.
    """
    import PySide6.QtCore  # noqa: F401  # its support modules exist only after it
    from shibokensupport import feature  # type: ignore[import-not-found]

    if hasattr(feature, "_mod_uses_pyside"):
        feature._mod_uses_pyside = lambda _: False
