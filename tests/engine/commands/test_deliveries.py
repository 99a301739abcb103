"""What a person can do with deliveries, and the sentence for what they can't."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sendoff.bootstrap import Program
from sendoff.domain.delivery import State
from sendoff.domain.errors import NotFound, Refused
from sendoff.domain.post import Content, Item, Variant
from sendoff.store import deliveries, timeline
from tests.engine.commands.person import account, at, draft, drafts, states


def test_moving_cancelling_and_undoing(program: Program) -> None:
    post_id = draft(program, account(program))
    ids = program.commands.posts.schedule(post_id, at(program, "tomorrow 9"))
    program.commands.deliveries.move(ids, at(program, "tomorrow 11"))
    program.commands.deliveries.cancel(ids)
    assert (states(program, *ids), drafts(program)) == ([State.CANCELLED], [post_id])
    program.commands.deliveries.restore(ids)
    assert (states(program, *ids), drafts(program)) == ([State.SCHEDULED], [])
    with program.store.reading() as connection:
        assert deliveries.get(connection, ids[0]).wall == "2026-11-24T11:00:00"


def test_what_was_cancelled_comes_back_with_the_text_of_now(program: Program) -> None:
    first, second = account(program), account(program, "bob")
    post_id = draft(program, first, second)
    taken_off, _ = program.commands.posts.schedule(post_id, at(program, "tomorrow 9"))
    thread = Content((Item("one"), Item("two")))
    program.commands.posts.edit(post_id, thread, [Variant(second)], at(program, "tomorrow 10"))
    assert states(program, taken_off) == [State.CANCELLED]
    program.commands.deliveries.restore([taken_off])
    with program.store.reading() as connection:
        assert [part.plan.item for part in deliveries.parts_of(connection, taken_off)] == [0, 1]


def test_a_post_does_not_come_back_beside_itself(program: Program) -> None:
    mine = account(program)
    post_id = draft(program, mine)
    old = program.commands.posts.schedule(post_id, at(program, "tomorrow 9"))
    program.commands.deliveries.cancel(old)
    new = program.commands.posts.schedule(post_id, at(program, "tomorrow 10"))
    for again in (
        program.commands.deliveries.restore,
        lambda ids: program.commands.deliveries.move(ids, at(program, "tomorrow 11")),
    ):
        with pytest.raises(Refused, match="stands on the timeline for that account already"):
            again(old)
    assert states(program, *old, *new) == [State.CANCELLED, State.SCHEDULED]


def test_all_or_none(program: Program) -> None:
    ids = program.commands.posts.schedule(draft(program, account(program)), at(program, "tomorrow 9"))
    with pytest.raises(NotFound):
        program.commands.deliveries.cancel([*ids, 99])
    assert states(program, *ids) == [State.SCHEDULED]


def test_the_one_of_several_that_stands_in_the_way_is_named(program: Program) -> None:
    mine = account(program)
    first, second = (
        program.commands.posts.schedule(draft(program, mine), at(program, words))[0]
        for words in ("tomorrow 9", "tomorrow 10")
    )
    program.commands.deliveries.cancel([second])
    with pytest.raises(Refused, match=rf"^Delivery {second}: It can’t be cancelled.*\. Nothing was changed\.$"):
        program.commands.deliveries.cancel([first, second])
    assert states(program, first, second) == [State.SCHEDULED, State.CANCELLED]
    with pytest.raises(Refused, match=r"^It can’t be cancelled"):
        program.commands.deliveries.cancel([second])


def in_doubt(program: Program, delivery_id: int) -> None:
    with program.store.writing() as connection:
        connection.exec_driver_sql(f"UPDATE deliveries SET state = 'in_doubt' WHERE id = {delivery_id}")


def test_nothing_goes_again_for_an_account_that_was_removed(program: Program) -> None:
    mine = account(program)
    (planned,) = program.commands.posts.schedule(draft(program, mine), at(program, "tomorrow 9"))
    (doubted,) = program.commands.posts.schedule(draft(program, mine), at(program, "tomorrow 10"))
    in_doubt(program, doubted)
    program.commands.accounts.remove(mine)
    commands = program.commands.deliveries
    for again in (lambda: commands.move([planned], at(program, "tomorrow 11")), lambda: commands.restore([planned])):
        with pytest.raises(Refused, match="account was removed"):
            again()
    assert commands.settle(doubted, sent=False) is State.CANCELLED
    with program.store.reading() as connection:
        assert deliveries.get(connection, doubted).reason == "Its account was removed."
        assert [one.detail for one in deliveries.events_of(connection, doubted)] == ["You said that it is not there."]


@pytest.mark.parametrize("word", ["retry", "move", "settle"])
def test_what_goes_again_waits_for_the_sign_in_of_its_account(program: Program, word: str) -> None:
    mine = account(program)
    ids = program.commands.posts.schedule(draft(program, mine), at(program, "tomorrow 9"))
    commands = program.commands.deliveries
    if word == "settle":
        in_doubt(program, *ids)
    with program.store.writing() as connection:
        deliveries.hold_account(connection, mine, "the key is old")
    if word == "move":
        commands.cancel(ids)
        commands.move(ids, at(program, "tomorrow 11"))
    elif word == "retry":
        commands.retry(ids)
    else:
        commands.settle(ids[0], sent=False)
    assert states(program, *ids) == [State.HELD]
    with program.store.writing() as connection:
        assert deliveries.get(connection, ids[0]).reason == "the key is old"
        assert deliveries.release_account(connection, mine) == 1
    assert states(program, *ids) == [State.SCHEDULED]


def test_several_are_shifted_together_in_wall_time(program: Program) -> None:
    mine = account(program)
    ids = [
        program.commands.posts.schedule(draft(program, mine), at(program, words))[0]
        for words in ("27 mar 2027 9", "27 mar 2027 10")
    ]
    program.commands.deliveries.shift(ids, timedelta(days=1))  # over the night in which Berlin's clocks go forward
    with program.store.reading() as connection:
        found = [deliveries.get(connection, one) for one in ids]
    assert [one.wall for one in found] == ["2027-03-28T09:00:00", "2027-03-28T10:00:00"]
    assert [one.planned_at.hour for one in found] == [7, 8]


def test_a_doubtful_delivery_is_looked_into_again_on_demand(program: Program) -> None:
    delivery_id = program.commands.posts.schedule(draft(program, account(program)), at(program, "tomorrow 9"))[0]
    with pytest.raises(Refused, match="nothing in doubt"):
        program.commands.deliveries.look_again(delivery_id)
    with pytest.raises(Refused, match="can’t be settled"):
        program.commands.deliveries.settle(delivery_id, sent=True)


def test_what_was_seen_no_longer_needs_the_person(program: Program) -> None:
    delivery_id = program.commands.posts.schedule(draft(program, account(program)), at(program, "tomorrow 9"))[0]
    with program.store.writing() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET state = 'failed'")
        assert timeline.needs_you_count(connection) == 1
    program.commands.deliveries.acknowledge([delivery_id])
    with program.store.reading() as connection:
        assert timeline.needs_you_count(connection) == 0
    program.commands.deliveries.acknowledge([delivery_id], seen=False)
    with program.store.reading() as connection:
        assert [row.delivery.id for row in timeline.needs_you(connection)] == [delivery_id]
