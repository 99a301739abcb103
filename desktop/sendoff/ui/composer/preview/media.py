"""What hangs on a post: pictures in the grid that networks make of them, and files as tiles."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from sendoff.domain.limits import size_text
from sendoff.domain.post import Attachment
from sendoff.domain.words import counted
from sendoff.ui.composer.preview.pictures import Pictures
from sendoff.ui.theme import MEDIUM, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.tip import set_tip

GAP, RADIUS, FILE_HEIGHT = 4, 8, 52
SHOWN = 4
"""How many a network shows; the rest are counted on the last one."""


class FileTile(QWidget):
    """One file by its name and size."""

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._file: Attachment | None = None
        self.setFixedHeight(40)

    def show_file(self, attachment: Attachment) -> None:
        self._file = attachment
        self.setAccessibleName(f"Attached: {attachment.name}, {size_text(attachment.size)}")
        set_tip(self, attachment.name)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._file is None:
            return
        painter, look = QPainter(self), self._look
        paint.box(painter, self.rect(), RADIUS, look.color("card"), look.color("line"))
        icon = look.pixmap("paperclip", 16, "text2", self.devicePixelRatioF())
        paint.pixmap(painter, 12, self.height() / 2, icon)
        size = size_text(self._file.size)
        place = self.rect().adjusted(38, 0, -12, 0)
        wide = paint.text(painter, place, size, look.font(), look.color("text2"), Qt.AlignmentFlag.AlignRight)
        name = place.adjusted(0, 0, -wide - 12, 0)
        paint.text(painter, name, self._file.name, look.font("base", MEDIUM), look.color("text"))
        painter.end()


class MediaGrid(QWidget):
    """One to four pictures side by side; what is no picture is a tile that says what it is."""

    def __init__(self, look: Look, pictures: Pictures, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look, self._pictures = look, pictures
        self._media: tuple[Attachment, ...] = ()
        self._drawn: dict[tuple[str, int, int, float], QPixmap] = {}
        self._covered = False
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMouseTracking(True)
        self.hide()
        pictures.came.connect(self._came)

    def show_media(self, media: tuple[Attachment, ...], *, covered: bool = False) -> None:
        """Shows these. With `covered` they are hidden as sensitive."""
        if (media, covered) == (self._media, self._covered):
            return
        self._media, self._covered = media, covered
        self._drawn.clear()
        self.setVisible(bool(media))
        said = counted(len(media), "file", "files") + ": " + ", ".join(one.alt or one.name for one in media)
        self.setAccessibleName(said)
        self.updateGeometry()
        self.update()

    def _came(self, sha256: str) -> None:
        if any(one.sha256 == sha256 for one in self._media):
            self.update()

    # --- places ---------------------------------------------------------------------------------------------------

    def _cells(self, width: int) -> list[QRect]:
        number = min(len(self._media), SHOWN)
        if number == 1:
            return [QRect(0, 0, width, self._single_height(width))]
        left, half = (width - GAP) // 2, round((width - GAP) / 2 * 0.54)
        right = width - GAP - left
        if number == 2:
            return [QRect(0, 0, left, half), QRect(left + GAP, 0, right, half)]
        low = half + GAP
        corners = [QRect(left + GAP, 0, right, half), QRect(left + GAP, low, right, half)]
        if number == 3:
            return [QRect(0, 0, left, 2 * half + GAP), *corners]
        return [QRect(0, 0, left, half), corners[0], QRect(0, low, left, half), corners[1]] if number else []

    def _single_height(self, width: int) -> int:
        one = self._media[0]
        if not one.is_image:
            return FILE_HEIGHT
        shape = one.height / one.width if one.width and one.height else 9 / 16
        return round(width * min(max(shape, 0.3), 1.0))

    def sizeHint(self) -> QSize:
        return QSize(240, self.heightForWidth(240))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return max((cell.bottom() + 1 for cell in self._cells(width)), default=0)

    # --- painting -------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for cell, attachment in zip(self._cells(self.width()), self._media, strict=False):
            self._paint_one(painter, cell, attachment)
        hidden = len(self._media) - SHOWN
        if hidden > 0:
            self._paint_count(painter, self._cells(self.width())[-1], hidden)
        painter.end()

    def _paint_one(self, painter: QPainter, cell: QRect, attachment: Attachment) -> None:
        if self._covered:
            self._paint_words(painter, cell, "eye-off", "Sensitive")
            return
        image = self._pictures.get(attachment.sha256) if attachment.is_image else QImage()
        if image is None:
            paint.box(painter, cell, RADIUS, self._look.color("hover"))
        elif image.isNull():
            self._paint_file(painter, cell, attachment)
        else:
            path = QPainterPath()
            path.addRoundedRect(cell, RADIUS, RADIUS)
            painter.save()
            painter.setClipPath(path)
            painter.drawPixmap(cell, self._fitted(attachment.sha256, image, cell.size()))
            painter.restore()

    def _fitted(self, sha256: str, image: QImage, size: QSize) -> QPixmap:
        """The middle of the picture, filling the cell at the screen's density."""
        ratio = self.devicePixelRatioF()
        key = (sha256, size.width(), size.height(), ratio)
        if key not in self._drawn:
            wanted = QSize(round(size.width() * ratio), round(size.height() * ratio))
            scaled = image.scaled(
                wanted, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
            )
            left, top = (scaled.width() - wanted.width()) // 2, (scaled.height() - wanted.height()) // 2
            self._drawn[key] = QPixmap.fromImage(scaled.copy(QRect(left, top, wanted.width(), wanted.height())))
        return self._drawn[key]

    def _paint_file(self, painter: QPainter, cell: QRect, attachment: Attachment) -> None:
        look, ratio = self._look, self.devicePixelRatioF()
        icon = "video" if attachment.is_video else "image" if attachment.is_image else "file"
        if cell.height() > FILE_HEIGHT:
            self._paint_words(painter, cell, icon, attachment.name)
            return
        paint.box(painter, cell, RADIUS, look.color("hover"), look.color("line_soft"))
        paint.pixmap(painter, cell.left() + 14, cell.top() + cell.height() / 2, look.pixmap(icon, 20, "text2", ratio))
        words = cell.adjusted(46, 7, -12, -cell.height() // 2)
        paint.text(painter, words, attachment.name, look.font("base", MEDIUM), look.color("text"))
        below = cell.adjusted(46, cell.height() // 2, -12, -7)
        paint.text(painter, below, size_text(attachment.size), look.font("small"), look.color("text2"))

    def _paint_words(self, painter: QPainter, cell: QRect, icon: str, words: str) -> None:
        look = self._look
        paint.box(painter, cell, RADIUS, look.color("hover"), look.color("line_soft"))
        middle = cell.center()
        drawing = look.pixmap(icon, 20, "text2", self.devicePixelRatioF())
        paint.pixmap(painter, middle.x() - 9, middle.y() - 10, drawing)
        place = QRect(cell.left() + 8, middle.y() + 4, cell.width() - 16, 18)
        paint.text(painter, place, words, look.font("small"), look.color("text2"), Qt.AlignmentFlag.AlignHCenter)

    def _paint_count(self, painter: QPainter, cell: QRect, hidden: int) -> None:
        place = QRect(cell.right() - 43, cell.bottom() - 27, 36, 20)
        paint.box(painter, place, 10, self._look.color("raised"), self._look.color("line"))
        font = self._look.font("small", MEDIUM)
        paint.text(painter, place, f"+{hidden}", font, self._look.color("text"), Qt.AlignmentFlag.AlignHCenter)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        for cell, attachment in zip(self._cells(self.width()), self._media, strict=False):
            if cell.contains(event.position().toPoint()):
                set_tip(self, attachment.alt or attachment.name)
