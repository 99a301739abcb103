"""Where it goes: a chip for each account, with what is left to write, and the menu that adds more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from sendoff.domain.account import Account
from sendoff.domain.words import counted
from sendoff.ui.composer.assess import Eyes, Seat
from sendoff.ui.theme import MEDIUM, STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.flow import FlowLayout
from sendoff.ui.widgets.focus import ring
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.menu import Menu
from sendoff.ui.widgets.state import ProgressRing, draw_ring
from sendoff.ui.widgets.tip import set_tip

HEIGHT, RADIUS = 36, 8
TEXT_AT = 33
WIDEST = 102
"""The handle on a chip is elided beyond this, in px."""

WIDEST_WHOLE = 190
"""So much room has a whole handle or a name, where the handle alone would be another account's too, in px."""


def short_handle(account: Account) -> str:
    """A handle without its server, as long as that tells enough."""
    words = account.handle or account.name
    return "@" + words[1:].split("@")[0] if words.startswith("@") else words


def labels(eyes: Eyes, look: Look) -> dict[int, str]:
    """What names each account beside its mark: its short handle, its whole one, or its name, which no other has."""
    font = QFontMetrics(look.font("base", MEDIUM))
    found, unclear = {}, list(eyes.known)
    for words in (short_handle, lambda one: one.handle, lambda one: one.name):
        alike: dict[tuple[str, str], list[int]] = {}
        for one in unclear:
            found[one] = words(eyes.known[one])
            alike.setdefault((eyes.mark(one), elided(font, found[one], eyes.known[one])), []).append(one)
        unclear = [one for same in alike.values() if len(same) > 1 for one in same]
    return found


def elided(font: QFontMetrics, label: str, account: Account) -> str:
    """A label as it stands on the chip. What tells a whole handle apart may be its end."""
    if label == short_handle(account):
        return font.elidedText(label, Qt.TextElideMode.ElideRight, WIDEST)
    return font.elidedText(label, Qt.TextElideMode.ElideMiddle, WIDEST_WHOLE)


