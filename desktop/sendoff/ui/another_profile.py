"""Opening the profile in another folder: which one, what that means for the next start, and the start with it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from sendoff.store.db import FILE
from sendoff.ui.context import Context


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
        context.ask(
            "Open this other profile?",
            f"Sendoff ends here and starts with the profile in {folder}. What is planned here waits meanwhile. Opened "
            "from the menu Sendoff has this one again; for the other one start it with --home and that folder.",
            "Open it",
            lambda: context.window.profile_wanted.emit(folder),
        )
