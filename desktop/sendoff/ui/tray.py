"""The icon in the panel: how things stand at a glance, the next five, a way to pause and to quit."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, QSettings, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QSystemTrayIcon

from sendoff.domain.words import counted
from sendoff.ui.icons import app_icon, tray_icon
from sendoff.ui.pausing import Pause
from sendoff.ui.standing import Mood, Standing
from sendoff.ui.strip import fill_pause_menu
from sendoff.ui.theme import Look
from sendoff.ui.widgets.menu import Menu
from sendoff.ui.widgets.tip import bare

LOOK_AGAIN = 5000
"""How often to look whether a panel has come or gone, in ms."""

SETTLED = 1000
"""How long after it was made the icon stands in its place in the panel, in ms."""

LONGEST = 36
"""Characters of a post's words in the menu."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the menu can ask for."""

    show: Callable[[], object]
    compose: Callable[[], object]
    go: Callable[[str], object]
    pause: Callable[[Pause], object]
    resume: Callable[[], object]
    quit: Callable[[], object]


class Tray(QObject):
    """Stands in the panel where there is one, and comes back when a panel appears later.

    `panel` tells whether there is one now; QSystemTrayIcon.isVisible() is True even where there is none.

    `available_changed` carries whether there is a panel.
    """

    available_changed = Signal(bool)

    def __init__(
        self,
        look: Look,
        wishes: Wishes,
        parent: QObject | None = None,
        panel: Callable[[], bool] = QSystemTrayIcon.isSystemTrayAvailable,
    ) -> None:
        super().__init__(parent)
        self._panel = panel
        self._look, self._wishes = look, wishes
        self._standing = Standing()
        self._icon: QSystemTrayIcon | None = None
        self._when_pressed: Callable[[], object] = wishes.show
        self._icons: dict[str, QIcon] = {}
        self._dark_panel: bool | None = None
        self.menu = Menu(look)
        self._pauses = Menu(look, "Pause", self.menu)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_AGAIN)
        self._timer.timeout.connect(self.look_for_panel)
        self._timer.start()
        look.changed.connect(self._fill)
        self._fill()
        self.look_for_panel()

    @property
    def available(self) -> bool:
        """Whether the icon can be seen. Never hide the window where it cannot."""
        return self._icon is not None

    def look_for_panel(self) -> None:
        """Makes the icon when a panel is there, and takes note when it has gone."""
        there = self._panel()
        if there == self.available:
            return
        if there:
            self._icon = self._make()
        elif self._icon is not None:
            self._icon.hide()
            self._icon.deleteLater()
            self._icon = None
        self.available_changed.emit(there)

    def _make(self) -> QSystemTrayIcon:
        icon = QSystemTrayIcon(self._drawing(), self)
        icon.setContextMenu(self.menu)
        icon.activated.connect(self._pressed)
        icon.messageClicked.connect(self._message_pressed)
        icon.setToolTip(bare(self._tip()))
        icon.show()
        QTimer.singleShot(SETTLED, icon, self._suit_the_panel)
        return icon

    def _suit_the_panel(self) -> None:
        """Takes the drawing that can be seen on this panel, where its colour can be read off the screen."""
        if self._icon is None or QGuiApplication.platformName() != "xcb":
            return
        place = self._icon.geometry()
        screen = QGuiApplication.screenAt(place.center())
        if place.isEmpty() or screen is None:
            return
        corner = place.topLeft() - screen.geometry().topLeft()
        pixel = screen.grabWindow(0, corner.x(), corner.y(), 1, 1).toImage()
        if not pixel.isNull():
            self._dark_panel = pixel.pixelColor(0, 0).lightness() < 128
            self._icon.setIcon(self._drawing())

    def hide(self) -> None:
        self._timer.stop()
        if self._icon is not None:
            self._icon.hide()

    def message(self, title: str, words: str, screen: str = "") -> None:
        """Shows a system notification, where there is a panel; pressing it opens the window, at a screen."""
        self._when_pressed = partial(self._wishes.go, screen) if screen else self._wishes.show
        if self._icon is not None and QSystemTrayIcon.supportsMessages():
            self._icon.showMessage(bare(title), bare(words), app_icon(), 10_000)  # on a light ground too

    def _message_pressed(self) -> None:
        self._when_pressed()

    def _pressed(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self._wishes.show()

    # --- what it shows --------------------------------------------------------------------------------------------

    def show_standing(self, standing: Standing) -> None:
        before, self._standing = self._standing, standing
        if before == standing:
            return
        self._fill()
        if self._icon is not None:
            self._icon.setToolTip(bare(self._tip()))
            if before.icon != standing.icon:
                self._icon.setIcon(self._drawing())

    def _tip(self) -> str:
        return f"Sendoff\n{self._standing.headline}\n{self._standing.detail}".strip()

    def _drawing(self) -> QIcon:
        dark = self._look.system_dark if self._dark_panel is None else self._dark_panel
        name = f"tray-{self._standing.icon}-{icon_set(dark)}"
        if name not in self._icons:
            self._icons[name] = tray_icon(name)
            if name.endswith("symbolic"):
                self._icons[name].setIsMask(True)
        return self._icons[name]

    def _fill(self) -> None:
        """Builds the menu anew; panels over D-Bus take a copy of it, so it is always kept ready."""
        menu, standing, wishes = self.menu, self._standing, self._wishes
        if menu.isVisible():
            return
        menu.clear()
        menu.add(f"{standing.headline} · {standing.detail}".strip(" ·"))
        for chip in standing.upcoming:
            words = chip.excerpt if len(chip.excerpt) <= LONGEST else chip.excerpt[: LONGEST - 1].rstrip() + "…"
            entry = menu.add(f"{words or 'A post'}\t{standing.time_of(chip)}", partial(wishes.go, "planner"))
            if mark := standing.marks.get(chip.seats[0].channel):
                entry.setIcon(self._look.mark_icon(mark))
        menu.addSeparator()
        menu.add("New post…", wishes.compose, icon="pen-line")
        if standing.mood is Mood.PAUSED:
            words = "Look at what it would send…" if standing.paused_why else "Resume"
            menu.add(words, wishes.resume, icon="eye" if standing.paused_why else "play")
        elif standing.mood is not Mood.STARTING:
            fill_pause_menu(self._pauses, standing, wishes.pause)
            menu.addMenu(self._pauses).setIcon(self._look.icon("pause"))
        if standing.needs_you:
            words = counted(standing.needs_you, "thing needs you", "things need you")
            menu.add(words, partial(wishes.go, "activity"), icon="circle-question-mark", color="doubt.text")
        menu.addSeparator()
        menu.add("Open Sendoff", wishes.show)
        menu.add("Preferences…", partial(wishes.go, "preferences"))
        menu.addSeparator()
        menu.add("Quit", wishes.quit)
        for words in standing.on_quitting:
            menu.add(words)


def icon_set(system_dark: bool) -> str:
    """Which set of icons suits the panel: dark-panel, light-panel, or symbolic where the system tints it."""
    if sys.platform == "darwin":
        return "symbolic"
    if sys.platform == "win32":
        key = r"HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
        light = QSettings(key, QSettings.Format.NativeFormat).value("SystemUsesLightTheme", 0)
        return "light-panel" if light else "dark-panel"
    gnome = "GNOME" in os.environ.get("XDG_CURRENT_DESKTOP", "").upper()  # its panel is dark in either theme
    return "dark-panel" if gnome or system_dark else "light-panel"
