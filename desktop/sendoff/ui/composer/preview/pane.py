"""The preview pane: for each chosen account, what its readers will see."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from sendoff.domain.when import distance
from sendoff.ui.composer.preview.mail import MailCard
from sendoff.ui.composer.preview.model import Preview
from sendoff.ui.composer.preview.pictures import Pictures
from sendoff.ui.composer.preview.status import StatusCard
from sendoff.ui.context import Context
from sendoff.ui.theme import MEDIUM, STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.choice import SegmentedControl
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.state import Icon

PADDING = 24
EMPTY = "Choose an account, and here you see your post as its readers will."


class PreviewPane(QWidget):
    """Shows previews below each other. What did not change is not touched, so that typing costs little.

    Args:
        pictures: those of the composer, so that each is read once; None: its own.
    """

    def __init__(self, context: Context, pictures: Pictures | None = None) -> None:
        super().__init__()
        self._context, self._look = context, context.look
        self._pictures = pictures or Pictures(context, self)
        self.sections: list[Section] = []
        self.setAccessibleName("Preview")
        look = self._look
        self.form = SegmentedControl(look, "Which form of the mail", [("html", "HTML"), ("plain", "Plain")], size=28)
        self.form.chosen.connect(self._choose_form)
        self.form.hide()
        self.empty = Label(look, EMPTY, color="text2", wrap=True)
        self._scroll = _Scroll()
        self._list = QVBoxLayout()
        self._list.setSpacing(16)
        self._build()

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(PADDING, 0, PADDING, 0)
        top.addWidget(Label(self._look, "Preview", size="small", weight=STRONG, color="text2"))
        top.addStretch(1)
        top.addWidget(self.form)
        heading = QWidget()
        heading.setFixedHeight(52)
        heading.setLayout(top)
        self._list.addWidget(self.empty)
        self._scroll.page.addLayout(self._list)
        self._scroll.page.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(heading)
        column.addWidget(self._scroll, 1)

    def sizeHint(self) -> QSize:
        return QSize(376, 480)

    def minimumSizeHint(self) -> QSize:
        return QSize(280, 160)

    def show_previews(self, previews: Sequence[Preview]) -> None:
        """Shows these, in this order; an empty list teaches what stands here."""
        wanted = [(one.account.id, one.channel.kind) for one in previews]
        if wanted != [section.key for section in self.sections]:
            self._arrange(previews)
        for section, preview in zip(self.sections, previews, strict=True):
            section.show_preview(preview)
        self.empty.setVisible(not previews)
        self.form.setVisible(any(section.has_html for section in self.sections))

    def _arrange(self, previews: Sequence[Preview]) -> None:
        """Takes out the sections that are not wanted any more, makes the new ones, and brings all in order."""
        known = {section.key: section for section in self.sections}
        self.sections = []
        for number, preview in enumerate(previews):
            section = known.pop((preview.account.id, preview.channel.kind), None)
            section = section or Section(self._context, self._pictures, preview)
            self.sections.append(section)
            section.show_plain(self.form.value() == "plain")
            self._list.insertWidget(number, section)
        for gone in known.values():
            self._list.removeWidget(gone)
            gone.hide()
            gone.deleteLater()

    def _choose_form(self, form: str) -> None:
        for section in self.sections:
            section.show_plain(form == "plain")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._look.color("window"))
        painter.fillRect(0, 0, 1, self.height(), self._look.color("line_soft"))
        painter.end()


class Section(QWidget):
    """One account: its mark and what is to be said, and the card that looks like its network."""

    def __init__(self, context: Context, pictures: Pictures, preview: Preview) -> None:
        super().__init__()
        self.key = (preview.account.id, preview.channel.kind)
        self._context = context
        self._shown: Preview | None = None
        self.title = _Title(context.look, preview)
        self.card: MailCard | StatusCard
        if preview.figures.mail:
            self.card = MailCard(context, pictures)
        else:
            self.card = StatusCard(context, pictures, preview.channel.kind)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.title)
        column.addWidget(self.card)

    @property
    def has_html(self) -> bool:
        return isinstance(self.card, MailCard) and self.card.has_html

    def show_preview(self, preview: Preview) -> None:
        if preview == self._shown:
            return
        self._shown = preview
        self.setAccessibleName(f"Preview for {preview.channel.title}, {preview.account.name}")
        now = self._context.now()
        self.title.say(preview.over, distance(preview.when.instant - now) if preview.when else "No time yet")
        self.card.show_preview(preview)

    def show_plain(self, plain: bool) -> None:
        if isinstance(self.card, MailCard):
            self.card.show_plain(plain)


class _Title(QWidget):
    """The network's mark and name; at the right, when it leaves, or by how much it is too long."""

    def __init__(self, look: Look, preview: Preview) -> None:
        super().__init__()
        self._look = look
        self.mark = _Mark(look, preview.channel.mark)
        self.name = Label(look, preview.channel.title, color="text2", elide=True)
        self.sign = Icon(look, "circle-alert", color="failed.text", size=14)
        self.said = Label(look, "", color="text2", weight=MEDIUM)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.mark)
        row.addWidget(self.name, 1)
        row.addWidget(self.sign)
        row.addWidget(self.said)
        self.setFixedHeight(20)

    def say(self, over: int, leaves: str) -> None:
        self.sign.setVisible(over > 0)
        self.said.setText(f"{over:,} over" if over else leaves)
        self.said.set_color("failed.text" if over else "text2")


class _Mark(QWidget):
    """A network's mark in its own colour, 14 px."""

    def __init__(self, look: Look, mark: str) -> None:
        super().__init__()
        self._look, self._mark = look, mark
        self.setFixedSize(14, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        drawing = self._look.mark(self._mark, 14, "", self.devicePixelRatioF())
        paint.pixmap(painter, 0, self.height() / 2, drawing)
        painter.end()


class _Scroll(QScrollArea):
    """Scrolls a page whose width does not change when the scroll bar comes."""

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        host = QWidget()
        host.setObjectName("page")
        self.page = QVBoxLayout(host)
        self.page.setContentsMargins(PADDING, 4, PADDING, PADDING)
        self.page.setSpacing(0)
        self.setWidget(host)
        self.verticalScrollBar().rangeChanged.connect(self._make_room)

    def _make_room(self, _least: int, most: int) -> None:
        bar = self.verticalScrollBar().sizeHint().width() if most > 0 else 0
        self.page.setContentsMargins(PADDING, 4, PADDING - bar, PADDING)
