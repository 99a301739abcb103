"""The button and what it does: look once more, then plan it, send it, or change what is planned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from sendoff.domain.errors import Refused, SendoffError
from sendoff.domain.when import When, short
from sendoff.domain.words import counted
from sendoff.ui.composer.assess import Assessment, Matter
from sendoff.ui.composer.state import Writing

if TYPE_CHECKING:
    from sendoff.ui.composer.screen import ComposerScreen

QUIET = ("no_subject", "text")
"""Problems that an empty page need not show before somebody pressed the button."""


class Departure:
    """Presses the button. `under_way` while it is being planned."""

    def __init__(self, screen: ComposerScreen) -> None:
        self._screen, self._context = screen, screen.context
        self.under_way = False
        self._insisted = False
        self._overridden: set[tuple[str, tuple[int, ...]]] = set()

    def begin(self) -> None:
        """Another post is shown: what was insisted on is forgotten."""
        self._insisted = False
        self._overridden.clear()
        self._screen.desk.problems.arm(False)

    # --- pressing -------------------------------------------------------------------------------------------------

    def press(self) -> None:
        """Does what the button says, or shows what stands against it."""
        if self.lacks_account:
            self._screen.connect_account()
            return
        foot = self._screen.foot
        foot.read_again()
        if foot.timing.wrong:
            foot.words.setFocus(Qt.FocusReason.OtherFocusReason)
            foot.words.selectAll()
        else:
            self._go(foot.timing.when)

    def send_now(self) -> None:
        """Sends it now, whatever time stands there."""
        self._go(None)

    def _go(self, when: When | None) -> None:
        if self.under_way:
            return
        if self._screen.desk.is_busy:
            self._context.say("A file is still being added. Press again when it is there.")
            return
        self._set_under_way(True)
        self._screen.look_with(lambda found: self._decide(found, when))

    def _set_under_way(self, under_way: bool) -> None:
        self.under_way = under_way
        self._screen.foot.button.setEnabled(not under_way)

    def _decide(self, found: Assessment, when: When | None) -> None:
        screen = self._screen
        self._insisted = True
        screen.desk.problems.arm(True)
        screen.show_assessment(found)
        if any(not self.is_overridden(one) for one in found.red):
            self._set_under_way(False)
            screen.desk.show_first_red()
            return
        writing, at = screen.writing, when or When.at(self._context.now(), self._context.zone())
        screen.saver.schedule(
            writing, screen.eyes.mails, at, override=bool(found.red),
            done=lambda ids: self._gone(ids, when, writing), failed=self._not_gone,
        )  # fmt: skip

    def _not_gone(self, error: SendoffError) -> None:
        self._set_under_way(False)
        if isinstance(error, Refused):
            self._screen.care.changed_elsewhere(str(error))
        else:
            self._context.say(str(error), trouble=True)

    def _gone(self, ids: Sequence[int], when: When | None, sent: Writing) -> None:
        """It is planned, or leaves: the page is free for another."""
        screen = self._screen
        post = screen.opened.post if screen.opened.planned else None
        post_id = post.id if post else screen.saver.record.post_id
        now_written = screen.writing
        self._set_under_way(False)
        if now_written != sent and post_id is not None:  # somebody typed on meanwhile
            screen.reopen(post_id)
            screen.show_again(now_written)
        else:
            screen.begin(keep=False)
            self._leave(ids, when, post_id)
        self._say(ids, when, is_change=post is not None, places=len(sent.chosen))

    def _leave(self, ids: Sequence[int], when: When | None, post_id: int | None) -> None:
        if when is not None:
            self._context.go("planner", post_id=post_id, at=when)
        elif ids:
            self._context.go("activity", delivery_id=ids[0])
        else:
            self._context.back()

    def _say(self, ids: Sequence[int], when: When | None, *, is_change: bool, places: int) -> None:
        commands, context = self._context.commands, self._context
        if when is None:
            context.say(f"On its way to {counted(places, 'account', 'accounts')}.")
        elif is_change:
            context.say(f"Saved. It leaves {short(when, context.now())}.")
        else:
            undo = lambda: context.do(lambda: commands.deliveries.cancel(ids), said="It is a draft again.")  # noqa: E731
            context.say(f"Scheduled for {short(when, context.now())}", undo=undo)

    # --- what stands against it -----------------------------------------------------------------------------------

    def worth_showing(self, matters: Sequence[Matter], *, blank: bool) -> list[Matter]:
        """An empty page is calm until the button was pressed."""
        if not blank or self._insisted:
            return list(matters)
        return [one for one in matters if not one.is_final and one.code not in QUIET]

    def is_overridden(self, matter: Matter) -> bool:
        return not matter.is_final and (matter.code, matter.accounts) in self._overridden

    def override(self, matter: Matter) -> None:
        """Sends it there although a known limit says no."""
        self._overridden.add((matter.code, matter.accounts))
        self._screen.show_matters()

    # --- words ----------------------------------------------------------------------------------------------------

    @property
    def lacks_account(self) -> bool:
        """Whether there is nothing yet that it could go to."""
        return not self._screen.eyes.known and not self._screen.opened.planned

    def words(self) -> str:
        """What the button says: what it does."""
        timing, chosen = self._screen.foot.timing, len(self._screen.desk.accounts.chosen())
        if self._screen.opened.planned:
            return "Save changes"
        if self.lacks_account:
            return "Connect an account"
        if timing.wrong:
            return "Schedule"
        if timing.is_now:
            return "Send now" if chosen < 2 else f"Send now to {chosen} accounts"
        return f"Schedule for {timing.brief(self._context.now())}"

    def fill_menu(self) -> None:
        """What the part with the arrow offers."""
        screen, menu = self._screen, self._screen.menu
        menu.clear()
        if not self.lacks_account and (not screen.foot.timing.is_now or screen.opened.planned):
            menu.add("Send now", self.send_now, icon="send")
        keep = screen.care.take_off if screen.opened.planned else screen.care.keep_as_draft
        menu.add("Save as draft", keep, icon="file-text")
