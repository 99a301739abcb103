"""Picks a day, a time and a zone; what is picked becomes words in the When field."""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta
from zoneinfo import available_timezones

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sendoff.domain.errors import BadInput
from sendoff.domain.when import MONTHS, WEEKDAYS, When, clock_text, parse_when, zone_info
from sendoff.ui.theme import MEDIUM, STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import SMALL, Button, IconButton
from sendoff.ui.widgets.choice import ComboBox
from sendoff.ui.widgets.field import TextField
from sendoff.ui.widgets.focus import ring
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.popup import Popup

CELL_WIDTH, CELL_HEIGHT = 41, 32
FIRST_DAYS = {"monday": calendar.MONDAY, "sunday": calendar.SUNDAY, "saturday": calendar.SATURDAY}
QUICK = ("in 1 hour", "tomorrow 9:00", "mon 9:00")


class Picker(Popup):
    """Floats above the When field. `picked` carries words and the zone that they are read in."""

    picked = Signal(str, str)

    def __init__(
        self, look: Look, when: When | None, zone: str, now: datetime, week_start: str, parent: QWidget
    ) -> None:
        super().__init__(look, "Pick a time", parent)
        self._now = now
        zone = when.zone if when else zone
        today = now.astimezone(zone_info(zone)).date()
        start = when.wall if when else datetime.combine(today + timedelta(days=1), datetime.min.time()).replace(hour=9)
        self.month = MonthGrid(look, start.date(), today, FIRST_DAYS.get(week_start, 0))
        self.time = TextField(look, "Time", icon="clock")
        self.time.setText(clock_text(start))
        self.time.setFixedWidth(106)
        self.setFixedWidth(7 * CELL_WIDTH + 32)
        self.zone = ComboBox(look, "Time zone", [(name, name) for name in _zones(zone)], icon="globe")
        self.zone.set_value(zone)
        self._title = Label(look, "", weight=STRONG)
        self._wrong = Label(look, "", size="small", color="failed.text", wrap=True)
        self._wrong.hide()
        self._build()
        self.month.moved.connect(self._show_month)
        self.month.taken.connect(self._take)
        self.time.returnPressed.connect(self._take)
        self._show_month()

    def _build(self) -> None:
        look = self._look
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(8)
        quick = QHBoxLayout()
        quick.setSpacing(4)
        for words in QUICK:
            said = words[0].upper() + words[1:]
            quick.addWidget(Button(look, said, size=SMALL, run=lambda words=words: self._take_words(words)))  # type: ignore[misc]
        quick.addStretch(1)
        column.addLayout(quick)
        head = QHBoxLayout()
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(IconButton(look, "chevron-left", "Month before", run=lambda: self.month.turn(-1)))
        head.addWidget(IconButton(look, "chevron-right", "Month after", run=lambda: self.month.turn(1)))
        column.addLayout(head)
        column.addWidget(self.month)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.time)
        row.addWidget(self.zone, 1)
        column.addLayout(row)
        column.addWidget(self._wrong)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(Button(look, "Cancel", size=SMALL, kind="quiet", run=self.close))
        self.take_button = Button(look, "Take it", size=SMALL, kind="primary", run=self._take)
        foot.addWidget(self.take_button)
        column.addLayout(foot)

    def open_at(self, anchor: QWidget) -> None:
        """Shows itself above the field, or below where there is no room."""
        self.adjustSize()
        at = anchor.mapToGlobal(QPoint(0, -4 - self.height()))
        if at.y() < anchor.screen().availableGeometry().top():
            at = anchor.mapToGlobal(QPoint(0, anchor.height() + 4))
        self.move(at)
        self.show()
        self.month.setFocus(Qt.FocusReason.PopupFocusReason)

    def _show_month(self) -> None:
        day = self.month.day
        self._title.setText(f"{MONTHS[day.month - 1]} {day.year}")

    def _take(self) -> None:
        day = self.month.day
        self._take_words(f"{day.day} {MONTHS[day.month - 1][:3]} {day.year} {self.time.text().strip()}")

    def _take_words(self, words: str) -> None:
        zone = self.zone.value()
        try:
            parse_when(words, self._now, zone)
        except BadInput as wrong:
            if not getattr(wrong, "choices", ()):
                self._wrong.setText(f"“{self.time.text().strip()}” is not a time of day. Write it like 9:00 or 17:30.")
                self._wrong.show()
                self.time.set_wrong(True)
                self.adjustSize()
                return
        self.close()
        self.picked.emit(words, zone)


