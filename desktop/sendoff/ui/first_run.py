"""The first page: try it with the practice account, or connect a real one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QSpacerItem,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from sendoff.channels.registry import ordered
from sendoff.domain.channel import Channel
from sendoff.domain.delivery import OPEN, State
from sendoff.domain.errors import SendoffError
from sendoff.domain.post import Content, Item, Variant
from sendoff.domain.when import When
from sendoff.store import accounts, changes
from sendoff.ui.actions import add_action
from sendoff.ui.context import Context
from sendoff.ui.icons import app_icon
from sendoff.ui.receipt import ReceiptView
from sendoff.ui.screen import Screen
from sendoff.ui.theme import NORMAL, STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import LARGE, Button
from sendoff.ui.widgets.field import TextArea
from sendoff.ui.widgets.flow import FlowLayout
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.state import Tile
from sendoff.ui.widgets.surface import Card
from sendoff.ui.widgets.tip import set_tip

AHEAD = timedelta(seconds=10)
"""How soon the practice post leaves."""

TEXT = "Hello! This is my first post with Sendoff. It leaves by itself, on time, and I will see what became of it."
CARD_WIDTH, CARD_LEAST, CARD_HEIGHT, GAP = 344, 300, 320, 16
LOW = 600
"""A window lower than this, in px, has no room for the mark."""
CENTRE = Qt.AlignmentFlag.AlignHCenter


def send_practice_post(context: Context, text: str) -> int:
    """Makes the practice account if there is none, and schedules a post in ten seconds; returns the delivery's id."""
    commands = context.commands
    with context.reading() as connection:
        known = next((one for one in accounts.every(connection) if one.channel == "practice"), None)
    account_id = known.id if known else commands.accounts.add("practice", "Practice", {})
    post_id, _ = commands.posts.save_draft(Content(items=(Item(text),)), [Variant(account_id)])
    return commands.posts.schedule(post_id, When.at(context.now() + AHEAD, commands.settings.zone()))[0]


