"""Signing in to one channel: what to click where at the left, the form at the right, and the live test."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sendoff.domain.account import Account
from sendoff.domain.channel import BrowserSignIn, Channel
from sendoff.domain.errors import BadInput, KeychainError, NeedsLogin, SendError, SendoffError
from sendoff.domain.fields import complete
from sendoff.store import accounts
from sendoff.ui.accounts.attempt import Attempt, Connected
from sendoff.ui.accounts.form import NAME, Form
from sendoff.ui.accounts.importing import choose_document
from sendoff.ui.accounts.parts import Links, network_tile, scrolling
from sendoff.ui.accounts.trying import TrySheet
from sendoff.ui.accounts.waiting import Waiting
from sendoff.ui.context import Context
from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import LARGE, Button
from sendoff.ui.widgets.flow import FlowLayout
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.state import Icon, Spinner
from sendoff.ui.widgets.surface import CARD_RADIUS, Card

WIDTH, GUIDE, GAP = 872, 304, 48
NARROW, NARROW_GUIDE, NARROW_GAP = 760, 216, 24
"""Below this width of the page the guide gives way to the form, so that nothing of that is cut off; px."""
AFTER_KEYCHAIN = "The sign-in itself worked and is kept: once the keychain is open, press the button again."


class SignInPage(QWidget):
    """One channel's page. It stays as it is until the sign-in worked, so nothing typed is lost.

    `connected` carries what came of it.
    """

    connected = Signal(object)

    def __init__(self, context: Context, channel: Channel, account: Account | None = None) -> None:
        super().__init__()
        self._context, self.channel, self.account = context, channel, account
        look = context.look
        self._by_browser = channel.signs_in_by_browser and channel.browser_first
        self.attempt = Attempt(context, channel, account, self)
        self.form = Form(context, channel, account, with_secrets=not self._by_browser)
        self.waiting = Waiting(look)
        self.trouble = Trouble(look)
        self.form.entered.connect(self.connect_it)
        self.form.changed.connect(self.trouble.hide)
        self.form.changed.connect(self._name_buttons)
        self.form.import_wanted.connect(lambda: choose_document(context, channel, self.form.take, self))
        self.attempt.step.connect(self._show_step)
        self.attempt.opened.connect(self._opened)
        self.attempt.refused.connect(self._refused)
        self.attempt.code_refused.connect(lambda error: self.waiting.set_wrong(self._sentence(error)))
        self.attempt.ended.connect(self._ended)
        self.waiting.pasted.connect(self.attempt.paste)
        self.waiting.given_up.connect(self.cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._area = scrolling(self._page(look))
        column.addWidget(self._area)
        self._show_step("")

    # --- making it ------------------------------------------------------------------------------------------------

    def _page(self, look: Look) -> QWidget:
        both = QWidget()
        both.setMaximumWidth(WIDTH)
        self._sides = QHBoxLayout(both)
        self._sides.setContentsMargins(0, 0, 0, 0)
        self._guide = _guide(look, self.channel, self.account)
        self._sides.addWidget(self._guide, 0, Qt.AlignmentFlag.AlignTop)
        self._sides.addLayout(self._right(look), 1)
        page = QWidget()
        row = QHBoxLayout(page)
        row.setContentsMargins(24, 28, 24, 32)
        row.addStretch(1)
        row.addWidget(both, 100)
        row.addStretch(1)
        return page

    def _right(self, look: Look) -> QVBoxLayout:
        self.connect_button = Button(look, "", kind="primary", size=LARGE, run=self.connect_it)
        self.other_way = Button(look, "", kind="link", size=LARGE, run=self._take_other_way)
        self.try_button = Button(look, "Try it…", size=LARGE, run=self.try_it)
        self.stop = Button(look, "Cancel", size=LARGE, run=self.cancel)
        self._spinner, self.step = Spinner(look), Label(look, "", color="text2", elide=True)
        buttons = FlowLayout(gap=8)
        for button in (self.connect_button, self.try_button, self.other_way):
            buttons.addWidget(button)
        meanwhile = QHBoxLayout()
        meanwhile.setSpacing(8)
        for part in (self.stop, self._spinner):
            meanwhile.addWidget(part)
        meanwhile.addWidget(self.step, 100)
        meanwhile.addStretch(1)
        column = QVBoxLayout()
        column.setContentsMargins(4, 4, 4, 4)
        column.setSpacing(16)
        column.addWidget(self.form)
        column.addWidget(self.trouble)
        column.addLayout(buttons)
        column.addLayout(meanwhile)
        column.addWidget(self.waiting)
        column.addStretch(1)
        self._name_buttons()
        return column

    def _name_buttons(self) -> None:
        words = "Connect" if self.account is None else "Sign in"
        in_browser = self._by_browser or self.channel.needs_browser(self.form.values())
        self.connect_button.setText("Sign in with your browser" if in_browser else words)
        label = next((field.label for field in self.channel.fields if field.secret and not field.hidden), "key").lower()
        article = "an" if label[0] in "aeiou" else "a"
        self.other_way.setText(f"I have {article} {label}" if self._by_browser else "Sign in with the browser instead")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        self._guide.setFixedWidth(NARROW_GUIDE if narrow else GUIDE)
        self._sides.setSpacing(NARROW_GAP if narrow else GAP)

    def begin(self) -> None:
        """Puts the keyboard where it begins."""
        part = self.waiting.stop if self.waiting.isVisible() else self.stop if self.attempt.busy else self.form.begin()
        part.setFocus(Qt.FocusReason.OtherFocusReason)

    def choose(self, provider: str) -> None:
        """Takes a provider that was looked for by its name."""
        if provider and self.form.provider is not None:
            self.form.provider.choose(provider)

    # --- what the person does -------------------------------------------------------------------------------------

    def connect_it(self) -> None:
        """Checks what can be checked here, makes sure that keys can be stored, then asks the endpoint."""
        if self.attempt.busy:
            return
        self.form.clear_wrong()
        self.trouble.hide()
        fields, name = self.form.values(), " ".join(self.form.name.text().split())
        try:
            self._check(fields, name)
        except BadInput as wrong:
            self._show_wrong(wrong)
            return
        in_browser = self._by_browser or self.channel.needs_browser(fields)
        begin = self.attempt.begin_in_browser if in_browser else self.attempt.begin
        if any(field.secret for field in self.channel.fields):
            self._context.with_secrets(lambda: begin(fields, name))
        else:
            begin(fields, name)

    def _check(self, fields: dict[str, str], name: str) -> None:
        """What is wrong without asking anybody. An account that is there has its keys already."""
        if self.account is None:
            complete(self.channel, fields)
        with self._context.reading() as connection:
            if name and accounts.by_name(connection, name):
                raise BadInput(f"There is an account called “{name}” already. Give this one another name.").at(NAME)

    def try_it(self) -> None:
        """Shows what would leave by what stands in the form."""
        self.form.clear_wrong()
        self.trouble.hide()
        account_id = self.account.id if self.account else None
        self._context.window.show_overlay(TrySheet(self._context, self.channel.kind, self.form.values(), account_id))

    def cancel(self) -> None:
        """Gives up what is under way; what was typed stays."""
        if self.attempt.busy and self.attempt.cancel():
            self.trouble.say("You cancelled it. Nothing was stored.", calm=True)
            self.connect_button.setFocus()

    def _take_other_way(self) -> None:
        self._by_browser = not self._by_browser
        self.form.show_secrets(not self._by_browser)
        self.form.clear_wrong()
        self.trouble.hide()
        self._name_buttons()
        self.begin()

    # --- what comes of it -----------------------------------------------------------------------------------------

    def _show_step(self, words: str) -> None:
        in_browser = bool(words) and self.attempt.in_browser
        self.waiting.setVisible(in_browser)
        self.form.setEnabled(not words)
        self.step.setText(words)
        self.connect_button.setVisible(not words)
        self.try_button.setVisible(not words and self.channel.can_rehearse)
        self.other_way.setVisible(not words and self.channel.signs_in_by_browser)
        for part in (self._spinner, self.step):
            part.setVisible(bool(words) and not in_browser)
        self.stop.setVisible(bool(words) and not in_browser and not self.attempt.is_storing)
        if self.stop.isVisible():
            self.stop.setFocus()

    def _opened(self, flow: BrowserSignIn) -> None:
        self.waiting.wait_for(flow, self.channel.title)
        QTimer.singleShot(0, self.waiting, lambda: self._area.ensureWidgetVisible(self.waiting, 0, 24))

    def _refused(self, error: SendoffError) -> None:
        if isinstance(error, NeedsLogin) and not error.field:
            error.at(self.form.first_secret())
        self._show_wrong(error)

    def _show_wrong(self, error: SendoffError) -> None:
        """Says it beneath the field that it is about, or above the button."""
        sentence = self._sentence(error)
        if error.field:  # whoever reads it here sees the field, and needs neither its name nor that of the network
            sentence = sentence.removeprefix(f"{self.channel.title}: ").replace(f" ({error.field})", "", 1)
        box = self.form.set_wrong(error.field, sentence)
        if box is None:
            self.trouble.say(sentence)
            self.connect_button.setFocus()
        shown: QWidget = box or self.trouble
        QTimer.singleShot(0, shown, lambda: self._area.ensureWidgetVisible(shown, 0, 24))

    def _sentence(self, error: SendoffError) -> str:
        advice = error.advice if isinstance(error, SendError) else ""
        if isinstance(error, KeychainError) and self.attempt.is_proved:
            advice = AFTER_KEYCHAIN
        return self.attempt.masked(f"{error} {advice}".strip())

    def _ended(self, connected: Connected) -> None:
        self.form.forget_secrets()
        self.connected.emit(connected)


class Trouble(Card):
    """What is wrong where no single field is to blame, above the button."""

    def __init__(self, look: Look) -> None:
        super().__init__(look, line="failed.line", fill="failed.tint", padding=12)
        self._icon = Icon(look, "circle-alert", color="failed.text")
        self.words = Label(look, "", wrap=True)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.words, 1)
        self.body.addLayout(row)
        self.hide()

    def say(self, sentence: str, *, calm: bool = False) -> None:
        """Shows a sentence; `calm` where nothing went wrong."""
        self.words.setText(sentence)
        self.setAccessibleName(sentence)
        self._icon.set_icon("info" if calm else "circle-alert", "text2" if calm else "failed.text")
        self._ground = "hover" if calm else "failed.tint"
        self.set_line("line" if calm else "failed.line")
        self.show()


# --- the left side ------------------------------------------------------------------------------------------------


def _guide(look: Look, channel: Channel, account: Account | None) -> QWidget:
    """Who it is about, and the steps, each with a link for every address that it names."""
    guide = QWidget()
    column = QVBoxLayout(guide)
    column.setContentsMargins(0, 4, 0, 0)
    column.setSpacing(0)
    column.addWidget(network_tile(look, channel.title, channel.mark, 44))
    column.addSpacing(14)
    title = f"Sign in again to {account.name}" if account else f"Connect {channel.title}"
    column.addWidget(Label(look, title, size="title", weight=STRONG, wrap=True))
    column.addSpacing(4)
    words = "Everything planned keeps its time and goes on." if account else channel.needs
    column.addWidget(Label(look, words, color="text2", wrap=True))
    column.addSpacing(20)
    for number, step in enumerate(channel.steps, 1):
        column.addWidget(_Step(look, number if len(channel.steps) > 1 else 0, step))
        column.addSpacing(14)
    if any(field.secret for field in channel.fields):
        column.addSpacing(10)
        column.addLayout(_promise(look))
    return guide


def _promise(look: Look) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(Icon(look, "lock", color="text3"), 0, Qt.AlignmentFlag.AlignTop)
    words = (
        "Keys are tested, then kept in this computer’s keychain, or encrypted with your passphrase where it has none. "
        "They go nowhere else."
    )
    row.addWidget(Label(look, words, size="small", color="text3", wrap=True), 1)
    return row


class _Step(QWidget):
    """One numbered step; 0 has no number."""

    def __init__(self, look: Look, number: int, words: str) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        if number:
            row.addWidget(_Number(look, number), 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(Label(look, words, wrap=True))
        column.addWidget(Links(look, words))
        row.addLayout(column, 1)


class _Number(QWidget):
    def __init__(self, look: Look, number: int) -> None:
        super().__init__()
        self._look, self._number = look, str(number)
        self.setFixedSize(22, 22)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = self._look
        paint.box(painter, self.rect(), CARD_RADIUS + 1, look.color("hover"), look.color("line_soft"))
        font = look.font("small", STRONG, figures=True)
        paint.text(painter, self.rect(), self._number, font, look.color("text2"), Qt.AlignmentFlag.AlignHCenter)
        painter.end()
