"""Connecting any API by a form: known services, imported documents, and trying it before it counts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from sendoff.store import accounts
from sendoff.ui.accounts.add import AddAccountScreen
from sendoff.ui.accounts.importing import RequestsSheet, choose_document, read_document
from sendoff.ui.accounts.page import SignInPage
from sendoff.ui.accounts.screen import AccountsScreen
from sendoff.ui.accounts.trying import TrySheet
from sendoff.ui.widgets.floating import Sheet
from tests.fakes.endpoint import KEY, NotesServer
from tests.gui.desk import Desk


@pytest.fixture
def first_screen() -> str:
    return ""


@pytest.fixture(scope="module")
def server() -> Iterator[NotesServer]:
    with NotesServer() as server:
        yield server


def page_of(desk: Desk, service: str = "", **typed: str) -> SignInPage:
    desk.window.go("add_account", kind="endpoint")
    QApplication.processEvents()
    screen = desk.window.screen_named("add_account")
    assert isinstance(screen, AddAccountScreen)
    page = screen.page
    assert isinstance(page, SignInPage)
    page.choose(service)
    for name, words in typed.items():
        page.form.lines[name].write(words)
        page.form._changed()
    return page


def shown(page: SignInPage) -> set[str]:
    """The fields that are not hidden for what is chosen in others."""
    return {name for name, line in page.form.lines.items() if not line.box.isHidden()}


T = TypeVar("T", bound=Sheet)


def sheet_of(desk: Desk, kind: type[T]) -> T:
    desk.until(lambda: desk.window.findChildren(kind))
    return desk.window.findChildren(kind)[-1]


def test_the_form_shows_what_counts_and_says_what_is_wrong(desk: Desk) -> None:
    page = page_of(desk)
    few = shown(page)
    assert {"url", "auth", "body"} < few
    assert not few & {"secret", "key_name", "username", "token_url", "key_header", "look_url"}
    for name, chosen in (("auth", "client_credentials"), ("doubt", "look"), ("body_type", "none")):
        page.form.lines[name].write(chosen)
    page.form._changed()
    assert shown(page) - few == {"username", "token_url", "scope", "secret", "look_url", "look_in", "look_for",
                                 "look_is", "look_id"}  # fmt: skip
    assert few - shown(page) == {"body"}

    page = page_of(desk, "Matrix room", secret=KEY)
    assert (page.form.lines["method"].read(), page.form.lines["doubt"].read()) == ("PUT", "key")
    QTest.mouseClick(page.connect_button, Qt.MouseButton.LeftButton)
    desk.until(lambda: page.form.lines["url"].box._below.text().startswith("Write yours instead of YOUR-HOMESERVER"))
    page.choose("Slack incoming webhook")
    assert "url" not in shown(page)
    assert (page.form.lines["method"].read(), page.form.lines["doubt"].read()) == ("POST", "ask")

    page = page_of(desk, auth="none", url="https://example.org/x", body='{"text": "{{text}}"}', headers="Host: evil")
    QTest.mouseClick(page.connect_button, Qt.MouseButton.LeftButton)
    box = page.form.lines["headers"].box
    desk.until(lambda: "can’t be set" in box._below.text())
    assert box.isVisible()  # its fold was opened


DOCUMENT = {
    "openapi": "3.1.0",
    "servers": [{"url": "https://api.somewhere.test"}],
    "paths": {
        "/posts": {"get": {"summary": "List"}, "post": {"summary": "Publish"}},
        "/drafts": {"post": {"summary": "Keep a draft"}},
    },
}


def test_a_document_is_imported(desk: Desk, tmp_path: Path) -> None:
    page = page_of(desk)
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(DOCUMENT))
    dialog = choose_document(desk.context, page.channel, page.form.take, page)
    assert dialog.isVisible()
    dialog.filesSelected.emit([str(file)])
    dialog.close()
    sheet = sheet_of(desk, RequestsSheet)
    assert sheet._sentence.text().startswith("3 requests in openapi.json")
    QTest.keyClicks(sheet.search, "post publish")
    QTest.keyClick(sheet.search, Qt.Key.Key_Down)
    QTest.keyClick(sheet.search, Qt.Key.Key_Return)
    assert page.form.lines["url"].read() == "https://api.somewhere.test/posts"
    assert page.form.lines["method"].read() == "POST"

    file.write_text("just words")
    read_document(desk.context, page.channel, file, page.form.take, page)
    desk.until(lambda: "no OpenAPI document" in said(desk))
    read_document(desk.context, page.channel, tmp_path / "nowhere", page.form.take, page)
    desk.until(lambda: "nowhere can’t be read" in said(desk))


def said(desk: Desk) -> str:
    return desk.window._undo_bar.words if desk.window._undo_bar else ""


def test_trying_shows_what_would_leave_and_sends_it_once(desk: Desk, server: NotesServer) -> None:
    server.endpoint.effects.clear()
    page = page_of(
        desk, url=f"{server.url}/notes", auth="bearer", secret=KEY, id_at="/id", url_at="/url",
        body='{"text": "{{text}}"}',
    )  # fmt: skip
    QTest.mouseClick(page.try_button, Qt.MouseButton.LeftButton)
    sheet = sheet_of(desk, TrySheet)
    desk.until(lambda: "A test from Sendoff." in sheet.request.words)
    assert KEY not in sheet.request.words
    sheet.text.setText("Grüße")
    desk.until(lambda: '{"text":"Grüße"}' in sheet.request.words)
    assert not server.requests
    QTest.mouseClick(sheet.send, Qt.MouseButton.LeftButton)
    desk.until(lambda: sheet.answer.words)
    assert len(server.endpoint.effects) == 1
    assert sheet.answer.words.startswith("201\n")
    assert sheet.verdict.words.text() == f"It was taken. Its id is 1. It is at {server.url}/n/1"
    assert KEY not in sheet.request.words + sheet.answer.words
    sheet.close_it()
    page.form.lines["body"].write('{"text": "{{txt}}"}')
    page.try_it()
    sheet = sheet_of(desk, TrySheet)
    desk.until(lambda: "Did you mean {{text}}?" in sheet.verdict.words.text())
    assert not sheet.send.isEnabled()


def test_a_stored_account_is_tried_from_its_card(desk: Desk, server: NotesServer) -> None:
    fields = {"url": f"{server.url}/notes", "auth": "bearer", "secret": KEY, "body": '{"text": "{{text}}"}'}
    account_id = desk.program.commands.accounts.add("endpoint", "Notes", fields)
    desk.window.go("accounts")
    desk.settle()
    screen = desk.window.screen_named("accounts")
    assert isinstance(screen, AccountsScreen)
    screen.cards[account_id].menu.click()
    menu = desk.window.findChild(QMenu, "account menu")
    assert isinstance(menu, QMenu)
    next(one for one in menu.actions() if one.text().startswith("Try it")).trigger()
    menu.close()
    sheet = sheet_of(desk, TrySheet)
    desk.until(lambda: "Authorization: Bearer ••••" in sheet.request.words)
    server.mode = "unauthorized"
    QTest.mouseClick(sheet.send, Qt.MouseButton.LeftButton)
    desk.until(lambda: sheet.answer.words)
    server.mode = "accept"
    assert "no longer accepts the key" in sheet.verdict.words.text()
    with desk.context.reading() as connection:
        assert accounts.get(connection, account_id).state == "working"
    sheet.close_it()
