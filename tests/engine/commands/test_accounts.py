"""Signing in, setting and removing accounts."""

from __future__ import annotations

import pytest

from sendoff.bootstrap import Program
from sendoff.domain.account import AccountState
from sendoff.domain.delivery import State
from sendoff.domain.errors import BadInput, KeychainError, NotFound, Refused
from sendoff.store import accounts, deliveries, timeline
from tests.conftest import SetClock
from tests.engine.commands.person import account, at, draft, states


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"colour": "red"}, "has no field “colour”"),
        ({"takes": "pigeons"}, "one of posts, mail"),
        ({"answers": "dance"}, "has no answer “dance”"),
    ],
)
def test_fields_that_cannot_be_right_are_named(program: Program, fields: dict[str, str], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        program.commands.accounts.add("practice", "ada", fields)
    with program.store.reading() as connection:
        assert accounts.every(connection) == []


def test_names_tell_accounts_apart(program: Program) -> None:
    first = account(program)
    with pytest.raises(BadInput, match="called “ADA” already"):
        account(program, "ADA")
    program.commands.accounts.rename(first, "Countess")
    with program.store.reading() as connection:
        assert accounts.resolve(connection, "countess").id == first
        assert accounts.resolve(connection, "@ada").id == first
        assert accounts.resolve(connection, str(first)).id == first
        with pytest.raises(NotFound, match="There are: Countess"):
            accounts.resolve(connection, "bob")


def test_an_unknown_channel_is_answered_with_what_there_is(program: Program) -> None:
    with pytest.raises(NotFound, match=r"There are: .*practice"):
        program.commands.accounts.add("pigeon", "p", {})


def test_signing_in_again_releases_what_waited(program: Program) -> None:
    mine = account(program)
    ids = program.commands.posts.schedule(draft(program, mine), at(program, "tomorrow 9"))
    with program.store.writing() as connection:
        deliveries.hold_account(connection, mine, "the key is old")
    program.commands.deliveries.move(ids, at(program, "tomorrow 10"))
    with program.store.reading() as connection:
        held = deliveries.get(connection, ids[0])
    assert (held.state, held.reason) == (State.HELD, "the key is old"), "at another time it waits for the same"
    assert program.commands.accounts.reconnect(mine, {}) == 1
    assert states(program, *ids) == [State.SCHEDULED]
    with program.store.reading() as connection:
        assert accounts.get(connection, mine).state is AccountState.WORKING
    with pytest.raises(BadInput, match="That is @bob, but this account is @ada"):
        program.commands.accounts.reconnect(mine, {"handle": "@bob"})


def test_a_sign_in_can_be_tried_with_what_the_account_has(program: Program) -> None:
    mine = account(program, answers="later:5")
    assert program.commands.accounts.connect("practice", {}, account_id=mine).handle == "@ada"
    with program.store.reading() as connection:
        assert accounts.get(connection, mine).settings["answers"] == "later:5"
    program.commands.accounts.reconnect(mine, {"answers": ""})
    with program.store.reading() as connection:
        assert accounts.get(connection, mine).settings["answers"] == ""


@pytest.mark.parametrize(
    ("kind", "fields", "wrong"),
    [
        ("practice", {"takes": "money"}, "takes"),
        ("practice", {"answers": "perhaps"}, "answers"),
        ("smtp", {}, "host"),
        ("smtp", {"host": "x", "port": "y"}, "port"),
        ("smtp", {"host": "x", "from": "nobody"}, "from"),
        (
            "mailgun",
            {"domain": "d.example", "from": "a@d.example", "sending_key": "k", "base_url": "ftp://x"},
            "base_url",
        ),
        ("mailgun", {"domain": "no domain", "from": "a@d.example", "sending_key": "k"}, "domain"),
        ("mastodon", {"server": "https://x.example", "access_token": ""}, "access_token"),
        ("mastodon", {"server": "not a server", "access_token": "t"}, "server"),
    ],
)
def test_what_was_typed_wrong_names_its_field(program: Program, kind: str, fields: dict[str, str], wrong: str) -> None:
    with pytest.raises(BadInput) as refused:
        program.commands.accounts.connect(kind, fields)
    assert refused.value.field == wrong


def test_removing_an_account_cancels_what_waits_and_keeps_history(program: Program) -> None:
    mine = account(program)
    ids = program.commands.posts.schedule(draft(program, mine), at(program, "tomorrow 9"))
    assert program.commands.accounts.remove(mine) == 1
    assert states(program, *ids) == [State.CANCELLED]
    with program.store.reading() as connection:
        assert accounts.every(connection) == []
        assert timeline.detail(connection, ids[0]).account.name == "ada"
    assert account(program)  # the name is free again


def test_a_key_that_cannot_be_deleted_is_said_and_the_account_is_gone_all_the_same(program: Program) -> None:
    mine = account(program)
    with program.store.writing() as connection:
        accounts.update(connection, mine, secret_ref="file:one")
    program.secrets.vault.passphrase = None
    with pytest.raises(KeychainError, match="ada is removed, but its key is still in the keychain"):
        program.commands.accounts.remove(mine)
    with program.store.reading() as connection:
        assert accounts.every(connection) == []


def test_a_resting_account_can_be_asked_at_once(program: Program, clock: SetClock) -> None:
    one = account(program)
    with pytest.raises(Refused, match="does not rest"):
        program.commands.accounts.wake(one)
    with program.store.writing() as connection:
        for _ in range(5):
            deliveries.strike(connection, one, "it said no", clock.now())
    program.commands.accounts.wake(one)
    with program.store.reading() as connection:
        assert accounts.get(connection, one).rest_until == clock.now()


def test_a_resting_account_that_works_goes_on_after_a_check(program: Program, clock: SetClock) -> None:
    one = account(program)
    with program.store.writing() as connection:
        for _ in range(5):
            accounts.strike(connection, one, "it said no", clock.now())
    program.commands.accounts.check(one)
    with program.store.reading() as connection:
        found = accounts.get(connection, one)
    assert (found.rest_until, found.rest_reason, found.strikes) == (None, "", 4)
