"""A window over a real profile, for tests and screenshots: everything is real, only the engine may be left out."""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QAbstractItemModel, QCoreApplication, QDeadlineTimer, QEvent, QEventLoop, QTimer
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.exceptions import TimeoutError as QtBotTimeoutError
from pytestqt.qtbot import QtBot

from sendoff.bootstrap import Program
from sendoff.ui.background import Background
from sendoff.ui.bridge import Bridge
from sendoff.ui.context import Context
from sendoff.ui.sending import Part, Sending
from sendoff.ui.session import Session
from sendoff.ui.theme import Look
from sendoff.ui.window import Window

LOOK_AGAIN = 10
"""How often is looked whether something has happened that Qt knows nothing of, in ms."""


@dataclass(slots=True)
class Desk:
    """The window and what it stands on. Close it at the end."""

    program: Program
    look: Look
    window: Window
    context: Context

    def until(self, happened: Callable[[], object], seconds: float = 10.0) -> None:
        """Lets Qt work until something has happened, and the machine rest meanwhile."""
        deadline = QDeadlineTimer(round(seconds * 1000))
        look_again = QTimer(interval=LOOK_AGAIN)
        look_again.start()
        while not happened():
            assert not deadline.hasExpired(), "it did not happen in time"
            QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    def settle(self) -> None:
        """Lets everything that is under way come to rest: commands, rings of the bell, repaints."""
        bridge = self.context.bridge
        for _ in range(3):  # what a command changes may ask for something in the background again
            done: list[bool] = []
            self.context.background.run(lambda: None, lambda _nothing, done=done: done.append(True))
            self.until(lambda done=done: done)
            self.until(lambda: not (bridge._topics or bridge._timer.isActive()))
            screen = self.window.screen_named(self.window.current)
            self.until(lambda screen=screen: screen is None or not screen.resting.isActive())
            QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 10)

    def close(self) -> None:
        self.context.sending.end_now()
        self.context.bridge.close()
        self.context.background.close()
        self.window.hide()
        self.window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()


def set_up(program: Program, look: Look, *, engine: bool = False, screen: str = "planner") -> Desk:
    """A window over `program`.

    Args:
        engine: really send; without it the window believes that it does, and nothing happens by itself.
        screen: what is shown first.
    """
    window = Window()
    window.furnish(look)
    window.resize(1280, 800)  # the screen that nobody sees is smaller
    background = Background()
    bridge = Bridge(program.bell)
    sending = Sending(program, background)
    context = Context(program, look, bridge, background, sending, window)
    if engine:
        sending.start()
    else:
        sending.part = Part.HERE
    window.enter(context)
    desk = Desk(program, look, window, context)
    if screen:
        window.go(screen)
    return desk


def judged(model: QAbstractItemModel) -> None:
    """Has Qt's own tester look at a model, now and at each change.

    What it finds is a warning, and that fails the test. By itself it would tell QTest, which is silent here.
    """
    if not model.findChild(QAbstractItemModelTester):
        QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning, model)


def grab(widget: QWidget, width: int = 0, height: int = 0) -> QWidget:
    """Shows a widget in a size and lets it paint."""
    if width:
        widget.resize(width, height)
    widget.show()
    for _ in range(4):
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
    return widget


class Panel:
    """A desktop whose tray can be taken away."""

    def __init__(self, there: bool = True) -> None:
        self.there = there

    def __call__(self) -> bool:
        return self.there


def opened(session: Session, qtbot: QtBot) -> Session:
    """Waits until the profile is open and this process is the sender; else tells where every thread stands."""
    try:
        qtbot.waitUntil(lambda: session.context is not None, timeout=20_000)
    except QtBotTimeoutError:
        print(f"seen {session.window.isVisible()}, begun {session.background is not None}", file=sys.stderr, flush=True)
        faulthandler.dump_traceback(sys.stderr)
        raise
    qtbot.waitUntil(lambda: session.context.sending.part is Part.HERE, timeout=20_000)  # type: ignore[union-attr]
    return session
