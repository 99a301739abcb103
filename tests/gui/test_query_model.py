"""The list model: it passes Qt's own tester whatever changes, and selections stay with their rows."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt
from PySide6.QtWidgets import QListView
from pytestqt.qtbot import QtBot

from sendoff.ui.query_model import ROW, QueryModel
from tests.gui.desk import judged


@dataclass(frozen=True)
class Row:
    id: int
    words: str


class Table:
    """What the database would answer."""

    def __init__(self, *ids: int) -> None:
        self.rows = [Row(one, f"row {one}") for one in ids]
        self.asked: list[int] = []

    def ask(self, limit: int) -> list[Row]:
        self.asked.append(limit)
        return self.rows[:limit]


@pytest.fixture
def make() -> Callable[..., QueryModel[Row]]:
    def make_one(table: Table, page: int = 200) -> QueryModel[Row]:
        model = QueryModel(table.ask, key=lambda row: row.id, words=lambda row: row.words, page=page)
        judged(model)
        return model

    return make_one


def ids(model: QueryModel[Row]) -> list[int]:
    return [row.id for row in model.rows]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((), (1, 2, 3)),
        ((1, 2, 3), ()),
        ((1, 2, 3), (1, 3)),
        ((1, 3), (0, 1, 2, 3, 4)),
        ((1, 2, 3), (3, 1, 2)),
        ((1, 2, 3, 4, 5), (9, 5, 4, 8, 1, 7)),
        ((1, 2), (3, 4)),
    ],
)
def test_asking_again_takes_over_the_differences(
    make: Callable[..., QueryModel[Row]], before: tuple[int, ...], after: tuple[int, ...], qtbot: QtBot
) -> None:
    table = Table(*before)
    model = make(table)
    model.refresh()
    table.rows = Table(*after).rows
    model.refresh()
    assert ids(model) == list(after)


def test_random_changes_pass_the_tester(make: Callable[..., QueryModel[Row]], qtbot: QtBot) -> None:
    chance = random.Random(7)
    table = Table()
    model = make(table)
    for _ in range(200):
        chosen = chance.sample(range(30), chance.randrange(20))
        table.rows = [Row(one, f"row {one} {chance.randrange(3)}") for one in chosen]
        model.refresh()
        assert list(model.rows) == table.rows


def test_the_selection_stays_with_its_row(make: Callable[..., QueryModel[Row]], qtbot: QtBot) -> None:
    table = Table(1, 2, 3, 4)
    model = make(table)
    model.refresh()
    view = QListView()
    qtbot.addWidget(view)
    view.setModel(model)
    view.setCurrentIndex(model.index(2))
    view.selectionModel().select(model.index(2), QItemSelectionModel.SelectionFlag.ClearAndSelect)
    table.rows = Table(9, 3, 4, 1).rows
    model.refresh()
    assert model.row(view.currentIndex()) == Row(3, "row 3")
    assert [model.row(index) for index in view.selectedIndexes()] == [Row(3, "row 3")]


def test_only_what_changed_is_told(make: Callable[..., QueryModel[Row]], qtbot: QtBot) -> None:
    table = Table(1, 2, 3)
    model = make(table)
    model.refresh()
    told: list[int] = []
    model.dataChanged.connect(lambda first, _last: told.append(first.row()))
    model.refresh()
    assert not told
    table.rows[1] = Row(2, "new words")
    model.refresh()
    assert told == [1]


def test_it_asks_for_more_as_the_person_scrolls(make: Callable[..., QueryModel[Row]], qtbot: QtBot) -> None:
    table = Table(*range(25))
    model = make(table, page=10)
    model.refresh()
    assert len(model.rows) == 10
    while model.canFetchMore(QModelIndex()):
        model.fetchMore(QModelIndex())
    assert len(model.rows) == 25
    assert table.asked == [10, 20, 30]


def test_delegates_get_the_row_and_screen_readers_the_words(make: Callable[..., QueryModel[Row]], qtbot: QtBot) -> None:
    model = make(Table(5))
    model.refresh()
    index = model.index(0)
    assert index.data(ROW) == Row(5, "row 5")
    assert index.data() == "row 5"
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "row 5"
    assert model.row(QModelIndex()) is None
