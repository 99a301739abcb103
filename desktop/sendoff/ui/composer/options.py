"""What only one network knows of a post: visibility, a content warning, tags; one row for each account."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from sendoff.domain.channel import Kind, Option
from sendoff.ui.composer.assess import Eyes
from sendoff.ui.theme import MEDIUM, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.choice import ComboBox, Switch
from sendoff.ui.widgets.field import Field, TextField
from sendoff.ui.widgets.focus import ring
from sendoff.ui.widgets.tip import set_tip

HEIGHT = 36


class Options(QWidget):
    """`changed` comes when an option of an account was changed."""

    changed = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._values: dict[int, dict[str, str]] = {}
        self.panels: dict[int, Panel] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 4, 0, 0)
        self._column.setSpacing(0)
        self.setAccessibleName("Options of the networks")
        self.hide()

    def show_options(self, values: Mapping[int, Mapping[str, str]]) -> None:
        """Takes what is set; see `show_accounts` for whom it is shown."""
        self._values = {one: dict(chosen) for one, chosen in values.items()}
        for panel in self.panels.values():
            self._column.removeWidget(panel)
            panel.hide()
            panel.deleteLater()
        self.panels = {}

    def show_accounts(self, eyes: Eyes, chosen: Sequence[int]) -> None:
        """Shows a row for each of these accounts whose network has options."""
        for one in [one for one in self.panels if one not in chosen]:
            panel = self.panels.pop(one)
            self._column.removeWidget(panel)
            panel.hide()
            panel.deleteLater()
        for one in chosen:
            account = eyes.known[one]
            channel = eyes.channels.get(account.channel)
            if one in self.panels or channel is None or not channel.options:
                continue
            panel = Panel(self._look, account.name, channel.mark, channel.options, self._values.get(one, {}))
            panel.changed.connect(lambda one=one: self._set(one))
            self.panels[one] = panel
            self._column.addWidget(panel)
        self.setVisible(bool(self.panels))

    def values(self) -> dict[int, Mapping[str, str]]:
        return {one: dict(values) for one, values in self._values.items() if values}

    def _set(self, account_id: int) -> None:
        self._values[account_id] = self.panels[account_id].values()
        self.changed.emit()


class Panel(QWidget):
    """One account's options: a row that says what is set, and below it, once opened, the fields."""

    changed = Signal()

    def __init__(self, look: Look, name: str, mark: str, options: Sequence[Option], values: Mapping[str, str]) -> None:
        super().__init__()
        self._look, self._options = look, options
        self._values = {one.name: one.default for one in options} | dict(values)
        self.fields: dict[str, QWidget] = {}
        self.head = _Head(look, name, mark, self.toggle)
        self._body: QWidget | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.head)
        self._say()

    def toggle(self) -> None:
        """Opens the fields, or closes them. They are made when they are first wanted: most stay as usual."""
        if self._body is None:
            self._body = self._make_body()
            self._column.addWidget(self._body)
        self._body.setVisible(self._body.isHidden())
        self.head.set_open(not self._body.isHidden())

    def _make_body(self) -> QWidget:
        body = QWidget()
        body.hide()
        grid = QGridLayout(body)
        grid.setContentsMargins(24, 4, 4, 16)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(12)
        for number, option in enumerate(self._options):
            field = _field(self._look, option, self._values[option.name], partial(self._take, option.name))
            self.fields[option.name] = field
            held = field if isinstance(field, Switch) else Field(self._look, option.label, field, option.help)
            grid.addWidget(held, number // 2, number % 2, Qt.AlignmentFlag.AlignTop)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        return body

    def values(self) -> dict[str, str]:
        """What differs from the usual; names of another version's options are kept."""
        usual = {one.name: one.default for one in self._options}
        return {name: value for name, value in self._values.items() if value != usual.get(name)}

    def _take(self, name: str) -> None:
        self._values[name] = _value(self.fields[name])
        self._say()
        self.changed.emit()

    def _say(self) -> None:
        set_here = self.values()
        said = [_summary(one, set_here[one.name]) for one in self._options if one.name in set_here]
        self.head.set_words(" · ".join(said) or "As usual")


def _summary(option: Option, value: str) -> str:
    """One option in few words."""
    if option.kind is Kind.SWITCH:
        return option.label
    return f"{option.label}: {dict(option.choices).get(value, value)}"


def _field(look: Look, option: Option, value: str, tell: Callable[[], object]) -> QWidget:
    if option.kind is Kind.CHOICE:
        choice = ComboBox(look, option.label, option.choices)
        choice.set_value(value)
        choice.chosen.connect(lambda _value: tell())
        return choice
    if option.kind is Kind.SWITCH:
        switch = Switch(look, option.label)
        switch.setChecked(value == "yes")
        set_tip(switch, option.help)
        switch.toggled.connect(lambda _on: tell())
        return switch
    field = TextField(look, option.label)
    field.setText(value)
    field.textChanged.connect(lambda _text: tell())
    return field


def _value(field: QWidget) -> str:
    if isinstance(field, ComboBox):
        return field.value()
    if isinstance(field, Switch):
        return "yes" if field.isChecked() else "no"
    assert isinstance(field, TextField)
    return field.text().strip()


class _Head(QAbstractButton):
    """The row that opens the fields: mark, account, what is set, a chevron."""

    def __init__(self, look: Look, name: str, mark: str, run: Callable[[], object]) -> None:
        super().__init__()
        self._look, self._name, self._mark, self._words, self._open = look, name, mark, "", False
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.clicked.connect(lambda _checked=False: run())
        ring(self, 6)

    def set_words(self, words: str) -> None:
        self._words = words
        self.setAccessibleName(f"Options of {self._name}: {words}")
        self.update()

    def set_open(self, is_open: bool) -> None:
        self._open = is_open
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(300, HEIGHT)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look, ratio, middle = self._look, self.devicePixelRatioF(), self.height() / 2
        if self.underMouse():
            paint.box(painter, self.rect(), 6, look.color("hover"))
        icon = "chevron-down" if self._open else "chevron-right"
        paint.pixmap(painter, 1, middle, look.pixmap(icon, 14, "text2", ratio))
        left = 24
        if self._mark:
            paint.pixmap(painter, left, middle, look.mark(self._mark, 14, "text2", ratio))
            left += 22
        font = look.font("base", MEDIUM)
        room = QRect(left, 0, min(220, self.width() // 2 - left), self.height())
        left += paint.text(painter, room, self._name, font, look.color("text"))
        room = QRect(left + 10, 0, self.width() - left - 16, self.height())
        paint.text(painter, room, self._words, look.font(), look.color("text2"))
        painter.end()
