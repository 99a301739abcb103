"""Draws SVG files in the theme's colours, sharp at any device pixel ratio, each only once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from sendoff.resources import resource, text

RATIOS = (1.0, 1.25, 1.5, 1.75, 2.0, 3.0)
"""The scales that a QIcon is drawn for; what paints itself asks for its own."""

_TOKEN = re.compile(r"var\(--([\w.]+)\)")


class Drawings:
    """The icons, marks and pictures of one theme.

    Args:
        colors: the theme's colours by token name, for pictures that name them as var(--token).
    """

    def __init__(self, colors: Mapping[str, str]) -> None:
        self._colors = colors
        self._pixmaps: dict[tuple[str, int, int, str, float], QPixmap] = {}
        self._icons: dict[tuple[str, int, str], QIcon] = {}

    def pixmap(self, file: str, size: int, color: str, ratio: float) -> QPixmap:
        """A square drawing from resources/icons, its currentColor replaced."""
        key = (file, size, size, color, ratio)
        if key not in self._pixmaps:
            self._pixmaps[key] = _drawn(
                text("icons", *file.split("/")).replace("currentColor", color), size, size, ratio
            )
        return self._pixmaps[key]

    def picture(self, name: str, width: int, height: int, ratio: float) -> QPixmap:
        """A drawing from resources/pictures."""
        key = (name, width, height, "", ratio)
        if key not in self._pixmaps:
            source = _TOKEN.sub(lambda found: self._colors[found[1]], text("pictures", f"{name}.svg"))
            self._pixmaps[key] = _drawn(source, width, height, ratio)
        return self._pixmaps[key]

    def icon(self, file: str, size: int, color: str) -> QIcon:
        key = (file, size, color)
        if key not in self._icons:
            self._icons[key] = _icon([self.pixmap(file, size, color, ratio) for ratio in RATIOS])
        return self._icons[key]


@cache
def mark_file(name: str) -> str:
    """Where a network's mark is drawn. A plug stands for channels of other packages, which have none here."""
    return f"marks/{name}.svg" if name and resource("icons", "marks", f"{name}.svg").is_file() else "plug.svg"


def app_icon() -> QIcon:
    """Sendoff's own mark for windows and task bars: a simpler drawing below 24 px."""
    pixmaps = [_drawn_file("sendoff-16", size) for size in (16, 20)]
    return _icon(pixmaps + [_drawn_file("sendoff", size) for size in (24, 32, 48, 64, 128, 256)])


def tray_icon(name: str) -> QIcon:
    """An icon of resources/icons/app at the sizes of panels."""
    return _icon([_drawn_file(name, size) for size in (16, 22, 24, 32, 44, 48, 64)])


def _drawn_file(name: str, size: int) -> QPixmap:
    return _drawn(text("icons", "app", f"{name}.svg"), size, size, 1.0)


def _icon(pixmaps: list[QPixmap]) -> QIcon:
    icon = QIcon()
    for pixmap in pixmaps:
        icon.addPixmap(pixmap)
    return icon


def _drawn(source: str, width: int, height: int, ratio: float) -> QPixmap:
    pixmap = QPixmap(QSize(round(width * ratio), round(height * ratio)))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(source.encode())).render(painter, QRectF(0, 0, pixmap.width(), pixmap.height()))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
