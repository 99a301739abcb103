"""A small choice of emoji; the rest come from the system's own keyboard."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QGridLayout, QWidget

from sendoff.ui.theme import Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.focus import ring
from sendoff.ui.widgets.popup import Popup
from sendoff.ui.widgets.tip import set_tip

COLUMNS, CELL = 10, 32
CHOICE = (
    "😀 grin", "😂 tears of joy", "🙂 smile", "😉 wink", "😍 heart eyes", "🤔 thinking", "😅 phew", "😢 crying",
    "😮 surprised", "🥳 party", "👍 thumbs up", "👏 applause", "🙏 thank you", "🙌 hooray", "👋 wave", "💪 strong",
    "🤝 handshake", "👀 eyes", "✌️ peace", "👉 this way", "❤️ red heart", "💙 blue heart", "💚 green heart",
    "💛 yellow heart", "🧡 orange heart", "🔥 fire", "✨ sparkles", "⭐ star", "🎉 confetti", "🎁 present",
    "☀️ sun", "🌧️ rain", "❄️ snow", "🌈 rainbow", "🌍 earth", "🌱 seedling", "🌸 blossom", "🎄 tree", "🐕 dog",
    "🐈 cat", "☕ coffee", "🍰 cake", "🍞 bread", "🍎 apple", "🍷 wine", "📣 announcement", "📅 calendar",
    "📍 place", "📷 camera", "🎵 music", "📚 books", "💡 idea", "🚀 rocket", "⏰ alarm", "💬 speech", "📬 mail",
    "🔗 link", "✅ done", "❗ important", "❓ question",
)  # fmt: skip


class EmojiPopup(Popup):
    """A grid that goes away with the next click. Arrows walk, Enter takes one."""

    def __init__(self, look: Look, take: Callable[[str], object], parent: QWidget) -> None:
        super().__init__(look, "Emoji", parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(8, 8, 8, 8)
        grid.setSpacing(0)
        self.buttons: list[_Emoji] = []
        for number, entry in enumerate(CHOICE):
            sign, _, name = entry.partition(" ")
            button = _Emoji(look, sign, name)
            button.clicked.connect(lambda _checked=False, sign=sign: self._taken(sign, take))
            grid.addWidget(button, number // COLUMNS, number % COLUMNS)
            self.buttons.append(button)

    def open_at(self, anchor: QWidget) -> None:
        """Shows itself below a button, or above where there is no room."""
        at = anchor.mapToGlobal(QPoint(0, anchor.height() + 4))
        size = self.sizeHint()
        if at.y() + size.height() > anchor.screen().availableGeometry().bottom():
            at = anchor.mapToGlobal(QPoint(0, -4 - size.height()))
        self.move(at)
        self.show()
        self.buttons[0].setFocus(Qt.FocusReason.PopupFocusReason)

    def _taken(self, sign: str, take: Callable[[str], object]) -> None:
        self.close()
        take(sign)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -COLUMNS, Qt.Key.Key_Down: COLUMNS}
        step = steps.get(Qt.Key(event.key()))
        place = next((number for number, one in enumerate(self.buttons) if one.hasFocus()), 0)
        if step is not None and 0 <= place + step < len(self.buttons):
            self.buttons[place + step].setFocus(Qt.FocusReason.TabFocusReason)
        elif step is None:
            super().keyPressEvent(event)


class _Emoji(QAbstractButton):
    def __init__(self, look: Look, sign: str, name: str) -> None:
        super().__init__()
        self._look, self._sign = look, sign
        self.setAccessibleName(name)
        set_tip(self, name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        ring(self, 6)

    def sizeHint(self) -> QSize:
        return QSize(CELL, CELL)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self.underMouse() or self.hasFocus():
            paint.box(painter, self.rect(), 6, self._look.color("accent.tint"))
        font = self._look.font("title")
        place = QRect(0, 0, self.width(), self.height())
        paint.text(painter, place, self._sign, font, self._look.color("text"), Qt.AlignmentFlag.AlignHCenter)
        painter.end()
