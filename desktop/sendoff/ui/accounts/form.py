"""The form of a channel's sign-in, made from its declared fields: what is typed often in sight, the rest folded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from sendoff.domain.account import Account
from sendoff.domain.channel import Channel, Kind, Preset
from sendoff.domain.channel import Field as Declared
from sendoff.ui import files
from sendoff.ui.accounts.provider import Provider
from sendoff.ui.context import Context
from sendoff.ui.theme import Look
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.choice import ComboBox, Switch
from sendoff.ui.widgets.field import Beside, Field, TextArea, TextField
from sendoff.ui.widgets.label import Label

NAME = "name in sendoff"
"""Where what is wrong with the account's own name belongs; no field of a channel has a blank in its name."""

LINES = 6
"""How high a field of several lines is."""

KEPT = "Leave it empty to keep the one that is stored."


@dataclass(frozen=True, slots=True)
class Line:
    """One field of the form: what was declared, what is shown, and how its value is read and written."""

    declared: Declared
    box: Field
    read: Callable[[], str]
    write: Callable[[str], None]


class Form(QWidget):
    """All fields of a channel, and the name of the account in Sendoff.

    `entered` comes with Enter in a field, `changed` with every change, `import_wanted` when a description of the
    service shall fill the form in.

    Args:
        account: whose stored fields to begin with; None for a new account.
        with_secrets: show the fields for keys too.
    """

    entered = Signal()
    changed = Signal()
    import_wanted = Signal()

    def __init__(
        self, context: Context, channel: Channel, account: Account | None = None, *, with_secrets: bool
    ) -> None:
        super().__init__()
        look = context.look
        self._context, self._look, self.channel, self._account = context, look, channel, account
        self.lines = {field.name: self._line(field) for field in channel.fields if not field.hidden}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(14)
        self._filled: dict[str, str] = {}
        self.provider = self._provider()
        self.import_button = Button(look, f"Import an {channel.imports}…", kind="link", icon="upload", flush=True)
        self.import_button.clicked.connect(self.import_wanted)
        self._column.addWidget(self.import_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.import_button.setVisible(bool(channel.imports) and account is None)
        self._servers = Fold(look, "Server settings")
        self.folds: dict[str, Fold] = {}
        self._lay_out()
        self.name = TextField(look, "Name in Sendoff", hint="As it is called there")
        self._name_box = Field(look, "Name in Sendoff", self.name, "How you tell it from your other accounts.")
        self._column.addWidget(self._name_box)
        self._name_box.setVisible(account is None)
        self._listen(self.name)
        self.show_secrets(with_secrets)
        self._fill()

    # --- making it ------------------------------------------------------------------------------------------------

    def _line(self, field: Declared) -> Line:
        kept = field.secret and self._account is not None
        part, read, write = self._control(field)
        words = " ".join([field.help, KEPT]).strip() if kept else field.help
        label = "" if field.kind is Kind.SWITCH else field.label
        box = Field(self._look, label, part, words)
        edit = part.edit if isinstance(part, Beside) else part
        if isinstance(edit, TextField):
            edit.textChanged.connect(lambda _words: box.set_wrong(""))
        return Line(field, box, read, write)

    def _control(self, field: Declared) -> tuple[QWidget, Callable[[], str], Callable[[str], None]]:
        look = self._look
        if field.kind is Kind.CHOICE:
            combo = ComboBox(look, field.label, field.choices)
            combo.chosen.connect(lambda _value: self._changed())
            return combo, combo.value, combo.set_value
        if field.kind is Kind.SWITCH:
            switch = Switch(look, field.label)
            switch.toggled.connect(lambda _on: self.changed.emit())
            return (
                switch,
                lambda: "yes" if switch.isChecked() else "no",
                lambda words: switch.setChecked(words == "yes"),
            )
        if field.kind is Kind.LINES:
            area = TextArea(look, field.label, hint=field.placeholder, lines=LINES, mono=True)
            area.edit.textChanged.connect(self.changed)
            return area, area.edit.toPlainText, area.edit.setPlainText
        edit = TextField(look, field.label, hint=field.placeholder, secret=field.secret)
        self._listen(edit)
        part: QWidget = edit
        if field.secret:
            part = Beside(edit, Button(look, "Paste", run=lambda: paste_into(edit)))
        if field.kind is Kind.FILE:
            part = Beside(edit, Button(look, "Choose…", run=lambda: choose_into(self._context, edit, field.label)))
        return part, edit.text, lambda words: _write(edit, words)

    def _listen(self, edit: TextField) -> None:
        edit.returnPressed.connect(self.entered)
        edit.textChanged.connect(lambda _words: self.changed.emit())

    def _provider(self) -> Provider | None:
        if not self.channel.presets or self._account is not None:
            return None
        provider = Provider(self._look, self.channel)
        provider.filled.connect(self._take)
        provider.known.connect(lambda is_known: self._servers.open(not is_known))
        provider.address.returnPressed.connect(self.entered)
        self._column.addWidget(provider)
        return provider

    def _lay_out(self) -> None:
        """What a provider fills in is folded together, what is rarely needed too."""
        presets = self.channel.presets
        folds = bool(self.channel.from_address)  # without an address to begin with, these are what one fills in
        by_provider = {name for one in presets for name in (*one.values, *one.from_address) if folds}
        for line in self.lines.values():
            if line.declared.advanced:
                title = line.declared.fold
                self.folds.setdefault(title, Fold(self._look, title)).add(line.box)
            elif line.declared.name in by_provider:
                self._servers.add(line.box)
            else:
                self._column.addWidget(line.box)
        for fold in (self._servers, *self.folds.values()):
            self._column.addWidget(fold)
            fold.setVisible(fold.count > 0)

    def _fill(self) -> None:
        had = self._account.settings if self._account else {}
        for name, line in self.lines.items():
            if not line.declared.secret:
                line.write(had.get(name, "" if self._account else line.declared.default) or "")
            if line.declared.kind is Kind.CHOICE and not had.get(name):
                line.write(line.declared.default)
        self._tell_servers()
        self._show_lines()

    # --- what is typed --------------------------------------------------------------------------------------------

    def values(self) -> dict[str, str]:
        """What stands in the fields, secret ones too where they are shown."""
        return {
            name: line.read() for name, line in self.lines.items() if self._secret_shown or not line.declared.secret
        }

    def _take(self, values: Mapping[str, str]) -> None:
        """Takes what a provider fills in; what the person wrote instead of what follows from the address stays."""
        for name in values.keys() & self.lines.keys():
            line = self.lines[name]
            is_own = name in self.channel.from_address and line.read() not in ("", self._filled.get(name, ""))
            if not is_own:
                line.write(values[name])
        self._filled |= values
        self._tell_servers()
        self._changed()

    def take(self, preset: Preset) -> None:
        """Fills the form in from a preset that is none of the channel's own."""
        self._take(preset.values)

    def _changed(self) -> None:
        self._show_lines()
        self.changed.emit()

    def _tell_servers(self) -> None:
        """The folded line says what stands in it."""
        found = [self.lines[name].read() for name in ("host", "port", "username") if name in self.lines]
        self._servers.summarise(" · ".join(one for one in found if one))

    def show_secrets(self, shown: bool) -> None:
        """Shows or hides the fields for keys: a sign-in in the browser needs none."""
        self._secret_shown = shown
        self._show_lines()

    def _show_lines(self) -> None:
        """Shows the fields that count with what is chosen in others."""
        for line in self.lines.values():
            name, values = line.declared.shown or ("", ())
            fits = not name or self.lines[name].read() in values
            line.box.setVisible(fits and (self._secret_shown or not line.declared.secret))

    def forget_secrets(self) -> None:
        """Empties the fields for keys."""
        for line in self.lines.values():
            if line.declared.secret:
                line.write("")

    # --- what is wrong --------------------------------------------------------------------------------------------

    def set_wrong(self, name: str, sentence: str) -> QWidget | None:
        """Says beneath a field what is wrong with it and puts the keyboard there; None: it is not on this form."""
        box = self._name_box if name == NAME else self.lines[name].box if name in self.lines else None
        if box is None or box.isHidden():
            return None
        for fold in (self._servers, *self.folds.values()):
            if fold.isAncestorOf(box):
                fold.open(True)
        box.set_wrong(sentence)
        box.field.setFocus()
        return box

    def clear_wrong(self) -> None:
        for line in self.lines.values():
            line.box.set_wrong("")
        self._name_box.set_wrong("")

    def first_secret(self) -> str:
        """The field that most likely is to blame when a key is refused: the first one that was filled, or the first."""
        hidden = [line for line in self.lines.values() if line.declared.secret and self._secret_shown]
        filled = [line for line in hidden if line.read()]
        return next((line.declared.name for line in filled or hidden), "")

    def begin(self) -> QWidget:
        """Where the keyboard begins: the first field that is empty, else the first."""
        edits = list(self._edits())
        return next((edit for edit in edits if not edit.text()), edits[0] if edits else self.name)

    def _edits(self) -> Iterator[TextField]:
        if self.provider is not None and self.provider.address.isVisibleTo(self):
            yield self.provider.address
        for line in self.lines.values():
            edit = line.box.field.edit if isinstance(line.box.field, Beside) else line.box.field
            if isinstance(edit, TextField) and edit.isVisibleTo(self) and line.declared.kind is not Kind.NUMBER:
                yield edit


class Fold(QWidget):
    """Fields that are rarely needed, behind a line that says what they are."""

    def __init__(self, look: Look, title: str) -> None:
        super().__init__()
        self._title, self._is_open = title, False
        self.button = Button(look, title, kind="link", icon="chevron-right", flush=True, run=self._turn)
        self._summary = Label(look, "", size="small", color="text3", elide=True)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(12)
        head.addWidget(self.button)
        head.addWidget(self._summary, 100)
        head.addStretch(1)
        self._body = QWidget()
        self._inside = QVBoxLayout(self._body)
        self._inside.setContentsMargins(0, 0, 0, 0)
        self._inside.setSpacing(14)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self._body)
        self.count = 0
        self.open(False)

    def add(self, part: QWidget) -> None:
        self._inside.addWidget(part)
        self.count += 1

    def open(self, is_open: bool) -> None:
        """Unfolds it, or folds it up."""
        self._is_open = is_open
        self._body.setVisible(is_open)
        self._summary.setVisible(not is_open and bool(self._summary.text()))
        self.button.set_icon("chevron-down" if is_open else "chevron-right")
        self.button.setAccessibleName(f"{self._title}, {'open' if is_open else 'closed'}")

    def summarise(self, words: str) -> None:
        """What is shown of it while it is folded."""
        self._summary.setText(words)
        self._summary.setVisible(not self._is_open and bool(words))

    def _turn(self) -> None:
        self.open(not self._is_open)


def _write(edit: TextField, words: str) -> None:
    """Puts words in; of long ones the beginning is seen."""
    edit.setText(words)
    edit.setCursorPosition(0)


def paste_into(edit: TextField) -> None:
    """Puts in what was copied, without the blanks and line ends that came along."""
    edit.setText(QGuiApplication.clipboard().text().strip())
    edit.setFocus()


def choose_into(context: Context, edit: TextField, name: str) -> QFileDialog:
    """Lets the person choose a file with the system's own dialog, and puts its path in."""

    def take(path: Path) -> None:
        edit.setText(str(path))

    return files.open_file(context, edit, f"{name}: choose a file", "", take, edit.text())
