"""The preferences: what is set holds at once, what can't be is said where it was set, and the data go out and in."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from sendoff.bootstrap import Program, open_program
from sendoff.store import accounts, transfer
from sendoff.store.settings import offered
from sendoff.ui import autostart
from sendoff.ui.passphrase import PassphraseSheet
from sendoff.ui.preferences.about import LicenceSheet, versions
from sendoff.ui.preferences.data import exported_words, imported_words
from sendoff.ui.preferences.rows import Row
from sendoff.ui.preferences.screen import PreferencesScreen
from sendoff.ui.session import Session
from sendoff.ui.theme import Look
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.choice import ComboBox, Switch
from sendoff.ui.widgets.field import TextField
from tests.conftest import SetClock
from tests.gui.desk import Desk, judged


@pytest.fixture
def first_screen() -> str:
    return ""


def shown(desk: Desk, **what: object) -> PreferencesScreen:
    desk.window.resize(1280, 800)
    desk.window.go("preferences", **what)
    screen = desk.window.screen_named("preferences")
    assert isinstance(screen, PreferencesScreen)
    desk.until(lambda: screen.keys.place.below.text() != "Looking…")
    desk.settle()
    return screen


@pytest.fixture
def screen(harbor: Desk) -> PreferencesScreen:
    return shown(harbor)


def choose(combo: object, value: str) -> None:
    """Picks from the list as a hand does."""
    assert isinstance(combo, ComboBox)
    combo.setCurrentIndex(combo.findData(value))
    combo.activated.emit(combo.currentIndex())


# --- settings -----------------------------------------------------------------------------------------------------


def test_the_page_shows_every_setting_with_its_value(harbor: Desk, screen: PreferencesScreen) -> None:
    assert set(screen.rows) == {one.name for one in offered()}
    assert [section.title for section in screen.sections] == [
        "General", "Sending", "Background", "Your data", "Keys", "About",
    ]  # fmt: skip
    zone, late, tray = (screen.rows[name].control for name in ("zone", "late", "close_to_tray"))
    assert isinstance(zone, TextField)
    assert zone.text() == "Europe/Berlin"
    assert isinstance(late, ComboBox)
    assert late.currentText() == "Up to 2 h late, then ask"
    assert isinstance(tray, Switch)
    assert tray.isChecked()
    assert all(row.control.accessibleName() == row.setting.label for row in screen.rows.values())


def test_a_choice_a_switch_and_a_text_hold_at_once(harbor: Desk, screen: PreferencesScreen) -> None:
    choose(screen.rows["give_up"].control, "6h")
    QTest.mouseClick(screen.rows["strip_location"].control, Qt.MouseButton.LeftButton)
    zone = screen.rows["zone"].control
    zone.setFocus()
    zone.selectAll()  # type: ignore[attr-defined]
    QTest.keyClicks(zone, "Asia/Tokyo")
    QTest.keyClick(zone, Qt.Key.Key_Return)
    harbor.settle()
    values = harbor.context.settings()
    assert (values["give_up"], values["strip_location"], values["zone"]) == ("6h", "no", "Asia/Tokyo")
    assert harbor.context.zone() == "Asia/Tokyo"
    assert "It is 02:52 now." in screen.rows["zone"].below.text()


def test_the_words_of_a_switch_switch_it_too(harbor: Desk, screen: PreferencesScreen) -> None:
    row = screen.rows["strip_location"]
    QTest.mouseClick(row, Qt.MouseButton.LeftButton, pos=row.label.geometry().center())
    harbor.settle()
    assert harbor.context.settings()["strip_location"] == "no"


def test_a_wrong_zone_is_said_at_its_field_and_esc_takes_it_back(harbor: Desk, screen: PreferencesScreen) -> None:
    row = screen.rows["zone"]
    zone = row.control
    assert isinstance(zone, TextField)
    zone.setFocus()
    zone.setText("Europe/Atlantis")
    QTest.keyClick(zone, Qt.Key.Key_Return)
    harbor.settle()
    assert row.below.text() == ("There is no time zone “Europe/Atlantis”. Zones are written like Europe/Berlin or UTC.")
    assert zone.accessibleDescription() == row.below.text()
    assert zone.text() == "Europe/Atlantis"  # stays to be corrected
    assert harbor.context.settings()["zone"] == "Europe/Berlin"
    harbor.program.commands.settings.set("give_up", "1h")  # another change does not wipe what is being corrected
    harbor.settle()
    assert row.is_wrong
    assert zone.text() == "Europe/Atlantis"
    QTest.keyClick(zone, Qt.Key.Key_Escape)
    assert zone.text() == "Europe/Berlin"
    assert not row.is_wrong


def test_an_empty_zone_follows_this_computer(harbor: Desk, screen: PreferencesScreen) -> None:
    zone = screen.rows["zone"].control
    assert isinstance(zone, TextField)
    zone.setText("")
    QTest.keyClick(zone, Qt.Key.Key_Return)
    harbor.settle()
    assert harbor.context.settings()["zone"] == ""
    assert zone.placeholderText() == harbor.context.zone()


@pytest.mark.parametrize(("typed", "offered"), [("berl", "Europe/Berlin"), ("new york", "America/New_York")])
def test_zones_are_completed_by_any_part(harbor: Desk, screen: PreferencesScreen, typed: str, offered: str) -> None:
    zone = screen.rows["zone"].control
    assert isinstance(zone, TextField)
    completer = zone.completer()
    judged(completer.completionModel())
    zone.setFocus()
    zone.selectAll()
    QTest.keyClicks(zone, typed)
    harbor.until(lambda: completer.popup().isVisible())
    offers = [completer.completionModel().index(row, 0).data() for row in range(completer.completionCount())]
    assert offered in offers
    place = completer.completionModel().index(offers.index(offered), 0)
    completer.popup().setCurrentIndex(place)
    QTest.keyClick(completer.popup(), Qt.Key.Key_Return)
    harbor.settle()
    assert zone.text() == offered
    assert harbor.context.settings()["zone"] == offered


def test_what_the_command_line_set_besides_the_choices_is_shown(harbor: Desk, screen: PreferencesScreen) -> None:
    harbor.program.commands.settings.set("late", "ask 45m")
    harbor.settle()
    late = screen.rows["late"].control
    assert isinstance(late, ComboBox)
    assert (late.value(), late.currentText()) == ("ask 45m", "Up to 45 min late, then ask")
    choose(late, "send")
    harbor.settle()
    assert harbor.context.settings()["late"] == "send"
    assert late.count() == 6


def test_start_at_login_really_writes_the_entry(harbor: Desk, screen: PreferencesScreen, own_desktop: Path) -> None:
    entry = own_desktop / "config" / "autostart" / "org.sendoff.Sendoff.desktop"
    switch = screen.rows["start_at_login"].control
    QTest.mouseClick(switch, Qt.MouseButton.LeftButton)
    harbor.until(lambda: harbor.context.settings()["start_at_login"] == "yes")
    assert b"--background" in entry.read_bytes()
    harbor.settle()
    QTest.mouseClick(switch, Qt.MouseButton.LeftButton)
    harbor.until(lambda: harbor.context.settings()["start_at_login"] == "no")
    assert not entry.exists()


def test_an_entry_that_cannot_be_written_is_said_and_the_switch_goes_back(
    harbor: Desk, screen: PreferencesScreen, own_desktop: Path
) -> None:
    (own_desktop / "config").write_text("a file where a folder has to be")
    row = screen.rows["start_at_login"]
    assert isinstance(row.control, Switch)
    QTest.mouseClick(row.control, Qt.MouseButton.LeftButton)
    harbor.until(lambda: row.is_wrong)
    assert "can’t be written" in row.below.text()
    assert not row.control.isChecked()
    assert harbor.context.settings()["start_at_login"] == "no"
    assert str(autostart.entry_path("linux", {"XDG_CONFIG_HOME": str(own_desktop / "config")})) in row.below.text()


def test_the_theme_switches_while_one_looks(
    qapp: QApplication,
    look: Look,
    tmp_path: Path,
    open_profile: Callable[..., Program],
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_profile("there").close()
    monkeypatch.setenv("SENDOFF_PASSPHRASE", "open sesame")
    session = Session(qapp, tmp_path / "there", panel=lambda: False, look=look)
    try:
        qtbot.waitUntil(lambda: session.context is not None, timeout=20_000)
        session.window.go("preferences")
        screen = session.window.screen_named("preferences")
        assert isinstance(screen, PreferencesScreen)
        choose(screen.rows["theme"].control, "dark")
        qtbot.waitUntil(lambda: look.theme.dark)
        assert screen.grab().toImage().pixelColor(4, 4) == look.color("surface")
    finally:
        session.quitting = True
        session.ended()
        session.window.hide()
        session.window.deleteLater()
        session.deleteLater()
        look.choose("light")


# --- finding one's way --------------------------------------------------------------------------------------------


def test_the_keys_open_it_and_it_goes_to_the_page_named(harbor: Desk) -> None:
    QTest.keySequence(harbor.window, "Ctrl+,")
    assert harbor.window.current == "preferences"
    screen = shown(harbor, page="data")
    assert screen.sections[screen.pages.current] is screen.data
    top = screen.data.mapTo(screen.column, screen.data.rect().topLeft()).y()
    assert 0 <= top < 200
    assert screen.data.visibleRegion().boundingRect().height() == screen.data.height()


def test_pressing_a_name_goes_there_and_scrolling_marks_what_is_read(harbor: Desk, screen: PreferencesScreen) -> None:
    bar = screen.column.verticalScrollBar()
    QTest.mouseClick(screen.pages._group.button(2), Qt.MouseButton.LeftButton)
    assert bar.value() > 200
    assert screen.pages.current == 2
    bar.setValue(bar.maximum())
    assert screen.pages.current == 5
    bar.setValue(0)
    assert screen.pages.current == 0


def test_where_one_went_stays_in_sight_when_what_is_above_grows(harbor: Desk, screen: PreferencesScreen) -> None:
    harbor.window.go("preferences", page="about")
    harbor.settle()
    bar = screen.column.verticalScrollBar()
    assert bar.value() == bar.maximum()
    before = bar.maximum()
    for number in range(2):
        screen.keys.add(Row(screen.look, f"Row {number}", "words", Button(screen.look, "Do it")))
    harbor.until(lambda: bar.maximum() > before)
    harbor.settle()
    assert bar.value() == bar.maximum()
    bar.setValue(10)  # now somebody scrolled
    screen.keys.add(Row(screen.look, "Row 3", "words", Button(screen.look, "Do it")))
    harbor.settle()
    assert bar.value() == 10


def test_tab_walks_through_and_brings_into_view(harbor: Desk, screen: PreferencesScreen) -> None:
    harbor.window.activateWindow()
    screen.rows["theme"].control.setFocus()
    for _ in range(list(screen.rows).index("notify")):
        focused = harbor.window.focusWidget()
        assert focused is not None
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert harbor.window.focusWidget() is screen.rows["notify"].control
    assert not screen.rows["notify"].control.visibleRegion().isEmpty()


def test_its_deeds_stand_in_the_palette(harbor: Desk, screen: PreferencesScreen) -> None:
    words = [action.text() for action in harbor.window.doable()]
    for one in ("Back up the database", "Export everything", "Import an export or a backup"):
        assert one in words


# --- data ---------------------------------------------------------------------------------------------------------


def pick(dialog: QFileDialog, file: Path) -> None:
    """Chooses a file as the person does; the folder is the test's."""
    dialog.filesSelected.emit([str(file)])
    dialog.close()


