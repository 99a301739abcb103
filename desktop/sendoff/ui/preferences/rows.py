"""The lines of the preferences: what is set at the left, its control at the right, what is wrong with it below."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QCompleter, QHBoxLayout, QListView, QVBoxLayout, QWidget

from sendoff.domain.errors import BadInput
from sendoff.domain.when import parse_late
from sendoff.store.settings import Setting
from sendoff.ui.theme import MEDIUM, STRONG, Look
from sendoff.ui.widgets.choice import ComboBox, Switch
from sendoff.ui.widgets.field import TextField
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.surface import Card, Divider

CONTROL = 240
"""How wide fields and lists are, in px."""


class Row(QWidget):
    """A label with a sentence below it, and a control at the right."""

    def __init__(self, look: Look, label: str, words: str, control: QWidget) -> None:
        super().__init__()
        self._words = words
        self.control = control
        self.label = Label(look, label, weight=MEDIUM, wrap=True)
        self.below = Label(look, words, color="text2", wrap=True)
        self.below.setVisible(bool(words))
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addStretch(1)
        texts.addWidget(self.label)
        texts.addWidget(self.below)
        texts.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 12, 16, 12)
        row.setSpacing(24)
        row.addLayout(texts, 1)
        control.setAccessibleName(control.accessibleName() or label)
        control.setAccessibleDescription(words)
        row.addWidget(control, 0, Qt.AlignmentFlag.AlignVCenter)
        self.setMinimumHeight(56)

    def set_words(self, words: str) -> None:
        """Changes the sentence below the label."""
        self._words = words
        self.set_wrong("")

    def set_wrong(self, sentence: str) -> None:
        """Says in its place what is wrong; "" takes it back."""
        self.below.setText(sentence or self._words)
        self.below.set_color("failed.text" if sentence else "text2")
        self.below.setVisible(bool(sentence or self._words))
        self.control.setAccessibleDescription(sentence or self._words)


class SettingRow(Row):
    """One setting. `change` is called with a new value when the person chose one."""

    def __init__(self, look: Look, setting: Setting, change: Callable[[SettingRow, str], object]) -> None:
        self.setting, self._change, self._stored = setting, change, setting.default
        super().__init__(look, setting.label, setting.help, self._make(look))
        if setting.kind == "switch":
            self.setCursor(Qt.CursorShape.PointingHandCursor)

    def _make(self, look: Look) -> QWidget:
        setting = self.setting
        if setting.kind == "switch":
            switch = Switch(look, "")
            switch.clicked.connect(lambda on: self._chosen("yes" if on else "no"))
            return switch
        if setting.kind == "choice":
            combo = ComboBox(look, setting.label, setting.choices)
            combo.setFixedWidth(CONTROL)
            combo.chosen.connect(self._chosen)
            return combo
        field = TextField(look, setting.label)
        field.setFixedWidth(CONTROL)
        field.editingFinished.connect(self.typed)
        return field

    def typed(self) -> None:
        """Takes what stands in the field."""
        assert isinstance(self.control, TextField)
        self._chosen(self.control.text().strip())

    def take(self, text: str) -> None:
        """Takes a text that was offered."""
        assert isinstance(self.control, TextField)
        self.control.setText(text)
        self.typed()

    def _chosen(self, value: str) -> None:
        if value != self._stored:
            self._change(self, value)
        else:
            self.set_wrong("")

    def show_value(self, value: str) -> None:
        """Shows what is stored; what is being typed stays."""
        self._stored = value
        if isinstance(self.control, Switch):
            self.control.setChecked(value == "yes")
        elif isinstance(self.control, ComboBox):
            self.control.set_choices(_with(self.setting, value))
            self.control.set_value(value)
        elif isinstance(self.control, TextField) and not self.control.hasFocus() and not self.is_wrong:
            self.control.setText(value)

    @property
    def is_wrong(self) -> bool:
        return self.below.text() != self._words

    def set_wrong(self, sentence: str) -> None:
        super().set_wrong(sentence)
        if isinstance(self.control, TextField):
            self.control.set_wrong(bool(sentence))

    def refuse(self, sentence: str) -> None:
        """Says why the value was not taken; a switch or a list goes back, a text stays to be corrected."""
        if not isinstance(self.control, TextField):
            self.show_value(self._stored)
        self.set_wrong(sentence)

    def take_back(self) -> None:
        """Puts back what is stored."""
        self.set_wrong("")
        if isinstance(self.control, TextField):
            self.control.setText(self._stored)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and isinstance(self.control, TextField):
            self.take_back()
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The words of a switch belong to it."""
        if isinstance(self.control, Switch) and self.rect().contains(event.position().toPoint()):
            self.control.click()


def _with(setting: Setting, value: str) -> list[tuple[str, str]]:
    """The choices, and what the command line may have set besides."""
    choices = list(setting.choices)
    if value not in dict(choices):
        choices.append((value, _own_words(setting, value)))
    return choices


def _own_words(setting: Setting, value: str) -> str:
    try:
        return parse_late(value).words if setting.name == "late" else value
    except BadInput:
        return value


class ZoneCompleter(QCompleter):
    """Completes time zones by any part of their names; a blank stands for the underscore."""

    def __init__(self, look: Look, zones: list[str], parent: QWidget) -> None:
        super().__init__(zones, parent)
        self.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setFilterMode(Qt.MatchFlag.MatchContains)
        self.setMaxVisibleItems(8)
        view = QListView()
        view.setFont(look.font())
        view.setObjectName("completions")
        view.setAccessibleName("Time zones")
        self.setPopup(view)

    def splitPath(self, path: str) -> list[str]:
        return [path.strip().replace(" ", "_")]


class Section(QWidget):
    """A heading and a card of rows."""

    def __init__(self, look: Look, title: str, words: str = "") -> None:
        super().__init__()
        self.title = title
        self._look = look
        self._card = Card(look, padding=0)
        self._card.body.setSpacing(0)
        self._lines: dict[Row, Divider] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(Label(look, title, size="lead", weight=STRONG))
        if words:
            column.addWidget(Label(look, words, color="text2", wrap=True))
        column.addWidget(self._card)
        self.setAccessibleName(title)

    def add(self, row: Row) -> None:
        """Puts a row below the others."""
        if self._card.body.count():
            self._lines[row] = Divider(self._look)
            self._card.body.addWidget(self._lines[row])
        self._card.body.addWidget(row)

    def set_shown(self, row: Row, shown: bool) -> None:
        """Shows a row and the line above it, or neither."""
        row.setVisible(shown)
        if row in self._lines:
            self._lines[row].setVisible(shown)
