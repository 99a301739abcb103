"""The system's own dialogs for files: each begins where the person last chose one, and none blocks the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QFileDialog, QWidget
from shiboken6 import isValid

from sendoff.ui.context import Context

DOCUMENTS = QStandardPaths.StandardLocation.DocumentsLocation
PICTURES = QStandardPaths.StandardLocation.PicturesLocation
Place = QStandardPaths.StandardLocation


def open_file(
    context: Context, owner: QWidget, title: str, kinds: str, take: Callable[[Path], object], at: str = ""
) -> QFileDialog:
    """Asks for one file that is there; `take` gets it, unless `owner` is gone by then.

    Args:
        kinds: as Qt writes them, "Pictures (*.jpg *.png);;All files (*)".
        at: the file that is chosen now, to begin with.
    """
    dialog = _dialog(context, owner, title, kinds, lambda paths: take(paths[0]))
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    if at and Path(at).is_file():
        dialog.setDirectory(str(Path(at).parent))
        dialog.selectFile(at)
    dialog.open()
    return dialog


def open_files(
    context: Context,
    owner: QWidget,
    title: str,
    kinds: str,
    take: Callable[[Sequence[Path]], object],
    usual: Place = DOCUMENTS,
) -> QFileDialog:
    """Asks for one file or several; `usual` is where to begin when none was chosen yet."""
    dialog = _dialog(context, owner, title, kinds, take, usual)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    dialog.open()
    return dialog


def save_file(
    context: Context, owner: QWidget, title: str, name: str, kinds: str, take: Callable[[Path], object]
) -> QFileDialog:
    """Asks where a new file goes; the dialog itself asks before it takes one that is there."""
    dialog = _dialog(context, owner, title, kinds, lambda paths: take(paths[0]))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(Path(name).suffix.lstrip("."))
    dialog.selectFile(name)
    dialog.open()
    return dialog


def _dialog(
    context: Context,
    owner: QWidget,
    title: str,
    kinds: str,
    take: Callable[[Sequence[Path]], object],
    usual: Place = DOCUMENTS,
) -> QFileDialog:
    def taken(names: Sequence[str]) -> None:
        paths = [Path(name) for name in names]
        _remember(context, paths[0].parent)
        if isValid(owner):
            take(paths)

    dialog = QFileDialog(owner.window(), title, str(begin(context, usual)), kinds)
    dialog.filesSelected.connect(taken)
    dialog.finished.connect(dialog.deleteLater)
    return dialog


def begin(context: Context, usual: Place) -> Path:
    """Where the last file was chosen, else the usual folder, else home: never where the program was started."""
    last, common = context.settings()["last_folder"], QStandardPaths.writableLocation(usual)
    return next((Path(one) for one in (last, common) if one and Path(one).is_dir()), Path.home())


def _remember(context: Context, folder: Path) -> None:
    if str(folder) != context.settings()["last_folder"]:
        context.do(lambda: context.commands.settings.set("last_folder", str(folder)))
