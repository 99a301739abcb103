"""Where the window begins."""

from __future__ import annotations

from collections.abc import Sequence


def main(
    *,
    background: bool = False,
    activated: bool = False,
    delay: float = 0.0,
    compose: bool = False,
    text: str = "",
    things: Sequence[str] = (),
) -> int:
    """Opens the window, or raises the one that is open; returns the exit code.

    Args:
        background: stay in the tray.
        activated: the session's bus has started it, and says next what is wanted; until then it stays in the tray.
        delay: seconds after which a start in the background begins its work.
        compose: begin with a new post; so do text and things.
        text: stands in it.
        things: what else was named: files, their addresses, a mailto: link.

    Raises:
        SetupMissing: the profile's folder cannot be used.
        Refused: the window that is open does not answer.
    """
    from sendoff.ui import session, start

    words = start.of_words(things, text, compose=compose)
    return session.run(words, background=background, activated=activated, delay=delay)


def leave() -> bool:
    """Asks the Sendoff that is open to quit, and waits until it has; False if none is open.

    Raises:
        SetupMissing: the profile's folder cannot be used.
        Refused: it did not quit.
    """
    from sendoff.ui import session

    return session.leave()
