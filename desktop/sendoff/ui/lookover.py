"""The sheet of a profile that was copied or taken back: why it is paused, and what would leave if it went on."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from sendoff.domain.when import short
from sendoff.domain.words import counted
from sendoff.store import settings, whereabouts, wouldsend
from sendoff.store.wouldsend import Candidate, Fate, Outlook
from sendoff.ui.accounts.parts import scrolling
from sendoff.ui.context import Context
from sendoff.ui.theme import MEDIUM
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.floating import Sheet
from sendoff.ui.widgets.label import Label

SHOWN = 100
"""How many deliveries are listed one by one."""

LOWEST, HIGHEST = 88, 280
"""How high the list is, in px."""


class LookOver(Sheet):
    """Lists what waits, overdue ones first, with what their rules make of it now. Nothing leaves while it is open."""

    def __init__(self, context: Context) -> None:
        with context.reading() as connection:
            why = settings.read(connection)["paused_why"]
        sentence = f"{whereabouts.MEANS.get(why, '')} Nothing leaves until you have chosen.".strip()
        title = whereabouts.WHY.get(why, "Sending is paused.").rstrip(".")
        super().__init__(context.look, context.window, title, sentence, width=640, top=72)
        self._context = context
        self.summary = Label(context.look, "", weight=MEDIUM, wrap=True)
        self._list = scrolling(QWidget())
        self.body.addWidget(self.summary)
        self.body.addWidget(self._list)
        look = context.look
        self.stay = Button(look, "Stay paused", run=self.close_it)
        self.cancel = Button(look, "Cancel the overdue ones", kind="danger", run=self._cancel)
        self.go_on = Button(look, "Send them by their rules", kind="primary", run=self._resume)
        for button in (self.stay, self.cancel, self.go_on):
            self.add_button(button)
        self.cancel.hide()
        self._list.hide()
        self.begin_with(self.stay)
        self.fill()

    def fill(self) -> None:
        """Reads anew what waits; ten thousand overdue ones take longer than a window may stand still."""
        self._context.do(self._read, self._show, owner=self)

    def _read(self) -> Outlook:
        with self._context.reading() as connection:
            return wouldsend.outlook(connection, self._context.now(), SHOWN)

    def _show(self, found: Outlook) -> None:
        more = len(found.overdue) + found.to_come - len(found.shown)
        self.summary.setText(found.words + (f" The first {SHOWN} of them:" if more > 0 else ""))
        self.cancel.setVisible(bool(found.overdue))
        self.go_on.setText("Send them by their rules" if found.shown else "Resume")
        page = QWidget()
        page.setObjectName("page")
        grid = QGridLayout(page)
        grid.setContentsMargins(0, 0, 8, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(2, 1)
        for number, one in enumerate(found.shown):
            self._line(grid, number, one)
        grid.setRowStretch(len(found.shown), 1)
        self._list.setWidget(page)
        self._list.setVisible(bool(found.shown))
        self._list.setFixedHeight(max(LOWEST, min(page.sizeHint().height(), HIGHEST)))

    def _line(self, grid: QGridLayout, number: int, one: Candidate) -> None:
        look, row = self._context.look, one.row
        when, words = short(row.when, self._context.now()), one.row.excerpt or "A post"
        cells = (
            Label(look, when, color="text2", figures=True),
            Label(look, row.account, color="text2"),
            Label(look, words, elide=True),
            Label(look, one.fate.value, color="doubt.text" if one.fate is Fate.NOW else "text2"),
        )
        cells[0].setAccessibleName(f"{when}, {row.account}, {words}: {one.fate.value}")
        for column, cell in enumerate(cells):
            grid.addWidget(cell, number, column, Qt.AlignmentFlag.AlignTop)

    def _cancel(self) -> None:
        self._context.do(
            self._context.commands.sender.cancel_overdue,
            lambda ids: self._cancelled(len(ids)),
            owner=self,
        )

    def _cancelled(self, n: int) -> None:
        self.set_note(f"{counted(n, 'delivery', 'deliveries')} cancelled.")
        self.fill()

    def _resume(self) -> None:
        self._context.do(self._context.commands.sender.resume, lambda _nothing: self.close_it(), owner=self)
