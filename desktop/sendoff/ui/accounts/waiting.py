"""What is shown while the person signs in with the browser, with a way for a browser that is elsewhere."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from sendoff.domain.channel import BrowserSignIn
from sendoff.ui.links import open_web
from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.field import Beside, Field, TextField
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.state import Spinner
from sendoff.ui.widgets.surface import Card, Divider


class Waiting(Card):
    """A sign-in that happens in the browser. `pasted` carries a code, `given_up` comes when the person stops."""

    pasted = Signal(str)
    given_up = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__(look, padding=20)
        self._flow = BrowserSignIn()
        top = QHBoxLayout()
        top.setSpacing(10)
        top.addWidget(Spinner(look))
        top.addWidget(Label(look, "Waiting for your browser", size="lead", weight=STRONG))
        top.addStretch(1)
        self._words = Label(look, "", color="text2", wrap=True)
        self.again = Button(look, "Open it again", icon="external-link", run=self._open)
        self.stop = Button(look, "Cancel", run=self.given_up.emit)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.again)
        buttons.addWidget(self.stop)
        buttons.addStretch(1)
        self.body.setSpacing(12)
        self.body.addLayout(top)
        self.body.addWidget(self._words)
        self.body.addLayout(buttons)
        self._elsewhere = self._make_elsewhere(look)
        self.body.addLayout(self._elsewhere)

    def _make_elsewhere(self, look: Look) -> QVBoxLayout:
        self._line = Divider(look)
        self._title = Label(look, "The browser is elsewhere?", weight=STRONG)
        self._advice = Label(
            look, "Open this page there, sign in, and paste the code that it shows.", color="text2", wrap=True
        )
        self.page = TextField(look, "Page for another browser")
        self.page.setReadOnly(True)
        self.copy = Button(look, "Copy", icon="copy", run=self._copy)
        self.code = TextField(look, "Code", hint="The code from the page")
        self.use = Button(look, "Use the code", run=self._paste)
        self.code.returnPressed.connect(self._paste)
        self._page_box = Field(look, "Page", Beside(self.page, self.copy))
        self._code_box = Field(look, "Code", Beside(self.code, self.use))
        column = QVBoxLayout()
        column.setSpacing(10)
        self._parts = (self._line, self._title, self._advice, self._page_box, self._code_box)
        for part in self._parts:
            column.addWidget(part)
        return column

    def wait_for(self, flow: BrowserSignIn, title: str) -> None:
        """Shows this sign-in and opens its page."""
        self._flow = flow
        self.code.clear()
        self.copy.setText("Copy")
        self._code_box.set_wrong("")
        self.page.setText(flow.code_url)
        self.page.setCursorPosition(0)
        for part in self._parts:
            part.setVisible(bool(flow.code_url))
        self._words.setText(
            f"Your browser shows a page of {title}. Sign in there and allow Sendoff to post; then it goes on by itself."
        )
        self._open()
        self.stop.setFocus()

    def set_wrong(self, sentence: str) -> None:
        """Says what is wrong with the code."""
        self._code_box.set_wrong(sentence)
        self.code.selectAll()
        self.code.setFocus()

    def _open(self) -> None:
        if not open_web(self._flow.url):
            self._words.setText(
                "No browser could be opened here. Open the page below in any browser, and paste the code that it shows."
                if self._flow.code_url
                else "No browser could be opened here. Sign in with a token instead."
            )

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._flow.code_url)
        self.copy.setText("Copied")

    def _paste(self) -> None:
        code = self.code.text().strip()
        if code:
            self._code_box.set_wrong("")
            self.pasted.emit(code)
        else:
            self.set_wrong("Paste the code that the page shows.")
