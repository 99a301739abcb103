"""The composer: writing a post and giving it a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent, QKeySequence, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from sendoff.domain.errors import NotFound
from sendoff.domain.when import When
from sendoff.domain.words import joined
from sendoff.store import accounts as account_rows
from sendoff.store import changes, settings
from sendoff.store.settings import SETTINGS
from sendoff.ui.actions import add_action
from sendoff.ui.background import Errand
from sendoff.ui.composer.assess import Assessment, Eyes, assess
from sendoff.ui.composer.cards import LinkCards
from sendoff.ui.composer.care import Care
from sendoff.ui.composer.departure import Departure
from sendoff.ui.composer.desk import Desk
from sendoff.ui.composer.foot import HEIGHT, Foot
from sendoff.ui.composer.header import ComposerHeader
from sendoff.ui.composer.opening import Opened, begin, open_post
from sendoff.ui.composer.preview.pane import PreviewPane
from sendoff.ui.composer.readiness import badge
from sendoff.ui.composer.receiving import Receiving
from sendoff.ui.composer.remedies import Remedies
from sendoff.ui.composer.saving import PAUSE, Record, Saver
from sendoff.ui.composer.state import Writing
from sendoff.ui.composer.timing import as_set, spelled
from sendoff.ui.context import Context
from sendoff.ui.screen import Screen
from sendoff.ui.start import Start
from sendoff.ui.widgets.menu import Menu
from sendoff.ui.widgets.order import put_in_order

LOOK_AFTER, SHOW_AFTER = 30, 120
"""How long typing may go on before it is looked through, and before the preview follows, in ms."""

PREVIEW, PREVIEW_MAIL = 376, 400
NARROW_UNDER = 1100
"""Below this width of the window the preview is behind a button."""

STATUS_EVERY = 20_000
RULES = next(one for one in SETTINGS if one.name == "late").choices


class ComposerScreen(Screen):
    """Holds the parts together: what is typed is looked through, kept, shown beside, and sent when the person says so.

    The desk holds what is written; everything else follows from it.
    """

    topics = frozenset({changes.POSTS, changes.DELIVERIES, changes.ACCOUNTS, changes.SETTINGS})
    foot_height = HEIGHT

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        look = self.look
        self.eyes = Eyes({}, context.program.channels, context.program.clock, context.settings())
        self.assessment = Assessment()
        self.saver = Saver(context, self)
        self.opened = Opened(Writing(), None)
        self._looking: Errand | None = None
        self._loaded = False
        self._baseline = Writing()
        self._preview_wanted = False
        self.header = ComposerHeader(look, context.back)
        self.desk = Desk(context)
        self.pane = PreviewPane(context)
        self.menu = Menu(look, parent=self)
        self.foot = Foot(look, context.now, context.zone, self.menu)
        self.departure = Departure(self)
        self.care = Care(self)
        self.remedies = Remedies(self)
        self.link_cards = LinkCards(self)
        self.receiving = Receiving(self)
        self._arrange()
        self._make_timers()
        self._connect()
        self._make_actions()

    def _arrange(self) -> None:
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.desk, 1)
        middle.addWidget(self.pane)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addLayout(middle, 1)
        column.addWidget(self.foot)

    def _make_timers(self) -> None:
        def timer(wait: int, run: object, *, once: bool = True) -> QTimer:
            made = QTimer(self)
            made.setInterval(wait)
            made.setSingleShot(once)
            made.timeout.connect(run)
            return made

        self._look_soon = timer(LOOK_AFTER, self.look_through)
        self._save_soon = timer(PAUSE, self.save)
        self._show_soon = timer(SHOW_AFTER, self._show_previews)
        self._status = timer(STATUS_EVERY, self._say_status, once=False)

    def _connect(self) -> None:
        self.desk.changed.connect(self.changed)
        self.desk.changed.connect(self.link_cards.changed)
        self.desk.add_account_wanted.connect(self.connect_account)
        self.desk.problems.fix.connect(self.remedies.apply)
        self.foot.changed.connect(self.changed)
        self.foot.reread.connect(self._show_button)
        self.foot.pressed.connect(self.departure.press)
        self.menu.aboutToShow.connect(self.departure.fill_menu)
        self.header.menu.aboutToShow.connect(self.care.fill_menu)
        self.header.preview_toggled.connect(self._toggle_preview)
        self.saver.told.connect(self._say_status)
        self.saver.refused.connect(self.care.changed_elsewhere)
        self.saver.on_again(self.save)
        self.context.window.stood.connect(self._show_badge)

    def _make_actions(self) -> None:
        def add(words: str, run: object, keys: str, icon: str = "") -> None:
            add_action(self, words, run, keys=keys, icon=icon, group="Composer")  # type: ignore[arg-type]

        add("Schedule or send", self.departure.press, "Ctrl+Return", "send")
        self.actions()[-1].setShortcuts([QKeySequence("Ctrl+Return"), QKeySequence("Ctrl+Enter")])
        add("Save now", self.save_and_say, "Ctrl+S", "check")
        add("Go back", self.context.back, "Esc", "arrow-left")
        add("Go to the text", self.desk.focus_body, "Alt+T")
        add("Choose accounts", self.desk.choose_accounts, "Alt+A", "at-sign")
        add("Go to the time", lambda: self.foot.words.setFocus(Qt.FocusReason.ShortcutFocusReason), "Alt+W", "clock")
        add("Pick a time", self.foot.open_picker, "Alt+C", "calendar-days")
        add("Add a picture", self.desk.choose_files, "Ctrl+Shift+A", "image")
        add("Add to thread", self.desk.add_item, "Ctrl+Shift+Return", "list-plus")
        add("Split into thread", self.remedies.split_what_is_long, "Ctrl+Shift+T", "list-plus")
        add("Move the picture left", lambda: self.desk.move_picture(-1), "Alt+Left")
        add("Move the picture right", lambda: self.desk.move_picture(1), "Alt+Right")
        add("Show or hide the preview", self.header.press_preview, "Alt+P", "eye")

    # --- coming and going -----------------------------------------------------------------------------------------

    def arrive(self, **what: object) -> None:
        """Opens the post `post_id`, or begins a new one.

        Then `text` stands in it, `account_id` is where it goes, and `at` is a time for it: aware, or a When. A `given`
        is the Start that a new post begins with. `go_on`: it stays what was being written, and goes there too.
        """
        post_id, text, at, account_id = (what.get(name) for name in ("post_id", "text", "at", "account_id"))
        given = what.get("given")
        self.header.set_back(self.context.window.before)
        self._read_around()
        if isinstance(post_id, int):
            if not self._is_open(post_id):
                self.save()
                self.reopen(post_id)
        elif isinstance(given, Start):
            self.receiving.take(given)
        elif what.get("go_on") and self._loaded and not self.saver.record.stuck:
            self._go_on(account_id if isinstance(account_id, int) else 0)
        elif not (self._loaded and self._is_untouched) or account_id:
            self.begin(account_id=account_id if isinstance(account_id, int) else 0)
        when = When.at(at, self.context.zone()) if isinstance(at, datetime) else at
        if isinstance(when, When):
            self.foot.take(spelled(when, self.context.zone()), when.zone)
        if isinstance(text, str) and text:
            self.desk.put_text(text)
        if not self.isVisible():
            QTimer.singleShot(0, self.desk.focus_text)

    def connect_account(self) -> None:
        """Leads to a new account, and from there back to what is being written."""
        self.context.go("add_account", for_draft=True)

    def _go_on(self, account_id: int) -> None:
        """Goes on with what is written, as it is stored if somebody else changed it; it goes to this account too."""
        self._follow()
        if account_id in self.eyes.known:
            self.desk.accounts.choose(account_id)
        self.look_through()

    @property
    def is_busy(self) -> bool:
        return self.desk.is_busy

    @property
    def _post_id(self) -> int | None:
        """The post that is shown, if it is stored."""
        return self.opened.post.id if self.opened.planned and self.opened.post else self.saver.record.post_id

    @property
    def is_changed(self) -> bool:
        """Whether something is written here that is not stored in the post itself."""
        return self.writing != self._baseline if self.opened.planned else self.saver.is_changed(self.writing)

    def _is_open(self, post_id: int) -> bool:
        self._follow()
        return self._loaded and self._post_id == post_id and not self.saver.record.stuck

    @property
    def _is_untouched(self) -> bool:
        return self.saver.record.post_id is None and not self.opened.planned and self.writing.is_blank

    def keep(self) -> None:
        """Keeps what is written; an empty draft that was begun here goes."""
        self.save()
        record, planned = self.saver.record, self.opened.planned
        if record.stuck and not planned:
            self.care.keep_copy()
        elif not planned and self.writing.is_blank and record.post_id is not None and self.opened.post is None:
            self.saver.drop_empty(record)
            self.begin()
        elif planned and self.is_changed:
            self.context.say("Your changes are kept here, and not saved yet: the post is planned as it was.")

    def begin(self, *, keep: bool = True, account_id: int = 0) -> None:
        """A new post, for one account or for those of the last one. With `keep` what was written is kept first."""
        if keep and self._loaded:
            self.save()
        self.load(Opened(begin(self.context, self.eyes.known, account_id), None), Record())

    def reopen(self, post_id: int, *, keep: bool = True) -> None:
        """Shows a post as it is stored; with `keep` also changes to a planned one that were not saved."""
        try:
            opened = open_post(self.context, post_id, self.eyes.known)
        except NotFound as gone:
            self.context.say(str(gone), trouble=True)
            self.begin(keep=False)
            return
        post = opened.post
        opened = opened if keep else replace(opened, unsaved=None)
        self.load(opened, Record(post.id, post.version) if post and not opened.planned else Record())
        self._notice(opened)

    def _notice(self, opened: Opened) -> None:
        """Says what is unusual about a post."""
        say, drop = self.desk.notice.say, ("Drop the changes", self.care.drop_changes)
        if opened.post is None:
            say("It went out already, and that can’t change. This is a copy for a new post.")
        elif opened.unsaved is not None and opened.overtaken:
            words = "These changes are not saved yet, and the post was changed elsewhere since."
            say(words, [("Keep mine as a copy", self.care.keep_copy), drop], state="doubt")
        elif opened.unsaved is not None:
            say("These changes are not saved yet. The post is planned as it was.", [drop])

    def load(self, opened: Opened, record: Record) -> None:
        """Shows a post and keeps it under `record` from now on."""
        self.opened = opened
        self.departure.begin()
        self.desk.notice.say("")
        self.desk.forget_coming()
        self.link_cards.soon.stop()
        self._show(opened.writing)
        self._baseline = self.writing
        planned, post = (opened.post if opened.planned else None), opened.post
        saved_at = post.updated_at if post and record.post_id is not None else None
        self.saver.begin(record, self._baseline, planned, saved_at)
        if opened.unsaved is not None:
            self._show(opened.unsaved)
        self._loaded = True
        self._show_title()
        self.look_through()

    def _show(self, writing: Writing) -> None:
        chosen = self.eyes.settings
        self.desk.show_writing(writing, self.eyes)
        rules = [rule for rule, _ in RULES]
        self.foot.show_plan(writing.words, writing.zone, writing.late, rules, chosen["week_start"])
        self._show_rule()

    def _show_rule(self) -> None:
        """Says what "as set" means for the accounts that are chosen."""
        preference = self.eyes.settings["late"]
        chosen = [self.eyes.known[one] for one in self.desk.accounts.chosen() if one in self.eyes.known]
        self.foot.show_as_set(as_set([one.late or preference for one in chosen] or [preference]))

    def show_again(self, writing: Writing) -> None:
        """Undo of what changed the text: shows it as it was."""
        self._show(writing)
        self.changed()

    @property
    def writing(self) -> Writing:
        """What is written now."""
        foot = self.foot
        return replace(self.desk.writing(), words=foot.words.text(), zone=foot.zone, late=foot.late.value())

    def refresh(self) -> None:
        """Takes over what changed elsewhere: accounts, and the post itself while nothing here is newer."""
        self._read_around()
        self._follow()
        self._show_badge()
        self._show_rule()
        self._look_soon.start()

    def _read_around(self) -> None:
        """The accounts and the settings, which every look needs."""
        with self.context.reading() as connection:
            known = {one.id: one for one in account_rows.every(connection, self.context.workspace_id)}
            self.eyes = replace(self.eyes, settings=settings.read(connection))
        if known != self.eyes.known:
            self.eyes = replace(self.eyes, known=known)
            self.desk.know(self.eyes)
            if self._loaded and self._is_untouched and not self.desk.accounts.chosen() and len(known) == 1:
                self.desk.accounts.choose(next(iter(known)))

    def _follow(self) -> None:
        """Shows a post anew that was changed elsewhere, if nothing was typed here since."""
        here = self._post_id
        if here is None or self.saver.is_busy or self.departure.under_way or self.saver.record.stuck or self.is_changed:
            return
        try:
            found = open_post(self.context, here, self.eyes.known)
        except NotFound:
            self.begin(keep=False)
            return
        version = self.opened.post.version if self.opened.planned and self.opened.post else self.saver.record.version
        if found.post is None or found.post.version != version or found.ids != self.opened.ids:
            self.reopen(here)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._status.start()
        self._fit()
        self._say_status()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._status.stop()

    # --- typing ---------------------------------------------------------------------------------------------------

    def changed(self) -> None:
        """Something was typed or chosen: it is looked through and kept in a moment."""
        if not self._save_soon.isActive():
            self._save_soon.start()
        if not self._look_soon.isActive():
            self._look_soon.start()

    def save(self) -> None:
        """Keeps what is written, in the background."""
        self._save_soon.stop()
        if self._loaded and not self.departure.under_way:
            self.saver.keep(self.writing)
            self._say_status()

    def save_and_say(self) -> None:
        """Keeps it and says so; a planned post is changed."""
        if self.opened.planned:
            self.departure.press()
        else:
            self.save()
            self.context.say("Nothing is written yet." if self.writing.is_blank else "It is kept in Drafts.")

    def look_through(self) -> None:
        """Counts and checks, in the background; an older look is forgotten."""
        if self._looking is not None:
            self._looking.drop()
        self._looking = self.look_with(self.show_assessment)

    def look_with(self, done: Callable[[Assessment], None]) -> Errand:
        """Looks through what is written now, in the background; `done` gets what was found."""
        writing, eyes, when = self.writing, self.eyes, self.foot.timing.when
        if self.opened.planned:
            self._say_status()
        work = partial(assess, writing, eyes, when)
        return self.context.do(work, done, owner=self)

    def show_assessment(self, found: Assessment) -> None:
        """Shows what a look found."""
        self.assessment = found
        self.desk.show_assessment(found)
        self.show_matters()
        put_in_order(self)
        self._show_button()
        self._show_rule()
        self._show_title()
        if not self._show_soon.isActive():
            self._show_soon.start()

    def show_matters(self) -> None:
        """Shows what stands against it."""
        matters = self.departure.worth_showing(self.assessment.matters, blank=self.writing.is_blank)
        chosen = len(self.writing.chosen)
        self.desk.problems.show_matters(matters, self.departure.is_overridden, self._names, chosen)

    def _names(self, ids: Sequence[int]) -> str:
        return joined([self.eyes.known[one].name for one in ids if one in self.eyes.known])

    def _show_previews(self) -> None:
        if self.pane.isVisible():
            self.pane.show_previews(self.assessment.previews)

    # --- words and sizes ------------------------------------------------------------------------------------------

    def _show_button(self) -> None:
        words = self.departure.words()
        if words != self.foot.button.words():
            self.foot.name_button(words)
        self._show_badge()

    def _show_badge(self) -> None:
        self.foot.badge.setHidden(self.departure.lacks_account)
        self.foot.show_badge(badge(self.context.window.standing, self.foot.timing, self.context.now()))

    def _show_title(self) -> None:
        kind = "e-mail" if self.desk.is_mail_alone else "post"
        self.header.set_title(f"Edit {kind}" if self.opened.planned else f"New {kind}")
        self._fit()

    def _say_status(self) -> None:
        self.header.say(*self._status_words())

    def _status_words(self) -> tuple[str, str]:
        saver = self.saver
        if not self._loaded:
            return "", ""
        if saver.record.stuck:
            return "Changed elsewhere", "doubt.text"
        if saver.trouble:
            return "Not saved", "failed.text"
        if self.opened.planned:
            return ("Changes not saved yet", "doubt.text") if self.is_changed else ("", "")
        if saver.is_busy:
            return "Saving…", "text2"
        if saver.saved_at is None:
            return "", ""
        minutes = int((self.context.now() - saver.saved_at) / timedelta(minutes=1))
        words = "Saved just now" if minutes < 1 else f"Saved {minutes} min ago" if minutes < 60 else "Saved"
        return words, "text2"

    def _toggle_preview(self, wanted: bool) -> None:
        self._preview_wanted = wanted
        self._fit()
        self._show_previews()

    def _fit(self) -> None:
        """The preview beside the text where there is room, else behind its button."""
        narrow = self.window().width() < NARROW_UNDER
        self.header.show_preview_button(narrow)
        self.pane.setVisible(not narrow or self._preview_wanted)
        self.pane.setFixedWidth(PREVIEW_MAIL if self.desk.is_mail_alone else PREVIEW)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
        if not self._show_soon.isActive():
            self._show_soon.start()
