"""Pictures from elsewhere are drawn only if they are rasters."""

from __future__ import annotations

from PySide6.QtGui import QImageReader

FORMATS = frozenset((b"png", b"jpeg", b"gif", b"webp", b"bmp"))
"""What is drawn. Not SVG: its pictures inside may name files of this computer, and Qt would read them."""


def opened(path: str) -> QImageReader | None:
    """A reader that turns the picture upright; None if the content is none of FORMATS, whatever its name says."""
    reader = QImageReader(path)
    reader.setDecideFormatFromContent(True)
    if reader.format().data() not in FORMATS:
        return None
    reader.setAutoTransform(True)
    return reader
