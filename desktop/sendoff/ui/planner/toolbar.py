"""The two lines above the planner: where in time one is and how it is shown; and whose posts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets.button import NORMAL, Button, IconButton
from sendoff.ui.widgets.choice import FilterChip, SegmentedControl
from sendoff.ui.widgets.field import TextField
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.menu import Menu

NARROW_UNDER = 980
"""Below this width the title is short and the search is an icon; px."""
GAP = 6


class Toolbar(QWidget):
    """‹ Today ›, the title, week or list, and the search. 56 px high.

    `paged` carries -1 or 1, `viewed` "week" or "list", `searched` the words after each change.
    """

    paged = Signal(int)
    today_wanted = Signal()
    viewed = Signal(str)
    searched = Signal(str)
    search_entered = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.setFixedHeight(56)
        self._titles = ("", "", "")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(20, 0, 16, 0)
        self._row.setSpacing(8)
        self.back = IconButton(look, "chevron-left", "Earlier", size=NORMAL, keys="Alt+Left", run=self._page(-1))
        self.today = Button(look, "Today", run=self.today_wanted.emit)
        self.on = IconButton(look, "chevron-right", "Later", size=NORMAL, keys="Alt+Right", run=self._page(1))
        self.title = Label(look, "", size="title", weight=STRONG, elide=True)
        self.aside = Label(look, "", color="text2")
        self.views = SegmentedControl(look, "View", (("week", "Week"), ("list", "List")))
        self.views.chosen.connect(self.viewed)
        self.search = SearchField(look)
        self.search.textChanged.connect(self.searched)
        self.search.entered.connect(self.search_entered)
        self.search.left.connect(self._fold)
        self.unfold = IconButton(look, "search", "Search posts", kind="secondary", size=NORMAL, keys="Ctrl+F")
        self.unfold.clicked.connect(self.begin_search)
        self._lay_out()

    def _lay_out(self) -> None:
        row = self._row
        times = QHBoxLayout()
        times.setSpacing(4)
        for part in (self.back, self.today, self.on):
            times.addWidget(part)
        row.addLayout(times)
        row.addSpacing(8)
        row.addWidget(self.title)
        row.addWidget(self.aside, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        row.addWidget(self.views)
        row.addSpacing(8)
        row.addWidget(self.search)
        row.addWidget(self.unfold)
        self.search.setFixedWidth(208)

    def _page(self, step: int) -> Callable[[], None]:
        return lambda: self.paged.emit(step)

    def set_title(self, title: str, short: str, aside: str) -> None:
        """What is shown; `short` where there is little room."""
        self._titles = (title, short, aside)
        self._fold()

    def set_paging(self, possible: bool) -> None:
        """Whether there are weeks to go through."""
        self.back.setEnabled(possible)
        self.on.setEnabled(possible)

    def begin_search(self) -> None:
        """Puts the keyboard into the search field."""
        self.search.show()
        self.unfold.hide()
        self._show_titles()
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _fold(self) -> None:
        """In a narrow window an empty search field becomes an icon again."""
        narrow = self.width() < NARROW_UNDER
        open_ = not narrow or bool(self.search.text()) or self.search.hasFocus()
        self.search.setVisible(open_)
        self.unfold.setVisible(not open_)
        self._show_titles()

    def _show_titles(self) -> None:
        narrow = self.width() < NARROW_UNDER
        title, short, aside = self._titles
        self.title.setText(short if narrow else title)
        self.aside.setText(aside)
        self.aside.setVisible(bool(aside) and not (narrow and self.search.isVisibleTo(self)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold()


class SearchField(TextField):
    """Esc empties it; `entered` says that Enter or the down arrow was pressed, `left` that the keyboard went away."""

    entered = Signal()
    left = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__(look, "Search posts", icon="search", hint="Search posts", keys="Ctrl F", clear=True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if self.text():
                self.clear()
            else:
                self.entered.emit()
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: object) -> None:
        super().focusOutEvent(event)  # type: ignore[arg-type]
        self.left.emit()


@dataclass(frozen=True, slots=True)
class Choice:
    """An account to filter by."""

    id: int
    name: str
    mark: str


class FilterRow(QWidget):
    """A chip for each account; what does not fit stands behind "+n". 40 px high.

    `changed` carries the ids of the chosen accounts; none chosen means all.
    """

    changed = Signal(object)
    drafts_wanted = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.setFixedHeight(40)
        self._choices: tuple[Choice, ...] = ()
        self._chosen: set[int] = set()
        self._chips: dict[int, FilterChip] = {}
        self.all = FilterChip(look, "All accounts", parent=self)
        self.all.clicked.connect(lambda: self.choose(set()))
        self.more = FilterChip(look, "+1", checkable=True, parent=self)
        self.more.clicked.connect(self._open_more)
        self.drafts = FilterChip(look, "Drafts", icon="panel-right", checkable=False, parent=self)
        self.drafts.clicked.connect(self.drafts_wanted)
        self._hidden: list[Choice] = []

    @property
    def chosen(self) -> frozenset[int]:
        return frozenset(self._chosen)

    def show_accounts(self, choices: Sequence[Choice], drafts: int) -> None:
        """Takes the accounts there are, and how many drafts."""
        self.drafts.setText(f"Drafts · {drafts}")
        if tuple(choices) != self._choices:
            self._choices = tuple(choices)
            for chip in self._chips.values():
                chip.hide()
                chip.deleteLater()
            self._chips = {one.id: self._chip(one) for one in choices}
            self._chosen &= set(self._chips)
            self._keep_order()
        self._show_chosen()
        self._place()

    def choose(self, ids: set[int]) -> None:
        """Filters by these accounts; by none means all of them."""
        changed, self._chosen = ids != self._chosen, ids
        self._show_chosen()
        if changed:
            self.changed.emit(self.chosen)

    def names(self) -> str:
        """Whose posts are shown."""
        return ", ".join(one.name for one in self._choices if one.id in self._chosen)

    def _chip(self, choice: Choice) -> FilterChip:
        chip = FilterChip(self._look, choice.name, mark=choice.mark, parent=self)
        chip.clicked.connect(lambda _checked=False: self.choose(self._chosen ^ {choice.id}))
        return chip

    def _keep_order(self) -> None:
        """Tab goes from left to right."""
        order: list[QWidget] = [self.all, *self._chips.values(), self.more, self.drafts]
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    def _show_chosen(self) -> None:
        self.all.setChecked(not self._chosen)
        for account_id, chip in self._chips.items():
            chip.setChecked(account_id in self._chosen)
        self.more.setChecked(any(one.id in self._chosen for one in self._hidden))

    def _open_more(self) -> None:
        self._show_chosen()
        menu = Menu(self._look, parent=self)
        menu.aboutToHide.connect(menu.deleteLater)
        for one in self._hidden:
            action = menu.add(one.name, lambda one=one: self.choose(self._chosen ^ {one.id}))  # type: ignore[misc]
            action.setIcon(self._look.mark_icon(one.mark) if one.mark else self._look.icon("user"))
            action.setCheckable(True)
            action.setChecked(one.id in self._chosen)
        menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    # --- places ---------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        """From the left as many as fit; the drafts at the right end."""
        self._set(self.drafts, self.width() - 16 - self.drafts.sizeHint().width())
        left = self._set(self.all, 20)
        room = self.drafts.x() - 8
        widths = [chip.sizeHint().width() for chip in self._chips.values()]
        fit = _fitting(widths, room - left)
        if fit < len(widths):
            self.more.setText(f"+{len(widths)}")
            fit = _fitting(widths, room - left - self.more.sizeHint().width() - GAP)
        for place, chip in enumerate(self._chips.values()):
            chip.setVisible(place < fit)
            if place < fit:
                left = self._set(chip, left)
        self._hidden = list(self._choices[fit:])
        self.more.setVisible(bool(self._hidden))
        self.more.setText(f"+{len(self._hidden)}")
        self.more.setAccessibleName(f"{len(self._hidden)} more accounts")
        self._set(self.more, left)
        self._show_chosen()

    def _set(self, chip: FilterChip, left: int) -> int:
        """Puts a chip there; returns where the next one may begin."""
        size: QSize = chip.sizeHint()
        chip.setGeometry(left, 2, size.width(), size.height())
        return left + size.width() + GAP


def _fitting(widths: Sequence[int], room: int) -> int:
    """How many of these stand side by side in `room` px."""
    used = 0
    for place, width in enumerate(widths):
        used += width + (GAP if place else 0)
        if used > room:
            return place
    return len(widths)
