"""./test screenshots DIR: every screen and state with sample data, light and dark, in two sizes, always the same.

Add a screen by adding a line to SHOTS: a name, and a function that brings the window there.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from sendoff.bootstrap import open_program
from sendoff.store import settings
from sendoff.store.secrets import Vault
from sendoff.ui.palette import Palette
from sendoff.ui.passphrase import PassphraseSheet
from sendoff.ui.sending import Part
from sendoff.ui.session import make_application
from sendoff.ui.theme import Look
from sendoff.ui.tray import Tray, Wishes
from sendoff.ui.trouble import TroublePage
from sendoff.ui.widgets.focus import FocusRing
from tests.conftest import SetClock
from tests.gui import sample
from tests.gui.desk import Desk, grab, set_up
from tests.gui.gallery import gallery

SIZES = ((1280, 800), (960, 640))
THEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture. `bring` brings the window there and may return another widget to take; `filled` with the sample."""

    name: str
    bring: Callable[[Desk], QWidget | None]
    filled: bool = True


def _go(name: str, **what: object) -> Callable[[Desk], None]:
    def bring(desk: Desk) -> None:
        desk.window.go(name, **what)

    return bring


def _palette(words: str) -> Callable[[Desk], None]:
    def bring(desk: Desk) -> None:
        desk.window.open_palette()
        overlay = desk.window.overlay
        assert isinstance(overlay, Palette)
        overlay.field.setText(words)
        desk.settle()

    return bring


def _drafts_hover(desk: Desk) -> None:
    desk.window.go("drafts")
    desk.settle()
    view = desk.window.screen_named("drafts").list  # type: ignore[union-attr]
    place = view.visualRect(view.model().index(1)).center()
    QTest.mouseMove(view.viewport(), place)
    desk.settle()


def _undo(desk: Desk) -> None:
    desk.window.go("drafts")
    desk.settle()
    desk.window.screen_named("drafts").delete_current()  # type: ignore[union-attr]
    desk.settle()


def _said_trouble(desk: Desk) -> None:
    desk.window.say("Too late: it is leaving right now. Nothing was changed.", trouble=True)


def _paused(desk: Desk) -> None:
    desk.window.pause_until_tomorrow()
    desk.settle()


def _calm(desk: Desk) -> None:
    attention = "('failed', 'in_doubt', 'held', 'missed')"
    with desk.program.store.writing() as connection:
        connection.exec_driver_sql(f"UPDATE deliveries SET state = 'cancelled' WHERE state IN {attention}")
    desk.window.look_again()


def _elsewhere(desk: Desk) -> None:
    desk.context.sending.part = Part.ELSEWHERE
    _calm(desk)


def _locked(desk: Desk) -> None:
    desk.context.sending.part = Part.NOWHERE
    desk.context.sending.trouble = "The keychain is locked. Unlock it, and the sending goes on."
    desk.window.look_again()


def _ask(desk: Desk) -> None:
    desk.context.ask(
        "Remove Harbor News?",
        "3 posts that are planned for it are cancelled. What was sent stays in Activity. Its key is deleted.",
        "Remove the account",
        lambda: None,
        danger=True,
    )


def _passphrase(desk: Desk) -> None:
    desk.window.show_overlay(PassphraseSheet(desk.context, lambda: None))


def _passphrase_wrong(desk: Desk) -> None:
    _passphrase(desk)
    sheet = desk.window.overlay
    assert sheet is not None
    sheet._typed.setText("short")  # type: ignore[attr-defined]
    sheet._go_on()  # type: ignore[attr-defined]


def _practice(desk: Desk) -> None:
    desk.window.go("first_run")
    desk.window.screen_named("first_run")._practise()  # type: ignore[union-attr]


def _practice_waiting(desk: Desk) -> None:
    _practice(desk)
    desk.window.screen_named("first_run").practice._send()  # type: ignore[union-attr]
    desk.settle()


def _trouble(desk: Desk) -> QWidget:
    sentence = (
        "/home/ayse/.local/share/sendoff/sendoff.db was written by a newer Sendoff (its step 0003, this one knows "
        "0001). Install the newer version again, or open another profile with SENDOFF_HOME."
    )
    page = TroublePage(desk.look, sentence, lambda: None, lambda: None)
    page.setAutoFillBackground(True)
    return page


