"""One run of the window: paints its ground, furnishes it, opens the profile and starts the engine; ends both when it
quits. Each step is seen before the next one begins.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QFileOpenEvent, QSessionManager
from PySide6.QtWidgets import QApplication

from sendoff import APP_ID, haste
from sendoff.domain.errors import Refused
from sendoff.store import glance, profile
from sendoff.ui import ground, identity
from sendoff.ui.reception import Reception
from sendoff.ui.single import Single
from sendoff.ui.start import COMPOSE, QUIT, Start
from sendoff.ui.window import Window

if TYPE_CHECKING:
    from sendoff.bootstrap import Program
    from sendoff.ui.background import Background
    from sendoff.ui.bus import Door
    from sendoff.ui.closing import Closing
    from sendoff.ui.context import Context
    from sendoff.ui.recovery import Recovery
    from sendoff.ui.theme import Look
    from sendoff.ui.tray import Tray

END_PATIENCE = 4000
"""How long quitting waits for the engine at most, in ms: a desktop gives five seconds at logout, and the rest takes
half of one. What was leaving is settled by the next start."""


UNSEEN = 2000
"""When the profile is opened although nothing has painted the window, in ms: nobody may see it (it is minimised, or on
another workspace), and posts are due all the same."""

LEAVE_PATIENCE = 2 * END_PATIENCE
"""How long whoever asks it to quit waits until it has, in ms."""

TRIES = 4
"""How often a later start turns to the first window, which may just be ending: then it becomes the first itself."""


def run(start: Start, *, background: bool, activated: bool = False, delay: float = 0.0) -> int:
    """Runs the window until it quits, or hands over to the one that is open; returns the exit code.

    Raises:
        SetupMissing: the profile's folder cannot be used.
        Refused: the window that is open does not answer.
    """
    folder = profile.open_folder(profile.home())
    app = make_application()
    single = Single(folder, app)
    if not _is_first(single, start, quiet=background and not start.is_compose):
        return 0
    session = Session(app, folder, single, background=background or activated, delay=delay, owns_process=True)
    if start.is_compose:
        session.reception.take(start)
    code = app.exec()
    session.ended()
    if session.words_anew is not None:
        from sendoff import release
        from sendoff.ui import autostart

        release.start_anew([*autostart.program(), *session.words_anew])
    return code


def _is_first(single: Single, start: Start, *, quiet: bool) -> bool:
    """Whether this is the first window; else the first one has taken what this start wants.

    Args:
        quiet: it wants nothing but that Sendoff runs, which is no reason to raise a window.

    Raises:
        Refused: it was not taken.
    """
    for _ in range(TRIES):
        if single.take():
            return True
        if quiet:
            return False
        answer = single.hand_over(start)
        if answer == "no":
            raise Refused("The Sendoff that is running is of another version. Quit it, then try again.")
        if answer:
            return False
    raise Refused("Sendoff is running already, but its window does not answer. Try again in a moment.")


def leave() -> bool:
    """Asks the Sendoff that is open to quit, and waits until it has; False if none is open.

    Raises:
        SetupMissing: the profile's folder cannot be used.
        Refused: it did not quit.
    """
    from PySide6.QtCore import QDeadlineTimer, QThread

    app = QCoreApplication(["sendoff"])
    single = Single(profile.open_folder(profile.home()), app)
    if single.take():
        single.close()
        return False
    # One that is just starting hears nobody yet.
    answer = next(filter(None, (single.hand_over(Start(QUIT)) for _ in range(TRIES))), "")
    deadline = QDeadlineTimer(LEAVE_PATIENCE if answer == "ok" else 0)
    while not single.take():
        if deadline.hasExpired():
            raise Refused("Sendoff is open and did not quit. Quit it from its tray icon, then try again.")
        QThread.msleep(50)
    single.close()
    return True


class App(QApplication):
    """Qt's application. `quit_asked` comes when the system wants it to end (macOS has a menu for that).

    `given` carries a Start: macOS hands links and files over as events, not on the command line. Not run on a Mac.
    """

    quit_asked = Signal()
    given = Signal(object)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QFileOpenEvent):
            address = bytes(event.url().toEncoded().data()).decode()
            self.given.emit(Start.with_things([address], compose=True))
            return True
        if event.type() == QEvent.Type.Quit:
            self.quit_asked.emit()
            return True
        return super().event(event)


def make_application() -> App:
    """Qt's application with our name and manners."""
    identity.declare()
    app = App(["sendoff", "-style", "fusion"])  # setStyle would make QStyle's eleven enums before the first paint
    app.setApplicationName("Sendoff")
    app.setDesktopFileName(APP_ID)
    app.setQuitOnLastWindowClosed(False)
    return app


