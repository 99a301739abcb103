"""Signing in, from the grid of networks to the account that is there: against real servers on this computer."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QLabel, QLineEdit, QWidget

from sendoff.bootstrap import Program, open_program
from sendoff.channels.http import Transport
from sendoff.channels.mail_providers import PRESETS
from sendoff.channels.registry import Context, ordered
from sendoff.channels.smtp import Smtp
from sendoff.domain.account import Account, AccountState
from sendoff.domain.channel import BrowserSignIn
from sendoff.domain.delivery import State
from sendoff.domain.errors import KeychainLocked, Rejected
from sendoff.domain.post import Content, Item, Mail, Recipient, Variant
from sendoff.domain.when import parse_when
from sendoff.store import accounts, deliveries
from sendoff.ui.accounts import form as forms
from sendoff.ui.accounts.add import AddAccountScreen
from sendoff.ui.accounts.form import NAME
from sendoff.ui.accounts.page import SignInPage
from sendoff.ui.accounts.parts import places
from sendoff.ui.accounts.provider import follows, preset_of
from sendoff.ui.accounts.welcome import Welcome
from sendoff.ui.links import open_web
from sendoff.ui.passphrase import PassphraseSheet
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.field import Beside
from tests.cli.letterbox import Letterbox
from tests.fakes.mailgun import DOMAIN, LoopbackMailgun
from tests.fakes.mailgun import SENDING_KEY as MAILGUN_KEY
from tests.fakes.mastodon import MastodonServer
from tests.fakes.smtp_server import SmtpServer, port_that_is_closed
from tests.gui.desk import Desk


@pytest.fixture
def first_screen() -> str:
    return ""


PASSWORD = "CANARY-7c1d-Grace"
SCHEMES = ("http", "https", "smb", "file", "javascript")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SmtpServer]:
    with SmtpServer(tmp_path, users={"grace@example.org": PASSWORD}) as server:
        yield server


@pytest.fixture
def mastodon() -> Iterator[MastodonServer]:
    with MastodonServer() as server:
        yield server


@pytest.fixture
def screen(desk: Desk) -> AddAccountScreen:
    return opened(desk)


class Browser(QObject):
    """What the system's browser would be: keeps the addresses, and really goes there when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    @Slot(QUrl)
    def open_it(self, url: QUrl) -> None:
        self.opened.append(bytes(url.toEncoded().data()).decode())

    def visit(self, address: str) -> str:
        """Goes to a page as a browser does, redirects and all; what it shows comes back."""
        try:
            with urllib.request.urlopen(address, timeout=10) as page:
                return str(page.read().decode())
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.read().decode()


@pytest.fixture
def browser() -> Iterator[Browser]:
    made = Browser()
    for scheme in SCHEMES:
        QDesktopServices.setUrlHandler(scheme, made, "open_it")
    yield made
    for scheme in SCHEMES:
        QDesktopServices.unsetUrlHandler(scheme)


def opened(desk: Desk, **what: object) -> AddAccountScreen:
    desk.window.go("add_account", **what)
    QApplication.processEvents()
    found = desk.window.screen_named("add_account")
    assert isinstance(found, AddAccountScreen)
    return found


def page_of(desk: Desk, kind: str, **typed: str) -> SignInPage:
    """The page of a channel, with the fields written as a person would."""
    page = opened(desk, kind=kind).page
    assert isinstance(page, SignInPage)
    for name, words in typed.items():
        page.form.lines[name].write(words)
    return page


def mail_page(desk: Desk, server: SmtpServer, **more: str) -> SignInPage:
    fields = {"host": server.host, "port": str(server.port), "security": server.security, **more}
    fields = {"username": "grace@example.org", "from": "Grace <grace@example.org>", "password": PASSWORD, **fields}
    return page_of(desk, "smtp", ca_file=str(server.ca_file), **fields)


def connect(page: SignInPage) -> None:
    QTest.mouseClick(page.connect_button, Qt.MouseButton.LeftButton)


def below(page: SignInPage, name: str) -> str:
    """What stands beneath a field."""
    box = page.form._name_box if name == NAME else page.form.lines[name].box
    return box._below.text()


def wrong(page: SignInPage) -> dict[str, str]:
    """What is said to be wrong, by field; "" is what no field is to blame for."""
    found = {
        name: line.box._below.text()
        for name, line in page.form.lines.items()
        if line.box._below._color == "failed.text" and line.box._below.isVisible()
    }
    return found | ({"": page.trouble.words.text()} if page.trouble.isVisible() else {})


def ended(desk: Desk, screen: QWidget | None = None) -> Welcome:
    shown = desk.window.screen_named("add_account")
    assert isinstance(shown, AddAccountScreen)
    desk.until(lambda: isinstance(shown.page, Welcome))
    assert isinstance(shown.page, Welcome)
    return shown.page


def words_of(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget) and label.text()]


def stored(desk: Desk) -> list[Account]:
    with desk.context.reading() as connection:
        return accounts.every(connection)


# --- the networks -------------------------------------------------------------------------------------------------


