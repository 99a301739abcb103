"""What stands against the post, the gravest first, each with what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from sendoff.domain.channel import Level
from sendoff.domain.words import counted
from sendoff.ui.composer.assess import FIXES, Matter
from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import SMALL, Button
from sendoff.ui.widgets.focus import ring
from sendoff.ui.widgets.label import Label

ICONS = {
    Level.ERROR: ("circle-alert", "failed.text"),
    Level.WARNING: ("triangle-alert", "doubt.text"),
    Level.NOTE: ("info", "text2"),
}
SIGN_IN = ("key-round", "signin.text")
OVERRIDDEN = "It is sent anyway; the endpoint has the last word."


class Problems(QWidget):
    """`fix` carries a matter and the name of a remedy: one of FIXES, "anyway" or "leave_out"."""

    fix = Signal(object, str)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._shown: tuple[object, ...] = ()
        self.rows: list[ProblemRow] = []
        self._armed = False
        self.setAccessibleName("Things to look at")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 20, 0, 0)
        self._column.setSpacing(0)
        self.heading = Label(look, "", size="small", weight=STRONG, color="text2")
        self._column.addWidget(self.heading)
        self._column.addSpacing(2)
        self.hide()

    def show_matters(
        self, matters: Sequence[Matter], overridden: Callable[[Matter], bool], names: Names, chosen: int
    ) -> None:
        """Shows these. Red ones for which `overridden` holds are amber: the person chose to send them anyway.

        Args:
            chosen: how many accounts the post goes to; where all of them stay behind, none can be left out.
        """
        shown = tuple((one, overridden(one), self._armed, len(one.accounts) < chosen) for one in matters)
        if shown == self._shown:
            return
        self._shown = shown
        for row in self.rows:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = [
            ProblemRow(self._look, one, over, armed, others, names, self.fix.emit) for one, over, armed, others in shown
        ]
        for number, row in enumerate(self.rows):
            row.set_last(number == len(self.rows) - 1)
            self._column.addWidget(row)
        self.heading.setText(f"{counted(len(matters), 'thing', 'things')} to look at")
        self.setVisible(bool(matters))

    def arm(self, armed: bool) -> None:
        """From now on red rows say who stays behind, and offer what can be done all the same."""
        self._armed = armed

    def first_red(self) -> ProblemRow | None:
        return next((row for row in self.rows if row.is_red), None)


Names = Callable[[Sequence[int]], str]


class ProblemRow(QWidget):
    """A row of 36 px: icon, bold cause, consequence, and remedies as links; taller where the words need it."""

    def __init__(
        self,
        look: Look,
        matter: Matter,
        overridden: bool,
        armed: bool,
        others: bool,
        names: Names,
        fix: Callable[[Matter, str], object],
    ) -> None:
        super().__init__()
        self._look, self.matter = look, matter
        self.is_red = matter.level is Level.ERROR and not overridden
        self._last = False
        icon, color = SIGN_IN if matter.code == "sign_in" else ICONS[matter.level]
        if overridden:
            icon, color = ICONS[Level.WARNING]
        self._icon = (icon, color)
        words = [OVERRIDDEN] if overridden else [matter.text]
        stays = self.is_red and armed and matter.accounts
        if stays:
            words.append(f"{names(matter.accounts)} can’t get it so.")
        self.links = [
            Button(look, said, kind="link", size=SMALL, run=lambda name=name: fix(matter, name))  # type: ignore[misc]
            for name, said in self._remedies(bool(stays), overridden, others)
        ]
        self.title = Label(look, matter.title, weight=STRONG, elide=True)
        self.text = Label(look, " ".join(filter(None, words)), color="text2", wrap=True)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(24, 0, 0, 1)
        self._grid.setHorizontalSpacing(4)
        self._grid.setVerticalSpacing(0)
        self._links = QWidget()
        links = QHBoxLayout(self._links)
        links.setContentsMargins(0, 0, 0, 0)
        links.setSpacing(0)
        for link in self.links:
            links.addWidget(link)
        self._grid.addWidget(self.title, 0, 0)
        self._grid.setColumnStretch(1, 1)
        self._grid.setRowMinimumHeight(0, 35)
        self._below: bool | None = None
        self._crowded: bool | None = None
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(f"{matter.title} {self.text.text()}")
        ring(self, 4)
        self._arrange()

    def _remedies(self, stays: bool, overridden: bool, others: bool) -> Iterator[tuple[str, str]]:
        if overridden:
            return
        for name in self.matter.fixes:
            yield name, FIXES[name]
        if stays and others:
            yield "leave_out", "Send without it" if len(self.matter.accounts) == 1 else "Send without them"
        if stays and not self.matter.is_final:
            yield "anyway", "Send anyway"

    def set_last(self, last: bool) -> None:
        self._last = last

    # --- size and paint -------------------------------------------------------------------------------------------

    def _arrange(self) -> None:
        """Puts the consequence beside the cause and the remedies at the right, or below it where there is no room."""
        links = sum(link.sizeHint().width() for link in self.links)
        title = QFontMetrics(self.title.font()).horizontalAdvance(self.title.text())
        text = QFontMetrics(self.text.font()).horizontalAdvance(self.text.text())
        crowded = bool(links) and 24 + title + links + 12 > self.width()
        below = bool(self.text.text()) and 24 + title + text + (0 if crowded else links) + 24 > self.width()
        if (below, crowded) == (self._below, self._crowded):
            return
        self._below, self._crowded = below, crowded
        self._grid.removeWidget(self._links)
        if crowded:
            self._grid.addWidget(self._links, 2, 0, 1, 3, Qt.AlignmentFlag.AlignRight)
        else:
            self._grid.addWidget(self._links, 0, 2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._grid.removeWidget(self.text)
        if below:
            self._grid.addWidget(self.text, 1, 0, 1, 3)
        else:
            self._grid.addWidget(self.text, 0, 1, Qt.AlignmentFlag.AlignVCenter)
        self._grid.setContentsMargins(24, 0, 0, 9 if below and not crowded else 1)
        self._grid.setColumnStretch(0, 1 if below else 0)
        self._grid.setColumnStretch(1, 0 if below else 1)
        self.updateGeometry()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._grid.totalHeightForWidth(width) if self._below or self._crowded else 36

    def sizeHint(self) -> QSize:
        return QSize(400, self.heightForWidth(max(self.width(), 400)))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        icon, color = self._icon
        paint.pixmap(painter, 0, 18, self._look.pixmap(icon, 16, color, self.devicePixelRatioF()))
        if not self._last:
            painter.fillRect(0, self.height() - 1, self.width(), 1, self._look.color("line_soft"))
        painter.end()
