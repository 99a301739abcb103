"""The window's first frame: its surfaces in their colours, painted before what stands on them is loaded.

Nothing here may touch a brush, a colour scheme or another thing that knows Qt's own enums: those are made all at once,
which takes a fifth of the time that an empty window takes.
"""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPixmap

from sendoff.ui.tokens import Theme, read_tokens

RAIL, NARROW_RAIL = 216, 57
"""The rail's width in px, with words and with icons only."""


class Ground(NamedTuple):
    """The colours, and whether the rail's surface is among them."""

    theme: Theme
    rail: bool

    def paint(self, painter: QPainter, area: QRect, *, narrow: bool) -> None:
        """
        Args:
            narrow: the rail shows icons only.
        """
        _fill(painter, area, self.theme["surface"])
        if self.rail:
            beside = QRect(area.topLeft(), area.bottomLeft())
            beside.setWidth(NARROW_RAIL if narrow else RAIL)
            paint_rail(painter, beside, self.theme)


def paint_rail(painter: QPainter, area: QRect, theme: Theme) -> None:
    """The rail's surface, with the line that parts it from the page."""
    _fill(painter, area, theme["window"])
    _fill(painter, QRect(area.topRight(), area.bottomRight()), theme["line_soft"])


def _fill(painter: QPainter, area: QRect, color: str) -> None:
    dot = QPixmap(1, 1)
    dot.fill(QColor(color))
    painter.drawPixmap(area, dot)


def of_choice(choice: str, *, rail: bool) -> Ground:
    """The ground for a setting "theme". Whether the system is dark is seen from its palette."""
    dark = choice == "dark" or (choice == "system" and QGuiApplication.palette().window().color().lightness() < 128)
    tokens = read_tokens()
    return Ground(tokens.dark if dark else tokens.light, rail)