def test_the_networks_are_those_that_there_are(desk: Desk, screen: AddAccountScreen) -> None:
    networks = screen.networks
    shown = [one.title for one in ordered(desk.program.channels)]
    assert shown == [
        "Bluesky", "Discord", "Discord webhook", "Mastodon", "Telegram", "X", "E-mail (SMTP)", "Mailgun",
        "HTTP endpoint", "Practice",
    ]  # fmt: skip
    assert [card.accessibleName() for card in networks._shown()] == [
        "Bluesky, An app password · 1 min",
        "Discord, A bot on your server · 3 min",
        "Discord webhook, The webhook’s address · 1 min",
        "Mastodon, Sign in on your server · 1 min",
        "Telegram, A bot from @BotFather · 2 min",
        "X, Own app and credits · 5 min",
        "E-mail (SMTP), Address and password · 2 min",
        "Mailgun, A domain and its key · 2 min",
        "HTTP endpoint, Any API, by a form · 3 min",
    ]
    assert networks.search.hasFocus()


def test_typing_finds_and_enter_opens_the_first(desk: Desk) -> None:
    for typed, kind, provider in (
        ("mast", "mastodon", ""), ("MAILGUN", "mailgun", ""), ("practice", "practice", ""), ("gmx", "smtp", "GMX"),
        ("web.de", "smtp", "WEB.DE"), ("ada@posteo.net", "smtp", "Posteo"), ("smtp", "smtp", "Posteo"),
    ):  # fmt: skip
        screen = opened(desk)
        QTest.keyClicks(screen.networks.search, typed)
        QTest.keyClick(screen.networks.search, Qt.Key.Key_Return)
        page = screen.page
        assert isinstance(page, SignInPage), typed
        assert page.channel.kind == kind
        assert page.form.provider is None or page.form.provider.choice.currentText().startswith(provider)
        assert page.isAncestorOf(QApplication.focusWidget())  # type: ignore[arg-type]


def test_what_is_not_there_is_said(screen: AddAccountScreen) -> None:
    screen.networks.search.setText("myspace")
    assert screen.networks._nothing.isVisible()
    assert "“myspace”" in screen.networks._nothing.text()
    QTest.keyClick(screen.networks.search, Qt.Key.Key_Return)
    assert screen.page is screen.networks


def test_the_arrows_walk_and_escape_leaves_step_by_step(desk: Desk, screen: AddAccountScreen) -> None:
    networks = screen.networks
    QTest.keyClick(networks.search, Qt.Key.Key_Down)
    assert networks.cards["bluesky"].hasFocus()
    QTest.keyClick(networks.cards["bluesky"], Qt.Key.Key_Down)
    assert networks.cards["mastodon"].hasFocus()
    QTest.keyClick(networks.cards["mastodon"], Qt.Key.Key_Down)
    QTest.keyClick(networks.cards["smtp"], Qt.Key.Key_Right)
    assert networks.cards["mailgun"].hasFocus()
    QTest.keyClick(networks.cards["mailgun"], Qt.Key.Key_Return)
    assert isinstance(screen.page, SignInPage)
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert screen.page is networks
    QTest.keyClicks(networks.search, "mail")
    QTest.keyClick(networks.search, Qt.Key.Key_Escape)
    assert networks.search.text() == ""
    assert desk.window.current == "add_account"
    QTest.keyClick(networks.search, Qt.Key.Key_Escape)
    assert desk.window.current == "accounts"


def test_a_channel_that_failed_to_load_is_shown_with_its_reason(desk: Desk) -> None:
    desk.program.failed_channels["pigeon"] = "ImportError: <b>no loft</b>"  # type: ignore[index]
    screen = opened(desk)
    assert "The channel “pigeon” could not be loaded. ImportError: <b>no loft</b>" in words_of(screen.networks)
    opened(desk, kind="pigeon")
    assert desk.window.said == "There is no channel “pigeon”. ImportError: <b>no loft</b>"
    assert screen.page is screen.networks


def test_a_channel_of_another_group_and_without_a_mark_is_shown_too(desk: Desk) -> None:
    class Odd(Smtp):
        kind, title, group, mark, presets = "odd", "Odd", "chat", "no-such-drawing", ()

    desk.program.channels["odd"] = Odd(None)  # type: ignore[index, arg-type]
    screen = opened(desk)
    assert screen.networks.cards["odd"].isVisible()
    QTest.mouseClick(screen.networks.cards["odd"], Qt.MouseButton.LeftButton)
    assert isinstance(screen.page, SignInPage)
    assert screen.page.form.provider is None
    desk.settle()


# --- the form -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("ada@gmail.com", "Gmail, Google Workspace"), (" Ada@GMX.de ", "GMX (Germany, Austria, Switzerland)"),
        ("gmx.de", None), ("ada@", None), ("ada@example.org", None),
    ],
)  # fmt: skip
def test_the_domain_of_an_address_tells_the_provider(address: str, name: str | None) -> None:
    found = preset_of(PRESETS, address)
    assert (found.name if found else None) == name


