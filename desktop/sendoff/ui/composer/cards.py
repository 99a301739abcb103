"""The card of a link: looked up while somebody writes, shown below the text, taken out by whoever does not want it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QTimer, Signal
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from sendoff.domain.channel import Channel
from sendoff.domain.errors import SendoffError
from sendoff.domain.post import LinkCard
from sendoff.ui.background import Errand
from sendoff.ui.composer.media import RADIUS, THUMB
from sendoff.ui.composer.preview.card import host_of
from sendoff.ui.composer.preview.pictures import Pictures, draw_filled
from sendoff.ui.context import Context
from sendoff.ui.theme import STRONG
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import SMALL, Button, IconButton
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.tip import set_tip

if TYPE_CHECKING:
    from sendoff.ui.composer.screen import ComposerScreen

WAIT = 1200
"""Milliseconds without a key before a link is looked at: what is still being typed is no address yet."""

BELOW = 12
"""Pixels between a card and what stands below it."""


class LinkCards:
    """Asks for the cards of what is written, when it was written and not when a post is merely opened."""

    def __init__(self, screen: ComposerScreen) -> None:
        self._screen = screen
        self.soon = QTimer(screen)
        self.soon.setSingleShot(True)
        self.soon.setInterval(WAIT)
        self.soon.timeout.connect(self.look)

    def changed(self) -> None:
        self.soon.start()

    def look(self) -> None:
        """Looks at the first link of each item, where somebody who gets it shows cards."""
        self.soon.stop()
        screen = self._screen
        if screen.context.settings()["link_cards"] != "yes":
            return
        writing = screen.writing
        for tab, view in screen.desk.views():
            readers = screen.eyes.with_cards(writing.readers(tab))
            for item in view.items:
                item.card.expect(_link(item.editor.text(), readers) if readers else None, _is_sent(readers))


def _link(text: str, readers: list[Channel]) -> str:
    return next((link for one in readers if (link := one.linked(text))), "")


def _is_sent(readers: list[Channel]) -> bool:
    """Whether a card goes along with the post, so that it can be left out."""
    return any(one.capabilities.card == "sent" for one in readers)


class CardLine(QFrame):
    """A card as it stands below the text; a line of words where there is none. `changed` comes with each change."""

    changed = Signal()

    def __init__(self, context: Context, pictures: Pictures) -> None:
        super().__init__()
        self._context, self._look, self._pictures = context, context.look, pictures
        self.card: LinkCard | None = None
        self._url, self._trouble = "", ""
        self._covered, self._is_sent, self._is_seen = False, True, True
        self._coming: Errand | None = None
        look = self._look
        self.title = Label(look, "", weight=STRONG, elide=True)
        self.text = Label(look, "", color="text2", elide=True)
        self.again = Button(look, "", kind="link", size=SMALL, run=self._again)
        self.remove_button = IconButton(look, "x", "Leave the card out", size=24, run=self._remove)
        self._row = QHBoxLayout(self)
        self._row.setSpacing(8)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addStretch(1)
        words.addWidget(self.title)
        words.addWidget(self.text)
        words.addStretch(1)
        self._row.addLayout(words, 1)
        self._row.addWidget(self.again)
        self._row.addWidget(self.remove_button)
        pictures.came.connect(self._came)
        self._show()

    # --- what it holds --------------------------------------------------------------------------------------------

    def show_card(self, card: LinkCard | None) -> None:
        """Shows the card of a stored post; nothing is fetched."""
        self._drop()
        self.card, self._url, self._trouble, self._is_seen = card, card.url if card else "", "", True
        self._show()

    def cover(self, covered: bool) -> None:
        """Pictures are shown in place of a card."""
        if covered != self._covered:
            self._covered = covered
            self._show()

    def expect(self, url: str | None, is_sent: bool) -> None:
        """Fetches the card of this link if it is another than before; "" none is linked; None nobody shows cards."""
        self._is_sent, self._is_seen = is_sent, url is not None
        if url is None or url == self._url:
            self._show()
            return
        self._drop()
        self._url, self._trouble = url, ""
        if self.card is not None:
            self.card = None
            self.changed.emit()
        if url and not self._covered:
            self._fetch(again=False)
        elif url:
            self._url = ""  # it is looked at when the pictures are gone
        self._show()

    def _fetch(self, *, again: bool) -> None:
        program, url = self._context.program, self._url

        def came(card: LinkCard) -> None:
            self._coming, self.card = None, card
            self._show()
            self.changed.emit()

        def failed(error: SendoffError) -> None:
            self._coming, self._trouble = None, str(error)
            self._show()

        work = partial(program.link_card, url, again=again)
        self._coming = self._context.do(work, came, failed, aside=True, owner=self)

    def _drop(self) -> None:
        if self._coming is not None:
            self._coming.drop()
            self._coming = None

    def _remove(self) -> None:
        """Leaves the card out, with Undo."""
        before = self.card
        if before is not None:
            self._put(replace(before, removed=True))
            self._context.say("The card was left out.", undo=lambda: self._put(before))

    def _again(self) -> None:
        """Shows a card that was left out; asks again for one that did not come."""
        if self.card is not None:
            self._put(replace(self.card, removed=False))
        else:
            self._trouble = ""
            self._fetch(again=True)
            self._show()

    def _put(self, card: LinkCard) -> None:
        self.card, self._url = card, card.url
        self._show()
        self.changed.emit()

    # --- how it looks ---------------------------------------------------------------------------------------------

    @property
    def _is_card(self) -> bool:
        return self.card is not None and not self.card.removed

    def _show(self) -> None:
        host = host_of(self._url)
        card = self.card if self._is_card else None
        if card is not None:
            self.title.setText(card.title)
            self.text.setText(" · ".join(filter(None, (host, card.text))))
            set_tip(self, card.text)
        else:
            left_out = f"The card of {host} is left out."
            self.text.setText(left_out if self.card else self._trouble or f"Looking at {host} for its card…")
            set_tip(self, "")
        self.title.setVisible(card is not None)
        self.again.setText("Show it" if self.card else "Look again")
        self.again.setVisible(bool(self._url) and card is None and self._coming is None)
        self.remove_button.setVisible(card is not None and self._is_sent)
        pictured = card is not None and card.image is not None
        left = 8 + THUMB.width() + 12 if pictured else 12
        self._row.setContentsMargins(left if card else 0, 0, 6, BELOW)
        self.setFixedHeight((THUMB.height() + 16 if pictured else 56 if card else 32) + BELOW)
        self.setAccessibleName(f"Card of {host}: {card.title}" if card else self.text.text())
        self.setVisible(bool(self._url) and self._is_seen and not self._covered)
        self.update()

    def _came(self, sha256: str) -> None:
        if self.card is not None and self.card.image is not None and self.card.image.sha256 == sha256:
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        card = self.card if self._is_card else None
        if card is None:
            return
        painter, look = QPainter(self), self._look
        paint.box(painter, self.rect().adjusted(0, 0, 0, -BELOW), RADIUS, look.color("card"), look.color("line"))
        if card.image is not None:
            place = QRect(QPoint(8, 8), THUMB)
            image = self._pictures.get(card.image.sha256)
            path = QPainterPath()
            path.addRoundedRect(place, 4, 4)
            painter.setClipPath(path)
            painter.fillRect(place, look.color("hover"))
            if image is not None and not image.isNull():
                draw_filled(painter, place, image)
        painter.end()
