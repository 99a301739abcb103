"""The parts: with the mouse, with the keyboard, and for a screen reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

import sendoff
from sendoff.ui.theme import Look
from sendoff.ui.widgets.button import MENU_PART, Button, IconButton
from sendoff.ui.widgets.choice import ComboBox, FilterChip, SegmentedControl, Switch
from sendoff.ui.widgets.field import Field, TextField
from sendoff.ui.widgets.floating import Sheet, UndoBar
from sendoff.ui.widgets.flow import FlowLayout
from sendoff.ui.widgets.focus import _Ring
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.menu import Menu
from sendoff.ui.widgets.surface import Card, CardButton
from sendoff.ui.widgets.tip import plain
from tests.gui.gallery import gallery


@pytest.fixture
def host(qtbot: QtBot) -> QMainWindow:
    window = QMainWindow()
    window.resize(800, 600)
    middle = QWidget()
    QVBoxLayout(middle)
    window.setCentralWidget(middle)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitActive(window)
    return window


def put(host: QMainWindow, *parts: QWidget) -> None:
    for part in parts:
        host.centralWidget().layout().addWidget(part)
    QApplication.processEvents()


def test_every_part_paints_in_every_state(qtbot: QtBot, look: Look) -> None:
    page = gallery(look)
    qtbot.addWidget(page)
    page.show()
    assert not page.grab().isNull()


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_a_button_is_pressed_with_the_keyboard(host: QMainWindow, look: Look, key: Qt.Key) -> None:
    pressed: list[str] = []
    button = Button(look, "Send & wait", run=lambda: pressed.append("yes"))
    card = CardButton(look, "Mastodon", run=lambda: pressed.append("card"))
    put(host, button, card)
    for part in (button, card):
        part.setFocus()
        QTest.keyClick(part, key)
    assert pressed == ["yes", "card"]


UNDER = {
    "primary": "accent.hover", "secondary": "neutral.4", "quiet": "hover", "link": "accent.tint",
    "danger": "failed.tint",
}  # fmt: skip


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest, look: Look) -> Iterator[str]:
    """Chosen for one test: the others take the look as light."""
    look.choose(request.param)
    yield request.param
    look.choose("light")


@pytest.mark.usefixtures("theme")
@pytest.mark.parametrize("kind", UNDER)
def test_a_button_has_another_ground_under_the_pointer(host: QMainWindow, look: Look, kind: str) -> None:
    button, other = Button(look, "Send it", kind=kind), Button(look, "Another one")
    put(host, button, other)

    def ground() -> str:
        return str(button.grab().toImage().pixelColor(4, button.height() // 2).name())

    QTest.mouseMove(other)
    rest = ground()
    QTest.mouseMove(button)
    assert ground() == look.color(UNDER[kind]).name() != rest
    QTest.mouseMove(other)
    assert ground() == rest


def test_a_link_below_words_begins_where_they_begin(host: QMainWindow, look: Look) -> None:
    words = Label(look, "Hello")
    flush = Button(look, "Hello", kind="link", flush=True)
    beside = Button(look, "Hello", kind="link")
    with_icon = Button(look, "Hello", kind="link", icon="upload", flush=True)
    put(host, words, flush, beside, with_icon)
    assert abs(first_ink(flush) - first_ink(words)) <= 1
    assert first_ink(beside) - first_ink(words) >= 7
    assert first_ink(with_icon) <= 3


def first_ink(part: QWidget) -> int:
    """The first column in which something is drawn."""
    image = part.grab().toImage()
    ground = image.pixelColor(image.width() - 1, 1)
    rows = range(2, image.height() - 2)
    return next(x for x in range(image.width()) if any(image.pixelColor(x, y) != ground for y in rows))


def test_a_disabled_button_does_nothing(host: QMainWindow, look: Look) -> None:
    pressed: list[str] = []
    button = Button(look, "Send", run=lambda: pressed.append("yes"))
    put(host, button)
    button.setEnabled(False)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not pressed


def test_the_menu_part_opens_the_menu_and_the_rest_presses(host: QMainWindow, look: Look) -> None:
    pressed: list[str] = []
    menu = Menu(look)
    menu.add("Now", lambda: pressed.append("now"))
    button = Button(look, "Schedule for Tue 09:00", menu=menu, split=True, run=lambda: pressed.append("schedule"))
    put(host, button)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(20, 10))
    assert pressed == ["schedule"]
    assert not menu.isVisible()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(button.width() - MENU_PART // 2, 10))
    assert pressed == ["schedule"]
    assert menu.isVisible()
    menu.close()


def test_names_for_screen_readers(host: QMainWindow, look: Look) -> None:
    icon = IconButton(look, "trash-2", "Delete the draft", keys="Del")
    chip = FilterChip(look, "R&D")
    switch = Switch(look, "Start at login")
    field = TextField(look, "Server")
    put(host, icon, chip, switch, field)
    assert QAccessible.queryAccessibleInterface(icon).text(QAccessible.Text.Name) == "Delete the draft"
    assert QAccessible.queryAccessibleInterface(chip).text(QAccessible.Text.Name) == "R&D"
    assert QAccessible.queryAccessibleInterface(switch).role() == QAccessible.Role.CheckBox
    assert QAccessible.queryAccessibleInterface(field).text(QAccessible.Text.Name) == "Server"
    assert icon.toolTip() == "Delete the draft  Del"


def test_one_of_a_few_is_chosen_by_mouse_and_arrows(host: QMainWindow, look: Look) -> None:
    chosen: list[str] = []
    control = SegmentedControl(look, "View", [("day", "Day"), ("week", "Week"), ("list", "List")])
    control.chosen.connect(chosen.append)
    put(host, control)
    assert control.value() == "day"
    QTest.mouseClick(control._parts["week"], Qt.MouseButton.LeftButton)
    QTest.keyClick(control._parts["week"], Qt.Key.Key_Right)
    assert chosen == ["week", "list"]
    assert control.value() == "list"


def test_a_list_keeps_its_value_and_ignores_the_wheel(host: QMainWindow, look: Look) -> None:
    chosen: list[str] = []
    combo = ComboBox(look, "Late", [("ask", "Ask"), ("send", "Send"), ("skip", "Skip")])
    combo.chosen.connect(chosen.append)
    put(host, combo)
    combo.set_value("send")
    assert combo.value() == "send"
    assert not chosen
    combo.setFocus()
    QTest.keyClick(combo, Qt.Key.Key_Down)
    assert combo.value() == "skip"
    combo.set_choices([("skip", "Skip it"), ("ask", "Ask")])
    assert combo.value() == "skip"


def test_a_switch_is_switched_by_its_words_and_by_space(host: QMainWindow, look: Look) -> None:
    switch = Switch(look, "Start at login, in the tray")
    put(host, switch)
    QTest.mouseClick(switch, Qt.MouseButton.LeftButton, pos=QPoint(120, 10))
    assert switch.isChecked()
    QTest.keyClick(switch, Qt.Key.Key_Space)
    assert not switch.isChecked()


def test_a_field_says_what_is_wrong_and_takes_it_back(host: QMainWindow, look: Look) -> None:
    field = Field(look, "Server", TextField(look, "Server"), "Where you sign in.")
    put(host, field)
    field.set_wrong("There is no such server.")
    assert field._below.text() == "There is no such server."
    assert field.field.accessibleDescription() == "There is no such server."
    field.set_wrong("")
    assert field._below.text() == "Where you sign in."


def test_a_secret_is_hidden_until_it_is_shown(host: QMainWindow, look: Look) -> None:
    field = TextField(look, "Password", secret=True)
    put(host, field)
    QTest.keyClicks(field, "opensesame")
    assert field.displayText() != "opensesame"
    QTest.mouseClick(field._button, Qt.MouseButton.LeftButton)
    assert field.displayText() == "opensesame"


def test_the_ring_comes_with_the_keyboard_and_not_with_the_mouse(host: QMainWindow, look: Look, qtbot: QtBot) -> None:
    first, second, line = Button(look, "One"), Button(look, "Two"), TextField(look, "Text")
    put(host, first, second, line)

    def rings() -> int:
        QApplication.processEvents()
        return sum(ring.isVisible() for ring in host.findChildren(_Ring))

    QTest.mouseClick(first, Qt.MouseButton.LeftButton)
    first.setFocus(Qt.FocusReason.MouseFocusReason)
    assert rings() == 0
    QTest.keyClick(first, Qt.Key.Key_Tab)
    assert second.hasFocus()
    assert rings() == 1
    line.setFocus(Qt.FocusReason.MouseFocusReason)
    assert rings() == 1  # a field shows always where typing goes
    line.hide()
    assert rings() == 0


def test_words_of_others_stay_words(host: QMainWindow, look: Look) -> None:
    label = Label(look, "<img src='file:///etc/hostname'> & <b>bold</b>", elide=True)
    put(host, label)
    assert label.textFormat() is Qt.TextFormat.PlainText
    assert plain("<b>bold</b>") == "<span>&lt;b>bold&lt;/b></span>"
    assert plain("a & b") == "a & b"
    menu = Menu(look)
    assert menu.add("Q&A").text() == "Q&&A"


def test_a_label_that_does_not_fit_tells_all_in_its_tooltip(host: QMainWindow, look: Look) -> None:
    label = Label(look, "a rather long handle of somebody at some server", elide=True)
    put(host, label)
    assert label.toolTip() == ""
    label.setMaximumWidth(60)
    QApplication.processEvents()
    assert "handle" in label.toolTip()


def test_a_paragraph_takes_the_height_of_its_lines(look: Look) -> None:
    label = Label(look, "word " * 60, wrap=True)
    assert label.heightForWidth(200) == 20 * round(label.heightForWidth(200) / 20)
    assert label.heightForWidth(200) > label.heightForWidth(500) > 20


def test_a_sheet_keeps_the_focus_inside_and_gives_it_back(host: QMainWindow, look: Look, qtbot: QtBot) -> None:
    behind = Button(look, "Behind")
    put(host, behind)
    behind.setFocus()
    sheet = Sheet(look, host, "Sure?", "It cannot be undone.")
    no, yes = Button(look, "No"), Button(look, "Yes")
    sheet.add_button(no)
    sheet.add_button(yes)
    sheet.open()
    assert no.hasFocus()
    for expected in (yes, no, yes):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        assert expected.hasFocus()
    QTest.keyClick(yes, Qt.Key.Key_Backtab)
    assert no.hasFocus()
    with qtbot.waitSignal(sheet.closed):
        QTest.keyClick(no, Qt.Key.Key_Escape)
    assert behind.hasFocus()


def test_a_sheet_covers_the_window_also_when_it_grows(host: QMainWindow, look: Look) -> None:
    sheet = Sheet(look, host, "Title", "Words. " * 30)
    sheet.open()
    host.resize(1000, 700)
    QApplication.processEvents()
    assert sheet.size() == host.size()
    assert host.rect().contains(sheet.card.geometry())
    sheet.close_it()


def test_the_bar_offers_undo_once_and_goes_by_itself(host: QMainWindow, look: Look, qtbot: QtBot) -> None:
    undone: list[int] = []
    bar = UndoBar(look, host)
    bar.say("The draft was deleted.", lambda: undone.append(1))
    assert bar.words == "The draft was deleted."
    assert bar._timer.interval() == 8000
    QTest.mouseClick(bar._button, Qt.MouseButton.LeftButton)
    bar.undo()
    assert undone == [1]
    assert not bar.isVisible()
    bar.say("Again.", lambda: undone.append(2))
    bar._timer.start(1)
    qtbot.waitUntil(lambda: not bar.isVisible())
    assert not bar.can_undo


def test_trouble_stays_until_it_is_read(host: QMainWindow, look: Look) -> None:
    bar = UndoBar(look, host)
    bar.say("Too late: it is leaving.", trouble=True)
    assert bar.isVisible()
    assert not bar._timer.isActive()


def test_a_flow_breaks_lines_and_makes_columns(host: QMainWindow, look: Look) -> None:
    box = QWidget()
    flow = FlowLayout(box, gap=10)
    chips = [FilterChip(look, f"Account {number}") for number in range(6)]
    for chip in chips:
        flow.addWidget(chip)
    put(host, box)
    box.resize(260, 300)
    flow.setGeometry(box.rect())
    assert chips[0].y() == chips[1].y() < chips[-1].y()
    assert all(chip.geometry().right() <= 260 for chip in chips)
    cards = [Card(look) for _ in range(4)]
    below = QWidget()
    grid = FlowLayout(below, gap=10, columns=3)
    for card in cards:
        grid.addWidget(card)
    grid.setGeometry(QRect(0, 0, 260, 300))
    assert [card.width() for card in cards] == [80] * 4
    assert cards[3].x() == 0
    assert cards[3].y() > cards[0].y()


def test_a_grid_has_fewer_columns_where_they_would_be_too_narrow(look: Look, qtbot: QtBot) -> None:
    box = QWidget()
    qtbot.addWidget(box)
    grid = FlowLayout(box, gap=10, columns=3, least=100)
    for _ in range(4):
        grid.addWidget(Card(look))
    columns = []
    for width in (400, 320, 319, 210, 209, 50):
        grid.setGeometry(QRect(0, 0, width, 300))
        columns.append(len({grid.itemAt(place).geometry().x() for place in range(4)}))  # type: ignore[union-attr]
    assert columns == [3, 3, 2, 2, 1, 1]


def test_only_the_parts_make_labels_boxes_and_tooltips() -> None:
    """Text from elsewhere must not become markup, so there is one door for each."""
    ui = Path(sendoff.__file__).parent / "ui"
    doors = {"label.py": "QLabel", "tip.py": "setToolTip", "tray.py": "setToolTip"}
    wild = []
    for path in ui.rglob("*.py"):
        text = path.read_text()
        for word in re.findall(r"\bQLabel\(|\bQMessageBox\b|\.setToolTip\(|\bQLabel\b(?=\))", text):
            if doors.get(path.name, "-") not in word:
                wild.append(f"{path.name}: {word}")
    assert not wild