def test_what_follows_from_an_address_is_as_the_provider_wants_it() -> None:
    channel, web = Smtp(None), preset_of(PRESETS, "ada.l@web.de")  # type: ignore[arg-type]
    assert follows(channel, web, "ada.l@web.de") == {"username": "ada.l", "from": "ada.l@web.de"}
    assert follows(channel, None, " ada@own.example") == {"username": "ada@own.example", "from": "ada@own.example"}
    assert follows(channel, None, "ada@") == follows(channel, None, "ada") == {}
    assert follows(channel, None, "{x}@own.example")["from"] == "{x}@own.example"


def test_an_address_fills_the_form_and_folds_what_is_clear(desk: Desk) -> None:
    page = page_of(desk, "smtp")
    provider = page.form.provider
    assert provider is not None
    assert provider.address.hasFocus()
    QTest.keyClicks(provider.address, "ada@web.de")
    filled = page.form.values()
    assert (filled["host"], filled["port"], filled["security"]) == ("smtp.web.de", "465", "tls")
    assert (filled["username"], filled["from"], filled["imap_host"]) == ("ada", "ada@web.de", "imap.web.de")
    assert not page.form._servers._is_open
    assert page.form._servers._summary.text() == "smtp.web.de · 465 · ada"
    assert "User name: the part of your address before the @" in provider._box._below.text()


def test_another_address_fills_it_anew_but_not_over_what_was_written(desk: Desk) -> None:
    page = page_of(desk, "smtp")
    provider = page.form.provider
    assert provider is not None
    provider.address.setText("ada@gmx.net")
    page.form.lines["from"].write("Ada Lovelace <ada@gmx.net>")
    provider.address.setText("ada@icloud.com")
    filled = page.form.values()
    assert (filled["host"], filled["port"], filled["security"]) == ("smtp.mail.me.com", "587", "starttls")
    assert (filled["username"], filled["from"]) == ("ada@icloud.com", "Ada Lovelace <ada@gmx.net>")


def test_an_unknown_provider_opens_the_servers_and_one_by_hand_stays(desk: Desk) -> None:
    page = page_of(desk, "smtp")
    provider = page.form.provider
    assert provider is not None
    QTest.keyClicks(provider.address, "ada@own.example")
    assert not page.form._servers._is_open
    QTest.keyClick(provider.address, Qt.Key.Key_Tab)
    assert page.form._servers._is_open
    provider.address.setText("ada@gmx.net")
    assert not page.form._servers._is_open
    provider.address.setText("ada@own.example")
    assert provider.choice.value() == ""
    assert page.form.values()["host"] == ""
    provider.choose("Gmail, Google Workspace")
    provider.address.setText("grace@own.example")
    assert page.form.values()["host"] == "smtp.gmail.com"
    assert page.form.values()["username"] == "grace@own.example"


def test_a_preset_s_link_opens_in_the_browser_and_only_the_web_does(desk: Desk, browser: Browser) -> None:
    page = page_of(desk, "smtp")
    assert page.form.provider is not None
    page.form.provider.choose("Gmail, Google Workspace")
    link = next(one for one in page.findChildren(Button) if one.words() == "myaccount.google.com/apppasswords")
    QTest.mouseClick(link, Qt.MouseButton.LeftButton)
    assert browser.opened == ["https://myaccount.google.com/apppasswords"]
    for address in ("file:///etc/passwd", "javascript:alert(1)", "smb://host/share", "https://", "", "about:blank"):
        assert not open_web(address)
    assert len(browser.opened) == 1


def test_addresses_in_a_sentence() -> None:
    assert places("Sign in at app.mailgun.com and open “Send”.") == ["app.mailgun.com"]
    assert places("ada@example.org, smtp.x, file.pem or https://account.apple.com.") == ["account.apple.com"]


def test_the_steps_are_numbered_and_link_where_they_lead(desk: Desk, browser: Browser) -> None:
    page = page_of(desk, "mailgun")
    assert desk.program.channels["mailgun"].steps[1] in words_of(page)
    link = next(one for one in page.findChildren(Button) if one.words() == "app.mailgun.com")
    link.click()
    assert browser.opened == ["https://app.mailgun.com"]


def test_a_secret_is_hidden_shown_by_the_eye_and_pasted_whole(desk: Desk) -> None:
    page = page_of(desk, "mailgun")
    part = page.form.lines["sending_key"].box.field
    assert isinstance(part, Beside)
    QGuiApplication.clipboard().setText(f"  {MAILGUN_KEY}\n")
    QTest.mouseClick(part.button, Qt.MouseButton.LeftButton)
    assert part.edit.text() == MAILGUN_KEY
    assert MAILGUN_KEY not in part.edit.displayText()
    eye = part.edit.findChild(QAbstractButton)
    assert eye is not None
    assert eye.accessibleName() == "Show it"
    eye.click()
    assert part.edit.displayText() == MAILGUN_KEY
    assert eye.accessibleName() == "Hide it"


def test_a_file_is_chosen_with_a_dialog(desk: Desk, tmp_path: Path) -> None:
    page = page_of(desk, "smtp")
    chosen = tmp_path / "ca.pem"
    chosen.write_text("x")
    part = page.form.lines["ca_file"].box.field
    assert isinstance(part, Beside)
    dialog = forms.choose_into(desk.context, part.edit, "CA file")
    assert isinstance(dialog, QFileDialog)
    dialog.selectFile(str(chosen))
    dialog.accept()
    desk.settle()
    assert page.form.values()["ca_file"] == str(chosen)


