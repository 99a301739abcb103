"""The text field of a post: marks links, mentions, tags and merge fields, and what is over the limit."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QImage,
    QResizeEvent,
    QSyntaxHighlighter,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextLayout,
)
from PySide6.QtWidgets import QFrame, QPlainTextDocumentLayout, QPlainTextEdit, QSizePolicy, QTextEdit

from sendoff.domain.text import Mark, marks
from sendoff.ui.theme import STRONG, Look

LONGEST_MARKED = 4000
"""Characters. A paragraph longer than this is not looked through for links while typing."""

FACES = {"post": ("lead", False, 24), "mail": ("small", True, 20), "field": ("base", False, 20)}
"""What a text may look like: the size of its font, whether it is fixed-width, and the height of a line in px."""

FEWEST, MOST = 3, 18
"""How many lines the field shows at least, and at most before it scrolls inside."""


class Editor(QPlainTextEdit):
    """Grows with its text up to a height. `files` carries paths that were dropped or pasted, `picture` an image.

    Args:
        face: one of FACES: a post, a mail's source, or the field of a form.
        lines: how many lines it shows at least.
    """

    files = Signal(list)
    picture = Signal(QImage)
    edited = Signal()

    def __init__(self, look: Look, name: str, *, face: str = "post", lines: int = FEWEST, hint: str = "") -> None:
        super().__init__()
        self._look, self._lines = look, lines
        self._over: int | None = None
        self._most = MOST
        self.setAccessibleName(name)
        self.setPlaceholderText(hint)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        document = QTextDocument(self)
        self._places = _Places(document)
        document.setDocumentLayout(self._places)
        document.setDocumentMargin(0)
        self.setDocument(document)
        self._marks = _Marks(look, document)
        self.set_face(face)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.textChanged.connect(self._changed)
        look.changed.connect(self._restyle)

    def set_face(self, face: str) -> None:
        """Shows the text as a post, as a mail's source or as a field."""
        size, mono, self._places.line = FACES[face]
        font = self._look.font(size, mono=mono)
        if font != self.document().defaultFont():
            self.document().setDefaultFont(font)
            self.setFont(font)
        self._marks.set_face(face)
        self._fit()

    # --- text -----------------------------------------------------------------------------------------------------

    def text(self) -> str:
        """What is written; halves of characters that some input methods leave behind are replaced."""
        raw = self.document().toRawText()  # toPlainText makes spaces of those that must not break
        lines = raw.replace("\u2029", "\n").replace("\u2028", "\n")
        return lines.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def set_text(self, text: str) -> None:
        """Shows another text; what was undone before is forgotten."""
        if text != self.text():
            self.setPlainText(text)
            self.moveCursor(QTextCursor.MoveOperation.End)

    def insert(self, before: str, behind: str = "") -> None:
        """Puts words around the selection, or at the cursor."""
        cursor = self.textCursor()
        inside = cursor.selectedText().replace("\u2029", "\n")
        cursor.insertText(before + inside + behind)
        cursor.movePosition(QTextCursor.MoveOperation.Left, n=0 if inside else _units(behind))
        self.setTextCursor(cursor)
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def mark_over(self, fits: int | None) -> None:
        """Marks what comes after so many code points; None: nothing is too much."""
        if fits is not None or self._over is not None:  # the mark moves along with the text, so it is set anew
            self._over = fits
            self._show_over()

    def _show_over(self) -> None:
        selections = []
        if self._over is not None:
            selection = QTextEdit.ExtraSelection()
            cursor = QTextCursor(self.document())
            cursor.setPosition(min(_units(self.text()[: self._over]), self.document().characterCount() - 1))
            cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
            selection.cursor, selection.format = cursor, self._over_format()
            selections.append(selection)
        self.setExtraSelections(selections)

    def _over_format(self) -> QTextCharFormat:
        style = QTextCharFormat()
        style.setBackground(self._look.color("failed.tint"))
        style.setForeground(self._look.color("failed.text"))
        style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
        style.setUnderlineColor(self._look.color("failed.line"))
        return style

    def _restyle(self) -> None:
        self._marks.restyle()
        self._show_over()

    # --- size -----------------------------------------------------------------------------------------------------

    def set_room(self, lines: int, most: int) -> None:
        """How many lines it shows at least and at most."""
        self._lines, self._most = lines, most
        self._fit()

    def _changed(self) -> None:
        self._fit()
        self.edited.emit()

    def _fit(self) -> None:
        line, lines = self._places.line, self._written_lines()
        height = line * max(self._lines, lines) + 4
        if height != self.minimumHeight():
            self.setMinimumHeight(height)
            self.updateGeometry()

    def _written_lines(self) -> int:
        """How many lines the text takes, counted no further than it can be shown."""
        lines, block = 0, self.document().firstBlock()
        while block.isValid() and lines < self._most:
            self._places.blockBoundingRect(block)
            lines += max(block.layout().lineCount(), 1)
            block = block.next()
        return min(lines, self._most)

    def sizeHint(self) -> QSize:
        return QSize(300, self.minimumHeight())

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.minimumHeight())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    # --- files ----------------------------------------------------------------------------------------------------

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasUrls() or source.hasImage() or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        paths = [url.toLocalFile() for url in source.urls() if url.isLocalFile()]
        if paths:
            self.files.emit(paths)
        elif source.hasImage() and not source.hasText():
            self.picture.emit(QImage(source.imageData()))
        else:
            super().insertFromMimeData(source)


