"""What the links behind a problem do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sendoff.domain.channel import Capabilities
from sendoff.ui.composer.assess import Matter
from sendoff.ui.words import counted

if TYPE_CHECKING:
    from sendoff.ui.composer.screen import ComposerScreen


class Remedies:
    """Each mends one kind of problem; what changes the text can be undone."""

    def __init__(self, screen: ComposerScreen) -> None:
        self._screen, self._context = screen, screen.context

    def apply(self, matter: Matter, name: str) -> None:
        """Applies a remedy by its name in FIXES, or "anyway" or "leave_out"."""
        doing: dict[str, Callable[[Matter], object]] = {
            "split": self._split,
            "customise": lambda one: self._screen.desk.customise(one.accounts[0]),
            "alt": self._describe,
            "sign_in": lambda one: self._context.go("add_account", account_id=one.accounts[0]),
            "choose": lambda _one: self._screen.desk.choose_accounts(),
            "separately": lambda one: self._separately(one, True),
            "together": lambda one: self._separately(one, False),
            "anyway": self._screen.departure.override,
            "leave_out": self._leave_out,
        }
        if name in doing:
            doing[name](matter)
        else:
            self._screen.desk.show_field(matter.tab, name)

    def _split(self, matter: Matter) -> None:
        desk, before = self._screen.desk, self._screen.writing
        figures = self._tightest(matter)
        if figures is None:
            return
        page = before.page(matter.tab).split(matter.item, figures)
        desk.show_page(matter.tab, page)
        said = f"Split into {counted(len(page.items), 'item', 'items')}."
        self._context.say(said, undo=lambda: self._screen.show_again(before))

    def _tightest(self, matter: Matter) -> Capabilities | None:
        """The limits of the one who takes least, of all that get this page."""
        readers = self._screen.writing.readers(matter.tab) or matter.accounts
        known = [figures for one in readers if (figures := self._screen.eyes.figures(one)) and figures.text]
        return min(known, key=lambda one: one.text or 0, default=None)

    def _describe(self, matter: Matter) -> None:
        self._screen.desk.describe(matter.tab, matter.item)

    def _separately(self, matter: Matter, on: bool) -> None:
        self._screen.desk.view(matter.tab).form.separately.setChecked(on)

    def _leave_out(self, matter: Matter) -> None:
        desk = self._screen.desk
        for one in matter.accounts:
            desk.accounts.choose(one, False)
        if desk.accounts.chosen():
            self._screen.departure.press()