def test_every_part_has_a_name(desk: Desk) -> None:
    for kind in desk.program.channels:
        page = page_of(desk, kind)
        for part in page.findChildren(QWidget):
            if part.focusPolicy() & Qt.FocusPolicy.TabFocus and part.isVisibleTo(page):
                assert part.accessibleName(), (kind, part)


# --- what is wrong ------------------------------------------------------------------------------------------------


def test_what_is_missing_is_said_beneath_it_before_anybody_is_asked(desk: Desk) -> None:
    page = page_of(desk, "smtp", username="x")
    connect(page)
    assert wrong(page) == {"host": "“Server” is missing. The outgoing mail server."}
    assert page.form.lines["host"].box.field.hasFocus()
    assert not page.attempt.busy


def test_each_slip_is_named_at_its_field(desk: Desk, server: SmtpServer) -> None:
    page = mail_page(desk, server)
    for name, typed, words in (
        ("port", "x", "is a number"),
        ("port", "70000", "There is no port 70000"),
        ("host", "smtp example", "is not the name of a server"),
        ("from", "nobody", "is not a mail address"),
        ("imap_host", "a b", "is not the name of a server"),
        ("username", "", "The user name is missing"),
        ("password", "", "The password is missing"),
    ):
        before = page.form.lines[name].read()
        page.form.lines[name].write(typed)
        connect(page)
        desk.until(lambda: wrong(page))
        assert list(wrong(page)) == [name]
        assert words in below(page, name)
        page.form.lines[name].write(before)
    assert not server.commands


def test_a_wrong_password_names_the_field_and_nothing_typed_is_lost(desk: Desk, server: SmtpServer) -> None:
    page = mail_page(desk, server, password="wrong horse")
    typed = page.form.values()
    connect(page)
    desk.until(lambda: wrong(page))
    assert list(wrong(page)) == ["password"]
    assert "127.0.0.1 does not accept the user name and password" in below(page, "password")
    assert page.form.values() == typed
    assert page.form.lines["password"].box.field.edit.hasFocus()  # type: ignore[attr-defined]
    assert stored(desk) == []
    page.form.lines["password"].write(PASSWORD)
    QTest.keyClick(page.form.lines["password"].box.field.edit, Qt.Key.Key_Return)  # type: ignore[attr-defined]
    ended(desk)
    assert [one.handle for one in stored(desk)] == ["grace@example.org"]


def test_a_server_that_is_down_is_named_at_its_field(desk: Desk, server: SmtpServer) -> None:
    page = mail_page(desk, server, port=str(port_that_is_closed()))
    page.form._servers.open(False)
    connect(page)
    desk.until(lambda: wrong(page))
    assert list(wrong(page)) == ["host"]
    assert "127.0.0.1 refused the connection" in below(page, "host")
    assert page.form._servers._is_open


def test_an_unknown_authority_opens_the_fold_with_the_field_for_its_file(desk: Desk, server: SmtpServer) -> None:
    page = mail_page(desk, server, password=PASSWORD)
    line = page.form.lines["ca_file"]
    line.write("")
    assert not line.box.isVisible()
    connect(page)
    desk.until(lambda: wrong(page))
    assert list(wrong(page)) == ["ca_file"]
    assert line.box.isVisible()
    assert "choose its CA file" in below(page, "ca_file")
    part = line.box.field
    assert isinstance(part, Beside)
    assert part.edit.hasFocus()


def test_a_server_that_answers_oddly_is_said_above_the_button(desk: Desk, server: SmtpServer) -> None:
    server.faults["GREETING"] = "garbage"
    page = mail_page(desk, server)
    connect(page)
    desk.until(lambda: wrong(page))
    assert list(wrong(page)) == [""]
    assert "answered something that is not SMTP" in wrong(page)[""]
    page.form.lines["host"].write("x")
    assert page.trouble.isHidden()


def test_a_silent_server_can_be_left_and_another_asked_at_once(desk: Desk, server: SmtpServer, tmp_path: Path) -> None:
    page = mail_page(desk, server)
    with SmtpServer(tmp_path, faults={"GREETING": "hang"}) as silent:
        page.form.lines["port"].write(str(silent.port))
        connect(page)
        assert page.step.text() == "" or page.step.text() == "Asking 127.0.0.1…"
        desk.until(lambda: page.step.text() == "Asking 127.0.0.1…")
        assert page.step.isVisible()
        assert page.stop.hasFocus()
        assert not page.form.isEnabled()
        QTest.keyClick(page.stop, Qt.Key.Key_Escape)
        assert wrong(page) == {"": "You cancelled it. Nothing was stored."}
        assert page.form.isEnabled()
        page.form.lines["port"].write(str(server.port))
        connect(page)
        ended(desk)
    assert len(stored(desk)) == 1