class _Places(QPlainTextDocumentLayout):
    """Puts lines on the grid of the type scale, and those read from the right on the right; plain text does neither."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self.line = 24

    def blockBoundingRect(self, block: QTextBlock) -> QRectF:
        rect = super().blockBoundingRect(block)
        layout = block.layout() if block.isValid() else None
        lines = layout.lineCount() if layout is not None else 0
        if layout is None or not lines:
            return rect
        self._align(layout, block.textDirection())
        last = layout.lineAt(lines - 1)
        if abs(last.y() - self._top(lines - 1, last.height())) > 0.01:
            for number in range(lines):
                line = layout.lineAt(number)
                line.setPosition(QPointF(line.x(), self._top(number, line.height())))
        rect.setHeight(lines * self.line)
        return rect

    @staticmethod
    def _align(layout: QTextLayout, direction: Qt.LayoutDirection) -> None:
        option = layout.textOption()
        from_right = direction is Qt.LayoutDirection.RightToLeft
        side = Qt.AlignmentFlag.AlignRight if from_right else Qt.AlignmentFlag.AlignLeft
        if option.alignment() != side:
            option.setAlignment(side)
            layout.setTextOption(option)

    def _top(self, number: int, height: float) -> float:
        return number * self.line + (self.line - height) / 2


class _Marks(QSyntaxHighlighter):
    """Colours one block at a time, so that a long text costs no more than its paragraph."""

    def __init__(self, look: Look, document: QTextDocument) -> None:
        super().__init__(document)
        self._look, self._face = look, "post"
        self._make_formats()

    def set_face(self, face: str) -> None:
        if face != self._face:
            self._face = face
            self.restyle()

    def restyle(self) -> None:
        self._make_formats()
        self.rehighlight()

    def _make_formats(self) -> None:
        link, field, strong = QTextCharFormat(), QTextCharFormat(), QTextCharFormat()
        link.setForeground(self._look.color("accent.text"))
        field.setForeground(self._look.color("accent.text"))
        field.setBackground(self._look.color("accent.tint"))
        strong.setFontWeight(STRONG)
        self._formats = {Mark.LINK: link, Mark.MENTION: link, Mark.TAG: link, Mark.FIELD: field}
        self._strong = strong

    def highlightBlock(self, text: str) -> None:
        if len(text) > LONGEST_MARKED or self._face == "field":
            return
        mail = self._face == "mail"
        if mail and text.startswith("#"):
            self.setFormat(0, _units(text), self._strong)
        wide = _units(text) != len(text)
        for span in marks(text):
            if mail and span.mark in (Mark.MENTION, Mark.TAG):
                continue
            start, end = (_units(text[: span.start]), _units(text[: span.end])) if wide else (span.start, span.end)
            self.setFormat(start, end - start, self._formats[span.mark])


def _units(text: str) -> int:
    """The length as Qt counts it, in UTF-16 code units; Python counts code points."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
