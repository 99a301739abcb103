"""Lays widgets out like words: from the left, on as many lines as it takes."""

from __future__ import annotations

from PySide6.QtCore import QMargins, QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget


class FlowLayout(QLayout):
    """For tens of widgets, not thousands.

    `columns` makes all equally wide, that many side by side, or fewer where they would be narrower than `least` px.
    """

    def __init__(self, parent: QWidget | None = None, *, gap: int = 8, columns: int = 0, least: int = 0) -> None:
        super().__init__(parent)
        self.setContentsMargins(QMargins(0, 0, 0, 0))
        self._gap, self._columns, self._least = gap, columns, least
        self._items: list[QLayoutItem] = []

    def set_columns(self, columns: int) -> None:
        if columns != self._columns:
            self._columns = columns
            self.invalidate()

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)
        self.invalidate()  # a widget that is shown already asks for no place by itself

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(QRect(0, 0, width, 0), move=False)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        margins = self.contentsMargins()
        return size + QSize(margins.left() + margins.right(), margins.top() + margins.bottom())

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._place(rect, move=True)

    def _place(self, rect: QRect, *, move: bool) -> int:
        """Goes through the lines; returns the height they take."""
        inside = rect.marginsRemoved(self.contentsMargins())
        x, y, line = inside.left(), inside.top(), 0
        for item in self._shown():
            size = self._size(item, inside.width())
            if x > inside.left() and x + size.width() > inside.right() + 1:
                x, y, line = inside.left(), y + line + self._gap, 0
            if move:
                item.setGeometry(QRect(QPoint(x, y), size))
            x += size.width() + self._gap
            line = max(line, size.height())
        margins = self.contentsMargins()
        return y + line - rect.top() + margins.bottom()

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _size(self, item: QLayoutItem, width: int) -> QSize:
        if not self._columns:
            return item.sizeHint()
        fit = (width + self._gap) // (self._least + self._gap) if self._least else self._columns
        columns = max(1, min(self._columns, fit))
        wide = (width - (columns - 1) * self._gap) // columns
        return QSize(wide, item.heightForWidth(wide) if item.hasHeightForWidth() else item.sizeHint().height())
