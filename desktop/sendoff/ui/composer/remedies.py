"""What the links behind a problem do."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING

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
            "split_numbered": partial(self._split, numbered=True),
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

    def split_what_is_long(self) -> None:
        """Splits all of the shown tab that is too long for somebody."""
        tab = self._screen.desk.tab
        long = [one for one in self._screen.assessment.matters if one.tab == tab and "split" in one.fixes]
        if long:
            self._split_items({one.item for one in long}, long[0], numbered=False)
        else:
            self._context.say("Everything fits where it goes. There is nothing to split.")

    def _split(self, matter: Matter, *, numbered: bool = False) -> None:
        self._split_items({matter.item}, matter, numbered=numbered)

    def _split_items(self, items: Collection[int], matter: Matter, *, numbered: bool) -> None:
        """Splits items of a page. Where somebody who gets that page has no threads, the others get their own."""
        before, eyes = self._screen.writing, self._screen.eyes
        readers = before.readers(matter.tab) or matter.accounts
        tabs = {matter.tab: readers}
        if not all(eyes.has_threads(one) for one in readers):
            tabs = {one: (one,) for one in matter.accounts}
        for tab, who in tabs.items():
            if tab != matter.tab:
                self._screen.desk.customise(tab)
            page = before.page(matter.tab)
            for number in sorted(items, reverse=True):
                page = page.split(number, eyes.readers(who, before.options), numbered=numbered)
            self._screen.desk.show_page(tab, page)
        said = f"Split into {counted(len(page.items), 'item', 'items')}."
        self._context.say(said, undo=lambda: self._screen.show_again(before))

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
