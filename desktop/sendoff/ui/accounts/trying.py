"""Trying an account: the request as it would leave, and, when the person sends it, the answer."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sendoff.domain.delivery import Outcome
from sendoff.domain.errors import SendError, SendoffError
from sendoff.engine.commands.trials import SAMPLE, Trial
from sendoff.ui.activity.trace import Mono
from sendoff.ui.background import Errand
from sendoff.ui.context import Context
from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.field import Field, TextField
from sendoff.ui.widgets.floating import Sheet
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.scroll import ScrollBox
from sendoff.ui.widgets.state import Icon

ENDS: Mapping[Outcome, tuple[str, str]] = {
    Outcome.SENT: ("circle-check", "sent.text"),
    Outcome.REFUSED: ("circle-alert", "failed.text"),
    Outcome.NEEDS_LOGIN: ("key-round", "signin.text"),
    Outcome.LATER: ("clock", "text2"),
    Outcome.DOUBT: ("circle-question-mark", "doubt.text"),
}


class TrySheet(Sheet):
    """What would leave is shown at once and follows the text; it leaves only by the button, once for each press.

    Args:
        fields: what stands in the form; {} for an account as it is stored.
        account_id: the account that is stored, or None.
    """

    def __init__(self, context: Context, kind: str, fields: Mapping[str, str], account_id: int | None) -> None:
        look = context.look
        sentence = "This is the request as it would leave, with keys hidden. Nothing leaves until you send it."
        super().__init__(look, context.window, "Try it", sentence, width=680, top=56)
        self._context, self._kind, self._fields, self._account_id = context, kind, dict(fields), account_id
        self._errand: Errand | None = None
        self.text = TextField(look, "What it says")
        self.text.setText(SAMPLE)
        self._field = Field(look, "What it says", self.text)
        self.body.addWidget(self._field)
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self.request = _Pane(look, "Request")
        self.verdict = _Verdict(look)
        self.answer = _Pane(look, "Answer")
        for part in (self.request, self.verdict, self.answer):
            self._column.addWidget(part)
        self._column.addStretch(1)
        self._area = ScrollBox(inside)
        self.body.addWidget(self._area)
        self.send = Button(look, "Send it for real", kind="primary", icon="send", run=self._send)
        self.add_button(Button(look, "Close", run=self.close_it))
        self.add_button(self.send)
        self.text.textChanged.connect(self._rehearse)
        self.begin_with(self.text)
        self._rehearse()

    # --- what would leave -----------------------------------------------------------------------------------------

    def _rehearse(self) -> None:
        if self._errand is not None:
            self._errand.drop()
        commands, kind, fields, account_id = self._context.commands, self._kind, self._fields, self._account_id
        text = self.text.text()
        self._errand = self._context.do(
            lambda: commands.trials.rehearse(kind, fields, text, account_id=account_id),
            self._show_request,
            self._cannot,
            owner=self,
        )

    def _show_request(self, request: str) -> None:
        self.request.show_text(request)
        self.verdict.hide()
        self.answer.show_text("")
        self._field.set_wrong("")
        self.send.setEnabled(True)

    def _cannot(self, error: SendoffError) -> None:
        self.request.show_text("")
        self.answer.show_text("")
        self.verdict.say(Outcome.REFUSED, str(error))
        self.send.setEnabled(False)

    # --- what came of it ------------------------------------------------------------------------------------------

    def _send(self) -> None:
        commands, kind, fields, account_id = self._context.commands, self._kind, self._fields, self._account_id
        text = self.text.text()
        self._wait(True)
        self._context.do(
            lambda: commands.trials.try_out(kind, fields, text, account_id=account_id),
            self._came,
            self._did_not_leave,
            aside=True,
            owner=self,
        )

    def _wait(self, waiting: bool) -> None:
        self.send.setEnabled(not waiting)
        self.text.setEnabled(not waiting)
        self.set_note("Waiting for the answer…" if waiting else "")

    def _came(self, trial: Trial) -> None:
        self._wait(False)
        self.request.show_text(trial.request)
        receipt = trial.receipt
        known = f" Its id is {receipt.remote_id}." if receipt else ""
        where = f" It is at {receipt.url}" if receipt and receipt.url else ""
        self.verdict.say(trial.outcome, f"{trial.words}{known}{where}")
        self.answer.show_text(trial.answer)
        shown = self.answer if trial.answer else self.verdict
        QTimer.singleShot(0, shown, lambda: self._area.ensureWidgetVisible(shown, 0, 0))

    def _did_not_leave(self, error: SendoffError) -> None:
        self._wait(False)
        advice = error.advice if isinstance(error, SendError) else ""
        self.verdict.say(Outcome.REFUSED, f"Nothing was sent. {error} {advice}".strip())
        self.answer.show_text("")


class _Pane(QWidget):
    """A heading and text of fixed width; gone while there is none."""

    def __init__(self, look: Look, title: str) -> None:
        super().__init__()
        self._look, self._title = look, title
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self._column.addWidget(Label(look, title, size="small", weight=STRONG, color="text2"))
        self._mono: Mono | None = None
        self.words = ""
        self.hide()

    def show_text(self, words: str) -> None:
        if self._mono is not None:
            self._column.removeWidget(self._mono)
            self._mono.hide()
            self._mono.deleteLater()
            self._mono = None
        self.words = words
        if words:
            self._mono = Mono(self._look, self._title, words.rstrip())
            self._column.addWidget(self._mono)
        self.setVisible(bool(words))


class _Verdict(QWidget):
    """What the answer means."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._icon = Icon(look, "circle-alert", color="failed.text")
        self.words = Label(look, "", wrap=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 4, 0, 4)
        row.setSpacing(10)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.words, 1)
        self.hide()

    def say(self, outcome: Outcome, words: str) -> None:
        self._icon.set_icon(*ENDS[outcome])
        self.words.setText(words)
        self.setAccessibleName(words)
        self.show()
