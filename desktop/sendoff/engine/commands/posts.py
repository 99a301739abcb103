"""Writing a post, planning it, and changing what is planned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sendoff.domain import problems
from sendoff.domain.account import Account, AccountState
from sendoff.domain.channel import Channel
from sendoff.domain.delivery import WAITING, Delivery, Move, State, can
from sendoff.domain.errors import BadInput, Refused
from sendoff.domain.post import Attachment, Content, Plan, Post, Variant
from sendoff.domain.when import Clock, When, to_come
from sendoff.engine.commands import planning
from sendoff.store import accounts, changes, deliveries, media, posts, settings
from sendoff.store.db import Connection, Store

LEAVING = (State.SENDING, State.IN_DOUBT, State.HANDED_OVER)
"""The states in which the endpoint may have the text, or have it soon."""


class Posts:
    """What a person writes, from the first draft to the last change."""

    def __init__(self, store: Store, channels: Mapping[str, Channel], clock: Clock) -> None:
        self._store = store
        self._channels = channels
        self._clock = clock

    def save_draft(
        self,
        content: Content,
        variants: Iterable[Variant],
        plan: Plan = Plan(),
        *,
        post_id: int | None = None,
        expected: int | None = None,
        workspace_id: int = 1,
    ) -> tuple[int, int]:
        """Stores what is being written; returns the post's id and version. Deliveries are not touched.

        Raises:
            Refused: it was changed elsewhere since version `expected`, or it is scheduled already (see `edit`).
        """
        now, chosen = self._clock.now(), tuple(variants)
        with self._store.writing(changes.POSTS) as connection:
            media.record(connection, _attachments(content, chosen), now)
            if post_id is None:
                return posts.insert(connection, workspace_id, content, chosen, plan, now), 1
            if any(one.state is not State.CANCELLED for one in deliveries.of_post(connection, post_id)):
                raise Refused("This post is scheduled already, so it is no draft any more.")
            return post_id, posts.update(connection, post_id, content, chosen, plan, now, expected=expected)

    def delete_draft(self, post_id: int) -> Post:
        """Deletes a draft and returns it, so that it can be put back."""
        with self._store.writing(changes.POSTS) as connection:
            post = posts.get(connection, post_id)
            posts.delete(connection, post_id)
        return post

    def schedule(self, post_id: int, when: When, late: str = "", *, override: bool = False) -> list[int]:
        """Plans a draft for all its chosen accounts; returns the ids of the deliveries.

        Args:
            late: the lateness rule; "" takes each account's own, or the preference.
            override: send although a known limit says no; the endpoint has the last word.

        Raises:
            Problems: a limit says no (unless `override`).
            BadInput: the time is past, no account is chosen.
            Refused: the post is scheduled already.
        """
        now = self._clock.now()
        when = to_come(when, now)
        with self._store.writing(changes.POSTS, changes.DELIVERIES) as connection:
            post = posts.get(connection, post_id)
            if any(one.state is not State.CANCELLED for one in deliveries.of_post(connection, post_id)):
                raise Refused("This post is scheduled already. Move it, or make a copy.")
            if not post.variants:
                raise BadInput("Choose at least one account that it shall go to.")
            known = accounts.get_many(connection, {variant.account_id for variant in post.variants})
            chosen = settings.read(connection)
            self._refuse_problems(post, known, chosen, override)
            ids = [
                self._insert(connection, post, known[variant.account_id], when, late, chosen, now)
                for variant in post.variants
            ]
            posts.set_draft(connection, post_id, False)
        return ids

    def edit(
        self,
        post_id: int,
        content: Content,
        variants: Iterable[Variant],
        when: When,
        late: str = "",
        plan: Plan = Plan(),
        *,
        expected: int | None = None,
        override: bool = False,
    ) -> list[int]:
        """Changes a post that is scheduled: its text, its accounts, its time. What has left already stays as it is.

        Either the old text of a delivery goes out or the new one, never a mix: a sender that has claimed the old
        one finds its claim gone.

        Raises:
            Refused: a delivery is leaving right now, or a part of it is out; nothing was changed.
            Problems, BadInput: as `schedule`.
        """
        now, chosen = self._clock.now(), tuple(variants)
        if not chosen:
            raise BadInput("Choose at least one account that it shall go to.")
        with self._store.writing(changes.POSTS, changes.DELIVERIES) as connection:
            media.record(connection, _attachments(content, chosen), now)
            existing = {
                one.account_id: one
                for one in deliveries.of_post(connection, post_id)
                if one.state is not State.CANCELLED
            }
            gone = _as_they_left(posts.get(connection, post_id), existing.values())
            chosen = tuple(variant for variant in chosen if variant.account_id not in gone)
            if not chosen:
                raise Refused("It has gone out already, so its text can’t change any more.")
            posts.update(connection, post_id, content, (*chosen, *gone.values()), plan, now, expected=expected)
            post = posts.get(connection, post_id)
            known = accounts.get_many(connection, {variant.account_id for variant in chosen})
            preferences = settings.read(connection)
            self._refuse_problems(post, known, preferences, override)
            patience = planning.patience(preferences)
            ids = []
            for account_id, one in existing.items():
                if one.state in LEAVING:
                    name = accounts.get(connection, account_id).name
                    raise Refused(f"It is leaving for {name} right now, so its text can’t change any more.")
                if account_id not in known and one.state in WAITING:
                    deliveries.cancel(connection, one.id)
            for account in known.values():
                old = existing.get(account.id)
                if old is None:
                    at = to_come(when, now)
                    ids.append(self._insert(connection, post, account, at, late, preferences, now))
                elif can(old.state, Move.RESCHEDULE):
                    deliveries.reschedule(connection, old.id, to_come(when, now), when.instant + patience)
                    deliveries.replace_parts(connection, old.id, planning.parts(post, account, self._channels))
                    deliveries.set_late(connection, old.id, planning.rule(late, account, preferences))
                    ids.append(old.id)
            posts.set_draft(connection, post_id, False)
        return ids

    def _refuse_problems(
        self, post: Post, known: Mapping[int, Account], chosen: Mapping[str, str], override: bool
    ) -> None:
        every = problems.find(post.content, post.variants, known, self._channels, chosen)
        problems.refuse(every, override=override)

    def _insert(
        self,
        connection: Connection,
        post: Post,
        account: Account,
        when: When,
        late: str,
        chosen: Mapping[str, str],
        now: datetime,
    ) -> int:
        waits = account.state is AccountState.SIGN_IN
        return deliveries.insert(
            connection,
            post_id=post.id,
            account_id=account.id,
            when=when,
            late=planning.rule(late, account, chosen),
            give_up_at=when.instant + planning.patience(chosen),
            plans=planning.parts(post, account, self._channels),
            now=now,
            state=State.HELD if waits else State.SCHEDULED,
            reason=account.reason if waits else "",
        )


def _as_they_left(post: Post, existing: Iterable[Delivery]) -> dict[int, Variant]:
    """By account: what has gone out already, as it was. The post's words may change for the others."""
    sent = [one.account_id for one in existing if one.state is State.SENT]
    found = [(account_id, post.variant(account_id)) for account_id in sent]
    return {
        account_id: Variant(account_id, post.content_for(account_id), own.options if own else {})
        for account_id, own in found
    }


def _attachments(content: Content, variants: Iterable[Variant]) -> tuple[Attachment, ...]:
    own = [variant.content for variant in variants if variant.content]
    return tuple(attachment for one in [content, *own] for attachment in one.files)
