"""The tray: what its menu says and does, and panels that come and go."""

from __future__ import annotations

from datetime import timedelta

import pytest
from PySide6.QtGui import QColor, QIcon, QImage, QPainter
from PySide6.QtWidgets import QSystemTrayIcon
from pytestqt.qtbot import QtBot

from sendoff.ui.standing import Mood, Standing
from sendoff.ui.theme import Look
from sendoff.ui.tray import Tray, Wishes, icon_set
from tests.gui.desk import Panel
from tests.gui.test_standing import NOW, TOMORROW, chip, standing


@pytest.fixture
def first_screen() -> str:
    return ""


@pytest.fixture
def wished() -> list[str]:
    return []


@pytest.fixture
def wishes(wished: list[str]) -> Wishes:
    return Wishes(
        show=lambda: wished.append("show"),
        compose=lambda: wished.append("compose"),
        go=lambda name: wished.append(f"go {name}"),
        pause=lambda pause: wished.append(f"pause {pause.words}"),
        resume=lambda: wished.append("resume"),
        quit=lambda: wished.append("quit"),
    )


def words(tray: Tray) -> list[str]:
    return [action.text() for action in tray.menu.actions() if not action.isSeparator()]


def choose(tray: Tray, beginning: str) -> None:
    next(action for action in tray.menu.actions() if action.text().startswith(beginning)).trigger()


def test_the_menu_of_a_running_sendoff(look: Look, wishes: Wishes, wished: list[str], qtbot: QtBot) -> None:
    tray = Tray(look, wishes, panel=Panel())
    tray.show_standing(standing(upcoming=(TOMORROW, chip(timedelta(days=2))), needs_you=3, waiting=9))
    assert words(tray) == [
        "Next: Tue 09:00 · 3 things need you",
        "Guji natural\tTue 09:00",
        "Guji natural\tWed 18:52",
        "New post…",
        "Pause",
        "3 things need you",
        "Open Sendoff",
        "Preferences…",
        "Quit",
        "9 deliveries won’t go out until you start it again",
    ]
    for beginning in ("New post", "3 things", "Open", "Preferences", "Quit"):
        choose(tray, beginning)
    assert wished == ["compose", "go activity", "show", "go preferences", "quit"]
    assert not tray.menu.actions()[-1].isEnabled()
    tray.hide()


def test_pausing_from_the_tray(look: Look, wishes: Wishes, wished: list[str], qtbot: QtBot) -> None:
    tray = Tray(look, wishes, panel=Panel())
    tray.show_standing(standing())
    for action in tray._pauses.actions():
        action.trigger()
    tray.show_standing(standing(mood=Mood.PAUSED, paused_until="forever"))
    choose(tray, "Resume")
    assert wished == ["pause For 1 hour", "pause Until tomorrow", "pause Until I say so", "resume"]
    assert "Pause" not in words(tray)
    tray.hide()


def test_nothing_to_pause_before_it_has_started(look: Look, wishes: Wishes, qtbot: QtBot) -> None:
    tray = Tray(look, wishes, panel=Panel())
    assert words(tray) == ["Starting…", "New post…", "Open Sendoff", "Preferences…", "Quit"]
    tray.hide()


def test_the_icon_and_its_tooltip_say_how_things_stand(look: Look, wishes: Wishes, qtbot: QtBot) -> None:
    tray = Tray(look, wishes, panel=Panel())
    drawn = set()
    for one in (standing(), standing(mood=Mood.PAUSED), standing(needs_you=1)):
        tray.show_standing(one)
        drawn.add(tray._icon.icon().pixmap(22, 22).toImage().bits().tobytes())  # type: ignore[union-attr]
    assert len(drawn) == 3
    assert tray._icon.toolTip() == "Sendoff\nNothing planned\n1 thing needs you"  # type: ignore[union-attr]
    tray.hide()


