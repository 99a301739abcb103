"""The frame: rail, pages, what floats over them, and the shortcuts. It holds no state but which page is shown.

Its ground is painted before the rail is loaded, and before Qt's own enums are made (see ground): nothing in this module
may need either until then. A class of Qt is made when it is first asked for, with all its enums (0.5 ms for a layout),
so those that come later are imported later.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, QTimer, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from sendoff.ui.screens import ENTRIES, SCREENS

if TYPE_CHECKING:
    from PySide6.QtGui import QAction, QCloseEvent, QPaintEvent, QResizeEvent

    from sendoff.ui.banners import Banners
    from sendoff.ui.context import Context
    from sendoff.ui.ground import Ground
    from sendoff.ui.pausing import Pause
    from sendoff.ui.rail import Rail
    from sendoff.ui.screen import Screen
    from sendoff.ui.standing import Standing
    from sendoff.ui.theme import Look
    from sendoff.ui.widgets.floating import Overlay, UndoBar

NARROW_UNDER = 1100
"""Below this width the rail shows icons only."""

FIRST_SIZE, USUAL_LEAST, LEAST = QSize(1280, 800), QSize(960, 640), QSize(720, 450)
"""The size at the first start, and the smallest: where the screen is smaller than that (a small one, or one that is
scaled up for large text), down to `LEAST`, which is 1440×900 at 200 %."""

TITLE_BAR = 32
"""What the system's frame takes of the screen's height, in px: an ordinary value, since there is no frame yet."""


class Window(QMainWindow):
    """Sendoff's window. It can be shown as bare ground, has its rail after `furnish`, and is complete after `enter`.

    `painted` comes once, after the first paint. `closing` comes instead of closing: the application decides.
    `restore_wanted` carries the file that the profile shall be taken back to, `profile_wanted` the folder of another
    one that shall be opened. `stood` carries each new Standing.
    """

    painted = Signal()
    closing = Signal()
    quit_wanted = Signal()
    restore_wanted = Signal(object)
    profile_wanted = Signal(object)
    stood = Signal(object)

    look: Look
    rail: Rail

    def __init__(self, ground: Ground | None = None) -> None:
        super().__init__()
        self.context: Context | None = None
        self._ground = ground
        self.furnished = False
        self._standing: Standing | None = None
        self._screens: dict[str, Screen] = {}
        self._wanted: tuple[str, dict[str, object]] | None = None
        self._name, self._before = "", ""
        self._shown_once = False
        self.banners: Banners | None = None
        self._undo_bar: UndoBar | None = None
        self._overlays: list[Overlay] = []
        self._tick = QTimer(self)
        self._tick.timeout.connect(self.look_again)
        self.setWindowTitle("Sendoff")
        self._fit_the_screen()

    # --- before there is a program --------------------------------------------------------------------------------

    def furnish(self, look: Look, *, rail: bool = True) -> None:
        """Puts rail and pages in, and the shortcuts; where the window is seen, they are painted when this returns."""
        from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout

        from sendoff.ui.rail import Rail

        self.look = look
        self.rail = Rail(look, self.compose)
        self._pages = QStackedWidget()
        self._pages.addWidget(QWidget())
        middle = QWidget()
        row = QHBoxLayout(middle)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        self.rail.setVisible(rail)
        self.rail.set_narrow(self._is_narrow)
        self._column = QVBoxLayout()
        self._column.setSpacing(0)
        self._column.addWidget(self._pages, 1)
        row.addLayout(self._column, 1)
        self.setCentralWidget(middle)
        self._make_actions()
        self._listen_to_rail()
        self.furnished = True
        if self.isVisible() and (layout := self.layout()):
            middle.show()  # a layout would do that at its own time
            layout.activate()
            self.repaint()

    # --- the program ----------------------------------------------------------------------------------------------

    def enter(self, context: Context) -> None:
        """Takes the program that was opened, and shows the first page."""
        from sendoff.ui.another_profile import title
        from sendoff.ui.banners import Banners

        self.context = context
        self.setWindowTitle(title(context.program.folder))
        self.banners = Banners(context)
        self._column.insertWidget(0, self.banners)
        self.stood.connect(self.banners.show_standing)
        context.bridge.changed.connect(self._changed)
        context.sending.changed.connect(self.look_again)
        context.background.trouble.connect(self._say_trouble)
        self.look_again()
        if self._wanted:
            name, what = self._wanted
            self.go(name, **what)

    def leave_program(self) -> None:
        """Lets go of the program and of all that shows it; another one may be entered then."""
        if self.context is None:
            return
        self.keep_current()
        self._tick.stop()
        self.context.background.trouble.disconnect(self._say_trouble)
        for overlay in list(self._overlays):
            overlay.close_it()
        for screen in self._screens.values():
            self._pages.removeWidget(screen)
        gone = [*self._screens.values(), *(one for one in (self.banners, self._undo_bar) if one is not None)]
        self._screens, self.banners, self._undo_bar = {}, None, None
        self.context = self._standing = self._wanted = None
        self._name = self._before = ""
        for part in gone:
            part.hide()
            part.deleteLater()

    def _changed(self, _topics: frozenset[str]) -> None:
        self.look_again()

    def _say_trouble(self, words: str) -> None:
        self.say(words, trouble=True)

    def look_again(self) -> None:
        """Reads how things stand and shows it in the rail."""
        if self.context is None:
            return
        from sendoff.store.db import StoreTrouble
        from sendoff.ui import standing

        try:
            self._standing = standing.take(self.context)
        except StoreTrouble:  # the sender meets it too and says so; what was shown last stays
            self._tick.start(1000)
            return
        self.rail.show_standing(self.standing)
        self._pause.setVisible(self.standing.mood != "paused")
        self._resume.setVisible(self.standing.mood == "paused")
        self.stood.emit(self.standing)
        self._tick.start(int(self.standing.next_change.total_seconds() * 1000))

    @property
    def standing(self) -> Standing:
        """How things stood at the last look; there is one as soon as there is a program."""
        assert self._standing is not None
        return self._standing

    # --- pages ----------------------------------------------------------------------------------------------------

    def go(self, name: str, **what: object) -> None:
        """Shows a screen; makes it if it was never visited. Before the program is open, it is remembered."""
        if self.context is None:
            self._wanted = (name, what)
            return
        if self._name and self._name != name:
            self._screens[self._name].leave()
            self._before = self._name
        screen = self._screens.get(name) or self._make(name)
        self._name = name
        screen.arrive(**what)
        self.rail.setVisible(not SCREENS[name].alone)
        self.rail.set_current(name)
        self._pages.setCurrentWidget(screen)
        if self._undo_bar is not None:
            self._undo_bar.place()
        focused: QWidget | None = self.focusWidget()
        if focused is None or not screen.isAncestorOf(focused):
            screen.take_keyboard()

    def back(self) -> None:
        """Shows the screen before this one, or the planner."""
        self.go(self._back_to())

    def _back_to(self) -> str:
        possible = self._before and self._before != self._name and not SCREENS[self._before].alone
        return self._before if possible else "planner"

    @property
    def current(self) -> str:
        """The name of the screen that is shown."""
        return self._name

    @property
    def before(self) -> str:
        """The title of the screen that `back` shows."""
        return SCREENS[self._back_to()].title

    def screen_named(self, name: str) -> Screen | None:
        """The screen, if it was visited."""
        return self._screens.get(name)

    def show_trouble(self, page: QWidget | None) -> None:
        """Shows one page alone before there is a program; None takes it away again."""
        while self._pages.count() > 1:
            old = self._pages.widget(1)
            if old is not None:
                self._pages.removeWidget(old)
                old.deleteLater()
        if page is not None:
            self.rail.hide()
            self._pages.setCurrentIndex(self._pages.addWidget(page))

    def keep_current(self) -> None:
        """The last chance to save what is being written."""
        if self._name:
            self._screens[self._name].keep()

    def _make(self, name: str) -> Screen:
        assert self.context is not None
        screen = SCREENS[name].make(self.context)
        self._screens[name] = screen
        self._pages.addWidget(screen)
        if screen.begin_at is not None:
            screen.take_keyboard()  # what has it in a page gets it when the page is shown
        return screen

    def compose(self, **what: object) -> None:
        self.go("composer", **what)

    # --- what can be done -----------------------------------------------------------------------------------------

    def _make_actions(self) -> None:
        from sendoff.ui.actions import add_action

        def add(
            words: str, run: Callable[[], object], keys: str = "", icon: str = "", group: str = "Sendoff"
        ) -> QAction:
            return add_action(self, words, run, keys=keys, icon=icon, group=group, everywhere=True)

        add("New post", self.compose, "Ctrl+N", "pen-line")
        for entry in ENTRIES:
            if entry.in_rail:
                add(f"Go to {entry.title}", lambda name=entry.name: self.go(name), entry.keys, entry.icon, "Screens")  # type: ignore[misc]
        add("Add an account", lambda: self.go("add_account"), "", "plus")
        add("Preferences", lambda: self.go("preferences"), "Ctrl+,", "settings")
        self._pause = add("Pause everything until tomorrow", self.pause_until_tomorrow, "Ctrl+P", "pause", "Sending")
        add("Pause everything until I say so", lambda: self.pause(None), "", "pause", "Sending")
        self._resume = add("Resume sending", self.resume, "Ctrl+P", "play", "Sending")
        self._resume.setVisible(False)
        add("Find a command, an account or a post", self.open_palette, "Ctrl+K", "search")
        add("Show the keys", self.open_keys, "F1", "keyboard")
        self._undo_action = add("Undo what was just done", self._undo, "Ctrl+Z", "undo-2")
        add("Close the window", self.close, "Ctrl+W", "x")
        add("Quit Sendoff", self.quit_wanted.emit, "Ctrl+Q", "power")

    def _listen_to_rail(self) -> None:
        strip = self.rail.strip
        self.rail.chosen.connect(self.go)
        strip.pause.connect(self._pause_chosen)
        strip.resume.connect(self.resume)
        strip.unlock.connect(self.unlock)
        strip.palette_wanted.connect(self.open_palette)
        strip.settings_wanted.connect(lambda: self.go("preferences"))

    def _pause_chosen(self, pause: Pause) -> None:
        self.pause(pause)

    def pause(self, pause: Pause | None) -> None:
        """Nothing leaves until then; None: until the person says so."""
        if self.context:
            commands, until = self.context.commands, pause.until if pause else None
            self.context.do(lambda: commands.sender.pause(until))

    def pause_until_tomorrow(self) -> None:
        from sendoff.ui.pausing import tomorrow

        if self.context:
            commands, until = self.context.commands, tomorrow(self.standing.now, self.standing.zone)
            self.context.do(lambda: commands.sender.pause(until))

    def resume(self) -> None:
        """Lets things leave again; where it was not the person who paused, they see first what that would be."""
        if self.context is None:
            return
        if self.standing.paused_why:
            self.bring_up()
            self.look_over()
        else:
            self.context.do(self.context.commands.sender.resume)

    def look_over(self) -> None:
        """Shows why it is paused and what would leave."""
        from sendoff.ui.lookover import LookOver

        if self.context and not isinstance(self.overlay, LookOver):
            self.show_overlay(LookOver(self.context))

    # --- what floats ----------------------------------------------------------------------------------------------

    def say(self, words: str, undo: Callable[[], object] | None = None, *, trouble: bool = False) -> None:
        if self._undo_bar is None:
            from sendoff.ui.widgets.floating import UndoBar

            self._undo_bar = UndoBar(self.look, self, self._content)
        self._undo_bar.say(words, undo, trouble=trouble)

    def _undo(self) -> None:
        if self._undo_bar is not None and self._undo_bar.can_undo:
            self._undo_bar.undo()

    @property
    def said(self) -> str:
        """What the bar at the bottom says now, or ""."""
        return self._undo_bar.words if self._undo_bar is not None and self._undo_bar.isVisible() else ""

    def ask(self, title: str, sentence: str, yes: str, then: Callable[[], object], *, danger: bool = False) -> None:
        from sendoff.ui.asking import question

        self.show_overlay(question(self.look, self, title, sentence, yes, then, danger=danger))

    def with_secrets(self, then: Callable[[], object]) -> None:
        from sendoff.ui.passphrase import with_secrets

        if self.context:
            with_secrets(self.context, then)

    def open_restore(self) -> None:
        """Shows the backups that the profile can be taken back to."""
        from sendoff.ui.restoring import RestoreSheet

        if self.context:
            self.show_overlay(RestoreSheet(self.context))

    def choose_profile(self) -> None:
        """Lets the person open another profile."""
        from sendoff.ui.another_profile import choose_profile

        if self.context:
            choose_profile(self.context)

    def unlock(self) -> None:
        """Asks for the key file's passphrase."""
        from sendoff.ui.passphrase import unlock

        if self.context:
            unlock(self.context)

    def open_palette(self) -> None:
        from sendoff.ui.palette import Palette

        if self.context:
            self.show_overlay(Palette(self.context))

    def open_keys(self) -> None:
        from sendoff.ui.keys import keys_sheet

        self.show_overlay(keys_sheet(self.look, self, self.doable()))

    def show_overlay(self, overlay: Overlay) -> None:
        """Shows a sheet over everything. The window's shortcuts rest while one is open."""
        self._overlays.append(overlay)
        overlay.closed.connect(lambda: self._overlay_closed(overlay))
        self._rest(True)
        overlay.open()

    def _overlay_closed(self, overlay: Overlay) -> None:
        self._overlays = [one for one in self._overlays if one is not overlay]
        self._rest(bool(self._overlays))

    def _rest(self, resting: bool) -> None:
        for action in self.actions():
            action.setEnabled(not resting)

    @property
    def overlay(self) -> Overlay | None:
        """The sheet on top, if one is open."""
        return self._overlays[-1] if self._overlays else None

    def doable(self) -> list[QAction]:
        """What can be done now: by the window, and by the screen that is shown."""
        screen = self._screens.get(self._name)
        own = list(screen.actions()) if screen else []
        can_undo = self._undo_bar is not None and self._undo_bar.can_undo
        passing = None if can_undo else self._undo_action
        return [action for action in (*own, *self.actions()) if action.isVisible() and action is not passing]

    # --- size and closing -----------------------------------------------------------------------------------------

    def _content(self) -> QRect:
        """Where the page is that is shown, in the window's coordinates, without its foot."""
        screen = self._screens.get(self._name)
        foot = screen.foot_height if screen else 0
        return QRect(self._pages.mapTo(self, QPoint(0, 0)), self._pages.size()).adjusted(0, 0, 0, -foot)

    def _fit_the_screen(self) -> None:
        """Lets no part of the window be where nobody can see it."""
        room = self.screen().availableSize() - QSize(0, TITLE_BAR)
        self.setMinimumSize(USUAL_LEAST.boundedTo(room).expandedTo(LEAST))
        self.resize(FIRST_SIZE.boundedTo(room).expandedTo(self.minimumSize()))

    def geometry_text(self) -> str:
        """Size, place and whether it is maximised, for the settings."""
        return base64.b64encode(self.saveGeometry().data()).decode()

    def restore(self, text: str) -> None:
        """Takes what `geometry_text` gave; Qt keeps it on a screen that is there."""
        if text:
            from PySide6.QtCore import QByteArray

            self.restoreGeometry(QByteArray(base64.b64decode(text)))

    def bring_up(self) -> None:
        """Shows the window in front of the others."""
        from PySide6.QtCore import Qt

        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def show_quietly(self) -> None:
        """Shows the window without taking the keyboard from another program; the task bar points it out."""
        from PySide6.QtCore import Qt

        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.show()
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, False)
        QApplication.alert(self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.furnished:
            self.rail.set_narrow(self._is_narrow)

    @property
    def _is_narrow(self) -> bool:
        return self.width() < NARROW_UNDER

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._ground is not None and not self.furnished:
            painter = QPainter(self)
            self._ground.paint(painter, self.rect(), narrow=self._is_narrow)
            painter.end()
        if not self._shown_once:
            self._shown_once = True
            QTimer.singleShot(0, self.painted.emit)

    def closeEvent(self, event: QCloseEvent) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication) and app.isSavingSession():  # the computer shuts down; whoever refuses stops it
            event.accept()
            return
        event.ignore()
        self.closing.emit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if self.context is not None and event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.look_again()
