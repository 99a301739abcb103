"""A link's card below a post: the page's picture, its title, and where it leads."""

from __future__ import annotations

from urllib.parse import urlsplit

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sendoff.domain.post import LinkCard
from sendoff.ui.composer.preview.pictures import Pictures, draw_filled
from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.tip import set_tip

WORDS, RADIUS, SHAPE = 68, 10, 0.52
"""Pixels of height for the words, and of the corners; a picture is about twice as wide as high (Open Graph)."""


class CardBox(QWidget):
    """Hidden while there is no card."""

    def __init__(self, look: Look, pictures: Pictures) -> None:
        super().__init__()
        self._look, self._pictures = look, pictures
        self._card: LinkCard | None = None
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        pictures.came.connect(self._came)
        self.hide()

    def show_card(self, card: LinkCard | None) -> None:
        if card != self._card:
            self._card = card
            self.setAccessibleName(f"Card: {card.title}, {host_of(card.url)}" if card else "")
            set_tip(self, card.text if card else "")
            self.updateGeometry()
            self.update()
        self.setVisible(card is not None)

    def _came(self, _sha256: str) -> None:
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, self.heightForWidth(240))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return WORDS + (round(width * SHAPE) if self._card and self._card.image else 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        card = self._card
        if card is None:
            return
        painter, look = QPainter(self), self._look
        paint.box(painter, self.rect(), RADIUS, look.color("card"), look.color("line"))
        top = self.height() - WORDS
        if card.image is not None:
            self._paint_picture(painter, QRect(1, 1, self.width() - 2, top - 1), self._pictures.get(card.image.sha256))
        words = self.rect().adjusted(12, top + 6, -12, 0)
        for line, font, color in (
            (host_of(card.url), look.font("small"), "text3"),
            (card.title, look.font("base", STRONG), "text"),
            (card.text, look.font("small"), "text2"),
        ):
            words.setHeight(18)
            paint.text(painter, words, line, font, look.color(color))
            words.translate(0, 19)
        painter.end()

    def _paint_picture(self, painter: QPainter, place: QRect, image: QImage | None) -> None:
        path = QPainterPath()
        path.addRoundedRect(place.adjusted(0, 0, 0, RADIUS), RADIUS - 1, RADIUS - 1)
        painter.save()
        painter.setClipPath(path)
        painter.setClipRect(place, Qt.ClipOperation.IntersectClip)
        painter.fillRect(place, self._look.color("hover"))
        if image is not None and not image.isNull():
            draw_filled(painter, place, image)
        painter.restore()


def host_of(url: str) -> str:
    """What a reader calls the place that a link leads to."""
    try:
        return (urlsplit(url).hostname or url).removeprefix("www.")
    except ValueError:
        return url