def test_the_icon_is_made_again_when_a_panel_appears_later(look: Look, wishes: Wishes, qtbot: QtBot) -> None:
    panel = Panel(there=False)
    tray = Tray(look, wishes, panel=panel)
    assert not tray.available
    tray.message("Nobody", "sees this")
    panel.there = True
    with qtbot.waitSignal(tray.available_changed) as changed:
        tray._timer.setInterval(10)
    assert changed.args == [True]
    first = tray._icon
    panel.there = False
    tray.look_for_panel()
    assert not tray.available
    panel.there = True
    tray.look_for_panel()
    assert tray.available
    assert tray._icon is not first
    tray.hide()


def test_pressing_a_notification_opens_what_it_spoke_of(
    look: Look, wishes: Wishes, wished: list[str], qtbot: QtBot
) -> None:
    tray = Tray(look, wishes, panel=Panel())
    tray.message("Sendoff keeps running here", "Quit from this icon’s menu.")
    tray._icon.messageClicked.emit()  # type: ignore[union-attr]
    tray.message("1 failed", "Lunch at the pier", "activity")
    tray._icon.messageClicked.emit()  # type: ignore[union-attr]
    assert wished == ["show", "go activity"]
    tray.hide()


class Heard(QSystemTrayIcon):
    """A panel's icon that keeps what notifications are drawn with."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[QIcon] = []

    def showMessage(self, title: str, words: str, icon: QIcon, span: int = 0) -> None:  # type: ignore[override]  # noqa: N802  # Qt’s name
        self.drawn.append(icon)


class HeardTray(Tray):
    def _make(self) -> QSystemTrayIcon:
        icon = Heard()
        icon.setIcon(self._drawing())
        return icon


@pytest.mark.parametrize("ground", ["white", "black"])
@pytest.mark.parametrize("dark_panel", [False, True])
def test_the_icon_of_a_notification_is_seen_on_any_ground(
    look: Look, wishes: Wishes, qtbot: QtBot, ground: str, dark_panel: bool
) -> None:
    tray = HeardTray(look, wishes, panel=Panel())
    tray._dark_panel = dark_panel
    tray.message("1 failed", "Lunch at the pier")
    assert isinstance(tray._icon, Heard)
    paper = QImage(32, 32, QImage.Format.Format_RGB32)
    paper.fill(QColor(ground))
    painter = QPainter(paper)
    painter.drawPixmap(0, 0, tray._icon.drawn[0].pixmap(32, 32))
    painter.end()
    away = [abs(paper.pixelColor(x, y).lightness() - QColor(ground).lightness()) for x in range(32) for y in range(32)]
    assert sum(one > 60 for one in away) > 32 * 32 / 3
    tray.hide()


def test_the_icon_suits_the_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "KDE")
    assert icon_set(system_dark=False) == "light-panel"
    assert icon_set(system_dark=True) == "dark-panel"
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "ubuntu:GNOME")
    assert icon_set(system_dark=False) == "dark-panel"
    monkeypatch.setattr("sys.platform", "darwin")
    assert icon_set(system_dark=True) == "symbolic"


def test_a_panel_that_looks_for_markup_finds_none(look: Look, wishes: Wishes, qtbot: QtBot) -> None:
    tray = Tray(look, wishes, panel=Panel())
    trouble = 'Box says: <img src="file:///etc/passwd">'
    tray.show_standing(standing(mood=Mood.TROUBLE, trouble=trouble))
    assert "img src=" in tray._icon.toolTip()  # type: ignore[union-attr]
    assert "<" not in tray._icon.toolTip()  # type: ignore[union-attr]
    tray.hide()


def test_words_of_posts_stay_words(look: Look, wishes: Wishes, qtbot: QtBot) -> None:
    tray = Tray(look, wishes, panel=Panel())
    from dataclasses import replace

    tray.show_standing(
        Standing(mood=Mood.RUNNING, now=NOW, upcoming=(replace(TOMORROW, excerpt="Salt & pepper " * 8),))
    )
    entry = words(tray)[1]
    assert entry.startswith("Salt && pepper Salt && pepper")
    assert entry.split("\t")[0].endswith("…")
    tray.hide()
