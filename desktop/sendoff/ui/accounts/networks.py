"""Choosing where to sign in: a card for each channel that there is, found by typing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sendoff.channels.registry import ordered
from sendoff.domain.channel import Channel
from sendoff.ui.accounts.parts import Walk, network_tile, scrolling
from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets.button import LARGE, Button
from sendoff.ui.widgets.field import TextField
from sendoff.ui.widgets.flow import FlowLayout
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.state import Icon
from sendoff.ui.widgets.surface import CardButton

WIDTH, HIGH, GAP, LEAST = 872, 72, 12, 256
GROUPS = (("network", "Networks"), ("mail", "E-mail"), ("other", "Anything else"))
PRACTICE = "practice"


class Networks(QWidget):
    """The page. `chosen` carries the channel's kind, and the provider that was typed, if one was."""

    chosen = Signal(str, str)

    def __init__(self, look: Look, channels: Mapping[str, Channel], failed: Mapping[str, str]) -> None:
        super().__init__()
        self._look = look
        self._channels = ordered(channels)
        self._needs: dict[str, Label] = {}
        self._failed = [_Failed(look, kind, reason) for kind, reason in failed.items()]
        self.cards = {one.kind: self._card(one) for one in self._channels if one.group != PRACTICE}
        self._groups: list[QWidget] = []
        self.search = _Find(look, "Find a network or a mail service", self._first_card)
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._open_first)
        self._nothing = Label(look, "", color="text2", wrap=True)
        self._nothing.hide()
        self._walk = Walk(self._shown, self, before=self.search.setFocus)
        for card in self.cards.values():
            self._walk.watch(card)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scrolling(self._page()))

    # --- making it ------------------------------------------------------------------------------------------------

    def _page(self) -> QWidget:
        look, inside = self._look, QWidget()
        inside.setMaximumWidth(WIDTH)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(Label(look, "Where should it go?", size="display", weight=STRONG))
        column.addSpacing(4)
        promise = "Keys stay on this computer, in its keychain. Each one is tested before it is saved."
        column.addWidget(Label(look, promise, size="lead", color="text2", wrap=True))
        column.addSpacing(20)
        column.addWidget(self.search)
        column.addSpacing(12)
        column.addWidget(self._nothing)
        for group, title in GROUPS:
            column.addWidget(self._group(group, title))
        column.addWidget(self._practice())
        for one in self._failed:
            column.addWidget(one)
        column.addStretch(1)
        page = QWidget()
        row = QHBoxLayout(page)
        row.setContentsMargins(24, 24, 24, 24)
        row.addStretch(1)
        row.addWidget(inside, 100)
        row.addStretch(1)
        return page

    def _group(self, group: str, title: str) -> QWidget:
        known = {name for name, _ in GROUPS} | {PRACTICE}
        mine = [
            one for one in self._channels if one.group == group or (group == GROUPS[0][0] and one.group not in known)
        ]
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 2, 0, 12)
        column.setSpacing(8)
        column.addWidget(Label(self._look, title, size="small", weight=STRONG, color="text2"))
        flow = FlowLayout(gap=GAP, columns=3, least=LEAST)
        for channel in mine:
            flow.addWidget(self.cards[channel.kind])
        column.addLayout(flow)
        if not mine:
            box.hide()
        self._groups.append(box)
        return box

    def _card(self, channel: Channel) -> CardButton:
        look = self._look
        card = CardButton(look, f"{channel.title}, {channel.needs}", run=lambda: self._choose(channel))
        card.setFixedHeight(HIGH)
        card.add(network_tile(look, channel.title, channel.mark, 40))
        words = QWidget()
        column = QVBoxLayout(words)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addStretch(1)
        column.addWidget(Label(look, channel.title, weight=STRONG, elide=True))
        self._needs[channel.kind] = Label(look, channel.needs, size="small", color="text2", elide=True)
        column.addWidget(self._needs[channel.kind])
        column.addStretch(1)
        card.add(words, 1)
        return card

    def _practice(self) -> QWidget:
        look = self._look
        self.practice = Button(look, "Use the practice account", kind="link")
        self.practice.clicked.connect(lambda: self.chosen.emit(PRACTICE, ""))
        self._practice_row = QWidget()
        row = QHBoxLayout(self._practice_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(Icon(look, "flask-conical"))
        row.addWidget(Label(look, "Just looking?", color="text2"))
        row.addWidget(self.practice)
        row.addStretch(1)
        return self._practice_row

    # --- finding --------------------------------------------------------------------------------------------------

    def begin(self) -> QWidget:
        """Where the keyboard begins."""
        return self.search

    def _filter(self, words: str) -> None:
        for channel in self._channels:
            provider = "" if _fits(channel, words) else _provider(channel, words)
            part = self.cards.get(channel.kind, self._practice_row)
            part.setVisible(bool(provider) or _fits(channel, words))
            if channel.kind in self._needs:
                self._needs[channel.kind].setText(provider or channel.needs)
        for one in self._failed:
            one.setVisible(not words)
        for box in self._groups:
            box.setVisible(any(not card.isHidden() for card in box.findChildren(CardButton)))
        nothing = not self._found()
        self._nothing.setVisible(nothing)
        if nothing:
            self._nothing.setText(
                f"Nothing here is called “{words}”. Any mailbox goes with E-mail (SMTP), and whatever takes "
                "requests with HTTP endpoint."
            )

    def _found(self) -> list[Channel]:
        return [one for one in self._channels if not self.cards.get(one.kind, self._practice_row).isHidden()]

    def _shown(self) -> list[CardButton]:
        return [self.cards[one.kind] for one in self._found() if one.kind in self.cards]

    def _first_card(self) -> QWidget | None:
        return next(iter(self._shown()), None)

    def _open_first(self) -> None:
        if found := self._found():
            self._choose(found[0])

    def _choose(self, channel: Channel) -> None:
        words = self.search.text()
        self.chosen.emit(channel.kind, "" if _fits(channel, words) else _provider(channel, words))


class _Find(TextField):
    """The field to find with; Down goes to the cards."""

    def __init__(self, look: Look, name: str, first: Callable[[], QWidget | None]) -> None:
        super().__init__(look, name, icon="search", hint=name, size=LARGE, clear=True)
        self._first = first

    def keyPressEvent(self, event: QKeyEvent) -> None:
        first = self._first() if event.key() == Qt.Key.Key_Down else None
        if first is not None:
            first.setFocus(Qt.FocusReason.TabFocusReason)
        else:
            super().keyPressEvent(event)


class _Failed(QWidget):
    """A channel that could not be loaded, with its own words."""

    def __init__(self, look: Look, kind: str, reason: str) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 16, 0, 0)
        row.setSpacing(8)
        row.addWidget(Icon(look, "unplug", color="failed.text"), 0, Qt.AlignmentFlag.AlignTop)
        words = f"The channel “{kind}” could not be loaded. {reason}"
        row.addWidget(Label(look, words, color="text2", wrap=True), 1)


def _fits(channel: Channel, words: str) -> bool:
    known = f"{channel.title} {channel.kind} {channel.needs}".lower()
    return all(word in known for word in words.lower().split())


def _provider(channel: Channel, words: str) -> str:
    """The provider that was typed, by a part of its name or by a domain of its addresses."""
    wanted = words.strip().lower().rpartition("@")[2]
    if not wanted:
        return ""
    for preset in channel.presets:
        if wanted in preset.name.lower() or any(domain.startswith(wanted) for domain in preset.domains):
            return preset.name
    return ""