class Session(QObject):
    """Holds the parts together for the life of the process.

    Args:
        single: hears what later starts want.
        background: stay in the tray.
        delay: seconds after which a start in the background opens the profile, so that a login is not slowed down.
        owns_process: take its signals, answer on the session's bus, and say what nobody caught.
        panel: tells whether there is a panel with a tray; None: asks Qt.
        look: the look, where there is one in this process already.
    """

    recovery: Recovery

    def __init__(
        self,
        app: QApplication,
        folder: Path,
        single: Single | None = None,
        *,
        background: bool = False,
        delay: float = 0.0,
        owns_process: bool = False,
        panel: Callable[[], bool] | None = None,
        look: Look | None = None,
    ) -> None:
        super().__init__()
        self._app, self.folder, self._single, self._panel = app, folder, single, panel
        self.in_background, self._owns_process = background, owns_process
        self.context: Context | None = None
        self.background: Background | None = None
        self.tray: Tray | None = None
        self.closing: Closing | None = None
        self.quitting = False
        self.words_anew: tuple[str, ...] | None = None
        self._at_login = False
        self._door: Door | None = None
        self._looked_over = self._told_damage = False
        self._attendants: list[QObject] = []
        chosen = glance.settings(folder)
        self._look, self._theme = look, chosen.get("theme", "system")
        self._has_rail = chosen.get("first_run_done") == "yes"  # the first page stands alone
        self.window = Window(ground.of_choice(self._theme, rail=self._has_rail))
        self.window.restore(chosen.get("window_geometry", ""))
        self.window.quit_wanted.connect(self.quit)
        self.window.profile_wanted.connect(self.open_other)
        app.aboutToQuit.connect(self.ended)
        self.reception = Reception(self)
        self._begin = QTimer(self)
        self._begin.setSingleShot(True)
        self._begin.timeout.connect(self.open)
        if isinstance(app, App):
            app.quit_asked.connect(self.quit)
            app.given.connect(self.reception.take)
            app.commitDataRequest.connect(self._keep_writing)
        if single is not None:
            single.asked.connect(self.reception.take)
        if background:
            self._begin.start(round(delay * 1000))
            if single is not None and delay:
                single.listen()
        else:
            self.window.painted.connect(self.hurry)
            self._begin.start(UNSEEN)
            self.window.show()

    # --- opening --------------------------------------------------------------------------------------------------

    @property
    def look(self) -> Look:
        """The look; there is one as soon as the window is furnished."""
        assert self._look is not None
        return self._look

    def furnish(self) -> None:
        """Puts into the window what can be there before the profile is open, once."""
        if self.window.furnished:
            return
        from sendoff.ui.theme import Look

        self._look = self._look or Look(self._app, self._theme)
        self._look.choose(self._theme)
        self.window.furnish(self._look, rail=self._has_rail)

    def hurry(self) -> None:
        """Ends the wait of a start at login, or for the first paint: a person is there, and can be asked things."""
        self.in_background = False
        if self._begin.isActive():
            self._begin.stop()
            self.open()

    def open(self) -> None:
        """Furnishes the window and opens the profile, off its thread. Nothing heavy is imported before this."""
        self.furnish()
        from sendoff.ui.background import Background
        from sendoff.ui.closing import Closing
        from sendoff.ui.icons import app_icon
        from sendoff.ui.process import OwnProcess
        from sendoff.ui.recovery import Recovery
        from sendoff.ui.widgets.focus import FocusRing

        haste.end()
        self._app.setWindowIcon(app_icon())
        FocusRing(self.look, self._app, self)
        self.background = Background(self)
        self.recovery = Recovery(self)
        self.window.restore_wanted.connect(self.recovery.go_back)
        self.tray = self._make_tray()
        self.closing = Closing(self, self.tray, wait_for_panel=self.in_background)
        if self._owns_process:
            OwnProcess(self)
            self._answer_bus()
        if self._single is not None:
            self._single.listen()
        self.open_profile()

    def open_profile(self) -> None:
        """Opens it in the background; what stands against it takes the whole window."""
        folder = self.folder

        def work() -> Program:
            from sendoff.bootstrap import open_program

            return open_program(folder)

        assert self.background is not None
        self.background.run(work, self._opened, self.recovery.refused)

    def _opened(self, program: Program) -> None:
        from sendoff import release
        from sendoff.ui.bridge import Bridge
        from sendoff.ui.context import Context
        from sendoff.ui.newer import Newer
        from sendoff.ui.notify import Notifier
        from sendoff.ui.returning.greeting import Greeting
        from sendoff.ui.sending import Sending
        from sendoff.ui.updated import Updated

        if self.quitting or self.background is None:
            program.close()
            return
        bridge = Bridge(program.bell, self)
        sending = Sending(program, self.background, self)
        self.context = Context(program, self.look, bridge, self.background, sending, self.window)
        self.window.show_trouble(None)
        self.window.stood.connect(self._stood)
        self.window.enter(self.context)
        if not self.window.current:
            self.window.go("first_run" if self._begins_anew(self.context) else "planner")
        self.reception.go_on()
        bridge.changed.connect(self._changed)
        notifier = Notifier(self.context, self._tell, self)
        self.window.stood.connect(notifier.follow)
        self._attendants = [
            notifier,
            Greeting(self.context, self._tell, self),
            Updated(self.context, self._mention, self.restart, parent=self),
        ]  # fmt: skip
        if page := release.newer_page():
            self._attendants.append(Newer(self.context, self._mention, page, self))
        self._follow_settings()
        self._ask_for_passphrase(self.context)
        sending.start()
        self.background.run(_load_palette)
        self.recovery.tell()

    def _begins_anew(self, context: Context) -> bool:
        """Whether nobody has done anything with this profile yet; where somebody has, that is kept."""
        if context.settings()["first_run_done"] == "yes":
            return False
        if self.window.standing.accounts:
            self.set("first_run_done", "yes")  # the next start paints the rail at once
            return False
        return True

    def let_go(self, then: Callable[[Program], object]) -> bool:
        """Ends the sending and lets go of the profile; `then` gets what has it open still. False: not now."""
        if self.context is None or self.window.context is None or self.quitting:
            return False
        self.remember()
        self.context.bridge.close()
        self.window.leave_program()
        self.window.stood.disconnect(self._stood)
        for one in self._attendants:
            one.deleteLater()
        self._attendants = []
        self.context.sending.end(lambda: self._let_go(then))
        return True

    def _let_go(self, then: Callable[[Program], object]) -> None:
        if self.context is None or self.quitting:
            return
        context, self.context = self.context, None
        context.bridge.deleteLater()
        context.sending.deleteLater()
        self._looked_over = self._told_damage = False
        then(context.program)

    def _ask_for_passphrase(self, context: Context) -> None:
        """Once each start, where keys are in the key file and nobody gave the passphrase yet."""
        from sendoff.ui.passphrase import unlock

        vault = context.program.secrets.vault
        if not vault.exists:
            return
        if vault.passphrase:
            context.do(vault.open, failed=lambda _error: unlock(context), slow=True)
        elif not self.in_background:
            unlock(context)

    # --- what changes ---------------------------------------------------------------------------------------------

    def _stood(self, _standing: object) -> None:
        self._show_what_stops_it()
        if self.tray is not None:
            self.tray.show_standing(self.window.standing)

    def _show_what_stops_it(self) -> None:
        """Once: a profile that was copied or taken back, or a database that was damaged under this window."""
        if self.context is None:
            return
        damage = self.context.program.store.damage
        if damage is not None and not self._told_damage:
            self._told_damage = True
            self.context.ask(
                "The database can’t be used any more",
                f"{damage.what} Nothing is sent. Quit Sendoff and start it again: it shows then what can be done.",
                "Quit Sendoff",
                self.quit,
            )
        elif self.window.standing.paused_why and not self._looked_over:
            self._looked_over = True
            QTimer.singleShot(0, self.window.look_over)  # over the first screen, once that has the keyboard

    def _changed(self, topics: frozenset[str]) -> None:
        if "settings" in topics:
            self._follow_settings()

    def _follow_settings(self) -> None:
        """Lets the look and the autostart entry be what the settings say."""
        if self.context is None:
            return
        from sendoff.ui import autostart

        chosen = self.context.settings()
        self.look.choose(chosen["theme"])
        wanted = chosen["start_at_login"] == "yes"
        if wanted != self._at_login:  # where it is off from the start, the entry may be that of another profile
            self._at_login = wanted
            self.context.do(lambda: autostart.apply(wanted), slow=True)

    def set(self, name: str, value: str) -> None:
        """Keeps a setting."""
        if self.context is not None:
            commands = self.context.commands
            self.context.do(lambda: commands.settings.set(name, value))

    # --- the desktop ----------------------------------------------------------------------------------------------

    def _make_tray(self) -> Tray:
        from sendoff.ui.tray import Tray, Wishes

        window = self.window
        wishes = Wishes(
            show=window.bring_up,
            compose=lambda: self.reception.take(Start(COMPOSE)),
            go=self._go,
            pause=window.pause,
            resume=window.resume,
            quit=self.quit,
        )
        return Tray(self.look, wishes, self, *([self._panel] if self._panel else []))

    def _go(self, name: str) -> None:
        self.window.bring_up()
        self.window.go(name)

    def _answer_bus(self) -> None:
        """Answers launchers, notifications and portals on the session's bus, where there is one."""
        if sys.platform.startswith("linux"):
            from sendoff.ui.bus import Door

            self._door = Door.open(self.reception.take, self)

    def _tell(self, title: str, words: str) -> None:
        """A notification; where there is no panel for it, the window's entry in the task bar asks for attention."""
        if self.tray is not None and self.tray.available:
            self.tray.message(title, words, "activity")
        else:
            self._app.alert(self.window)

    def _mention(self, title: str, words: str) -> None:
        """What can wait: a notification, else a line in the window that goes by itself."""
        if self.tray is not None and self.tray.available:
            self.tray.message(title, words)
        else:
            self.window.say(f"{title}. {words}")

    # --- the end --------------------------------------------------------------------------------------------------

    def quit(self) -> None:
        """Ends the sending and then the process. What leaves right now may finish."""
        if self.quitting:
            return
        self.quitting = True
        self._begin.stop()
        if self._door is not None:
            self._door.close()
        if self._single is not None:
            self._single.turn_away()
        self.reception.finish()
        self.window.keep_current()
        self.remember()
        self.window.hide()
        if self.tray is not None:
            self.tray.hide()
        QTimer.singleShot(END_PATIENCE, self._exit)
        if self.context is not None:
            self.context.sending.end(self._exit)
        else:
            self._exit()

    def restart(self) -> None:
        """Quits in the same order, and becomes the Sendoff that is installed now, where this one was: seen or not."""
        self.words_anew = () if self.window.isVisible() else ("--background",)
        self.quit()

    def open_other(self, folder: Path) -> None:
        """Quits in the same order, and becomes a Sendoff with the profile in that folder."""
        self.words_anew = ("--home", str(folder))
        self.quit()

    def _keep_writing(self, manager: QSessionManager) -> None:
        """The session ends (as Windows tells it; not run there). What starts at the next login is a setting."""
        manager.setRestartHint(QSessionManager.RestartHint.RestartNever)
        self.window.keep_current()
        self.remember()

    def remember(self) -> None:
        """Keeps where the window stands and how large it is."""
        if self.window.isVisible():
            self.set("window_geometry", self.window.geometry_text())

    def _exit(self) -> None:
        self._app.exit(0)

    def ended(self) -> None:
        """The last steps, however it came to an end (a logout does not go through `quit`)."""
        context, self.context = self.context, None
        self._begin.stop()
        if self._single is not None:
            self._single.close()
        if context is not None:
            if not self.quitting:
                self.window.keep_current()
            context.sending.end_now()
            context.bridge.close()
        if self.background is not None:
            self.background.close(0.5)
        if context is not None:
            context.program.close()


def _load_palette() -> None:
    """Loads what has to be there at once when its keys are pressed."""
    import sendoff.ui.palette  # noqa: F401
