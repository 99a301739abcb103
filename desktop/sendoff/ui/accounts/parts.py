"""What the pages about accounts share: the tile of a network, a page that scrolls, links, and walking by arrow keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QWidget

from sendoff.resources import resource
from sendoff.ui.links import open_web
from sendoff.ui.theme import Look
from sendoff.ui.widgets.button import SMALL, Button
from sendoff.ui.widgets.state import Tile

ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)
LINK_LEAST = 80
"""How wide the button of an address is at least, in px."""

_PLACE = re.compile(
    r"(?<![@\w.-])(?:https://)?((?:[a-z0-9-]+\.)+(?:com|org|net|de|io|social|app)(?:/[\w./~-]*\w)?)(?![\w@])"
)


def network_tile(look: Look, title: str, mark: str, size: int) -> Tile:
    """The tile of a channel: its mark, or the first letter of its name where there is no such drawing."""
    known = bool(mark) and resource("icons", "marks", f"{mark}.svg").is_file()
    return Tile(look, mark=mark, size=size) if known else Tile(look, letter=title, size=size)


def scrolling(page: QWidget) -> QScrollArea:
    """A page that scrolls up and down when it is higher than the window."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    page.setObjectName("page")
    area.setWidget(page)
    return area


def places(words: str) -> list[str]:
    """The web addresses that a sentence names: "Sign in at app.mailgun.com" → ["app.mailgun.com"]."""
    return list(dict.fromkeys(found[1] for found in _PLACE.finditer(words)))


class Links(QWidget):
    """A button for each web address that a sentence names; it opens in the person's browser."""

    def __init__(self, look: Look, words: str = "") -> None:
        super().__init__()
        self._look = look
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)
        self.show_for(words)

    def show_for(self, words: str) -> None:
        """Shows the addresses of this sentence instead."""
        while (item := self._row.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        found = places(words)
        for place in found:
            button = Button(self._look, place, kind="link", icon="external-link", size=SMALL)
            button.setMinimumWidth(LINK_LEAST)  # a long one is elided: the sentence has it in full
            button.clicked.connect(partial(_open_place, place))
            self._row.addWidget(button)
        self._row.addStretch(1)
        if self.parentWidget() is not None or not found:
            self.setVisible(bool(found))


def _open_place(place: str, _checked: bool = False) -> None:
    open_web(f"https://{place}")


class Walk(QObject):
    """Lets the arrow keys go from one card to the next, as they stand on the page.

    Args:
        cards: those that are shown, in order.
        before: called when Up is pressed in the first line.
    """

    def __init__(
        self, cards: Callable[[], Iterable[QWidget]], parent: QWidget, before: Callable[[], object] | None = None
    ) -> None:
        super().__init__(parent)
        self._cards, self._before = cards, before

    def watch(self, card: QWidget) -> None:
        card.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress or event.key() not in ARROWS:
            return False
        cards = list(self._cards())
        if watched not in cards or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return False
        target = _neighbour(cards, cards.index(watched), event.key())
        if target is not None:
            target.setFocus(Qt.FocusReason.TabFocusReason)
        elif event.key() == Qt.Key.Key_Up and self._before is not None:
            self._before()
        return True


def _neighbour(cards: list[QWidget], place: int, key: int) -> QWidget | None:
    if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
        step = 1 if key == Qt.Key.Key_Right else -1
        return cards[place + step] if 0 <= place + step < len(cards) else None
    here = _middle(cards[place])
    below = key == Qt.Key.Key_Down
    lines = [(one, _middle(one) - here) for one in cards]
    ahead = [(one, away) for one, away in lines if (away.y() > 0 if below else away.y() < 0)]
    return min(ahead, key=lambda found: (abs(found[1].y()), abs(found[1].x())))[0] if ahead else None


def _middle(card: QWidget) -> QPoint:
    return card.mapTo(card.window(), card.rect().center())
