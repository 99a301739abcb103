"""The sheet that takes a profile back to a copy of its database: which one, what it holds, and what will happen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtWidgets import QAbstractItemView, QFileDialog, QListView

from sendoff.domain.errors import SendoffError
from sendoff.domain.limits import size_text
from sendoff.domain.when import moment
from sendoff.store import backups, restore
from sendoff.store.backups import Contents, Copy
from sendoff.ui import files
from sendoff.ui.context import Context
from sendoff.ui.sending import Part
from sendoff.ui.theme import MEDIUM
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.floating import Sheet
from sendoff.ui.widgets.focus import ring
from sendoff.ui.widgets.label import Label

WHAT = (
    "The backup takes the place of everything that is here. Nothing is sent by it: Sendoff is paused then, and shows "
    "first what it would send. What is here now is kept beside the backups. Keys are not touched."
)
ELSEWHERE = "Another Sendoff sends for this profile. End that one first: a worker, or a window elsewhere."
KINDS = {
    backups.DAILY: "made by itself", backups.BY_HAND: "made by you", backups.BEFORE_UPDATE: "before an update",
    backups.REPLACED: "what a restore took away",
}  # fmt: skip
LINES = 6
"""How many copies are in sight."""


class RestoreSheet(Sheet):
    """The copies of this profile, newest first, or any file; `Window.restore_wanted` carries the chosen one."""

    def __init__(self, context: Context) -> None:
        look = context.look
        super().__init__(look, context.window, "Go back to a backup", WHAT, width=624, top=72)
        self._context = context
        self._sources: list[Path] = []
        self._asked = 0
        self.list = QListView()
        self.list.setObjectName("completions")
        self.list.setAccessibleName("Backups")
        self.list.setFont(look.font())
        self.list.setUniformItemSizes(True)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._model = QStringListModel(self.list)
        self.list.setModel(self._model)
        ring(self.list, 6)
        self.holds = Label(look, "", weight=MEDIUM, wrap=True)
        self.body.addWidget(self.list)
        self.body.addWidget(self.holds)
        self.choose_file = Button(look, "Choose a file…", icon="folder-open", run=self.open_files)
        self.go_back = Button(look, "Go back to it", kind="primary", run=self._go_back)
        self.add_button(self.choose_file)
        self.add_button(Button(look, "Cancel", run=self.close_it))
        self.add_button(self.go_back)
        self.list.selectionModel().currentChanged.connect(lambda *_: self._read_through())
        self._fill()

    def _fill(self) -> None:
        found = backups.every(self._context.program.folder)
        self._sources = [one.path for one in found]
        self._model.setStringList([self._words(one) for one in found])
        self.go_back.setEnabled(False)
        self._show_list()
        if found:
            self.begin_with(self.list)
            self.list.setCurrentIndex(self._model.index(0, 0))
        else:
            self.begin_with(self.choose_file)
            self.holds.setText("There is no backup in this profile’s folder. Choose the file that holds yours.")

    def _show_list(self) -> None:
        lines = len(self._sources)
        self.list.setVisible(bool(lines))
        self.list.setFixedHeight(min(lines, LINES) * self.list.sizeHintForRow(0) + 10)

    def _words(self, one: Copy) -> str:
        at = moment(one.at.replace(second=0), self._context.zone(), self._context.now())
        return f"{at}   {KINDS[one.kind]}, {size_text(one.size)}"

    # --- choosing -------------------------------------------------------------------------------------------------

    def open_files(self) -> QFileDialog:
        """Lets the person choose a file with the system's own dialog."""
        kinds = "Backups (*.db);;All files (*)"
        return files.open_file(self._context, self, "Go back to a backup", kinds, self.take)

    def take(self, path: Path) -> None:
        """Puts a file on top of the list, and chooses it."""
        if path not in self._sources:
            self._sources.insert(0, path)
            self._model.insertRow(0)
            self._model.setData(self._model.index(0, 0), f"{path.name}   in {path.parent}")
            self._show_list()
        self.list.setCurrentIndex(self._model.index(self._sources.index(path), 0))
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _read_through(self) -> None:
        """Reads the chosen copy through, off the window's thread, and says what it holds."""
        place = self.list.currentIndex().row()
        if place < 0:
            return
        self._asked += 1
        source = self._sources[place]
        self.go_back.setEnabled(False)
        self._say("Reading it through…")
        self._context.do(
            lambda: restore.examine(source), self._only_now(self._show), self._only_now(self._refuse),
            slow=True, owner=self,
        )  # fmt: skip

    def _only_now(self, then: Callable[[object], None]) -> Callable[[object], None]:
        """Forgets the answer where another copy was chosen meanwhile."""
        asked = self._asked
        return lambda answer: then(answer) if asked == self._asked else None

    def _show(self, found: object) -> None:
        assert isinstance(found, Contents)
        if self._context.sending.part is Part.ELSEWHERE:
            self._say(ELSEWHERE, wrong=True)
            return
        self._say(found.words)
        self.go_back.setEnabled(True)

    def _refuse(self, error: object) -> None:
        assert isinstance(error, SendoffError)
        self._say(str(error), wrong=True)

    def _say(self, words: str, *, wrong: bool = False) -> None:
        self.holds.setText(words)
        self.holds.set_color("failed.text" if wrong else "text")

    def _go_back(self) -> None:
        source = self._sources[self.list.currentIndex().row()]
        window = self._context.window
        self.close_it()
        window.restore_wanted.emit(source)
