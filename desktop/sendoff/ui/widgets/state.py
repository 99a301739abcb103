"""Small painted signs: states, counts, tiles and the ring that fills with a counter."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QFontMetrics, QGuiApplication, QHideEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sendoff.ui.states import Face
from sendoff.ui.theme import MEDIUM, STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.tip import set_tip

PILL_HEIGHT = 22


def pill_width(look: Look, words: str) -> int:
    return QFontMetrics(look.font("small", STRONG)).horizontalAdvance(words) + 14 + 6 + 16


def draw_pill(painter: QPainter, rect: QRect, face: Face, look: Look, words: str = "") -> None:
    """A state as icon and word on its tint, filling `rect`; also for delegates."""
    paint.box(painter, rect, 6, look.color(f"{face.token}.tint"))
    ratio = painter.device().devicePixelRatioF()
    middle = rect.top() + rect.height() / 2
    paint.pixmap(painter, rect.left() + 8, middle, look.pixmap(face.icon, 14, f"{face.token}.text", ratio))
    room = rect.adjusted(28, 0, -6, 0)
    paint.text(painter, room, words or face.word, look.font("small", STRONG), look.color(f"{face.token}.text"))


class _Sign(QWidget):
    """What is only looked at, and has a fixed size."""

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()


class Pill(_Sign):
    """A state: icon, word and tint. `words` replace the usual word ("Held by Mastodon")."""

    def __init__(self, look: Look, face: Face, words: str = "", parent: QWidget | None = None) -> None:
        super().__init__(look, parent)
        self.set_face(face, words)

    def set_face(self, face: Face, words: str = "") -> None:
        self._face, self._words = face, words or face.word
        self.setAccessibleName(self._words)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(pill_width(self._look, self._words), PILL_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        draw_pill(painter, self.rect(), self._face, self._look, self._words)
        painter.end()


class StateIcon(_Sign):
    """A state where there is no room for its word; the tooltip says it. With `tile` it stands on its tint."""

    def __init__(
        self, look: Look, face: Face, *, size: int = 14, tile: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(look, parent)
        self._size, self._tile = size, tile
        self.set_face(face)

    def set_face(self, face: Face) -> None:
        self._face = face
        self.setAccessibleName(face.word)
        set_tip(self, face.word)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._size, self._size)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        icon = self._size
        if self._tile:
            paint.box(painter, self.rect(), 6, self._look.color(f"{self._face.token}.tint"))
            icon = self._size // 2
        drawing = self._look.pixmap(self._face.icon, icon, f"{self._face.token}.text", self.devicePixelRatioF())
        paint.pixmap(painter, (self.width() - icon) / 2, self.height() / 2, drawing)
        painter.end()


class Icon(_Sign):
    """An outline icon beside words that say the same."""

    def __init__(
        self, look: Look, icon: str = "", *, color: str = "text2", size: int = 16, parent: QWidget | None = None
    ) -> None:
        super().__init__(look, parent)
        self._size = size
        self.set_icon(icon, color)

    def set_icon(self, icon: str, color: str = "text2") -> None:
        """Shows another icon; "" none."""
        self._icon, self._color = icon, color
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._size, self._size)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._icon:
            painter = QPainter(self)
            drawing = self._look.pixmap(self._icon, self._size, self._color, self.devicePixelRatioF())
            paint.pixmap(painter, 0, self.height() / 2, drawing)
            painter.end()


class Spinner(_Sign):
    """Turns while something is under way. Stands still where the system is told to blink nothing."""

    STEP, PACE = 30, 60  # degrees, ms

    def __init__(self, look: Look, *, size: int = 16, parent: QWidget | None = None) -> None:
        super().__init__(look, parent)
        self._size, self._angle = size, 90
        self._timer = QTimer(self)
        self._timer.setInterval(self.PACE)
        self._timer.timeout.connect(self._turn)

    def _turn(self) -> None:
        self._angle = (self._angle - self.STEP) % 360
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if QGuiApplication.styleHints().cursorFlashTime() > 0:
            self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def sizeHint(self) -> QSize:
        return QSize(self._size, self._size)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inside = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        painter.setPen(QPen(self._look.color("neutral.6"), 2))
        painter.drawEllipse(inside)
        pen = QPen(self._look.color("accent.fill"), 2)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawArc(inside, self._angle * 16, -100 * 16)
        painter.end()


def draw_badge(painter: QPainter, rect: QRect, words: str, look: Look) -> None:
    """A count of what needs the person, in a pill that fills `rect`."""
    paint.box(painter, rect, rect.height() / 2, look.color("doubt.tint"), look.color("doubt.line"))
    font = look.font("small", STRONG)
    paint.text(painter, rect, words, font, look.color("doubt.text"), Qt.AlignmentFlag.AlignHCenter)


class Badge(_Sign):
    """A count; hidden at 0."""

    def __init__(self, look: Look, count: int = 0, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(look, parent)
        self._name = name
        self.set_count(count)

    def set_count(self, count: int) -> None:
        self._count = count
        self.setAccessibleName(f"{count} {self._name}".strip())
        self.setVisible(count > 0)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(badge_width(self._look, str(self._count)), 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        draw_badge(painter, self.rect(), str(self._count), self._look)
        painter.end()


def badge_width(look: Look, words: str) -> int:
    return max(20, QFontMetrics(look.font("small", STRONG)).horizontalAdvance(words) + 12)


class Tile(_Sign):
    """A rounded square: a network's mark in its own colour, an icon, or the first letter of a name.

    `accent` puts it on the accent's tint.
    """

    def __init__(
        self,
        look: Look,
        *,
        mark: str = "",
        icon: str = "",
        letter: str = "",
        size: int = 40,
        accent: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(look, parent)
        self._mark, self._icon, self._size, self._accent = mark, icon, size, accent
        self.set_letter(letter)

    def set_letter(self, name: str) -> None:
        """Shows the first letter of a name."""
        self._letter = name.strip()[:1].upper()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._size, self._size)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look, ratio = self._look, self.devicePixelRatioF()
        fill, line = ("accent.tint", "accent.line") if self._accent else ("hover", "line_soft")
        paint.box(painter, self.rect(), 6 if self._size < 40 else 8, look.color(fill), look.color(line))
        inner = {22: 14, 28: 14, 32: 16, 36: 18, 40: 20, 44: 22}.get(self._size, self._size // 2)
        if self._mark:
            drawing = look.mark(self._mark, inner, "", ratio)
            paint.pixmap(painter, (self._size - inner) / 2, self._size / 2, drawing)
        elif self._icon:
            drawing = look.pixmap(self._icon, inner, "accent.text" if self._accent else "text", ratio)
            paint.pixmap(painter, (self._size - inner) / 2, self._size / 2, drawing)
        else:
            font = look.font("small" if self._size < 28 else "base", STRONG)
            color = look.color("accent.text" if self._accent else "text2")
            paint.text(painter, self.rect(), self._letter, font, color, Qt.AlignmentFlag.AlignHCenter)
        painter.end()


class ProgressRing(_Sign):
    """18 px that fill with a counter; over the limit it is red, with a minus before what is too much.

    `left` is what may still be written; None where there is no limit.
    """

    SIZE, STROKE = 18, 2.5

    def __init__(self, look: Look, used: int = 0, limit: int | None = None, parent: QWidget | None = None) -> None:
        super().__init__(look, parent)
        self.set_count(used, limit)

    def set_count(self, used: int, limit: int | None) -> None:
        self._used, self._limit = used, limit
        said = f"{used} characters" if limit is None else f"{used} of {limit} characters"
        self.setAccessibleName(said)
        set_tip(self, said)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self.SIZE, self.SIZE)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        draw_ring(painter, QRectF(self.rect()), self._used, self._limit, self._look)
        painter.end()


def draw_ring(painter: QPainter, rect: QRectF, used: int, limit: int | None, look: Look) -> None:
    """The ring itself, for delegates and chips too."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inside = rect.adjusted(1.5, 1.5, -1.5, -1.5)
    over = limit is not None and used > limit
    painter.setPen(QPen(look.color("failed.line" if over else "neutral.6"), ProgressRing.STROKE))
    painter.drawEllipse(inside)
    if limit and not over and used:
        pen = QPen(look.color("accent.fill"), ProgressRing.STROKE)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawArc(inside, 90 * 16, -round(360 * 16 * used / limit))


