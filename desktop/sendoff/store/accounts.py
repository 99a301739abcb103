"""Workspaces and accounts. The secret is not here: only its name in the keychain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sendoff.domain.account import STRIKES, Account, AccountState, Workspace, rest
from sendoff.domain.errors import BadInput, NotFound
from sendoff.store import changes, codec
from sendoff.store.tables import accounts, inserted_id, tallies, workspaces


def workspace_list(connection: sa.Connection) -> list[Workspace]:
    return [Workspace(row.id, row.name) for row in connection.execute(sa.select(workspaces).order_by(workspaces.c.id))]


def insert_workspace(connection: sa.Connection, name: str) -> int:
    changes.bump(connection, changes.WORKSPACES)
    return inserted_id(connection.execute(sa.insert(workspaces).values(name=name)))


def insert(
    connection: sa.Connection,
    *,
    workspace_id: int,
    channel: str,
    name: str,
    handle: str,
    url: str,
    settings: Mapping[str, str],
    learned: Mapping[str, Any],
    secret_ref: str | None,
    spacing: float,
    now: datetime,
    state: AccountState = AccountState.WORKING,
    reason: str = "",
    expires_at: datetime | None = None,
    probed_at: datetime | None = None,
) -> int:
    """Stores a new account and returns its id.

    Raises:
        BadInput: another account has this name; names tell accounts apart on the command line.
    """
    if by_name(connection, name) is not None:
        raise BadInput(f"There is an account called “{name}” already. Give this one another name.")
    result = connection.execute(
        sa.insert(accounts).values(
            workspace_id=workspace_id,
            channel=channel,
            name=name,
            handle=handle,
            url=url,
            settings=codec.encode(settings),
            learned=codec.encode(learned),
            secret_ref=secret_ref,
            state=state,
            reason=reason,
            spacing=spacing,
            created_at=now,
            expires_at=expires_at,
            probed_at=probed_at,
        )
    )
    changes.bump(connection, changes.ACCOUNTS)
    return inserted_id(result)


def update(connection: sa.Connection, account_id: int, **values: Any) -> None:
    """Changes columns of one account; mappings become JSON."""
    written = {name: codec.encode(value) if isinstance(value, Mapping) else value for name, value in values.items()}
    connection.execute(sa.update(accounts).where(accounts.c.id == account_id).values(**written))
    changes.bump(connection, changes.ACCOUNTS)


def signed_in(connection: sa.Connection, account_id: int, expires_at: datetime | None, now: datetime) -> None:
    """The endpoint took the key just now. Another end than before is to be told of anew."""
    told = {} if get(connection, account_id).expires_at == expires_at else {"warned": None}
    update(connection, account_id, expires_at=expires_at, probed_at=now, **told)


def strike(connection: sa.Connection, account_id: int, reason: str, now: datetime) -> bool:
    """Counts a refusal. After some of them in a row the account rests (True); what it has planned waits for that."""
    strikes = connection.execute(
        sa.update(accounts)
        .where(accounts.c.id == account_id)
        .values(strikes=accounts.c.strikes + 1)
        .returning(accounts.c.strikes)
    ).scalar_one()
    if pause := rest(strikes):
        update(connection, account_id, rest_until=now + pause, rest_reason=reason)
    return bool(pause)


def end_rest(connection: sa.Connection, account_id: int) -> None:
    """The account answered well, so it may try. One more refusal, and it rests again."""
    update(connection, account_id, rest_until=None, rest_reason="", strikes=STRIKES - 1)


def remove(connection: sa.Connection, account_id: int, now: datetime) -> None:
    """Takes an account off every list. Its row stays, because history points to it."""
    update(connection, account_id, removed_at=now, secret_ref=None)


_LIVE = sa.select(accounts).where(accounts.c.removed_at.is_(None)).order_by(accounts.c.id)


def resting(connection: sa.Connection) -> list[Account]:
    """The accounts that rest after refusals."""
    return [_account(row) for row in connection.execute(_LIVE.where(accounts.c.rest_until.is_not(None)))]


def every(connection: sa.Connection, workspace_id: int | None = None) -> list[Account]:
    wanted = _LIVE if workspace_id is None else _LIVE.where(accounts.c.workspace_id == workspace_id)
    return [_account(row) for row in connection.execute(wanted)]


def get(connection: sa.Connection, account_id: int) -> Account:
    """One account, removed ones too.

    Raises:
        NotFound: there is none with this id.
    """
    row = connection.execute(sa.select(accounts).where(accounts.c.id == account_id)).first()
    if row is None:
        raise NotFound(f"There is no account {account_id}.")
    return _account(row)


def get_many(connection: sa.Connection, ids: set[int]) -> dict[int, Account]:
    rows = connection.execute(_MANY, {"ids": list(ids)})
    return {row.id: _account(row) for row in rows}


_MANY = sa.select(accounts).where(accounts.c.id.in_(sa.bindparam("ids", expanding=True)))


def by_name(connection: sa.Connection, name: str) -> Account | None:
    row = connection.execute(_LIVE.where(sa.func.lower(accounts.c.name) == name.lower())).first()
    return _account(row) if row else None


def resolve(connection: sa.Connection, which: str) -> Account:
    """The account that a person means: by name, by handle, or by number.

    Raises:
        NotFound: there is none, or more than one; the message lists what there is.
    """
    known = every(connection)
    wanted = which.lower()
    for matches in (
        [one for one in known if one.name.lower() == wanted],
        [one for one in known if one.handle.lower() == wanted],
        [one for one in known if str(one.id) == which],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise NotFound(f"“{which}” means several accounts: {', '.join(one.name for one in matches)}. Use a name.")
    names = ", ".join(one.name for one in known)
    raise NotFound(
        f"There is no account “{which}”. " + (f"There are: {names}." if names else "Add one: sendoff accounts add.")
    )


def counts(connection: sa.Connection) -> dict[int, dict[str, int]]:
    """How many deliveries each account has in each state; kept by triggers, not counted. What leaves is "scheduled"."""
    found: dict[int, dict[str, int]] = {}
    for row in connection.execute(sa.select(tallies).where(tallies.c.n > 0)):
        found.setdefault(row.account_id, {})[row.state] = row.n
    return found


def _account(row: Any) -> Account:
    return Account(
        id=row.id,
        workspace_id=row.workspace_id,
        channel=row.channel,
        name=row.name,
        handle=row.handle,
        settings=codec.mapping(row.settings),
        learned=codec.mapping(row.learned),
        secret_ref=row.secret_ref,
        state=AccountState(row.state),
        reason=row.reason,
        spacing=row.spacing,
        ready_at=row.ready_at,
        last_sent_at=row.last_sent_at,
        url=row.url,
        late=row.late,
        strikes=row.strikes,
        rest_until=row.rest_until,
        rest_reason=row.rest_reason,
        expires_at=row.expires_at,
        warned=row.warned,
        probed_at=row.probed_at,
        removed=row.removed_at is not None,
    )