class AccountChip(QAbstractButton):
    """One account, on or off: mark, handle, a ring that fills, and what is left."""

    def __init__(self, look: Look, account: Account, mark: str) -> None:
        super().__init__()
        self._look, self._mark = look, mark
        self.account = account
        self._label = short_handle(account)
        self._seat = Seat(0, None)
        self.menu_for: Callable[[QPoint], object] | None = None
        self.setCheckable(True)
        self.setChecked(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.toggled.connect(self._say)
        ring(self, RADIUS)
        self._say()

    def set_seat(self, seat: Seat) -> None:
        if seat != self._seat:
            self._seat = seat
            self.updateGeometry()
            self._say()

    def name_it(self, account: Account, label: str) -> None:
        """Shows the account as it is now, under a label; see `labels`."""
        if (account.name, label) != (self.account.name, self._label):
            self.account, self._label = account, label
            self.updateGeometry()
            self._say()

    @property
    def label(self) -> str:
        """What stands on the chip."""
        return self._handle()

    @property
    def left(self) -> int | None:
        """What may still be written; None where there is no limit."""
        return None if self._seat.limit is None else self._seat.limit - self._seat.used

    @property
    def is_over(self) -> bool:
        return self.isChecked() and self.left is not None and self.left < 0

    def words(self) -> str:
        """What stands behind the ring: "325", or "−25"."""
        return "" if self.left is None else f"{self.left}".replace("-", "−")

    def _say(self, _checked: bool = True) -> None:
        name = self.account.name
        if not self.isChecked():
            said = f"{name}: it does not go there"
        elif self.left is None:
            said = name
        elif self.left < 0:
            said = f"{name}: {counted(-self.left, 'character', 'characters')} too many"
        else:
            said = f"{name}: {counted(self.left, 'character', 'characters')} left"
        self.setAccessibleName(said)
        set_tip(self, said if self.account.handle in ("", name) else f"{said}\n{self.account.handle}")
        self.update()

    # --- size and paint -------------------------------------------------------------------------------------------

    def _handle(self) -> str:
        return elided(QFontMetrics(self._look.font("base", MEDIUM)), self._label, self.account)

    def _shows_ring(self) -> bool:
        return self.isChecked() and self._seat.limit is not None

    def sizeHint(self) -> QSize:
        width = TEXT_AT + QFontMetrics(self._look.font("base", MEDIUM)).horizontalAdvance(self._handle()) + 11
        if self._shows_ring():
            figures = QFontMetrics(self._look.font("base", STRONG if self.is_over else 400, figures=True))
            width += 6 + ProgressRing.SIZE + 6 + figures.horizontalAdvance(self.words())
        return QSize(width, HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look, ratio = self._look, self.devicePixelRatioF()
        on, over = self.isChecked(), self.is_over
        fill = "failed.tint" if over else "hover" if self.underMouse() else "raised" if on else "surface"
        line = "failed.line" if over else "line" if on else "line_soft"
        paint.box(painter, self.rect(), RADIUS, look.color(fill), look.color(line))
        middle = self.height() / 2
        if self._mark:
            paint.pixmap(painter, 10, middle, look.mark(self._mark, 16, "" if on else "text3", ratio))
        handle = self._handle()
        color = look.color("failed.text" if over else "text" if on else "text3")
        font = look.font("base", MEDIUM)
        used = paint.text(painter, QRect(TEXT_AT, 0, WIDEST_WHOLE + 2, self.height()), handle, font, color)
        if self._shows_ring():
            self._paint_ring(painter, TEXT_AT + used + 6, over)
        painter.end()

    def _paint_ring(self, painter: QPainter, left: int, over: bool) -> None:
        place = QRectF(left, (self.height() - ProgressRing.SIZE) / 2, ProgressRing.SIZE, ProgressRing.SIZE)
        draw_ring(painter, place, self._seat.used, self._seat.limit, self._look)
        room = QRect(left + ProgressRing.SIZE + 6, 0, self.width() - left, self.height())
        font = self._look.font("base", STRONG if over else 400, figures=True)
        paint.text(painter, room, self.words(), font, self._look.color("failed.text" if over else "text2"))

    # --- hands ----------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.click()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self.menu_for is not None:
            self.menu_for(event.globalPos())


class AddTile(QAbstractButton):
    """A dashed tile that opens something: adds an account, adds a file."""

    def __init__(self, look: Look, icon: str, name: str, size: QSize, run: Callable[[], object]) -> None:
        super().__init__()
        self._look, self._icon, self._size = look, icon, size
        self.setAccessibleName(name)
        set_tip(self, name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFixedSize(size)
        self.clicked.connect(lambda _checked=False: run())
        ring(self, RADIUS)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.underMouse():
            paint.box(painter, self.rect(), RADIUS, self._look.color("hover"))
        pen = QPen(self._look.color("slot_line"), 1)
        pen.setDashPattern([3, 3])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        drawing = self._look.pixmap(self._icon, 16, "text2", self.devicePixelRatioF())
        paint.pixmap(painter, (self.width() - 16) / 2, self.height() / 2, drawing)
        painter.end()


class Accounts(QWidget):
    """The row of chips. `changed` comes when the person chose other accounts; `add_wanted` to connect a new one."""

    changed = Signal()
    add_wanted = Signal()
    customise_wanted = Signal(int)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._eyes: Eyes | None = None
        self._chips: dict[int, AccountChip] = {}
        self.setAccessibleName("Accounts")
        self._flow = FlowLayout(self, gap=8)
        self._hint = Label(look, "", color="text2")
        self.add_tile = AddTile(look, "plus", "Add an account to this post", QSize(34, HEIGHT), self.open_menu)
        self.menu = Menu(look, parent=self)
        self.menu.aboutToShow.connect(self._fill_menu)
        self._hint.setFixedHeight(HEIGHT)
        self.connect_button = Button(
            look, "Connect an account", icon="plus", size=HEIGHT, run=self.add_wanted.emit
        )  # fmt: skip
        self._flow.addWidget(self.connect_button)
        self._flow.addWidget(self.add_tile)
        self._flow.addWidget(self._hint)

    # --- what is chosen -------------------------------------------------------------------------------------------

    def show_accounts(self, eyes: Eyes, chosen: Iterable[int]) -> None:
        """Shows chips for these accounts, and no others."""
        self._eyes = eyes
        for one in list(self._chips):
            self._drop(one)
        for one in chosen:
            self._chip(one)
        self._name_chips()
        self._say()

    def know(self, eyes: Eyes) -> None:
        """Takes accounts as they are now; chips of those that are gone go."""
        self._eyes = eyes
        for one in [one for one in self._chips if one not in eyes.known]:
            self._drop(one)
        self._name_chips()
        self._say()

    def chosen(self) -> tuple[int, ...]:
        return tuple(one for one, chip in self._chips.items() if chip.isChecked())

    def choose(self, account_id: int, on: bool = True) -> None:
        """Chooses an account, or takes it out; its chip stays to put it back."""
        self._chip(account_id, on=on)
        self._name_chips()
        self._say()
        self.changed.emit()

    def chip(self, account_id: int) -> AccountChip | None:
        return self._chips.get(account_id)

    def set_seats(self, seats: Mapping[int, Seat]) -> None:
        for one, chip in self._chips.items():
            chip.set_seat(seats.get(one, Seat(0, None)))

    def _chip(self, account_id: int, *, on: bool = True) -> None:
        assert self._eyes is not None
        chip = self._chips.get(account_id)
        if chip is None:
            chip = AccountChip(self._look, self._eyes.known[account_id], self._eyes.mark(account_id))
            chip.clicked.connect(self._clicked)
            chip.menu_for = lambda at, one=account_id: self._chip_menu(one, at)
            self._chips[account_id] = chip
            self._flow.removeWidget(self.add_tile)
            self._flow.removeWidget(self._hint)
            self._flow.addWidget(chip)
            self._flow.addWidget(self.add_tile)  # these two stay behind the last chip
            self._flow.addWidget(self._hint)
            QWidget.setTabOrder(chip, self.add_tile)
            chip.show()
        chip.setChecked(on)

    def _name_chips(self) -> None:
        if self._eyes is not None:
            words = labels(self._eyes, self._look)
            for one, chip in self._chips.items():
                chip.name_it(self._eyes.known[one], words[one])

    def _drop(self, account_id: int) -> None:
        chip = self._chips.pop(account_id)
        self._flow.removeWidget(chip)
        chip.hide()
        chip.deleteLater()

    def _clicked(self) -> None:
        self._say()
        self.changed.emit()

    def _say(self) -> None:
        known = self._eyes.known if self._eyes else {}
        self._hint.setText(
            "" if self.chosen() else "Choose where it goes" if known else "A post needs a place to go to"
        )
        self.connect_button.setVisible(not known)
        self.add_tile.setVisible(bool(known))
        self._hint.setVisible(bool(self._hint.text()))
        self._flow.invalidate()

    # --- the menus ------------------------------------------------------------------------------------------------

    def open_menu(self) -> None:
        self.menu.popup(self.add_tile.mapToGlobal(QPoint(0, HEIGHT + 4)))

    def _fill_menu(self) -> None:
        self.menu.clear()
        if self._eyes is None:
            return
        chosen = self.chosen()
        for one, account in self._eyes.known.items():
            if one not in chosen:
                words = account.name if account.handle in ("", account.name) else f"{account.name}   {account.handle}"
                action = self.menu.add(words, lambda one=one: self.choose(one))  # type: ignore[misc]
                if mark := self._eyes.mark(one):
                    action.setIcon(self._look.mark_icon(mark))
        if not self.menu.isEmpty():
            self.menu.addSeparator()
        self.menu.add("Connect another account…", self.add_wanted.emit, icon="plus")

    def _chip_menu(self, account_id: int, at: QPoint) -> None:
        menu = Menu(self._look, parent=self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.add("Give it its own text", lambda: self.customise_wanted.emit(account_id), icon="pencil")
        if account_id in self.chosen():
            menu.add("Take it out", lambda: self.choose(account_id, False), icon="x")
        else:
            menu.add("Put it back", lambda: self.choose(account_id), icon="undo-2")
        menu.popup(at)
