"""A poll of one item: its answers, how long it runs, whether several may be chosen. The question is the item's text."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from sendoff.domain.post import Poll
from sendoff.domain.when import span_text
from sendoff.ui.theme import MEDIUM, Look
from sendoff.ui.widgets.button import SMALL, Button, IconButton
from sendoff.ui.widgets.choice import ComboBox, Switch
from sendoff.ui.widgets.field import TextField
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.order import put_in_order
from sendoff.ui.widgets.surface import Card
from sendoff.ui.widgets.tip import set_tip

FEWEST, MOST = 2, 20
"""Answers: so many fields stand there at least, and so many can be added. What a network takes is said beneath."""

HOUR, DAY = 3600, 86_400
LASTS = (300, 1800, HOUR, 6 * HOUR, 12 * HOUR, DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY)
"""Seconds that are offered; another span, set at a prompt, is kept."""


class PollForm(Card):
    """Shown where the item has a poll. `edited` comes with every change, `removed` when it shall go."""

    edited = Signal()
    removed = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__(look, padding=12)
        self.answers: list[Answer] = []
        self._rows = QVBoxLayout()
        self._rows.setSpacing(6)
        self.more = Button(
            look, "Add an answer", kind="link", icon="plus", size=SMALL, flush=True, run=self._add_by_hand
        )
        self.lasts = ComboBox(look, "How long the poll runs", icon="clock")
        self.multiple = Switch(look, "Several answers")
        self.hidden = Switch(look, "Hide the counts until it ends")
        set_tip(self.hidden, "Where the network can do that.")
        self.body.addLayout(self._make_head())
        self.body.addLayout(self._rows)
        self.body.addLayout(self._make_foot())
        self.lasts.chosen.connect(lambda _value: self.edited.emit())
        for switch in (self.multiple, self.hidden):
            switch.toggled.connect(lambda _on: self.edited.emit())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Poll")
        self.hide()

    def _make_head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.addWidget(Label(self._look, "Poll", weight=MEDIUM))
        head.addWidget(Label(self._look, "The text above is the question.", size="small", color="text2", elide=True), 1)
        head.addWidget(Button(self._look, "Take the poll out", kind="link", size=SMALL, run=self.removed.emit))
        return head

    def _make_foot(self) -> QVBoxLayout:
        first, second = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.more)
        first.addStretch(1)
        second.setSpacing(20)
        for part in (self.lasts, self.multiple, self.hidden):
            second.addWidget(part)
        second.addStretch(1)
        foot = QVBoxLayout()
        foot.setSpacing(8)
        foot.addLayout(first)
        foot.addLayout(second)
        return foot

    # --- what it holds --------------------------------------------------------------------------------------------

    def show_poll(self, poll: Poll | None) -> None:
        """Takes a poll as it is stored; None hides all of it."""
        self.blockSignals(True)
        shown = poll or Poll(())
        for answer in list(self.answers):
            self._drop(answer)
        for text in (*shown.options, *[""] * (FEWEST - len(shown.options))):
            self._add(text)
        spans = sorted({*LASTS, shown.lasts})
        self.lasts.set_choices([(str(one), span_text(one)) for one in spans])
        self.lasts.set_value(str(shown.lasts))
        self.multiple.setChecked(shown.multiple)
        self.hidden.setChecked(shown.hide_totals)
        self.blockSignals(False)
        self.setVisible(poll is not None)

    def poll(self) -> Poll:
        """What stands there; answers without a word are none."""
        options = tuple(text for answer in self.answers if (text := answer.field.text().strip()))
        return Poll(options, int(self.lasts.value()), self.multiple.isChecked(), self.hidden.isChecked())

    def begin(self) -> None:
        """Puts the keyboard where the first answer goes."""
        self.answers[0].field.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- answers --------------------------------------------------------------------------------------------------

    def _add(self, text: str = "") -> Answer:
        answer = Answer(self._look, text)
        answer.field.textChanged.connect(lambda _text: self.edited.emit())
        answer.field.returnPressed.connect(lambda: self._go_on(answer))
        answer.remove.clicked.connect(lambda: self._remove(answer))
        self.answers.append(answer)
        self._rows.addWidget(answer)
        self._number()
        return answer

    def _add_by_hand(self) -> None:
        self._add().field.setFocus(Qt.FocusReason.OtherFocusReason)
        self.edited.emit()

    def _go_on(self, answer: Answer) -> None:
        """Enter goes to the next answer, and makes one behind the last."""
        place = self.answers.index(answer) + 1
        if place < len(self.answers):
            self.answers[place].field.setFocus(Qt.FocusReason.OtherFocusReason)
        elif answer.field.text().strip() and len(self.answers) < MOST:
            self._add_by_hand()

    def _remove(self, answer: Answer) -> None:
        place = self.answers.index(answer)
        self._drop(answer)
        self._number()
        self.answers[max(place - 1, 0)].field.setFocus(Qt.FocusReason.OtherFocusReason)
        self.edited.emit()

    def _drop(self, answer: Answer) -> None:
        self.answers.remove(answer)
        self._rows.removeWidget(answer)
        answer.hide()
        answer.deleteLater()

    def _number(self) -> None:
        for number, answer in enumerate(self.answers, 1):
            answer.set_number(number)
            answer.remove.setEnabled(len(self.answers) > FEWEST)
        self.more.setEnabled(len(self.answers) < MOST)
        put_in_order(self)


class Answer(QWidget):
    """One answer that can be chosen."""

    def __init__(self, look: Look, text: str) -> None:
        super().__init__()
        self.field = TextField(look, "Answer")
        self.field.setText(text)
        self.remove = IconButton(look, "x", "Take this answer out")
        self.setFixedHeight(self.field.height())  # a page without room is scrolled, and not squeezed
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.field, 1)
        row.addWidget(self.remove)

    def set_number(self, number: int) -> None:
        self.field.setAccessibleName(f"Answer {number}")
        self.field.setPlaceholderText(f"Answer {number}")
        self.remove.set_name(f"Take answer {number} out")
