"""Reads a post for the composer: a draft to go on with, a planned post to change, or one that left, as a copy."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sendoff.domain.delivery import Delivery, Move, State, can
from sendoff.domain.post import Post
from sendoff.domain.when import When
from sendoff.store import accounts, deliveries, posts, settings
from sendoff.store.unsaved import Unsaved
from sendoff.ui.composer.state import Writing
from sendoff.ui.composer.timing import spelled
from sendoff.ui.context import Context


@dataclass(frozen=True, slots=True)
class Opened:
    """What was found.

    Args:
        writing: what is stored.
        post: the post; None where it left already and this is a copy.
        planned: its deliveries that can still be changed.
        unsaved: changes to a planned post that were not saved when it was left.
        overtaken: the post was changed elsewhere after those.
    """

    writing: Writing
    post: Post | None
    planned: tuple[Delivery, ...] = ()
    unsaved: Writing | None = None
    overtaken: bool = False

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(one.id for one in self.planned)


def open_post(context: Context, post_id: int, known: Collection[int]) -> Opened:
    """Reads a post.

    Args:
        known: the accounts that there are.

    Raises:
        NotFound: there is no such post.
    """
    with context.reading() as connection:
        post = posts.get(connection, post_id)
        live = [one for one in deliveries.of_post(connection, post_id) if one.state is not State.CANCELLED]
    writing = Writing.of(post, known)
    if not live:
        return Opened(writing, post)
    planned = tuple(one for one in live if can(one.state, Move.RESCHEDULE))
    if not planned:
        return Opened(replace(writing, words="", zone=""), None)
    first = min(planned, key=lambda one: one.planned_at)
    words = spelled(_when(first), context.zone())
    writing = replace(writing, words=words, zone="", late=_rule(context, post, first))
    kept = Unsaved(context.program.folder).read(post_id)
    overtaken = kept is not None and kept.version != post.version
    return Opened(writing, post, planned, Writing.of(kept, known) if kept else None, overtaken)


def _rule(context: Context, post: Post, first: Delivery) -> str:
    """The post's own lateness rule; "" where its delivery has the one that is set for its account."""
    with context.reading() as connection:
        account, preference = accounts.get(connection, first.account_id), settings.read(connection)["late"]
    is_as_set = not post.plan.late and first.late == (account.late or preference)
    return "" if is_as_set else first.late


def _when(delivery: Delivery) -> When:
    return When(datetime.fromisoformat(delivery.wall), delivery.zone, delivery.fold)


def begin(context: Context, known: Collection[int], account_id: int = 0) -> Writing:
    """A new post, for this account, else for those that were chosen last, or for the only one."""
    if account_id in known:
        return Writing(chosen=(account_id,))
    with context.reading() as connection:
        last = posts.last_chosen(connection, context.workspace_id)
    chosen = tuple(one for one in last if one in known) or (tuple(known) if len(known) == 1 else ())
    return Writing(chosen=chosen)