class FirstRunScreen(Screen):
    """Two choices; the left one ends with a receipt."""

    topics = frozenset({changes.DELIVERIES})

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._pages = QStackedWidget()
        self.choices = Choices(context, self._practise, lambda: context.go("add_account"))
        self.practice = Practice(context, self._choose_again)
        add_action(self, "Go back", self._choose_again, keys="Esc", icon="arrow-left")
        self._pages.addWidget(self.choices)
        self._pages.addWidget(self.practice)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(self._pages)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(area)
        self.begin_at = self.choices.try_it

    def _practise(self) -> None:
        self._pages.setCurrentWidget(self.practice)
        self.practice.begin()

    def _choose_again(self) -> None:
        """Back to the two choices, as long as nothing was sent."""
        if not self.practice.send.isHidden():
            self._pages.setCurrentWidget(self.choices)
            self.choices.try_it.setFocus(Qt.FocusReason.OtherFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.choices.set_low(self.height() < LOW)

    def refresh(self) -> None:
        self.practice.look_again()

    def leave(self) -> None:
        """Whoever went on has seen it; whoever only closed the window begins with it again."""
        commands = self.context.commands
        self.context.do(lambda: commands.settings.set("first_run_done", "yes"))


class Choices(QWidget):
    """The mark, the promise, and the two cards."""

    def __init__(self, context: Context, practise: Callable[[], object], connect: Callable[[], object]) -> None:
        super().__init__()
        look = context.look
        self._column = column = QVBoxLayout(self)
        column.setSpacing(0)
        column.addStretch(2)
        self._mark, self._below_mark, self._above_cards = _Mark(), QSpacerItem(0, 0), QSpacerItem(0, 0)
        column.addWidget(self._mark, 0, CENTRE)
        column.addItem(self._below_mark)
        column.addWidget(Label(look, "Write once. It leaves on time.", size="display", weight=STRONG), 0, CENTRE)
        column.addSpacing(6)
        for line in (
            "Sendoff posts and mails for you, and shows what truly happened to each one.",
            "Your keys never leave this computer.",
        ):
            column.addWidget(Label(look, line, size="lead", color="text2"), 0, CENTRE)
        column.addItem(self._above_cards)
        self.try_it = Button(look, "Send a practice post", kind="primary", size=LARGE, run=practise)
        self.connect_it = Button(look, "Choose a network", size=LARGE, run=connect)
        column.addLayout(_side_by_side(_try_card(look, self.try_it), _connect_card(context, self.connect_it)))
        column.addSpacing(24)
        window = context.window
        self.restore = Button(look, "Go back to a backup", kind="link", icon="rotate-ccw", run=window.open_restore)
        self.another = Button(look, "Open another profile", kind="link", icon="folder-open", run=window.choose_profile)
        column.addLayout(_side_by_side(self.restore, self.another))
        column.addStretch(3)
        self.set_low(False)

    def set_low(self, low: bool) -> None:
        """Leaves out what only adorns, so that in a low window the buttons are seen without scrolling."""
        self._mark.setHidden(low)
        self._column.setContentsMargins(24, 12 if low else 24, 24, 24)
        self._below_mark.changeSize(0, 0 if low else 24)
        self._above_cards.changeSize(0, 16 if low else 40)
        self._column.invalidate()


def _side_by_side(*parts: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(GAP)
    row.addStretch(1)
    for part in parts:
        row.addWidget(part, 100 if isinstance(part, Card) else 0)  # a card takes what it may
    row.addStretch(1)
    return row


def _try_card(look: Look, button: Button) -> Card:
    card = _card(look, "accent.line", Tile(look, icon="flask-conical", size=44, accent=True))
    _head(card, look, "Try it with the practice account", "A network inside Sendoff. Nothing reaches the internet.")
    for icon, words in (
        ("pen-line", "A post is there, change it if you like"),
        ("clock", "It goes out in ten seconds"),
        ("check", "You see its receipt"),
    ):
        card.body.addLayout(_bullet(look, icon, words))
    _foot(card, button)
    return card


def _connect_card(context: Context, button: Button) -> Card:
    look = context.look
    card = _card(look, "line", Tile(look, icon="at-sign", size=44))
    sentence = "One to ten minutes, depending on the network. We test the key with you."
    _head(card, look, "Connect an account", sentence)
    flow = FlowLayout(gap=6)
    networks: dict[str, Channel] = {}  # by mark: some have more than one way in
    for channel in ordered(context.program.channels):
        if channel.group in ("network", "mail"):
            networks.setdefault(channel.mark, channel)
    for channel in networks.values():
        tile = Tile(look, mark=channel.mark, size=32)
        tile.setAccessibleName(channel.title)
        set_tip(tile, channel.title)
        flow.addWidget(tile)
    card.body.addLayout(flow)
    card.body.addSpacing(8)
    card.body.addWidget(Label(look, "and any HTTP endpoint of your own", color="text3"))
    _foot(card, button)
    return card


def _card(look: Look, line: str, tile: Tile) -> Card:
    card = Card(look, line=line, padding=24)
    card.setFixedHeight(CARD_HEIGHT)
    card.setMinimumWidth(CARD_LEAST)
    card.setMaximumWidth(CARD_WIDTH)
    card.body.setSpacing(0)
    card.body.addWidget(tile)
    card.body.addSpacing(16)
    return card


def _head(card: Card, look: Look, title: str, sentence: str) -> None:
    card.body.addWidget(Label(look, title, size="lead", weight=STRONG))
    card.body.addSpacing(5)
    card.body.addWidget(Label(look, sentence, color="text2", wrap=True))
    card.body.addSpacing(14)


def _foot(card: Card, button: Button) -> None:
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    card.body.addStretch(1)
    card.body.addWidget(button)


def _bullet(look: Look, icon: str, words: str) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(0, 2, 0, 2)
    row.setSpacing(8)
    row.addWidget(_Icon(look, icon))
    row.addWidget(Label(look, words, color="text2", elide=True), 1)
    return row


class _Icon(QWidget):
    def __init__(self, look: Look, icon: str) -> None:
        super().__init__()
        self._look, self._icon = look, icon
        self.setFixedSize(15, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.pixmap(painter, 0, 10, self._look.pixmap(self._icon, 15, "text2", self.devicePixelRatioF()))
        painter.end()


class _Mark(QWidget):
    """Our own mark, 64 px."""

    def __init__(self) -> None:
        super().__init__()
        self._icon = app_icon()
        self.setFixedSize(64, 64)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._icon.paint(painter, self.rect())
        painter.end()


# --- the practice post --------------------------------------------------------------------------------------------


class Practice(QWidget):
    """Writes, sends and shows one practice post."""

    def __init__(self, context: Context, back: Callable[[], object]) -> None:
        super().__init__()
        self._context, self._back = context, back
        look = context.look
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(0)
        column.addStretch(2)
        self._tile = Tile(look, icon="flask-conical", size=44, accent=True)
        column.addWidget(self._tile, 0, CENTRE)
        column.addSpacing(16)
        self.headline = Label(look, "", size="title", weight=STRONG)
        self._sentence = Label(look, "", weight=NORMAL, color="text2")
        column.addWidget(self.headline, 0, CENTRE)
        column.addSpacing(4)
        column.addWidget(self._sentence, 0, CENTRE)
        column.addSpacing(20)
        self.text = TextArea(look, "Your practice post", lines=5)
        self.text.setFixedWidth(480)
        self.text.edit.setPlainText(TEXT)
        column.addWidget(self.text, 0, CENTRE)
        column.addSpacing(16)
        self.receipt = ReceiptView(context)
        self.receipt.setFixedWidth(480)
        self.receipt.hide()
        column.addWidget(self.receipt, 0, CENTRE)
        column.addSpacing(16)
        column.addLayout(self._buttons())
        column.addStretch(3)
        self._timer = QTimer(self)
        self._timer.setInterval(250)
        self._timer.timeout.connect(self._tick)
        self._say("Your practice post", "It goes to a network inside Sendoff. Change it if you like.")

    def _buttons(self) -> QHBoxLayout:
        look, go = self._context.look, self._context.go
        self.send = Button(look, "Send it in ten seconds", kind="primary", size=LARGE, icon="send", run=self._send)
        self.back = Button(look, "Back", size=LARGE, run=self._back)
        self.on = Button(look, "Go on to the planner", kind="primary", size=LARGE, run=lambda: go("planner"))
        self.connect_it = Button(look, "Connect an account", size=LARGE, run=lambda: go("add_account"))
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addStretch(1)
        for button in (self.back, self.send, self.connect_it, self.on):
            row.addWidget(button)
        row.addStretch(1)
        self.on.hide()
        self.connect_it.hide()
        return row

    def begin(self) -> None:
        self.send.setFocus(Qt.FocusReason.OtherFocusReason)

    def _say(self, headline: str, sentence: str) -> None:
        self.headline.setText(headline)
        self._sentence.setText(sentence)

    def _send(self) -> None:
        self.send.setEnabled(False)
        text, context = self.text.edit.toPlainText(), self._context
        context.do(lambda: send_practice_post(context, text), self._follow, self._refused, owner=self)

    def _refused(self, error: SendoffError) -> None:
        self.send.setEnabled(True)
        self._context.say(str(error), trouble=True)

    def _follow(self, delivery_id: int) -> None:
        self.text.edit.setReadOnly(True)
        self.send.hide()
        self.back.hide()
        self.receipt.show()
        self.receipt.follow(delivery_id)
        self._timer.start()
        self.look_again()

    def _tick(self) -> None:
        self.receipt.tick()
        self.look_again()

    def look_again(self) -> None:
        """Says where the post stands."""
        state = self.receipt.state
        if state is None:
            return
        if state in OPEN:
            self._say("It waits for its time", "It leaves by itself. There is nothing to do but watch.")
            return
        self._timer.stop()
        if state is State.SENT:
            self._say("It left, on time", "This is its receipt. Every post gets one.")
        else:
            self._say("It did not go out", "The receipt says why. Activity shows what can be done.")
        for button in (self.on, self.connect_it):
            button.show()
        self.on.setFocus(Qt.FocusReason.OtherFocusReason)
