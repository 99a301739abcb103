"""The receipt of a delivery in full: what the endpoint calls it, where it is, its times, parts and later news."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from sendoff.domain.delivery import Event, Part, Receipt, State
from sendoff.domain.numbers import total
from sendoff.domain.when import MONTHS, WEEKDAYS, When, parse_late
from sendoff.domain.words import counted
from sendoff.store.timeline import Detail
from sendoff.ui.activity.deeds import Act, Deed
from sendoff.ui.activity.lines import deviation
from sendoff.ui.links import is_web, open_web
from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import SMALL, Button, IconButton
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.surface import Card, Divider
from sendoff.ui.widgets.tip import set_tip

WIDE = 372
FIRST = 6
"""How many parts or events are shown before one asks for all."""
LABEL = 66


class Proof(Card):
    """The card. `copy` gets a text for the clipboard and what to say of it; `below` stands what else `do` can do."""

    def __init__(
        self,
        look: Look,
        detail: Detail,
        zone: str,
        copy: Callable[[str, str], object],
        below: Sequence[Deed] = (),
        do: Callable[[Act], object] = id,
    ) -> None:
        super().__init__(look, padding=12)
        self.setFixedWidth(WIDE)
        self._copy, self._detail, self._zone = copy, detail, zone
        self.body.setSpacing(2)
        self.rows = _rows(detail, zone)
        self._build_head()
        for name, words, mono in self.rows:
            self.body.addLayout(_row(look, name, words, mono=mono))
        if detail.row.url:
            self._build_link(detail.row.url)
        if len(detail.parts) > 1:
            self._build_list("Parts", [_part_line(look, part, detail) for part in detail.parts])
        if detail.events:
            self._build_list("Later news", [_event_line(look, event, zone) for event in detail.events])
        for deed in below:
            self.body.addSpacing(4)
            self.body.addWidget(
                Button(look, deed.words, kind="link", icon=deed.icon, size=SMALL, flush=True, run=partial(do, deed.act))
            )

    def _build_head(self) -> None:
        head = QHBoxLayout()
        first = _first(self._detail)
        title = "No receipt yet" if first is None else "Your word" if first.is_by_hand else "Receipt"
        head.addWidget(Label(self._look, title, size="small", weight=STRONG, color="text2"))
        head.addStretch(1)
        button = Button(self._look, "Copy", kind="link", icon="copy", size=SMALL, run=self._copy_all)
        button.setAccessibleName("Copy the receipt")
        head.addWidget(button)
        self.body.addLayout(head)

    def _copy_all(self) -> None:
        self._copy(as_text(self._detail, self._zone), "The receipt is copied.")

    def _build_link(self, url: str) -> None:
        row = _row(self._look, "Link", url)
        if is_web(url):
            row.addWidget(IconButton(self._look, "external-link", "Open the post", size=24, run=lambda: open_web(url)))
        row.addWidget(
            IconButton(self._look, "link", "Copy the link", size=24, run=lambda: self._copy(url, "The link is copied."))
        )
        self.body.addLayout(row)

    def _build_list(self, title: str, lines: Sequence[QWidget]) -> None:
        """A list below a line; long ones are cut, and shown whole when asked for."""
        self.body.addSpacing(6)
        self.body.addWidget(Divider(self._look))
        self.body.addSpacing(6)
        self.body.addWidget(Label(self._look, title, size="small", weight=STRONG, color="text2"))
        for place, line in enumerate(lines):
            self.body.addWidget(line)
            if place >= FIRST:
                line.hide()
        if len(lines) > FIRST:
            more = Button(self._look, f"Show all {len(lines):,}", kind="link", size=SMALL)
            more.clicked.connect(lambda: _show_all(lines, more))
            self.body.addWidget(more)


def _show_all(lines: Sequence[QWidget], button: Button) -> None:
    for line in lines:
        line.show()
    button.hide()


STAYED = (State.SCHEDULED, State.FAILED, State.HELD, State.MISSED)
"""The states in which it is certain that what is not out did not leave."""


def _rows(detail: Detail, zone: str) -> list[tuple[str, str, bool]]:
    """The receipt in lines: name, words, and whether they are of fixed width."""
    one, found = detail.row.delivery, []
    first = _first(detail)
    by_hand = first is not None and first.is_by_hand
    if first is not None and not by_hand:
        found.append(("Id", first.remote_id, True))
    found.append(("Planned", _in_full(detail.row.when), False))
    if one.zone != zone:
        found.append(("", _in_full(When.at(one.planned_at, zone)), False))
    tried = [attempt.began_at for attempt in detail.attempts]
    if one.state in STAYED and not detail.row.out and tried:
        found.append(("Tried", _clock(tried[-1], zone), False))
    elif one.began_at or tried:
        found.append(("Left", _clock(one.began_at or tried[0], zone), False))
    if one.sent_at and not by_hand:
        found.append(("Answered", f"{_clock(one.sent_at, zone)}, {deviation(one.sent_at - one.planned_at)}", False))
    if first is not None and first.answer:
        found.append(("Settled" if by_hand else "Answer", f"“{first.answer}”", False))
    found += _numbers(detail, zone)
    if not one.sent_at and one.late:
        found.append(("If late", parse_late(one.late).words, False))
    return found


def _first(detail: Detail) -> Receipt | None:
    return next((part.receipt for part in detail.parts if part.receipt), None)


def _numbers(detail: Detail, zone: str) -> list[tuple[str, str, bool]]:
    """What people did with it, all parts together, and when that was read."""
    if not detail.readings:
        return []
    numbers = total(detail.readings)
    read_at = max(one.at for one in detail.readings.values())
    return [
        ("Reactions", numbers.words if numbers else "It is not there any more", False),
        ("", f"as of {_clock(read_at, zone).rpartition(':')[0]}", False),
    ]


def as_text(detail: Detail, zone: str) -> str:
    """The receipt for the clipboard."""
    row = detail.row
    out = [row.excerpt, f"{'Account':<9} {row.account} ({row.channel})"]
    out += [f"{name:<9} {words}" for name, words, _mono in _rows(detail, zone)]
    out += [f"{'Zone':<9} {zone}", f"{'Link':<9} {row.url}"] if row.url else [f"{'Zone':<9} {zone}"]
    if len(detail.parts) > 1:
        for part in detail.parts:
            sign = part.receipt.remote_id if part.receipt else part.refused or "not out"
            out.append(f"Part {part.number}: {sign} {part.receipt.url if part.receipt else ''}".rstrip())
    out += [f"{_clock(event.at, zone)} {_event_words(event)}" for event in detail.events]
    return "\n".join(out)


def _in_full(when: When) -> str:
    wall = when.wall
    day = f"{WEEKDAYS[wall.weekday()][:3]} {wall.day} {MONTHS[wall.month - 1][:3]} {wall.year}"
    return f"{day}, {wall:%H:%M:%S} {when.zone}"


def _clock(instant: datetime, zone: str) -> str:
    wall = When.at(instant, zone).wall
    return f"{wall.day} {MONTHS[wall.month - 1][:3]}, {wall:%H:%M:%S}.{wall.microsecond // 10_000:02d}"


def _row(look: Look, name: str, words: str, *, mono: bool = False) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    label = Label(look, name, size="small", color="text3")
    label.setFixedWidth(LABEL)
    row.addWidget(label)
    row.addWidget(Label(look, words, size="small", elide=True, mono=mono, figures=not mono), 1)
    return row


class _Sign(QWidget):
    """A small state icon."""

    def __init__(self, look: Look, icon: str, color: str, name: str) -> None:
        super().__init__()
        self._look, self._icon, self._color = look, icon, color
        self.setAccessibleName(name)
        set_tip(self, name)
        self.setFixedSize(14, 18)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        drawing = self._look.pixmap(self._icon, 14, self._color, self.devicePixelRatioF())
        paint.pixmap(painter, 0, self.height() / 2, drawing)
        painter.end()


def _part_line(look: Look, part: Part, detail: Detail) -> QWidget:
    line = QWidget()
    row = QHBoxLayout(line)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    row.addWidget(_part_sign(look, part))
    row.addWidget(Label(look, f"{part.number}", size="small", color="text2", figures=True))
    row.addWidget(Label(look, _part_words(part, detail), size="small", elide=True), 1)
    if part.receipt is not None:
        row.addWidget(Label(look, part.receipt.remote_id[-18:], size="small", color="text3", mono=True))
        url = part.receipt.url
        if is_web(url):
            row.addWidget(
                IconButton(look, "external-link", f"Open part {part.number}", size=24, run=lambda: open_web(url))
            )
    line.setFixedHeight(24)
    told = _part_numbers(part, detail)
    line.setAccessibleName(f"Part {part.number}: {', '.join(filter(None, (_part_words(part, detail), told)))}")
    set_tip(line, told)
    return line


def _part_sign(look: Look, part: Part) -> _Sign:
    if part.receipt is not None:
        return _Sign(look, "check", "sent.text", "Out")
    if part.refused:
        return _Sign(look, "circle-alert", "failed.text", f"Refused: {part.refused}")
    return _Sign(look, "circle", "text3", "Not out yet")


def _part_numbers(part: Part, detail: Detail) -> str:
    """What people did with one part of several; "" where that is not known."""
    reading = detail.readings.get(part.number)
    if reading is None or len(detail.parts) == 1:
        return ""
    return reading.numbers.words if reading.numbers else "not there any more"


def _part_words(part: Part, detail: Detail) -> str:
    if part.refused:
        return part.refused
    if part.plan.count:
        return counted(part.plan.count, "person", "people")
    items = detail.content.items
    return " ".join(items[part.plan.item].text.split()) if part.plan.item < len(items) else ""


def _event_line(look: Look, event: Event, zone: str) -> QWidget:
    line = QWidget()
    row = QHBoxLayout(line)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    row.addWidget(Label(look, _clock(event.at, zone), size="small", color="text2", figures=True))
    row.addWidget(Label(look, _event_words(event), size="small", elide=True), 1, Qt.AlignmentFlag.AlignVCenter)
    line.setFixedHeight(24)
    return line


def _event_words(event: Event) -> str:
    """ "bounced: ada@example.org, no such mailbox"."""
    rest = ", ".join(part for part in (event.recipient, event.detail) if part)
    return f"{event.kind.replace('_', ' ')}: {rest}" if rest else event.kind.replace("_", " ")
