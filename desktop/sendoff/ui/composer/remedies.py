"""What the links behind a problem do."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from sendoff.domain.forms import wants_copy
from sendoff.domain.limits import size_text
from sendoff.domain.post import Attachment, Copy
from sendoff.domain.words import counted
from sendoff.ui.composer.assess import Matter

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
            "fit": self._fit,
            "sign_in": lambda one: self._context.go("add_account", account_id=one.accounts[0], for_draft=True),
            "choose": lambda _one: self._screen.desk.choose_accounts(),
            "once": lambda one: self._screen.desk.accounts.choose(one.accounts[-1], False),
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

    def _fit(self, matter: Matter) -> None:
        """Makes copies of an item's pictures for those who do not take them, off the window's thread."""
        screen, media = self._screen, self._context.program.media
        item = screen.writing.page(matter.tab).items[matter.item]
        readers = screen.eyes.readers(matter.accounts, screen.writing.options)
        wanted = [one.figures.of(item, one.options) for one in readers]

        def work() -> dict[str, Attachment]:
            made = {one.sha256: one for one in item.shown}
            for figures, sha256 in itertools.product(wanted, made):
                one = made[sha256]
                if wants_copy(one, figures):
                    made[sha256] = media.fit(one, figures)
            return made

        self._context.say("Making it fit…")
        self._context.do(work, partial(self._put_copies, matter.tab), slow=True, owner=screen)

    def _put_copies(self, tab: int, made: Mapping[str, Attachment]) -> None:
        """Takes the copies into the page as it is now: somebody may have typed on meanwhile."""
        copies = [copy for one in made.values() for copy in one.copies]
        self._change_copies(tab, {sha256: one.copies for sha256, one in made.items()})
        said = " and ".join(f"{size_text(one.size)}, {one.width} × {one.height}" for one in copies[-2:])
        undo = lambda: self._change_copies(tab, dict.fromkeys(made, ()))  # noqa: E731
        self._context.say(f"It fits now: {said}. Who takes the original still gets it.", undo=undo)

    def _change_copies(self, tab: int, copies: Mapping[str, tuple[Copy, ...]]) -> None:
        page = self._screen.writing.page(tab)
        items = tuple(
            replace(item, media=tuple(replace(one, copies=copies.get(one.sha256, one.copies)) for one in item.media))
            for item in page.items
        )
        self._screen.desk.show_page(tab, replace(page, items=items))

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
