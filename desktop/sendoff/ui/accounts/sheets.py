"""The sheets about one account: all that is known of it, and the spacing of its posts."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout

from sendoff.domain.account import Account
from sendoff.domain.channel import Channel
from sendoff.domain.errors import SendoffError
from sendoff.domain.limits import size_text
from sendoff.domain.when import When, describe, parse_late
from sendoff.domain.words import counted
from sendoff.store.settings import SETTINGS
from sendoff.ui.accounts.facts import Action, Facts, Moment, may, spacing_words
from sendoff.ui.accounts.planned import PlannedThere
from sendoff.ui.context import Context
from sendoff.ui.links import open_web
from sendoff.ui.theme import MEDIUM, Look
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.choice import ComboBox, SegmentedControl
from sendoff.ui.widgets.field import Beside, Field, TextField
from sendoff.ui.widgets.floating import Sheet
from sendoff.ui.widgets.label import Label

UNITS = {"s": 1.0, "min": 60.0}


def known(facts: Facts, channel: Channel, moment: Moment, note: str = "") -> Iterator[tuple[str, str]]:
    """Everything about an account that is worth a line. No secret is among it: only the keychain has those."""
    account = facts.account
    figures = channel.capabilities.learned(account.learned)
    yield "Signed in as", account.handle
    yield "May", may(figures)
    if figures.text:
        yield "Text", f"{figures.text:,} characters"
    if figures.media:
        largest = f", up to {size_text(figures.image_bytes)} each" if figures.image_bytes else ""
        yield "Pictures", f"{figures.media} in one post{largest}"
    if figures.message_bytes:
        yield "Size", f"{size_text(figures.message_bytes)} a mail, encoded"
    if figures.recipients:
        yield "Recipients", f"{figures.recipients:,} people at once"
    if account.learned.get("software"):
        yield "Software", f"{account.learned['software']} {account.learned.get('version', '')}".strip().capitalize()
    if lacks := " ".join(channel.lacks(account)):
        yield "Differs", lacks
    for field in channel.fields:
        value = account.settings.get(field.name, "")
        if value and not field.secret and value != account.handle:
            yield field.label, dict(field.choices).get(value, value)
    if account.expires_at:
        yield "Sign-in ends", describe(When.at(account.expires_at, moment.zone), moment.now)
    yield "Spacing", spacing_words(account.spacing)
    late = parse_late(account.late).words if account.late else "As the preference says"
    yield "If late", late
    yield "Doubt", channel.settle(account).why or "Sendoff looks for what got lost by itself."
    if note:
        yield "Told", note


class AccountSheet(Sheet):
    """All that is known of an account, and what can be done with it."""

    def __init__(self, context: Context, facts: Facts, channel: Channel, note: str, act: Button, more: Button) -> None:
        look, account = context.look, facts.account
        super().__init__(look, context.window, account.name, facts.health.word, width=560, top=72)
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(5)
        grid.setColumnMinimumWidth(0, 96)
        grid.setColumnStretch(1, 1)
        cause = [line for line in facts.lines if line[0] == "Cause"]
        for number, (name, words) in enumerate(
            [*cause, *known(facts, channel, Moment(context.now(), context.zone()), note)]
        ):
            _line(look, grid, number, name, words)
        self.body.addLayout(grid)
        if channel.tells_planned:
            self.body.addWidget(PlannedThere(context, account, channel))
        self.set_note(counted(facts.planned, "post planned", "posts planned") if facts.planned else "Nothing planned")
        if account.url:
            page = Button(look, "Open its page", kind="quiet", icon="external-link")
            page.clicked.connect(lambda: open_web(account.url))
            self.add_button(page)
        close = Button(look, "Close", run=self.close_it)
        for button in (more, close, act):
            self.add_button(button)
            if button is not close:
                button.clicked.connect(self.close_it)
        self.begin_with(act if facts.action is Action.SIGN_IN else close)


def _line(look: Look, grid: QGridLayout, number: int, name: str, words: str) -> None:
    label = Label(look, name, color="text2", weight=MEDIUM)
    label.setAccessibleName(f"{name}: {words}")
    grid.addWidget(label, number, 0, Qt.AlignmentFlag.AlignTop)
    grid.addWidget(Label(look, words, wrap=True), number, 1)


class SpacingSheet(Sheet):
    """A number and its unit: the shortest time between two posts of an account."""

    def __init__(self, context: Context, facts: Facts, channel: Channel) -> None:
        account, look = facts.account, context.look
        sentence = (
            f"When several posts of {account.name} fall together, they follow each other at least this far apart. "
            f"Usual for {channel.title}: {spacing_words(channel.capabilities.spacing)}."
        )
        super().__init__(look, context.window, "Spacing between posts", sentence)
        self._context, self._account = context, account
        unit = "min" if account.spacing >= 60 and account.spacing % 60 == 0 else "s"
        self.number = TextField(look, "Spacing")
        self.number.setText(f"{account.spacing / UNITS[unit]:g}")
        self.unit = SegmentedControl(look, "Unit", [("s", "Seconds"), ("min", "Minutes")])
        self.unit.set_value(unit)
        self._field = Field(look, "Shortest time between two", Beside(self.number, self.unit))
        self.body.addWidget(self._field)
        self.save = Button(look, "Keep it", kind="primary", run=self._save)
        self.add_button(Button(look, "Cancel", run=self.close_it))
        self.add_button(self.save)
        self.number.returnPressed.connect(self._save)

    def _save(self) -> None:
        try:
            seconds = float(self.number.text().strip().replace(",", ".") or 0) * UNITS[self.unit.value()]
        except ValueError:
            self._field.set_wrong("Write a number, like 5 or 1.5.")
            return
        commands, account = self._context.commands, self._account
        self._context.do(
            lambda: commands.accounts.set_spacing(account.id, seconds),
            lambda _nothing: self.close_it(),
            self._refused,
            said=f"Spacing of {account.name}: {spacing_words(seconds)}.",
            undo=lambda: commands.accounts.set_spacing(account.id, account.spacing),
            owner=self,
        )

    def _refused(self, error: SendoffError) -> None:
        self._field.set_wrong(str(error))


class LateSheet(Sheet):
    """What happens to an account's posts that can't leave on time: one of the rules, or the preference."""

    def __init__(self, context: Context, account: Account) -> None:
        look, preference = context.look, context.settings()["late"]
        sentence = (
            f"For what is planned for {account.name} from now on, where the post has no rule of its own. "
            "What is planned already keeps its rule."
        )
        super().__init__(look, context.window, "If it can’t leave on time", sentence)
        self._context, self._account = context, account
        rules = [rule for rule, _ in next(one for one in SETTINGS if one.name == "late").choices]
        own = dict.fromkeys((*rules, *([account.late] if account.late else [])))
        words = parse_late(preference).words
        as_preferred = ("", f"As the preference says: {words[:1].lower()}{words[1:]}")
        self.rule = ComboBox(
            look, "If late", [as_preferred, *((rule, parse_late(rule).words) for rule in own)], icon="clock"
        )
        self.rule.set_value(account.late)
        self.body.addWidget(self.rule)
        self.save = Button(look, "Keep it", kind="primary", run=self._save)
        self.add_button(Button(look, "Cancel", run=self.close_it))
        self.add_button(self.save)
        self.begin_with(self.rule)

    def _save(self) -> None:
        commands, account, rule = self._context.commands, self._account, self.rule.value()
        words = parse_late(rule).words if rule else "as the preference says"
        self.close_it()
        self._context.do(
            lambda: commands.accounts.set_late(account.id, rule),
            said=f"If late, {account.name}: {words[:1].lower()}{words[1:]}.",
            undo=lambda: commands.accounts.set_late(account.id, account.late),
        )