def test_a_name_that_is_taken_is_said_at_once(desk: Desk, server: SmtpServer) -> None:
    desk.program.commands.accounts.add("practice", "Grace", {})
    page = mail_page(desk, server)
    page.form.name.setText(" grace ")
    connect(page)
    assert below(page, NAME) == "There is an account called “grace” already. Give this one another name."
    assert page.form.name.hasFocus()
    assert not server.commands


def test_a_name_that_the_network_gave_twice_is_told_apart(desk: Desk, server: SmtpServer) -> None:
    desk.program.commands.accounts.add("practice", "Grace", {})
    desk.program.commands.accounts.add("practice", "grace@example.org", {})
    connect(mail_page(desk, server))
    assert ended(desk).headline.text() == "Grace (E-mail (SMTP)) is connected"


# --- it works -----------------------------------------------------------------------------------------------------


def test_mail_by_keyboard_from_the_first_page_to_the_card(desk: Desk, server: SmtpServer) -> None:
    desk.window.go("first_run")
    first = desk.window.screen_named("first_run")
    QTest.mouseClick(first.choices.connect_it, Qt.MouseButton.LeftButton)  # type: ignore[union-attr]
    desk.settle()
    assert desk.window.rail.isVisible()
    screen = opened(desk)
    QTest.keyClicks(screen.networks.search, "smtp")
    QTest.keyClick(screen.networks.search, Qt.Key.Key_Return)
    page = screen.page
    assert isinstance(page, SignInPage)
    assert page.form.provider is not None
    QTest.keyClicks(page.form.provider.address, "grace@example.org")
    QTest.keyClick(page.form.provider.address, Qt.Key.Key_Tab)
    for name, words in {"host": "127.0.0.1", "port": str(server.port), "password": PASSWORD}.items():
        part = page.form.lines[name].box.field
        QTest.keyClicks(part.edit if isinstance(part, Beside) else part, words)
    page.form.lines["security"].write("starttls")
    page.form.lines["ca_file"].write(str(server.ca_file))
    QTest.keyClicks(page.form.name, "Work")
    QTest.keyClick(page.form.name, Qt.Key.Key_Return)
    welcome = ended(desk)
    assert welcome.headline.text() == "Work is connected"
    assert welcome.write.words() == "Write an e-mail"
    said = words_of(welcome)
    assert "Signed in as grace@example.org" in said
    assert "10 MB, 100 people at once" in said
    assert "If an answer gets lost, you will be asked: without IMAP Sendoff can’t look into your sent mail." in said
    assert welcome.write.hasFocus()
    (account,) = stored(desk)
    assert (account.name, account.channel, account.settings["host"]) == ("Work", "smtp", "127.0.0.1")
    assert desk.program.secrets.get(account.secret_ref) == {"password": PASSWORD}
    QTest.mouseClick(welcome.done, Qt.MouseButton.LeftButton)
    desk.settle()
    assert desk.window.current == "accounts"
    cards = desk.window.screen_named("accounts").cards  # type: ignore[union-attr]
    assert cards[account.id]._marked
    assert opened(desk).page is screen.networks
    fresh = page_of(desk, "smtp")
    assert fresh is not page
    assert fresh.form.values()["host"] == ""


def test_after_it_worked_a_post_can_be_written(desk: Desk) -> None:
    connect(page_of(desk, "practice"))
    welcome = ended(desk)
    assert welcome.headline.text() == "you is connected"
    QTest.keyClick(welcome.write, Qt.Key.Key_Return)
    assert desk.window.current == "composer"


def test_practice_answers_that_do_not_exist_are_named(desk: Desk) -> None:
    page = page_of(desk, "practice", answers="perhaps")
    connect(page)
    desk.until(lambda: wrong(page))
    assert page.form.folds["Advanced"]._is_open
    assert "no answer “perhaps”" in wrong(page)["answers"]


def test_mailgun_names_each_key_and_then_works(desk: Desk) -> None:
    with LoopbackMailgun() as mailgun:
        sender = f"Ada <ada@{DOMAIN}>"
        page = page_of(desk, "mailgun", base_url=mailgun.url, domain=DOMAIN, sending_key="x" * 40, **{"from": sender})
        for name, words in (("sending_key", "x" * 40), ("account_key", "y" * 40)):
            page.form.lines[name].write(words)
            connect(page)
            desk.until(lambda name=name: name in wrong(page))  # type: ignore[misc]
            assert "does not accept" in below(page, name)
        page.form.lines["account_key"].write("")
        page.form.lines["sending_key"].write(MAILGUN_KEY)
        page.form.lines["domain"].write("mg.nowhere.example")
        connect(page)
        desk.until(lambda: "domain" in wrong(page) or "sending_key" in wrong(page))
        page.form.lines["domain"].write(DOMAIN)
        connect(page)
        ended(desk)
    (account,) = stored(desk)
    assert (account.name, account.handle) == ("Ada", f"ada@{DOMAIN}")
    assert desk.program.secrets.get(account.secret_ref) == {"sending_key": MAILGUN_KEY}


def test_leaving_while_it_asks_goes_on_and_is_said(desk: Desk, server: SmtpServer) -> None:
    page = mail_page(desk, server)
    connect(page)
    desk.until(lambda: page.attempt.busy)
    desk.window.go("planner")
    desk.until(lambda: desk.window.said == "Grace is connected.")
    assert opened(desk).page is not page


