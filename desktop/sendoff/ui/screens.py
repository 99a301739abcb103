"""The screens: one line each. Modules are imported when their screen is first visited.

What `context.go(name, …)` takes along: composer(post_id=, text=, at=, account_id=, given=, go_on=) · planner(post_id=,
at=) · activity(delivery_id=) · accounts(account_id=) · add_account(kind=, account_id=, for_draft=) ·
preferences(page=).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sendoff.ui.context import Context
    from sendoff.ui.screen import Screen


class Entry(NamedTuple):
    """A screen: its name in `go`, title, icon, shortcut, where its class is, and whether the rail has it."""

    name: str
    title: str
    icon: str
    keys: str
    place: str
    in_rail: bool = True
    alone: bool = False  # without the rail beside it
    under: str = ""  # the screen of the rail that it belongs to

    def make(self, context: Context) -> Screen:
        module, _, name = self.place.partition(":")
        made: Screen = getattr(import_module(module), name)(context)
        return made


ENTRIES = (
    Entry("planner", "Planner", "calendar-days", "Ctrl+1", "sendoff.ui.planner.screen:PlannerScreen"),
    Entry("drafts", "Drafts", "file-text", "Ctrl+2", "sendoff.ui.drafts:DraftsScreen"),
    Entry("activity", "Activity", "activity", "Ctrl+3", "sendoff.ui.activity.screen:ActivityScreen"),
    Entry("accounts", "Accounts", "at-sign", "Ctrl+4", "sendoff.ui.accounts.screen:AccountsScreen"),
    Entry("composer", "New post", "pen-line", "", "sendoff.ui.composer.screen:ComposerScreen", in_rail=False),
    Entry(
        "add_account", "Add an account", "plus", "", "sendoff.ui.accounts.add:AddAccountScreen", False, under="accounts"
    ),
    Entry(
        "preferences", "Preferences", "settings", "", "sendoff.ui.preferences.screen:PreferencesScreen", in_rail=False
    ),
    Entry("first_run", "Welcome", "send", "", "sendoff.ui.first_run:FirstRunScreen", False, True),
)
SCREENS: Mapping[str, Entry] = {entry.name: entry for entry in ENTRIES}
