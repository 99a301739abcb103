"""One try to sign in: asks the endpoint off the window's thread, then stores the account. It has no widgets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from sendoff.domain.account import Account
from sendoff.domain.channel import BrowserSignIn, Channel, Identity
from sendoff.domain.errors import KeychainError, SendoffError
from sendoff.domain.redact import Redactor
from sendoff.store import accounts
from sendoff.ui.accounts.facts import server
from sendoff.ui.background import Errand
from sendoff.ui.context import Context

T = TypeVar("T")
PATIENCE = 300.0
"""Seconds that a person may take in the browser; codes do not live much longer."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A sign-in that worked and is stored. `released` deliveries waited for it and go at their times again."""

    account: Account
    identity: Identity
    released: int = 0


@dataclass(frozen=True, slots=True)
class _Proved:
    """A sign-in that worked and is not stored yet. `typed` is what stood in the form."""

    typed: Mapping[str, str]
    fields: Mapping[str, str]
    identity: Identity


class Attempt(QObject):
    """Signs in to one channel, for a new account or for one that is there.

    `step` carries what is being done, "" when nothing is. `opened` carries the browser's sign-in once there is
    something to open. `refused` carries the error; nothing is stored then. `code_refused` an error about a pasted code,
    after which the browser is waited for still. `ended` carries what came of it (Connected).
    """

    step = Signal(str)
    opened = Signal(object)
    refused = Signal(object)
    code_refused = Signal(object)
    ended = Signal(object)

    def __init__(self, context: Context, channel: Channel, account: Account | None, parent: QObject) -> None:
        super().__init__(parent)
        self._context, self._channel, self._account = context, channel, account
        self._errands: list[Errand] = []
        self._flow: BrowserSignIn | None = None
        self._given_up = threading.Event()
        self._pasting = False
        self._proved: _Proved | None = None
        self._name = self._said = ""
        self._typed: Mapping[str, str] = {}
        self._asked: Mapping[str, str] = {}
        self.busy = self.is_storing = False

    # --- what the person does -------------------------------------------------------------------------------------

    def begin(self, fields: Mapping[str, str], name: str) -> None:
        """Tries the fields and stores the account. What worked before and could not be stored is only stored."""
        if self._take(fields, name):
            self._connect(fields)

    def begin_in_browser(self, fields: Mapping[str, str], name: str) -> None:
        """Lets the person sign in with the browser, then goes on as `begin`."""
        if self._take(fields, name):
            self._given_up = threading.Event()
            self._do(f"Asking {self._server(fields)}…", partial(self._open_flow, fields, self._given_up), self._wait)

    def paste(self, code: str) -> None:
        """Goes on with a code that the browser showed."""
        flow = self._flow
        if flow is not None and not self._pasting:
            self._pasting = True
            self._do(self._said, lambda: flow.paste(code), self._came_back, self._not_pasted, keep=True)

    def cancel(self) -> bool:
        """Gives up. What is under way comes to nothing, and nothing was stored; False where that is too late."""
        if self.is_storing:
            return False
        self._give_up()
        return True

    def _give_up(self) -> None:
        self._stop()
        self._given_up.set()
        self._pasting = False
        if self._flow is not None:
            self._flow.close()
            self._flow = None
        self._say("")

    @property
    def in_browser(self) -> bool:
        """Whether it is the person's turn, in the browser."""
        return self._flow is not None

    @property
    def is_proved(self) -> bool:
        """Whether the endpoint took the key, and only storing it did not work."""
        return self._proved is not None

    def masked(self, words: str) -> str:
        """Whatever a server says, no key of ours is shown."""
        hidden = [field.name for field in self._channel.fields if field.secret]
        typed = [fields.get(name, "") for fields in (self._typed, self._asked) for name in hidden]
        return Redactor([*typed, *self._context.program.secrets.known_values()]).clean(words)

    # --- the steps ------------------------------------------------------------------------------------------------

    def _take(self, fields: Mapping[str, str], name: str) -> bool:
        """Whether the endpoint has to be asked."""
        if self.busy:
            return False
        self._typed, self._name = dict(fields), name
        if self._proved is not None and self._proved.typed == self._typed:
            self._store(self._proved)
            return False
        self._proved = None
        return True

    def _connect(self, fields: Mapping[str, str]) -> None:
        commands, kind = self._context.commands, self._channel.kind
        self._asked = fields
        account_id = self._account.id if self._account else None
        self._do(
            f"Asking {self._server(fields)}…",
            lambda: commands.accounts.connect(kind, fields, account_id=account_id),
            lambda identity: self._store(_Proved(self._typed, fields, identity)),
        )

    def _open_flow(self, fields: Mapping[str, str], given_up: threading.Event) -> BrowserSignIn:
        """On another thread. Nobody may be waiting any more when the server answers."""
        account_id = self._account.id if self._account else None
        flow = self._context.commands.accounts.browser(self._channel.kind, fields, account_id=account_id)
        if given_up.is_set():
            flow.close()
        return flow

    def _wait(self, flow: BrowserSignIn) -> None:
        self._flow = flow
        self._do("Waiting for your browser…", lambda: flow.wait(PATIENCE), self._came_back, self._not_back)
        self.opened.emit(flow)

    def _not_back(self, error: SendoffError) -> None:
        if not self._pasting:  # a code that was taken ends the waiting, too
            self._refuse(error)

    def _not_pasted(self, error: SendoffError) -> None:
        self._pasting = False
        self.code_refused.emit(error)

    def _came_back(self, fields: Mapping[str, str]) -> None:
        flow, self._flow, self._pasting = self._flow, None, False
        if flow is not None:
            flow.close()
        self._stop()
        self._connect(fields)

    def _store(self, proved: _Proved) -> None:
        self._proved, self.is_storing = proved, True
        self._do("Putting the key into the keychain…", partial(self._stored, proved), self._end, aside=False)

    def _stored(self, proved: _Proved) -> Connected:
        """On another thread: what `connect` proved a moment ago is kept."""
        commands, released = self._context.commands, 0
        if self._account is None:
            name = self._name or self._free_name(proved.identity)
            kind = self._channel.kind
            account_id = commands.accounts.add(kind, name, proved.fields, identity=proved.identity)
        else:
            account_id = self._account.id
            released = commands.accounts.reconnect(account_id, proved.fields, identity=proved.identity)
        with self._context.reading() as connection:
            return Connected(accounts.get(connection, account_id), proved.identity, released)

    def _free_name(self, identity: Identity) -> str:
        """A name for the account that no other one has: two networks may know the person by the same name."""
        title = self._channel.title
        wanted = [one for one in (identity.name, identity.handle) if one] or [title]
        tried = [*wanted, f"{wanted[0]} ({title})", *(f"{wanted[0]} ({title} {number})" for number in range(2, 100))]
        with self._context.reading() as connection:
            return next(one for one in tried if accounts.by_name(connection, " ".join(one.split())) is None)

    def _end(self, connected: Connected) -> None:
        self._stop()
        self.is_storing = False
        self._say("")
        self.ended.emit(connected)

    # --- around the steps -----------------------------------------------------------------------------------------

    def _do(
        self,
        words: str,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[SendoffError], None] | None = None,
        *,
        keep: bool = False,
        aside: bool = True,
    ) -> None:
        """Runs a step; with `keep` beside the one that is under way, else in its place."""
        if not keep:
            self._stop()
        self._say(words)
        errand = self._context.do(work, done, failed or self._refuse, aside=aside, slow=not aside, owner=self)
        self._errands.append(errand)

    def _refuse(self, error: SendoffError) -> None:
        if not isinstance(error, KeychainError):
            self._proved = None
        self.is_storing = False
        self._give_up()
        self.refused.emit(error)

    def _stop(self) -> None:
        """What was under way is not waited for any more."""
        for errand in self._errands:
            errand.drop()
        self._errands = []

    def _say(self, words: str) -> None:
        self.busy, self._said = bool(words), words
        self.step.emit(words)

    def _server(self, fields: Mapping[str, str]) -> str:
        return server(self._channel, fields)
