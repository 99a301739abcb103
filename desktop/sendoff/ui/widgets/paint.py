"""Strokes that several parts share: crisp boxes, text in its own direction, the shadow under what floats."""

from __future__ import annotations

import math
import struct
from functools import lru_cache

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPen, QPixmap

from sendoff.ui.theme import Look


def box(painter: QPainter, rect: QRect, radius: float, fill: QColor | None, line: QColor | None = None) -> None:
    """A rounded box, its line of 1 px inside the rectangle and sharp."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(fill if fill is not None else Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(line, 1) if line is not None else Qt.PenStyle.NoPen)
    inset = 0.5 if line is not None else 0.0
    painter.drawRoundedRect(QRectF(rect).adjusted(inset, inset, -inset, -inset), radius - inset, radius - inset)


def text(
    painter: QPainter,
    rect: QRect,
    words: str,
    font: QFont,
    color: QColor,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> int:
    """One line, in the middle of the rectangle's height, elided at the end of its reading direction.

    Right-to-left words keep their own order and still stand at the side that `align` names. Returns the width used.
    """
    painter.setFont(font)
    painter.setPen(color)
    metrics = QFontMetrics(font)
    fits = metrics.horizontalAdvance(words) <= rect.width() + 1
    shown = words if fits else metrics.elidedText(words, Qt.TextElideMode.ElideRight, rect.width())
    flags = align | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
    painter.drawText(rect, int(flags) | int(Qt.TextFlag.TextSingleLine), shown)
    return metrics.horizontalAdvance(shown)


def pixmap(painter: QPainter, x: float, middle: float, drawing: QPixmap) -> None:
    """An icon with its left edge at x, in the middle of a line."""
    height = drawing.height() / drawing.devicePixelRatio()
    painter.drawPixmap(QPointF(x, middle - height / 2), drawing)


def shadow(painter: QPainter, rect: QRect, radius: float, look: Look) -> None:
    """The soft shadow of something that floats, painted on what lies below it."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setPen(Qt.PenStyle.NoPen)
    for down, blur, color in look.theme.shadows:
        if blur <= FINE:
            painter.setBrush(QColor(color))
            painter.drawRoundedRect(QRectF(rect).adjusted(-1, down - 1, 1, down + 1), radius + 1, radius + 1)
        else:
            around = QRectF(rect).adjusted(-blur, down - blur, blur, down + blur)
            painter.drawImage(around, _blurred(rect.width(), rect.height(), blur, color))


FINE = 4
"""A shadow this thin is a line; px."""

COARSE = 4
"""A blurred shadow is computed for every so many px and drawn smoothly between."""


@lru_cache(maxsize=32)
def _blurred(width: int, height: int, blur: int, name: str) -> QImage:
    """A box under a Gaussian blur as CSS draws it: its standard deviation is half of `blur`, which is added around.

    Such a shadow is the product of one curve across and one down.
    """
    color = QColor(name)
    across, down = _fall(width, blur), _fall(height, blur)
    pixels = [QColor(color.red(), color.green(), color.blue(), alpha).rgba() for alpha in range(256)]
    dots = [struct.pack("=I", pixel) for pixel in pixels]
    data = b"".join(dots[round(color.alpha() * x * y)] for y in down for x in across)
    return QImage(data, len(across), len(down), 4 * len(across), QImage.Format.Format_ARGB32).copy()


def _fall(length: int, blur: int) -> list[float]:
    """How dark the shadow of an edge-to-edge stretch is along it, from 0 to 1."""
    spread = blur / 2 * math.sqrt(2)
    count = math.ceil((length + 2 * blur) / COARSE)
    step = (length + 2 * blur) / count
    places = [(number + 0.5) * step - blur for number in range(count)]
    return [(math.erf(place / spread) - math.erf((place - length) / spread)) / 2 for place in places]