def _zones(own: str) -> list[str]:
    """The zones of the world, one's own and UTC first."""
    places = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix")))
    return list(dict.fromkeys((own, "UTC", *places)))


class MonthGrid(QWidget):
    """A month. Arrows walk by days, Page Up and Down by months; Enter or a second click takes the day."""

    moved = Signal()
    taken = Signal()

    def __init__(self, look: Look, day: date, today: date, first: int) -> None:
        super().__init__()
        self._look, self._today, self._first = look, today, first
        self.day = day
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedSize(7 * CELL_WIDTH, 24 + 6 * CELL_HEIGHT)
        self._say()
        ring(self, 6)

    def go(self, day: date) -> None:
        """Chooses a day."""
        self.day = max(day, date(1970, 1, 1))
        self._say()
        self.moved.emit()
        self.update()

    def turn(self, months: int) -> None:
        """Goes so many months on."""
        number = self.day.year * 12 + self.day.month - 1 + months
        year, month = divmod(number, 12)
        if not 1970 <= year <= 9998:
            return
        self.go(date(year, month + 1, min(self.day.day, calendar.monthrange(year, month + 1)[1])))

    def _say(self) -> None:
        self.setAccessibleName(f"{WEEKDAYS[self.day.weekday()]} {self.day.day} {MONTHS[self.day.month - 1]}")

    def _corner(self) -> date:
        """The day in the first cell."""
        first = self.day.replace(day=1)
        return first - timedelta(days=(first.weekday() - self._first) % 7)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -7, Qt.Key.Key_Down: 7}
        if key in steps:
            self.go(self.day + timedelta(days=steps[key]))
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self.turn(-1 if key == Qt.Key.Key_PageUp else 1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.taken.emit()
        else:
            super().keyPressEvent(event)

    def day_at(self, place: QPoint) -> date | None:
        column, row = place.x() // CELL_WIDTH, (place.y() - 24) // CELL_HEIGHT
        if not (0 <= column < 7 and 0 <= row < 6 and place.y() >= 24):
            return None
        return self._corner() + timedelta(days=7 * row + column)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if day := self.day_at(event.position().toPoint()):
            self.go(day)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.day_at(event.position().toPoint()):
            self.taken.emit()

    def sizeHint(self) -> QSize:
        return self.size()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look, centre = self._look, Qt.AlignmentFlag.AlignHCenter
        for column in range(7):
            name = WEEKDAYS[(self._first + column) % 7][:2]
            place = QRect(column * CELL_WIDTH, 0, CELL_WIDTH, 24)
            paint.text(painter, place, name, look.font("small", MEDIUM), look.color("text3"), centre)
        corner = self._corner()
        for number in range(42):
            self._paint_day(painter, corner + timedelta(days=number), number)
        painter.end()

    def _paint_day(self, painter: QPainter, day: date, number: int) -> None:
        look = self._look
        cell = QRect(number % 7 * CELL_WIDTH, 24 + number // 7 * CELL_HEIGHT, CELL_WIDTH, CELL_HEIGHT)
        inside = QRect(cell.center().x() - 13, cell.center().y() - 13, 28, 28)
        chosen, today = day == self.day, day == self._today
        if chosen:
            paint.box(painter, inside, 6, look.color("accent.fill"))
        elif today:
            paint.box(painter, inside, 6, None, look.color("accent.line"))
        color = "accent.on" if chosen else "text" if day.month == self.day.month else "text3"
        font = look.font("base", STRONG if chosen or today else 400, figures=True)
        dim = day < self._today and not chosen
        paint.text(
            painter, inside, str(day.day), font, look.color("text3" if dim else color), Qt.AlignmentFlag.AlignHCenter
        )
