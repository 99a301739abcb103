"""Paints a chip: time, marks, first words and the icon of its state, in as much room as there is."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen, QPixmap, QTextLayout, QTextOption

from sendoff.domain.delivery import State
from sendoff.store.timeline import ATTENTION, Chip
from sendoff.ui.planner.days import Entry
from sendoff.ui.planner.layout import Spot
from sendoff.ui.states import FACES
from sendoff.ui.theme import MEDIUM, STRONG, Look
from sendoff.ui.widgets import paint

RADIUS = 6
LINE = 17
"""The height of a line in a chip, px."""
MARK, ICON, STEP = 12, 14, 15
WIDE, NARROW = 96, 60
"""From how many px on a chip has its marks beside the time, and below how many it has no words."""
LOUD = frozenset({*ATTENTION, State.SENDING})
"""The states that get a tint: what needs a person, and what is leaving, which needs nobody and is no more than seen."""


@dataclass(frozen=True, slots=True)
class Paint:
    """The tokens of a chip's colours."""

    fill: str
    line: str
    time: str
    words: str
    weight: int


def colors_of(state: State) -> Paint:
    if state in LOUD:
        token = FACES[state].token
        return Paint(f"{token}.tint", f"{token}.line", "text", "text2", STRONG)
    if state is State.SENT:
        return Paint("surface", "line_soft", "text2", "text3", MEDIUM)
    return Paint("raised", "line", "text", "text2", STRONG)


class _Clock:
    """Writes times of day, which are all equally wide."""

    def __init__(self, font: QFont) -> None:
        metrics = QFontMetrics(font)
        self._font, self.width = font, metrics.horizontalAdvance("00:00")
        self._down = (LINE - metrics.height()) / 2 + metrics.ascent()

    def draw(self, painter: QPainter, left: int, top: int, words: str, color: QColor) -> None:
        painter.setFont(self._font)
        painter.setPen(color)
        painter.drawText(QPointF(left, top + self._down), words)


