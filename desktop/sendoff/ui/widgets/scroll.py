"""A part of a sheet that may become higher than the window: as high as what it holds, and then it scrolls."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QAbstractSlider, QFrame, QScrollArea, QSizePolicy, QWidget

PAGES = {
    Qt.Key.Key_PageUp: QAbstractSlider.SliderAction.SliderPageStepSub,
    Qt.Key.Key_PageDown: QAbstractSlider.SliderAction.SliderPageStepAdd,
}
OFF_THE_BAR = 8
LEAST = 120
"""It never becomes lower than this, px."""


class ScrollBox(QScrollArea):
    """Scrolls up and down only; whatever gets the keyboard in it is brought into sight."""

    def __init__(self, page: QWidget) -> None:
        super().__init__()
        self._page = page
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        page.setObjectName("page")
        self.setWidget(page)
        self.viewport().setAutoFillBackground(False)
        page.setAutoFillBackground(False)
        page.installEventFilter(self)
        self.verticalScrollBar().rangeChanged.connect(lambda _least, most: self._make_room(most > 0))

    def _make_room(self, scrolls: bool) -> None:
        """What it holds keeps off the bar."""
        layout = self._page.layout()
        if layout is not None:
            margins = layout.contentsMargins()
            margins.setRight(OFF_THE_BAR if scrolls else 0)
            layout.setContentsMargins(margins)

    def turn(self, key: Qt.Key) -> None:
        """Scrolls by a page, where that is what the key is for; nothing in it needs the keyboard for that."""
        if key in PAGES:
            self.verticalScrollBar().triggerAction(PAGES[key])

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        layout = self._page.layout()
        return layout.totalHeightForWidth(width) if layout is not None else self._page.sizeHint().height()

    def sizeHint(self) -> QSize:
        return QSize(320, self.heightForWidth(320))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, LEAST)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._page and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)
