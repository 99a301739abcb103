"""The strip at the foot of the rail: what leaves next, whether anything stands in the way, and the way to pause."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets.button import SMALL, Button, IconButton
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.menu import Menu
from sendoff.ui.widgets.state import Dot
from sendoff.ui.widgets.tip import set_tip

if TYPE_CHECKING:
    from sendoff.ui.pausing import Pause
    from sendoff.ui.standing import Standing


class Strip(QFrame):
    """Shows a Standing. Its wishes are signals: `pause` carries a Pause; the others carry nothing."""

    pause = Signal(object)
    resume = Signal()
    unlock = Signal()
    palette_wanted = Signal()
    settings_wanted = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._standing: Standing | None = None
        self._narrow = False
        self.setAccessibleName("Sending")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 0, 8)
        column.setSpacing(0)
        column.addWidget(self._top())
        column.addSpacing(6)
        column.addWidget(self._foot())
        column.addWidget(self._narrow_foot())
        self._headline.setText("Starting…")
        self._long.hide()
        self._unlock.hide()
        self._small_unlock.hide()
        self._dot.set_state("missed")
        self._small_dot.set_state("missed")
        self._pause.setEnabled(False)
        self._small_pause.setEnabled(False)

    def _top(self) -> QWidget:
        self._words = QWidget()
        row = QHBoxLayout(self._words)
        row.setContentsMargins(17, 0, 12, 0)
        row.setSpacing(5)
        self._dot = Dot(self._look)
        beside = QVBoxLayout()
        beside.setContentsMargins(0, 3, 0, 0)
        beside.addWidget(self._dot, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(beside)
        column = QVBoxLayout()
        column.setSpacing(0)
        self._headline = Label(self._look, "", weight=STRONG, elide=True)
        self._detail = Label(self._look, "", size="small", color="text2", elide=True)
        self._long = Label(self._look, "", size="small", color="text2", wrap=True)
        for part in (self._headline, self._detail, self._long):
            column.addWidget(part)
        row.addLayout(column, 1)
        return self._words

    def _foot(self) -> QWidget:
        self._buttons = QWidget()
        row = QHBoxLayout(self._buttons)
        row.setContentsMargins(28, 0, 12, 0)
        row.setSpacing(0)
        self._menu = Menu(self._look)
        look = self._look
        self._pause = Button(look, "Pause", kind="quiet", icon="pause", size=SMALL, run=self._pause_pressed)
        self._unlock = Button(look, "Unlock…", kind="quiet", icon="lock-open", size=SMALL, run=self.unlock.emit)
        row.addWidget(self._pause)
        row.addWidget(self._unlock)
        row.addStretch(1)
        row.addWidget(IconButton(look, "command", "Find anything", keys="Ctrl+K", run=self.palette_wanted.emit))
        row.addWidget(IconButton(look, "settings", "Preferences", run=self.settings_wanted.emit))
        return self._buttons

    def _narrow_foot(self) -> QWidget:
        self._icons = QWidget()
        column = QVBoxLayout(self._icons)
        column.setContentsMargins(14, 0, 14, 4)
        column.setSpacing(0)
        look = self._look
        self._small_dot = Dot(look)
        self._small_pause = IconButton(look, "pause", "Pause", run=self._pause_pressed)
        column.addWidget(self._small_dot, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(8)
        self._small_unlock = IconButton(look, "lock-open", "Unlock…", run=self.unlock.emit)
        column.addWidget(self._small_pause)
        column.addWidget(self._small_unlock)
        column.addWidget(IconButton(look, "settings", "Preferences", run=self.settings_wanted.emit))
        return self._icons

    # --- showing --------------------------------------------------------------------------------------------------

    def set_narrow(self, narrow: bool) -> None:
        self._narrow = narrow
        self._words.setVisible(not narrow)
        self._buttons.setVisible(not narrow)
        self._icons.setVisible(narrow)
        self.update()

    def show_standing(self, standing: Standing) -> None:
        self._standing = standing
        paused, long = standing.mood == "paused", standing.is_long
        said = f"{standing.headline}. {standing.detail}".strip(" .")
        for dot in (self._dot, self._small_dot):
            dot.set_state(standing.token)
            dot.setAccessibleName(said)
            set_tip(dot, said)
        self._headline.setText(standing.headline)
        for label, shown in ((self._detail, not long), (self._long, long)):
            label.setText(standing.detail if shown else "")
            label.setVisible(shown)
        name, icon = ("Resume", "play") if paused else ("Pause", "pause")
        if standing.paused_why:
            name, icon = "Look…", "eye"  # what would leave is shown before anything does
        self._pause.setText(name)
        self._pause.set_icon(icon)
        self._small_pause.set_icon(icon)
        self._small_pause.set_name(name)
        for unlock, pause in ((self._unlock, self._pause), (self._small_unlock, self._small_pause)):
            unlock.setVisible(standing.locked)
            pause.setVisible(not standing.locked)
        ready = standing.mood != "starting"
        self._pause.setEnabled(ready)
        self._small_pause.setEnabled(ready)

    def _pause_pressed(self) -> None:
        if self._standing is None:
            return
        if self._standing.mood == "paused":
            self.resume.emit()
            return
        button = self._small_pause if self._narrow else self._pause
        at = button.mapToGlobal(button.rect().topLeft())
        fill_pause_menu(self._menu, self._standing, self.pause.emit)
        at.setY(at.y() - self._menu.sizeHint().height() - 4)
        self._menu.popup(at)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._narrow:
            painter = QPainter(self)
            painter.fillRect(0, 0, self.width(), 1, self._look.color("line_soft"))
            painter.end()


def fill_pause_menu(menu: Menu, standing: Standing, chosen: Callable[[Pause], object]) -> None:
    """The three pauses, each with the time at which it ends."""
    from sendoff.ui.pausing import pauses

    menu.clear()
    for pause in pauses(standing.now, standing.zone):
        words = f"{pause.words}\t{pause.hint}" if pause.hint else pause.words
        menu.add(words, partial(chosen, pause))
