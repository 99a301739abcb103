"""What a person can do, and the sentence for what they can't."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from sendoff.bootstrap import Program
from sendoff.domain import problems
from sendoff.domain.absence import Cause
from sendoff.domain.account import AccountState
from sendoff.domain.delivery import State
from sendoff.domain.errors import BadInput, KeychainError, NotFound, Refused
from sendoff.domain.post import Attachment, Content, Item, Mail, Plan, Recipient, Variant
from sendoff.domain.problems import Problems
from sendoff.domain.when import When, parse_when
from sendoff.store import absences, accounts, deliveries, posts, settings, timeline
from tests.conftest import SetClock

ZONE = "Europe/Berlin"


@pytest.fixture
def program(open_profile: Callable[..., Program], clock: SetClock) -> Program:
    return open_profile(clock=clock)


def at(program: Program, words: str) -> When:
    return parse_when(words, program.clock.now(), ZONE)


def account(program: Program, name: str = "ada", **fields: str) -> int:
    return program.commands.add_account("practice", name, {"handle": f"@{name}", **fields})


def draft(program: Program, *chosen: int, text: str = "hello") -> int:
    return program.commands.save_draft(Content((Item(text),)), [Variant(one) for one in chosen])[0]


def states(program: Program, *ids: int) -> list[State]:
    with program.store.reading() as connection:
        return [deliveries.get(connection, one).state for one in ids]


def drafts(program: Program) -> list[int]:
    with program.store.reading() as connection:
        return [post.id for post in posts.drafts(connection)]


# --- posts --------------------------------------------------------------------------------------------------------


def test_a_draft_is_planned_for_all_its_accounts(program: Program) -> None:
    first, second = account(program), account(program, "bob")
    post_id = draft(program, first, second)
    assert drafts(program) == [post_id]
    ids = program.commands.schedule(post_id, at(program, "tomorrow 9"))
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
        program.commands.schedule(post_id, at(program, "tomorrow 9"))
    assert drafts(program) == [post_id]
    assert states(program, *program.commands.schedule(post_id, at(program, "tomorrow 9"), override=True)) == [
        State.SCHEDULED
    ]


@pytest.mark.parametrize("text", ["", "   "])
def test_nothing_cannot_be_sent_even_with_override(program: Program, text: str) -> None:
    post_id = draft(program, account(program), text=text)
    with pytest.raises(Problems, match="nothing to post"):
        program.commands.schedule(post_id, at(program, "tomorrow 9"), override=True)


def test_a_picture_waits_for_its_alt_text_where_that_is_required(program: Program) -> None:
    picture = Attachment(program.media.keep(b"x"), "pier.png", "image/png", 1)
    one = account(program)
    with program.store.writing() as connection:
        settings.write(connection, "alt_required", "yes")
    post_id, version = program.commands.save_draft(Content((Item("", (picture,)),)), [Variant(one)])
    with pytest.raises(Problems, match="Picture 1 has no alt text"):
        program.commands.schedule(post_id, at(program, "tomorrow 9"), override=True)
    words = Content((Item("", (replace(picture, alt="The pier"),)),))
    program.commands.save_draft(words, [Variant(one)], post_id=post_id, expected=version)
    ids = program.commands.schedule(post_id, at(program, "tomorrow 9"))
    with pytest.raises(Problems):
        program.commands.edit(
            post_id, Content((Item("", (picture,)),)), [Variant(one)], at(program, "tomorrow 9"), override=True
        )
    assert states(program, *ids) == [State.SCHEDULED]


def test_a_time_that_is_past_is_refused(program: Program, clock: SetClock) -> None:
    post_id = draft(program, account(program))
    with pytest.raises(BadInput, match="that is past"):
        program.commands.schedule(post_id, at(program, "2026-11-23T10:00"))
    when = at(program, "now")
    clock.advance(30)  # it takes a moment to press the button
    assert program.commands.schedule(post_id, when)


def test_a_post_needs_an_account_and_is_planned_once(program: Program) -> None:
    with pytest.raises(BadInput, match="Choose at least one account"):
        program.commands.schedule(draft(program), at(program, "tomorrow 9"))
    post_id = draft(program, account(program))
    program.commands.schedule(post_id, at(program, "tomorrow 9"))
    with pytest.raises(Refused, match="scheduled already"):
        program.commands.schedule(post_id, at(program, "tomorrow 9"))


def test_an_edit_changes_text_time_and_accounts_of_what_waits(program: Program) -> None:
    first, second = account(program), account(program, "bob")
    post_id = draft(program, first)
    old = program.commands.schedule(post_id, at(program, "tomorrow 9"))[0]
    thread = Content((Item("one"), Item("two")))
    program.commands.edit(
        post_id, thread, [Variant(first), Variant(second)], at(program, "tomorrow 10"), "send", Plan()
    )
    with program.store.reading() as connection:
        found = deliveries.of_post(connection, post_id)
        parts = deliveries.parts_of_many(connection, [one.id for one in found])
    assert found[0].id == old
    assert [(one.account_id, one.wall, one.late, len(parts[one.id])) for one in found] == [
        (first, "2026-11-24T10:00:00", "send", 2), (second, "2026-11-24T10:00:00", "send", 2),
    ]  # fmt: skip
    program.commands.edit(post_id, thread, [Variant(second)], at(program, "tomorrow 10"))
    assert states(program, old) == [State.CANCELLED]


def test_what_is_planned_is_no_draft_to_save(program: Program) -> None:
    one = account(program)
    post_id = draft(program, one)
    ids = program.commands.schedule(post_id, at(program, "tomorrow 9"))
    with pytest.raises(Refused, match="scheduled already"):
        program.commands.save_draft(Content((Item("behind its back"),)), [Variant(one)], post_id=post_id)
    program.commands.cancel(ids)
    program.commands.save_draft(Content((Item("a draft again"),)), [Variant(one)], post_id=post_id)
    program.commands.edit(post_id, Content((Item("planned anew"),)), [Variant(one)], at(program, "tomorrow 9"))
    assert drafts(program) == []


def test_an_edit_that_is_too_late_changes_nothing(program: Program) -> None:
    mine = account(program)
    post_id = draft(program, mine)
    delivery_id = program.commands.schedule(post_id, at(program, "tomorrow 9"))[0]
    with program.store.writing() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET state = 'sending', owner = 'me'")
    with pytest.raises(Refused, match="leaving for ada right now"):
        program.commands.edit(post_id, Content((Item("new"),)), [Variant(mine)], at(program, "tomorrow 10"))
    with program.store.reading() as connection:
        assert posts.get(connection, post_id).content.items[0].text == "hello"
    assert states(program, delivery_id) == [State.SENDING]


def test_what_has_gone_out_keeps_its_text_when_the_post_changes_for_others(program: Program) -> None:
    first, second = account(program), account(program, "bob")
    post_id = draft(program, first, second)
    sent, _ = program.commands.schedule(post_id, at(program, "tomorrow 9"))
    with program.store.writing() as connection:
        connection.exec_driver_sql(f"UPDATE deliveries SET state = 'sent', sent_at = 1 WHERE id = {sent}")
    new = Content((Item("new"),))
    program.commands.edit(post_id, new, [Variant(first), Variant(second)], at(program, "tomorrow 10"))
    with program.store.reading() as connection:
        post = posts.get(connection, post_id)
    assert [post.content_for(one).items[0].text for one in (first, second)] == ["hello", "new"]
    with pytest.raises(Refused, match="gone out already"):
        program.commands.edit(post_id, new, [Variant(first)], at(program, "tomorrow 10"))


def test_a_text_does_not_change_while_it_is_in_doubt_where_it_is_taken_off(program: Program) -> None:
    first, second = account(program), account(program, "bob")
    post_id = draft(program, first, second)
    doubtful, _ = program.commands.schedule(post_id, at(program, "tomorrow 9"))
    with program.store.writing() as connection:
        connection.exec_driver_sql(f"UPDATE deliveries SET state = 'in_doubt' WHERE id = {doubtful}")
    with pytest.raises(Refused, match="leaving for ada right now"):
        program.commands.edit(post_id, Content((Item("new"),)), [Variant(second)], at(program, "tomorrow 10"))
    with program.store.reading() as connection:
        assert posts.get(connection, post_id).content.items[0].text == "hello"


def test_a_deleted_draft_can_be_put_back(program: Program) -> None:
    post = program.commands.delete_draft(draft(program, account(program)))
    assert drafts(program) == []
    program.commands.save_draft(post.content, post.variants, post.plan)
    assert len(drafts(program)) == 1


# --- deliveries ---------------------------------------------------------------------------------------------------


def test_moving_cancelling_and_undoing(program: Program) -> None:
    post_id = draft(program, account(program))
    ids = program.commands.schedule(post_id, at(program, "tomorrow 9"))
    program.commands.move(ids, at(program, "tomorrow 11"))
    program.commands.cancel(ids)
    assert (states(program, *ids), drafts(program)) == ([State.CANCELLED], [post_id])
    program.commands.restore(ids)
    assert (states(program, *ids), drafts(program)) == ([State.SCHEDULED], [])
    with program.store.reading() as connection:
        assert deliveries.get(connection, ids[0]).wall == "2026-11-24T11:00:00"


def test_what_was_cancelled_comes_back_with_the_text_of_now(program: Program) -> None:
    first, second = account(program), account(program, "bob")
    post_id = draft(program, first, second)
    taken_off, _ = program.commands.schedule(post_id, at(program, "tomorrow 9"))
    thread = Content((Item("one"), Item("two")))
    program.commands.edit(post_id, thread, [Variant(second)], at(program, "tomorrow 10"))
    assert states(program, taken_off) == [State.CANCELLED]
    program.commands.restore([taken_off])
    with program.store.reading() as connection:
        assert [part.plan.item for part in deliveries.parts_of(connection, taken_off)] == [0, 1]


def test_a_post_does_not_come_back_beside_itself(program: Program) -> None:
    mine = account(program)
    post_id = draft(program, mine)
    old = program.commands.schedule(post_id, at(program, "tomorrow 9"))
    program.commands.cancel(old)
    new = program.commands.schedule(post_id, at(program, "tomorrow 10"))
    for again in (program.commands.restore, lambda ids: program.commands.move(ids, at(program, "tomorrow 11"))):
        with pytest.raises(Refused, match="stands on the timeline for that account already"):
            again(old)
    assert states(program, *old, *new) == [State.CANCELLED, State.SCHEDULED]


def test_all_or_none(program: Program) -> None:
    ids = program.commands.schedule(draft(program, account(program)), at(program, "tomorrow 9"))
    with pytest.raises(NotFound):
        program.commands.cancel([*ids, 99])
    assert states(program, *ids) == [State.SCHEDULED]


def test_several_are_shifted_together_in_wall_time(program: Program) -> None:
    mine = account(program)
    ids = [
        program.commands.schedule(draft(program, mine), at(program, words))[0]
        for words in ("27 mar 2027 9", "27 mar 2027 10")
    ]
    program.commands.shift(ids, timedelta(days=1))  # over the night in which Berlin's clocks go forward
    with program.store.reading() as connection:
        found = [deliveries.get(connection, one) for one in ids]
    assert [one.wall for one in found] == ["2027-03-28T09:00:00", "2027-03-28T10:00:00"]
    assert [one.planned_at.hour for one in found] == [7, 8]


def test_a_doubtful_delivery_is_looked_into_again_on_demand(program: Program) -> None:
    delivery_id = program.commands.schedule(draft(program, account(program)), at(program, "tomorrow 9"))[0]
    with pytest.raises(Refused, match="nothing in doubt"):
        program.commands.look_again(delivery_id)
    with pytest.raises(Refused, match="can’t be settled"):
        program.commands.settle(delivery_id, sent=True)


def test_what_was_seen_no_longer_needs_the_person(program: Program) -> None:
    delivery_id = program.commands.schedule(draft(program, account(program)), at(program, "tomorrow 9"))[0]
    with program.store.writing() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET state = 'failed'")
        assert timeline.needs_you_count(connection) == 1
    program.commands.acknowledge([delivery_id])
    with program.store.reading() as connection:
        assert timeline.needs_you_count(connection) == 0
    program.commands.acknowledge([delivery_id], seen=False)
    with program.store.reading() as connection:
        assert [row.delivery.id for row in timeline.needs_you(connection)] == [delivery_id]


# --- accounts -----------------------------------------------------------------------------------------------------


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
        program.commands.add_account("practice", "ada", fields)
    with program.store.reading() as connection:
        assert accounts.every(connection) == []


def test_names_tell_accounts_apart(program: Program) -> None:
    first = account(program)
    with pytest.raises(BadInput, match="called “ADA” already"):
        account(program, "ADA")
    program.commands.rename_account(first, "Countess")
    with program.store.reading() as connection:
        assert accounts.resolve(connection, "countess").id == first
        assert accounts.resolve(connection, "@ada").id == first
        assert accounts.resolve(connection, str(first)).id == first
        with pytest.raises(NotFound, match="There are: Countess"):
            accounts.resolve(connection, "bob")


def test_an_unknown_channel_is_answered_with_what_there_is(program: Program) -> None:
    with pytest.raises(NotFound, match=r"There are: .*practice"):
        program.commands.add_account("pigeon", "p", {})


def test_signing_in_again_releases_what_waited(program: Program) -> None:
    mine = account(program)
    ids = program.commands.schedule(draft(program, mine), at(program, "tomorrow 9"))
    with program.store.writing() as connection:
        deliveries.hold_account(connection, mine, "the key is old")
    program.commands.move(ids, at(program, "tomorrow 10"))
    with program.store.reading() as connection:
        held = deliveries.get(connection, ids[0])
    assert (held.state, held.reason) == (State.HELD, "the key is old"), "at another time it waits for the same"
    assert program.commands.reconnect(mine, {}) == 1
    assert states(program, *ids) == [State.SCHEDULED]
    with program.store.reading() as connection:
        assert accounts.get(connection, mine).state is AccountState.WORKING
    with pytest.raises(BadInput, match="That is @bob, but this account is @ada"):
        program.commands.reconnect(mine, {"handle": "@bob"})


def test_a_sign_in_can_be_tried_with_what_the_account_has(program: Program) -> None:
    mine = account(program, answers="later:5")
    assert program.commands.connect("practice", {}, account_id=mine).handle == "@ada"
    with program.store.reading() as connection:
        assert accounts.get(connection, mine).settings["answers"] == "later:5"
    program.commands.reconnect(mine, {"answers": ""})
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
        program.commands.connect(kind, fields)
    assert refused.value.field == wrong


def test_removing_an_account_cancels_what_waits_and_keeps_history(program: Program) -> None:
    mine = account(program)
    ids = program.commands.schedule(draft(program, mine), at(program, "tomorrow 9"))
    assert program.commands.remove_account(mine) == 1
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
        program.commands.remove_account(mine)
    with program.store.reading() as connection:
        assert accounts.every(connection) == []


def test_problems_come_per_account_while_typing(program: Program) -> None:
    first, second = account(program), account(program, "mail", takes="mail")
    with program.store.reading() as connection:
        known = {one.id: one for one in accounts.every(connection)}
    content = Content((Item("x" * 600),), Mail("Hi", to=(Recipient("a@example.org"),)))
    variants = [Variant(first), Variant(second)]
    found = problems.find(content, variants, known, program.channels, alt_required=False)
    assert [(one.account.name, one.problem.code) for one in found] == [("ada", "text")]


# --- everything ---------------------------------------------------------------------------------------------------


def test_settings_and_the_zone(program: Program) -> None:
    program.commands.set("zone", "Asia/Tokyo")
    assert program.commands.zone() == "Asia/Tokyo"
    with pytest.raises(BadInput):
        program.commands.set("zone", "Moon/Base")


# --- lateness, rests, absences ------------------------------------------------------------------------------------


def test_the_posts_rule_counts_then_the_accounts_then_the_preference(program: Program) -> None:
    plain, own = account(program), account(program, "bob")
    program.commands.set("late", "ask 15m")
    program.commands.set_account_late(own, "skip 30 min")

    def rules(late: str) -> list[str]:
        ids = program.commands.schedule(draft(program, plain, own), at(program, "tomorrow 9"), late)
        with program.store.reading() as connection:
            return [deliveries.get(connection, one).late for one in ids]

    assert rules("") == ["ask 15m", "skip 30m"]
    assert rules("next 2h") == ["next 2h", "next 2h"]
    program.commands.set_account_late(own, "")
    assert rules("") == ["ask 15m", "ask 15m"]
    with pytest.raises(BadInput, match="not a rule for lateness"):
        program.commands.set_account_late(own, "whenever")


def test_a_resting_account_can_be_asked_at_once(program: Program, clock: SetClock) -> None:
    one = account(program)
    with pytest.raises(Refused, match="does not rest"):
        program.commands.wake_account(one)
    with program.store.writing() as connection:
        for _ in range(5):
            deliveries.strike(connection, one, "it said no", clock.now())
    program.commands.wake_account(one)
    with program.store.reading() as connection:
        assert accounts.get(connection, one).rest_until == clock.now()


def test_what_the_person_has_seen_is_not_told_again(program: Program, clock: SetClock) -> None:
    program.commands.schedule(draft(program, account(program)), at(program, "in 10 min"))
    began = clock.now()
    clock.advance(3600)
    with program.store.writing() as connection:
        assert absences.note(connection, Cause.OFF, began, clock.now())
    with program.store.reading() as connection:
        assert absences.welcome(connection) is not None
    program.commands.welcomed()
    with program.store.reading() as connection:
        assert absences.welcome(connection) is None


def test_a_resting_account_that_works_goes_on_after_a_check(program: Program, clock: SetClock) -> None:
    one = account(program)
    with program.store.writing() as connection:
        for _ in range(5):
            accounts.strike(connection, one, "it said no", clock.now())
    program.commands.check_account(one)
    with program.store.reading() as connection:
        found = accounts.get(connection, one)
    assert (found.rest_until, found.rest_reason, found.strikes) == (None, "", 4)


# --- taking back what is out --------------------------------------------------------------------------------------


def test_what_is_not_out_or_not_known_can_not_be_deleted(program: Program) -> None:
    """What can be is tried with real channels, in tests/cli/test_canaries.py."""
    (one,) = program.commands.schedule(draft(program, account(program)), at(program, "tomorrow 9"))
    with pytest.raises(Refused, match="Cancel it instead"):
        program.commands.delete_sent(one)
    for state, words in (("in_doubt", "Settle that first"), ("handed_over", "on its way")):
        with program.store.writing() as connection:
            connection.exec_driver_sql(f"UPDATE deliveries SET state = '{state}' WHERE id = {one}")
        with pytest.raises(Refused, match=words):
            program.commands.delete_sent(one)
    with program.store.writing() as connection:
        connection.exec_driver_sql(f"UPDATE deliveries SET state = 'in_doubt' WHERE id = {one}")
    program.commands.settle(one, sent=True)
    program.channels["practice"].can_delete = False
    with pytest.raises(Refused, match="takes nothing back"):
        program.commands.delete_sent(one)
    program.channels["practice"].can_delete = True
    with pytest.raises(Refused, match="does not know its number"):
        program.commands.delete_sent(one)