class Dot(_Sign):
    """8 px with a halo of 3 px, in a state's colours."""

    def __init__(self, look: Look, state: str = "sent", parent: QWidget | None = None) -> None:
        super().__init__(look, parent)
        self._state = state

    def set_state(self, state: str) -> None:
        """Takes a state of the tokens: "sent", "missed", "doubt", "failed"."""
        self._state = state
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(14, 14)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._look.color(f"{self._state}.tint"))
        painter.drawEllipse(QRectF(0, 0, 14, 14))
        painter.setBrush(self._look.color(f"{self._state}.line"))
        painter.drawEllipse(QRectF(3, 3, 8, 8))
        painter.end()


class Keys(_Sign):
    """A shortcut as keys: "Ctrl+Shift+K" is three."""

    def __init__(self, look: Look, keys: str, parent: QWidget | None = None) -> None:
        super().__init__(look, parent)
        self._keys = keys
        self.setAccessibleName(keys)

    def sizeHint(self) -> QSize:
        return QSize(keys_width(self._look, self._keys), 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        draw_keys(painter, self.width(), self.height() // 2, self._keys, self._look)
        painter.end()


def keys_width(look: Look, keys: str) -> int:
    metrics = QFontMetrics(look.font("small", MEDIUM))
    caps = keys.split("+") if keys else []
    return sum(max(20, metrics.horizontalAdvance(cap) + 12) + 4 for cap in caps) - (4 if caps else 0)


def draw_keys(painter: QPainter, right: int, middle: int, keys: str, look: Look) -> None:
    """Draws key caps that end at `right`."""
    font = look.font("small", MEDIUM)
    metrics, left = QFontMetrics(font), right - keys_width(look, keys)
    for cap in keys.split("+"):
        place = QRect(left, middle - 10, max(20, metrics.horizontalAdvance(cap) + 12), 20)
        paint.box(painter, place, 4, None, look.color("control"))
        paint.text(painter, place, cap, font, look.color("text2"), Qt.AlignmentFlag.AlignHCenter)
        left += place.width() + 4