def test_what_was_typed_is_there_when_one_comes_back(desk: Desk) -> None:
    page = page_of(desk, "mailgun", domain="mg.example.org")
    desk.window.go("planner")
    screen = opened(desk)
    assert screen.page is screen.networks
    assert page_of(desk, "mailgun") is page
    assert page.form.values()["domain"] == "mg.example.org"


# --- by browser ---------------------------------------------------------------------------------------------------


def test_the_browser_signs_in_and_it_goes_on_by_itself(desk: Desk, mastodon: MastodonServer, browser: Browser) -> None:
    page = page_of(desk, "mastodon", server=mastodon.url)
    assert page.connect_button.text() == "Sign in with your browser"
    assert page.form.lines["access_token"].box.isHidden()
    QTest.keyClick(page.form.lines["server"].box.field, Qt.Key.Key_Return)
    desk.until(lambda: browser.opened)
    assert page.waiting.isVisible()
    assert page.waiting.stop.hasFocus()
    shown: list[str] = []
    visitor = threading.Thread(target=lambda: shown.append(browser.visit(browser.opened[0])))
    visitor.start()
    welcome = ended(desk)
    visitor.join(10)
    assert "Back to Sendoff" in shown[0]
    assert welcome.headline.text() == "Alice 🐘 is connected"
    assert f"Signed in as @alice@{mastodon.host}" in words_of(welcome)
    (account,) = stored(desk)
    assert desk.program.secrets.get(account.secret_ref)["access_token"] in mastodon.endpoint.tokens


def test_who_says_no_in_the_browser_is_told_and_may_try_again(
    desk: Desk, mastodon: MastodonServer, browser: Browser
) -> None:
    mastodon.endpoint.approve = False
    page = page_of(desk, "mastodon", server=mastodon.url)
    for approve in (False, True):
        mastodon.endpoint.approve = approve
        before = len(browser.opened)
        connect(page)
        desk.until(lambda before=before: len(browser.opened) > before)  # type: ignore[misc]
        threading.Thread(target=browser.visit, args=(browser.opened[-1],), daemon=True).start()
        if not approve:
            desk.until(lambda: wrong(page))
            assert "was told not to let Sendoff in" in wrong(page)[""]
            assert page.waiting.isHidden()
            assert page.form.isEnabled()
    ended(desk)


def test_a_browser_elsewhere_and_a_pasted_code(desk: Desk, mastodon: MastodonServer, browser: Browser) -> None:
    page = page_of(desk, "mastodon", server=mastodon.url)
    connect(page)
    desk.until(lambda: page.waiting.isVisible())
    waiting = page.waiting
    QTest.mouseClick(waiting.copy, Qt.MouseButton.LeftButton)
    address = QGuiApplication.clipboard().text()
    assert address == waiting.page.text()
    QTest.mouseClick(waiting.use, Qt.MouseButton.LeftButton)
    assert waiting._code_box._below.text() == "Paste the code that the page shows."
    waiting.code.setText("not-the-code")
    QTest.keyClick(waiting.code, Qt.Key.Key_Return)
    desk.until(lambda: "did not hand out a key" in waiting._code_box._below.text())
    assert waiting.isVisible()
    code = browser.visit(address).partition("<code>")[2].partition("</code>")[0]
    waiting.code.setText(f" {code} ")
    QTest.keyClick(waiting.code, Qt.Key.Key_Return)
    ended(desk)
    assert len(stored(desk)) == 1


class Slow(BrowserSignIn):
    """A sign-in whose waiting ends with the code, before the code has become a key."""

    url = code_url = "http://127.0.0.1/nobody-goes-there"

    def __init__(self) -> None:
        self.pasted, self.gate = threading.Event(), threading.Event()

    def wait(self, seconds: float) -> Mapping[str, str]:
        self.pasted.wait(seconds)
        raise Rejected("The sign-in was given up.")

    def paste(self, code: str) -> Mapping[str, str]:
        self.pasted.set()
        self.gate.wait(10)
        return {"token": f"CANARY-{code}"}

    def close(self) -> None:
        self.pasted.set()


def letterbox(desk: Desk, flow: BrowserSignIn | None = None) -> None:
    """Installs a third party's channel that tells its token to everybody."""

    class Careless(Letterbox):
        signs_in_by_browser = flow is not None

        def browser(self, fields: Mapping[str, str]) -> BrowserSignIn:
            assert flow is not None
            return flow

    desk.program.channels["letterbox"] = Careless(Context(Transport(), desk.program.folder))  # type: ignore[index]


def test_the_end_of_waiting_does_not_spoil_a_code_that_is_looked_at(desk: Desk, browser: Browser) -> None:
    flow = Slow()
    letterbox(desk, flow)
    page = page_of(desk, "letterbox")
    page.attempt.begin_in_browser({}, "")
    desk.until(lambda: page.waiting.isVisible())
    page.waiting.code.setText("4711")
    QTest.keyClick(page.waiting.code, Qt.Key.Key_Return)
    desk.until(flow.pasted.is_set)
    desk.settle()
    assert page.waiting.isVisible()
    flow.gate.set()
    ended(desk)


