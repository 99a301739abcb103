"""Fields for text: one line, several lines, and a field with its label and what is wrong with it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from sendoff.ui.theme import MEDIUM, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import NORMAL, RADIUS, IconButton
from sendoff.ui.widgets.focus import ring
from sendoff.ui.widgets.label import Label


class TextField(QLineEdit):
    """One line of text.

    Args:
        name: what a screen reader calls it.
        icon: an outline icon before the text.
        hint: shown while it is empty.
        keys: a shortcut shown at the right while it is empty; not bound by this.
        secret: the characters are hidden, and a button shows them.
        clear: a button empties it.
    """

    def __init__(
        self,
        look: Look,
        name: str,
        *,
        icon: str = "",
        hint: str = "",
        keys: str = "",
        size: int = NORMAL,
        secret: bool = False,
        clear: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._look, self._icon, self._keys, self._wrong = look, icon, keys, False
        self.setAccessibleName(name)
        self.setPlaceholderText(hint)
        self.setFont(look.font())
        self.setFixedHeight(size)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self._button: IconButton | None = None
        if secret:
            self.setEchoMode(QLineEdit.EchoMode.Password)
            self._button = IconButton(look, "eye", "Show it", size=24, run=self._reveal, parent=self)
        elif clear:
            self._button = IconButton(look, "x", "Clear", size=24, run=self.clear, parent=self)
            self._button.hide()
            self.textChanged.connect(self._show_clear)
        if self._button:
            self._button.setFocusPolicy(Qt.FocusPolicy.NoFocus if clear else Qt.FocusPolicy.TabFocus)
        self.setTextMargins(36 if icon else 10, 0, 32 if self._button else 10, 0)
        ring(self, RADIUS)

    def set_wrong(self, wrong: bool) -> None:
        """Marks what was typed as not usable; the words for it stand beside the field."""
        self._wrong = wrong
        self.update()

    def _show_clear(self, words: str) -> None:
        if self._button:
            self._button.setVisible(bool(words))

    def _reveal(self) -> None:
        hidden = self.echoMode() is QLineEdit.EchoMode.Password
        self.setEchoMode(QLineEdit.EchoMode.Normal if hidden else QLineEdit.EchoMode.Password)
        if self._button:
            self._button.set_icon("eye-off" if hidden else "eye")
            self._button.set_name("Hide it" if hidden else "Show it")

    def sizeHint(self) -> QSize:
        return QSize(200, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._button:
            self._button.move(self.width() - 28, (self.height() - 24) // 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        line = "failed.line" if self._wrong else ("neutral.8" if self.underMouse() else "control")
        fill = "input" if self.isEnabled() else "hover"
        paint.box(painter, self.rect(), RADIUS, self._look.color(fill), self._look.color(line))
        if self._icon:
            drawing = self._look.pixmap(self._icon, 16, "text2", self.devicePixelRatioF())
            paint.pixmap(painter, 11, self.height() / 2, drawing)
        if self._keys and not self.text():
            font = self._look.font("small", MEDIUM)
            place = self.rect().adjusted(0, 0, -11, 0)
            paint.text(painter, place, self._keys, font, self._look.color("text3"), Qt.AlignmentFlag.AlignRight)
        painter.end()
        super().paintEvent(event)


class TextArea(QFrame):
    """Several lines of text in a box; `edit` is the text field itself."""

    def __init__(
        self,
        look: Look,
        name: str,
        *,
        hint: str = "",
        lines: int = 4,
        mono: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._look, self._wrong = look, False
        self.edit = QPlainTextEdit(self)
        self.edit.setAccessibleName(name)
        self.edit.setPlaceholderText(hint)
        self.edit.setFont(look.font("small", mono=True) if mono else look.font())
        self.edit.setTabChangesFocus(True)
        self.edit.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.edit.document().setDocumentMargin(0)
        self.setFixedHeight(lines * QFontMetrics(self.edit.font()).lineSpacing() + 20)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(11, 10, 8, 8)
        layout.addWidget(self.edit)
        self.setFocusProxy(self.edit)
        ring(self.edit, RADIUS, around_parent=True)

    def set_wrong(self, wrong: bool) -> None:
        """Marks what was typed as not usable; the words for it stand beside the field."""
        self._wrong = wrong
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        line = "failed.line" if self._wrong else "control"
        paint.box(painter, self.rect(), RADIUS, self._look.color("input"), self._look.color(line))
        painter.end()


class Beside(QWidget):
    """A text field with a button at its right: to paste, to choose a file."""

    def __init__(self, edit: TextField, button: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.edit, self.button = edit, button
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(edit, 1)
        row.addWidget(button)
        self.setFocusProxy(edit)

    def set_wrong(self, wrong: bool) -> None:
        self.edit.set_wrong(wrong)


class Field(QWidget):
    """A label, the field below it, and below that help or what is wrong."""

    def __init__(
        self, look: Look, label: str, field: QWidget, help_text: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.field, self._help = field, help_text
        self._label = Label(look, label, weight=MEDIUM)
        self._label.setBuddy(field)
        self._below = Label(look, help_text, size="small", color="text3", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for part in (self._label, field, self._below):
            layout.addWidget(part)
        self._label.setVisible(bool(label))
        self._below.setVisible(bool(help_text))
        field.setAccessibleDescription(help_text)

    def set_help(self, words: str) -> None:
        """Changes the help, where it depends on something else."""
        self._help = words
        self.set_wrong("")

    def set_wrong(self, sentence: str) -> None:
        """Says what is wrong with what was typed; "" takes it back."""
        self._below.setText(sentence or self._help)
        self._below.set_color("failed.text" if sentence else "text3")
        self._below.setVisible(bool(sentence or self._help))
        self.field.setAccessibleDescription(sentence or self._help)
        if isinstance(self.field, TextField | TextArea | Beside):
            self.field.set_wrong(bool(sentence))
