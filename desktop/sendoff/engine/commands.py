"""All that a person can do, from the window or the command line: one transaction each, refused with a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from sendoff.domain import problems
from sendoff.domain.account import Account, AccountState
from sendoff.domain.channel import BrowserSignIn, Channel, Identity, Planned, channel_named
from sendoff.domain.delivery import BY_HAND, WAITING, Delivery, Move, PartPlan, State, can, plan_parts
from sendoff.domain.errors import BadInput, KeychainError, NeedsLogin, Refused, SecretGone, TryLater
from sendoff.domain.fields import complete, divide, lay_over
from sendoff.domain.numbers import Numbers, Reading
from sendoff.domain.post import Attachment, Content, Plan, Post, Variant
from sendoff.domain.when import Clock, When, parse_late, parse_when, to_come
from sendoff.engine import trying
from sendoff.engine.keys import Keys
from sendoff.engine.trying import Trial
from sendoff.store import (
    absences,
    accounts,
    changes,
    deliveries,
    doubts,
    media,
    posts,
    readings,
    settings,
    whereabouts,
    wouldsend,
)
from sendoff.store.db import Connection, Store
from sendoff.store.secrets import Secrets

LEAVING = (State.SENDING, State.IN_DOUBT, State.HANDED_OVER)
"""The states in which the endpoint may have the text, or have it soon."""

ENDED = (State.FAILED, State.MISSED, State.CANCELLED)
"""The states in which a delivery stands still while its post may be changed for other accounts."""


class Commands:
    """Writes what a person wants. Safe to use from any thread and any process; the sender hears of it."""

    def __init__(
        self,
        *,
        store: Store,
        secrets: Secrets,
        channels: Mapping[str, Channel],
        clock: Clock,
        zone: Callable[[], str],
    ) -> None:
        self._store = store
        self._secrets = secrets
        self._channels = channels
        self._clock = clock
        self._system_zone = zone
        self._keys = Keys(secrets, store.folder, clock)

    # --- posts ----------------------------------------------------------------------------------------------------

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

    def _refuse_problems(
        self, post: Post, known: Mapping[int, Account], chosen: Mapping[str, str], override: bool
    ) -> None:
        alt_required = chosen["alt_required"] == "yes"
        every = problems.find(post.content, post.variants, known, self._channels, alt_required=alt_required)
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
            late=_rule(late, account, chosen),
            give_up_at=when.instant + _patience(chosen),
            plans=self._plans(post, account),
            now=now,
            state=State.HELD if waits else State.SCHEDULED,
            reason=account.reason if waits else "",
        )

    def _plans(self, post: Post, account: Account) -> tuple[PartPlan, ...]:
        figures = self._channels[account.channel].capabilities.learned(account.learned)
        return plan_parts(post.content_for(account.id), mail=figures.mail, batch=figures.batch)

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
            patience = _patience(preferences)
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
                    deliveries.replace_parts(connection, old.id, self._plans(post, account))
                    deliveries.set_late(connection, old.id, _rule(late, account, preferences))
                    ids.append(old.id)
            posts.set_draft(connection, post_id, False)
        return ids

    # --- deliveries -----------------------------------------------------------------------------------------------

    def move(self, ids: Iterable[int], when: When) -> None:
        """Gives deliveries another time, all or none."""
        now = self._clock.now()
        when = to_come(when, now)
        with self._store.writing(changes.DELIVERIES) as connection:
            patience = _patience(settings.read(connection))
            for delivery_id in ids:
                self._plan_anew(connection, deliveries.get(connection, delivery_id), when, patience)

    def shift(self, ids: Iterable[int], by: timedelta) -> None:
        """Moves several deliveries together, each in its own zone's wall time."""
        now = self._clock.now()
        with self._store.writing(changes.DELIVERIES) as connection:
            patience = _patience(settings.read(connection))
            for delivery_id in ids:
                one = deliveries.get(connection, delivery_id)
                wall = datetime.fromisoformat(one.wall) + by
                when = to_come(parse_when(wall.isoformat(timespec="microseconds"), now, one.zone), now)
                self._plan_anew(connection, one, when, patience)

    def cancel(self, ids: Iterable[int]) -> None:
        """Takes deliveries back, all or none. A post without any delivery left becomes a draft again."""
        with self._store.writing(changes.DELIVERIES) as connection:
            touched = set()
            for delivery_id in ids:
                touched.add(deliveries.get(connection, delivery_id).post_id)
                deliveries.cancel(connection, delivery_id)
            for post_id in touched:
                if all(one.state is State.CANCELLED for one in deliveries.of_post(connection, post_id)):
                    posts.set_draft(connection, post_id, True)

    def restore(self, ids: Iterable[int]) -> None:
        """Undoes `cancel`: the deliveries stand at their old times again, with the post's text of now.

        Raises:
            Refused: the post is planned for that account again already, or its text was changed after a part left.
        """
        now = self._clock.now()
        with self._store.writing(changes.DELIVERIES) as connection:
            patience = _patience(settings.read(connection))
            for delivery_id in ids:
                one = deliveries.get(connection, delivery_id)
                when = When(datetime.fromisoformat(one.wall), one.zone, one.fold)
                self._plan_anew(connection, one, to_come(when, now), patience)

    def _plan_anew(self, connection: Connection, one: Delivery, when: When, patience: timedelta) -> None:
        """Another time, for what had ended too."""
        self._fit(connection, one)
        deliveries.reschedule(connection, one.id, when, when.instant + patience)

    def _fit(self, connection: Connection, one: Delivery) -> None:
        """Makes a delivery that had ended fit what became of its post since: nothing goes twice, nothing is a mix."""
        if one.state not in ENDED:
            return
        others = [other for other in deliveries.of_post(connection, one.post_id) if other.id != one.id]
        if any(other.account_id == one.account_id and other.state is not State.CANCELLED for other in others):
            raise Refused("This post stands on the timeline for that account already.")
        posts.set_draft(connection, one.post_id, False)
        post = posts.get(connection, one.post_id)
        cut = deliveries.parts_of(connection, one.id)
        if any(part.receipt for part in cut):
            if post.version != doubts.carried(connection, one.id):
                raise Refused("Its text was changed after a part of it had left. Write the rest as a new post.")
            return
        plans = self._plans(post, accounts.get(connection, one.account_id))
        if plans != tuple(part.plan for part in cut):
            deliveries.replace_parts(connection, one.id, plans)

    def retry(self, ids: Iterable[int]) -> None:
        """Sends now what failed, was missed, is held or still waits. Parts that are out stay out."""
        now = self._clock.now()
        with self._store.writing(changes.DELIVERIES) as connection:
            patience = _patience(settings.read(connection))
            for delivery_id in ids:
                self._fit(connection, deliveries.get(connection, delivery_id))
                deliveries.retry(connection, delivery_id, now, now + patience)

    def settle(self, delivery_id: int, sent: bool) -> State:
        """The person's word on a doubtful delivery: it is there, or it is not and shall go again."""
        now = self._clock.now()
        receipt = BY_HAND if sent else None
        summary = "You said that it is there." if sent else "You said that it is not there, so it goes again."
        with self._store.writing(changes.DELIVERIES) as connection:
            return doubts.settle(connection, delivery_id, receipt, now, summary=summary)

    def look_again(self, delivery_id: int) -> None:
        """Asks the endpoint once more about a doubtful delivery, as soon as the sender gets to it."""
        now = self._clock.now()
        with self._store.writing(changes.DELIVERIES) as connection:
            one = deliveries.get(connection, delivery_id)
            if one.state is not State.IN_DOUBT:
                raise Refused("There is nothing in doubt about this delivery.")
            doubts.looked(connection, delivery_id, next_look=now, reason=one.reason, advice=one.advice)

    def delete_sent(self, delivery_id: int) -> int:
        """Takes what is out back at the endpoint, the last part first; returns how many parts that were.

        The delivery stays what it was, sent; an event says that it is gone. What is gone already is no error, so this
        may be repeated.

        Raises:
            Refused: nothing is out, something of it is on its way, or this network takes nothing back.
            Rejected, NeedsLogin, TryLater, InDoubt: it is still there, or that is not known.
        """
        with self._store.reading() as connection:
            one = deliveries.get(connection, delivery_id)
            account = accounts.get(connection, one.account_id)
            out = [part.receipt for part in deliveries.parts_of(connection, delivery_id) if part.receipt]
        channel = channel_named(self._channels, account.channel)
        if one.state is State.IN_DOUBT:
            raise Refused("It is not known whether all of it is out. Settle that first.")
        if one.state in (State.CLAIMED, State.SENDING, State.HANDED_OVER):
            raise Refused("It is on its way. Delete it when it is out.")
        if not out:
            raise Refused("Nothing of it is out. Cancel it instead.")
        if not channel.can_delete:
            raise Refused(f"{channel.title} takes nothing back that was sent.")
        if BY_HAND in out:
            raise Refused("You said that it is there, so Sendoff does not know its number. Delete it there.")
        secret = self._keys.secret(account, channel)
        for receipt in reversed(out):
            channel.delete(account, secret, receipt)
        with self._store.writing(changes.DELIVERIES) as connection:
            deliveries.note(connection, delivery_id, self._clock.now(), "deleted", detail="You took it back.")
        return len(out)

    def read_numbers(self, delivery_id: int) -> dict[int, Reading]:
        """Asks the network now what people did with what is out; returns and keeps the answers by the parts' numbers.

        Raises:
            Refused: nothing is out that could be asked for, or the network does not tell, or charges for it.
            Rejected, NeedsLogin, TryLater: it did not answer.
        """
        with self._store.reading() as connection:
            account = accounts.get(connection, deliveries.get(connection, delivery_id).account_id)
            out = {part.id: part for part in deliveries.parts_of(connection, delivery_id) if part.receipt}
        channel = channel_named(self._channels, account.channel)
        at_once = channel.capabilities.learned(account.learned).numbers
        if not at_once:
            raise Refused(f"{channel.title} does not tell what people did with a post.")
        if not channel.may_read(account):
            raise Refused(f"{channel.title} charges for reading. Allow it in the account first: Sign in again.")
        asked = {part.id: part.receipt for part in out.values() if part.receipt and part.receipt != BY_HAND}
        if not asked:
            raise Refused("Nothing of it is out that could be asked for.")
        secret, receipts = self._keys.secret(account, channel), list(asked.values())
        told: dict[str, Numbers | None] = {}
        for first in range(0, len(receipts), at_once):
            told |= channel.numbers(account, secret, receipts[first : first + at_once])
        now = self._clock.now()
        found = {part_id: Reading(now, told[one.remote_id]) for part_id, one in asked.items() if one.remote_id in told}
        if not found:
            raise TryLater(f"{channel.title} does not show it yet.")
        with self._store.writing(changes.DELIVERIES) as connection:
            for part_id, reading in found.items():
                readings.insert(connection, part_id, reading)
        return {out[part_id].number: reading for part_id, reading in found.items()}

    def acknowledge(self, ids: Iterable[int], seen: bool = True) -> None:
        """Takes failed, missed and doubtful deliveries off the "Needs you" list; their state stays what it is."""
        with self._store.writing(changes.DELIVERIES) as connection:
            for delivery_id in ids:
                deliveries.acknowledge(connection, delivery_id, seen)

    # --- accounts -------------------------------------------------------------------------------------------------

    def connect(self, kind: str, fields: Mapping[str, str], *, account_id: int | None = None) -> Identity:
        """Tries the fields at the endpoint, without storing anything.

        Args:
            account_id: the account that shall be signed in again: what it had counts where a field is left out.
        """
        return channel_named(self._channels, kind).connect(self._completed(kind, fields, account_id))

    def add_account(
        self,
        kind: str,
        name: str,
        fields: Mapping[str, str],
        *,
        identity: Identity | None = None,
        workspace_id: int = 1,
    ) -> int:
        """Tests the sign-in, puts the secret into the keychain and stores the account; returns its id.

        Args:
            identity: what `connect` said a moment ago, so that it is not asked twice.

        Raises:
            BadInput, Rejected, NeedsLogin, TryLater: the test failed; nothing was stored.
            KeychainError: there is no place for the secret; nothing was stored.
        """
        channel = channel_named(self._channels, kind)
        completed = complete(channel, fields)
        identity = identity or channel.connect(completed)
        plain, secret = divide(channel, completed)
        plain, secret = {**plain, **identity.settings}, {**secret, **identity.secrets}
        name = " ".join((name or identity.name or identity.handle or channel.title).split())
        with self._store.reading() as connection:
            if accounts.by_name(connection, name):
                raise BadInput(f"There is an account called “{name}” already. Give this one another name.")
        ref = self._secrets.put(secret) if secret else None
        try:
            with self._store.writing(changes.ACCOUNTS) as connection:
                return accounts.insert(
                    connection,
                    workspace_id=workspace_id,
                    channel=kind,
                    name=name,
                    handle=identity.handle,
                    url=identity.url,
                    settings=plain,
                    learned=identity.learned,
                    secret_ref=ref,
                    spacing=channel.capabilities.learned(identity.learned).spacing,
                    now=self._clock.now(),
                    expires_at=identity.expires,
                    probed_at=self._clock.now(),
                )
        except BaseException:
            self._secrets.remove(ref)
            raise

    def browser(self, kind: str, fields: Mapping[str, str], *, account_id: int | None = None) -> BrowserSignIn:
        """Starts a sign-in in the browser; an account's own secrets count where one is left out.

        Raises:
            BadInput, Rejected, TryLater: see the channel.
        """
        channel = channel_named(self._channels, kind)
        if account_id is not None and channel.needs_browser(fields):
            fields = self._merged(account_id, fields)
        return channel.browser(fields)

    def reconnect(self, account_id: int, fields: Mapping[str, str], *, identity: Identity | None = None) -> int:
        """Signs an account in again, with what it had where a field is left out. What is planned is kept and goes on.

        A secret field that is empty counts as left out; another one is emptied by it.

        Returns:
            How many held deliveries stand at their times again.
        """
        with self._store.reading() as connection:
            account = accounts.get(connection, account_id)
        channel, completed = channel_named(self._channels, account.channel), self._merged(account_id, fields)
        identity = identity or channel.connect(completed)
        if not _is_same(channel, account, identity):
            raise BadInput(
                f"That is {identity.handle}, but this account is {account.handle}. Add it as an account of its own."
            )
        plain, secret = divide(channel, completed)
        plain, secret = {**plain, **identity.settings}, {**secret, **identity.secrets}
        # Under a new name: other processes go on with what they once read under the old one.
        ref = self._secrets.put(secret) if secret else account.secret_ref
        try:
            with self._store.writing(changes.ACCOUNTS, changes.DELIVERIES) as connection:
                accounts.update(
                    connection,
                    account_id,
                    settings=plain,
                    learned=identity.learned,
                    secret_ref=ref,
                    url=identity.url,
                    handle=identity.handle,
                )
                accounts.signed_in(connection, account_id, identity.expires, self._clock.now())
                released = deliveries.release_account(connection, account_id)
        except BaseException:
            self._forget(ref, unless=account.secret_ref)
            raise
        self._forget(account.secret_ref, unless=ref)
        return released

    def _completed(self, kind: str, fields: Mapping[str, str], account_id: int | None) -> dict[str, str]:
        if account_id is None:
            return complete(channel_named(self._channels, kind), fields)
        return self._merged(account_id, fields)

    def _merged(self, account_id: int, fields: Mapping[str, str]) -> dict[str, str]:
        """What was typed, laid over what the account has."""
        with self._store.reading() as connection:
            account = accounts.get(connection, account_id)
        channel = channel_named(self._channels, account.channel)
        return lay_over(channel, fields, {**account.settings, **self._old_secret(account)})

    def _forget(self, ref: str | None, *, unless: str | None) -> None:
        if ref != unless:
            with suppress(KeychainError):  # a key that is of no use any more may stay in a locked keychain
                self._secrets.remove(ref)

    def _old_secret(self, account: Account) -> dict[str, str]:
        try:
            return self._secrets.get(account.secret_ref)
        except SecretGone:
            return {}

    def check_account(self, account_id: int) -> Identity:
        """Asks the endpoint whether the stored key still works; holds or releases the account accordingly.

        An account that rests goes on if it works.
        """
        with self._store.reading() as connection:
            account = accounts.get(connection, account_id)
        channel = channel_named(self._channels, account.channel)
        try:
            identity = channel.connect({**account.settings, **self._keys.secret(account, channel)})
            if channel.stable and not _is_same(channel, account, identity):
                raise NeedsLogin(f"This key is that of {identity.handle} by now, not of {account.handle}.")
        except NeedsLogin as wrong:
            with self._store.writing(changes.ACCOUNTS, changes.DELIVERIES) as connection:
                deliveries.hold_account(connection, account_id, wrong.reason)
            raise
        with self._store.writing(changes.ACCOUNTS) as connection:
            renamed = {"handle": identity.handle, "url": identity.url} if channel.stable else {}
            accounts.update(connection, account_id, learned=identity.learned, **renamed)
            accounts.signed_in(connection, account_id, identity.expires, self._clock.now())
            if account.state is AccountState.SIGN_IN:
                deliveries.release_account(connection, account_id)
            elif account.rest_until is not None:
                accounts.end_rest(connection, account_id)
        return identity

    def planned_there(self, account_id: int) -> Sequence[Planned]:
        """What the account's endpoint itself keeps until its time; asked now, nothing is stored or changed.

        Raises:
            Rejected, NeedsLogin, TryLater: it can't be read. KeychainError: the key can't be.
        """
        with self._store.reading() as connection:
            account = accounts.get(connection, account_id)
        channel = channel_named(self._channels, account.channel)
        if not channel.tells_planned:
            return ()
        return channel.planned(account, self._keys.secret(account, channel))

    def rehearse(self, kind: str, fields: Mapping[str, str], text: str, *, account_id: int | None = None) -> str:
        """What a post of `text` would look like as it leaves, secrets masked. Nothing leaves.

        Args:
            account_id: the account whose fields count where one is left out; None for fields that are not stored.

        Raises:
            BadInput: the fields make no request of it; the message says why.
        """
        channel, settings, secret = self._for_trial(kind, fields, account_id)
        return channel.rehearse(trying.parcel(channel, settings, secret, {}, text, self._clock.now()))

    def try_out(self, kind: str, fields: Mapping[str, str], text: str, *, account_id: int | None = None) -> Trial:
        """Sends a post of `text` for real, outside of the timeline: nothing is stored, and nothing is tried again.

        Raises:
            BadInput, Rejected, NeedsLogin, TryLater: the sign-in did not work; nothing was sent.
        """
        channel, settings, secret = self._for_trial(kind, fields, account_id)
        identity = channel.connect({**settings, **secret})
        settings, secret = {**settings, **identity.settings}, {**secret, **identity.secrets}
        return trying.send(channel, trying.parcel(channel, settings, secret, identity.learned, text, self._clock.now()))

    def _for_trial(
        self, kind: str, fields: Mapping[str, str], account_id: int | None
    ) -> tuple[Channel, dict[str, str], dict[str, str]]:
        channel = channel_named(self._channels, kind)
        if not channel.can_rehearse:
            raise BadInput(f"{channel.title} can’t be tried: what it sends is not made by a form.")
        return channel, *divide(channel, self._completed(kind, fields, account_id))

    def rename_account(self, account_id: int, name: str) -> None:
        name = " ".join(name.split())
        if not name:
            raise BadInput("An account needs a name.")
        with self._store.writing(changes.ACCOUNTS) as connection:
            other = accounts.by_name(connection, name)
            if other and other.id != account_id:
                raise BadInput(f"There is an account called “{name}” already.")
            accounts.update(connection, account_id, name=name)

    def set_account_late(self, account_id: int, rule: str) -> None:
        """The account's own lateness rule for what is planned from now on; "" takes the preference.

        Raises:
            BadInput: it is no rule.
        """
        with self._store.writing(changes.ACCOUNTS) as connection:
            accounts.update(connection, account_id, late=str(parse_late(rule)) if rule else "")

    def wake_account(self, account_id: int) -> None:
        """Asks an account that rests now whether it works again, instead of when its rest is over."""
        with self._store.writing(changes.ACCOUNTS) as connection:
            if accounts.get(connection, account_id).rest_until is None:
                raise Refused("This account does not rest.")
            accounts.update(connection, account_id, rest_until=self._clock.now())

    def set_spacing(self, account_id: int, seconds: float) -> None:
        """The shortest time between two sends of an account, in seconds."""
        if not 0 <= seconds <= 86_400:
            raise BadInput("The pause between two sends is between 0 seconds and a day.")
        with self._store.writing(changes.ACCOUNTS) as connection:
            accounts.update(connection, account_id, spacing=seconds)

    def remove_account(self, account_id: int) -> int:
        """Removes an account and its secret; what had not left is cancelled, history stays. Returns how many.

        Raises:
            Refused: something is leaving for it right now; nothing was changed.
            KeychainError: the account is removed, and its key could not be deleted.
        """
        with self._store.reading() as connection:
            account = accounts.get(connection, account_id)
        with self._store.writing(changes.ACCOUNTS, changes.DELIVERIES) as connection:
            if any(deliveries.leaving(connection, account_id)):
                raise Refused("Something is leaving for this account right now. Try again in a moment.")
            cancelled = deliveries.cancel_account(connection, account_id)
            accounts.remove(connection, account_id, self._clock.now())
        try:
            self._secrets.remove(account.secret_ref)
        except KeychainError as wrong:
            raise type(wrong)(f"{account.name} is removed, but its key is still in the keychain. {wrong}") from None
        return cancelled

    def welcomed(self) -> None:
        """The person has seen what became of the deliveries of all absences so far."""
        with self._store.writing(changes.SENDER) as connection:
            absences.mark_seen(connection)

    # --- everything -----------------------------------------------------------------------------------------------

    def pause(self, until: datetime | None = None) -> None:
        """Nothing leaves until then; None: until `resume`. Times pass meanwhile; the lateness rules decide after.

        Raises:
            Refused: it is paused until the person has looked what would leave, and that can't end by itself.
        """
        with self._store.writing(changes.SETTINGS) as connection:
            why = whereabouts.why_paused(settings.read(connection))
            if why and until is not None:
                raise Refused(f"It is paused already: {why} Look at what it would send, then resume.")
            settings.write(connection, "paused_until", until.isoformat() if until else settings.FOREVER)

    def resume(self) -> None:
        """Things leave again, by their rules."""
        with self._store.writing(changes.SETTINGS) as connection:
            settings.write(connection, "paused_until", "")
            settings.write(connection, "paused_why", "")

    def cancel_overdue(self) -> list[int]:
        """Takes back everything whose time is past and that waits for nothing else; returns what it was."""
        with self._store.writing(changes.DELIVERIES) as connection:
            ids = list(wouldsend.outlook(connection, self._clock.now(), 0).overdue)
            for delivery_id in ids:
                deliveries.cancel(connection, delivery_id)
        return ids

    def set(self, name: str, value: str) -> None:
        """Changes one setting (store/settings.py lists them)."""
        with self._store.writing(changes.SETTINGS) as connection:
            settings.write(connection, name, value)

    def zone(self) -> str:
        """The person's time zone: the preference, or this computer's."""
        with self._store.reading() as connection:
            return self.zone_in(settings.read(connection))

    def zone_in(self, chosen: Mapping[str, str]) -> str:
        """The same, from settings that were read already."""
        return chosen["zone"] or self._system_zone()


def _is_same(channel: Channel, account: Account, identity: Identity) -> bool:
    """Whether the one who signed in is the one whose account it is, under whatever handle."""
    before, now = account.learned.get(channel.stable), identity.learned.get(channel.stable)
    if before and now:
        return bool(before == now)
    return not account.handle or identity.handle == account.handle


def _patience(chosen: Mapping[str, str]) -> timedelta:
    """How long what certainly did not leave is tried again, by the preferences."""
    return timedelta(hours=int(chosen["give_up"].removesuffix("h")))


def _rule(late: str, account: Account, chosen: Mapping[str, str]) -> str:
    """The lateness rule of a delivery: the post's, else the account's, else the preference."""
    return str(parse_late(late or account.late or chosen["late"]))


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
