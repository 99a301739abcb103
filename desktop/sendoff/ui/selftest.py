"""The window's part of the self-test: opened on a profile of its own, every screen seen once, and closed again."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler, qVersion
from PySide6.QtGui import QGuiApplication

from sendoff.store import profile
from sendoff.ui import session
from sendoff.ui.screens import ENTRIES

PATIENCE = 60_000
"""How long the window may take for its next step, in ms: some computers are slow, but something goes on."""

EACH = 150
"""How long each screen stands, in ms."""


@dataclass(slots=True)
class Seen:
    """What there was to see. Times in ms from before Qt was loaded; `faults` says what was wrong."""

    platform: str = ""
    qt: str = ""
    first_paint: float = 0.0
    ready: float = 0.0
    tray: bool = False
    screens: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class _Visit:
    """Goes from screen to screen, a moment each."""

    def __init__(self, app: session.App, one: session.Session, seen: Seen, began: float) -> None:
        self._app, self._one, self._seen, self._began = app, one, seen, began
        self._left = [entry.name for entry in ENTRIES]
        one.window.painted.connect(self._painted)
        self._patience = QTimer(singleShot=True, interval=PATIENCE)
        self._patience.timeout.connect(self._too_late)
        self._patience.start()
        self._wait()

    def _painted(self) -> None:
        self._seen.first_paint = self._seen.first_paint or self._passed()

    def _passed(self) -> float:
        return (time.perf_counter() - self._began) * 1000

    def _wait(self) -> None:
        """Until the profile is open and the first screen stands."""
        if self._one.context is not None and self._one.window.current:
            self._seen.ready = self._passed()
            self._seen.tray = self._one.tray is not None and self._one.tray.available
            self._next()
        else:
            QTimer.singleShot(10, self._wait)

    def _next(self) -> None:
        self._patience.start()
        if not self._left:
            self._one.quit()
            return
        name = self._left.pop(0)
        self._one.window.go(name)
        QTimer.singleShot(EACH, lambda: self._look(name))

    def _look(self, name: str) -> None:
        picture = self._one.window.grab().toImage()
        points = {picture.pixel(x, y) for x in range(0, picture.width(), 7) for y in range(0, picture.height(), 7)}
        if len(points) < 3:
            self._seen.faults.append(f"the screen “{name}” is empty")
        self._seen.screens.append(name)
        self._next()

    def _too_late(self) -> None:
        where = f"after {', '.join(self._seen.screens)}" if self._seen.screens else "before its first screen"
        self._seen.faults.append(f"the window did not go on {where}")
        self._app.exit(1)


def look(folder: Path, began: float) -> Seen:
    """Opens the window on a new profile in `folder`, and says what was seen.

    Once in a process: Qt's application cannot be made a second time.

    Args:
        began: what time.perf_counter() was when the loading of Qt began.
    """
    seen = Seen(qt=qVersion())

    def warned(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
        if kind in (QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg):
            seen.faults.append(f"Qt says: {text}")

    def failed(kind: type[BaseException], fault: BaseException, _trace: object) -> None:
        seen.faults.append(f"{kind.__name__}: {fault}")

    before, sys.excepthook = sys.excepthook, failed
    qInstallMessageHandler(warned)
    try:
        app = session.make_application()
        seen.platform = QGuiApplication.platformName()
        one = session.Session(app, profile.open_folder(folder))
        visit = _Visit(app, one, seen, began)
        app.exec()
        del visit
        one.ended()
    finally:
        sys.excepthook = before
    return seen
