"""Opening the profile in another folder: which one, what that means for the next start, and the start with it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from sendoff.domain.words import joined
from sendoff.store.db import FILE
from sendoff.store.profile import usual
from sendoff.ui.context import Context


def is_usual(folder: Path) -> bool:
    """Whether a start from the menu opens the profile in this folder."""
    return folder.resolve() == usual().resolve()


def title(folder: Path) -> str:
    """The window's: it names a profile that is not the usual one."""
    return "Sendoff" if is_usual(folder) else f"Sendoff – {folder.name}"


def choose_profile(context: Context) -> QFileDialog:
    """Lets the person choose the folder with the system's own dialog."""
    dialog = QFileDialog(context.window, "Open another profile", str(context.program.folder.parent))
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.fileSelected.connect(lambda name: ask_to_open(context, Path(name)))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog


def ask_to_open(context: Context, folder: Path) -> None:
    """Says what opening it means, and does it then; `Window.profile_wanted` carries the folder."""
    if not (folder / FILE).is_file():
        sentence = f"There is no profile in {folder}. Choose the folder that holds the file {FILE}."
        context.say(sentence, trouble=True)
    elif folder.samefile(context.program.folder):
        context.say("That is the profile that is open.")
    else:
        meanwhile = joined(context.window.standing.on_quitting)
        here = f" Of this one, {meanwhile}." if meanwhile else ""
        once = "" if is_usual(folder) else f" A start from the menu still opens the usual one, in {usual()}."
        context.ask(
            "Open this other profile?",
            f"Sendoff closes this profile and opens the one in {folder}.{once}{here}",
            "Open it",
            lambda: context.window.profile_wanted.emit(folder),
        )
