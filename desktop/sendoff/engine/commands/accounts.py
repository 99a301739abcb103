"""Accounts: signed in, checked, set and removed, each with its key in the keychain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from sendoff.domain.account import Account, AccountState
from sendoff.domain.channel import BrowserSignIn, Channel, Identity, Planned, channel_named
from sendoff.domain.errors import BadInput, KeychainError, NeedsLogin, Refused, SecretGone
from sendoff.domain.fields import complete, kept, lay_over
from sendoff.domain.when import Clock, parse_late
from sendoff.engine.keys import Keys
from sendoff.store import accounts, changes, deliveries
from sendoff.store.db import Store
from sendoff.store.secrets import Secrets


class Accounts:
    """What a person does with the accounts that posts go to."""

    def __init__(
        self, store: Store, secrets: Secrets, keys: Keys, channels: Mapping[str, Channel], clock: Clock
    ) -> None:
        self._store = store
        self._secrets = secrets
        self._keys = keys
        self._channels = channels
        self._clock = clock

    def connect(self, kind: str, fields: Mapping[str, str], *, account_id: int | None = None) -> Identity:
        """Tries the fields at the endpoint, without storing anything.

        Args:
            account_id: the account that shall be signed in again: what it had counts where a field is left out.
        """
        return channel_named(self._channels, kind).connect(self.completed(kind, fields, account_id))

    def add(
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
        plain, secret = kept(channel, completed, identity)
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
        plain, secret = kept(channel, completed, identity)
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

    def check(self, account_id: int) -> Identity:
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

    def planned(self, account_id: int) -> Sequence[Planned]:
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

    def rename(self, account_id: int, name: str) -> None:
        name = " ".join(name.split())
        if not name:
            raise BadInput("An account needs a name.")
        with self._store.writing(changes.ACCOUNTS) as connection:
            other = accounts.by_name(connection, name)
            if other and other.id != account_id:
                raise BadInput(f"There is an account called “{name}” already.")
            accounts.update(connection, account_id, name=name)

    def set_late(self, account_id: int, rule: str) -> None:
        """The account's own lateness rule for what is planned from now on; "" takes the preference.

        Raises:
            BadInput: it is no rule.
        """
        with self._store.writing(changes.ACCOUNTS) as connection:
            accounts.update(connection, account_id, late=str(parse_late(rule)) if rule else "")

    def set_spacing(self, account_id: int, seconds: float) -> None:
        """The shortest time between two sends of an account, in seconds."""
        if not 0 <= seconds <= 86_400:
            raise BadInput("The pause between two sends is between 0 seconds and a day.")
        with self._store.writing(changes.ACCOUNTS) as connection:
            accounts.update(connection, account_id, spacing=seconds)

    def wake(self, account_id: int) -> None:
        """Asks an account that rests now whether it works again, instead of when its rest is over."""
        with self._store.writing(changes.ACCOUNTS) as connection:
            if accounts.get(connection, account_id).rest_until is None:
                raise Refused("This account does not rest.")
            accounts.update(connection, account_id, rest_until=self._clock.now())

    def remove(self, account_id: int) -> int:
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

    def completed(self, kind: str, fields: Mapping[str, str], account_id: int | None) -> dict[str, str]:
        """The fields of a form; what the account has counts where one is left out.

        Raises:
            BadInput: as domain/fields.py says. NotFound: there is no such channel.
        """
        if account_id is None:
            return complete(channel_named(self._channels, kind), fields)
        return self._merged(account_id, fields)

    def _merged(self, account_id: int, fields: Mapping[str, str]) -> dict[str, str]:
        """What was typed, laid over what the account has."""
        with self._store.reading() as connection:
            account = accounts.get(connection, account_id)
        channel = channel_named(self._channels, account.channel)
        return lay_over(channel, fields, {**account.settings, **self._old_secret(account)})

    def _old_secret(self, account: Account) -> dict[str, str]:
        try:
            return self._secrets.get(account.secret_ref)
        except SecretGone:
            return {}

    def _forget(self, ref: str | None, *, unless: str | None) -> None:
        if ref != unless:
            with suppress(KeychainError):  # a key that is of no use any more may stay in a locked keychain
                self._secrets.remove(ref)


def _is_same(channel: Channel, account: Account, identity: Identity) -> bool:
    """Whether the one who signed in is the one whose account it is, under whatever handle."""
    before, now = account.learned.get(channel.stable), identity.learned.get(channel.stable)
    if before and now:
        return bool(before == now)
    return not account.handle or identity.handle == account.handle
