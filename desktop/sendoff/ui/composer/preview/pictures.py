"""Pictures of the media store, read small and off the window's thread, each only once."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from PySide6.QtCore import QObject, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter

from sendoff.domain.errors import SendoffError
from sendoff.ui import raster
from sendoff.ui.context import Context

EDGE = 640
"""The longest side that is kept, in px: about a card's width on a screen of double density."""

KEPT = 64
"""How many pictures are kept, about a megabyte each. More than a post shows at once, or they would chase each other."""


class Pictures(QObject):
    """Hands out pictures by their sha256. `came` tells that one can be drawn now that could not before."""

    came = Signal(str)

    def __init__(self, context: Context, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._kept: OrderedDict[str, QImage] = OrderedDict()
        self._asked: set[str] = set()

    def get(self, sha256: str) -> QImage | None:
        """The picture; None while it is being read; a null image if it cannot be drawn."""
        if sha256 in self._kept:
            self._kept.move_to_end(sha256)
            return self._kept[sha256]
        if sha256 not in self._asked:
            self._asked.add(sha256)
            media = self._context.program.media
            self._context.do(
                lambda: read(media.path(sha256)),
                lambda image: self._came(sha256, image),
                lambda error: self._failed(sha256, error),
                owner=self,
            )
        return None

    def _failed(self, sha256: str, _gone: SendoffError) -> None:
        self._came(sha256, QImage())

    def _came(self, sha256: str, image: QImage) -> None:
        self._asked.discard(sha256)
        self._kept[sha256] = image
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        self.came.emit(sha256)


def read(path: Path) -> QImage:
    """A picture, upright and not larger than `EDGE`; a null image if it is none that is drawn."""
    reader = raster.opened(str(path))
    if reader is None:
        return QImage()
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > EDGE:
        reader.setScaledSize(size.scaled(QSize(EDGE, EDGE), Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()


def draw_filled(painter: QPainter, place: QRect, image: QImage) -> None:
    """Fills the place with the middle of a picture."""
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    size = image.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatioByExpanding)
    at = QPointF(place.center()) - QPointF(size.width() / 2, size.height() / 2)
    painter.drawImage(QRect(at.toPoint(), size), image)
