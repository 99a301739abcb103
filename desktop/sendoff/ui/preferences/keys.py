"""Where the keys of the accounts are kept, and the key file's lock."""

from __future__ import annotations

from dataclasses import dataclass

from sendoff.domain.errors import SendoffError
from sendoff.store.secrets import Secrets
from sendoff.ui.context import Context
from sendoff.ui.passphrase import unlock
from sendoff.ui.preferences.rows import Row, Section
from sendoff.ui.widgets.button import Button

LOOKING = "Looking…"


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a new key would go, and how the key file stands."""

    place: str
    in_file: bool
    file_exists: bool
    is_open: bool


def look(secrets: Secrets) -> Kept:
    """Asks the system's keychain, so it may take a moment.

    Raises:
        KeychainError: it is locked or does not answer, or the passphrase at hand is not the file's.
    """
    place, vault = secrets.place(), secrets.vault
    in_file = place == vault.name
    if in_file and vault.passphrase:
        vault.open()
    return Kept(place, in_file, vault.exists, vault.is_open)


class KeysSection(Section):
    """Names the place; where it is Sendoff's own file, it can be unlocked here."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.look, "Keys", "Passwords, keys and tokens never stand in the database.")
        self._context = context
        self._again = Button(context.look, "Look again", run=self.look)
        self.place = Row(context.look, "They are kept in", LOOKING, self._again)
        self._unlock = Button(context.look, "Unlock…", icon="lock-open", run=self._ask)
        self.file = Row(context.look, "Key file", "", self._unlock)
        self.add(self.place)
        self.add(self.file)
        self._again.hide()
        self._show_file(None)

    def look(self) -> None:
        """Finds out anew."""
        secrets = self._context.program.secrets
        self._context.do(lambda: look(secrets), self._found, self._refused, slow=True, owner=self)

    def _found(self, kept: Kept) -> None:
        self._again.hide()
        self.place.set_words(kept.place[:1].upper() + kept.place[1:] + ".")
        self._show_file(kept)

    def _show_file(self, kept: Kept | None) -> None:
        wanted = kept is not None and (kept.in_file or kept.file_exists)
        self.set_shown(self.file, wanted)
        if kept is None:
            return
        self._unlock.setVisible(not kept.is_open)
        if kept.is_open:
            self.file.set_words("Unlocked until Sendoff ends. Its passphrase is asked for once after each start.")
        elif kept.file_exists:
            self._unlock.setText("Unlock…")
            self.file.set_words("Locked. Posts that need its keys wait until you give the passphrase.")
        else:
            self._unlock.setText("Choose a passphrase…")
            self.file.set_words("There is none yet. It is made with the first key, and a passphrase guards it.")

    def _refused(self, error: SendoffError) -> None:
        self._again.show()
        self.place.set_words("The system’s keychain.")
        self.place.set_wrong(str(error))

    def _ask(self) -> None:
        unlock(self._context, self.look)
