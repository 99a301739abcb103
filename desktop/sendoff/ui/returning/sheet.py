"""The sheet after an absence: what became of what was planned, and the decisions that are open; it follows live."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QHBoxLayout, QVBoxLayout, QWidget

from sendoff.domain.delivery import State
from sendoff.domain.when import FREE, When, next_free, short
from sendoff.store import absences, accounts, changes, deliveries
from sendoff.store.absences import Return
from sendoff.store.timeline import Row
from sendoff.ui.activity.deeds import Act
from sendoff.ui.activity.doing import Doing
from sendoff.ui.context import Context
from sendoff.ui.links import is_web
from sendoff.ui.returning.words import Group, Kind, Told, View, cause, groups, sentence
from sendoff.ui.theme import STRONG
from sendoff.ui.widgets.button import SMALL, Button
from sendoff.ui.widgets.floating import Sheet
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.menu import Menu
from sendoff.ui.widgets.scroll import ScrollBox
from sendoff.ui.widgets.state import StateIcon
from sendoff.ui.widgets.surface import Divider, Picture

AT_FIRST, MORE = 12, 50
"""How many lines of a group are shown at first, and how many more each time one asks."""
SEVERAL = 3
"""From more missed ones than this on, all of them can be answered at once."""
TOPICS = frozenset({changes.DELIVERIES, changes.ACCOUNTS, changes.SENDER, changes.SETTINGS})


def view_of(context: Context) -> View:
    """What the words depend on, as it is now."""
    with context.reading() as connection:
        known = {one.id: one for one in accounts.every(connection)}
    status = context.sending.status()
    return View(context.now(), context.zone(), known, status.unreached, paused=status.paused)


class WelcomeSheet(Sheet):
    """Groups by what became of them. However it is closed, the person has seen it; all of it is in Activity, too."""

    def __init__(self, context: Context, found: Return) -> None:
        look = context.look
        super().__init__(
            look, context.window, "Welcome back", " ", picture=Picture(look, "back", 112, 64), width=624, top=72
        )
        self._context = context
        self.doing = Doing(context, self)
        self.views: dict[Kind, GroupView] = {}
        self._opened: dict[Kind, int] = {}
        self._found: Return | None = None
        page = QWidget()
        self._column = QVBoxLayout(page)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.area = ScrollBox(page)
        self.body.setContentsMargins(0, 16, 0, 0)
        self.body.setSpacing(0)
        self.body.addWidget(self.area, 1)
        self.body.addWidget(Divider(look, soft=False))
        self.body.addSpacing(16)
        self.set_note("You find all of this in Activity, too.")
        self.done = Button(look, "Close", run=self.close_it)
        self.add_button(self.done)
        self.begin_with(self.done)
        self.show_return(found)
        context.bridge.changed.connect(self._hear)
        self.closed.connect(self._seen)

    # --- what it shows --------------------------------------------------------------------------------------------

    def _hear(self, topics: frozenset[str]) -> None:
        if topics & TOPICS:
            self.refresh()

    def refresh(self) -> None:
        """Reads where everything stands now. Where somebody else has seen it meanwhile, there is no more to tell."""
        with self._context.reading() as connection:
            found = absences.welcome(connection)
        if found is None or not found.rows:
            self.close_it()
        else:
            self.show_return(found)

    def show_return(self, found: Return) -> None:
        """Shows the groups; those that say the same stay, with their focus."""
        self.doing.read()
        self._found, view = found, view_of(self._context)
        told = groups(found, view)
        self.set_sentence(sentence(found, told, view))
        held = self._focused()
        for gone in [kind for kind in self.views if kind not in {one.kind for one in told}]:
            self._drop(gone)
        for place, group in enumerate(told):
            old = self.views.get(group.kind)
            if old is not None and old.shows(group, view):
                continue
            if old is not None:
                self._drop(group.kind)
            made = GroupView(self._context, self, group, view, self._opened.get(group.kind, 0), first=place == 0)
            self.views[group.kind] = made
            self._column.insertWidget(place, made)
            made.show()  # at once, so that the keyboard can go to it
        open_ones = Kind.DECIDE in self.views
        self.done.setText("Decide later" if open_ones else "Close")
        if held is not None:
            self._focus_again(*held)

    def _drop(self, kind: Kind) -> None:
        view = self.views.pop(kind)
        self._column.removeWidget(view)
        view.hide()
        view.deleteLater()

    def unfold(self, kind: Kind, lines: int) -> None:
        """Shows so many lines of a group; 0: only its sentence."""
        self._opened[kind] = lines
        if self._found is not None:
            self.show_return(self._found)

    # --- the keyboard ---------------------------------------------------------------------------------------------

    def _focused(self) -> tuple[str, str] | None:
        """What has the keyboard among the groups: its description and its words; both stay through a change."""
        focused = QApplication.focusWidget()
        if isinstance(focused, Button) and self.area.isAncestorOf(focused):
            return focused.accessibleDescription(), focused.words()
        return None

    def _focus_again(self, description: str, words: str) -> None:
        """Gives the keyboard back to the same button, or to another one there; else to the one that always is there."""
        if self._focused() == (description, words):
            return
        about = [one for one in self.findChildren(Button) if one.accessibleDescription() == description]
        there = [one for one in about if one.isVisibleTo(self)]
        same = [one for one in there if one.words() == words]
        (same or there or [self.done])[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def focusNextPrevChild(self, forward: bool) -> bool:
        moved = super().focusNextPrevChild(forward)
        focused = QApplication.focusWidget()
        if focused is not None and self.area.isAncestorOf(focused):
            self.area.ensureWidgetVisible(focused, 0, 24)
        return moved

    # --- what can be done -----------------------------------------------------------------------------------------

    def leave_for(self, act: Act, row: Row) -> None:
        """Does something that another page is for; this sheet is seen then."""
        self.close_it()
        self.doing.do(act, [row])

    def show_in_activity(self, row: Row) -> None:
        self.close_it()
        self._context.go("activity", delivery_id=row.delivery.id)

    def give_time(self, row: Row, when: When) -> None:
        commands = self._context.commands
        said = f"It goes {short(when, self._context.now())}."
        self._context.do(lambda: commands.deliveries.move([row.delivery.id], when), said=said)

    def leave(self, rows: Sequence[Row]) -> None:
        """Takes missed ones as they are: they did not go out, and need nobody any more."""
        commands, ids = self._context.commands, [row.delivery.id for row in rows]
        said = "Left as it is: it did not go out." if len(ids) == 1 else f"{len(ids):,} are left as they are."
        self._context.do(
            lambda: commands.deliveries.acknowledge(ids),
            said=said,
            undo=lambda: commands.deliveries.acknowledge(ids, False),
        )

    def times(self, row: Row) -> list[tuple[str, When]]:
        """The times that are offered for one that was missed."""
        one, now = row.delivery, self._context.now()
        with self._context.reading() as connection:
            taken = deliveries.planned_times(connection, one.account_id, now - FREE)
        free = next_free(When(datetime.fromisoformat(one.wall), one.zone, one.fold), now, taken)
        hour = When.at((now + timedelta(hours=1)).replace(second=0, microsecond=0), self._context.zone())
        return [(f"Next free time, {short(free, now)}", free), (f"In an hour, {short(hour, now)}", hour)]

    def _seen(self) -> None:
        self._context.do(self._context.commands.sender.welcomed)


class GroupView(QWidget):
    """A group: what became of these in two lines, and below it a line for each where they are wanted or need one.

    Args:
        lines: how many lines are wanted.
        first: nothing stands above it.
    """

    def __init__(
        self, context: Context, sheet: WelcomeSheet, group: Group, view: View, lines: int, *, first: bool
    ) -> None:
        super().__init__()
        self._context, self._look, self._sheet = context, context.look, sheet
        self.group, self._view = group, view
        self._decides = group.kind is Kind.DECIDE
        self._shown = max(lines, AT_FIRST) if self._decides else lines
        self._what = self._told_of(group, view), self._shown, first
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(Divider(self._look, soft=not first))
        row = QHBoxLayout()
        row.setContentsMargins(0, 14, 0, 14)
        row.setSpacing(14)
        row.addWidget(StateIcon(self._look, group.face, size=32, tile=True), 0, Qt.AlignmentFlag.AlignTop)
        self._body = QVBoxLayout()
        self._body.setSpacing(0)
        self._body.addLayout(self._head())
        if group.detail:
            self._body.addWidget(Label(self._look, group.detail, color="text2", wrap=True))
        self._fill()
        row.addLayout(self._body, 1)
        column.addLayout(row)
        self.setAccessibleName(group.title)
        self.setAccessibleDescription(group.detail)

    @staticmethod
    def _told_of(group: Group, view: View) -> object:
        """All that is seen of a group; of one that needs no decision the clock alone changes nothing."""
        causes = tuple(cause(one.row, view) for one in group.lines) if group.kind is Kind.DECIDE else ()
        return group.title, group.detail, group.lines, causes

    def shows(self, group: Group, view: View) -> bool:
        """Whether it would look the same for this one."""
        wanted = self._sheet._opened.get(group.kind, 0)
        shown = max(wanted, AT_FIRST) if self._decides else wanted
        return self._what[:2] == (self._told_of(group, view), shown)

    def _head(self) -> QHBoxLayout:
        look, group = self._look, self.group
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(Label(look, group.title, weight=STRONG, elide=True), 1)
        for words, run in self._ways():
            button = Button(look, words, kind="link", size=SMALL, run=run)
            button.setAccessibleDescription(group.title)
            button.setFixedHeight(20)
            head.addWidget(button)
        return head

    def _ways(self) -> list[tuple[str, Callable[[], object]]]:
        """What stands at the right of a group's title."""
        group, sheet, rows = self.group, self._sheet, [one.row for one in self.group.lines]
        if self._decides:
            missed = [row for row in rows if row.delivery.state is State.MISSED]
            if len(missed) <= SEVERAL:
                return []
            send = partial(sheet.doing.do, Act.RETRY, missed)
            return [(f"Send all {len(missed)} now", send), ("Leave them all", partial(sheet.leave, missed))]
        if len(rows) > 1:
            return [
                ("Hide" if self._shown else "Show", partial(sheet.unfold, group.kind, 0 if self._shown else AT_FIRST))
            ]
        if is_web(rows[0].url):
            return [("Open the post", partial(sheet.doing.do, Act.OPEN_LINK, rows))]
        if group.kind is Kind.SKIPPED:
            return [("New time", partial(sheet.leave_for, Act.EDIT, rows[0]))]
        return [("Details", partial(sheet.show_in_activity, rows[0]))]

    def _fill(self) -> None:
        lines = self.group.lines[: self._shown]
        for place, told in enumerate(lines):
            self._body.addSpacing(10 if self._decides else 6)
            self._body.addWidget(self._decision(told, place == 0) if self._decides else self._line(told))
        rest = len(self.group.lines) - len(lines)
        if lines and rest:
            more = f"Show {min(rest, MORE)} more of {len(self.group.lines):,}"
            unfold = partial(self._sheet.unfold, self.group.kind, self._shown + MORE)
            button = Button(self._look, more, kind="link", size=SMALL, run=unfold)
            button.setAccessibleDescription(self.group.title)
            row = QHBoxLayout()
            row.setContentsMargins(0, 6, 0, 0)
            row.addWidget(button)
            row.addStretch(1)
            self._body.addLayout(row)

    def _line(self, told: Told) -> QWidget:
        """Times, words, account, what became of it; and the way to the post."""
        look, line = self._look, QWidget()
        line.setAccessibleName(told.said)
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        time = Label(look, told.time, color="text2", figures=True)
        row.addWidget(time)
        row.addWidget(Label(look, told.text, elide=True), 1)
        row.addWidget(Label(look, told.account, color="text2", elide=True))
        if told.aside:
            row.addWidget(Label(look, told.aside, color="text2", elide=told.row.delivery.state is not State.SENT))
        if is_web(told.row.url):
            button = Button(
                look, "Open", kind="link", size=SMALL, run=partial(self._sheet.doing.do, Act.OPEN_LINK, [told.row])
            )
            button.setAccessibleDescription(told.said)
            button.setFixedHeight(22)
            row.addWidget(button)
        return line

    def _decision(self, told: Told, primary: bool) -> QWidget:
        """Words, cause and buttons of one that needs the person."""
        look, box = self._look, QWidget()
        box.setAccessibleName(told.said)
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(Label(look, f"“{told.text}”", elide=True), 1)
        head.addWidget(Label(look, f"{told.account} · {told.aside}", color="text2"))
        column.addLayout(head)
        column.addWidget(Label(look, cause(told.row, self._view), color="text2", wrap=True))
        column.addSpacing(8)
        row = QHBoxLayout()
        row.setSpacing(8)
        for place, (words, kind, run) in enumerate(self._answers(told.row)):
            shown = "primary" if primary and place == 0 else kind
            row.addWidget(self._button(words, shown, run, told))
        if told.row.delivery.state is State.MISSED:
            row.insertWidget(1, self._other_time(told))
        row.addStretch(1)
        column.addLayout(row)
        return box

    def _button(self, words: str, kind: str, run: Callable[[], object], told: Told) -> Button:
        button = Button(self._look, words, kind=kind, size=SMALL, run=run)
        button.setAccessibleDescription(told.said)
        return button

    def _answers(self, row: Row) -> list[tuple[str, str, Callable[[], object]]]:
        """The buttons of a decision, the first one first: words, kind, what it does."""
        sheet = self._sheet
        do = partial(sheet.doing.do, Act.RETRY, [row])
        leave = ("Leave it", "quiet", partial(sheet.leave, [row]))
        details = ("Details", "quiet", partial(sheet.show_in_activity, row))
        match row.delivery.state:
            case State.MISSED:
                return [("Send now", "secondary", do), leave]
            case State.IN_DOUBT:
                return [("Settle it…", "secondary", partial(sheet.doing.do, Act.THERE, [row])), details]
            case State.HELD:
                return [("Sign in again", "secondary", partial(sheet.leave_for, Act.SIGN_IN, row)), details]
            case _:
                return [("Send the rest" if row.out else "Try again", "secondary", do), leave, details]

    def _other_time(self, told: Told) -> Button:
        menu = Menu(self._look, parent=self)
        menu.aboutToShow.connect(lambda: self._fill_times(menu, told.row))
        self._fill_times(menu, told.row)
        button = Button(self._look, "Another time", size=SMALL, menu=menu)
        button.setAccessibleDescription(told.said)
        return button

    def _fill_times(self, menu: Menu, row: Row) -> None:
        menu.clear()
        for words, when in self._sheet.times(row):
            menu.add(words, partial(self._sheet.give_time, row, when), icon="calendar-clock")
        menu.addSeparator()
        menu.add("Choose a time…", partial(self._sheet.leave_for, Act.EDIT, row), icon="pencil")
