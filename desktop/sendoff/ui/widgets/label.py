"""Text on the screen: always plain, in a token's colour, on the line grid of the type scale."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from sendoff.ui.theme import NORMAL, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.tip import set_tip


class Label(QLabel):
    """One line or a paragraph. Never markup, so it may show what a server or another person wrote.

    Args:
        color: the token of its colour.
        wrap: a paragraph with the scale's line height; else one line.
        elide: one line that may become shorter than its words; the tooltip then shows them all.
        figures: digits of equal width.
        align: where the words stand in the width.
    """

    def __init__(
        self,
        look: Look,
        words: str = "",
        *,
        size: str = "base",
        weight: int = NORMAL,
        color: str = "text",
        wrap: bool = False,
        elide: bool = False,
        figures: bool = False,
        mono: bool = False,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._look = look
        self._size, self._color, self._align = size, color, align
        self._wraps, self._elides = wrap, elide
        self._heights: dict[int, int] = {}  # by width, and how wide it would like to be: layouts ask again and again
        self._wish = -1
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(look.font(size, weight, figures=figures, mono=mono))
        across = QSizePolicy.Policy.Preferred if wrap or elide else QSizePolicy.Policy.Fixed
        policy = QSizePolicy(across, QSizePolicy.Policy.Preferred if wrap else QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(wrap)
        self.setSizePolicy(policy)
        self.setText(words)

    def setText(self, words: str) -> None:
        if words != self.text():
            super().setText(words)
            self._heights.clear()
            self._wish = -1
            self.updateGeometry()
            self._tell_all()

    def set_color(self, color: str) -> None:
        if color != self._color:
            self._color = color
            self.update()

    # --- size -----------------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        if self._wish < 0:
            self._wish = max((self._width(line) for line in self.text().split("\n")), default=0)
        width = self._wish
        if self._wraps:
            return QSize(min(width, 560), self.heightForWidth(min(width, 560)))
        return QSize(width, self._look.line_height(self._size))

    def minimumSizeHint(self) -> QSize:
        if self._wraps:
            return QSize(40, self._look.line_height(self._size))
        return QSize(24 if self._elides else self.sizeHint().width(), self._look.line_height(self._size))

    def hasHeightForWidth(self) -> bool:
        return self._wraps

    def heightForWidth(self, width: int) -> int:
        # A layout that aligns asks for its own whole width, not for the one that the label will get.
        width = min(width, self.maximumWidth())
        if width not in self._heights:
            self._heights[width] = max(len(self._lines(width)[1]), 1) * self._look.line_height(self._size)
        return self._heights[width]

    def _width(self, words: str) -> int:
        return QFontMetrics(self.font()).horizontalAdvance(words) + 1 if words else 0

    def _lines(self, width: int) -> tuple[QTextLayout, list[QPointF]]:
        """The paragraph broken into lines, and where each begins."""
        layout = QTextLayout(self.text().replace("\n", "\u2028"), self.font())
        option = QTextOption(self._align)
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        height = self._look.line_height(self._size)
        places: list[QPointF] = []
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(max(width, 1))
            top = len(places) * height + (height - line.height()) / 2
            line.setPosition(QPointF(0, top))
            places.append(QPointF(0, top))
        layout.endLayout()
        return layout, places

    # --- painting -------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        color = self._look.color(self._color if self.isEnabled() else "icon_disabled")
        if self._wraps:
            painter.setPen(color)
            self._lines(self.width())[0].draw(painter, QPointF(0, 0))
        else:
            paint.text(painter, self.rect(), self.text(), self.font(), color, self._align)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._tell_all()

    def _tell_all(self) -> None:
        if self._elides:
            set_tip(self, self.text() if self._width(self.text()) > self.width() else "")
