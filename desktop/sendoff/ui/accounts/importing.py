"""Filling a form in from a description of a service: a file is chosen, then one of the requests in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QFileDialog, QListView, QWidget

from sendoff.domain.channel import Channel, Preset
from sendoff.domain.errors import BadInput
from sendoff.domain.words import counted
from sendoff.ui import files
from sendoff.ui.context import Context
from sendoff.ui.theme import Look
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.field import TextField
from sendoff.ui.widgets.floating import Sheet
from sendoff.ui.widgets.focus import ring

MOST = 64 << 20
"""Bytes of a file that are read at most; how much of a document is taken is for the channel to say."""

LINES = 9
"""How many requests are in sight."""


def choose_document(
    context: Context, channel: Channel, take: Callable[[Preset], object], owner: QWidget
) -> QFileDialog:
    """Lets the person choose a file with the system's own dialog; what it describes is shown to choose from."""
    kinds = f"{channel.imports} (*.json *.yaml *.yml);;All files (*)"
    return files.open_file(
        context, owner, f"Import an {channel.imports}", kinds,
        lambda path: read_document(context, channel, path, take, owner),
    )  # fmt: skip


def read_document(
    context: Context, channel: Channel, path: Path, take: Callable[[Preset], object], owner: QWidget
) -> None:
    """Reads it off the window's thread, then shows what it describes."""
    context.do(
        lambda: channel.imported(_read(path)),
        lambda found: context.window.show_overlay(RequestsSheet(context, path.name, found, take)),
        slow=True,
        owner=owner,
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST)
    except OSError as wrong:
        raise BadInput(f"{path.name} can’t be read: {wrong.strerror}.") from None


class RequestsSheet(Sheet):
    """The requests that a document describes, found by typing. `take` gets the one that was chosen."""

    def __init__(self, context: Context, name: str, found: Sequence[Preset], take: Callable[[Preset], object]) -> None:
        look = context.look
        sentence = f"{counted(len(found), 'request', 'requests')} in {name}. Which one sends a post?"
        super().__init__(look, context.window, "Choose a request", sentence, width=624, top=72)
        self._known, self._take = found, take
        self._fitting: list[Preset] = list(found)
        self.search = _Find(look, self)
        self.list = QListView()
        self.list.setObjectName("completions")
        self.list.setAccessibleName("Requests")
        self.list.setFont(look.font())
        self.list.setFixedHeight(LINES * 32 + 10)
        self.list.setUniformItemSizes(True)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setModel(QStringListModel(self.list))
        self.list.doubleClicked.connect(lambda _index: self.choose())
        ring(self.list, 6)
        self.body.addWidget(self.search)
        self.body.addWidget(self.list)
        self.use = Button(look, "Use this request", kind="primary", run=self.choose)
        self.add_button(Button(look, "Cancel", run=self.close_it))
        self.add_button(self.use)
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self.choose)
        self.begin_with(self.search)
        self._filter("")

    def _filter(self, words: str) -> None:
        wanted = words.casefold().split()
        self._fitting = [one for one in self._known if all(word in _words(one).casefold() for word in wanted)]
        model = self.list.model()
        assert isinstance(model, QStringListModel)
        model.setStringList([_words(one) for one in self._fitting])
        self.walk(0)
        self.use.setEnabled(bool(self._fitting))
        self.set_note("" if self._fitting else f"None has “{words}” in it.")

    def walk(self, step: int) -> None:
        """Moves the choice."""
        place = max(self.list.currentIndex().row(), 0) + step
        index = self.list.model().index(max(0, min(place, len(self._fitting) - 1)), 0)
        self.list.setCurrentIndex(index)

    def choose(self) -> None:
        """Takes what is chosen."""
        place = self.list.currentIndex().row()
        if 0 <= place < len(self._fitting):
            self.close_it()
            self._take(self._fitting[place])


class _Find(TextField):
    """The line to type in; the arrows walk through the list."""

    def __init__(self, look: Look, sheet: RequestsSheet) -> None:
        super().__init__(look, "Find a request", icon="search", hint="Find a request", clear=True)
        self._sheet = sheet

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: LINES, Qt.Key.Key_PageUp: -LINES}
        if (step := steps.get(Qt.Key(event.key()))) is not None:
            self._sheet.walk(step)
        else:
            super().keyPressEvent(event)


def _words(one: Preset) -> str:
    return f"{one.name}   {one.help}".rstrip()
