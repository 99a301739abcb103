"""A small view of one delivery: where it stands, when it left, and what the endpoint answered. It follows it live."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from sendoff.domain.delivery import State
from sendoff.domain.when import When, distance
from sendoff.store import changes, timeline
from sendoff.store.timeline import Detail
from sendoff.ui.context import Context
from sendoff.ui.states import FACES, SCHEDULED
from sendoff.ui.theme import MEDIUM, STRONG
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.state import Pill
from sendoff.ui.widgets.surface import Card


class ReceiptView(Card):
    """The receipt of a delivery."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context.look, padding=16, parent=parent)
        self._context, self._delivery_id = context, 0
        self.state: State | None = None
        look = context.look
        top = QHBoxLayout()
        self._title = Label(look, "Receipt", weight=STRONG)
        self._pill = Pill(look, SCHEDULED)
        top.addWidget(self._title)
        top.addStretch(1)
        top.addWidget(self._pill)
        self.body.addLayout(top)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnMinimumWidth(0, 64)
        self._grid.setColumnStretch(1, 1)
        self._left = Label(look, "Left", color="text2", weight=MEDIUM)
        self._lines = {name: self._line(number, name) for number, name in enumerate(_LINES)}
        column = QVBoxLayout()
        column.addLayout(self._grid)
        self.body.addLayout(column)
        context.bridge.changed.connect(self._hear)

    def _line(self, number: int, name: str) -> Label:
        look = self._context.look
        value = Label(look, "–", elide=True, figures=name in ("Planned", "Left"), mono=name == "Id")
        named = self._left if name == "Left" else Label(look, name, color="text2", weight=MEDIUM)
        self._grid.addWidget(named, number, 0)
        self._grid.addWidget(value, number, 1)
        return value

    def follow(self, delivery_id: int) -> None:
        """Shows this delivery from now on."""
        self._delivery_id = delivery_id
        self._read()

    def _hear(self, topics: frozenset[str]) -> None:
        if self._delivery_id and changes.DELIVERIES in topics:
            self._read()

    def _read(self) -> None:
        with self._context.reading() as connection:
            self._show(timeline.detail(connection, self._delivery_id))

    def _show(self, detail: Detail) -> None:
        delivery, zone = detail.row.delivery, self._context.zone()
        self.state = delivery.state
        self._pill.set_face(FACES[delivery.state])
        receipt = detail.parts[0].receipt
        values = {
            "To": f"{detail.account.handle or detail.account.name} · {self._title_of(detail.row.channel)}",
            "Planned": f"{When.at(delivery.planned_at, zone).wall:%H:%M:%S}",
            "Left": "–",
            "Answer": delivery.reason or (receipt.answer if receipt else "") or "–",
            "Id": receipt.remote_id if receipt else "–",
        }
        if delivery.sent_at:
            late = (delivery.sent_at - delivery.planned_at).total_seconds()
            values["Left"] = f"{When.at(delivery.sent_at, zone).wall:%H:%M:%S}, {late:+.2f} s"
        elif delivery.state is State.SCHEDULED:
            values["Left"] = distance(detail.row.leaves_at - self._context.now())
        self._left.setText("Leaves" if delivery.state is State.SCHEDULED else "Left")
        for name, value in values.items():
            self._lines[name].setText(value)

    def _title_of(self, kind: str) -> str:
        channel = self._context.program.channels.get(kind)
        return channel.title if channel else kind

    def tick(self) -> None:
        """Counts down while it waits."""
        if self._delivery_id and self.state is State.SCHEDULED:
            self._read()


_LINES = ("To", "Planned", "Left", "Answer", "Id")
