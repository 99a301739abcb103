"""./test screenshots DIR: every screen and state with sample data, light and dark, in two sizes, always the same.

Add a screen by adding a line to SHOTS: a name, and a function that brings the window there.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from unittest import mock

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QWidget

from sendoff import release
from sendoff.bootstrap import Program, open_program
from sendoff.domain.channel import BrowserSignIn, Identity
from sendoff.domain.delivery import Outcome, Receipt, State
from sendoff.domain.errors import NeedsLogin, TryLater
from sendoff.domain.mailto import Mailto
from sendoff.domain.post import Content, Item, Variant
from sendoff.domain.when import When, describe
from sendoff.engine.commands.trials import Trial
from sendoff.release import Installed, NewerPage
from sendoff.store import accounts, backups, changes, settings, whereabouts
from sendoff.store.backups import Contents, Copy
from sendoff.store.db import StoreDamaged
from sendoff.store.secrets import Vault
from sendoff.ui.accounts.attempt import Connected
from sendoff.ui.accounts.importing import RequestsSheet
from sendoff.ui.accounts.page import SignInPage
from sendoff.ui.accounts.trying import TrySheet
from sendoff.ui.activity.received import show_received
from sendoff.ui.composer.preview.model import Preview
from sendoff.ui.composer.preview.pane import PreviewPane
from sendoff.ui.palette import Palette
from sendoff.ui.passphrase import PassphraseSheet
from sendoff.ui.restoring import RestoreSheet
from sendoff.ui.returning.greeting import Greeting
from sendoff.ui.returning.sheet import WelcomeSheet
from sendoff.ui.returning.words import Kind
from sendoff.ui.sending import Part
from sendoff.ui.session import make_application
from sendoff.ui.start import COMPOSE, Start
from sendoff.ui.theme import Look
from sendoff.ui.tray import Tray, Wishes
from sendoff.ui.trouble import DamagePage, TooNewPage
from sendoff.ui.updated import Updated
from sendoff.ui.widgets.focus import FocusRing
from tests.conftest import SetClock
from tests.gui import composing, numbers_states, preview_sample, sample
from tests.gui import planner_states as planner
from tests.gui import returning_states as returning
from tests.gui.desk import Desk, grab, set_up
from tests.gui.gallery import gallery

SIZES = ((1280, 800), (960, 640))
THEMES = ("light", "dark")
PATIENCE = 400
"""Milliseconds after which whatever comes a moment later is there too: previews, counts, what was saved."""


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
    folder = Path("/home/ayse/.local/share/sendoff")
    at = desk.context.now() - timedelta(days=3)
    copy = Copy(folder / "backups" / "before-update-from-0005-20261120-175200.db", "before-update", at, 1_800_000)
    nothing = lambda: None  # noqa: E731
    page = TooNewPage(
        desk.look, folder, (copy, Contents(4, 212, 17)), again=nothing, leave=nothing, restore=nothing,
        local=lambda at: describe(When.at(at, "Europe/Berlin"), desk.context.now()),
    )  # fmt: skip
    page.setAutoFillBackground(True)
    return page


def _damaged(desk: Desk) -> QWidget:
    folder = Path("/home/ayse/.local/share/sendoff")
    at = desk.context.now() - timedelta(hours=9)
    copy = Copy(folder / "backups" / "daily-20261123-085200.db", "daily", at, 1_800_000)

    def local(at: datetime) -> str:
        return describe(When.at(at, "Europe/Berlin"), desk.context.now())

    nothing = lambda: None  # noqa: E731
    page = DamagePage(
        desk.look, StoreDamaged(f"{folder}/sendoff.db is damaged.", ""), folder, (copy, Contents(4, 212, 17)),
        again=nothing, leave=nothing, restore=nothing, local=local,
    )  # fmt: skip
    page.setAutoFillBackground(True)
    return page


def _look_over(desk: Desk) -> None:
    with desk.program.store.writing(changes.SETTINGS) as connection:
        whereabouts.hold_all(connection, "copied")
        connection.exec_driver_sql(
            "UPDATE deliveries SET due_at = due_at - 86400000000, planned_at = planned_at - 86400000000 "
            "WHERE state = 'scheduled' AND id % 3 = 0"
        )
    desk.settle()
    desk.window.look_over()


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


def _activity_open(words: str) -> Callable[[Desk], None]:
    def bring(desk: Desk) -> None:
        desk.window.go("activity")
        desk.settle()
        screen = desk.window.screen_named("activity")
        lines = screen.model.rows  # type: ignore[union-attr]
        line = next(one for one in lines if getattr(one, "text", "").startswith(words))
        screen.toggle(line)  # type: ignore[union-attr]
        screen.list.choose(line.key)  # type: ignore[union-attr]
        desk.settle()

    return bring


def _activity_trace(desk: Desk) -> None:
    _activity_open("November at the harbor")(desk)
    screen = desk.window.screen_named("activity")
    (room,) = screen._rooms.values()  # type: ignore[union-attr]
    next(iter(room._panels.values())).attempts[0].line.click()
    desk.settle()


def _activity_settle(desk: Desk) -> None:
    desk.window.go("activity")
    desk.settle()
    desk.window.screen_named("activity").needs.buttons()[1].click()  # type: ignore[union-attr]
    desk.settle()


def _activity_calm(desk: Desk) -> None:
    _calm(desk)
    desk.window.go("activity")


def _activity_held(desk: Desk) -> None:
    desk.window.go("activity")
    desk.settle()
    desk.window.screen_named("activity").choosing.choose(State.HELD)  # type: ignore[union-attr]


def _activity_nothing(desk: Desk) -> None:
    desk.window.go("activity")
    desk.settle()
    desk.window.screen_named("activity").choosing.field.setText("espresso on the moon")  # type: ignore[union-attr]
    desk.until(lambda: "espresso" in desk.window.screen_named("activity").choosing.wanted.words)  # type: ignore[union-attr]
    desk.settle()
    desk.settle()


def _activity_received(desk: Desk) -> None:
    commands = desk.program.commands
    account = commands.accounts.add("practice", "Practice", {})
    engine = desk.program.engine()
    engine.start()
    for words in ("Hello! This is my first post with Sendoff.", "And a second one, because it was fun ☕"):
        post, _ = commands.posts.save_draft(Content(items=(Item(words),)), [Variant(account)])
        commands.posts.schedule(post, When.at(desk.context.now(), "UTC"))
    desk.until(lambda: len(desk.program.channels["practice"].received()) == 2)  # type: ignore[attr-defined]
    engine.stop()
    desk.window.go("activity")
    show_received(desk.context)
    desk.settle()


def _back(desk: Desk) -> None:
    returning.come_back(desk)
    Greeting(desk.context, lambda *_: None, desk.window).show_sheet()
    desk.settle()


def _back_much(desk: Desk) -> None:
    many = [replace(returning.WEEKEND[3], after=60 + n, words=f"Pier quiz, round {n}") for n in range(100)]
    returning.come_back(desk, [*returning.WEEKEND, *many])
    greeting = Greeting(desk.context, lambda *_: None, desk.window)
    greeting.show_sheet()
    desk.settle()
    sheet = desk.window.overlay
    assert isinstance(sheet, WelcomeSheet)
    sheet.unfold(Kind.LATE, 12)
    desk.settle()


def _back_calm(desk: Desk) -> None:
    returning.come_back(desk, returning.WEEKEND[:3], with_moved=False)
    Greeting(desk.context, lambda *_: None, desk.window).show_sheet()
    desk.settle()


def _back_offered(desk: Desk) -> None:
    desk.window.go("composer")
    returning.come_back(desk)
    Greeting(desk.context, lambda *_: None, desk.window).look()
    desk.settle()


def _resting(name: str) -> Callable[[Desk], None]:
    def bring(desk: Desk) -> None:
        returning.rest(desk, sample.GRAM)
        desk.window.go(name)
        desk.settle()

    return bring


def _account_late(desk: Desk) -> None:
    desk.window.go("accounts")
    screen = desk.window.screen_named("accounts")
    screen._choose_late(screen.cards[1 + sample.GRAM].facts)  # type: ignore[union-attr]
    desk.settle()


def _resting_list(desk: Desk) -> None:
    returning.rest(desk, sample.GRAM)
    desk.window.screen_named("planner").show_view("list")  # type: ignore[union-attr]
    desk.settle()


def _updated(desk: Desk) -> None:
    """Another version was installed under this one."""
    stamp = desk.program.folder / "commit.txt"
    stamp.write_text("a" * 40)
    updated = Updated(desk.context, lambda *_: None, lambda: None, Installed(stamp), desk.window)
    stamp.write_text("b" * 40)
    desk.window.go("planner")
    updated.look()


def _alarm(desk: Desk) -> None:
    desk.context.sending.part = Part.NOWHERE
    desk.context.sending.trouble = (
        "3 deliveries are due and nothing takes them, for 4 min now. Quit Sendoff and start it again; nothing is lost. "
        "This computer’s clock jumped ahead by 3 h. What is due waits for a minute, in case the clock is wrong: set it "
        "right, or pause the sending."
    )
    returning.rest(desk, sample.GRAM, sample.TALK)
    desk.window.look_again()
    desk.settle()


def _gallery(desk: Desk) -> QWidget:
    page = gallery(desk.look)
    page.resize(page.sizeHint())
    return page


def _previews(make: Callable[[Program], list[Preview]]) -> Callable[[Desk], QWidget]:
    def bring(desk: Desk) -> QWidget:
        pane = PreviewPane(desk.context)
        pane.setFixedWidth(376)
        grab(pane, 376, desk.window.height())
        pane.show_previews(make(desk.program))
        desk.settle()
        return pane

    return bring


def _account_chosen(desk: Desk) -> None:
    desk.window.go("accounts", account_id=1 + sample.NEWS)


def _account_known(desk: Desk) -> None:
    desk.window.go("accounts")
    screen = desk.window.screen_named("accounts")
    screen.open(screen.cards[1 + sample.TOOT].facts)  # type: ignore[union-attr]


def _account_pause(desk: Desk) -> None:
    desk.window.go("accounts")
    screen = desk.window.screen_named("accounts")
    screen._space(screen.cards[1 + sample.NEWS].facts)  # type: ignore[union-attr]


def _account_rename(desk: Desk) -> None:
    desk.window.go("accounts")
    desk.settle()
    desk.window.screen_named("accounts").cards[1 + sample.SKY].rename()  # type: ignore[union-attr]


def _account_menu(desk: Desk) -> QWidget:
    desk.window.go("accounts")
    card = desk.window.screen_named("accounts").cards[1 + sample.TOOT]  # type: ignore[union-attr]
    card.menu.click()
    menu = desk.window.findChild(QMenu, "account menu")
    assert menu is not None
    return menu


def _add_account(words: str = "") -> Callable[[Desk], None]:
    def bring(desk: Desk) -> None:
        desk.program.failed_channels["carrier-pigeon"] = "ImportError: No module named “loft”"  # type: ignore[index]
        desk.window.go("add_account")
        desk.window.screen_named("add_account").networks.search.setText(words)  # type: ignore[union-attr]

    return bring


def _sign_in(kind: str, then: Callable[[SignInPage], object] = id, **typed: str) -> Callable[[Desk], None]:
    def bring(desk: Desk) -> None:
        desk.window.go("add_account", kind=kind)
        page = desk.window.screen_named("add_account").page  # type: ignore[union-attr]
        for name, value in typed.items():
            if name == "address":
                page.form.provider.address.setText(value)
            else:
                page.form.lines[name].write(value)
        desk.settle()
        then(page)

    return bring


def _refused(page: SignInPage) -> None:
    page._refused(
        NeedsLogin(
            "mail.gmx.net does not accept the user name and password: “535 Authentication credentials invalid”.",
            advice="Check both.",
        ).at("password")
    )


def _down(page: SignInPage) -> None:
    page._refused(TryLater("Mailgun can’t be reached.", advice="Is this computer online?"))


def _matrix(page: SignInPage) -> None:
    """A service that is known, with what the person has to write, and the folds that say what its answers mean."""
    page.choose("Matrix room")
    for name in ("What the answer means", "When an answer gets lost"):
        page.form.folds[name].open(True)


TYPED = {
    "url": "https://api.example.org/posts", "auth": "bearer", "secret": "0123456789abcdef0123", "id_at": "/data/id",
    "body": '{"title": "{{title|}}",\n "text": "{{text}}",\n "tags": "{{tags}}"}', "headers": "X-Channel: news",
}  # fmt: skip


def _tried(page: SignInPage) -> None:
    page.try_it()


def _answered(page: SignInPage) -> None:
    page.try_it()
    sheet = page.window().findChild(TrySheet)
    assert sheet is not None
    page._context.background.run(lambda: None, lambda _nothing: None)
    QTest.qWait(PATIENCE)
    answer = '201\nContent-Type: application/json\n\n{"data": {"id": "8123", "url": "https://example.org/p/8123"}}'
    receipt = Receipt("8123", "https://example.org/p/8123")
    sheet._came(Trial(Outcome.SENT, "It was taken.", sheet.request.words, answer, receipt))


def _requests(page: SignInPage) -> None:
    document = "openapi: 3.1.0\nservers: [{url: 'https://api.example.org'}]\npaths:\n" + "".join(
        f"  /{name}: {{{verb}: {{summary: {summary}, responses: {{}}}}}}\n"
        for name, verb, summary in (
            ("posts", "post", "Publish a post"), ("posts/{id}", "patch", "Change a post"),
            ("drafts", "post", "Keep a draft"), ("comments", "post", "Answer a post"), ("me", "get", "Who you are"),
        )
    )  # fmt: skip
    found = page.channel.imported(document.encode())
    page._context.window.show_overlay(RequestsSheet(page._context, "openapi.yaml", found, page.form.take))


class _Flow(BrowserSignIn):
    url = ""
    code_url = "https://toot.example/oauth/authorize?client_id=8f2c&response_type=code&redirect_uri=urn:ietf:wg:oauth"


def _in_browser(page: SignInPage) -> None:
    page.attempt._flow = _Flow()
    page._opened(page.attempt._flow)
    page.waiting._words.setText("Your browser shows a page of Mastodon. Sign in there and allow Sendoff to post; then "
                                "it goes on by itself.")  # fmt: skip
    page.attempt.step.emit("Waiting for your browser…")


def _sign_in_again(desk: Desk) -> None:
    desk.window.go("add_account", account_id=1 + sample.NEWS)


def _connected(desk: Desk) -> None:
    desk.window.go("add_account", kind="mastodon")
    page = desk.window.screen_named("add_account").page  # type: ignore[union-attr]
    with desk.context.reading() as connection:
        account = accounts.get(connection, 1 + sample.TOOT)
    identity = Identity("@harborcoffee@toot.example", "Harbor Coffee ☕")
    page.connected.emit(Connected(account, identity))


def _preferences_data(desk: Desk) -> None:
    desk.window.go("preferences", page="data")
    place = desk.window.screen_named("preferences").keys.place  # type: ignore[union-attr]
    desk.until(lambda: place.below.text() != "Looking…")


def _preferences_wrong(desk: Desk) -> None:
    desk.window.go("preferences")
    desk.settle()
    screen = desk.window.screen_named("preferences")
    row = screen.rows["zone"]  # type: ignore[union-attr]
    row.control.setText("Europe/Atlantis")
    row.typed()
    screen.data.import_from(Path("/nowhere/export.zip"))  # type: ignore[union-attr]


def _preferences_newer(desk: Desk) -> None:
    known = {"version": "9.1.0", "date": "2026-11-20", "notes": "https://sendoff.example/news"}
    told = {"updates": "yes", "newer_found": json.dumps(known), "newer_asked": desk.context.now().isoformat()}
    for name, value in told.items():
        desk.program.commands.settings.set(name, value)
    page = NewerPage("https://sendoff.example/newest.json", bytes(32))
    with mock.patch.object(release, "newer_page", return_value=page):
        desk.window.go("preferences", page="about")


def _restore(desk: Desk) -> None:
    desk.window.go("preferences", page="data")
    database, now = desk.program.folder / "sendoff.db", desk.context.now()
    for kind, days in ((backups.DAILY, 0.4), (backups.BY_HAND, 1.1), (backups.DAILY, 1.4), (backups.REPLACED, 9)):
        backups.make(database, kind, now - timedelta(days=days))
    desk.window.open_restore()
    sheet = desk.window.overlay
    desk.until(lambda: isinstance(sheet, RestoreSheet) and sheet.go_back.isEnabled())


def _given(desk: Desk) -> None:
    mail = Mailto("Ada Lovelace <ada@example.org>", "bob@example.org", subject="Beans for the pier", body="Two bags?")
    wrong = Start.with_things(["sftp://harbor/a.png"]).wrong
    desk.window.compose(given=Start(COMPOSE, mail=mail, files=("/nowhere/menu.pdf",), wrong=wrong))
    desk.until(lambda: not composing.screen(desk).is_busy)
    desk.settle()


def _licences(desk: Desk) -> None:
    desk.window.go("preferences", page="about")
    desk.window.screen_named("preferences").about.open_licences()  # type: ignore[union-attr]


SHOTS = (
    Shot("parts", _gallery, filled=False),
    Shot("first-run", _go("first_run"), filled=False),
    Shot("first-run-practice", _practice, filled=False),
    Shot("first-run-waiting", _practice_waiting, filled=False),
    Shot("trouble", _trouble, filled=False),
    Shot("damaged", _damaged, filled=False),
    Shot("look-over", _look_over),
    Shot("back", _back),
    Shot("back-much", _back_much),
    Shot("back-calm", _back_calm),
    Shot("back-offered", _back_offered),
    Shot("resting-accounts", _resting("accounts")),
    Shot("resting-activity", _resting("activity")),
    Shot("resting-list", _resting_list),
    Shot("alarm", _alarm),
    Shot("updated", _updated),
    Shot("planner", _go("planner")),
    Shot("planner-empty", _go("planner"), filled=False),
    Shot("planner-hover", planner.hover),
    Shot("planner-doubt", planner.in_doubt),
    Shot("planner-keyboard", planner.keyboard),
    Shot("planner-drag", planner.drag),
    Shot("planner-selected", planner.several),
    Shot("planner-busy", planner.busy),
    Shot("planner-clock-change", planner.clock_change),
    Shot("planner-filter", planner.filtered),
    Shot("planner-list", planner.as_list),
    Shot("planner-search", planner.search),
    Shot("planner-nothing", planner.nothing),
    Shot("planner-shift", planner.shift),
    Shot("drafts", _go("drafts")),
    Shot("drafts-hover", _drafts_hover),
    Shot("drafts-undo", _undo),
    Shot("drafts-empty", _go("drafts"), filled=False),
    Shot("composer", composing.open_post),
    Shot("composer-new", _go("composer")),
    Shot("composer-first", _go("composer"), filled=False),
    Shot("composer-mail", composing.open_mail),
    Shot("composer-mix", composing.open_mix),
    Shot("composer-alike", composing.open_alike),
    Shot("composer-thread", composing.open_thread),
    Shot("composer-poll", composing.open_poll),
    Shot("composer-pressed", composing.pressed),
    Shot("composer-card", composing.open_card),
    Shot("composer-card-left-out", composing.card_left_out),
    Shot("composer-too-large", composing.too_large),
    Shot("composer-made-to-fit", composing.made_to_fit),
    Shot("composer-options", composing.options),
    Shot("composer-planned", composing.planned),
    Shot("composer-picker", composing.picker),
    Shot("preview-posts", _previews(preview_sample.posts)),
    Shot("preview-chats", _previews(preview_sample.chats)),
    Shot("preview-x", _previews(preview_sample.on_x)),
    Shot("preview-thread", _previews(preview_sample.thread)),
    Shot("preview-mail", _previews(preview_sample.mails)),
    Shot("preview-empty", _previews(lambda _program: [])),
    Shot("activity", _go("activity")),
    Shot("activity-open", _activity_open("November at the harbor")),
    Shot("activity-thread", _activity_open("Roast log: the long")),
    Shot("activity-several", _activity_open("Morning! Guji")),
    Shot("activity-trace", _activity_trace),
    Shot("activity-settle", _activity_settle),
    Shot("numbers-thread", numbers_states.thread_read),
    Shot("numbers-several", numbers_states.several_read),
    Shot("delete-asked", numbers_states.asked_to_delete),
    Shot("ends-accounts", numbers_states.ends("accounts")),
    Shot("ends-planner", numbers_states.ends("planner")),
    Shot("accounts-missing", numbers_states.channel_missing),
    Shot("activity-calm", _activity_calm),
    Shot("activity-held", _activity_held),
    Shot("activity-nothing", _activity_nothing),
    Shot("activity-empty", _go("activity"), filled=False),
    Shot("activity-received", _activity_received, filled=False),
    Shot("accounts", _go("accounts")),
    Shot("accounts-empty", _go("accounts"), filled=False),
    Shot("accounts-chosen", _account_chosen),
    Shot("accounts-known", _account_known),
    Shot("accounts-pause", _account_pause),
    Shot("accounts-late", _account_late),
    Shot("accounts-rename", _account_rename),
    Shot("accounts-menu", _account_menu),
    Shot("add-account", _add_account()),
    Shot("add-account-find", _add_account("gmx")),
    Shot("add-account-nothing", _add_account("myspace")),
    Shot("endpoint", _sign_in("endpoint")),
    Shot("endpoint-service", _sign_in("endpoint", _matrix)),
    Shot("endpoint-requests", _sign_in("endpoint", _requests)),
    Shot("endpoint-try", _sign_in("endpoint", _tried, **TYPED)),
    Shot("endpoint-tried", _sign_in("endpoint", _answered, **TYPED)),
    Shot("add-account-mastodon", _sign_in("mastodon")),
    Shot("add-account-discord", _sign_in("discord")),
    Shot("add-account-webhook", _sign_in("discord_webhook")),
    Shot("add-account-telegram", _sign_in("telegram")),
    Shot("add-account-browser", _sign_in("mastodon", _in_browser, server="toot.example")),
    Shot("add-account-x", _sign_in("x")),
    Shot("add-account-bluesky", _sign_in("bluesky")),
    Shot("add-account-smtp", _sign_in("smtp")),
    Shot("add-account-smtp-known", _sign_in("smtp", address="ada@gmx.net")),
    Shot("add-account-smtp-wrong", _sign_in("smtp", _refused, address="ada@gmx.net", password="x")),
    Shot("add-account-mailgun", _sign_in("mailgun")),
    Shot("add-account-down", _sign_in("mailgun", _down, domain="mg.harborcoffee.example")),
    Shot("add-account-practice", _sign_in("practice")),
    Shot("add-account-again", _sign_in_again),
    Shot("add-account-connected", _connected),
    Shot("preferences", _go("preferences")),
    Shot("preferences-data", _preferences_data),
    Shot("preferences-wrong", _preferences_wrong),
    Shot("preferences-newer", _preferences_newer),
    Shot("preferences-licences", _licences),
    Shot("restore", _restore),
    Shot("composer-given", _given),
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
                QTest.qWait(PATIENCE)
                desk.settle()
                target = folder / f"{shot.name}-{theme}-{width}.png"
                widget = desk.window
                if other is not None:
                    fixed = shot.name in ("parts", "tray-menu", "accounts-menu", "composer-picker")
                    widget = grab(other, *(() if fixed else (width, height)))  # type: ignore[assignment]
                widget.grab().save(str(target))
                if other is not None:
                    other.deleteLater()
            yield target


def main(words: Sequence[str]) -> int:
    """Writes the pictures into the folder named first; further words choose shots by the beginning of their names."""
    if not words or words[0].startswith("-"):
        print("Say where: ./test screenshots DIR [NAME…]", file=sys.stderr)
        return 0 if words[:1] in (["-h"], ["--help"]) else 2
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
