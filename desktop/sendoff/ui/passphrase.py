"""Where there is no keychain: asks for the passphrase of the key file, once each start, or lets a new one be made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sendoff.domain.errors import SendoffError
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.field import Field, TextField
from sendoff.ui.widgets.floating import Sheet

if TYPE_CHECKING:
    from sendoff.ui.context import Context

SHORTEST = 8
"""Characters of a new passphrase. It guards every key against somebody who has the file."""


def with_secrets(context: Context, then: Callable[[], object]) -> None:
    """Calls `then` when keys can be stored; asks for the passphrase where they go into the key file and it is shut."""

    def ready() -> bool:
        secrets = context.program.secrets
        if secrets.place() == secrets.vault.name and secrets.vault.passphrase:
            secrets.vault.open()
        return secrets.place() != secrets.vault.name or secrets.vault.is_open

    def found(is_ready: bool) -> None:
        if is_ready:
            then()
        else:
            unlock(context, then)

    def refused(error: SendoffError) -> None:
        context.say(str(error), trouble=True)
        if context.program.secrets.vault.exists:
            unlock(context, then)

    context.do(ready, found, refused, slow=True)


def unlock(context: Context, then: Callable[[], object] = lambda: None) -> None:
    """Asks for the passphrase of the key file, or for a new one where there is none yet."""
    if not isinstance(context.window.overlay, PassphraseSheet):
        context.window.show_overlay(PassphraseSheet(context, then))


class PassphraseSheet(Sheet):
    """One field, or two where the file is made new."""

    def __init__(self, context: Context, then: Callable[[], object]) -> None:
        self._context, self._then = context, then
        self._vault = context.program.secrets.vault
        self._new = not self._vault.exists
        super().__init__(context.look, context.window, *(_NEW if self._new else _OLD))
        look = context.look
        self._typed = TextField(look, "Passphrase", secret=True)
        self._field = Field(look, "Passphrase", self._typed, _ADVICE if self._new else "")
        self._typed_again = TextField(look, "Again", secret=True)
        self._again = Field(look, "Again", self._typed_again)
        self.body.addWidget(self._field)
        self.body.addWidget(self._again)
        self._again.setVisible(self._new)  # not before it has a parent: it would be a window of its own
        self._ok = Button(look, "Make it" if self._new else "Unlock", kind="primary", run=self._go_on)
        self.add_button(Button(look, "Not now", run=self.close_it))
        self.add_button(self._ok)
        self._typed.returnPressed.connect(self._typed_again.setFocus if self._new else self._go_on)
        self._typed_again.returnPressed.connect(self._go_on)

    def _go_on(self) -> None:
        passphrase = self._typed.text()
        self._field.set_wrong(self._objection(passphrase))
        self._again.set_wrong("")
        if self._objection(passphrase):
            return
        if self._new and self._typed_again.text() != passphrase:
            self._again.set_wrong("The two are not the same. Type it again.")
            return
        self._ok.setEnabled(False)
        self._context.do(lambda: self._vault.unlock(passphrase), self._opened, self._refused, slow=True, owner=self)

    def _objection(self, passphrase: str) -> str:
        if not passphrase:
            return "Type the passphrase."
        if self._new and len(passphrase) < SHORTEST:
            return f"Take at least {SHORTEST} characters. A few words that you can remember are best."
        return ""

    def _opened(self, _nothing: None) -> None:
        self.close_it()
        self._context.window.look_again()
        self._then()

    def _refused(self, error: SendoffError) -> None:
        self._ok.setEnabled(True)
        self._field.set_wrong(str(error))
        self._typed.selectAll()
        self._typed.setFocus()


_OLD = (
    "Unlock your keys",
    "This computer has no keychain, so Sendoff keeps your keys in its own encrypted file. "
    "Posts wait until you give its passphrase.",
)
_NEW = (
    "Choose a passphrase",
    "This computer has no keychain, so Sendoff keeps your keys in its own encrypted file. "
    "You give the passphrase once after each start.",
)
_ADVICE = "Nobody can restore it. If you lose it, you sign in to your accounts again."
