"""The left side of the composer: accounts, tabs, the pages, options and problems, one below the other."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QFrame, QLineEdit, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from sendoff.ui.composer.accounts import Accounts
from sendoff.ui.composer.assess import Assessment, Eyes
from sendoff.ui.composer.editor import Editor
from sendoff.ui.composer.mailform import Sender
from sendoff.ui.composer.options import Options
from sendoff.ui.composer.page import PageView
from sendoff.ui.composer.preview.pictures import Pictures
from sendoff.ui.composer.problems import Problems
from sendoff.ui.composer.state import EVERYONE, Page, Writing
from sendoff.ui.composer.tabs import Tab, Tabs
from sendoff.ui.context import Context
from sendoff.ui.widgets.notice import Notice

PADDING = 24


class Desk(QScrollArea):
    """Holds what is written. `changed` comes with every change."""

    changed = Signal()
    add_account_wanted = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context, look = context, context.look
        self._eyes = Eyes({}, context.program.channels, context.program.clock, {})
        self._writing = Writing()
        self._showing = False
        self._pictures = Pictures(context, self)
        self._views: dict[int, PageView] = {}
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.notice = Notice(look)
        self.accounts = Accounts(look)
        self.tabs = Tabs(look)
        self.pages = _Pages()
        self.options = Options(look)
        self.problems = Problems(look)
        body = QWidget()
        body.setObjectName("page")
        self._column = QVBoxLayout(body)
        self._column.setContentsMargins(PADDING, 16, PADDING, PADDING)
        self._column.setSpacing(0)
        self._column.addWidget(self.notice)
        self._gap = QWidget()
        self._gap.setFixedHeight(12)
        self._column.addWidget(self._gap)
        self._column.addWidget(self.accounts)
        self._column.addWidget(self.tabs)
        self._column.addWidget(self.pages, 1)
        self._column.addWidget(self.problems)
        self._column.addWidget(self.options)
        self.setWidget(body)
        self.setAcceptDrops(True)
        self.verticalScrollBar().rangeChanged.connect(self._make_room)
        self._connect()

    def _connect(self) -> None:
        self.accounts.changed.connect(self._accounts_changed)
        self.accounts.add_wanted.connect(self.add_account_wanted.emit)
        self.accounts.customise_wanted.connect(self.customise)
        self.tabs.chosen.connect(self.show_tab)
        self.tabs.customise.connect(self.customise)
        self.tabs.uncustomise.connect(self.uncustomise)
        self.options.changed.connect(self.changed.emit)

    def _make_room(self, _least: int, most: int) -> None:
        """Lets the scroll bar stand in the margin, so that nothing moves when it comes."""
        margins = self._column.contentsMargins()
        margins.setRight(PADDING - self.verticalScrollBar().sizeHint().width() if most else PADDING)
        self._column.setContentsMargins(margins)

    # --- what it holds --------------------------------------------------------------------------------------------

    def show_writing(self, writing: Writing, eyes: Eyes) -> None:
        """Shows all of it, in place of what was there."""
        self._showing = True
        self._writing, self._eyes = writing, eyes
        tab = self.tab if self.tab in (EVERYONE, *writing.own) else EVERYONE
        for key in [key for key in self._views if key != EVERYONE and key not in writing.own]:
            self._drop(key)
        for key in (EVERYONE, *writing.own):
            self._view_for(key).show_page(writing.page(key))
        self.accounts.show_accounts(eyes, [one for one in writing.chosen if one in eyes.known])
        self.options.show_options(writing.options)
        self._arrange(tab)
        self._showing = False

    def writing(self) -> Writing:
        """What is written; the plan stands in the foot."""
        return replace(
            self._writing,
            everyone=self._views[EVERYONE].page() if self._views else Page(),
            own={key: view.page() for key, view in self._views.items() if key != EVERYONE},
            chosen=self.accounts.chosen(),
            options=self.options.values(),
            words="",
            zone="",
            late="",
        )

    def forget_coming(self) -> None:
        """Gives up files that are still being copied: another post is shown."""
        for view in self._views.values():
            view.forget_coming()

    def know(self, eyes: Eyes) -> None:
        """Takes accounts as they are now."""
        self._eyes = eyes
        for key in [key for key in self._views if key != EVERYONE and key not in eyes.known]:
            self._drop(key)
        self.accounts.know(eyes)
        if self._views:
            self._arrange(self.tab if self.tab in self._views else EVERYONE)

    @property
    def tab(self) -> int:
        return next((key for key, view in self._views.items() if view is self.pages.currentWidget()), EVERYONE)

    def view(self, tab: int) -> PageView:
        return self._views.get(tab, self._views[EVERYONE])

    def views(self) -> list[tuple[int, PageView]]:
        """The pages by their tabs."""
        return list(self._views.items())

    @property
    def current(self) -> PageView:
        return self.view(self.tab)

    @property
    def is_mail_alone(self) -> bool:
        """Whether it is one mail and nothing else: then it looks like a mail program."""
        chosen = self.accounts.chosen()
        return len(chosen) == 1 and self._eyes.is_mail(chosen[0])

    @property
    def is_busy(self) -> bool:
        return any(view.is_busy for view in self._views.values())

    def _view_for(self, key: int) -> PageView:
        if key not in self._views:
            view = PageView(self._context, self._pictures)
            view.edited.connect(self._edited)
            view.form.sender_wanted.connect(self._send_from)
            view.form.more_wanted.connect(self.accounts.choose)
            self._views[key] = view
            self.pages.addWidget(view)
        return self._views[key]

    def _drop(self, key: int) -> None:
        view = self._views.pop(key)
        self.pages.removeWidget(view)
        view.deleteLater()

    def _edited(self) -> None:
        if not self._showing:
            self.changed.emit()

    def _accounts_changed(self) -> None:
        self._arrange(self.tab)
        self.changed.emit()

    # --- what stands where ----------------------------------------------------------------------------------------

    def _arrange(self, tab: int) -> None:
        """Shows what these accounts need."""
        chosen, alone = self.accounts.chosen(), self.is_mail_alone
        own = [one for one in chosen if one in self._views]
        if tab != EVERYONE and tab not in own:
            tab = EVERYONE
        if len(chosen) == len(own) == 1:
            tab = own[0]  # nobody gets the other page
        for key, view in self._views.items():
            readers = [one for one in chosen if (one == key if key != EVERYONE else one not in own)]
            mail = any(self._eyes.is_mail(one) for one in readers)
            social = not readers or any(not self._eyes.is_mail(one) for one in readers)
            view.set_kind(mail=mail, social=social, polls=any(self._eyes.takes_polls(one) for one in readers))
        self.accounts.setVisible(not alone)
        self.tabs.setVisible(bool(own) or len(chosen) > 1)
        self.pages.setContentsMargins(0, 0 if alone else 14, 0, 0)
        self._gap.setVisible(not self.notice.isHidden())
        everyone = Tab(EVERYONE, "Everyone")
        others = [one for one in chosen if one not in own]
        self.tabs.show_tabs(
            [everyone, *map(self._tab_of, own)], [self._tab_of(one) for one in others] if len(chosen) > 1 else [], tab
        )
        self.pages.setCurrentWidget(self.view(tab))
        self.options.show_accounts(self._eyes, chosen)
        self._show_senders(alone)
        margins = self._column.contentsMargins()
        margins.setTop(4 if alone and self.notice.isHidden() else 16)
        self._column.setContentsMargins(margins)

    def _tab_of(self, account_id: int) -> Tab:
        return Tab(account_id, self._eyes.known[account_id].name, self._eyes.mark(account_id))

    def _show_senders(self, alone: bool) -> None:
        """The From row stands for the chips where there is but one mail account."""
        chosen = self.accounts.chosen()
        for view in self._views.values():
            view.form.show_senders(None, (), ())
        if alone:
            others = [self._sender(one) for one in self._eyes.known if one != chosen[0]]
            mails = [one for one in others if self._eyes.is_mail(one.id)]
            self.view(chosen[0]).form.show_senders(self._sender(chosen[0]), mails, others)

    def _sender(self, account_id: int) -> Sender:
        account = self._eyes.known[account_id]
        return Sender(account_id, account.name, account.handle or account.name, self._eyes.mark(account_id))

    def _send_from(self, account_id: int) -> None:
        """The mail comes from another account."""
        self.accounts.show_accounts(self._eyes, (account_id,))
        self._accounts_changed()

    # --- tabs -----------------------------------------------------------------------------------------------------

    def show_tab(self, tab: int) -> None:
        """Shows a page."""
        self._arrange(tab)
        self.focus_text()

    def customise(self, account_id: int) -> None:
        """Gives an account a text of its own, which begins as everyone's."""
        if account_id not in self.accounts.chosen():
            self.accounts.choose(account_id)
        if account_id not in self._views:
            page = self._views[EVERYONE].page()
            self._view_for(account_id).show_page(page)
            self.changed.emit()
        self.show_tab(account_id)

    def uncustomise(self, account_id: int) -> None:
        """The account gets everyone's text again, with Undo."""
        page = self._views[account_id].page()
        self.pages.setCurrentWidget(self._views[EVERYONE])
        self._drop(account_id)
        self._arrange(EVERYONE)
        self.changed.emit()
        name = self._eyes.known[account_id].name
        self._context.say(f"{name} gets everyone’s text again.", undo=lambda: self._put_back(account_id, page))

    def _put_back(self, account_id: int, page: Page) -> None:
        self._view_for(account_id).show_page(page)
        self.show_tab(account_id)
        self.changed.emit()

    def show_page(self, tab: int, page: Page) -> None:
        """Shows another page in a tab, as if it were typed."""
        self.view(tab).show_page(page)
        self._arrange(tab)
        self.changed.emit()

    # --- what was found -------------------------------------------------------------------------------------------

    def show_assessment(self, found: Assessment) -> None:
        """Shows counts and marks what is too much."""
        self.accounts.set_seats(found.seats)
        for tab, counts in found.pages.items():
            if tab in self._views:
                self._views[tab].set_counts(counts)
                self._views[tab].form.set_people(found.people[tab])

    def show_first_red(self) -> None:
        """Goes to the first thing that cannot be sent so."""
        self._column.activate()
        row = self.problems.first_red()
        if row is not None:
            self.ensureWidgetVisible(row, 0, PADDING)
            if row.links:
                row.links[0].setFocus(Qt.FocusReason.TabFocusReason)

    def describe(self, tab: int, item: int) -> None:
        """Goes to the first picture of an item without alt text."""
        self._arrange(tab)
        views = self.view(tab).items
        if not views[min(item, len(views) - 1)].media.describe_next():
            self.focus_text()

    def show_field(self, tab: int, name: str) -> None:
        """Goes to a field of the mail."""
        self._arrange(tab)
        form = self.view(tab).form
        if name in form.rows:
            form.reveal(name)
            self.ensureWidgetVisible(form.rows[name])

    # --- hands ----------------------------------------------------------------------------------------------------

    def focus_text(self) -> None:
        """Goes where one writes: to the text, or to the first empty field of a mail."""
        view = self.current
        form, alone = view.form, self.is_mail_alone
        first = next((one for one in (form.to, form.subject) if alone and not _text_of(one)), view.body)
        first.setFocus(Qt.FocusReason.OtherFocusReason)
        self.ensureWidgetVisible(first)

    def focus_body(self) -> None:
        """Goes to the text itself."""
        body = self.current.body
        body.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.ensureWidgetVisible(body)

    def choose_accounts(self) -> None:
        """Opens the menu of accounts."""
        if self.accounts.isHidden():
            self.current.form.origin.click()
        else:
            self.ensureWidgetVisible(self.accounts)
            self.accounts.add_tile.setFocus(Qt.FocusReason.TabFocusReason)
            self.accounts.open_menu()

    def put_text(self, text: str) -> None:
        """Writes text that came from elsewhere."""
        self.current.body.insert(text)

    def choose_files(self) -> None:
        self.current.choose_files()

    def add_item(self) -> None:
        """Goes on in another item of a thread."""
        if not self.is_mail_alone:
            self.current.add_item()

    def move_picture(self, step: int) -> None:
        for item in self.current.items:
            item.media.move_focused(step)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() or event.mimeData().hasImage():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        data = event.mimeData()
        paths = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
        if paths:
            self.current.add_files(paths)
        elif data.hasImage():
            self.current.add_picture(QImage(data.imageData()))
        event.acceptProposedAction()


def _text_of(field: QLineEdit | Editor) -> str:
    return field.text()


class _Pages(QStackedWidget):
    """As high as the page that is shown, not as the highest."""

    def sizeHint(self) -> QSize:
        shown = self.currentWidget()
        return shown.sizeHint() if shown is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        shown = self.currentWidget()
        return shown.minimumSizeHint() if shown is not None else super().minimumSizeHint()
