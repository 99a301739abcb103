"""The grid of a week: hours down, days across, a cached picture of the chips of each day, and what is painted over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QBrush, QFontMetrics, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from sendoff.domain.when import WEEKDAYS, When
from sendoff.store.timeline import Chip
from sendoff.ui.planner import days, layout
from sendoff.ui.planner.chips import RADIUS, ChipPainter
from sendoff.ui.planner.days import DAYS, Bend, Entry
from sendoff.ui.planner.drag import Drag
from sendoff.ui.planner.layout import Spot, lay_out, y_of
from sendoff.ui.theme import MEDIUM, STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.focus import paint_ring

GUTTER, HEADER = 56, 48
INSET, MARGIN = 4, 10
"""A chip begins so far right of its column's line, and is so much narrower than the column; px."""
WORK = (8, 19)
"""The hours that are not shaded on working days."""
FIRST_HOUR = 7
"""What stands at the top when the planner is first seen."""

Key = tuple[int, datetime]


class Grid(QAbstractScrollArea):
    """Shows a week. What is current, selected, pointed at or dragged is marked; hands and keys come with WeekView."""

    def __init__(self, look: Look, marks: Mapping[str, str]) -> None:
        super().__init__()
        self._look, self._marks = look, marks
        self._painter = ChipPainter(look, marks)
        self._first, self._zone = date(2000, 1, 3), "UTC"
        self._now = datetime(2000, 1, 3)
        self._entries: dict[date, tuple[Entry, ...]] = {}
        self._spots: dict[date, tuple[Spot, ...]] = {}
        self._bends: dict[date, Bend] = {}
        self._pixmaps: dict[date, QPixmap] = {}
        self._current: Key | None = None
        self._selected: set[Key] = set()
        self._hovered: Key | None = None
        self._drag: Drag | None = None
        self._scrolled = False
        self._by_keys = False  # whether the current chip was reached with the keyboard
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setViewportMargins(0, HEADER, 0, 0)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        self._header = _Header(self)
        look.changed.connect(self._restyle)

    # --- what it shows --------------------------------------------------------------------------------------------

    def show_days(self, first: date, zone: str, chips: Iterable[Chip], now: datetime) -> None:
        """Shows the chips of a week; only the days that changed are painted anew. `now` is the instant of asking."""
        found = days.by_day(chips, zone)
        if (first, zone) != (self._first, self._zone):
            self._entries, self._spots, self._pixmaps = {}, {}, {}
            self._first, self._zone = first, zone
            bends = {day: days.bend(day, zone) for day in days.days_of(first)}
            self._bends = {day: one for day, one in bends.items() if one is not None}
        self._now = When.at(now, zone).wall
        for day in days.days_of(first):
            if self._entries.get(day) != found.get(day, ()) or day not in self._spots:
                self._entries[day] = found.get(day, ())
                self._forget(day)
        self._header.update()
        self.viewport().update()

    def set_now(self, now: datetime) -> bool:
        """Moves the line for now; returns whether another day has begun."""
        before, self._now = self._now.date(), When.at(now, self._zone).wall
        self._header.update()
        self.viewport().update()
        return self._now.date() != before

    def _forget(self, day: date) -> None:
        self._spots[day] = lay_out(self._entries[day], self._chip_width(day))
        self._pixmaps.pop(day, None)

    def _all(self) -> list[Entry]:
        return [one for day in days.days_of(self._first) for one in self._entries.get(day, ())]

    def spots(self) -> list[Spot]:
        """All places, day by day in order."""
        return [spot for day in days.days_of(self._first) for spot in self._in_order(day)]

    def _in_order(self, day: date) -> list[Spot]:
        return sorted(self._spots.get(day, ()), key=lambda spot: (spot.entry.wall, spot.left))

    # --- geometry -------------------------------------------------------------------------------------------------

    def _x(self, column: int) -> int:
        return GUTTER + round(column * (self.viewport().width() - GUTTER) / DAYS)

    def _chip_width(self, day: date) -> int:
        column = (day - self._first).days
        return self._x(column + 1) - self._x(column) - MARGIN

    def _scroll(self) -> int:
        return self.verticalScrollBar().value()

    def _day_at(self, x: int) -> date:
        column = next((number for number in range(DAYS) if x < self._x(number + 1)), DAYS - 1)
        return self._first + timedelta(days=column)

    def _spot_at(self, at: QPoint) -> Spot | None:
        day = self._day_at(at.x())
        return next((spot for spot in self._spots.get(day, ()) if self.rect_of(spot).contains(at)), None)

    def _spot_of(self, key: Key | None) -> Spot | None:
        return next((spot for spots in self._spots.values() for spot in spots if _holds(spot, key)), None)

    def rect_of(self, spot: Spot) -> QRect:
        """Where a spot is in the viewport."""
        left = self._x((spot.entry.wall.date() - self._first).days) + INSET
        return QRect(left + spot.left, spot.top - self._scroll(), spot.width, spot.height)

    def _reveal(self, spot: Spot) -> None:
        rect, bar = self.rect_of(spot), self.verticalScrollBar()
        if rect.top() < 8:
            bar.setValue(bar.value() + rect.top() - 8)
        elif rect.bottom() > self.viewport().height() - 8:
            bar.setValue(bar.value() + rect.bottom() - self.viewport().height() + 8)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._header.setGeometry(0, 0, self.width(), HEADER)
        bar, height = self.verticalScrollBar(), self.viewport().height()
        bar.setRange(0, max(0, layout.HEIGHT - height))
        bar.setPageStep(height)
        bar.setSingleStep(layout.HOUR // 2)
        for day in days.days_of(self._first):
            if day in self._entries:
                self._forget(day)
        if not self._scrolled and height > 100:
            self._scroll_to_work()

    def _scroll_to_work(self) -> None:
        """The working hours at the top, or as far up or down as it takes to see now."""
        top, now, room = FIRST_HOUR * layout.HOUR, self._now_y(), layout.TALL + 12
        if now is not None:
            now += self._scroll()
            top = min(max(top, now + room - self.viewport().height()), max(now - room, 0))
        self.verticalScrollBar().setValue(top)

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        self.viewport().update()

    # --- painting -------------------------------------------------------------------------------------------------

    def _restyle(self) -> None:
        self._painter = ChipPainter(self._look, self._marks)
        self._pixmaps.clear()
        self._header.update()
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), self._look.color("surface"))
        painter.setClipRect(event.rect())
        self._paint_ground(painter)
        self._paint_now(painter)
        for column, day in enumerate(days.days_of(self._first)):
            painter.drawPixmap(QPoint(self._x(column), -self._scroll()), self._pixmap(day))
        self._paint_over(painter)
        painter.end()

    def _pixmap(self, day: date) -> QPixmap:
        """The chips of a day as one picture, made once."""
        ratio, column = self.devicePixelRatioF(), (day - self._first).days
        kept = self._pixmaps.get(day)
        if kept is not None and kept.devicePixelRatio() == ratio:
            return kept
        width = self._x(column + 1) - self._x(column)
        made = QPixmap(round(width * ratio), round(layout.HEIGHT * ratio))
        made.setDevicePixelRatio(ratio)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        for spot in self._spots.get(day, ()):
            rect = QRect(INSET + spot.left, spot.top, spot.width, spot.height)
            self._painter.spot(painter, spot, rect)
        painter.end()
        self._pixmaps[day] = made
        return made

    def _paint_ground(self, painter: QPainter) -> None:
        """Shaded hours, lines and the hours at the left."""
        width, height, line = self.viewport().width(), self.viewport().height(), self._look.color("line_soft")
        off = self._look.color("off_hours")
        for column, day in enumerate(days.days_of(self._first)):
            left, right = self._x(column), self._x(column + 1)
            for start, end in _off_hours(day):
                painter.fillRect(QRect(left, start - self._scroll(), right - left, end - start), off)
            if day in self._bends:
                self._paint_bend(painter, left, right, self._bends[day])
        for hour in range(25):
            y = round(y_of(hour * 60)) - self._scroll()
            if -1 <= y <= height:
                painter.fillRect(GUTTER, y, width - GUTTER, 1, line)
        for column in range(DAYS):
            painter.fillRect(self._x(column), 0, 1, height, line)
        self._paint_hours(painter)

    def _paint_hours(self, painter: QPainter) -> None:
        look, now = self._look, self._now_y()
        font, color = look.font("small", figures=True), look.color("text3")
        for hour in range(24):
            y = round(y_of(hour * 60)) - self._scroll()
            if now is None or abs(y - now) > 12:
                rect = QRect(0, y - 8, GUTTER - 12, 16)
                paint.text(painter, rect, f"{hour:02}:00", font, color, Qt.AlignmentFlag.AlignRight)

    def _paint_bend(self, painter: QPainter, left: int, right: int, bend: Bend) -> None:
        """The hour that the clock skips or repeats, hatched."""
        top, bottom = round(y_of(bend.start)) - self._scroll(), round(y_of(bend.end)) - self._scroll()
        rect = QRect(left, top, right - left, bottom - top)
        painter.fillRect(rect, QBrush(self._look.color("slot_line"), Qt.BrushStyle.BDiagPattern))
        room = rect.adjusted(INSET + 4, 3, -8, 0)
        room.setHeight(16)
        words = "skipped" if bend.skipped else "twice"
        font = self._look.font("small", MEDIUM)
        wide = QFontMetrics(font).horizontalAdvance(words)
        painter.fillRect(QRect(room.left() - 4, room.top(), wide + 8, 16), self._look.color("off_hours"))
        paint.text(painter, room, words, font, self._look.color("text3"))

    def _now_y(self) -> int | None:
        """How far down now is in the viewport, if it is in this week."""
        if not self._first <= self._now.date() < self._first + timedelta(days=DAYS):
            return None
        return round(y_of(self._now.hour * 60 + self._now.minute)) - self._scroll()

    def _paint_now(self, painter: QPainter) -> None:
        y = self._now_y()
        if y is None:
            return
        look, column = self._look, (self._now.date() - self._first).days
        left, right = self._x(column), self._x(column + 1)
        painter.fillRect(QRect(left, y - 1, right - left, 2), look.color("accent.fill"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.color("accent.fill"))
        painter.drawEllipse(QRect(left - 4, y - 5, 10, 10))
        font = look.font("small", STRONG, figures=True)
        rect = QRect(0, y - 8, GUTTER - 12, 16)
        align = Qt.AlignmentFlag.AlignRight
        paint.text(painter, rect, f"{self._now:%H:%M}", font, look.color("accent.text"), align)

    def _paint_over(self, painter: QPainter) -> None:
        """What is pointed at, selected, current or dragged."""
        dragged = {one.chip.key for one in self._drag.entries} if self._drag else set()
        for day in days.days_of(self._first):
            for spot in self._spots.get(day, ()):
                key = spot.entry.chip.key
                if key in dragged:
                    veil = self._look.color("surface")
                    veil.setAlphaF(0.6)
                    painter.fillRect(self.rect_of(spot), veil)
                elif key in self._selected:
                    self._painter.edge(painter, self.rect_of(spot), "accent.fill", 2)
                elif key == self._hovered:
                    self._painter.edge(painter, self.rect_of(spot), "neutral.9", 1)
                if key == self._current and self._by_keys and self.hasFocus():
                    paint_ring(painter, self.rect_of(spot), RADIUS, self._look)
        if self._drag:
            self._paint_ghosts(painter, self._drag)

    def _paint_ghosts(self, painter: QPainter, drag: Drag) -> None:
        """Each chip at its new time; where that is past, in the colour of what will be refused."""
        for ghost in drag.ghosts():
            column = (ghost.wall.date() - self._first).days
            if 0 <= column < DAYS:
                top = round(y_of(ghost.minutes)) + 1 - self._scroll()
                width = self._x(column + 1) - self._x(column) - MARGIN
                rect = QRect(self._x(column) + INSET, top, width, layout.LOW)
                self._painter.chip(painter, rect, ghost)
                self._painter.edge(painter, rect, "failed.line" if ghost.wall < self._now else "accent.fill", 2)

    # --- the header -----------------------------------------------------------------------------------------------

    def paint_header(self, painter: QPainter) -> None:
        """Zone, weekdays and dates, with a circle for today."""
        look = self._look
        painter.fillRect(0, 0, self.width(), HEADER, look.color("surface"))
        rect = QRect(0, 0, GUTTER - 12, HEADER)
        zone = days.zone_short(self._first, self._zone)
        paint.text(painter, rect, zone, look.font("small"), look.color("text3"), Qt.AlignmentFlag.AlignRight)
        for column, day in enumerate(days.days_of(self._first)):
            self._paint_day(painter, self._x(column) + MARGIN, day)
        painter.fillRect(0, HEADER - 1, self.width(), 1, look.color("line"))

    def _paint_day(self, painter: QPainter, left: int, day: date) -> None:
        look, today = self._look, day == self._now.date()
        name, number = WEEKDAYS[day.weekday()][:3], str(day.day)
        font, color = look.font("base", STRONG if today else MEDIUM), "text" if today else "text2"
        used = paint.text(painter, QRect(left, 0, 60, HEADER), name, font, look.color(color))
        if today:
            circle = QRect(left + used + 8, HEADER // 2 - 13, 26, 26)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.color("accent.fill"))
            painter.drawEllipse(circle)
            align = Qt.AlignmentFlag.AlignHCenter
            paint.text(painter, circle, number, look.font("base", STRONG), look.color("accent.on"), align)
        else:
            room = QRect(left + used + 7, 0, 40, HEADER)
            paint.text(painter, room, number, look.font("lead", STRONG), look.color("text"))


class _Header(QWidget):
    """The line of days above the grid, which stays while that scrolls."""

    def __init__(self, grid: Grid) -> None:
        super().__init__(grid)
        self._grid = grid

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._grid.paint_header(painter)
        painter.end()


def _holds(spot: Spot, key: Key | None) -> bool:
    return any(one.chip.key == key for one in spot.entries)


def _off_hours(day: date) -> list[tuple[int, int]]:
    """From where to where a day's column is shaded, in px of the grid."""
    if day.weekday() >= 5:
        return [(0, layout.HEIGHT)]
    first, last = (round(y_of(hour * 60)) for hour in WORK)
    return [(0, first), (last, layout.HEIGHT)]
