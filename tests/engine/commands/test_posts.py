"""Writing, planning and changing posts, and the sentence for what can't be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sendoff.bootstrap import Program
from sendoff.domain.delivery import State
from sendoff.domain.errors import BadInput, Refused
from sendoff.domain.post import Attachment, Content, Item, Plan, Variant
from sendoff.domain.problems import Problems
from sendoff.store import deliveries, posts, settings
from tests.conftest import SetClock
from tests.engine.commands.person import ZONE, account, at, draft, drafts, states


def test_a_draft_is_planned_for_all_its_accounts(program: Program) -> None:
    first, second = account(program), account(program, "bob")
    post_id = draft(program, first, second)
    assert drafts(program) == [post_id]
    ids = program.commands.posts.schedule(post_id, at(program, "tomorrow 9"))
    assert states(program, *ids) == [State.SCHEDULED, State.SCHEDULED]
    assert drafts(program) == []
    with program.store.reading() as connection:
        one = deliveries.get(connection, ids[0])
    assert (one.wall, one.zone, one.late) == ("2026-11-24T09:00:00", ZONE, "ask 2h")
    assert one.give_up_at - one.planned_at == timedelta(hours=24)


def test_what_cannot_go_out_is_refused_and_nothing_is_lost(program: Program) -> None:
    mine = account(program)
    post_id = draft(program, mine, text="x" * 501)
    with pytest.raises(Problems, match="ada: 1 too many for Practice"):
        program.commands.posts.schedule(post_id, at(program, "tomorrow 9"))
    assert drafts(program) == [post_id]
    assert states(program, *program.commands.posts.schedule(post_id, at(program, "tomorrow 9"), override=True)) == [
        State.SCHEDULED
    ]


@pytest.mark.parametrize("text", ["", "   "])
def test_nothing_cannot_be_sent_even_with_override(program: Program, text: str) -> None:
    post_id = draft(program, account(program), text=text)
    with pytest.raises(Problems, match="nothing to post"):
        program.commands.posts.schedule(post_id, at(program, "tomorrow 9"), override=True)


def test_a_picture_waits_for_its_alt_text_where_that_is_required(program: Program) -> None:
    picture = Attachment(program.media.keep(b"x"), "pier.png", "image/png", 1)
    one = account(program)
    with program.store.writing() as connection:
        settings.write(connection, "alt_required", "yes")
    post_id, version = program.commands.posts.save_draft(Content((Item("", (picture,)),)), [Variant(one)])
    with pytest.raises(Problems, match="Picture 1 has no alt text"):
        program.commands.posts.schedule(post_id, at(program, "tomorrow 9"), override=True)
    words = Content((Item("", (replace(picture, alt="The pier"),)),))
    program.commands.posts.save_draft(words, [Variant(one)], post_id=post_id, expected=version)
    ids = program.commands.posts.schedule(post_id, at(program, "tomorrow 9"))
    with pytest.raises(Problems):
        program.commands.posts.edit(
            post_id, Content((Item("", (picture,)),)), [Variant(one)], at(program, "tomorrow 9"), override=True
        )
    assert states(program, *ids) == [State.SCHEDULED]


def test_a_time_that_is_past_is_refused(program: Program, clock: SetClock) -> None:
    post_id = draft(program, account(program))
    with pytest.raises(BadInput, match="that is past"):
        program.commands.posts.schedule(post_id, at(program, "2026-11-23T10:00"))
    when = at(program, "now")
    clock.advance(30)  # it takes a moment to press the button
    assert program.commands.posts.schedule(post_id, when)


def test_a_post_needs_an_account_and_is_planned_once(program: Program) -> None:
    with pytest.raises(BadInput, match="Choose at least one account"):
        program.commands.posts.schedule(draft(program), at(program, "tomorrow 9"))
    post_id = draft(program, account(program))
    program.commands.posts.schedule(post_id, at(program, "tomorrow 9"))
    with pytest.raises(Refused, match="scheduled already"):
        program.commands.posts.schedule(post_id, at(program, "tomorrow 9"))


def test_the_posts_rule_counts_then_the_accounts_then_the_preference(program: Program) -> None:
    plain, own = account(program), account(program, "bob")
    program.commands.settings.set("late", "ask 15m")
    program.commands.accounts.set_late(own, "skip 30 min")

    def rules(late: str) -> list[str]:
        ids = program.commands.posts.schedule(draft(program, plain, own), at(program, "tomorrow 9"), late)
        with program.store.reading() as connection:
            return [deliveries.get(connection, one).late for one in ids]

    assert rules("") == ["ask 15m", "skip 30m"]
    assert rules("next 2h") == ["next 2h", "next 2h"]
    program.commands.accounts.set_late(own, "")
    assert rules("") == ["ask 15m", "ask 15m"]
    with pytest.raises(BadInput, match="not a rule for lateness"):
        program.commands.accounts.set_late(own, "whenever")


def test_an_edit_changes_text_time_and_accounts_of_what_waits(program: Program) -> None:
    first, second = account(program), account(program, "bob")
    post_id = draft(program, first)
    old = program.commands.posts.schedule(post_id, at(program, "tomorrow 9"))[0]
    thread = Content((Item("one"), Item("two")))
    program.commands.posts.edit(
        post_id, thread, [Variant(first), Variant(second)], at(program, "tomorrow 10"), "send", Plan()
    )
    with program.store.reading() as connection:
        found = deliveries.of_post(connection, post_id)
        parts = deliveries.parts_of_many(connection, [one.id for one in found])
    assert found[0].id == old
    assert [(one.account_id, one.wall, one.late, len(parts[one.id])) for one in found] == [
        (first, "2026-11-24T10:00:00", "send", 2), (second, "2026-11-24T10:00:00", "send", 2),
    ]  # fmt: skip
    program.commands.posts.edit(post_id, thread, [Variant(second)], at(program, "tomorrow 10"))
    assert states(program, old) == [State.CANCELLED]


def test_what_is_planned_is_no_draft_to_save(program: Program) -> None:
    one = account(program)
    post_id = draft(program, one)
    ids = program.commands.posts.schedule(post_id, at(program, "tomorrow 9"))
    with pytest.raises(Refused, match="scheduled already"):
        program.commands.posts.save_draft(Content((Item("behind its back"),)), [Variant(one)], post_id=post_id)
    program.commands.deliveries.cancel(ids)
    program.commands.posts.save_draft(Content((Item("a draft again"),)), [Variant(one)], post_id=post_id)
    program.commands.posts.edit(post_id, Content((Item("planned anew"),)), [Variant(one)], at(program, "tomorrow 9"))
    assert drafts(program) == []


def test_an_edit_that_is_too_late_changes_nothing(program: Program) -> None:
    mine = account(program)
    post_id = draft(program, mine)
    delivery_id = program.commands.posts.schedule(post_id, at(program, "tomorrow 9"))[0]
    with program.store.writing() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET state = 'sending', owner = 'me'")
    with pytest.raises(Refused, match="leaving for ada right now"):
        program.commands.posts.edit(post_id, Content((Item("new"),)), [Variant(mine)], at(program, "tomorrow 10"))
    with program.store.reading() as connection:
        assert posts.get(connection, post_id).content.items[0].text == "hello"
    assert states(program, delivery_id) == [State.SENDING]


def test_what_has_gone_out_keeps_its_text_when_the_post_changes_for_others(program: Program) -> None:
    first, second = account(program), account(program, "bob")
    post_id = draft(program, first, second)
    sent, _ = program.commands.posts.schedule(post_id, at(program, "tomorrow 9"))
    with program.store.writing() as connection:
        connection.exec_driver_sql(f"UPDATE deliveries SET state = 'sent', sent_at = 1 WHERE id = {sent}")
    new = Content((Item("new"),))
    program.commands.posts.edit(post_id, new, [Variant(first), Variant(second)], at(program, "tomorrow 10"))
    with program.store.reading() as connection:
        post = posts.get(connection, post_id)
    assert [post.content_for(one).items[0].text for one in (first, second)] == ["hello", "new"]
    with pytest.raises(Refused, match="gone out already"):
        program.commands.posts.edit(post_id, new, [Variant(first)], at(program, "tomorrow 10"))


def test_a_text_does_not_change_while_it_is_in_doubt_where_it_is_taken_off(program: Program) -> None:
    first, second = account(program), account(program, "bob")
    post_id = draft(program, first, second)
    doubtful, _ = program.commands.posts.schedule(post_id, at(program, "tomorrow 9"))
    with program.store.writing() as connection:
        connection.exec_driver_sql(f"UPDATE deliveries SET state = 'in_doubt' WHERE id = {doubtful}")
    with pytest.raises(Refused, match="leaving for ada right now"):
        program.commands.posts.edit(post_id, Content((Item("new"),)), [Variant(second)], at(program, "tomorrow 10"))
    with program.store.reading() as connection:
        assert posts.get(connection, post_id).content.items[0].text == "hello"


def test_a_deleted_draft_can_be_put_back(program: Program) -> None:
    post = program.commands.posts.delete_draft(draft(program, account(program)))
    assert drafts(program) == []
    program.commands.posts.save_draft(post.content, post.variants, post.plan)
    assert len(drafts(program)) == 1