class ChipPainter:
    """Draws chips in the colours of now. `marks` are those of the channels by their kinds."""

    def __init__(self, look: Look, marks: Mapping[str, str]) -> None:
        self._look, self._marks = look, marks
        self._small = look.font("small")
        self._times = {weight: _Clock(look.font("small", weight, figures=True)) for weight in (MEDIUM, STRONG)}
        self._boxes: dict[tuple[int, int, str, str, float], QPixmap] = {}

    def marks_of(self, chip: Chip) -> list[str]:
        """The marks of a chip's networks, each once."""
        return list(dict.fromkeys(self._marks[seat.channel] for seat in chip.seats if seat.channel in self._marks))

    def spot(self, painter: QPainter, spot: Spot, rect: QRect) -> None:
        """A place of the grid as it is when nobody points at it."""
        if spot.more:
            self.more(painter, rect, spot)
        else:
            self.chip(painter, rect, spot.entry)

    def more(self, painter: QPainter, rect: QRect, spot: Spot) -> None:
        """What stands for chips that have no room; a state that must be seen shows through."""
        look, count, loud = self._look, len(spot.entries), spot.state in LOUD
        colors = colors_of(spot.state)
        self._box(painter, rect, colors.fill if loud else "surface", colors.line if loud else "line")
        words = f"+{count}" if count < 100 else "99+"
        place = QRect(rect.left(), rect.top() + 4, rect.width(), LINE) if loud else rect
        paint.text(
            painter, place, words, look.font("small", MEDIUM), look.color("text2"), Qt.AlignmentFlag.AlignHCenter
        )  # fmt: skip
        if loud:
            self._draw_icon(painter, rect.left() + (rect.width() - ICON) / 2, rect.top() + 4 + LINE * 1.5, spot.state)

    def chip(self, painter: QPainter, rect: QRect, entry: Entry, *, line: str = "") -> None:
        """One chip. `line` is the token of its edge instead of the state's own."""
        colors = colors_of(entry.chip.state)
        self._box(painter, rect, colors.fill, line or colors.line)
        if rect.width() < NARROW:
            self._narrow(painter, rect, entry, colors)
        else:
            self._with_words(painter, rect, entry, colors)

    def _box(self, painter: QPainter, rect: QRect, fill: str, line: str) -> None:
        """The box of a chip; hundreds look the same, so each kind is drawn once."""
        ratio = painter.device().devicePixelRatioF()
        key = (rect.width(), rect.height(), fill, line, ratio)
        made = self._boxes.get(key)
        if made is None:
            made = QPixmap(rect.size() * ratio)
            made.setDevicePixelRatio(ratio)
            made.fill(Qt.GlobalColor.transparent)
            within = QPainter(made)
            paint.box(within, QRect(QPoint(0, 0), rect.size()), RADIUS, self._look.color(fill), self._look.color(line))
            within.end()
            self._boxes[key] = made
        painter.drawPixmap(rect.topLeft(), made)

    def edge(self, painter: QPainter, rect: QRect, token: str, width: int) -> None:
        """A line of `width` px around a chip."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._look.color(token), width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        inset = width / 2
        painter.drawRoundedRect(rect.toRectF().adjusted(inset, inset, -inset, -inset), RADIUS - 1, RADIUS - 1)

    # --- the two ways ---------------------------------------------------------------------------------------------

    def _narrow(self, painter: QPainter, rect: QRect, entry: Entry, colors: Paint) -> None:
        """Time over mark and icon."""
        clock = self._times[colors.weight]
        pad = max(1, min(5, (rect.width() - clock.width) // 2))
        clock.draw(painter, rect.left() + pad, rect.top() + 4, entry.clock, self._look.color(colors.time))
        middle = rect.top() + 4 + LINE * 1.5
        marks = self.marks_of(entry.chip)
        if marks:
            self._draw_mark(painter, rect.left() + pad, middle, marks[0])
        self._draw_icon(painter, rect.right() + 1 - pad - ICON, middle, entry.chip.state)

    def _with_words(self, painter: QPainter, rect: QRect, entry: Entry, colors: Paint) -> None:
        """Time, marks and icon on the first line, the first words below; where it is close, marks before the words."""
        wide, chip = rect.width() >= WIDE, entry.chip
        pad = 9 if wide else 7
        left, top, right = rect.left() + pad, rect.top() + 4, rect.right() + 1 - (pad if wide else pad - 1)
        icon = right - ICON
        self._draw_icon(painter, icon, top + LINE / 2, chip.state)
        if wide and entry.foreign:
            icon -= STEP + 1
            drawing = self._look.pixmap("globe", MARK, "text3", painter.device().devicePixelRatioF())
            paint.pixmap(painter, icon + 1, top + LINE / 2, drawing)
        clock = self._times[colors.weight]
        clock.draw(painter, left, top, entry.clock, self._look.color(colors.time))
        words = QRect(left, top + LINE, right - left, LINE)
        begin = left
        if wide:
            self._draw_marks(painter, left + clock.width + 6, icon - 4, top + LINE / 2, chip, colors)
        else:
            begin = self._draw_marks(painter, left, left + MARK, words.top() + LINE / 2, chip, colors)
        lines = (rect.height() - 4) // LINE - 1
        self._draw_words(painter, words, begin - left, chip.excerpt, lines, self._look.color(colors.words))

    def _draw_words(self, painter: QPainter, rect: QRect, inset: int, words: str, lines: int, color: QColor) -> None:
        """The first line begins `inset` px further in, behind the marks."""
        for number, line in enumerate(wrapped(words, self._small, rect.width(), lines, inset)):
            place = rect.translated(0, number * LINE)
            paint.text(painter, place.adjusted(0 if number else inset, 0, 0, 0), line, self._small, color, side(words))

    def _draw_marks(
        self, painter: QPainter, left: int, right: int, middle: float, chip: Chip, colors: Paint
    ) -> int:  # fmt: skip
        """As many marks as fit, then "+n". Returns where the next thing may begin."""
        marks = self.marks_of(chip)
        fit = len(marks)
        if fit * STEP - 3 > right - left:
            fit = max(1, (right - left - 14) // STEP)
        for mark in marks[:fit]:
            self._draw_mark(painter, left, middle, mark)
            left += STEP
        if len(marks) > fit:
            room = QRect(left, round(middle) - LINE // 2, 24, LINE)
            left += 4 + paint.text(
                painter, room, f"+{len(marks) - fit}", self._small, self._look.color(colors.words)
            )  # fmt: skip
        return left

    def _draw_mark(self, painter: QPainter, left: float, middle: float, mark: str) -> None:
        paint.pixmap(painter, left, middle, self._look.mark(mark, MARK, "text2", painter.device().devicePixelRatioF()))

    def _draw_icon(self, painter: QPainter, left: float, middle: float, state: State) -> None:
        face, ratio = FACES[state], painter.device().devicePixelRatioF()
        paint.pixmap(painter, left, middle, self._look.pixmap(face.icon, ICON, f"{face.token}.text", ratio))


# --- words --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def is_rtl(words: str) -> bool:
    """Whether the first strong character is one of a script that is read from the right."""
    for character in words:
        kind = unicodedata.bidirectional(character)
        if kind in ("R", "AL"):
            return True
        if kind == "L":
            return False
    return False


def side(words: str) -> Qt.AlignmentFlag:
    """Where words begin."""
    return Qt.AlignmentFlag.AlignRight if is_rtl(words) else Qt.AlignmentFlag.AlignLeft


def wrapped(words: str, font: QFont, width: int, lines: int, inset: int = 0) -> list[str]:
    """The words on at most so many lines, the first of which is `inset` px shorter, and empty if no word fits there.

    A word that is longer than a line, and the last line, are elided. Each line keeps the direction of the whole.
    """
    metrics, rest = QFontMetrics(font), words
    found: list[str] = []
    direction = "\u200f" if is_rtl(words) else ""

    def elided(line: str, room: int) -> str:
        return direction + metrics.elidedText(line, Qt.TextElideMode.ElideRight, room).replace(" …", "…")

    while len(found) < lines - 1:
        room = width if found else width - inset
        if metrics.horizontalAdvance(rest) <= room:
            break
        line = rest[: _first_line(rest, font, room)].rstrip()
        if inset and not found and metrics.horizontalAdvance(line) > room:
            found.append("")
            continue
        found.append(elided(line, room))
        rest = rest[len(line) :].lstrip()
    if rest:
        found.append(elided(rest, width if found else width - inset))
    return found


def _first_line(words: str, font: QFont, width: int) -> int:
    """How many characters go on a line that breaks between words: at least the first one, whether it fits or not."""
    layout = QTextLayout(words[:400], font)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WordWrap)
    layout.setTextOption(option)
    layout.beginLayout()
    line = layout.createLine()
    line.setLineWidth(max(width, 1))
    length = line.textLength()
    layout.endLayout()
    # Qt counts UTF-16 units, Python characters.
    return len(words.encode("utf-16-le")[: 2 * length].decode("utf-16-le", "ignore")) or 1