def test_a_backup_is_a_database(harbor: Desk, screen: PreferencesScreen, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("replaced, as the dialog has asked")
    QTest.mouseClick(screen.data.backup.button, Qt.MouseButton.LeftButton)
    dialog = screen.window().findChild(QFileDialog)
    assert dialog is not None
    assert dialog.defaultSuffix() == "db"
    pick(dialog, target)
    assert not screen.data.backup.button.isEnabled()
    harbor.until(lambda: screen.data.backup.below.text() == f"Copied to {target}.")
    assert screen.data.backup.button.isEnabled()
    with closing(sqlite3.connect(target)) as copy, copy:
        assert copy.execute("SELECT count(*) FROM accounts").fetchone() == (6,)
    copy.close()


def test_what_goes_out_comes_in_again_elsewhere(
    harbor: Desk,
    screen: PreferencesScreen,
    tmp_path: Path,
    open_profile: Callable[..., Program],
    open_desk: Callable[..., Desk],
    clock: SetClock,
) -> None:
    target = tmp_path / "all.zip"
    screen.data.export_to(target)
    harbor.until(lambda: not screen.data.export.busy.isVisible())
    assert screen.data.export.below.text().startswith(f"Written to {target}: 6 accounts, ")
    assert zipfile.is_zipfile(target)
    other = open_desk(open_profile("other", clock=clock))
    page = shown(other)
    dialog = page.data.choose_import()
    pick(dialog, target)
    assert other.window.overlay is not None  # it cannot be undone, so it is asked
    QTest.keyClick(other.window.focusWidget(), Qt.Key.Key_Return)
    other.until(lambda: page.data.bring_in.below.text().startswith("Imported 6 accounts, "))
    assert "Nothing was sent." in page.data.bring_in.below.text()
    with other.context.reading() as connection:
        assert len(accounts.every(connection)) == 6


def test_what_does_not_work_is_said_at_its_row(harbor: Desk, screen: PreferencesScreen, tmp_path: Path) -> None:
    broken = tmp_path / "broken.zip"
    broken.write_text("not an archive")
    screen.data.import_from(broken)
    harbor.until(lambda: not screen.data.bring_in.busy.isVisible())
    assert str(broken) in screen.data.bring_in.below.text()
    assert screen.data.bring_in.button.isEnabled()
    screen.data.back_up_to(tmp_path / "nowhere" / "copy.db")
    harbor.until(lambda: not screen.data.backup.busy.isVisible())
    assert "can’t be written" in screen.data.backup.below.text()


def test_the_sentences_count_what_matters() -> None:
    out = exported_words(transfer.Exported(1, 2, 3, 1, 2), Path("x.zip"))
    assert out == (
        "Written to x.zip: 1 account, 2 posts, 3 deliveries, 1 file. "
        "Left out, because they were no longer there: 2 files of posts."
    )
    came = imported_words(transfer.Imported(2, 1, 5, 0, 3, 1, (("News", "News (imported)"),)))
    assert "Imported 2 accounts, 1 post, 5 deliveries, 0 files. Nothing was sent." in came
    assert "“News” is called “News (imported)” here" in came
    assert "3 deliveries wait for a sign-in" in came
    assert "1 delivery may have gone out: see Activity." in came


class Opened(QObject):
    """Takes the place of the file manager."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[QUrl] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.urls.append(url)


def test_the_folder_can_be_opened(harbor: Desk, screen: PreferencesScreen) -> None:
    seen = Opened()
    QDesktopServices.setUrlHandler("file", seen, "open")
    try:
        QTest.mouseClick(screen.data.folder_button, Qt.MouseButton.LeftButton)
    finally:
        QDesktopServices.unsetUrlHandler("file")
    assert [url.toLocalFile() for url in seen.urls] == [str(harbor.program.folder)]
    assert screen.data.folder.below.text().startswith(str(harbor.program.folder))


# --- keys and about -----------------------------------------------------------------------------------------------


def test_the_place_of_the_keys_is_named(harbor: Desk, screen: PreferencesScreen) -> None:
    assert screen.keys.place.below.text().lower() == harbor.program.secrets.place().lower() + "."


def test_the_key_file_is_unlocked_here(
    tmp_path: Path,
    open_profile: Callable[..., Program],
    open_desk: Callable[..., Desk],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = open_profile("locked")
    if first.secrets.place() != first.secrets.vault.name:
        pytest.skip("this computer has a keychain, so the key file is not used")
    first.secrets.put({"token": "a key of the sample"})
    first.close()
    monkeypatch.delenv("SENDOFF_PASSPHRASE", raising=False)
    program = open_program(tmp_path / "locked")
    desk = open_desk(program)
    screen = shown(desk, page="keys")
    assert screen.keys.file.below.text().startswith("Locked.")
    QTest.mouseClick(screen.keys._unlock, Qt.MouseButton.LeftButton)
    sheet = desk.window.overlay
    assert isinstance(sheet, PassphraseSheet)
    sheet._typed.setText("open sesame")
    QTest.keyClick(sheet._typed, Qt.Key.Key_Return)
    desk.until(lambda: screen.keys.file.below.text().startswith("Unlocked"))
    assert not screen.keys._unlock.isVisible()
    program.close()


def test_versions_and_licences(harbor: Desk, screen: PreferencesScreen) -> None:
    screen.about.copy_versions()
    assert QGuiApplication.clipboard().text() == versions()
    assert harbor.window.said == "The versions were copied."
    QTest.mouseClick(screen.about.licences.control, Qt.MouseButton.LeftButton)
    sheet = harbor.window.overlay
    assert isinstance(sheet, LicenceSheet)
    choose(sheet.choice, "Lucide")
    assert "ISC" in sheet.text.toPlainText()
    QTest.keyClick(harbor.window.focusWidget(), Qt.Key.Key_Escape)
    assert harbor.window.overlay is None
