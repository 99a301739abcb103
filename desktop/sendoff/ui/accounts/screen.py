"""The accounts: who you are where, whether it works, and what to do where it does not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from sendoff.domain.account import Account, Workspace
from sendoff.domain.channel import Identity
from sendoff.domain.errors import KeychainError, NeedsLogin, SecretGone, SendError, SendoffError
from sendoff.domain.redact import Redactor
from sendoff.domain.signin import Ending
from sendoff.domain.words import counted
from sendoff.store import accounts, changes, signins
from sendoff.ui.accounts.card import AccountCard
from sendoff.ui.accounts.facts import Action, Checked, Facts, Moment, facts, server
from sendoff.ui.accounts.parts import Walk, scrolling
from sendoff.ui.accounts.sheets import AccountSheet, LateSheet, SpacingSheet
from sendoff.ui.accounts.trying import TrySheet
from sendoff.ui.actions import add_action
from sendoff.ui.background import Errand
from sendoff.ui.context import Context
from sendoff.ui.screen import Screen
from sendoff.ui.theme import STRONG
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.field import TextField
from sendoff.ui.widgets.flow import FlowLayout
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.menu import Menu
from sendoff.ui.widgets.notice import Notice
from sendoff.ui.widgets.state import Tile
from sendoff.ui.widgets.surface import EmptyState, Header, primary
from sendoff.ui.window import NARROW_UNDER

GAP, PADDING = 12, 20
WIDE_FROM = 1700
"""Width of the window from which four cards stand side by side."""

AGAIN = 30_000
"""How often the words about time are made anew, in ms."""


class AccountsScreen(Screen):
    """A card for each account, under its workspace where there are several."""

    topics = frozenset({changes.ACCOUNTS, changes.DELIVERIES, changes.WORKSPACES})

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.cards: dict[int, AccountCard] = {}
        self._groups: dict[int, _Group] = {}
        self._checking: dict[int, Errand] = {}
        self._checked: dict[int, Checked] = {}
        self._endings: dict[int, Ending] = {}
        self._marked = 0
        self._arrived = False
        self.search = TextField(self.look, "Find an account", icon="search", hint="Find an account", clear=True)
        self.search.setFixedWidth(208)
        self.search.textChanged.connect(self._filter)
        self.check_all = Button(self.look, "Check all", icon="refresh-cw", run=self.check_every)
        self.add = Button(self.look, "Add account", kind="primary", icon="plus", run=self._add)
        self.header = Header(self.look, "Accounts")
        for part in (self.search, self.check_all, self.add):
            self.header.add(part)
        self._column = QVBoxLayout()
        self._column.setContentsMargins(PADDING, 8, PADDING, 24)
        self._column.setSpacing(GAP)
        self._nothing = Label(self.look, "", color="text2", wrap=True)
        self._column.addWidget(self._nothing)
        self._column.addStretch(1)
        page = QWidget()
        page.setLayout(self._column)
        self._area = scrolling(page)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._area)
        self._pages.addWidget(self._empty())
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.header)
        self.missing = Notice(self.look)
        above = QVBoxLayout()
        above.setContentsMargins(PADDING, 0, PADDING, 0)
        above.addWidget(self.missing)
        whole.addLayout(above)
        whole.addWidget(self._pages, 1)
        self._walk = Walk(self._shown, self, before=self.search.setFocus)
        self._timer = QTimer(self)
        self._timer.setInterval(AGAIN)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        self._make_actions()

    def _empty(self) -> EmptyState:
        self.begin = primary(self.look, "Add an account", self._add, icon="plus")
        sentence = (
            "Sign in to a network or a mailbox, and your posts can go there. Keys stay in this computer’s keychain."
        )
        return EmptyState(self.look, "accounts", "No accounts yet", sentence, button=self.begin)

    def _make_actions(self) -> None:
        def add(words: str, run: Callable[[Facts], object], keys: str, icon: str) -> None:
            add_action(self, words, partial(self._with_current, run), keys=keys, icon=icon, group="Accounts")

        add("Check the account", self._check, "Ctrl+Return", "refresh-cw")
        add("Rename the account", self._rename, "F2", "pencil")
        add("Change the spacing of its posts", self._space, "", "hourglass")
        add("Choose what happens to its late posts", self._choose_late, "", "moon")
        add("Sign in again", self._sign_in, "", "key-round")
        add("Remove the account", self.remove, "Del", "trash-2")
        add("Menu of the account", lambda shown: self.cards[shown.account.id].ask_for_menu(), "Shift+F10", "ellipsis")
        add_action(self, "Check every account", self.check_every, keys="F5", icon="refresh-cw", group="Accounts")
        add_action(self, "Find an account", self._search, keys="Ctrl+F", icon="search", group="Accounts")

    # --- what it shows --------------------------------------------------------------------------------------------

    def arrive(self, **what: object) -> None:
        """`account_id`: the card to scroll to and to set off."""
        self.search.clear()
        self._arrived = True
        self._marked = int(str(what.get("account_id") or 0))
        self._show_mark()

    def leave(self) -> None:
        self._marked = 0

    def refresh(self) -> None:
        with self.context.reading() as connection:
            places = accounts.workspace_list(connection)
            known = accounts.every(connection)
            counts = accounts.counts(connection)
            self._endings = {one.account.id: one for one in signins.endings(connection, self.context.now())}
        moment = Moment(self.context.now(), self.context.zone())
        self._drop({one.id for one in known}, {one.id for one in places})
        for place in places:
            mine = [one for one in known if one.workspace_id == place.id]
            self._fill(place, mine, counts, moment, titled=len({one.workspace_id for one in known}) > 1)
        self._show_totals(known)
        self._show_missing({one.channel for one in known})
        self._filter()
        self._show_mark()

    def _drop(self, kept: set[int], places: set[int]) -> None:
        for account_id in [one for one in self.cards if one not in kept]:
            self.cards.pop(account_id).deleteLater()
            self._checked.pop(account_id, None)
        for place_id in [one for one in self._groups if one not in places]:
            self._groups.pop(place_id).deleteLater()

    def _fill(
        self,
        place: Workspace,
        mine: list[Account],
        counts: dict[int, dict[str, int]],
        moment: Moment,
        *,
        titled: bool,
    ) -> None:
        group = self._groups.get(place.id) or self._make_group(place)
        group.show_title(place.name, len(mine) if titled else 0)
        for account in mine:
            shown = self._facts(account, counts.get(account.id, {}), moment)
            card = self.cards.get(account.id)
            if card is None:
                group.flow.addWidget(self._make_card(shown))
            else:
                card.show_facts(shown, self._step(account))

    def _facts(self, account: Account, counts: dict[str, int], moment: Moment) -> Facts:
        program = self.context.program
        channel = program.channels.get(account.channel)
        failed = program.failed_channels.get(account.channel, "")
        checked, ending = self._checked.get(account.id), self._endings.get(account.id)
        return facts(account, channel, counts, moment, checked, failed, ending)

    def _step(self, account: Account) -> str:
        channel = self.context.program.channels.get(account.channel)
        if account.id not in self._checking or channel is None:
            return ""
        return f"Asking {server(channel, account.settings)}…"

    def _make_group(self, place: Workspace) -> _Group:
        group = self._groups[place.id] = _Group(self.context, self._columns())
        self._column.insertWidget(self._column.count() - 2, group)
        return group

    def _make_card(self, shown: Facts) -> AccountCard:
        card = self.cards[shown.account.id] = AccountCard(self.look, shown)
        card.opened.connect(lambda: self.open(card.facts))
        card.acted.connect(lambda: self._act(card.facts))
        card.menu_wanted.connect(lambda at: self._open_menu(card, at))
        card.renamed.connect(lambda name: self._take_name(card.facts, name))
        self._walk.watch(card)
        return card

    def _show_totals(self, known: list[Account]) -> None:
        self.header.set_title("Accounts")
        self._pages.setCurrentIndex(0 if known else 1)
        for part in (self.search, self.check_all, self.add):
            part.setVisible(bool(known))
        first = next(iter(self._shown()), self.search) if known else self.begin
        self.begin_at = first
        if self._arrived:  # on the first visit there were no cards yet that could take the keyboard
            first.setFocus(Qt.FocusReason.OtherFocusReason)
        self._arrived = False

    def _show_missing(self, used: set[str]) -> None:
        """Names the channels that could not be loaded; where an account needs one, its card says so."""
        failed = {kind: why for kind, why in self.context.program.failed_channels.items() if kind not in used}
        said = [f"The channel “{kind}” could not be loaded: {why}" for kind, why in sorted(failed.items())]
        self.missing.say("\n".join(said), state="failed")

    def _filter(self) -> None:
        wanted = self.search.text().split()
        for card in self.cards.values():
            card.setVisible(all(word.lower() in card.facts.said.lower() for word in wanted))
        for group in self._groups.values():
            group.setVisible(any(not card.isHidden() for card in group.findChildren(AccountCard)))
        nothing = bool(self.cards) and not self._shown()
        self._nothing.setText(f"No account has “{self.search.text()}” in its name." if nothing else "")
        self._nothing.setVisible(nothing)

    def _shown(self) -> list[AccountCard]:
        return [card for card in self.cards.values() if not card.isHidden()]

    def _show_mark(self) -> None:
        for account_id, card in self.cards.items():
            card.mark(account_id == self._marked)
        if self._marked in self.cards:
            card = self.cards[self._marked]
            self.begin_at = card
            QTimer.singleShot(0, card, partial(self._reveal, card))

    def _reveal(self, card: AccountCard) -> None:
        self._area.ensureWidgetVisible(card, 0, PADDING)
        card.setFocus(Qt.FocusReason.OtherFocusReason)

    def _tick(self) -> None:
        if self.isVisible():
            self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for group in self._groups.values():
            group.flow.set_columns(self._columns())

    def _columns(self) -> int:
        width = self.window().width()
        return 2 if width < NARROW_UNDER else 3 if width < WIDE_FROM else 4

    # --- what can be done -----------------------------------------------------------------------------------------

    def _with_current(self, run: Callable[[Facts], object]) -> None:
        """Does something with the card that has the keyboard, or had it before the palette was opened."""
        last: QWidget | None = self.focusWidget()
        chosen = next(
            (one for one in self._shown() if last is not None and (one is last or one.isAncestorOf(last))), None
        )
        if chosen is None:
            self.context.say("Choose an account first.")
        else:
            run(chosen.facts)

    def _search(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _add(self) -> None:
        self.context.go("add_account")

    def _act(self, shown: Facts) -> None:
        if shown.action is Action.SIGN_IN:
            self._sign_in(shown)
        elif shown.action is Action.LOOK:
            self.context.go("activity")
        elif shown.action is Action.ASK:
            self._wake(shown)
        else:
            self._check(shown)

    def _wake(self, shown: Facts) -> None:
        commands, account = self.context.commands, shown.account
        said = f"{account.name} is asked now whether it works again."
        self.context.do(lambda: commands.accounts.wake(account.id), said=said, owner=self)

    def open(self, shown: Facts) -> None:
        """Shows all that is known of an account."""
        channel = self.context.program.channels.get(shown.account.channel)
        if channel is None:
            card = self.cards[shown.account.id]
            self._open_menu(card, card.mapToGlobal(card.rect().center()))
            return
        checked = self._checked.get(shown.account.id)
        act = Button(self.look, shown.action or "Check", kind="primary", run=lambda: self._act(shown))
        pace = Button(self.look, "Spacing…", kind="quiet", run=lambda: QTimer.singleShot(0, lambda: self._space(shown)))
        note = checked.note if checked else ""
        self.context.window.show_overlay(AccountSheet(self.context, shown, channel, note, act, pace))

    def _open_menu(self, card: AccountCard, at: QPoint) -> None:
        shown, installed = card.facts, card.facts.account.channel in self.context.program.channels
        menu = Menu(self.look, parent=self)
        menu.setObjectName("account menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        entries: list[tuple[str, Callable[[Facts], object], str, str]] = [("Rename", self._rename, "pencil", "F2")]
        if installed:
            entries = [
                ("What is known", self.open, "info", "Return"),
                ("Check now", self._check, "refresh-cw", "Ctrl+Return"),
                *entries,
                ("Spacing between posts…", self._space, "hourglass", ""),
                ("If late…", self._choose_late, "moon", ""),
                ("Sign in again", self._sign_in, "key-round", ""),
            ]
        if installed and self.context.program.channels[shown.account.channel].can_rehearse:
            entries.insert(2, ("Try it…", self._try, "flask-conical", ""))
        for words, run, icon, keys in entries:
            menu.add(words, partial(run, shown), icon=icon, keys=keys)
        menu.addSeparator()
        menu.add("Remove…", partial(self.remove, shown), icon="trash-2", color="failed.text", keys="Del")
        menu.popup(at)

    def _try(self, shown: Facts) -> None:
        account = shown.account
        sheet = TrySheet(self.context, account.channel, {}, account.id)
        self.context.window.show_overlay(sheet)

    def _rename(self, shown: Facts) -> None:
        card = self.cards[shown.account.id]
        self._area.ensureWidgetVisible(card)
        QTimer.singleShot(0, card, card.rename)  # a menu that closes gives the keyboard back first

    def _take_name(self, shown: Facts, name: str) -> None:
        commands, account = self.context.commands, shown.account
        self.context.do(
            lambda: commands.accounts.rename(account.id, name),
            said=f"{account.name} is called {name} now.",
            undo=lambda: commands.accounts.rename(account.id, account.name),
        )

    def _space(self, shown: Facts) -> None:
        channel = self.context.program.channels.get(shown.account.channel)
        if channel is not None:
            self.context.window.show_overlay(SpacingSheet(self.context, shown, channel))

    def _choose_late(self, shown: Facts) -> None:
        self.context.window.show_overlay(LateSheet(self.context, shown.account))

    def _sign_in(self, shown: Facts) -> None:
        self.context.go("add_account", account_id=shown.account.id)

    def remove(self, shown: Facts) -> None:
        """Asks, then removes an account with its key; what is planned for it is cancelled."""
        account, held = shown.account, shown.counts.get("handed_over", 0)
        words = (
            [f"{counted(shown.planned, 'post', 'posts')} planned for it will be cancelled."] if shown.planned else []
        )
        words += [f"{held} that the network itself holds will go out all the same."] if held else []
        words += ["What was sent stays in Activity. Its key is deleted."]
        self.context.ask(
            f"Remove {account.name}?", " ".join(words), "Remove the account", lambda: self._remove(account), danger=True
        )

    def _remove(self, account: Account) -> None:
        commands = self.context.commands

        def do() -> None:
            said = f"{account.name} was removed."
            self.context.do(lambda: commands.accounts.remove(account.id), said=said, slow=True)

        self._with_key(account, do)

    def _with_key(self, account: Account, then: Callable[[], object]) -> None:
        """Goes on when the account's key can be reached."""
        if account.secret_ref is None:
            then()
        else:
            self.context.with_secrets(then)

    # --- checking -------------------------------------------------------------------------------------------------

    def check_every(self) -> None:
        """Asks every endpoint at the same time."""
        with self.context.reading() as connection:
            known = accounts.every(connection)

        def begin() -> None:
            for account in known:
                self._ask(account)

        if any(one.secret_ref for one in known):
            self.context.with_secrets(begin)
        else:
            begin()

    def _check(self, shown: Facts) -> None:
        account = shown.account
        self._with_key(account, lambda: self._ask(account))

    def _ask(self, account: Account) -> None:
        if account.id in self._checking or account.channel not in self.context.program.channels:
            return
        commands = self.context.commands
        self._checking[account.id] = self.context.do(
            lambda: commands.accounts.check(account.id),
            partial(self._answered, account),
            partial(self._failed, account),
            aside=True,
            owner=self,
        )
        self.refresh()

    def _answered(self, account: Account, identity: Identity) -> None:
        self._end(account, Checked(self.context.now(), note=self._masked(identity.note)))

    def _failed(self, account: Account, error: SendoffError) -> None:
        now = self.context.now()
        if isinstance(error, SecretGone):
            self._end(account, Checked(now, str(error), action=Action.SIGN_IN))
        elif isinstance(error, KeychainError):
            self._end(account, None)
            self.context.say(str(error), trouble=True)
        elif isinstance(error, NeedsLogin):
            self._end(account, None)  # the row says so itself
        else:
            advice = error.advice if isinstance(error, SendError) else ""
            self._end(account, Checked(now, self._masked(f"{error} {advice}".strip())))

    def _end(self, account: Account, found: Checked | None) -> None:
        self._checking.pop(account.id, None)
        self._checked.pop(account.id, None)
        if found is not None:
            self._checked[account.id] = found
        self.refresh()

    def _masked(self, words: str) -> str:
        """Whatever a server says, no key of ours is shown."""
        return Redactor(self.context.program.secrets.known_values()).clean(words)


class _Group(QWidget):
    """The cards of a workspace, under its name where there are others."""

    def __init__(self, context: Context, columns: int) -> None:
        super().__init__()
        look = context.look
        self._tile = Tile(look, letter=" ", size=22, accent=True)
        self._name = Label(look, "", size="lead", weight=STRONG)
        self._count = Label(look, "", color="text2")
        self._title = QWidget()
        row = QHBoxLayout(self._title)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for part in (self._tile, self._name, self._count):
            row.addWidget(part)
        row.addStretch(1)
        self.flow = FlowLayout(gap=GAP, columns=columns)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addWidget(self._title)
        column.addLayout(self.flow)

    def show_title(self, name: str, count: int) -> None:
        """Shows the workspace's name and how many accounts it has; hides both at 0."""
        self._tile.set_letter(name)
        self._name.setText(name)
        self._count.setText(counted(count, "account", "accounts"))
        self._title.setVisible(count > 0)
