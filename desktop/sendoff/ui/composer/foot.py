"""The foot of the composer: when it leaves, what if it is late, who has to be awake, and the one button."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sendoff.domain.when import parse_late
from sendoff.ui.composer.picker import Picker
from sendoff.ui.composer.timing import Timing, understand
from sendoff.ui.theme import MEDIUM, STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import LARGE, SMALL, Button, IconButton
from sendoff.ui.widgets.choice import SHORT, ComboBox
from sendoff.ui.widgets.field import TextField
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.menu import Menu
from sendoff.ui.widgets.tip import set_tip

HEIGHT = 88
NARROW = 960
LATE, LATE_LEAST = 268, 130
"""How wide the rule is, in px: it gives way to the badge, which says what must not be cut off."""

WORDS_LEAST = 148
"""How wide the words of the time are at least, in px."""

BARE = 212
"""Where less than this is left for the rule, in px, the badge becomes an icon with a tooltip."""

ICON = 24
"""What the badge's icon takes, in px."""

BADGE = 200
"""What the badge may take of that room, in px; a longer detail is elided."""

AGAIN = 1_000
"""How often the words are read again while they are seen, in ms: "in 20 min" moves on, and the button with it."""


@dataclass(frozen=True, slots=True)
class Badge:
    """Who has to be awake, in two lines, with an icon and the token of its colour."""

    icon: str
    color: str
    headline: str
    detail: str


class Foot(QWidget):
    """`changed` comes when the words, the zone or the rule changed; `pressed` when the button was."""

    changed = Signal()
    reread = Signal()
    pressed = Signal()

    def __init__(self, look: Look, now: Callable[[], datetime], zone: Callable[[], str], menu: Menu) -> None:
        super().__init__()
        self._look, self._now, self._own_zone = look, now, zone
        self._zone, self._week_start = "", "monday"
        self.timing = Timing(None, "")
        self.setFixedHeight(HEIGHT)
        self._label = Label(look, "When", weight=MEDIUM, color="text2")
        self._label.setFixedWidth(44)
        self.words = TextField(look, "When", icon="calendar-clock", hint="Now, or “tomorrow 9”")
        self.words.setTextMargins(36, 0, 34, 0)
        self.open_button = IconButton(look, "chevron-down", "Pick a time", size=24, run=self.open_picker)
        self.open_button.setParent(self.words)
        self.said = Label(look, "", weight=MEDIUM, color="accent.text", elide=True)
        self.wrong = Label(look, "", size="small", color="failed.text", wrap=True)
        self.choices: list[Button] = []
        self.late = ComboBox(look, "If it can’t leave on time", icon="clock")
        self._late_words = Label(look, "if it can’t leave on time", color="text2", elide=True)
        self.badge = _BadgeView(look)
        self.button = Button(look, "", kind="primary", size=LARGE, menu=menu, split=True, run=self.pressed.emit)
        self._build()
        self._timer = QTimer(self)
        self._timer.setInterval(AGAIN)
        self._timer.timeout.connect(self.read_again)
        self.words.textChanged.connect(self._typed)
        self.late.chosen.connect(lambda _rule: self.changed.emit())

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(24, 1, 24, 0)
        row.setSpacing(0)
        label = QVBoxLayout()
        label.setContentsMargins(0, 21, 0, 0)
        label.addWidget(self._label)
        label.addStretch(1)
        row.addLayout(label)
        row.addLayout(self._plan())
        row.addSpacing(16)
        row.addStretch(1)
        row.addWidget(self.badge)
        row.addSpacing(24)
        row.addWidget(self.button)

    def _plan(self) -> QVBoxLayout:
        """The two fields, and below them what they mean, or what is wrong with them."""
        plan = QVBoxLayout()
        plan.setContentsMargins(0, 15, 0, 0)
        plan.setSpacing(0)
        fields = QHBoxLayout()
        fields.setSpacing(12)
        fields.addWidget(self.words)
        fields.addWidget(self.late)
        plan.addLayout(fields)
        self._right = QWidget()
        right = QHBoxLayout(self._right)
        right.setContentsMargins(0, 6, 0, 0)
        right.setSpacing(12)
        right.addWidget(self.said, 1)
        right.addWidget(self._late_words)
        self._wrong = QWidget()
        self._choices = QHBoxLayout(self._wrong)
        self._choices.setContentsMargins(0, 4, 0, 0)
        self._choices.setSpacing(0)
        self._choices.addWidget(self.wrong, 1)
        for part in (self._right, self._wrong):
            plan.addWidget(part)
        plan.addStretch(1)
        return plan

    # --- what it holds --------------------------------------------------------------------------------------------

    def show_plan(self, words: str, zone: str, late: str, rules: Sequence[str], week_start: str) -> None:
        """Shows a plan. `rules` are the lateness rules to choose from; `late` may be another, "" is as it is set."""
        self._zone, self._week_start = zone, week_start
        self.late.blockSignals(True)
        own = dict.fromkeys((*rules, *([late] if late else [])))
        as_set = self.late.itemText(0)
        short = self.late.itemData(0, SHORT)
        self.late.set_choices([("", as_set), *((rule, parse_late(rule).words) for rule in own)])
        self.late.setItemData(0, short, SHORT)
        self.late.set_value(late)
        self.late.blockSignals(False)
        self.words.blockSignals(True)
        self.words.setText(words)
        self.words.setCursorPosition(len(words))
        self.words.blockSignals(False)
        self.read_again()

    def show_as_set(self, words: str) -> None:
        """Says what the first choice of the rules comes to for the accounts that are chosen now."""
        if self.late.itemText(0) != words:
            self.late.setItemText(0, words)
            short = words.removeprefix("As set: ")
            self.late.setItemData(0, f"{short[:1].upper()}{short[1:]}", SHORT)
            self.late.update()
            set_tip(self.late, words)

    @property
    def zone(self) -> str:
        """The zone that was picked, "" for the person's own."""
        return self._zone

    def take(self, words: str, zone: str) -> None:
        """Puts words into the field, as if they were typed."""
        self._zone = "" if zone == self._own_zone() else zone
        if words == self.words.text():
            self._typed()
        else:
            self.words.setText(words)

    def _typed(self) -> None:
        self.read_again()
        self.changed.emit()

    def read_again(self) -> None:
        """Reads the words at this instant."""
        before = self.timing
        self.timing = understand(self.words.text(), self._zone or self._own_zone(), self._now())
        self.words.set_wrong(self.timing.wrong)
        self.said.setText(self.timing.said)
        self.said.set_color("text2" if self.timing.is_now else "accent.text")
        self.wrong.setText(self.timing.said)
        set_tip(self.wrong, self.timing.said if self.timing.wrong else "")
        self._wrong.setVisible(self.timing.wrong)
        self._right.setVisible(not self.timing.wrong)
        self.words.setAccessibleDescription(self.timing.said)
        if self.timing.choices != before.choices:
            self._show_choices()
        if self.timing != before:
            self.reread.emit()

    def _show_choices(self) -> None:
        for button in self.choices:
            self._choices.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.choices = [
            Button(self._look, said, kind="link", size=SMALL, run=lambda words=words: self.words.setText(words))  # type: ignore[misc]
            for words, said in self.timing.choices
        ]
        for button in self.choices:
            self._choices.addWidget(button)

    def open_picker(self) -> Picker:
        """Opens the calendar above the field."""
        zone = self._zone or self._own_zone()
        picker = Picker(self._look, self.timing.when, zone, self._now(), self._week_start, self)
        picker.picked.connect(self.take)
        picker.open_at(self.words)
        return picker

    def show_badge(self, badge: Badge) -> None:
        self.badge.show_badge(badge)
        self.share()

    def name_button(self, words: str) -> None:
        """Lets the button say what it does."""
        self.button.setText(words)
        self.share()

    # --- size and paint -------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        self._label.setVisible(not narrow)
        self._late_words.setVisible(not narrow)
        self.share()

    def share(self) -> None:
        """Gives the rule the room that the button and the badge leave; where that is too little, the words give way."""
        words = 212 if self.width() < NARROW else 300
        others = 24 + (0 if self._label.isHidden() else 44) + words + 12 + 16 + 24 + 24
        free = self.width() - others - self.button.sizeHint().width()
        wish = min(self.badge.wish(), BADGE)
        self.badge.set_bare(free - wish < BARE)
        left = free - (ICON if self.badge.is_bare else wish)
        late = max(LATE_LEAST, min(LATE, left))
        words = max(WORDS_LEAST, words - max(0, late - left))
        self.words.setFixedWidth(words)
        self.open_button.move(words - 28, 4)
        both = words + 12 + late
        self.late.setFixedWidth(late)
        self._right.setFixedWidth(both)
        self._wrong.setFixedWidth(both)
        self._late_words.setFixedWidth(late - 36)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self.read_again()
        self._timer.start()

    def hideEvent(self, event: object) -> None:
        super().hideEvent(event)  # type: ignore[arg-type]
        self._timer.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(0, 0, self.width(), 1, self._look.color("line"))
        painter.end()


