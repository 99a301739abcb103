"""Where the dialogs for files begin, and that they leave alone what is gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QStandardPaths
from PySide6.QtWidgets import QFileDialog, QWidget

from sendoff.ui import files
from tests.gui.desk import Desk

Ask = Callable[[Desk, list[Path]], QFileDialog]


def one(desk: Desk, taken: list[Path]) -> QFileDialog:
    return files.open_file(desk.context, desk.window, "One", "", taken.append)


def several(desk: Desk, taken: list[Path]) -> QFileDialog:
    return files.open_files(desk.context, desk.window, "Several", "", taken.extend)


def new(desk: Desk, taken: list[Path]) -> QFileDialog:
    return files.save_file(desk.context, desk.window, "New", "posts.csv", "CSV (*.csv)", taken.append)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with nothing in it, and a program that was started elsewhere."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.chdir(elsewhere)
    return home


def begins(dialog: QFileDialog) -> Path:
    place = Path(dialog.directory().absolutePath())
    dialog.reject()
    return place


@pytest.mark.parametrize("ask", [one, several, new])
def test_without_any_other_place_it_begins_at_home(desk: Desk, home: Path, ask: Ask) -> None:
    assert begins(ask(desk, [])) == home


@pytest.mark.parametrize("ask", [one, several, new])
def test_it_begins_where_a_file_was_chosen_last(desk: Desk, home: Path, tmp_path: Path, ask: Ask) -> None:
    posts = tmp_path / "posts"
    posts.mkdir()
    taken: list[Path] = []
    dialog = several(desk, taken)
    dialog.filesSelected.emit([str(posts / "a.png"), str(posts / "b.png")])
    dialog.accept()
    desk.settle()
    assert taken == [posts / "a.png", posts / "b.png"]
    assert begins(ask(desk, [])) == posts
    posts.rmdir()
    assert begins(ask(desk, [])) == home


def test_pictures_begin_among_pictures(desk: Desk, home: Path) -> None:
    usual = Path(QStandardPaths.writableLocation(files.PICTURES))
    usual.mkdir(parents=True, exist_ok=True)
    assert begins(files.open_files(desk.context, desk.window, "Pictures", "", list, files.PICTURES)) == usual
    assert begins(one(desk, [])) == home


def test_a_file_that_is_chosen_already_is_begun_with(desk: Desk, tmp_path: Path) -> None:
    chosen = tmp_path / "ca.pem"
    chosen.write_text("x")
    dialog = files.open_file(desk.context, desk.window, "CA file", "", print, str(chosen))
    assert dialog.selectedFiles() == [str(chosen)]
    assert begins(dialog) == tmp_path


def test_a_new_file_has_its_name(desk: Desk, home: Path) -> None:
    dialog = new(desk, [])
    assert dialog.selectedFiles() == [str(home / "posts.csv")]
    assert dialog.defaultSuffix() == "csv"
    dialog.reject()


def test_what_asked_may_be_gone_when_the_person_has_chosen(desk: Desk, tmp_path: Path) -> None:
    taken: list[Path] = []
    owner = QWidget(desk.window)
    dialog = files.open_file(desk.context, owner, "One", "", taken.append)
    owner.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    dialog.filesSelected.emit([str(tmp_path / "a.png")])
    dialog.reject()
    assert taken == []


def test_a_folder_that_is_gone_is_never_begun_with(desk: Desk, home: Path, tmp_path: Path) -> None:
    """Asked without a dialog: one that begins in a folder that is not there never comes up here."""
    gone, documents = tmp_path / "gone", Path(QStandardPaths.writableLocation(files.DOCUMENTS))
    desk.context.commands.settings.set("last_folder", str(gone))
    assert not documents.exists()
    assert files.begin(desk.context, files.DOCUMENTS) == home
    documents.mkdir(parents=True)
    assert files.begin(desk.context, files.DOCUMENTS) == documents
    gone.mkdir()
    assert files.begin(desk.context, files.DOCUMENTS) == gone
    gone.rmdir()
    gone.write_text("a file by that name")
    assert files.begin(desk.context, files.DOCUMENTS) == documents
