"""What lies on the page: cards, lines, headers, and the picture of an empty one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import LARGE, Button
from sendoff.ui.widgets.focus import ring
from sendoff.ui.widgets.label import Label

CARD_RADIUS = 10


class Card(QFrame):
    """A box on the page, with a layout of its own in `body`. `line` is the token of its edge."""

    def __init__(
        self, look: Look, *, line: str = "line", fill: str = "card", padding: int = 16, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._look, self._edge, self._ground = look, line, fill
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(padding, padding, padding, padding)
        self.body.setSpacing(8)

    def set_line(self, line: str) -> None:
        self._edge = line
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.box(painter, self.rect(), CARD_RADIUS, self._look.color(self._ground), self._look.color(self._edge))
        painter.end()


class CardButton(QAbstractButton):
    """A card that is pressed as a whole; children are laid out in `body` and let the mouse through."""

    def __init__(
        self,
        look: Look,
        name: str,
        *,
        padding: int = 14,
        run: Callable[[], object] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._look = look
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.body = QHBoxLayout(self)
        self.body.setContentsMargins(padding, padding, padding, padding)
        self.body.setSpacing(12)
        ring(self, CARD_RADIUS)
        if run is not None:
            self.clicked.connect(lambda _checked=False: run())

    def add(self, part: QWidget, stretch: int = 0) -> None:
        part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.body.addWidget(part, stretch)

    def sizeHint(self) -> QSize:
        return self.body.sizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        over = self.isEnabled() and (self.underMouse() or self.isDown())
        fill = "neutral.5" if self.isDown() else "neutral.4" if over else "card"
        paint.box(painter, self.rect(), CARD_RADIUS, self._look.color(fill), self._look.color("line"))
        painter.end()


class Divider(QFrame):
    """A line of 1 px. `soft` inside a card, else between parts of the window."""

    def __init__(self, look: Look, *, upright: bool = False, soft: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look, self._token = look, "line_soft" if soft else "line"
        across, along = QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        self.setSizePolicy(along if upright else across, across if upright else along)
        if upright:
            self.setFixedWidth(1)
        else:
            self.setFixedHeight(1)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._look.color(self._token))
        painter.end()


class Header(QWidget):
    """The top of a page, 56 px: title (and what belongs to it) at the left, controls at the right.

    With `back` it is the header of a page that one goes back from: an arrow and the name of where to.
    With `line` there is a line below it.
    """

    def __init__(
        self,
        look: Look,
        title: str = "",
        *,
        back: str = "",
        go_back: Callable[[], object] | None = None,
        line: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._look, self._line = look, line
        self.setFixedHeight(56)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(20, 0, 16, 0)
        self._row.setSpacing(8)
        self._back: Button | None = None
        if back:
            self._back = Button(look, back, kind="quiet", icon="arrow-left", run=go_back)
            self._row.addWidget(self._back)
            self._row.addSpacing(4)
        size = "lead" if back else "title"
        self.title = Label(look, title, size=size, weight=STRONG, elide=True)
        self.aside = Label(look, "", color="text2", elide=True)
        self.aside.hide()
        self._row.addWidget(self.title)
        self._row.addWidget(self.aside)
        self._row.addStretch(1)

    def set_title(self, title: str, aside: str = "") -> None:
        """The title, and quieter words beside it, which give way to it."""
        self.title.setText(title)
        self.title.setMinimumWidth(self.title.sizeHint().width() if aside else 0)
        self.aside.setText(aside)
        self.aside.setVisible(bool(aside))

    def set_back(self, words: str) -> None:
        """Where the arrow leads, for a page that one comes to from several others."""
        if self._back is not None:
            self._back.setText(words)

    def add(self, part: QWidget) -> None:
        """Puts a control at the right end."""
        self._row.addWidget(part)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._line:
            painter = QPainter(self)
            painter.fillRect(0, self.height() - 1, self.width(), 1, self._look.color("line"))
            painter.end()


class Picture(QWidget):
    """One of Sendoff's own drawings, in the theme's colours."""

    def __init__(
        self, look: Look, name: str, width: int = 160, height: int = 104, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._look, self._name = look, name
        self.setFixedSize(width, height)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        drawn = self._look.picture(self._name, self.width(), self.height(), self.devicePixelRatioF())
        painter.drawPixmap(QPointF(0, 0), drawn)
        painter.end()


class EmptyState(QWidget):
    """What an empty page teaches: one picture, a few words, one button."""

    def __init__(
        self,
        look: Look,
        picture: str,
        title: str,
        sentence: str,
        *,
        button: Button | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(32, 32, 32, 32)
        column.setSpacing(0)
        column.addStretch(4)
        column.addWidget(Picture(look, picture), 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(24)
        self.title = Label(look, title, size="lead", weight=STRONG, align=Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.title, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(4)
        self.sentence = Label(look, sentence, color="text2", wrap=True, align=Qt.AlignmentFlag.AlignHCenter)
        self.sentence.setMaximumWidth(400)
        column.addWidget(self.sentence, 0, Qt.AlignmentFlag.AlignHCenter)
        if button is not None:
            column.addSpacing(20)
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(5)


def primary(look: Look, words: str, run: Callable[[], object], *, icon: str = "") -> Button:
    """The one button of an empty page."""
    return Button(look, words, kind="primary", icon=icon, size=LARGE, run=run)
