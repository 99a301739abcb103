"""The profile's own data: where they lie, a copy of them, everything out, everything in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from sendoff.domain.errors import SendoffError
from sendoff.domain.when import When
from sendoff.domain.words import counted
from sendoff.store import transfer
from sendoff.store.profile import usual
from sendoff.ui import files
from sendoff.ui.another_profile import is_usual
from sendoff.ui.context import Context
from sendoff.ui.preferences.rows import Row, Section
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.state import Spinner

T = TypeVar("T")
BACKUP = (
    "A copy of the database, made while Sendoff goes on sending. It holds your posts, and no keys. One is made "
    "by itself every day, in the folder “backups”."
)
EXPORT = "Everything you wrote, planned and sent, with the files, in one file. There are no keys in it."
IMPORT = "Adds what an export or a backup holds. Nothing is sent by it, and accounts ask for a new sign-in."
RESTORE = (
    "Puts a backup in the place of everything that is here. Sendoff is paused then, and shows first what it would send."
)


class DataSection(Section):
    """Rows that copy files; each says what came of it."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.look, "Your data")
        self._context = context
        look, program = context.look, context.program
        where = str(program.folder)
        if not is_usual(program.folder):
            where += f". A start from the menu opens the usual one, in {usual()}."
        self.folder = Row(look, "Profile", where, self._folder_buttons())
        self.backup = _Task(context, "Backup", BACKUP, "Back up now…", self.choose_backup)
        self.export = _Task(context, "Export", EXPORT, "Export…", self.choose_export)
        self.bring_in = _Task(context, "Import", IMPORT, "Import…", self.choose_import)
        self.restore = Row(look, "Restore", RESTORE, Button(look, "Restore…", run=context.window.open_restore))
        for row in (self.folder, self.backup, self.restore, self.export, self.bring_in):
            self.add(row)

    def _folder_buttons(self) -> QWidget:
        look, window = self._context.look, self._context.window
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self.folder_button = Button(look, "Open folder", icon="folder-open", run=self.open_folder)
        row.addWidget(self.folder_button)
        another = Button(look, "Another…", run=window.choose_profile)
        another.setAccessibleName("Open another profile")
        row.addWidget(another)
        return box

    def open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._context.program.folder)))

    # --- choosing -------------------------------------------------------------------------------------------------

    def choose_backup(self) -> QFileDialog:
        name = f"sendoff-{self._today()}.db"
        return self._save("Back up to", name, "Databases (*.db)", self.back_up_to)

    def choose_export(self) -> QFileDialog:
        return self._save("Export to", f"sendoff-{self._today()}.zip", "Exports (*.zip)", self.export_to)

    def choose_import(self) -> QFileDialog:
        kinds = "Exports and backups (*.zip *.db);;All files (*)"
        return files.open_file(self._context, self, "Import", kinds, self.ask_to_import)

    def _save(self, title: str, name: str, kinds: str, then: Callable[[Path], object]) -> QFileDialog:
        return files.save_file(self._context, self, title, name, kinds, then)

    def _today(self) -> str:
        return f"{When.at(self._context.now(), self._context.zone()).wall:%Y-%m-%d}"

    # --- doing ----------------------------------------------------------------------------------------------------

    def back_up_to(self, target: Path) -> None:
        """Copies the database; the dialog has asked already whether to replace a file."""
        program, now = self._context.program, self._context.now()
        self.backup.run(
            "Copying…",
            lambda: transfer.backup(program.store, now, target, force=True),
            lambda path: f"Copied to {path}.",
        )

    def export_to(self, target: Path) -> None:
        """Writes everything but keys into one file."""
        program, now = self._context.program, self._context.now()
        self.export.run(
            "Exporting…",
            lambda: transfer.export_to(program.store, program.media, target, now, force=True),
            lambda done: exported_words(done, target),
        )

    def ask_to_import(self, source: Path) -> None:
        """What came in cannot be taken out again with one Undo, so it is asked before."""
        self._context.ask(
            f"Import {source.name}?",
            "Its accounts, posts and history are added to what is here. Nothing is sent by it.",
            "Import",
            lambda: self.import_from(source),
        )

    def import_from(self, source: Path) -> None:
        """Adds a file's content to this profile, all of it or nothing."""
        program, now = self._context.program, self._context.now()
        self.bring_in.run(
            "Importing…", lambda: transfer.import_from(program.store, program.media, source, now), imported_words
        )


def exported_words(done: transfer.Exported, target: Path) -> str:
    words = f"Written to {target}: {_listed(done.accounts, done.posts, done.deliveries, done.files)}."
    if done.missing:
        words += f" Left out, because they were no longer there: {counted(done.missing, 'file', 'files')} of posts."
    return words


def imported_words(done: transfer.Imported) -> str:
    words = f"Imported {_listed(done.accounts, done.posts, done.deliveries, done.files)}. Nothing was sent."
    for old, new in done.renamed:
        words += f" “{old}” is called “{new}” here, because there was an account of that name."
    if done.held:
        words += f" {counted(done.held, 'delivery waits', 'deliveries wait')} for a sign-in to the account."
    if done.doubtful:
        words += f" {counted(done.doubtful, 'delivery', 'deliveries')} may have gone out: see Activity."
    return words


def _listed(accounts: int, posts: int, deliveries: int, files: int) -> str:
    return ", ".join((
        counted(accounts, "account", "accounts"), counted(posts, "post", "posts"),
        counted(deliveries, "delivery", "deliveries"), counted(files, "file", "files"),
    ))  # fmt: skip


class _Task(Row):
    """A row with a button that starts something, and says what came of it."""

    def __init__(self, context: Context, label: str, words: str, button: str, run: Callable[[], object]) -> None:
        box = QWidget()
        super().__init__(context.look, label, words, box)
        self._context, self._first_words = context, words
        self.button = Button(context.look, button, run=run)
        self.busy = Spinner(context.look)
        self.busy.hide()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self.busy)
        row.addWidget(self.button)

    def run(self, meanwhile: str, work: Callable[[], T], said: Callable[[T], str]) -> None:
        """Does the work away from the window's thread."""
        self.set_words(meanwhile)
        self._set_busy(True)
        self._context.do(work, lambda result: self._done(said(result)), self._failed, slow=True, owner=self)

    def _done(self, words: str) -> None:
        self._set_busy(False)
        self.set_words(words)

    def _failed(self, error: SendoffError) -> None:
        self._set_busy(False)
        self.set_words(self._first_words)
        self.set_wrong(str(error))

    def _set_busy(self, busy: bool) -> None:
        self.busy.setVisible(busy)
        self.button.setEnabled(not busy)
