"""What else can be done with a post: copy it, delete it, take it off the plan, mend what others changed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from sendoff.domain.post import Post
from sendoff.ui.composer.opening import Opened
from sendoff.ui.composer.saving import Record
from sendoff.ui.composer.state import Writing

if TYPE_CHECKING:
    from sendoff.ui.composer.screen import ComposerScreen


class Care:
    """Whatever it does can be undone, or keeps what was written."""

    def __init__(self, screen: ComposerScreen) -> None:
        self._screen, self._context = screen, screen.context

    def fill_menu(self) -> None:
        """The menu of the header."""
        screen, menu, blank = self._screen, self._screen.header.menu, self._screen.writing.is_blank
        menu.clear()
        menu.add("Duplicate", None if blank else self.duplicate, icon="copy")
        if screen.opened.planned:
            menu.add("Drop the changes", self.drop_changes if screen.is_changed else None, icon="undo-2")
            menu.add("Take it off the plan", self.take_off, icon="calendar-days")
        else:
            menu.add("Delete the draft", None if blank else self.delete, icon="trash-2")

    # --- copies and drafts ----------------------------------------------------------------------------------------

    def keep_as_draft(self) -> None:
        """Leaves it as a draft, and the composer."""
        if self._screen.writing.is_blank:
            self._context.say("Nothing is written yet.")
            return
        self._screen.save()
        self._context.back()
        self._context.say("It is kept in Drafts.")

    def duplicate(self) -> None:
        """Goes on with a copy; the first stays what it is."""
        screen, writing = self._screen, self._screen.writing
        copy = replace(writing, words="") if screen.opened.planned else writing
        screen.save()
        screen.load(Opened(copy, None), Record())
        screen.desk.notice.say("This is a copy. The first one stays as it is.")
        screen.saver.begin(Record(), Writing())  # it has no place of its own yet
        screen.changed()

    def delete(self) -> None:
        """Deletes the draft, with Undo, and leaves."""
        screen, chosen = self._screen, self._screen.writing.chosen
        screen.save()
        screen.saver.delete(self._deleted)
        screen.load(Opened(Writing(chosen=chosen), None), Record())
        self._context.back()

    def _deleted(self, post: Post) -> None:
        save = self._context.commands.posts.save_draft
        again = partial(save, post.content, post.variants, post.plan, workspace_id=post.workspace_id)
        self._context.say("The draft was deleted.", undo=lambda: self._context.do(again))

    # --- planned posts --------------------------------------------------------------------------------------------

    def take_off(self) -> None:
        """A planned post becomes a draft again, with the changes."""
        self._screen.saver.take_off(self._screen.opened.ids, self._screen.writing, self._taken_off)

    def _taken_off(self, post_id: int) -> None:
        self._screen.reopen(post_id)
        self._context.say("It is off the plan, and a draft again.")

    def drop_changes(self) -> None:
        """Shows a planned post as it is planned."""
        screen, before, post = self._screen, self._screen.writing, self._screen.opened.post
        screen.saver.forget_changes()
        if post is not None:
            screen.reopen(post.id, keep=False)
        self._context.say("The changes were dropped.", undo=lambda: screen.show_again(before))

    # --- others ---------------------------------------------------------------------------------------------------

    def changed_elsewhere(self, sentence: str) -> None:
        """Says that what is stored is not what was opened, or can't be changed now; nothing here is lost."""
        self._screen.desk.notice.say(
            f"{sentence.removesuffix(' Open it again to see the newer text.')} What you wrote here is still here.",
            [("Keep mine as a copy", self.keep_copy), ("Take the other", self.take_other)],
            state="doubt",
        )

    def keep_copy(self) -> None:
        """What is here becomes a draft of its own."""
        screen, writing = self._screen, self._screen.writing
        screen.saver.forget_changes()
        screen.load(Opened(writing, None), Record())
        screen.saver.begin(Record(), Writing())
        screen.save()
        self._context.say("What you wrote is kept as a draft of its own.")

    def take_other(self) -> None:
        """Shows what is stored; Undo makes a draft of what was here."""
        screen, mine, context = self._screen, self._screen.writing, self._context
        post = screen.opened.post if screen.opened.planned else None
        post_id = post.id if post else screen.saver.record.post_id
        if post_id is None:
            return
        screen.saver.forget_changes()
        screen.reopen(post_id, keep=False)
        again = partial(context.commands.posts.save_draft, *mine.stored(), mine.plan, workspace_id=context.workspace_id)
        context.say("This is the newer text.", undo=lambda: context.do(again, said="Yours is in Drafts."))