def _tray_menu(desk: Desk) -> QWidget:
    nothing = lambda *_: None  # noqa: E731
    tray = Tray(desk.look, Wishes(nothing, nothing, nothing, nothing, nothing, nothing), desk.window)
    tray.show_standing(desk.window.standing)
    tray.menu.ensurePolished()
    tray.menu.resize(tray.menu.sizeHint())
    return tray.menu


def _keyboard(desk: Desk) -> None:
    desk.window.activateWindow()
    desk.window.rail.items["planner"].setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(desk.window.rail.items["planner"], Qt.Key.Key_Tab)


def _gallery(desk: Desk) -> QWidget:
    page = gallery(desk.look)
    page.resize(page.sizeHint())
    return page


SHOTS = (
    Shot("parts", _gallery, filled=False),
    Shot("first-run", _go("first_run"), filled=False),
    Shot("first-run-practice", _practice, filled=False),
    Shot("first-run-waiting", _practice_waiting, filled=False),
    Shot("trouble", _trouble, filled=False),
    Shot("planner", _go("planner")),
    Shot("planner-empty", _go("planner"), filled=False),
    Shot("drafts", _go("drafts")),
    Shot("drafts-hover", _drafts_hover),
    Shot("drafts-undo", _undo),
    Shot("drafts-empty", _go("drafts"), filled=False),
    Shot("composer", _go("composer")),
    Shot("activity", _go("activity")),
    Shot("accounts", _go("accounts")),
    Shot("add-account", _go("add_account")),
    Shot("preferences", _go("preferences")),
    Shot("palette", _palette("guji")),
    Shot("palette-all", _palette("")),
    Shot("keys", lambda desk: desk.window.open_keys()),
    Shot("ask", _ask),
    Shot("passphrase-new", _passphrase, filled=False),
    Shot("passphrase-wrong", _passphrase_wrong, filled=False),
    Shot("keyboard-focus", _keyboard),
    Shot("strip-paused", _paused),
    Shot("strip-elsewhere", _elsewhere),
    Shot("strip-calm", _calm),
    Shot("strip-trouble", _locked),
    Shot("said-trouble", _said_trouble),
    Shot("tray-menu", _tray_menu),
)


@contextmanager
def _desk(look: Look, shot: Shot) -> Iterator[Desk]:
    folder = Path(tempfile.mkdtemp(prefix="sendoff-shot-"))
    passphrase = None if shot.name.startswith("passphrase") else "sample"
    program = open_program(folder, passphrase=passphrase, clock=SetClock(sample.NOW))
    if shot.filled:
        sample.fill(program)
    else:
        sample.add_networks(program)
        with program.store.writing() as connection:
            settings.write(connection, "zone", sample.ZONE)
    desk = set_up(program, look)
    try:
        yield desk
    finally:
        desk.close()
        program.close()
        shutil.rmtree(folder)


def take(shot: Shot, look: Look, folder: Path) -> Iterator[Path]:
    """Takes one shot in all themes and sizes; yields the files."""
    for theme in THEMES:
        look.choose(theme)
        for width, height in SIZES:
            with _desk(look, shot) as desk:
                grab(desk.window, width, height)
                other = shot.bring(desk)
                desk.settle()
                target = folder / f"{shot.name}-{theme}-{width}.png"
                widget = desk.window
                if other is not None:
                    fixed = shot.name in ("parts", "tray-menu")
                    widget = grab(other, *(() if fixed else (width, height)))  # type: ignore[assignment]
                widget.grab().save(str(target))
                if other is not None:
                    other.deleteLater()
            yield target


def main(words: Sequence[str]) -> int:
    """Writes the pictures into the folder named first; further words choose shots by the beginning of their names."""
    if not words:
        print("Say where: ./test screenshots DIR [NAME…]", file=sys.stderr)
        return 2
    folder = Path(words[0])
    folder.mkdir(parents=True, exist_ok=True)
    Vault.N = 1 << 10
    app = make_application()
    app.setCursorFlashTime(0)
    look = Look(app, "light")
    FocusRing(look, app)
    for shot in SHOTS:
        if len(words) == 1 or any(shot.name.startswith(word) for word in words[1:]):
            for path in take(shot, look, folder):
                print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
