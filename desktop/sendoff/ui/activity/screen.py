"""Activity: what needs you, and what became of everything, with its receipts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from functools import partial
from itertools import pairwise

from PySide6.QtCore import QModelIndex, QPoint, Qt, QTimer
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from sendoff.domain.delivery import State
from sendoff.domain.errors import NotFound
from sendoff.domain.when import When, moment, within, zone_info
from sendoff.store import activity, changes, deliveries, timeline
from sendoff.store.activity import Decision, Entry, Wanted
from sendoff.store.db import Connection
from sendoff.store.timeline import Detail
from sendoff.ui.actions import add_action
from sendoff.ui.activity import lines
from sendoff.ui.activity.choosing import Choosing, Jump
from sendoff.ui.activity.days import EDGE, DaysList, DaysModel, Place
from sendoff.ui.activity.deeds import Act
from sendoff.ui.activity.doing import Doing
from sendoff.ui.activity.exporting import ExportButton
from sendoff.ui.activity.lines import Day, Earlier, Key, Line, Needs, Room, View
from sendoff.ui.activity.needs import NeedsView
from sendoff.ui.activity.received import show_received
from sendoff.ui.activity.room import RoomView
from sendoff.ui.context import Context
from sendoff.ui.screen import Screen
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.menu import Menu
from sendoff.ui.widgets.surface import EmptyState, Header, primary

PAGE, MOST = 60, 600
"""How many posts are read at a time, and how many one list holds; beyond that another one begins."""

AGAIN = 20_000
"""How often the words that depend on the time are made anew, in ms; once a second if something is due SOON."""
SOON = timedelta(seconds=90)
INSTANT = timedelta(microseconds=1)

KEYS = {
    Act.RETRY: "R", Act.EDIT: "E", Act.OPEN_LINK: "O", Act.COPY_LINK: "L", Act.DISMISS: "Del", Act.CANCEL: "Del",
    Act.NUMBERS: "N", Act.DELETE: "Shift+Del",
}  # fmt: skip
"""The keys that do these things with the current line."""


class ActivityScreen(Screen):
    """What needs the person, then day by day what left. Enter opens a line; everything is kept in step."""

    topics = frozenset({changes.DELIVERIES, changes.ACCOUNTS})

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.doing = Doing(context, self)
        self.choosing = Choosing(self.look, self)
        self._entries: list[Entry] = []
        self._totals: Mapping[State, int] = {}
        self._stale, self._asked = True, 0
        self._until: datetime | None = None
        self._rooms: dict[Key, RoomView] = {}
        self.model = DaysModel(self._ask, PAGE, self)
        self.list = DaysList(self.look, self.model)
        self.needs = NeedsView(context, self.doing, self._show_decision, self.refresh)
        self.header = Header(self.look, "Activity")
        self.export = ExportButton(context, self._wanted)
        self._build()
        self._listen()
        self._make_actions()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._again)
        self.begin_at = self.list

    def _build(self) -> None:
        look = self.look
        for part in (self.choosing.field, self.choosing.button, self.export):
            self.header.add(part)
        self._jump = Jump(look, lambda: self._begin_at(None))
        button = primary(look, "New post", lambda: self.context.go("composer"), icon="pen-line")
        sentence = "Every post that leaves gets a receipt: when it left, what was answered, and where to see it."
        self._empty = EmptyState(look, "activity", "Nothing has left yet", sentence, button=button)
        clear = primary(look, "Show everything", self.choosing.choose)
        self._nothing = EmptyState(look, "activity", "Nothing fits", "Try other words, or another state.", button=clear)
        self._pages = QStackedWidget()
        for page in (self.list, self._empty, self._nothing):
            self._pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self._jump)
        column.addWidget(self._pages, 1)

    def _listen(self) -> None:
        self.model.grown.connect(self._settle_in)
        self.list.toggled.connect(self.toggle)
        self.list.linked.connect(self._follow)
        self.list.menu_wanted.connect(self._open_menu)
        self.choosing.changed.connect(self._choice_changed)
        self.look.changed.connect(self.list.viewport().update)

    def _make_actions(self) -> None:
        def on_list(words: str, run: Callable[[], object], keys: str = "", icon: str = "") -> None:
            action = add_action(self.list, words, run, keys=keys, icon=icon, group="Activity")
            # Not in what stands inside the list: a button there has keys of its own.
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)

        on_list("Open or close the line", self._toggle_current, "Return", "chevron-down")
        on_list("Try again", lambda: self._act(Act.RETRY, pressing=True), "R", "rotate-ccw")
        on_list("Edit the post", lambda: self._act(Act.EDIT), "E", "pencil")
        on_list("Open the post in the browser", lambda: self._act(Act.OPEN_LINK), "O", "external-link")
        on_list("Copy the link", lambda: self._act(Act.COPY_LINK), "L", "link")
        on_list("Dismiss or cancel", self._remove, "Del", "x")
        on_list("Read likes and replies now", lambda: self._act(Act.NUMBERS), "N", "refresh-cw")
        on_list("Delete the post where it was sent to", lambda: self._act(Act.DELETE), "Shift+Del", "trash-2")
        self.addActions(self.list.actions())
        find = self.choosing.field
        add_action(self, "Search activity", lambda: find.setFocus(Qt.FocusReason.ShortcutFocusReason), keys="Ctrl+F",
                   icon="search", group="Activity")  # fmt: skip
        add_action(find, "Leave the search", self._leave_search, keys="Esc", group="")
        add_action(self, "Export activity as CSV", self.export.choose_file, icon="download", group="Activity")
        add_action(
            self, "See what the practice network received", lambda: show_received(self.context),
            icon="flask-conical", group="Activity",
        )  # fmt: skip

    # --- reading --------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        self.doing.read()
        self.choosing.set_accounts(list(self.doing.known.values()))
        held = self.list.anchor()
        self._read_needs()
        self._read_rooms()
        self._stale = True
        self._relist()
        self.list.hold(held)
        self._show_counts()
        self._order_focus()

    def _relist(self) -> None:
        """Makes the lines anew from what was read, or reads it if it is stale."""
        self.model.refresh()
        self._settle_in()

    def _settle_in(self) -> None:
        """After the lines changed: what stands between them, which page, which line, when to look again."""
        self.model.complete = len(self._entries) < self._asked or self._asked == MOST
        for key in [key for key in self._rooms if self.model.place_of(key) < 0]:
            self._drop_room(key)
        self.list.setRowHidden(0, not self._shows_needs)
        self._place()
        if self.list.current() is None and self.model.first() >= 0:
            self.list.setCurrentIndex(self.model.index(self.model.first()))
            self.list.scrollToTop()
        soon = any(row.leaves_at - self.context.now() < SOON for entry in self._entries for row in entry.rows
                   if row.delivery.state is State.SCHEDULED)  # fmt: skip
        self._timer.start(1000 if soon else AGAIN)

    def _ask(self, limit: int) -> Sequence[lines.Any]:
        """The lines of the latest posts. Scrolling on reads only what comes after."""
        wanted, limit = self._wanted(), min(limit, MOST)
        with self.context.reading() as connection:
            if self._stale:
                self._entries = activity.history(connection, wanted, limit)
            elif limit > self._asked and self._entries:
                more = limit - len(self._entries)
                self._entries += activity.history(connection, wanted, more, self._entries[-1])
            self._stale, self._asked = False, limit
            view = self._view()
            found: list[lines.Any] = list(lines.lines_of(self._entries, view))
            days = [line for line in found if isinstance(line, Day)]
            if days and len(self._entries) == limit:  # the last day goes on beyond what was read
                tally = activity.tally(connection, wanted, *_day(days[-1].day, view.zone))
                found[found.index(days[-1])] = lines.heading(days[-1].day, tally, view)
        if len(self._entries) == MOST:
            found.append(Earlier())
        return [Needs(), *found]

    @property
    def _shows_needs(self) -> bool:
        return self.choosing.wanted.is_everything and self._until is None

    def _wanted(self) -> Wanted:
        """What is asked for. If nothing else was chosen: today and before, without what still waits for its time."""
        wanted, now, zone = self.choosing.wanted, self.context.now(), self.context.zone()
        if wanted.states:
            return wanted
        if self._until is not None:
            return replace(wanted, until=self._until)
        return replace(wanted, until=_day(When.at(now, zone).wall.date(), zone)[1], now=now)

    def _view(self) -> View:
        context = self.context
        return View(context.now(), context.zone(), context.program.channels, frozenset(self._rooms))

    def _read_needs(self) -> None:
        with self.context.reading() as connection:
            found = activity.decisions(connection, self.needs.limit)
            count = timeline.needs_you_count(connection)
            dismissible = activity.dismissible(connection)
            self._totals = timeline.totals(connection)
        self.needs.show_decisions(found, count, dismissible, self._view())

    def _read_rooms(self) -> None:
        with self.context.reading() as connection:
            for key, room in list(self._rooms.items()):
                details = self._details(connection, key)
                if details:
                    room.show_details(details)
                else:
                    self._drop_room(key)

    def _details(self, connection: Connection, key: Key) -> list[Detail]:
        """All that is known of the deliveries of one line."""
        wanted, (post_id, planned_at) = self._wanted(), key
        found = [one for one in deliveries.of_post(connection, post_id) if one.planned_at == planned_at]
        found = [one for one in found if wanted.account_id in (None, one.account_id)]
        fits = wanted.states or frozenset(State) - {State.CANCELLED}
        return [timeline.detail(connection, one.id) for one in found if one.state in fits]

    def _place(self) -> None:
        """Gives the card and the rooms their places, and shows the page that fits."""
        self.list.place(Needs().key, self.needs)
        for key, room in self._rooms.items():
            self.list.place(Room(key).key, room)
        if self.model.place_of(Earlier().key) < 0:
            self.list.forget(Earlier().key)
        elif not self.list.has(Earlier().key):
            self.list.place(Earlier().key, self._way_on())
        if self.model.first() >= 0 or (self._shows_needs and self.needs.has_rows):
            self._pages.setCurrentWidget(self.list)
        else:
            self._pages.setCurrentWidget(self._empty if self._shows_needs else self._nothing)
        self.list.lay_out()

    def _show_counts(self) -> None:
        sent, waiting = self._totals.get(State.SENT, 0), self._totals.get(State.SCHEDULED, 0)
        told = (f"{sent:,} sent" if sent else "", f"{waiting:,} scheduled" if waiting else "")
        self.header.set_title("Activity", " · ".join(part for part in told if part))

    def _order_focus(self) -> None:
        """Tab goes as one reads: from the header through the card to the list."""
        chain: list[QWidget] = [self.export, *self.needs.buttons(), self.list]
        for one, other in pairwise(chain):
            QWidget.setTabOrder(one, other)

    def _again(self) -> None:
        """Times are told against now, so the words change by themselves."""
        if self.isVisible():
            self.refresh() if self._timer.interval() == AGAIN else self._relist()

    # --- where one is ---------------------------------------------------------------------------------------------

    def arrive(self, **what: object) -> None:
        delivery_id = what.get("delivery_id")
        if isinstance(delivery_id, int):
            QTimer.singleShot(0, self, lambda: self.reach(delivery_id))  # when the page is shown and has its size

    def reach(self, delivery_id: int) -> None:
        """Goes to a delivery's line and opens it, however far back it is."""
        try:
            with self.context.reading() as connection:
                one = deliveries.get(connection, delivery_id)
        except NotFound as gone:
            self.context.say(str(gone), trouble=True)
            return
        key = (one.post_id, one.planned_at)
        self._until = None
        self.choosing.choose(State.CANCELLED if one.state is State.CANCELLED else None)
        if self.model.place_of(key) < 0:
            zone = self.context.zone()
            day = When.at(one.planned_at, zone).wall.date()
            self._begin_at(_day(day, zone)[1])
        if self.model.place_of(key) < 0:
            self._begin_at(one.planned_at + INSTANT)
        while self.model.place_of(key) < 0 and self.model.canFetchMore(QModelIndex()):
            self.model.fetchMore(QModelIndex())
        if key not in self._rooms:
            self._open_room(key)
        self.list.choose(key)
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _begin_at(self, until: datetime | None) -> None:
        """Begins the list with what was planned before an instant; None: with today."""
        self._until = until
        self._jump.show_day(None if until is None else When.at(until - INSTANT, self.context.zone()).wall.date())
        self.model.begin_anew()
        self.refresh()
        self.list.scrollToTop()

    def _way_on(self) -> Place:
        """What stands below the last post of a full list."""
        last = self._entries[-1].planned_at
        foot = Place()
        foot.body.setContentsMargins(EDGE, 12, EDGE, 20)
        before = within(moment(last, self.context.zone(), self.context.now()))
        foot.body.addWidget(Button(self.look, f"Go on before {before}",
                                   icon="arrow-right", run=lambda: self._begin_at(last + INSTANT)))  # fmt: skip
        return foot

    def _show_decision(self, decision: Decision) -> None:
        one = decision.row.delivery
        if one.state is State.HELD and decision.waiting > 1:
            self.choosing.choose(State.HELD, one.account_id)
        else:
            self.reach(one.id)

    def _choice_changed(self) -> None:
        self._until = None
        self._jump.show_day(None)
        self.model.begin_anew()
        self.refresh()
        self.list.scrollToTop()

    def _leave_search(self) -> None:
        self.choosing.field.clear()
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def leave(self) -> None:
        """Whoever comes back begins at the top again, with one page."""
        self.model.begin_anew()

    # --- opening --------------------------------------------------------------------------------------------------

    def toggle(self, line: Line) -> None:
        """Opens a line, or closes it."""
        if line.key in self._rooms:
            self._drop_room(line.key)
            self._relist()
        else:
            self._open_room(line.key)

    def _open_room(self, key: Key) -> None:
        with self.context.reading() as connection:
            details = self._details(connection, key)
        if details:
            self._rooms[key] = RoomView(self.context, self.doing)
            self._rooms[key].show_details(details)
            self.list.place(Room(key).key, self._rooms[key])
            self._relist()

    def _drop_room(self, key: Key) -> None:
        self.list.forget(Room(key).key)
        self._rooms.pop(key).deleteLater()

    def _toggle_current(self) -> None:
        if line := self.list.current():
            self.toggle(line)

    # --- doing ----------------------------------------------------------------------------------------------------

    def _act(self, act: Act, *, pressing: bool = False) -> None:
        """Does one thing with all deliveries of the current line with which it can be done."""
        if line := self.list.current():
            self.doing.do(act, self.doing.able(line.rows, act, pressing=pressing))

    def _remove(self) -> None:
        if line := self.list.current():
            dismissible = self.doing.able(line.rows, Act.DISMISS)
            self.doing.do(Act.DISMISS if dismissible else Act.CANCEL,
                          dismissible or self.doing.able(line.rows, Act.CANCEL))  # fmt: skip

    def _follow(self, line: Line, at: QPoint) -> None:
        """Opens a line's link; where there are several, asks which."""
        linked = self.doing.able(line.rows, Act.OPEN_LINK)
        if len(linked) == 1:
            self.doing.do(Act.OPEN_LINK, linked)
            return
        menu = self._new_menu()
        for row in linked:
            menu.add(row.account, partial(self.doing.do, Act.OPEN_LINK, [row]), icon="external-link")
        menu.popup(at)

    def _open_menu(self, at: QPoint) -> None:
        line = self.list.current()
        if line is None:
            return
        menu = self._new_menu()
        menu.add("Close" if line.is_open else "Open", self._toggle_current, keys="Return",
                 icon="chevron-up" if line.is_open else "chevron-down")  # fmt: skip
        menu.addSeparator()
        for row in line.rows:
            target = menu if len(line.rows) == 1 else Menu(self.look, row.account, menu)
            for deed in self.doing.deeds(row):
                keys = KEYS.get(deed.act, "") if deed.pressing or deed.act is not Act.RETRY else ""
                target.add(deed.words, partial(self.doing.do, deed.act, [row]), icon=deed.icon, keys=keys)
            if target is not menu and not target.isEmpty():
                menu.addMenu(target)
        menu.popup(at)

    def _new_menu(self) -> Menu:
        menu = Menu(self.look, parent=self.list)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return menu


def _day(day: date, zone: str) -> tuple[datetime, datetime]:
    """The instants at which a day begins and ends."""
    info = zone_info(zone)
    begin, end = (datetime.combine(one, clock_time(), info) for one in (day, day + timedelta(days=1)))
    return begin.astimezone(UTC), end.astimezone(UTC)
