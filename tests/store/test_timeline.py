"""What the planner reads: chips between two instants, for some accounts, in pages."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from sendoff.domain.delivery import Move, PartPlan, State
from sendoff.domain.post import Content, Item, Plan, Variant
from sendoff.domain.when import When
from sendoff.store import deliveries, posts, timeline
from sendoff.store.db import Store
from sendoff.store.tables import accounts as senders
from sendoff.store.tables import deliveries as rows
from tests.store.conftest import NOW, Planner, add_account

DAY = timedelta(days=1)


def excerpts(chips: list[timeline.Chip]) -> list[str]:
    return [chip.excerpt for chip in chips]


def both(store: Store, first: int, second: int, at: datetime) -> int:
    """A post for two accounts at one time."""
    with store.writing() as connection:
        post_id = posts.insert(
            connection, 1, Content((Item("to both"),)), [Variant(first), Variant(second)], Plan(), NOW
        )
        for account_id in (first, second):
            deliveries.insert(
                connection, post_id=post_id, account_id=account_id, when=When.at(at, "Asia/Tokyo"), late="send",
                give_up_at=at, plans=[PartPlan()], now=NOW,
            )  # fmt: skip
    return post_id


def test_one_post_at_one_time_is_one_chip(store: Store, account: int) -> None:
    with store.writing() as connection:
        other = add_account(connection, "bob")
    post_id = both(store, account, other, NOW + DAY)
    with store.writing() as connection:
        deliveries.cancel(connection, 2)
    with store.reading() as connection:
        (chip,) = timeline.between(connection, NOW, NOW + 2 * DAY)
        (everything,) = timeline.of_posts(connection, [post_id])
    assert (chip.post_id, chip.at, chip.excerpt, chip.state) == (post_id, NOW + DAY, "to both", State.SCHEDULED)
    assert chip.when == When.at(NOW + DAY, "Asia/Tokyo")
    assert [seat.name for seat in chip.seats] == ["ada"]
    assert [(seat.name, seat.state) for seat in everything.seats] == [("ada", "scheduled"), ("bob", "cancelled")]
    assert everything.ids_that_can(Move.CANCEL) == (1,)
    assert chip.key == everything.key


def test_the_range_takes_its_start_and_not_its_end(store: Store, account: int, plan: Planner) -> None:
    for hour in range(4):
        plan(account, 3600 * hour, f"post {hour}")
    with store.reading() as connection:
        found = timeline.between(connection, NOW + timedelta(hours=1), NOW + timedelta(hours=3))
    assert excerpts(found) == ["post 1", "post 2"]


def test_a_filter_by_account_leaves_the_posts_whole(store: Store, account: int, plan: Planner) -> None:
    with store.writing() as connection:
        other = add_account(connection, "bob")
    both(store, account, other, NOW)
    plan(account, 60, "only ada")
    plan(other, 120, "only bob")
    with store.reading() as connection:
        found = timeline.between(connection, NOW, NOW + DAY, only_accounts={other}, workspace_id=1)
        elsewhere = timeline.between(connection, NOW, NOW + DAY, workspace_id=2)
    assert excerpts(found) == ["to both", "only bob"]
    assert [seat.name for seat in found[0].seats] == ["ada", "bob"]
    assert elsewhere == []


def test_a_page_reaches_so_far(store: Store, account: int, plan: Planner) -> None:
    with store.writing() as connection:
        other = add_account(connection, "bob")
    for minute in range(10):
        plan(other if minute % 5 == 0 else account, 60 * minute)
    with store.writing() as connection:
        deliveries.cancel(connection, 2)
    minutes = [NOW + timedelta(minutes=number) for number in range(10)]
    with store.reading() as connection:
        assert timeline.reach(connection, minutes[0], 3) == minutes[3]  # the second one is cancelled
        assert timeline.reach(connection, minutes[9], 2, back=True) == minutes[7]
        assert timeline.reach(connection, minutes[0], 2, only_accounts={other}) == minutes[5]
        assert timeline.reach(connection, minutes[0], 10) is None
        assert timeline.reach(connection, minutes[0], 1, workspace_id=2) is None


def test_what_is_tried_again_leaves_next_when_it_is_tried(store: Store, account: int, plan: Planner) -> None:
    plan(account, -3600, "refused")
    plan(account, 3600, "to come")
    again = NOW + timedelta(minutes=2)
    with store.writing() as connection:
        connection.execute(sa.update(rows).where(rows.c.id == 1).values(due_at=again))
    with store.reading() as connection:
        first, second = timeline.upcoming(connection)
    assert (first.excerpt, first.at, first.when.instant) == ("refused", NOW - timedelta(hours=1), again)
    assert (second.excerpt, second.when.instant) == ("to come", NOW + timedelta(hours=1))
    rested = NOW + timedelta(minutes=5)
    with store.writing() as connection:
        connection.execute(sa.update(senders).values(rest_until=rested))
    with store.reading() as connection:
        assert timeline.upcoming(connection)[0].when.instant == rested
        assert timeline.queue(connection)[0].leaves_at == rested
        assert timeline.queue(connection)[1].leaves_at == NOW + timedelta(hours=1)
    with store.writing() as connection:
        connection.execute(sa.update(senders).values(ready_at=NOW + timedelta(minutes=30)))
    with store.reading() as connection:
        assert timeline.upcoming(connection)[0].when.instant == NOW + timedelta(minutes=30)
        assert timeline.queue(connection)[0].leaves_at == NOW + timedelta(minutes=30)
    with store.writing() as connection:
        connection.execute(sa.update(senders).values(rest_until=None, ready_at=None))
        connection.execute(sa.update(rows).where(rows.c.id == 1).values(account_id=add_account(connection, "bob")))
        connection.execute(sa.update(senders).where(senders.c.name == "bob").values(rest_until=NOW + DAY))
    with store.reading() as connection:
        assert excerpts(timeline.upcoming(connection)) == ["to come", "refused"]
