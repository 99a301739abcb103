"""What Activity reads: posts by page, what needs the person, and the same as a file that spreadsheets may open."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from sendoff.domain.delivery import PartPlan, Receipt, State
from sendoff.domain.errors import SetupMissing
from sendoff.domain.numbers import Numbers, Reading, total
from sendoff.domain.post import Content, Item, Mail, Plan, Variant
from sendoff.domain.when import When
from sendoff.store import accounts, activity, codec, deliveries, posts, readings, timeline
from sendoff.store.activity import Entry, Wanted, tame
from sendoff.store.db import Connection, Store
from sendoff.store.tables import deliveries as table
from sendoff.store.tables import parts
from tests.store.conftest import NOW, Planner, add_account


def put(store: Store, delivery_id: int, state: State, **values: object) -> int:
    if state is State.SENT:
        values.setdefault("sent_at", NOW)
    with store.writing() as connection:
        connection.execute(sa.update(table).where(table.c.id == delivery_id).values(state=state, **values))
    return delivery_id


def asked(store: Store, limit: int = 100, after: Entry | None = None, **wanted: object) -> list[Entry]:
    with store.reading() as connection:
        return activity.history(connection, Wanted(**wanted), limit, after)  # type: ignore[arg-type]


def words(entries: list[Entry]) -> list[str]:
    return [entry.rows[0].excerpt for entry in entries]


def everywhere(store: Store, where: list[int], seconds: float, text: str) -> list[int]:
    """One post for several accounts."""
    when = When.at(NOW + timedelta(seconds=seconds), "Europe/Berlin")
    with store.writing() as connection:
        chosen = [Variant(one) for one in where]
        post_id = posts.insert(connection, 1, Content((Item(text),)), chosen, Plan(), NOW)
        return [
            deliveries.insert(
                connection, post_id=post_id, account_id=one, when=when, late="send",
                give_up_at=when.instant + timedelta(days=1), plans=[PartPlan()], now=NOW,
            )
            for one in where
        ]  # fmt: skip


# --- posts by page ------------------------------------------------------------------------------------------------


def test_one_entry_for_a_post_at_a_time_the_latest_first(store: Store, account: int, plan: Planner) -> None:
    with store.writing() as connection:
        other = add_account(connection, "bob")
    plan(account, 10, "early")
    first, second = everywhere(store, [account, other], 20, "twice")
    put(store, first, State.SENT)
    put(store, second, State.FAILED)
    found = asked(store)
    assert words(found) == ["twice", "early"]
    assert [row.account for row in found[0].rows] == ["ada", "bob"]
    assert found[0].state is State.FAILED


def test_a_moved_delivery_of_a_post_is_an_entry_of_its_own(store: Store, account: int) -> None:
    with store.writing() as connection:
        other = add_account(connection, "bob")
    _, moved = everywhere(store, [account, other], 20, "twice")
    with store.writing() as connection:
        later = When.at(NOW + timedelta(hours=1), "UTC")
        deliveries.reschedule(connection, moved, later, later.instant)
    assert [len(entry.rows) for entry in asked(store)] == [1, 1]


def test_pages_join_without_a_gap_and_without_a_double(store: Store, account: int, plan: Planner) -> None:
    with store.writing() as connection:
        other = add_account(connection, "bob")
    for number in range(23):
        everywhere(store, [account, other], 60 * (number // 3), f"post {number}")
    whole = asked(store)
    assert len(whole) == 23
    paged: list[Entry] = []
    while page := asked(store, 4, paged[-1] if paged else None):
        assert len(page) <= 4
        paged += page
    assert paged == whole
    assert all(len(entry.rows) == 2 for entry in paged)


def test_cancelled_ones_are_left_out_unless_they_are_asked_for(store: Store, account: int, plan: Planner) -> None:
    plan(account, 1, "stays")
    put(store, plan(account, 2, "gone"), State.CANCELLED)
    assert words(asked(store)) == ["stays"]
    assert words(asked(store, states=frozenset({State.CANCELLED}))) == ["gone"]


def test_what_is_asked_for_can_be_narrowed(store: Store, account: int, plan: Planner) -> None:
    with store.writing() as connection:
        other = add_account(connection, "Harbor & Co")
    plan(account, -60, "coffee from Guji")
    put(store, plan(other, -30, "tea from Assam"), State.SENT)
    plan(other, 3600, "coffee tomorrow")
    assert words(asked(store, until=NOW)) == ["tea from Assam", "coffee from Guji"]
    assert words(asked(store, account_id=account)) == ["coffee from Guji"]
    assert words(asked(store, states=frozenset({State.SENT}))) == ["tea from Assam"]
    assert words(asked(store, words="coffee")) == ["coffee tomorrow", "coffee from Guji"]
    assert words(asked(store, words="harb")) == ["coffee tomorrow", "tea from Assam"]
    assert words(asked(store, words="100%_")) == []
    assert words(asked(store, words="  ")) == words(asked(store))
    assert words(asked(store, now=NOW)) == ["tea from Assam", "coffee from Guji"]
    assert Wanted(until=NOW, now=NOW).is_everything
    assert not Wanted(words="x").is_everything


def test_a_search_prefers_what_was_written_last(
    store: Store, account: int, plan: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("coffee coffee coffee", "tea", "and some more about coffee", "at last: coffee"):
        plan(account, -60, text)
    monkeypatch.setattr(activity, "MOST_FOUND", 2)
    assert words(asked(store, words="coffee")) == ["at last: coffee", "and some more about coffee"]


def test_a_day_is_counted_as_it_was_asked_for(store: Store, account: int, plan: Planner) -> None:
    put(store, plan(account, -60, "a"), State.SENT)
    put(store, plan(account, -50, "b"), State.SENT)
    put(store, plan(account, -40, "c"), State.FAILED)
    put(store, plan(account, -4000, "before"), State.FAILED)
    with store.reading() as connection:
        since, until = NOW - timedelta(minutes=10), NOW
        assert activity.tally(connection, Wanted(), since, until) == {State.SENT: 2, State.FAILED: 1}
        only = Wanted(states=frozenset({State.FAILED}))
        assert activity.tally(connection, only, since, until) == {State.FAILED: 1}


# --- what needs the person ----------------------------------------------------------------------------------------


def test_decisions_come_most_urgent_first_and_a_sign_in_is_one(store: Store, account: int, plan: Planner) -> None:
    with store.writing() as connection:
        other = add_account(connection, "bob")
    put(store, plan(account, 0, "missed"), State.MISSED)
    failed = put(store, plan(account, 0, "failed"), State.FAILED)
    for seconds in (90, 30, 60):
        put(store, plan(other, seconds, f"held {seconds}"), State.HELD)
    put(store, plan(account, 5, "doubt"), State.IN_DOUBT)
    with store.reading() as connection:
        found = activity.decisions(connection, 10)
        assert [one.row.excerpt for one in found] == ["doubt", "failed", "held 30", "missed"]
        assert [one.waiting for one in found] == [1, 1, 3, 1]
        assert len(found) == timeline.needs_you_count(connection)
        assert [one.row.excerpt for one in activity.decisions(connection, 2)] == ["doubt", "failed"]
        assert len(activity.dismissible(connection)) == 2
    with store.writing() as connection:
        deliveries.acknowledge(connection, failed)
    with store.reading() as connection:
        assert [one.row.excerpt for one in activity.decisions(connection, 10)] == ["doubt", "held 30", "missed"]
        assert failed not in activity.dismissible(connection)


# --- as a file ----------------------------------------------------------------------------------------------------


def written(store: Store, path: Path, wanted: Wanted = Wanted(), zone: str = "Europe/Berlin") -> list[list[str]]:
    with store.reading() as connection:
        activity.write_csv(connection, path, wanted, zone=zone, titles={"practice": "Practice"})
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def give_receipt(connection: Connection, delivery_id: int, url: str) -> None:
    receipt = {"remote_id": "42", "receipt": codec.encode(Receipt("42", url)), "sent_at": NOW}
    connection.execute(sa.update(parts).where(parts.c.delivery_id == delivery_id).values(**receipt))


def test_the_file_has_everything_in_order(store: Store, account: int, plan: Planner, tmp_path: Path) -> None:
    put(store, plan(account, 60, "later, “quoted”\nand long"), State.FAILED, reason="It said no.")
    sent = put(store, plan(account, -3, "first"), State.SENT, sent_at=NOW + timedelta(milliseconds=250))
    with store.writing() as connection:
        give_receipt(connection, sent, "https://toot.example/42")
    head, first, second = written(store, tmp_path / "out.csv")
    assert head == list(activity.HEAD)
    assert first == [
        "2026-11-23 18:51:57.000+01:00", "2026-11-23 18:52:00.250+01:00", "3.25", "ada", "Practice", "sent",
        "https://toot.example/42", "first", "", "", "", "", "", "", "",
    ]  # fmt: skip
    assert second[1:3] == ["", ""]
    assert second[5:9] == ["failed", "", "later, “quoted”\nand long", "It said no."]


def test_the_numbers_in_the_file_are_the_last_ones_of_all_parts(store: Store, account: int, tmp_path: Path) -> None:
    thread, gone = Content((Item("one"), Item("two"))), Content((Item("gone"),))
    with store.writing() as connection:
        for content in (thread, gone):
            post_id = posts.insert(connection, 1, content, [Variant(account)], Plan(), NOW)
            deliveries.insert(
                connection, post_id=post_id, account_id=account, when=When.at(NOW, "UTC"), late="send", give_up_at=NOW,
                plans=[PartPlan(item=number) for number in range(len(content.items))], now=NOW,
            )  # fmt: skip
        for part, minutes, numbers in (
            (1, 0, Numbers(9, 9, 9)), (1, 60, Numbers(10, 3, 0)), (2, 30, Numbers(4, None, 2)), (3, 60, None),
        ):  # fmt: skip
            readings.insert(connection, part, Reading(NOW + timedelta(minutes=minutes), numbers))
    head, first, second = written(store, tmp_path / "out.csv", zone="UTC")
    assert head[9:] == ["likes", "reposts", "replies", "quotes", "views", "counted at"]
    assert first[9:] == ["14", "3", "2", "", "", "2026-11-23 18:52:00.000+00:00"]
    assert second[9:] == ["", "", "", "", "", "2026-11-23 18:52:00.000+00:00"]
    with store.reading() as connection:
        latest = {one: list(readings.latest_of(connection, one).values()) for one in (1, 2)}
    assert (total(latest[1]), total(latest[2])) == (Numbers(14, 3, 2), None)  # what Activity shows


def test_a_variant_and_a_subject_are_what_is_written(store: Store, account: int, tmp_path: Path) -> None:
    when = When.at(NOW, "UTC")
    own = Content((Item("own words"), Item("and more")))
    mail = Content((Item("body"),), Mail("The subject"))
    with store.writing() as connection:
        for content, variant in ((Content((Item("for all"),)), own), (mail, None)):
            post_id = posts.insert(connection, 1, content, [Variant(account, variant)], Plan(), NOW)
            deliveries.insert(
                connection, post_id=post_id, account_id=account, when=when, late="send", give_up_at=NOW,
                plans=[PartPlan()], now=NOW,
            )  # fmt: skip
    _, first, second = written(store, tmp_path / "out.csv")
    assert (first[7], second[7]) == ("own words\n\nand more", "The subject")


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+49 30", "-1", "@SUM(A1)", " =1+1", "\t=1", "\r=1", "\n=1", "=HYPERLINK(\"http://x.example\",\"y\")"],
)  # fmt: skip
def test_no_cell_is_a_formula(store: Store, account: int, tmp_path: Path, text: str) -> None:
    with store.writing() as connection:
        accounts.update(connection, account, name=text)
        post_id = posts.insert(connection, 1, Content((Item(text),)), [Variant(account)], Plan(), NOW)
        one = deliveries.insert(
            connection, post_id=post_id, account_id=account, when=When.at(NOW, "UTC"), late="send", give_up_at=NOW,
            plans=[PartPlan()], now=NOW, reason=text,
        )  # fmt: skip
        give_receipt(connection, one, text)
    row = written(store, tmp_path / "out.csv")[1]
    for place in (3, 6, 7, 8):
        assert row[place] == f"'{text}"


def test_ordinary_text_stays_as_it_is() -> None:
    for text in ("", "a=b", "1+1", "“=”", "ada@example.org", "'quoted"):
        assert tame(text) == text


def test_only_what_was_chosen_is_written(store: Store, account: int, plan: Planner, tmp_path: Path) -> None:
    plan(account, 0, "waits")
    put(store, plan(account, 0, "sent"), State.SENT)
    put(store, plan(account, 0, "cancelled"), State.CANCELLED)
    assert [row[7] for row in written(store, tmp_path / "out.csv")[1:]] == ["waits", "sent"]
    only = Wanted(states=frozenset({State.SENT}))
    with store.reading() as connection:
        assert activity.write_csv(connection, tmp_path / "out.csv", only, zone="UTC") == 1


def test_a_file_that_cannot_be_written_leaves_the_old_one(store: Store, account: int, tmp_path: Path) -> None:
    with store.reading() as connection:
        with pytest.raises(SetupMissing, match=r"can’t be written: .*\. Choose another place\."):
            activity.write_csv(connection, tmp_path / "nowhere" / "out.csv", Wanted(), zone="UTC")
        (tmp_path / "folder.csv").mkdir()
        with pytest.raises(SetupMissing):
            activity.write_csv(connection, tmp_path / "folder.csv", Wanted(), zone="UTC")
    assert [one.name for one in tmp_path.glob("*.csv*")] == ["folder.csv"]
    assert not list(tmp_path.glob(".*.part"))