def test_cancelling_while_the_browser_is_open_stores_nothing(
    desk: Desk, mastodon: MastodonServer, browser: Browser
) -> None:
    page = page_of(desk, "mastodon", server=mastodon.url)
    connect(page)
    desk.until(lambda: page.waiting.isVisible())
    flow = page.attempt._flow
    QTest.keyClick(page.waiting.stop, Qt.Key.Key_Escape)
    assert page.waiting.isHidden()
    assert not flow._listener.is_open  # type: ignore[union-attr]
    desk.settle()
    assert wrong(page) == {"": "You cancelled it. Nothing was stored."}
    assert stored(desk) == []
    assert page.form.values()["server"] == mastodon.url


def test_a_server_that_is_none_is_named_before_a_browser_opens(desk: Desk, browser: Browser) -> None:
    page = page_of(desk, "mastodon")
    for typed in ("", "not a server", "nobody-has-this-name.invalid"):
        page.form.lines["server"].write(typed)
        connect(page)
        desk.until(lambda: wrong(page))
        assert list(wrong(page)) == ["server"]
    assert browser.opened == []


def test_a_token_does_it_too(desk: Desk, mastodon: MastodonServer, browser: Browser) -> None:
    page = page_of(desk, "mastodon", server=mastodon.url)
    QTest.mouseClick(page.other_way, Qt.MouseButton.LeftButton)
    assert page.connect_button.text() == "Connect"
    page.form.lines["access_token"].write("wrong-token")
    connect(page)
    desk.until(lambda: wrong(page))
    assert list(wrong(page)) == ["access_token"]
    page.form.lines["access_token"].write(mastodon.token)
    connect(page)
    ended(desk)
    assert browser.opened == []


# --- the keychain -------------------------------------------------------------------------------------------------


class Lockable:
    """A keychain in memory that can be locked."""

    name = "a keychain"

    def __init__(self) -> None:
        self.items: dict[str, str] = {}
        self.is_locked = True

    def read(self, item: str) -> str | None:
        self._refuse()
        return self.items.get(item)

    def write(self, item: str, value: str) -> None:
        self._refuse()
        self.items[item] = value

    def erase(self, item: str) -> None:
        self._refuse()
        del self.items[item]

    def _refuse(self) -> None:
        if self.is_locked:
            raise KeychainLocked("The keychain is locked. Unlock it, and the sending goes on.")


def test_a_locked_keychain_is_said_and_the_sign_in_is_not_asked_twice(desk: Desk, server: SmtpServer) -> None:
    safe = Lockable()
    desk.program.secrets._system = lambda: safe  # type: ignore[assignment]
    page = mail_page(desk, server)
    connect(page)
    desk.until(lambda: wrong(page))
    assert wrong(page)[""].startswith("The keychain is locked.")
    assert "The sign-in itself worked" in wrong(page)[""]
    assert stored(desk) == []
    asked = len(server.commands)
    safe.is_locked = False
    connect(page)
    ended(desk)
    assert len(server.commands) == asked
    assert len(stored(desk)) == 1


