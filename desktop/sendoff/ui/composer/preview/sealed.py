"""Shows the HTML of a mail with what the mail itself brings along: nothing is fetched, nothing is read from disk."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from PySide6.QtCore import QObject, QSize, Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QCursor,
    QDesktopServices,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QResizeEvent,
    QTextBlock,
    QTextCursor,
    QTextDocument,
    QTextFrame,
    QTextImageFormat,
    QTextLength,
    QTextTable,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser, QToolTip, QWidget

from sendoff.ui.style import palette
from sendoff.ui.theme import Look
from sendoff.ui.widgets.tip import plain

MARGIN = 20
LINES = (
    "p, li, td, div, blockquote { line-height: 20px; -qt-line-height-type: minimum; } "
    "b, strong, th, h1, h2, h3, h4, h5, h6 { font-weight: 600; }"
)
"""Lines as in the rest of the window; and the weight that there is a font for."""
OPENED = frozenset(("http", "https", "mailto"))
PICTURE = QTextDocument.ResourceType.ImageResource.value

Picture = Callable[[str], QImage | None]
"""Gives a picture by the name behind "cid:"; None where there is none (yet)."""


class SealedDocument(QTextDocument):
    """A document whose only pictures are those that `picture` knows.

    Qt asks `loadResource` for whatever a document names, and reads local files itself where it gets no answer; so
    there always is one.
    """

    def __init__(self, picture: Picture, instead: QColor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._picture = picture
        self._instead = QImage(16, 16, QImage.Format.Format_RGB32)
        self._instead.fill(instead)
        self.setUndoRedoEnabled(False)
        self.setDocumentMargin(MARGIN)

    def loadResource(self, kind: int, address: QUrl | str) -> object:
        """Answers for a picture, a style sheet or anything else that the document names."""
        url = QUrl(address)
        if url.scheme() != "cid":
            return self._instead if kind == PICTURE else b""
        found = self._picture(url.path())
        return self._instead if found is None or found.isNull() else found


class MailView(QTextBrowser):
    """A mail on white, as high as it is; what is around it scrolls.

    Links say where they lead; Ctrl and a click, or Ctrl and Enter, opens them.
    """

    def __init__(self, look: Look, picture: Picture, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look, self._picture = look, picture
        self._source, self._is_html, self._may_open = "", False, False
        light = look.tokens.light
        self.sealed = SealedDocument(picture, QColor(light["selected"]), self)
        self.sealed.setDefaultStyleSheet(f"a {{ color: {light['accent.text']}; }} {LINES}")
        self.sealed.setDefaultFont(look.font())
        self.setDocument(self.sealed)
        self.setAccessibleName("The mail")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.anchorClicked.connect(self._open)
        self.highlighted.connect(self._tell)
        self.sealed.documentLayout().documentSizeChanged.connect(self._take_height)
        look.changed.connect(self._stay_light)
        self._stay_light()

    def _stay_light(self) -> None:
        """Mail is on white for most who get it, whatever this window's theme."""
        self.setPalette(palette(self._look.tokens.light.colors))

    def show_html(self, source: str) -> None:
        """Shows sanitised HTML."""
        self._show(source, is_html=True)

    def show_plain(self, text: str) -> None:
        """Shows a text as it is."""
        self._show(text, is_html=False)

    def _show(self, source: str, *, is_html: bool) -> None:
        if (source, is_html) != (self._source, self._is_html):
            self._source, self._is_html = source, is_html
            self.show_again()

    def show_again(self) -> None:
        """Shows the same with the pictures that are there now."""
        if self._is_html:
            self.setHtml(self._source)
        else:
            self.setPlainText(self._source)
        self._fit()

    # --- size -----------------------------------------------------------------------------------------------------

    def _fit(self) -> None:
        """Narrows pictures and tables that were measured for a wider window."""
        room = self.viewport().width() - 2 * MARGIN
        if not self._is_html or room <= 0:
            return
        for table in _tables(self.sealed.rootFrame()):
            _narrow_table(table, room)
        for block in _blocks(self.sealed):
            self._narrow_pictures(block, room)

    def _narrow_pictures(self, block: QTextBlock, room: int) -> None:
        places = []
        fragments = block.begin()
        while not fragments.atEnd():
            fragment = fragments.fragment()
            if fragment.charFormat().isImageFormat():
                places.append((fragment.position(), fragment.charFormat().toImageFormat()))
            fragments += 1
        for position, style in places:
            narrowed = self._narrowed(style, room)
            if narrowed is not None:
                cursor = QTextCursor(self.sealed)
                cursor.setPosition(position)
                cursor.setPosition(position + 1, QTextCursor.MoveMode.KeepAnchor)
                cursor.setCharFormat(narrowed)

    def _narrowed(self, style: QTextImageFormat, room: int) -> QTextImageFormat | None:
        """The same picture so that it fits; None where it does."""
        url = QUrl(style.name())
        known = self._picture(url.path()) if url.scheme() == "cid" else None
        natural = known.size() if known is not None else QSize()
        width = style.width() or (natural.width() if natural.isValid() else 0)
        height = style.height() or (width * natural.height() / natural.width() if natural.width() > 0 else 0)
        if width <= room:
            return None
        style.setWidth(room)
        style.setHeight(height * room / width)
        return style

    def _take_height(self) -> None:
        bar = self.horizontalScrollBar()
        more = bar.sizeHint().height() if bar.maximum() > 0 else 0
        self.setFixedHeight(max(math.ceil(self.sealed.size().height()) + more, 40))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.show_again()
        self._take_height()

    def wheelEvent(self, event: QWheelEvent) -> None:
        sideways = abs(event.angleDelta().x()) > abs(event.angleDelta().y())
        if sideways and self.horizontalScrollBar().maximum() > 0:
            super().wheelEvent(event)
        else:
            event.ignore()  # what is around it scrolls

    # --- links ----------------------------------------------------------------------------------------------------

    def _open(self, url: QUrl) -> None:
        if self._may_open and url.scheme() in OPENED:
            QDesktopServices.openUrl(url)

    def _tell(self, url: QUrl) -> None:
        if url.isEmpty():
            QToolTip.hideText()
            return
        QToolTip.showText(QCursor.pos(), plain(f"{url.toString()}\nCtrl and a click opens it"), self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._may_open = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._may_open = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        super().keyPressEvent(event)


def _tables(frame: QTextFrame) -> Iterator[QTextTable]:
    for child in frame.childFrames():
        if isinstance(child, QTextTable):
            yield child
        yield from _tables(child)


def _narrow_table(table: QTextTable, room: int) -> None:
    style = table.format().toTableFormat()
    columns = style.columnWidthConstraints()
    fixed = QTextLength.Type.FixedLength
    wide = style.width().type() is fixed and style.width().rawValue() > room
    wide_columns = sum(one.rawValue() for one in columns if one.type() is fixed) > room
    if not (wide or wide_columns):
        return
    style.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
    if wide_columns:
        style.clearColumnWidthConstraints()
    table.setFormat(style)


def _blocks(document: QTextDocument) -> Iterator[QTextBlock]:
    block = document.begin()
    while block.isValid():
        yield block
        block = block.next()
