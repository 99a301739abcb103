"""The planner: what leaves when, as a week or as a list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction, QHideEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from sendoff.domain.delivery import State
from sendoff.domain.when import MONTHS, When
from sendoff.domain.words import counted
from sendoff.store import accounts, changes, posts, settings, timeline
from sendoff.store.db import Connection
from sendoff.store.timeline import Chip
from sendoff.ui.actions import add_action
from sendoff.ui.context import Context
from sendoff.ui.planner import days
from sendoff.ui.planner.bars import Notice, SelectionBar
from sendoff.ui.planner.card import PreviewCard
from sendoff.ui.planner.deeds import STEPS, Deeds
from sendoff.ui.planner.list import Line, ListView, lines_of
from sendoff.ui.planner.toolbar import Choice, FilterRow, Toolbar
from sendoff.ui.planner.week import WeekView
from sendoff.ui.screen import Screen
from sendoff.ui.widgets.surface import Divider, EmptyState, Header, primary

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
PAGE = 100
"""How many deliveries of the past the list reads at a time."""
FOUND = 300
"""How many posts a search shows at most."""
INSTANT = timedelta(microseconds=1)


class PlannerScreen(Screen):
    """The planner. V switches between week and list, T goes to today, Ctrl+F searches."""

    topics = frozenset({changes.POSTS, changes.DELIVERIES, changes.ACCOUNTS, changes.SETTINGS})

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._day: date | None = None  # None: today, whenever that is
        self._shown = "week"
        self._zone, self._week_start = "UTC", "monday"
        self._from = EARLIEST  # where the list begins
        self._hits: list[Chip] | None = None  # what the search found
        self._asked = 0
        self._wanted: tuple[int, datetime] | None = None
        self._placed = False
        self.deeds = Deeds(context, self)
        self.card = PreviewCard(context, self.deeds)
        marks = {kind: channel.mark for kind, channel in context.program.channels.items()}
        self.week = WeekView(self.look, marks, self.deeds, self.card)
        self.list = ListView(context, self.deeds, self._ask, lambda: self._today)
        self.toolbar, self.filters = Toolbar(self.look), FilterRow(self.look)
        self.views = QStackedWidget()
        self._lay_out()
        self.bar = SelectionBar(self.look, self, self.deeds, self.select_none)
        self.notice = Notice(self.look, self, "Show all accounts", lambda: self.filters.choose(set()))
        self._connect()
        self._make_actions()
        self._minute = QTimer(self)
        self._minute.setSingleShot(True)
        self._minute.timeout.connect(self._tick)
        self.begin_at = self.views

    def _lay_out(self) -> None:
        look = self.look
        everything = primary(look, "Show everything", self.show_everything)
        self._nothing = EmptyState(look, "planner", "Nothing found", "", button=everything)
        for view in (self.week, self.list, self._nothing):
            self.views.addWidget(view)
        main = QWidget()
        column = QVBoxLayout(main)
        self._line = Divider(look, soft=False)
        for part in (self.toolbar, self.filters, self._line):
            column.addWidget(part)
        column.addWidget(self.views, 1)
        self._pages = QStackedWidget()
        self._pages.addWidget(main)
        self._pages.addWidget(self._empty())
        whole = QVBoxLayout(self)
        whole.addWidget(self._pages)
        for layout in (column, whole):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(0)

    def _empty(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(Header(self.look, "Planner"))
        button = primary(self.look, "New post", lambda: self.context.go("composer"))
        sentence = "Write a post, give it a time, and it stands here until it leaves."
        column.addWidget(EmptyState(self.look, "planner", "Nothing is planned yet", sentence, button=button), 1)
        return page

    def _connect(self) -> None:
        bar = self.toolbar
        bar.paged.connect(self.page)
        bar.today_wanted.connect(self.go_to_today)
        bar.viewed.connect(self.show_view)
        bar.searched.connect(self._search)
        bar.search_entered.connect(self._leave_search)
        self.filters.changed.connect(lambda _ids: self._filtered())
        self.filters.drafts_wanted.connect(lambda: self.context.go("drafts"))
        self.week.paged.connect(self.page)
        self.week.listed.connect(self._list_from)
        self.list.reached_top.connect(self._read_earlier)
        self.list.scrolled.connect(self._show_titles)
        for view in (self.week, self.list):
            view.selection_changed.connect(self._show_selection)

    def _make_actions(self) -> None:
        here, both = partial(add_action, self, group="Planner"), partial(add_action, self.views, group="Planner")
        here("Go to today", self.go_to_today, keys="T", icon="calendar-days")
        here("A week earlier", lambda: self.page(-1), keys="Alt+Left", icon="chevron-left")
        here("A week later", lambda: self.page(1), keys="Alt+Right", icon="chevron-right")
        here("Switch between week and list", self.switch, keys="V", icon="list-checks")
        here("Search the planner", self.toolbar.begin_search, keys="Ctrl+F", icon="search")
        opens = both("Open the post", self._open, keys="Return", icon="pencil")
        opens.setShortcuts([QKeySequence("Return"), QKeySequence("Enter")])
        both("Cancel the posts", self._cancel, keys="Del", icon="trash-2")
        both("Send the post now", self._send_now, icon="send")
        for words, by, keys in STEPS:
            if keys:
                both(f"Move {words}", partial(self._shift, by), keys=keys, icon="calendar-clock")

    def actions(self) -> list[QAction]:
        """What can be done here, with what only the views have keys for."""
        return [*super().actions(), *self.views.actions()]

    # --- what is shown --------------------------------------------------------------------------------------------

    @property
    def _view(self) -> WeekView | ListView:
        return self.list if self.is_list else self.week

    @property
    def is_list(self) -> bool:
        """Whether rows are shown: by choice, or because they are what was searched for."""
        return self._hits is not None or self._shown == "list"

    @property
    def _today(self) -> date:
        return When.at(self.context.now(), self._zone).wall.date()

    @property
    def day(self) -> date:
        """The day that one has gone to."""
        return self._day or self._today

    @property
    def first(self) -> date:
        """The first day of the week that is shown."""
        return days.week_of(self.day, self._week_start)

    def refresh(self) -> None:
        if self._hits is None:
            self._show()
        else:
            self._look_up()

    def _show(self) -> None:
        """Reads and shows what is wanted: the week, or rows."""
        with self.context.reading() as connection:
            chosen = settings.read(connection)
            self._zone = chosen["zone"] or self.context.zone()
            self._week_start = chosen["week_start"]
            workspace = accounts.workspace_list(connection)[0].id
            known = accounts.every(connection, workspace)
            drafts = posts.draft_count(connection, workspace)
            total = sum(n for state, n in timeline.totals(connection).items() if state is not State.CANCELLED)
            self._show_page(0 if total else 1)
            chips = [] if self.is_list else self._read_week(connection, workspace)
        channels = self.context.program.channels
        self.list.zone = self._zone
        self.list.resting = [one for one in known if one.rest_until is not None or one.ready_at is not None]
        marks = {one.id: channels[one.channel].mark if one.channel in channels else "" for one in known}
        self.filters.show_accounts([Choice(one.id, one.name, marks[one.id]) for one in known], drafts)
        if self.is_list:
            self._show_list()
        else:
            self._show_week(chips)
        self._show_titles()
        self._show_selection()

    def _read_week(self, connection: Connection, workspace: int) -> list[Chip]:
        start, end = (days.begin(day, self._zone) for day in (self.first, self.first + timedelta(days=days.DAYS)))
        return timeline.between(connection, start, end, only_accounts=self.filters.chosen, workspace_id=workspace)

    def _show_page(self, page: int) -> None:
        if self._pages.currentIndex() != page:
            self._pages.setCurrentIndex(page)

    def _show_week(self, chips: Sequence[Chip]) -> None:
        self.week.show_week(self.first, self._zone, chips, self.context.now())
        self._bring(self.week)
        self._line.hide()
        bare = not chips and bool(self.filters.chosen)
        self.notice.say(f"Nothing for {self.filters.names()} in this week." if bare else "")

    def _bring(self, view: QWidget) -> None:
        self.views.setCurrentWidget(view)
        self.views.setFocusProxy(view)

    def _show_list(self) -> None:
        if self._hits is None and not self._placed:
            self._from = self._before(days.begin(self.day, self._zone))
        self.list.renew()
        rows = self.list.rows.rows
        self._bring(self.list if rows else self._nothing)
        self._line.show()
        self.notice.say("")
        if not rows:
            self._explain_nothing()
        elif not self._placed:
            self._placed = True
            self.list.show_day(self._today if self._hits is not None else self.day)
            self.list.start()

    def _explain_nothing(self) -> None:
        words, names = self.toolbar.search.text().strip(), self.filters.names()
        about = f"with “{words}”" if self._hits is not None else ""
        whose = f"for {names}" if names else ""
        self._nothing.sentence.setText(" ".join(f"No post {about} {whose} is planned or was sent.".split()))

    def _show_titles(self) -> None:
        self.toolbar.views.set_value("list" if self.is_list else "week")
        self.toolbar.set_paging(self._hits is None)
        if self._hits is not None:
            found = len({chip.post_id for chip in self._filtered_hits()})
            words = self.toolbar.search.text().strip()
            self.toolbar.set_title(f"“{words}”", f"“{words}”", counted(found, "post", "posts"))
        elif self.is_list:
            shown = self.list.shown_days
            day = min(self.day, shown[0]) if shown else self.day  # the end of the list may not go so far up
            name = "today" if day == self._today else f"{day.day} {MONTHS[day.month - 1]}"
            short = "today" if day == self._today else f"{day.day} {MONTHS[day.month - 1][:3]}"
            aside = " – ".join(dict.fromkeys(days.day_words(one) for one in shown)) if shown else ""
            self.toolbar.set_title(f"From {name}", f"From {short}", aside)
        else:
            first = self.first
            aside = f"Week {days.week_number(first)}"
            self.toolbar.set_title(days.title(first), days.title(first, short=True), aside)

    def select_none(self) -> None:
        self._view.clear_selection()

    def _show_selection(self) -> None:
        self.bar.show_chips(self._view.selected if self._pages.currentIndex() == 0 else [])

    # --- the list's rows ------------------------------------------------------------------------------------------

    def _ask(self, limit: int) -> Sequence[Line]:
        """At least so many rows from the day on, if there are, and what was read before it."""
        if self._hits is not None:
            return lines_of(self._filtered_hits(), self._zone)
        begin, count = days.begin(self.day, self._zone), limit
        only, workspace = self.filters.chosen, self.context.workspace_id
        with self.context.reading() as connection:
            while True:
                last = timeline.reach(connection, begin, count, only_accounts=only, workspace_id=workspace)
                end = last + INSTANT if last else LATEST
                chips = timeline.between(connection, self._from, end, only_accounts=only, workspace_id=workspace)
                lines = lines_of(chips, self._zone)
                if last is None or len(lines) >= limit:
                    return lines
                count *= 2

    def _filtered_hits(self) -> list[Chip]:
        only = self.filters.chosen
        return [
            chip for chip in self._hits or () if not only or any(seat.account_id in only for seat in chip.seats)
        ]  # fmt: skip

    def _before(self, instant: datetime) -> datetime:
        """Where the page of the past before an instant begins; always a day's beginning."""
        only, workspace = self.filters.chosen, self.context.workspace_id
        with self.context.reading() as connection:
            found = timeline.reach(connection, instant, PAGE, back=True, only_accounts=only, workspace_id=workspace)
        if found is None:
            return EARLIEST
        return days.begin(When.at(found, self._zone).wall.date(), self._zone)

    def _read_earlier(self) -> None:
        if self._hits is None and self._from > EARLIEST:
            self._from = self._before(self._from)
            self.list.renew()

    # --- going about ----------------------------------------------------------------------------------------------

    def arrive(self, **what: object) -> None:
        at, post_id = what.get("at"), what.get("post_id")
        instant = at.instant if isinstance(at, When) else at if isinstance(at, datetime) else None
        if instant is None and isinstance(post_id, int):
            with self.context.reading() as connection:
                chips = timeline.of_posts(connection, [post_id])
            ahead = [chip.at for chip in chips if chip.at >= self.context.now()]
            instant = min(ahead, default=max((chip.at for chip in chips), default=None))
        if instant is None:
            return
        self.show_everything()
        self._day = When.at(instant, self.context.zone()).wall.date()
        self._placed = False
        self._wanted = (post_id, instant) if isinstance(post_id, int) else None
        self._show()
        QTimer.singleShot(0, self, self._jump)  # the page has its size by then

    def _jump(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is None:
            return
        if self.is_list:
            self.list.select_chip(*wanted)
        else:
            self.week.jump_to(*wanted)

    def leave(self) -> None:
        self.card.dismiss()

    def page(self, step: int) -> None:
        """A week earlier or later; what was searched for has no weeks."""
        if self._hits is None:
            self._go_to(self.day + timedelta(days=days.DAYS * step))

    def go_to_today(self) -> None:
        self.toolbar.search.clear()
        self._go_to(None)

    def _go_to(self, day: date | None) -> None:
        self.card.dismiss()
        self._day = None if day == self._today else day
        self._placed = False
        self._show()

    def switch(self) -> None:
        self.show_view("week" if self.is_list else "list")

    def show_view(self, view: str) -> None:
        """Shows "week" or "list"; from a search the week of the post that is selected there."""
        self.card.dismiss()
        chips, shown = self._view.selected, self.list.shown_days if self.is_list else None
        for other in (self.week, self.list):
            other.clear_selection()
        searching, self._shown = self._hits is not None, view
        if view == "week" and searching:
            self.toolbar.search.clear()
        if chips:
            self._day = When.at(chips[0].at, self._zone).wall.date()
        elif shown is not None and not searching:
            self._day = shown[0]
        self._placed = False
        self._show()
        if chips and not (view == "list" and searching):
            self._wanted = (chips[0].post_id, chips[0].at)
            self._jump()
        self._view.setFocus()

    def _list_from(self, entry: days.Entry) -> None:
        """Lists what has no room in the week."""
        self._shown, self._day = "list", entry.wall.date()
        self._placed = False
        self._show()
        self.list.select_chip(*entry.chip.key)
        self.list.setFocus()

    def show_everything(self) -> None:
        """Takes search and filter away."""
        self.toolbar.search.clear()
        self.filters.choose(set())

    def _filtered(self) -> None:
        self._placed = False
        self._show()

    # --- searching ------------------------------------------------------------------------------------------------

    def _search(self, words: str) -> None:
        """Shows what is found for the words, whenever it is planned; for none the view that was there."""
        self._asked += 1
        if not words.strip():
            found, self._hits = self._hits is not None, None
            if found:
                self._placed = False
                self._show()
            return
        self._placed = False
        self._look_up()

    def _look_up(self) -> None:
        number, context, words = self._asked, self.context, self.toolbar.search.text()

        def find() -> list[Chip]:
            with context.reading() as connection:
                chips = timeline.of_posts(connection, posts.search(connection, words, FOUND))
            shown = (chip for chip in chips if chip.state is not State.CANCELLED)
            return sorted(shown, key=lambda chip: chip.at)

        def show(chips: list[Chip]) -> None:
            if number == self._asked:
                self._hits = chips
                self._show()

        context.background.run(find, show, owner=self)

    def _leave_search(self) -> None:
        """From the field to what was found."""
        self._view.setFocus()

    # --- doing ----------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        chips = self._view.subject
        if chips:
            self.card.dismiss()
            self.deeds.open(chips[0])

    def _cancel(self) -> None:
        if chips := self._view.subject:
            self.card.dismiss()
            self.deeds.cancel(chips)

    def _send_now(self) -> None:
        if chips := self._view.subject:
            self.deeds.send_now(chips[0])

    def _shift(self, by: timedelta) -> None:
        if chips := self._view.subject:
            self.card.dismiss()
            self.deeds.shift(chips, by)

    # --- time passes ----------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        """At each full minute the line for now moves on; at midnight the days change their names."""
        now = self.context.now()
        if self.week.set_now(now):
            self.refresh()
        self._minute.start(int((60 - now.second % 60) * 1000) + 20)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._tick()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._minute.stop()
        self.card.dismiss()