def test_without_a_keychain_the_passphrase_is_asked_first(
    tmp_path: Path, open_desk: Callable[..., Desk], server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SENDOFF_PASSPHRASE", raising=False)
    program: Program = open_program(tmp_path / "no-passphrase")
    try:
        desk = open_desk(program)
        page = mail_page(desk, server)
        connect(page)
        desk.until(lambda: isinstance(desk.window.overlay, PassphraseSheet))
        assert not server.commands
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
        assert desk.window.overlay is None
        assert page.form.values()["password"] == PASSWORD
        connect(page)
        desk.until(lambda: isinstance(desk.window.overlay, PassphraseSheet))
        sheet = desk.window.overlay
        assert isinstance(sheet, PassphraseSheet)
        sheet._typed.setText("open sesame")
        sheet._typed_again.setText("open sesame")
        sheet._go_on()
        ended(desk)
        assert (program.folder / "secrets.vault").exists()
    finally:
        program.close()


# --- signing in again ---------------------------------------------------------------------------------------------


@pytest.fixture
def lost(desk: Desk, server: SmtpServer) -> int:
    """An account whose password was changed at the provider, with a mail that waits for it."""
    commands = desk.program.commands
    account_id = commands.accounts.add("smtp", "Work", server.fields(ca_file=str(server.ca_file)))
    mail = Content(items=(Item("Hello"),), mail=Mail("Hello", to=(Recipient("ada@example.org"),)))
    post_id, _ = commands.posts.save_draft(mail, [Variant(account_id)])
    commands.posts.schedule(post_id, parse_when("tomorrow 9", desk.context.now(), "UTC"))
    server.users = {"grace@example.org": "CANARY-new-password"}
    with desk.program.store.writing() as connection:
        deliveries.hold_account(connection, account_id, "127.0.0.1 does not accept the password.")
    desk.settle()
    return account_id


def test_signing_in_again_keeps_what_is_planned(desk: Desk, server: SmtpServer, lost: int) -> None:
    page = opened(desk, account_id=lost).page
    assert isinstance(page, SignInPage)
    filled = page.form.values()
    assert (filled["host"], filled["port"], filled["password"]) == ("127.0.0.1", str(server.port), "")
    assert page.form.provider is None
    assert page.form._name_box.isHidden()
    assert "Leave it empty to keep the one that is stored." in below(page, "password")
    assert page.connect_button.text() == "Sign in"
    connect(page)
    desk.until(lambda: wrong(page))
    assert list(wrong(page)) == ["password"]  # the stored one was tried
    page.form.lines["password"].write("CANARY-new-password")
    connect(page)
    welcome = ended(desk)
    assert "1 post that waited goes out as planned." in words_of(welcome)
    with desk.context.reading() as connection:
        assert [one.state for one in deliveries.of_post(connection, 1)] == [State.SCHEDULED]
    (account,) = stored(desk)
    assert (account.id, account.state) == (lost, AccountState.WORKING)


def test_signing_in_again_with_the_browser(desk: Desk, mastodon: MastodonServer, browser: Browser) -> None:
    fields = {"server": mastodon.url, "access_token": mastodon.token}
    account_id = desk.program.commands.accounts.add("mastodon", "", fields)
    page = opened(desk, account_id=account_id).page
    assert isinstance(page, SignInPage)
    assert page.form.values() == {"server": mastodon.url, "ca_file": ""}
    connect(page)
    desk.until(lambda: browser.opened)
    threading.Thread(target=browser.visit, args=(browser.opened[0],), daemon=True).start()
    ended(desk)
    (account,) = stored(desk)
    assert account.id == account_id
    assert desk.program.secrets.get(account.secret_ref)["access_token"] in mastodon.endpoint.tokens


def test_signing_in_again_as_somebody_else_is_refused(desk: Desk, server: SmtpServer, lost: int) -> None:
    page = opened(desk, account_id=lost).page
    assert isinstance(page, SignInPage)
    page.form.lines["password"].write("CANARY-new-password")
    page.form.lines["from"].write("other@example.org")
    connect(page)
    desk.until(lambda: wrong(page))
    assert "That is other@example.org, but this account is grace@example.org" in wrong(page)[""]
    assert stored(desk)[0].state is AccountState.SIGN_IN


def test_a_field_that_is_emptied_is_emptied(desk: Desk, server: SmtpServer, lost: int) -> None:
    with desk.program.store.writing() as connection:
        settings = {**accounts.get(connection, lost).settings, "imap_folder": "Sent"}
        accounts.update(connection, lost, settings=settings)
    page = opened(desk, account_id=lost).page
    assert isinstance(page, SignInPage)
    assert page.form.values()["imap_folder"] == "Sent"
    page.form.lines["imap_folder"].write("")
    page.form.lines["password"].write("CANARY-new-password")
    connect(page)
    ended(desk)
    assert stored(desk)[0].settings["imap_folder"] == ""


# --- secrets ------------------------------------------------------------------------------------------------------


def test_a_secret_is_in_no_word_no_name_no_log_and_no_file(
    desk: Desk, server: SmtpServer, mastodon: MastodonServer, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []
    page = mail_page(desk, server, password=PASSWORD + "-wrong")
    server.faults["AUTH"] = f"535 5.7.8 no, not {PASSWORD}-wrong"  # a server that tells what it was told
    connect(page)
    desk.until(lambda: wrong(page))
    assert "••••" in wrong(page)["password"]
    seen += everything_said(desk.window)
    server.faults.clear()
    page.form.lines["password"].write(PASSWORD)
    connect(page)
    ended(desk)
    seen += everything_said(desk.window)
    letterbox(desk)
    careless = page_of(desk, "letterbox", token=f"wrong-{PASSWORD}")
    connect(careless)
    desk.until(lambda: wrong(careless))
    assert wrong(careless) == {"token": "The letterbox does not know the token ••••••••. Copy it again."}
    seen += everything_said(desk.window)
    token = page_of(desk, "mastodon", server=mastodon.url)
    connect(token)
    desk.until(lambda: browser.opened)
    threading.Thread(target=browser.visit, args=(browser.opened[0],), daemon=True).start()
    ended(desk)
    seen += everything_said(desk.window)
    secrets = {PASSWORD, mastodon.token, *mastodon.endpoint.tokens}
    assert not [words for words in seen for secret in secrets if secret in words]
    assert not [secret for secret in secrets if secret in caplog.text]
    desk.program.store.close()
    for path in desk.program.folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not [secret for secret in secrets if secret.encode() in data], path


def everything_said(window: QWidget) -> list[str]:
    """Every word on the screen, in tooltips, and for screen readers, with what a password field shows."""
    said = []
    for one in window.findChildren(QWidget):
        said += [one.accessibleName(), one.accessibleDescription(), one.toolTip(), one.windowTitle()]
        if isinstance(one, QLabel | QAbstractButton):
            said.append(one.text())
        if isinstance(one, QLineEdit):
            said += [one.displayText(), one.placeholderText()]
    return [words for words in said if words]
