"""The words of a post as a network shows them: marked, and folded after a few lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import (
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from sendoff.domain.text import Mark, Span, graphemes, marks
from sendoff.domain.words import counted
from sendoff.ui.composer.preview.model import Cut
from sendoff.ui.theme import Look
from sendoff.ui.widgets.focus import ring

SPACE = "\N{NO-BREAK SPACE}"
WIDTHS = 6
"""For so many widths the lines are kept: a layout asks for several before it decides."""

WORD, OPENING = 24, "([{“‘«„"
"""Where no space is among so many code points, words are not told apart by spaces, or one is longer than a line. And
what opens something does not stand at the end."""

_SPACE = re.compile(r"\s+\S*\Z")

FARTHEST = 10_000
"""Code points that are looked at. No network takes more, and breaking a book into lines would hold up the typing."""


Marked = Callable[[str], Sequence[Span]]


@dataclass(frozen=True, slots=True)
class _Broken:
    """The words in lines. `more` is where those that unfold them begin, in UTF-16 units; None where none are."""

    layout: QTextLayout
    height: int
    more: int | None


class PostText(QWidget):
    """The words. A click or Enter unfolds them; what is over the limit is marked then.

    Args:
        lines: how many are shown before they are folded.
    """

    def __init__(self, look: Look, *, lines: int = 5, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look, self._limit = look, lines
        self._text, self._cut, self._open = "", Cut(0, 0), False
        self._marked: Marked = marks
        self._broken: dict[int, _Broken] = {}  # by width
        self._option = QTextOption()
        self._option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMouseTracking(True)
        ring(self, 4)
        look.changed.connect(self._restyle)

    def show_text(self, text: str, cut: Cut, marked: Marked = marks) -> None:
        """Shows a text; unfolded stays unfolded while it is being written.

        Args:
            marked: finds what the network makes a link, a mention or a tag.
        """
        text = text[:FARTHEST]
        if (text, cut, marked) == (self._text, self._cut, self._marked):
            return
        self._text, self._cut, self._marked = text, cut, marked
        self.setAccessibleName(text)
        self._open = self._open and bool(text)
        self._anew()

    @property
    def shown(self) -> str:
        """What can be read now."""
        return self._lines(self.width()).layout.text().replace("\u2028", "\n").replace(SPACE, " ")

    @property
    def folds(self) -> bool:
        return self._lines(self.width()).more is not None

    def toggle(self) -> None:
        """Unfolds the words, or folds them again."""
        if self.folds:
            self._open = not self._open
            self._anew()

    # --- breaking -------------------------------------------------------------------------------------------------

    def _anew(self) -> None:
        self._broken.clear()
        self._take_focus_if_folded()
        self.updateGeometry()
        self.update()

    def _take_focus_if_folded(self) -> None:
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if self.folds else Qt.FocusPolicy.NoFocus)

    def _restyle(self) -> None:
        self._broken.clear()
        self.update()

    def _lines(self, width: int) -> _Broken:
        if width not in self._broken:
            if len(self._broken) == WIDTHS:
                self._broken.clear()
            self._broken[width] = self._break(max(width, 1))
        return self._broken[width]

    def _break(self, width: int) -> _Broken:
        whole = self._laid(self._text, width)
        if not self._cut.over and whole.lineCount() <= self._limit:
            return self._finished(self._text, "", width)
        if self._open:
            return self._finished(self._text, f" Show{SPACE}less", width)
        if self._cut.over:
            fits, hidden = self._text[: self._cut.fits].rstrip(), f"over by {self._cut.over}"
        else:
            fits, hidden = self._text, counted(whole.lineCount() - self._limit, "more line", "more lines")
        return self._shortened(fits, f" …{SPACE}" + hidden.replace(" ", SPACE), width)

    def _shortened(self, text: str, suffix: str, width: int) -> _Broken:
        """As many words as leave room for the suffix in the last line; only that line is broken again and again."""
        layout = self._laid(text, width)
        if layout.lineCount() > self._limit:
            text = _points(text, layout.lineAt(self._limit).textStart()).rstrip()
        last = max(min(layout.lineCount(), self._limit) - 1, 0)
        before = _points(text, layout.lineAt(last).textStart()) if text else ""
        tail = text[len(before) :]
        while tail and self._laid(tail + suffix, width).lineCount() > self._limit - last:
            tail = _without_last(tail)
        return self._finished(self._whole(before + tail), suffix, width)

    def _whole(self, shown: str) -> str:
        """What is shown of the words, without the beginning of a link, a mention, a tag or a word that goes on."""
        end = len(shown)
        split = next((one for one in self._marked(self._text) if 0 < one.start < end < one.end), None)
        if split is not None:
            end = split.start
        elif shown and self._text[end : end + 1].strip() and (space := _SPACE.search(shown, max(end - WORD, 0))):
            end = space.start()
        return shown[:end].rstrip().rstrip(OPENING).rstrip()

    def _finished(self, text: str, suffix: str, width: int) -> _Broken:
        layout = self._laid(text + suffix, width, self._formats(text, suffix))
        height = max(layout.lineCount(), 1) * self._look.line_height()
        return _Broken(layout, height, _units(text) if suffix else None)

    def _laid(self, words: str, width: int, formats: Sequence[QTextLayout.FormatRange] = ()) -> QTextLayout:
        layout = QTextLayout(words.replace("\n", "\u2028"), self._look.font())
        layout.setTextOption(self._option)
        layout.setFormats(formats)
        height, number = self._look.line_height(), 0
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(width)
            line.setPosition(QPointF(0, number * height + (height - line.height()) / 2))
            number += 1
        layout.endLayout()
        return layout

    def _formats(self, text: str, suffix: str) -> list[QTextLayout.FormatRange]:
        found = [
            self._range(text, span.start, span.end, "accent.text")
            for span in self._marked(text)
            if span.mark is not Mark.FIELD
        ]
        if self._open and self._cut.over:
            found.append(self._range(text, self._cut.fits, len(text), "failed.text", "failed.tint"))
        if suffix:
            whole = text + suffix
            found.append(self._range(whole, len(text), len(whole), "accent.text" if self._open else "text2"))
            if not self._open and self._cut.over:
                number = len(whole) - len(str(self._cut.over))
                found.append(self._range(whole, number, len(whole), "failed.text", "failed.tint"))
        return found

    def _range(self, text: str, start: int, end: int, color: str, ground: str = "") -> QTextLayout.FormatRange:
        made = QTextLayout.FormatRange()
        made.start = _units(text[:start])
        made.length = _units(text[start:end])
        style = QTextCharFormat()
        style.setForeground(self._look.color(color))
        if ground:
            style.setBackground(self._look.color(ground))
            style.setFontUnderline(True)
        made.format = style
        return made

    # --- size, painting, hands ------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(240, self._look.line_height())  # the height goes by the width

    def minimumSizeHint(self) -> QSize:
        return QSize(40, self._look.line_height())

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._lines(width).height

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._take_focus_if_folded()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self._look.color("text"))
        self._lines(self.width()).layout.draw(painter, QPointF(0, 0))
        painter.end()

    def _is_more(self, at: QPointF) -> bool:
        """Whether a place is on the words that unfold."""
        broken = self._lines(self.width())
        if broken.more is None:
            return False
        line = broken.layout.lineAt(min(int(at.y() // self._look.line_height()), broken.layout.lineCount() - 1))
        return line.isValid() and line.xToCursor(at.x()) > broken.more

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over = self._is_more(event.position())
        self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self._is_more(event.position()):
            self.toggle()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.toggle()
        else:
            super().keyPressEvent(event)


def _without_last(text: str) -> str:
    """A text without its last word, or where words are long, without its last character."""
    if " " in text[-WORD:]:
        return text.rpartition(" ")[0].rstrip()
    return text[: -len(graphemes(text[-WORD:])[-1])].rstrip()


def _units(text: str) -> int:
    """How long a text is for Qt: in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _points(text: str, units: int) -> str:
    """The beginning of a text that has so many UTF-16 units."""
    return text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "ignore")
