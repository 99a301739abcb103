"""What a start brings along: sorted, handed from one process to another, and shown in the composer. Nothing is sent."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from sendoff.bootstrap import Program
from sendoff.cli import parser
from sendoff.domain.mailto import LONGEST, Mailto
from sendoff.domain.post import Markup, Role
from sendoff.store import posts
from sendoff.ui.bus import Application
from sendoff.ui.composer.receiving import NO_MAIL_ACCOUNT
from sendoff.ui.composer.screen import ComposerScreen
from sendoff.ui.session import Session
from sendoff.ui.start import COMPOSE, MOST_FILES, Start, of_words, token
from tests.gui import composing, sample
from tests.gui.desk import Desk, opened


@pytest.fixture
def first_screen() -> str:
    return ""


# --- sorting ------------------------------------------------------------------------------------------------------


def test_files_addresses_texts_and_links_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my picture.png").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    found = of_words(
        ["my picture.png", "file:///tmp/gr%C3%BCn%20%231.png", "https://example.org/a", "Look at this", "gone.png"],
        "Hello", compose=False,
    )  # fmt: skip
    assert found.is_compose
    assert found.files == (str(tmp_path / "my picture.png"), "/tmp/grün #1.png", str(tmp_path / "gone.png"))
    assert found.text == "Hello\n\nhttps://example.org/a\n\nLook at this"
    assert Start.with_things(["mailto:a@b.example?subject=x"]).mail == Mailto("a@b.example", subject="x")
    assert Start.with_things([]) == Start()
    assert Start.with_things([], compose=True) == Start(COMPOSE)


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        ("sftp://host/a.png", "is not a file of this computer"),
        ("file://server/share/a.png", "is not a file of this computer"),
        ("javascript://alert(1)", "is not a file of this computer"),
        ("mailto:a@b.example?subject=a%0Ab", "line break"),
    ],
)
def test_what_cannot_be_used_gets_a_sentence(thing: str, said: str) -> None:
    found = Start.with_things([thing])
    assert found.is_compose
    assert not found.files
    [wrong] = found.wrong
    assert said in wrong


def test_too_much_gets_a_sentence() -> None:
    many = Start.with_things([f"/tmp/{number}" for number in range(MOST_FILES + 1)])
    assert (many.files, len(many.wrong)) == ((), 1)
    long = Start.with_things([], text="x" * (LONGEST + 1))
    assert (long.text, len(long.wrong)) == ("", 1)


def test_a_line_carries_everything_but_who_asked() -> None:
    start = Start(COMPOSE, "Zoë\n\u2028", ("/tmp/\udcff.png",), Mailto("a@b.example", body="x\ny"), ("Wrong.",), "tok")
    line = start.line()
    assert line.count(b"\n") == 1
    assert Start.of_line(line) == start
    assert Start().line() == b"show\n"
    assert Start.of_line(b'compose {"by_person": false}\n') == Start(COMPOSE)
    for bad in (b"send\n", b"compose {\n", b'compose {"mail": {"attach": "/etc/passwd"}}\n', b'show {"token": 1}\n'):
        assert Start.of_line(bad) is None


def test_the_launchers_token_is_taken_along() -> None:
    assert token({"XDG_ACTIVATION_TOKEN": "one", "DESKTOP_STARTUP_ID": "two"}) == "one"
    assert token({"DESKTOP_STARTUP_ID": "two"}) == "two"
    assert token({}) == ""


@pytest.mark.parametrize(
    ("words", "is_start"),
    [
        (["mailto:a@b.example"], True), (["--compose"], True), (["--text", "queue"], True), (["/tmp/a.png"], True),
        (["file:///tmp/a.png"], True), (["--background", "--delay", "20"], False), (["--", "queue"], True),
        (["--passphrase-fd", "3", "queue"], False), (["queue"], False), (["queeu"], False), ([], False),
        (["post", "--text", "x", "--media", "a/b"], False),
    ],
)  # fmt: skip
def test_verbs_stay_verbs(words: list[str], is_start: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "queue").mkdir()
    (tmp_path / "here.png").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    assert parser.is_start(words) is is_start
    assert parser.is_start(["here.png"])
    if is_start:
        parser.start().parse_args(words)


# --- the composer -------------------------------------------------------------------------------------------------


def given(desk: Desk, start: Start) -> ComposerScreen:
    desk.window.compose(given=start)
    screen = composing.screen(desk)
    desk.until(lambda: not screen.is_busy)
    screen.save()
    desk.settle()
    return screen


def test_text_and_files_begin_a_post_and_what_was_written_stays_a_draft(bench: Desk, tmp_path: Path) -> None:
    picture = composing.write_file(tmp_path, "pier.png", composing.png("#BFD7E6"))
    bench.window.compose(text="Half a thought")
    screen = given(bench, Start(COMPOSE, "Look at the pier", (picture, str(tmp_path / "gone.png"), str(tmp_path))))
    item = screen.desk.writing().everyone.items[0]
    assert item.text == "Look at the pier"
    assert [(one.name, one.role) for one in item.media] == [("pier.png", Role.MEDIA)]
    os.remove(picture)
    assert bench.program.media.file(item.media[0]).exists()  # it was copied at once
    said = screen.desk.notice.words
    assert f"{tmp_path / 'gone.png'} can’t be attached: No such file or directory." in said
    assert "it is not a file" in said
    with bench.context.reading() as connection:
        kept = {one.content.items[0].text for one in posts.drafts(connection, bench.context.workspace_id)}
    assert kept == {"Half a thought", "Look at the pier"}
    assert not sent_or_planned(bench)


def sent_or_planned(desk: Desk) -> list[object]:
    with closing(sqlite3.connect(desk.program.folder / "sendoff.db")) as raw:
        return raw.execute("SELECT id FROM deliveries").fetchall()


def test_a_mailto_link_begins_a_plain_mail_from_a_mail_account(harbor: Desk) -> None:
    before = sent_or_planned(harbor)
    link = Mailto(
        "Ada <ada@example.org>, not an address", "cc@example.org", "b@example.org", "Hi *there*", "One\n*two*"
    )
    screen = given(harbor, Start(COMPOSE, mail=link))
    page = screen.desk.writing().everyone
    assert screen.desk.accounts.chosen() == (sample.NEWS + 1,)
    assert page.items[0].text == "One\n*two*"
    letter = page.letter
    assert (letter.to, letter.cc, letter.bcc) == (link.to, link.cc, link.bcc)
    assert (letter.subject, letter.markup) == ("Hi *there*", Markup.PLAIN)
    form = screen.desk.current.form
    assert all(form.rows[name].isVisible() for name in ("cc", "bcc"))  # nobody is written to unseen
    assert any("not an address" in f"{one.title} {one.text}" for one in screen.assessment.matters)
    assert sent_or_planned(harbor) == before


def test_without_a_mail_account_the_mail_is_kept_and_goes_to_no_network(bench: Desk) -> None:
    screen = given(bench, Start(COMPOSE, mail=Mailto("ada@example.org", body="Dear Ada")))
    assert screen.desk.accounts.chosen() == ()
    assert screen.desk.notice.words == NO_MAIL_ACCOUNT
    screen.desk.notice.links[0].click()
    assert bench.window.current == "add_account"
    with bench.context.reading() as connection:
        [draft] = posts.drafts(connection, bench.context.workspace_id)
    assert draft.content.mail is not None
    assert draft.content.mail.to[0].address == "ada@example.org"


# --- the window ---------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, open_profile: Callable[..., Program]) -> Path:
    program = open_profile("there")
    program.commands.accounts.add("practice", "Practice", {})
    program.close()
    return tmp_path / "there"


def test_starts_before_the_profile_is_open_all_become_drafts(
    start: Callable[..., Session], folder: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    session = start(folder)
    picture = composing.write_file(tmp_path, "pier.png", composing.png("#BFD7E6"))
    for number in range(3):
        session.reception.take(Start(COMPOSE, f"Wish {number}", (picture,)))
    opened(session, qtbot)

    def kept() -> list[tuple[str, int]]:
        assert session.context is not None
        with session.context.reading() as connection:
            found = posts.drafts(connection, session.context.workspace_id)
        return sorted((one.content.items[0].text, len(one.content.items[0].media)) for one in found)

    qtbot.waitUntil(lambda: kept() == [(f"Wish {number}", 1) for number in range(3)], timeout=10_000)


def test_without_the_desktops_word_it_comes_up_behind(
    start: Callable[..., Session], folder: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = opened(start(folder, background=True), qtbot)
    came: list[str] = []
    monkeypatch.setattr(session.window, "bring_up", lambda: came.append("front"))
    door = Application(session, session.reception.take)
    door.Activate({})
    assert session.window.isVisible()
    assert came == []
    door.Activate({"activation-token": "tok"})
    door.Open(["file:///tmp/x.png"], {"desktop-startup-id": "x_TIME1"})
    door.ActivateAction("compose", [], {"activation-token": "tok"})
    door.ActivateAction("send", [], {"activation-token": "tok"})
    session.reception.take(Start())
    assert came == ["front"] * 4
    assert session.window.current == "composer"


def test_a_start_at_login_waits_and_a_person_need_not(
    start: Callable[..., Session], folder: Path, qtbot: QtBot
) -> None:
    session = start(folder, background=True, delay=3600.0)
    qtbot.wait(50)
    assert session.background is None
    session.reception.take(Start(COMPOSE, "Now"))
    opened(session, qtbot)
    assert session.window.isVisible()
    assert session.window.current == "composer"


MACOS = """
from PySide6.QtCore import QUrl
from PySide6.QtGui import QFileOpenEvent
from sendoff.ui.session import make_application
app = make_application()
app.given.connect(lambda start: print(start.command, start.mail, start.files))
for address in ("mailto:a@b.example?subject=%C3%A9%20x", "file:///tmp/gr%C3%BCn.png"):
    app.sendEvent(app, QFileOpenEvent(QUrl(address)))
"""


def test_macos_hands_links_and_files_over_as_events() -> None:
    done = subprocess.run([sys.executable, "-c", MACOS], capture_output=True, text=True, timeout=60, check=True)
    mail = Mailto("a@b.example", subject="é x")
    assert done.stdout.splitlines() == [f"compose {mail} ()", "compose None ('/tmp/grün.png',)"]
