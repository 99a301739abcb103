"""Changes to planned posts that were not saved, and the accounts that were chosen last."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sendoff.bootstrap import Program
from sendoff.domain.post import Content, Item, Mail, Plan, Post, Recipient, Variant
from sendoff.domain.when import When
from sendoff.store import posts
from sendoff.store.unsaved import Unsaved

NOW = datetime(2026, 11, 23, 17, 52, tzinfo=UTC)


def test_unsaved_changes_are_kept_in_a_private_file(tmp_path: Path) -> None:
    unsaved = Unsaved(tmp_path)
    assert unsaved.read(1) is None
    changed = Post(
        1, 1, Content((Item("changed"),), Mail("Hi", to=(Recipient("ada@example.org", "Ada", {"city": "London"}),))), 4,
        NOW, NOW, (Variant(2, options={"a": "b"}),), Plan("now", "", "send"),
    )  # fmt: skip
    unsaved.keep(changed)
    assert unsaved.read(1) == changed
    file = tmp_path / "unsaved" / "1.json"
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("{half")
    assert unsaved.read(1) is None
    unsaved.forget(1)
    unsaved.forget(1)
    assert not file.exists()


def test_the_accounts_of_the_post_that_was_planned_last(program: Program) -> None:
    commands = program.commands
    ids = [commands.accounts.add("practice", name, {"handle": f"@{name}"}) for name in ("a", "b", "c")]
    with program.store.reading() as connection:
        assert posts.last_chosen(connection, 1) == []
    for chosen in ([ids[0]], [ids[1], ids[2]]):
        post_id, _ = commands.posts.save_draft(Content((Item("x"),)), [Variant(one) for one in chosen])
        commands.posts.schedule(post_id, When.at(program.clock.now(), "UTC"))
    commands.posts.save_draft(Content((Item("a draft"),)), [Variant(ids[0])])
    with program.store.reading() as connection:
        assert posts.last_chosen(connection, 1) == ids[1:]
        assert posts.last_chosen(connection, 99) == []
