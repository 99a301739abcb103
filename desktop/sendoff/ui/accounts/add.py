"""Signing in to a network or a mailbox: choose one, follow its steps, see that it works."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from sendoff.domain.account import Account
from sendoff.store import accounts
from sendoff.ui.accounts.attempt import Connected
from sendoff.ui.accounts.networks import Networks
from sendoff.ui.accounts.page import SignInPage
from sendoff.ui.accounts.welcome import Welcome
from sendoff.ui.context import Context
from sendoff.ui.screen import Screen
from sendoff.ui.widgets.surface import Header

Page = Networks | SignInPage | Welcome


class AddAccountScreen(Screen):
    """The networks, a page for each that was chosen, and the end. What was typed stays until it worked."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.header = Header(self.look, "Add an account", back="Accounts", go_back=self.go_back, line=True)
        self.networks = Networks(self.look, context.program.channels, context.program.failed_channels)
        self.networks.chosen.connect(self._choose)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.networks)
        self._forms: dict[tuple[str, int], SignInPage] = {}
        self._for_draft = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self._pages, 1)
        self._show(self.networks)

    # --- coming and going -----------------------------------------------------------------------------------------

    def arrive(self, **what: object) -> None:
        """`account_id`: the account to sign in again; `kind`: the channel to sign in to. Else: all of them.

        `for_draft`: the composer asked for it, and gets the account for what is being written there.
        """
        self._for_draft = bool(what.get("for_draft"))
        if account_id := int(str(what.get("account_id") or 0)):
            self._sign_in_again(account_id)
        elif kind := str(what.get("kind") or ""):
            self._choose(kind, "")
        elif not (isinstance(self.page, SignInPage) and self.page.attempt.busy):
            self.networks.search.clear()
            self._show(self.networks)

    def leave(self) -> None:
        if isinstance(self.page, Welcome):
            self._show(self.networks)

    @property
    def page(self) -> Page:
        """What is shown."""
        page = self._pages.currentWidget()
        assert isinstance(page, Networks | SignInPage | Welcome)
        return page

    def go_back(self) -> None:
        """One step back: from a form to the networks, from there to the accounts."""
        page = self.page
        if isinstance(page, SignInPage) and page.account is None:
            page.cancel()
            self._show(self.networks)
        else:
            self._leave_for()

    def _leave_for(self) -> None:
        """Goes where this was asked for: to the accounts, or to what was being written."""
        if self._for_draft:
            self.context.go("composer", go_on=True)
        else:
            self.context.go("accounts")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif isinstance(self.page, SignInPage) and self.page.attempt.busy:
            self.page.cancel()
        elif isinstance(self.page, Networks) and self.networks.search.text():
            self.networks.search.clear()
        else:
            self.go_back()

    # --- the pages ------------------------------------------------------------------------------------------------

    def _choose(self, kind: str, provider: str) -> None:
        channel = self.context.program.channels.get(kind)
        if channel is None:
            failed = self.context.program.failed_channels.get(kind, "")
            self.context.say(f"There is no channel “{kind}”. {failed}".strip(), trouble=True)
            self._show(self.networks)
            return
        form = self._form(kind, None)
        form.choose(provider)
        self._show(form)

    def _sign_in_again(self, account_id: int) -> None:
        with self.context.reading() as connection:
            account = accounts.get(connection, account_id)
        if account.channel not in self.context.program.channels:
            self._choose(account.channel, "")
        else:
            self._show(self._form(account.channel, account))

    def _form(self, kind: str, account: Account | None) -> SignInPage:
        """The page of a channel as it was left, or a new one. A stored account's page always begins anew."""
        place = (kind, account.id if account else 0)
        old = self._forms.get(place)
        if old is not None and (account is None or old.attempt.busy):
            return old
        if old is not None:
            self._drop(old)
        form = self._forms[place] = SignInPage(self.context, self.context.program.channels[kind], account)
        form.connected.connect(lambda connected: self._connected(form, connected))
        self._pages.addWidget(form)
        return form

    def _connected(self, form: SignInPage, connected: Connected) -> None:
        if self.isVisible() and self.page is form:
            page = self._welcome(form, connected)
            self._pages.addWidget(page)
            self._show(page)
        else:
            self.context.say(f"{connected.account.name} is connected.")
            if self.page is form:
                self._show(self.networks)
        self._drop(form)

    def _welcome(self, form: SignInPage, connected: Connected) -> Welcome:
        go, account_id = self.context.go, connected.account.id
        return Welcome(
            self.look,
            form.channel,
            connected,
            form.attempt.masked(connected.identity.note),
            write=lambda: go("composer", account_id=account_id, go_on=self._for_draft),
            done=lambda: go("accounts", account_id=account_id),
            for_draft=self._for_draft,
        )

    def _drop(self, page: QWidget) -> None:
        self._forms = {place: form for place, form in self._forms.items() if form is not page}
        self._pages.removeWidget(page)
        page.deleteLater()

    def _show(self, page: Page) -> None:
        before = self.page
        self._pages.setCurrentWidget(page)
        if isinstance(before, Welcome) and before is not page:
            self._drop(before)
        self.header.set_title(self._title(page))
        is_form = isinstance(page, SignInPage) and page.account is None
        self.header.set_back("All networks" if is_form else "Your post" if self._for_draft else "Accounts")
        first = page.form.begin() if isinstance(page, SignInPage) else page.begin()
        self.begin_at = first
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    @staticmethod
    def _title(page: Page) -> str:
        if isinstance(page, SignInPage):
            return f"Sign in to {page.channel.title} again" if page.account else page.channel.title
        return "Add an account"
