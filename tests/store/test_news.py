"""What a worker tells: every end once, in order, and also what came to a stop without a try."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sendoff.domain.delivery import Move, Outcome, Receipt, State
from sendoff.domain.when import Moment
from sendoff.store import deliveries, doubts, news, outgoing
from sendoff.store.db import Connection, Store
from sendoff.store.outgoing import Begin, End, Unclaim
from tests.store.conftest import NOW, Planner


def claim(connection: Connection) -> list[int]:
    return outgoing.claim(
        connection, owner="me", until=NOW + timedelta(days=1), lease_until=NOW, room=9, per_account=9, blocked=[]
    )


def begin(store: Store, delivery_id: int) -> None:
    with store.writing() as connection:
        claim(connection)
        one = deliveries.get(connection, delivery_id)
        part = next(part for part in deliveries.parts_of(connection, delivery_id) if part.receipt is None)
        begin = Begin(one.id, one.version, "me", part.id, 1, Moment(NOW))
        assert outgoing.begin_many(connection, [begin]) == {delivery_id}


def end(store: Store, delivery_id: int, move: Move, outcome: Outcome, reason: str = "") -> None:
    with store.writing() as connection:
        one = deliveries.get(connection, delivery_id)
        part = next(part for part in deliveries.parts_of(connection, delivery_id) if part.receipt is None)
        receipt = Receipt("r-1", "https://x", refused=(("b@x.org", "unknown"),)) if outcome is Outcome.SENT else None
        outgoing.end_many(connection, [End(
            one.id, one.account_id, "me", part.id, move, outcome, NOW, f"so it ended: {reason}", receipt=receipt,
            reason=reason, due_at=NOW + timedelta(minutes=1),
        )])  # fmt: skip


class Reader:
    """Reads on from where it was."""

    def __init__(self, store: Store) -> None:
        self._store = store
        with store.reading() as connection:
            self._seen = news.seen_now(connection)

    def read(self) -> list[news.News]:
        with self._store.reading() as connection:
            found, self._seen = news.since(connection, self._seen, NOW)
        return found


@pytest.fixture
def reader(store: Store) -> Reader:
    return Reader(store)


def test_each_end_is_told_once(store: Store, account: int, plan: Planner, reader: Reader) -> None:
    one = plan(account, parts=2)
    begin(store, one)
    assert reader.read() == []
    end(store, one, Move.CONTINUE, Outcome.SENT)
    told = reader.read()
    assert [(news.what, news.part, news.parts, news.remote_id) for news in told] == [
        ("sent", 1, 2, "r-1"),
        ("refused_recipient", 0, 0, ""),
    ]
    assert told[1].reason == "b@x.org: unknown"
    assert reader.read() == []
    begin(store, one)
    end(store, one, Move.POSTPONE, Outcome.LATER, "busy")
    [later] = reader.read()
    assert (later.what, later.reason, later.state) == ("later", "so it ended: busy", State.SCHEDULED)
    assert later.due_at == NOW + timedelta(minutes=1)


def test_what_was_old_is_not_news_but_what_was_open_is(store: Store, account: int, plan: Planner) -> None:
    old = plan(account)
    begin(store, old)
    end(store, old, Move.REFUSE, Outcome.REFUSED, "no")
    open_one = plan(account)
    begin(store, open_one)
    reader = Reader(store)
    assert reader.read() == []
    with store.writing() as connection:
        doubts.recover(connection, NOW, None)
    [doubt] = reader.read()
    assert (doubt.delivery_id, doubt.what, doubt.state) == (open_one, "doubt", State.IN_DOUBT)
    with store.writing() as connection:
        doubts.settle(connection, open_one, None, NOW, summary="looked")
    [settled] = reader.read()
    assert (settled.what, settled.reason) == ("settled", "looked")


def test_the_reason_of_an_end_is_the_delivery_s(store: Store, account: int, plan: Planner, reader: Reader) -> None:
    one = plan(account)
    begin(store, one)
    end(store, one, Move.REFUSE, Outcome.REFUSED, "Given up after a day.")
    [refused] = reader.read()
    assert (refused.reason, refused.state) == ("Given up after a day.", State.FAILED)


@pytest.mark.parametrize(("move", "what", "acknowledged"), [
    (Move.MISS, "missed", False),
    (Move.MISS, "missed", True),  # skipped by its rule
    (Move.HOLD, "held", False),
])  # fmt: skip
def test_what_stops_without_a_try_is_told(
    store: Store, account: int, plan: Planner, reader: Reader, move: Move, what: str, acknowledged: bool
) -> None:
    one, two = plan(account), plan(account)
    for delivery_id in (one, two):
        with store.writing() as connection:
            claim(connection)
            found = deliveries.get(connection, delivery_id)
            if found.state is State.CLAIMED:
                outgoing.unclaim(connection, Unclaim(
                    delivery_id, account, found.version, "me", move, Moment(NOW), reason="because",
                    acknowledged=acknowledged,
                ))  # fmt: skip
    told = reader.read()
    assert [(news.delivery_id, news.what, news.reason) for news in told] == [
        (one, what, "because"), (two, what, "because"),
    ]  # fmt: skip
    assert reader.read() == []