class _BadgeView(QWidget):
    """An icon and two lines."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._badge = Badge("laptop", "text", "", "")
        self.is_bare = False
        self._headline = Label(look, "", weight=STRONG, elide=True)
        self._detail = Label(look, "", color="text2", elide=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(ICON, 0, 0, 2)
        column.setSpacing(0)
        column.addStretch(1)
        column.addWidget(self._headline)
        column.addWidget(self._detail)
        column.addStretch(1)

    def show_badge(self, badge: Badge) -> None:
        self._badge = badge
        self._headline.setText(badge.headline)
        self._headline.set_color(badge.color)
        self._detail.setText(badge.detail)
        self.setAccessibleName(f"{badge.headline}. {badge.detail}")
        self._tell()
        self.update()

    def wish(self) -> int:
        """How wide it would like to be with its words, in px."""
        return ICON + max(self._headline.sizeHint().width(), self._detail.sizeHint().width())

    def set_bare(self, bare: bool) -> None:
        """Shows the icon alone; the words are in its tooltip then."""
        if bare == self.is_bare:
            return
        self.is_bare = bare
        self._headline.setVisible(not bare)
        self._detail.setVisible(not bare)
        self.setMinimumWidth(ICON)
        self._tell()

    def _tell(self) -> None:
        set_tip(self, self.accessibleName() if self.is_bare else "")

    @property
    def words(self) -> tuple[str, str]:
        return self._badge.headline, self._badge.detail

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        color = "text2" if self._badge.color == "text" else self._badge.color
        drawing = self._look.pixmap(self._badge.icon, 16, color, self.devicePixelRatioF())
        middle = self.height() / 2 if self.is_bare else self._headline.geometry().center().y() + 1
        paint.pixmap(painter, 0, middle, drawing)
        painter.end()
