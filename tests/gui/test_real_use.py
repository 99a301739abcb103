"""A real use of the whole program, by keyboard and mouse: a mailbox, a mail with an attachment, and a closed window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from sendoff.domain.delivery import State
from sendoff.store import deliveries
from sendoff.ui.accounts.add import AddAccountScreen
from sendoff.ui.accounts.page import SignInPage
from sendoff.ui.accounts.welcome import Welcome
from sendoff.ui.activity.lines import Line
from sendoff.ui.activity.screen import ActivityScreen
from sendoff.ui.composer.screen import ComposerScreen
from sendoff.ui.session import Session
from tests.fakes.smtp_server import SmtpServer
from tests.gui.composing import write_file
from tests.gui.desk import opened

CTRL = Qt.KeyboardModifier.ControlModifier
HTML = "<h1>Beans</h1><p>New <b>Guji</b> is in.</p>"


def focused() -> QWidget:
    found = QApplication.focusWidget()
    assert found is not None
    return found


def write(field: QLineEdit, words: str) -> None:
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, words)


def test_a_mailbox_a_mail_and_a_closed_window(start: Callable[..., Session], tmp_path: Path, qtbot: QtBot) -> None:
    with SmtpServer(tmp_path) as server:
        session = opened(start(tmp_path / "profile"), qtbot)
        add_mailbox(session, server, qtbot)
        compose_mail(session, tmp_path, qtbot)
        session.window.close()
        assert not session.window.isVisible()
        qtbot.waitUntil(lambda: state(session) is State.SENT, timeout=30_000)
        check_mail(server)
        session.window.bring_up()
        check_activity(session, qtbot)


def add_mailbox(session: Session, server: SmtpServer, qtbot: QtBot) -> None:
    """From the first page to the account that is there."""
    window = session.window
    qtbot.waitUntil(lambda: window.current == "first_run")
    window.go("add_account")
    qtbot.waitUntil(lambda: window.current == "add_account")
    screen = window.screen_named("add_account")
    assert isinstance(screen, AddAccountScreen)
    QTest.keyClicks(focused(), "smtp")
    QTest.keyClick(focused(), Qt.Key.Key_Return)
    page = screen.page
    assert isinstance(page, SignInPage)
    QTest.keyClicks(focused(), "grace@example.org")
    for name, words in {"host": server.host, "port": str(server.port), "ca_file": str(server.ca_file)}.items():
        page.form.lines[name].write(words)
    page.form.lines["security"].write("starttls")
    page.form.lines["password"].write("correct horse")
    QTest.mouseClick(page.connect_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: isinstance(screen.page, Welcome), timeout=20_000)
    QTest.keyClick(focused(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.current == "composer")


def compose_mail(session: Session, folder: Path, qtbot: QtBot) -> None:
    """An HTML mail with a file, a few seconds ahead."""
    screen = session.window.screen_named("composer")
    assert isinstance(screen, ComposerScreen)
    qtbot.waitUntil(lambda: screen.header.title.text() == "New e-mail")
    view = screen.desk.current
    view.form.to.setFocus()
    QTest.keyClicks(view.form.to, "ada@example.org")
    write(view.form.subject, "News from the pier")
    html = next(one for one in view.bar.formats.findChildren(QPushButton) if one.text() == "HTML")
    QTest.mouseClick(html, Qt.MouseButton.LeftButton)
    view.body.setFocus()
    QTest.keyClicks(view.body, HTML)
    view.add_files([write_file(folder, "price list.pdf", b"%PDF-1.7 prices")])
    qtbot.waitUntil(lambda: not view.is_busy)
    write(screen.foot.words, "in 4 s")
    qtbot.waitUntil(lambda: screen.foot.button.words().startswith("Schedule for"))
    QTest.keyClick(screen.foot.words, Qt.Key.Key_Return, CTRL)
    qtbot.waitUntil(lambda: state(session) is State.SCHEDULED, timeout=10_000)


def state(session: Session) -> State | None:
    assert session.context is not None
    with session.context.reading() as connection:
        found = deliveries.of_post(connection, 1)
    return found[0].state if found else None


def check_mail(server: SmtpServer) -> None:
    """What the server got is what was written."""
    (taken,) = server.taken
    mail = taken.message
    assert (mail["Subject"], mail["To"]) == ("News from the pier", "ada@example.org")
    html = mail.get_body(("html",))
    assert html is not None
    assert "New <b>Guji</b> is in." in html.get_content()
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("price list.pdf", b"%PDF-1.7 prices")


def check_activity(session: Session, qtbot: QtBot) -> None:
    """The line of the mail says when it was planned and how far off it was; opened, it has the receipt."""
    session.window.go("activity")
    screen = session.window.screen_named("activity")
    assert isinstance(screen, ActivityScreen)
    qtbot.waitUntil(lambda: any(isinstance(one, Line) for one in screen.model.rows))
    (line,) = [one for one in screen.model.rows if isinstance(one, Line)]
    assert line.text.startswith("News from the pier")
    assert line.late.startswith("+ 0.")
    screen.list.setFocus()
    screen.list.setCurrentIndex(screen.model.index(screen.model.place_of(line.key)))
    QTest.keyClick(screen.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(screen._rooms))
    (room,) = screen._rooms.values()
    qtbot.waitUntil(lambda: bool(room._panels))
    (panel,) = room._panels.values()
    names = [name for name, _words, _mono in panel.proof.rows]
    assert {"Planned", "Left", "Answered"} <= set(names)
