"""A list model whose rows come from a question to the database; asking again moves, adds and drops single rows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

T = TypeVar("T")
Index = QModelIndex | QPersistentModelIndex
ROW = int(Qt.ItemDataRole.UserRole)
"""The role under which a delegate gets the row itself."""


class QueryModel(QAbstractListModel, Generic[T]):
    """Shows what `ask(limit)` returns, and more of it as the person scrolls.

    Args:
        ask: the rows, at most so many; called on the window's thread, so it has to be quick.
        key: what tells a row from the others; it keeps its selection and place by it.
        words: a row in one sentence, for screen readers and typing ahead.
        page: how many rows are asked for at a time.
    """

    def __init__(
        self,
        ask: Callable[[int], Sequence[T]],
        *,
        key: Callable[[T], Hashable],
        words: Callable[[T], str],
        page: int = 200,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._ask, self._key, self._words = ask, key, words
        self._page = self._limit = page
        self._rows: list[T] = []
        self._asking = False

    # --- asking ---------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Asks again and takes over the differences."""
        new = list(self._ask(self._limit))
        self._asking = True
        self._drop_missing({self._key(row) for row in new})
        self._reorder({self._key(row): place for place, row in enumerate(new)})
        self._insert(new)
        self._replace(new)
        self._asking = False

    def row(self, index: Index) -> T | None:
        return self._rows[index.row()] if index.isValid() and index.row() < len(self._rows) else None

    @property
    def rows(self) -> Sequence[T]:
        return tuple(self._rows)

    def _drop_missing(self, kept: set[Hashable]) -> None:
        end = len(self._rows)
        while end > 0:
            if self._key(self._rows[end - 1]) in kept:
                end -= 1
                continue
            first = end
            while first > 0 and self._key(self._rows[first - 1]) not in kept:
                first -= 1
            self.beginRemoveRows(QModelIndex(), first, end - 1)
            del self._rows[first:end]
            self.endRemoveRows()
            end = first

    def _reorder(self, places: dict[Hashable, int]) -> None:
        """Brings the rows that stay into the new order; selections move along."""
        wanted = sorted(self._rows, key=lambda row: places[self._key(row)])
        if [self._key(row) for row in wanted] == [self._key(row) for row in self._rows]:
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        new_place = {self._key(row): place for place, row in enumerate(wanted)}
        after = [self.index(new_place[self._key(self._rows[index.row()])]) for index in before]
        self._rows = wanted
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _insert(self, new: list[T]) -> None:
        known = {self._key(row) for row in self._rows}
        first = 0
        while first < len(new):
            if self._key(new[first]) in known:
                first += 1
                continue
            end = first
            while end < len(new) and self._key(new[end]) not in known:
                end += 1
            self.beginInsertRows(QModelIndex(), first, end - 1)
            self._rows[first:first] = new[first:end]
            self.endInsertRows()
            first = end

    def _replace(self, new: list[T]) -> None:
        """Takes the new values of rows that stayed."""
        for place, row in enumerate(new):
            if self._rows[place] != row:
                self._rows[place] = row
                self.dataChanged.emit(self.index(place), self.index(place))

    # --- what Qt asks ---------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        row = self.row(index)
        if row is None:
            return None
        if role == ROW:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._words(row)
        return None

    def canFetchMore(self, parent: Index) -> bool:
        return not parent.isValid() and len(self._rows) >= self._limit and not self._asking

    def fetchMore(self, parent: Index) -> None:
        if self.canFetchMore(parent):  # a view may ask in the middle of a change
            self._limit += self._page
            self.refresh()
