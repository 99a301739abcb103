"""Posts come back as they were written, edits do not overwrite each other, and words find them."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa

from sendoff.domain.errors import NotFound, Refused
from sendoff.domain.post import Attachment, Content, Item, Mail, Markup, Plan, Poll, Recipient, Role, Variant
from sendoff.store import posts, timeline
from sendoff.store.db import Store
from tests.store.conftest import NOW, Planner

FULL = Content(
    (
        Item("Grüße 👨‍👩‍👧‍👦 “so”", (Attachment("a" * 64, "Ärger.png", "image/png", 3, "alt", Role.INLINE, 4, 5),)),
        Item("second", poll=Poll(("a", "b"), 600, True, True)),
    ),
    Mail(
        "Subject", "pre", Markup.HTML, "<p>{{x}}</p>", (Recipient("ada@example.org", "Ада", {"x": "1"}),),
        (Recipient("b@example.org"),), (Recipient("c@example.org"),), "r@example.org", True, "mailto:u@example.org",
    ),
)  # fmt: skip


def test_a_post_comes_back_as_it_was_written(store: Store, account: int) -> None:
    variant = Variant(account, Content((Item("own"),)), {"visibility": "private"})
    with store.writing() as connection:
        post_id = posts.insert(connection, 1, FULL, [variant], Plan("tomorrow 9", "UTC", "ask 2h"), NOW)
        found = posts.get(connection, post_id)
    assert (found.content, found.variants, found.plan) == (FULL, (variant,), Plan("tomorrow 9", "UTC", "ask 2h"))
    assert found.content_for(account) == Content((Item("own"),))
    assert found.content_for(99) == FULL


def test_deleted_words_are_gone_from_the_disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite overwrites deleted rows, where told to; its index of words keeps them until it is put together anew."""
    monkeypatch.setattr(posts, "MERGED", 1)

    def left() -> int:
        with closing(sqlite3.connect(store.path)) as raw:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return sum(file.read_bytes().lower().count(b"nzibar") for file in store.folder.glob("sendoff.db*"))

    def drop(*, begin: bool) -> bool:
        with store.writing() as connection:
            return posts.drop_old_words(connection, begin=begin)

    with store.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1
        posts.insert(connection, 1, Content((Item("stays"),)), [], Plan(), NOW)
        many = " ".join(f"Zanzibar{number:04d}" for number in range(1500))
        first, second = (posts.insert(connection, 1, Content((Item(many),)), [], Plan(), NOW) for _ in range(2))
    with store.writing() as connection:
        posts.update(connection, first, Content((Item("no longer"),)), [], Plan(), NOW)
        posts.delete(connection, second)
        rows = connection.exec_driver_sql("SELECT content FROM posts").scalars().all()
    assert "Zanzibar" not in "".join(rows)
    assert left() > 0
    more, steps = drop(begin=True), 1
    while more:
        more, steps = drop(begin=False), steps + 1
    assert left() == 0
    assert 1 < steps < 100
    assert not drop(begin=True)
    with store.reading() as connection:
        asked = sa.text("SELECT count(*) FROM posts_text WHERE posts_text MATCH :word")
        found = [connection.execute(asked, {"word": word}).scalar() for word in ("stays", "longer", "zanzibar0007")]
    assert found == [1, 1, 0]


def test_an_edit_of_an_older_version_is_refused(store: Store) -> None:
    with store.writing() as connection:
        post_id = posts.insert(connection, 1, Content((Item("one"),)), [], Plan(), NOW)
        assert posts.update(connection, post_id, Content((Item("two"),)), [], Plan(), NOW, expected=1) == 2
        with pytest.raises(Refused, match="changed in another window"):
            posts.update(connection, post_id, Content((Item("three"),)), [], Plan(), NOW, expected=1)
        assert posts.get(connection, post_id).content.items[0].text == "two"
        with pytest.raises(NotFound):
            posts.update(connection, 999, Content(), [], Plan(), NOW)


def test_drafts_are_listed_and_deleted_but_history_is_not(store: Store, plan: Planner, account: int) -> None:
    plan(account)
    with store.writing() as connection:
        posts.set_draft(connection, 1, False)
        draft = posts.insert(connection, 1, Content((Item("draft"),)), [], Plan(), NOW)
        assert [post.id for post in posts.drafts(connection)] == [draft]
        posts.delete(connection, draft)
        with pytest.raises(Refused, match="has deliveries"):
            posts.delete(connection, 1)
        assert posts.drafts(connection) == []


def test_words_find_posts(store: Store) -> None:
    with store.writing() as connection:
        first = posts.insert(connection, 1, Content((Item("Guji natural, apricot"),)), [], Plan(), NOW)
        second = posts.insert(connection, 1, Content((Item("x"), Item("Crème brûlée"))), [], Plan(), NOW)
        third = posts.insert(connection, 1, FULL, [], Plan(), NOW)
        find = lambda words: set(posts.search(connection, words))  # noqa: E731
        assert find("guji apri") == {first}
        assert find("creme") == {second}
        assert find("Subj") == {third}
        assert find("alt") == {third}
        assert find("") == find("'\"*()") == set()
        posts.update(connection, first, Content((Item("now about tea"),)), [], Plan(), NOW)
        posts.delete(connection, second)
        assert find("guji") == find("creme") == set()
        assert find("tea") == {first}


def test_a_chip_gathers_the_deliveries_of_one_post_at_one_time(store: Store, plan: Planner, account: int) -> None:
    plan(account, 60, "first")
    plan(account, 0, "second")
    with store.reading() as connection:
        chips = timeline.upcoming(connection)
        assert timeline.between(connection, NOW, NOW) == []
    assert [(chip.excerpt, len(chip.seats)) for chip in chips] == [("second", 1), ("first", 1)]


@pytest.mark.parametrize(
    ("content", "excerpt"),
    [
        (Content((Item("  a\n b "),)), "a b"),
        (Content((Item("text"),), Mail("Subject")), "Subject"),
        (Content((Item("", FULL.items[0].media),)), "alt"),
        (Content((Item("x" * 200),)), "x" * 119 + "…"),
        (Content(), ""),
    ],
)
def test_excerpts(content: Content, excerpt: str) -> None:
    assert content.excerpt() == excerpt
