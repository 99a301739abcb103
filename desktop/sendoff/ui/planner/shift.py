"""Asks by how much posts shall be shifted, and shows what that means before it is done."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sendoff.domain.errors import BadInput
from sendoff.domain.when import clock_text, parse_when
from sendoff.domain.words import counted
from sendoff.store.timeline import Chip
from sendoff.ui.context import Context
from sendoff.ui.planner.days import day_words, entry
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.field import Field, TextField
from sendoff.ui.widgets.floating import Sheet

HELP = "Write it like 2 h, 45 min, 1 day 6 h; with a minus in front it is earlier."


def parse_span(words: str) -> timedelta:
    """Reads a span with a sign: "2 h", "+45 min", "-1 day 6 h".

    Raises:
        BadInput: it is none, or nothing.
    """
    text = words.strip().replace("\u2212", "-")
    sign = -1 if text.startswith("-") else 1
    begin = datetime(2000, 1, 1, tzinfo=UTC)
    span = text.lstrip("+-").strip()
    if not re.match(r"\d", span):
        raise BadInput(HELP)
    by = parse_when(f"+{span}", begin, "UTC").instant - begin
    if not by:
        raise BadInput("That would leave them where they are.")
    return sign * by


class ShiftSheet(Sheet):
    """One field; below it where the first post would come to stand. Enter shifts."""

    def __init__(self, context: Context, chips: Sequence[Chip], shift: Callable[[timedelta], object]) -> None:
        count = counted(len(chips), "post", "posts")
        super().__init__(context.look, context.window, f"Shift {count}", width=440)
        self._shift, self._first = shift, min((entry(chip, context.zone()) for chip in chips), key=lambda one: one.wall)
        self.field = TextField(context.look, "By how much", hint="2 h")
        self._labelled = Field(context.look, "By how much", self.field, HELP)
        self.body.addWidget(self._labelled)
        self.add_button(Button(context.look, "Cancel", run=self.close_it))
        self.go = Button(context.look, "Shift", kind="primary", run=self._go)
        self.go.setEnabled(False)
        self.add_button(self.go)
        self.field.textChanged.connect(self._typed)
        self.field.returnPressed.connect(self._go)

    def _typed(self, words: str) -> None:
        self.set_note("")
        self.go.setEnabled(False)
        self._labelled.set_wrong("")
        try:
            wall = self._first.wall + parse_span(words)
        except (BadInput, OverflowError):
            return
        self.go.setEnabled(True)
        self.set_note(f"{clock_text(self._first.wall)} becomes {day_words(wall.date())}, {clock_text(wall)}")

    def _go(self) -> None:
        try:
            by = parse_span(self.field.text())
        except BadInput as wrong:
            self._labelled.set_wrong(str(wrong))
            return
        self.close_it()
        self._shift(by)
