"""Keeps what is being written: drafts in the database at every pause, changes to planned posts in a file beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from PySide6.QtCore import QObject, QTimer, Signal

from sendoff.domain.errors import NotFound, Refused, SendoffError
from sendoff.domain.post import Content, Post, Variant
from sendoff.domain.when import When
from sendoff.store.unsaved import Unsaved
from sendoff.ui.composer.state import Writing
from sendoff.ui.context import Context

PAUSE = 700
"""How long after the first change it is saved, in ms; a crash loses no more than that and the writing itself."""

AGAIN = 5000
"""When a save that failed is tried again, in ms."""


@dataclass(slots=True)
class Record:
    """Where it is kept. Only the background thread changes it, in the order of the saves, so each finds the version
    of the one before; the window's thread may look.

    `stuck`: it was changed elsewhere, and nothing more is written. `moved`: it was deleted elsewhere and kept anew.
    """

    post_id: int | None = None
    version: int = 0
    stuck: bool = False
    moved: bool = False


class Saver(QObject):
    """`told` comes when there is news of the saving, `refused` with a sentence when it was changed elsewhere."""

    told = Signal()
    refused = Signal(str)

    def __init__(self, context: Context, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._unsaved = Unsaved(context.program.folder)
        self.record = Record()
        self.planned: Post | None = None
        self.saved_at: datetime | None = None
        self.trouble = ""
        self._kept: Writing | None = None
        self._under_way = 0
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(AGAIN)

    def begin(
        self, record: Record, kept: Writing, planned: Post | None = None, saved_at: datetime | None = None
    ) -> None:
        """Turns to another post; `kept` is how it is stored. `planned`: it is one that is planned already."""
        self.record, self.planned, self._kept = record, planned, kept
        self.saved_at, self.trouble = saved_at, ""
        self._again.stop()
        self.told.emit()

    @property
    def is_busy(self) -> bool:
        return self._under_way > 0

    def is_changed(self, writing: Writing) -> bool:
        """Whether this differs from what is kept."""
        return writing != self._kept

    # --- keeping --------------------------------------------------------------------------------------------------

    def keep(self, writing: Writing) -> None:
        """Stores it, in the background, if it differs. What is empty and was never kept is not."""
        if not self.is_changed(writing) or self.record.stuck:
            return
        if self.record.post_id is None and writing.is_blank:
            return
        self._kept = writing
        record, planned = self.record, self.planned
        if planned is None:
            workspace = self._context.workspace_id
            self._run(lambda: self._store(record, writing, workspace), record)
        else:
            self._run(lambda: self._note(planned, writing), record)

    def _store(self, record: Record, writing: Writing, workspace: int) -> None:
        """In the background: writes the draft under the version that the save before it made."""
        if record.stuck:
            return
        self._write(record, writing, *writing.stored(), workspace)

    def _write(
        self, record: Record, writing: Writing, content: Content, variants: Sequence[Variant], workspace: int
    ) -> None:
        try:
            try:
                self._save(record, writing, content, variants, workspace)
            except NotFound:
                record.post_id, record.moved = None, True
                self._save(record, writing, content, variants, workspace)
        except Refused:
            record.stuck = True
            raise

    def _save(
        self, record: Record, writing: Writing, content: Content, variants: Sequence[Variant], workspace: int
    ) -> None:
        expected = record.version if record.post_id is not None else None
        record.post_id, record.version = self._context.commands.posts.save_draft(
            content, variants, writing.plan, post_id=record.post_id, expected=expected, workspace_id=workspace
        )

    def _note(self, planned: Post, writing: Writing) -> None:
        """In the background: notes changes that wait for "Save changes"."""
        content, variants = writing.stored()
        self._unsaved.keep(replace(planned, content=content, variants=variants, plan=writing.plan))

    def _run(self, work: Callable[[], object], record: Record) -> None:
        self._under_way += 1
        self._context.do(work, lambda _nothing: self._done(record), lambda error: self._failed(record, error))
        self.told.emit()

    def _done(self, record: Record) -> None:
        self._under_way -= 1
        if record is self.record:
            self.saved_at, self.trouble = self._context.now(), ""
        self.told.emit()

    def _failed(self, record: Record, error: SendoffError) -> None:
        self._under_way -= 1
        if record is not self.record:
            self._context.say(str(error), trouble=True)
        elif record.stuck:
            self._kept = None
            self.refused.emit(str(error))
        else:
            self._kept = None  # it differs from what is stored, so the next try stores it
            self.trouble = str(error)
            self._context.say(str(error), trouble=True)
            self._again.start()
        self.told.emit()

    def on_again(self, save: Callable[[], object]) -> None:
        """Calls this a while after a save failed."""
        self._again.timeout.connect(save)

    # --- ending ---------------------------------------------------------------------------------------------------

    def schedule(
        self,
        writing: Writing,
        mails: Collection[int],
        when: When,
        *,
        override: bool,
        done: Callable[[list[int]], object],
        failed: Callable[[SendoffError], object],
    ) -> None:
        """Stores it as it goes out, and plans it; or changes what is planned."""
        record, planned, workspace = self.record, self.planned, self._context.workspace_id
        commands = self._context.commands

        def work() -> list[int]:
            content, variants = writing.sent(mails)
            if planned is not None:
                ids = commands.posts.edit(
                    planned.id, content, variants, when, writing.late, writing.plan,
                    expected=planned.version, override=override,
                )  # fmt: skip
                self._unsaved.forget(planned.id)
                return ids
            self._write(record, writing, content, variants, workspace)
            assert record.post_id is not None
            return commands.posts.schedule(record.post_id, when, writing.late, override=override)

        def finished(ids: list[int]) -> None:
            self._under_way -= 1
            done(ids)

        def refused(error: SendoffError) -> None:
            self._under_way -= 1
            self._kept = None
            failed(error)

        self._under_way += 1
        self._context.do(work, finished, refused)

    def forget_changes(self) -> None:
        """Drops what was noted of changes to a planned post."""
        planned = self.planned
        if planned is not None:
            self._run(lambda: self._unsaved.forget(planned.id), self.record)

    def drop_empty(self, record: Record) -> None:
        """Takes a draft away again in which nothing is left."""
        commands = self._context.commands

        def work() -> None:
            if record.post_id is not None and not record.stuck:
                commands.posts.delete_draft(record.post_id)
                record.post_id = None

        self._context.do(work, failed=lambda _gone: None)

    def delete(self, done: Callable[[Post], None]) -> None:
        """Deletes the draft, after the saves that are under way."""
        record, commands = self.record, self._context.commands

        def work() -> Post:
            if record.post_id is None:
                raise NotFound("There was nothing to delete yet.")
            post = commands.posts.delete_draft(record.post_id)
            record.post_id = None
            return post

        self._context.do(work, done)

    def take_off(self, ids: Collection[int], writing: Writing, done: Callable[[int], None]) -> None:
        """Takes a planned post off the plan; it is a draft again, with the changes."""
        planned, commands = self.planned, self._context.commands
        if planned is None:
            return

        def work() -> int:
            commands.deliveries.cancel(ids)
            content, variants = writing.stored()
            try:
                post_id, _ = commands.posts.save_draft(
                    content, variants, writing.plan, post_id=planned.id, expected=planned.version
                )
            except Refused:  # a part of it is history, or somebody else changed it: the words go on as a new draft
                post_id, _ = commands.posts.save_draft(
                    content, variants, writing.plan, workspace_id=planned.workspace_id
                )
            self._unsaved.forget(planned.id)
            return post_id

        self._context.do(work, done)
