"""The card of one account: who, how it stands, what it may do, what is planned, and the one thing to do next."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from sendoff.ui.accounts.facts import Action, Facts
from sendoff.ui.accounts.parts import network_tile
from sendoff.ui.theme import MEDIUM, STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import SMALL, Button, IconButton
from sendoff.ui.widgets.field import TextField
from sendoff.ui.widgets.focus import ring
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.state import Icon, Spinner
from sendoff.ui.widgets.surface import CARD_RADIUS, Card, Divider

HEIGHT, FOOT, SIDE = 180, 40, 16
LINES = 2


class AccountCard(Card):
    """One account. Enter or a click opens what is known of it; the foot has the one thing to do next.

    `opened` and `acted` come when that is wanted, `menu_wanted` with the place, `renamed` with the new name.
    """

    opened = Signal()
    acted = Signal()
    menu_wanted = Signal(QPoint)
    renamed = Signal(str)

    def __init__(self, look: Look, facts: Facts) -> None:
        super().__init__(look, padding=0)
        self.facts = facts
        self._pressed = self._marked = False
        self.setFixedHeight(HEIGHT)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        ring(self, CARD_RADIUS)
        self.body.setContentsMargins(1, 0, 1, 0)
        self.body.setSpacing(0)
        self.body.addWidget(self._top())
        self.body.addWidget(self._middle(), 1)
        self.body.addWidget(Divider(look))
        self.body.addWidget(self._foot())
        self.show_facts(facts, "")

    def _top(self) -> QWidget:
        look = self._look
        self.name = Label(look, "", weight=STRONG, elide=True)
        self._handle = Label(look, "", size="small", color="text2", elide=True)
        self.field = TextField(look, "New name")
        self.field.hide()
        self.field.editingFinished.connect(self._take_name)
        self.menu = IconButton(look, "ellipsis", "More", run=self.ask_for_menu)
        names = QVBoxLayout()
        names.setSpacing(0)
        for part in (self.name, self._handle, self.field):
            names.addWidget(part)
        box = QWidget()
        box.setFixedHeight(54)
        row = QHBoxLayout(box)
        row.setContentsMargins(SIDE, 14, 10, 4)
        row.setSpacing(12)
        row.addWidget(network_tile(look, self.facts.title, self.facts.mark, 36))
        row.addLayout(names, 1)
        row.addWidget(self.menu, 0, Qt.AlignmentFlag.AlignTop)
        return box

    def _middle(self) -> QWidget:
        look = self._look
        self._icon, self._spinner = Icon(look), Spinner(look)
        self.health = Label(look, "", weight=MEDIUM, elide=True)
        row = QHBoxLayout()
        row.setSpacing(6)
        for part in (self._icon, self._spinner):
            row.addWidget(part)
        row.addWidget(self.health, 1)
        grid = QGridLayout()
        grid.setContentsMargins(0, 5, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.setColumnMinimumWidth(0, 52)
        grid.setColumnStretch(1, 1)
        self._lines = []
        for number in range(LINES):
            label, value = Label(look, "", color="text2"), Label(look, "", elide=True)
            grid.addWidget(label, number, 0)
            grid.addWidget(value, number, 1)
            self._lines.append((label, value))
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(SIDE, 7, SIDE, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addLayout(grid)
        column.addStretch(1)
        return box

    def _foot(self) -> QWidget:
        look = self._look
        self._note = Label(look, "", size="small", color="text2", elide=True)
        self._link = Button(look, kind="link", size=SMALL, run=self.acted.emit)
        self._strong = Button(look, kind="primary", size=SMALL, run=self.acted.emit)
        box = QWidget()
        box.setFixedHeight(FOOT - 1)
        row = QHBoxLayout(box)
        row.setContentsMargins(SIDE, 0, 8, 0)
        row.setSpacing(8)
        row.addWidget(self._note, 1)
        row.addWidget(self._link)
        row.addWidget(self._strong)
        return box

    # --- what it shows --------------------------------------------------------------------------------------------

    def show_facts(self, facts: Facts, step: str) -> None:
        """Takes new facts. `step` says what is being done with the account right now, "" for nothing."""
        self.facts = facts
        self.name.setText(facts.account.name)
        self._handle.setText(facts.account.handle or facts.title)
        self.menu.set_name(f"More about {facts.account.name}")
        self._show_health(facts, step)
        for (label, value), (name, words) in zip(self._lines, (*facts.lines, ("", ""))[:LINES], strict=False):
            label.setText(name)
            value.setText(words)
        self._note.setText(facts.foot)
        self._show_action(facts, step)
        self.set_line(facts.edge)
        self.setAccessibleName(f"{facts.said}, {step}" if step else facts.said)

    def _show_health(self, facts: Facts, step: str) -> None:
        color = "text2" if step else f"{facts.health.token}.text"
        self.health.setText(step or facts.health.word)
        self.health.set_color(color)
        self._icon.set_icon(facts.health.icon, color)
        self._icon.setVisible(not step)
        self._spinner.setVisible(bool(step))

    def _show_action(self, facts: Facts, step: str) -> None:
        had_focus = self._link.hasFocus() or self._strong.hasFocus()
        strong = facts.action is Action.SIGN_IN
        for button, shown in ((self._link, not strong), (self._strong, strong)):
            button.setText(facts.action or "")
            button.setAccessibleName(f"{facts.action}: {facts.account.name}")
            button.setVisible(shown and facts.action is not None and not step)
        if had_focus and not (self._link.hasFocus() or self._strong.hasFocus()):
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def button(self) -> Button:
        """The one in the foot."""
        return self._strong if self.facts.action is Action.SIGN_IN else self._link

    def mark(self, marked: bool) -> None:
        """Sets it off as the one that was asked for, until something else is done."""
        self._marked = marked
        self.update()

    # --- renaming -------------------------------------------------------------------------------------------------

    def rename(self) -> None:
        """Turns the name into a field: Enter or leaving it takes the new name, Esc keeps the old one."""
        self.field.setText(self.facts.account.name)
        self._show_field(True)
        self.field.selectAll()
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def stop_renaming(self) -> None:
        """Leaves the name as it is."""
        had_focus = self.field.hasFocus()
        self.field.clear()
        self._show_field(False)
        if had_focus:  # not at once: the key that ended it is still on its way to this card
            QTimer.singleShot(0, self, lambda: self.setFocus(Qt.FocusReason.OtherFocusReason))

    def _take_name(self) -> None:
        name = " ".join(self.field.text().split())
        if not self.field.isHidden():
            self.stop_renaming()
            if name and name != self.facts.account.name:
                self.renamed.emit(name)

    def _show_field(self, shown: bool) -> None:
        self.field.setVisible(shown)
        self.name.setVisible(not shown)
        self._handle.setVisible(not shown)

    # --- hands ----------------------------------------------------------------------------------------------------

    def ask_for_menu(self) -> None:
        """Wants the menu, below the button that has it."""
        self.menu_wanted.emit(self.menu.mapToGlobal(QPoint(0, self.menu.height() + 4)))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            self.ask_for_menu()
        else:
            self.menu_wanted.emit(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self.field.isHidden():
            self.stop_renaming()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.hasFocus():
            self.opened.emit()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = event.button() is Qt.MouseButton.LeftButton

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed and self.rect().contains(event.position().toPoint()):
            self.opened.emit()
        self._pressed = False

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look, edge = self._look, "accent.fill" if self._marked else self._edge
        fill = "accent.tint" if self._marked else "hover" if self.underMouse() else self._ground
        paint.box(painter, self.rect(), CARD_RADIUS, look.color(fill), look.color(edge))
        painter.end()
