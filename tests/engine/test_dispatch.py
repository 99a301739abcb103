"""The story of a try: each of the four ends leads where it has to, threads go part by part, nothing is untrue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from sendoff.domain.account import Account, AccountState
from sendoff.domain.channel import Frozen, How, Parcel, Settle
from sendoff.domain.delivery import Outcome, Receipt, State
from sendoff.domain.errors import CannotLook, Dropped, InDoubt, KeychainLocked, NeedsLogin, Refused, Rejected, TryLater
from sendoff.domain.post import Attachment, Content, Copy, Item, Mail, Recipient, Variant
from sendoff.domain.when import When
from sendoff.engine import limiter
from sendoff.store import accounts, deliveries, doubts, posts
from sendoff.store.tables import attempts
from tests.conftest import SetClock
from tests.engine.driver import ZONE, Driver, Scripted


def test_a_sent_delivery_has_a_receipt_and_an_attempt(driver: Driver) -> None:
    delivery_id = driver.schedule("hello")
    driver.run()
    detail = driver.detail(delivery_id)
    assert detail.row.delivery.state is State.SENT
    assert detail.row.url == "https://scripted.example/1"
    assert [(one.outcome, one.number) for one in detail.attempts] == [(Outcome.SENT, 1)]
    assert driver.channel.ledger == [detail.parts[0].key]


def test_each_network_gets_the_form_of_a_picture_that_it_takes(driver: Driver) -> None:
    picture = Attachment(
        "1" * 64, "a.png", "image/png", 5000, "words", copies=(Copy("2" * 64, "image/jpeg", 900, 9, 9),)
    )
    content = Content((Item("one"), Item("two", (picture,))))
    driver.channel.capabilities = replace(driver.channel.capabilities, media=1, image_bytes=1000)
    post_id, _ = driver.commands.posts.save_draft(content, [Variant(driver.account)])
    driver.commands.posts.schedule(post_id, When.at(driver.clock.now(), ZONE))
    driver.run()
    driver.run()
    got = driver.channel.parcels[1]
    (form,) = got.item.media
    assert (form.sha256, form.mime, form.size, form.name, form.alt) == ("2" * 64, "image/jpeg", 900, "a.png", "words")
    assert got.content.items[1] == got.item
    with driver.store.reading() as connection:
        assert posts.get(connection, post_id).content == content  # and the original stays in the post


def test_no_secret_is_kept_with_an_attempt(driver: Driver, tmp_path: Path) -> None:
    driver.channel.answers = [Rejected("no, CANARY-0123456789", advice="CANARY-0123456789", detail="CANARY-0123456789")]
    driver.schedule("hello")
    driver.run()
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or b"CANARY" not in file.read_bytes(), file


def test_a_refusal_is_final_and_says_why(driver: Driver) -> None:
    driver.channel.answers = [Rejected("Scripted refused it: “duplicate”.", advice="Change a word.", status=403)]
    delivery_id = driver.schedule("hello")
    driver.run()
    failed = driver.get(delivery_id)
    assert (failed.state, failed.reason, failed.advice) == (
        State.FAILED, "Scripted refused it: “duplicate”.", "Change a word.",
    )  # fmt: skip
    driver.clock.advance(86_400)
    assert driver.step() == []


def test_later_means_later_with_growing_pauses_until_patience_ends(driver: Driver) -> None:
    driver.channel.answers = [TryLater("busy") for _ in range(200)]
    delivery_id = driver.schedule("hello")
    pauses = []
    while (now := driver.get(delivery_id)).state is State.SCHEDULED:
        driver.clock.advance(max((now.due_at - driver.clock.now()).total_seconds(), 0))
        driver.wake()
        driver.run()
        pauses.append((driver.get(delivery_id).due_at - driver.clock.now()).total_seconds())
    assert 7.5 <= pauses[0] <= 15
    assert 15 <= pauses[1] <= 30
    assert max(pauses) <= 1800
    ended = driver.get(delivery_id)
    assert ended.state is State.FAILED
    assert ended.reason.startswith("Given up after 24 h of trying.") or ended.reason.startswith("Given up after 23 h")
    assert driver.channel.ledger == []


def test_the_endpoints_wish_is_kept_to(driver: Driver) -> None:
    driver.channel.answers = [TryLater("slow down", after=timedelta(seconds=90))]
    delivery_id = driver.schedule("hello")
    driver.run()
    now = driver.clock.now()
    assert timedelta(seconds=90) <= driver.get(delivery_id).due_at - now <= timedelta(seconds=99)
    with driver.store.reading() as connection:
        ready_at = accounts.get(connection, driver.account).ready_at
    assert ready_at == now + timedelta(seconds=90)  # the whole account waits
    driver.clock.advance(100)
    driver.run()
    assert driver.get(delivery_id).state is State.SENT


def test_a_wish_that_outlasts_the_patience_is_kept_to_once(driver: Driver) -> None:
    driver.channel.answers = [TryLater("that was all for today", after=timedelta(hours=24)) for _ in range(2)]
    delivery_id = driver.schedule("hello")
    driver.run()
    assert driver.get(delivery_id).state is State.SCHEDULED
    driver.clock.advance(25 * 3600)
    driver.run()
    ended = driver.get(delivery_id)
    assert ended.state is State.FAILED
    assert ended.reason.startswith("Given up after 1 day"), ended.reason


def test_being_offline_spends_no_try_and_pauses_stay_short(driver: Driver) -> None:
    driver.channel.answers = [TryLater("offline", offline=True) for _ in range(30)]
    delivery_id = driver.schedule("hello")
    for _ in range(30):
        driver.run()
        assert (driver.get(delivery_id).due_at - driver.clock.now()).total_seconds() <= 25
        driver.clock.advance(25)
    assert driver.get(delivery_id).tries == 0
    driver.run()
    assert driver.get(delivery_id).state is State.SENT


def test_a_sign_in_holds_the_account_and_keeps_every_time(driver: Driver) -> None:
    driver.channel.answers = [NeedsLogin("the key is old")]
    first, second = driver.schedule("one"), driver.schedule("two", seconds=600)
    driver.run()
    assert [driver.get(one).state for one in (first, second)] == [State.HELD, State.HELD]
    with driver.store.reading() as connection:
        assert accounts.get(connection, driver.account).state is AccountState.SIGN_IN
    planned = driver.get(second).planned_at
    with driver.store.writing() as connection:
        deliveries.release_account(connection, driver.account)
    driver.clock.advance(600)
    driver.run()
    assert [driver.get(one).state for one in (first, second)] == [State.SENT, State.SENT]
    assert driver.get(second).planned_at == planned


class SignedOutHalfway(Scripted):
    capabilities = replace(Scripted.capabilities, prepares=True)

    def prepare(self, parcel: Parcel) -> Mapping[str, Any]:
        if parcel.number == 2:
            raise NeedsLogin("the key is old")
        return {}


@pytest.mark.parametrize("ahead", [False, True])
def test_what_is_held_along_is_not_said_to_be_half_out(tmp_path: Path, clock: SetClock, ahead: bool) -> None:
    driver = Driver(tmp_path / "halfway", clock, SignedOutHalfway() if ahead else Scripted())
    driver.channel.answers = [None] if ahead else [None, NeedsLogin("the key is old")]
    first, second = driver.schedule("one", "two"), driver.schedule("other", seconds=600)
    driver.run()
    assert [driver.get(one).reason for one in (first, second)] == [
        "Part 1 of 2 is out; then: the key is old", "the key is old",
    ]  # fmt: skip
    with driver.store.reading() as connection:
        assert accounts.get(connection, driver.account).reason == "the key is old"


def test_what_is_planned_for_a_held_account_waits_too(driver: Driver) -> None:
    driver.channel.answers = [NeedsLogin("the key is old")]
    driver.schedule("one")
    driver.run()
    assert driver.get(driver.schedule("two")).state is State.HELD


def test_doubt_is_never_repeated_by_itself(driver: Driver) -> None:
    driver.channel.answers = [InDoubt("no answer")]
    delivery_id = driver.schedule("hello")
    driver.run()
    driver.clock.advance(86_400)
    driver.run()
    driver.look()
    assert (driver.get(delivery_id).state, driver.get(delivery_id).reason) == (State.IN_DOUBT, "no answer")
    assert len(driver.channel.parcels) == 1


@pytest.mark.expects_log("the channel scripted failed")
def test_our_own_mistake_is_doubt_and_loud(driver: Driver, caplog: pytest.LogCaptureFixture) -> None:
    driver.channel.answers = [ZeroDivisionError("oops")]
    delivery_id = driver.schedule("hello")
    driver.run()
    assert driver.get(delivery_id).state is State.IN_DOUBT
    assert "Sendoff itself failed" in driver.get(delivery_id).reason
    assert "the channel scripted failed" in caplog.text


# --- threads and batches ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own_ids", [True, False])
def test_the_id_of_another_post_is_no_receipt_where_each_has_its_own(driver: Driver, own_ids: bool) -> None:
    driver.channel.own_ids = own_ids
    driver.schedule("the first")
    driver.run()
    driver.channel.answers = [Receipt("id-1")]
    delivery_id = driver.schedule("the second")
    driver.run()
    found = driver.get(delivery_id)
    assert found.state is (State.IN_DOUBT if own_ids else State.SENT)
    if own_ids:
        assert found.reason == "Scripted answered with the id of another post (id-1). It may have gone out."
    assert driver.detail(delivery_id).parts[0].receipt == (None if own_ids else Receipt("id-1"))


def test_a_look_that_names_another_post_found_nothing(driver: Driver) -> None:
    driver.channel.own_ids = True
    driver.schedule("hello")
    driver.run()
    delivery_id = doubtful(driver, SEARCH)
    driver.clock.advance(31)
    driver.channel.looks = [Receipt("id-1"), Receipt("id-2")]
    driver.look()
    found = driver.get(delivery_id)
    assert (found.state, found.looks) == (State.IN_DOUBT, 1)
    assert "the id of another post (id-1)" in found.reason
    driver.clock.advance(31)
    driver.look()
    assert driver.get(delivery_id).state is State.SENT


def test_a_thread_goes_part_by_part_each_knowing_the_ones_before(driver: Driver) -> None:
    delivery_id = driver.schedule("one", "two", "three")
    driver.run()
    assert driver.get(delivery_id).state is State.SENT
    assert [parcel.item.text for parcel in driver.channel.parcels] == ["one", "two", "three"]
    assert [[one.remote_id for one in parcel.previous] for parcel in driver.channel.parcels] == [
        [], ["id-1"], ["id-1", "id-2"],
    ]  # fmt: skip
    assert len(set(driver.channel.ledger)) == 3


def test_a_refused_part_holds_the_rest_and_says_what_is_out(driver: Driver) -> None:
    driver.channel.answers = [None, None, Rejected("too rude")]
    delivery_id = driver.schedule("one", "two", "three", "four")
    driver.run()
    failed = driver.get(delivery_id)
    assert failed.state is State.FAILED
    assert failed.reason == "Parts 1 to 2 of 4 are out; then: too rude"
    driver.commands.deliveries.retry([delivery_id])
    driver.run()
    assert driver.get(delivery_id).state is State.SENT
    assert len(driver.channel.ledger) == len(set(driver.channel.ledger)) == 4


def test_what_is_half_out_goes_on_whatever_the_rule_says(driver: Driver) -> None:
    driver.channel.answers = [None, TryLater("busy", after=timedelta(hours=3))]
    delivery_id = driver.schedule("one", "two", late="skip 5m")
    driver.run()
    driver.clock.advance(4 * 3600)
    driver.run()
    assert driver.get(delivery_id).state is State.SENT


def test_spacing_lies_between_the_parts_too(driver: Driver) -> None:
    slow = driver.add_account("slow", spacing=10)
    delivery_id = driver.schedule("one", "two", account=slow)
    driver.run()
    assert len(driver.channel.ledger) == 1
    assert driver.get(delivery_id).due_at == driver.clock.now() + timedelta(seconds=10)
    driver.clock.advance(10)
    driver.run()
    assert driver.get(delivery_id).state is State.SENT


# --- once and always the same -------------------------------------------------------------------------------------


def test_what_was_frozen_at_the_first_try_is_sent_in_every_try(driver: Driver) -> None:
    driver.channel.answers = [TryLater("busy", after=timedelta(seconds=1))]
    driver.schedule("hello")
    driver.run()
    driver.clock.advance(5)
    driver.run()
    first, second = driver.channel.parcels
    assert (first.key, first.frozen, first.blob) == (second.key, second.frozen, second.blob)
    assert (driver.channel.arms, second.blob) == (1, b"frozen bytes")
    assert (first.first_try, second.first_try) == (None, first.now)


# --- lateness -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("late", "after", "state", "needs_you"),
    [
        ("send", 86_400 * 9, State.SENT, False),
        ("ask 2h", 7200, State.SENT, False),
        ("ask 2h", 7300, State.MISSED, True),
        ("skip 10m", 700, State.MISSED, False),
    ],
)
def test_the_rule_decides_about_what_is_late(
    driver: Driver, late: str, after: float, state: State, needs_you: bool
) -> None:
    delivery_id = driver.schedule("hello", late=late)
    driver.clock.advance(after)
    driver.run()
    ended = driver.get(delivery_id)
    assert ended.state is state
    if state is State.MISSED:
        assert ended.acknowledged is not needs_you
        assert "could only have left" in ended.reason
        assert driver.channel.ledger == []


def test_the_rule_may_find_another_time(driver: Driver) -> None:
    other = driver.schedule("already there", seconds=86_400)
    delivery_id = driver.schedule("hello", late="next 10m")
    before = driver.get(delivery_id)
    driver.clock.advance(3600)
    driver.run()
    now = driver.get(delivery_id)
    assert now.state is State.SCHEDULED
    assert now.planned_at == now.due_at == before.planned_at + timedelta(days=2)  # tomorrow the other one stands there
    assert now.give_up_at - now.planned_at == before.give_up_at - before.planned_at
    (event,) = driver.detail(delivery_id).events
    assert event.kind == "moved"
    assert "It could only have left 60 min late" in event.detail or "1 h late" in event.detail
    assert "It goes Wed 25 Nov 2026" in event.detail
    driver.clock.advance(86_400 - 3600)
    driver.run()
    driver.clock.advance(86_400)
    driver.run()
    assert [driver.get(one).state for one in (delivery_id, other)] == [State.SENT, State.SENT]


def test_a_delivery_that_fails_too_often_is_given_up(driver: Driver) -> None:
    driver.channel.answers = [TryLater("busy", after=timedelta(seconds=1)) for _ in range(limiter.MOST_TRIES + 9)]
    delivery_id = driver.schedule("hello")
    for _ in range(limiter.MOST_TRIES + 9):
        driver.clock.advance(2)
        driver.step()
    assert driver.get(delivery_id).state is State.FAILED
    assert len(driver.channel.parcels) == limiter.MOST_TRIES


def test_what_waits_for_its_host_need_not_pause(driver: Driver) -> None:
    driver.channel.can_reach = True
    driver.channel.answers = [TryLater("offline", offline=True)]
    delivery_id = driver.schedule("hello")
    driver.step()
    assert driver.unreached == [driver.account]
    assert driver.get(delivery_id).due_at - driver.clock.now() < timedelta(seconds=2)


@pytest.mark.parametrize(("late", "apart"), [(59, None), (61, 2.0)])
def test_a_backlog_leaves_in_peace(driver: Driver, late: float, apart: float | None) -> None:
    driver.schedule("hello")
    driver.clock.advance(late)
    driver.step()
    with driver.store.reading() as connection:
        ready_at = accounts.get(connection, driver.account).ready_at
    assert ready_at == (driver.clock.now() + timedelta(seconds=apart) if apart else None)


# --- tokens that run out ------------------------------------------------------------------------------------------


class Renewing(Scripted):
    """A channel whose token works once, and whose refresh tokens do too."""

    renews = True

    def __init__(self) -> None:
        super().__init__()
        self.valid = "first"
        self.renewed = 0

    def renew(self, account: Account, secret: Mapping[str, str], now: datetime) -> Mapping[str, str]:
        if secret["refresh"] != self.valid:
            raise NeedsLogin("The refresh token was used before.")
        self.renewed += 1
        self.valid = f"fresh-{self.renewed}"
        return {"token": f"token-{self.renewed}", "refresh": self.valid}


def test_a_new_token_is_kept_before_it_is_used(tmp_path: Path, clock: SetClock) -> None:
    driver = Driver(tmp_path / "renewing", clock, Renewing())
    account = driver.add_account("grace", {"token": "old", "refresh": "first"})
    ids = [driver.schedule(f"post {number}", account=account) for number in range(2)]
    driver.run()
    assert [driver.get(one).state for one in ids] == [State.SENT, State.SENT]
    assert [parcel.secret["token"] for parcel in driver.channel.parcels] == ["token-1", "token-2"]
    driver.secrets._known.clear()
    with driver.store.reading() as connection:
        ref = accounts.get(connection, account).secret_ref
    assert driver.secrets.get(ref) == {"token": "token-2", "refresh": "fresh-2"}
    driver.close()


def test_a_token_that_was_renewed_and_not_kept_needs_a_sign_in(tmp_path: Path, clock: SetClock) -> None:
    channel = Renewing()
    driver = Driver(tmp_path / "renewing", clock, channel)
    account = driver.add_account("grace", {"token": "old", "refresh": "first"})
    delivery_id = driver.schedule("hello", account=account)
    channel.valid = "what the crash took along"
    driver.run()
    assert driver.get(delivery_id).state is State.HELD
    assert channel.ledger == []
    driver.close()


def test_what_was_missed_goes_by_the_persons_word(driver: Driver) -> None:
    delivery_id = driver.schedule("hello", late="ask 1m")
    driver.clock.advance(3600)
    driver.run()
    driver.commands.deliveries.retry([delivery_id])
    driver.run()
    assert driver.get(delivery_id).state is State.SENT


# --- the keychain -------------------------------------------------------------------------------------------------


def test_a_locked_keychain_makes_deliveries_wait_and_costs_nothing(driver: Driver) -> None:
    delivery_id = driver.schedule("hello")
    driver.secrets._known.clear()  # as after a new start
    driver.drawer.trouble = KeychainLocked("The keychain is locked. Unlock it, and the sending goes on.")
    for _ in range(5):
        driver.run()
        driver.clock.advance(15)
    waiting = driver.get(delivery_id)
    assert (waiting.state, waiting.tries) == (State.SCHEDULED, 0)
    assert "locked" in waiting.reason
    assert driver.troubles[-1].startswith("The keychain is locked")
    driver.drawer.trouble = None
    driver.run()
    assert driver.get(delivery_id).state is State.SENT
    assert driver.troubles[-1] == ""


def test_a_secret_that_is_gone_asks_for_a_sign_in(driver: Driver) -> None:
    delivery_id = driver.schedule("hello")
    driver.secrets._known.clear()
    driver.drawer.items.clear()
    driver.run()
    assert driver.get(delivery_id).state is State.HELD
    assert "Sign in again" in driver.get(delivery_id).reason


def test_an_account_of_an_unknown_channel_is_held(driver: Driver) -> None:
    delivery_id = driver.schedule("hello")
    with driver.store.writing() as connection:
        accounts.update(connection, driver.account, channel="gone")
    driver.run()
    assert driver.get(delivery_id).state is State.HELD


# --- doubt --------------------------------------------------------------------------------------------------------


def doubtful(driver: Driver, way_out: Settle, *texts: str) -> int:
    driver.channel.way_out = way_out
    driver.channel.answers = [InDoubt("no answer")]
    delivery_id = driver.schedule(*(texts or ("hello",)))
    driver.run()
    assert driver.get(delivery_id).state is State.IN_DOUBT
    return delivery_id


SEARCH = Settle(How.SEARCH, looks=(30, 60), absent_after=60)


@pytest.mark.expects_log("failed to look")
def test_a_look_in_which_the_channel_itself_fails_is_said_and_not_repeated_at_once(driver: Driver) -> None:
    delivery_id = doubtful(driver, SEARCH)
    driver.channel.looks = [TypeError("the channel did not expect this")]
    driver.clock.advance(31)
    driver.look()
    found = driver.get(delivery_id)
    assert (found.state, found.looks) == (State.IN_DOUBT, 1)
    assert "Sendoff itself failed (TypeError)" in found.reason
    assert found.look_at is not None
    assert found.look_at > driver.clock.now()


def test_found_is_sent_with_the_time_of_the_attempt(driver: Driver) -> None:
    delivery_id = doubtful(driver, SEARCH)
    left_at = driver.clock.now()
    assert driver.look() == []  # not before its time
    driver.clock.advance(30)
    driver.channel.looks = [Receipt("there")]
    driver.look()
    detail = driver.detail(delivery_id)
    assert (detail.row.delivery.state, detail.row.delivery.sent_at) == (State.SENT, left_at)
    assert detail.parts[0].receipt == Receipt("there")
    assert [event.kind for event in detail.events] == ["settled"]


def test_not_found_proves_nothing_before_its_time_and_then_it_goes_again_with_its_key(driver: Driver) -> None:
    delivery_id = doubtful(driver, SEARCH)
    driver.channel.looks = [None, None]
    driver.clock.advance(30)
    driver.look()
    assert driver.get(delivery_id).state is State.IN_DOUBT
    assert "proves nothing yet" in driver.get(delivery_id).reason
    driver.clock.advance(30)
    driver.look()
    driver.run()
    assert driver.get(delivery_id).state is State.SENT
    assert driver.channel.parcels[0].key == driver.channel.parcels[1].key


def test_a_look_that_does_not_work_is_repeated_ever_later(driver: Driver) -> None:
    delivery_id = doubtful(driver, SEARCH)
    driver.channel.looks = [TryLater("offline", offline=True) for _ in range(3)]
    waits = []
    for _ in range(3):
        look_at = driver.get(delivery_id).look_at
        assert look_at
        driver.clock.advance((look_at - driver.clock.now()).total_seconds())
        driver.look()
        waits.append((driver.get(delivery_id).look_at - driver.clock.now()).total_seconds())  # type: ignore[operator]
    assert waits == [30, 60, 120]
    assert driver.get(delivery_id).state is State.IN_DOUBT


def test_taken_and_then_refused_is_failed(driver: Driver) -> None:
    delivery_id = doubtful(driver, SEARCH)
    driver.channel.looks = [Dropped("It was taken and then dropped.")]
    driver.clock.advance(30)
    driver.look()
    assert (driver.get(delivery_id).state, driver.get(delivery_id).reason) == (
        State.FAILED,
        "It was taken and then dropped.",
    )


def test_who_cannot_look_is_asked(driver: Driver) -> None:
    delivery_id = doubtful(driver, SEARCH)
    driver.channel.looks = [CannotLook("This key may not read.")]
    driver.clock.advance(30)
    driver.look()
    asked = driver.get(delivery_id)
    assert (asked.state, asked.look_at, asked.advice) == (State.IN_DOUBT, None, "This key may not read.")


def test_a_repeat_is_allowed_only_inside_the_keys_life(driver: Driver) -> None:
    delivery_id = doubtful(driver, Settle(How.REPEAT, looks=(5,), key_life=100))
    driver.clock.advance(5)
    driver.look()
    assert driver.get(delivery_id).state is State.SENT
    late = doubtful(driver, Settle(How.REPEAT, looks=(5,), key_life=100))
    driver.clock.advance(81)
    driver.channel.looks = [CannotLook("nobody knows")]
    driver.look()
    assert (driver.get(late).state, driver.get(late).look_at) == (State.IN_DOUBT, None)
    assert len(driver.channel.ledger) == 1


def test_a_repeat_that_is_not_answered_well_says_nothing_of_the_first_try(driver: Driver) -> None:
    delivery_id = doubtful(driver, Settle(How.REPEAT, looks=(5,), key_life=300))
    driver.channel.answers = [NeedsLogin("the key is old"), Rejected("too rude"), InDoubt("no answer")]
    for wait in (5, 30, 60):
        driver.clock.advance(wait)
        driver.look()
        assert driver.get(delivery_id).state is State.IN_DOUBT
    driver.clock.advance(120)
    driver.look()
    assert driver.get(delivery_id).state is State.SENT
    assert len({parcel.key for parcel in driver.channel.parcels}) == 1


def test_a_repeat_waits_until_the_first_try_must_be_over(driver: Driver) -> None:
    delivery_id = doubtful(driver, Settle(How.REPEAT, looks=(30,), key_life=300))
    with driver.store.writing() as connection:
        doubts.looked(connection, delivery_id, next_look=driver.clock.now(), reason="stopped while it was leaving")
    driver.look()
    assert len(driver.channel.parcels) == 1
    assert driver.get(delivery_id).look_at == driver.clock.now() + timedelta(seconds=30)


def test_no_repeat_where_the_clock_says_nothing_of_the_keys_age(driver: Driver) -> None:
    delivery_id = doubtful(driver, Settle(How.REPEAT, looks=(5,), key_life=100))
    with driver.store.writing() as connection:  # as if the computer had been started anew, with a clock that is wrong
        connection.execute(sa.update(attempts).values(boot="another"))
    driver.clock.jump(-3600)
    driver.channel.looks = [CannotLook("nobody knows")]
    driver.settler.look(delivery_id)
    assert (driver.get(delivery_id).state, len(driver.channel.parcels)) == (State.IN_DOUBT, 1)


@pytest.mark.parametrize("hours", [3, -3])
def test_a_clock_that_was_set_makes_nothing_older(driver: Driver, hours: int) -> None:
    delivery_id = doubtful(driver, Settle(How.SEARCH, looks=(5, 60), absent_after=60))
    driver.clock.advance(5)
    driver.clock.jump(hours * 3600)
    driver.channel.looks = [None, None]
    driver.settler.look(delivery_id)
    assert driver.get(delivery_id).state is State.IN_DOUBT, "not there after five seconds proves nothing"
    driver.clock.advance(56)
    driver.settler.look(delivery_id)
    assert driver.get(delivery_id).state is State.SCHEDULED


def test_what_left_after_the_clock_was_set_back_is_no_older(driver: Driver) -> None:
    """Found by the properties: it was taken for as old as what had left before."""
    delivery_id = driver.schedule("hello")
    driver.clock.jump(-3600)
    driver.commands.deliveries.retry([delivery_id])
    driver.channel.way_out = Settle(How.SEARCH, looks=(5, 60), absent_after=60)
    driver.channel.answers = [InDoubt("The connection broke.")]
    driver.step()
    driver.clock.advance(5)
    driver.channel.looks = [None, None]
    driver.settler.look(delivery_id)
    assert driver.get(delivery_id).state is State.IN_DOUBT


@pytest.mark.parametrize("how", [How.REPEAT, How.SEARCH])
def test_a_first_try_is_as_old_as_it_is_after_the_clock_was_set(driver: Driver, how: How) -> None:
    """A channel reckons with it: how far back to look, and whether a key still lives."""
    delivery_id = doubtful(driver, Settle(how, looks=(5,), key_life=100, absent_after=60))
    driver.clock.advance(5)
    driver.clock.jump(-3600)
    driver.channel.looks, driver.channel.answers = [None], [InDoubt("again")]
    driver.settler.look(delivery_id)
    parcel = driver.channel.parcels[-1] if how is How.REPEAT else driver.channel.found[-1]
    assert parcel.first_try == parcel.last_try == driver.clock.now() - timedelta(seconds=5)


@pytest.mark.parametrize("found", [None, Receipt("id-9"), Dropped("It was taken and then dropped.")])
def test_a_look_that_comes_after_the_persons_word_changes_nothing(driver: Driver, found: object) -> None:
    delivery_id = doubtful(driver, Settle(How.SEARCH, looks=(5,), absent_after=5))
    driver.clock.advance(5)

    def find(_: object) -> object:
        driver.commands.deliveries.settle(delivery_id, sent=False)
        driver.commands.deliveries.move([delivery_id], When.at(driver.clock.now() + timedelta(hours=1), "UTC"))
        if isinstance(found, Exception):
            raise found
        return found

    driver.channel.find = find  # type: ignore[method-assign, assignment]
    driver.look()
    later = driver.get(delivery_id)
    assert (later.state, later.due_at) == (State.SCHEDULED, driver.clock.now() + timedelta(hours=1))


@pytest.mark.parametrize("set_by", [1, 0, -3600])
def test_a_text_that_was_changed_does_not_go_on_with_a_thread(driver: Driver, set_by: float) -> None:
    """Whatever the clock says: the change may be stamped earlier than what left before it."""
    driver.channel.answers = [None, Rejected("too rude")]
    other = driver.add_account("bob")
    post_id, _ = driver.commands.posts.save_draft(
        Content((Item("one"), Item("two"))), [Variant(driver.account), Variant(other)]
    )
    when = When.at(driver.clock.now() + timedelta(hours=1), "UTC")
    half_out, _ = driver.commands.posts.schedule(post_id, when)
    driver.commands.deliveries.retry([half_out])
    driver.run()
    assert driver.get(half_out).state is State.FAILED
    driver.clock.jump(set_by)
    driver.commands.posts.edit(post_id, Content((Item("new"), Item("newer"))), [Variant(other)], when)
    for again in (driver.commands.deliveries.retry, lambda ids: driver.commands.deliveries.move(ids, when)):
        with pytest.raises(Refused, match="changed after a part of it had left"):
            again([half_out])


def test_the_rest_of_a_thread_does_not_follow_what_was_deleted(driver: Driver) -> None:
    driver.channel.answers = [None, Rejected("too rude")]
    driver.channel.can_delete = True
    deleted: list[str] = []
    driver.channel.delete = lambda _account, _secret, receipt: deleted.append(receipt.remote_id)  # type: ignore[method-assign]
    when = When.at(driver.clock.now() + timedelta(hours=1), "UTC")
    post_id, _ = driver.commands.posts.save_draft(Content((Item("one"), Item("two"))), [Variant(driver.account)])
    (half_out,) = driver.commands.posts.schedule(post_id, when)
    driver.commands.deliveries.retry([half_out])
    driver.run()
    assert driver.get(half_out).state is State.FAILED
    driver.commands.sent.delete(half_out)
    assert len(deleted) == 1
    for again in (driver.commands.deliveries.retry, lambda ids: driver.commands.deliveries.move(ids, when)):
        with pytest.raises(Refused, match="is deleted, so the rest"):
            again([half_out])
    assert driver.get(half_out).state is State.FAILED


def test_the_keys_life_counts_from_the_first_doubt_however_often_it_was_repeated(driver: Driver) -> None:
    delivery_id = doubtful(driver, Settle(How.REPEAT, looks=(5,), key_life=100))
    driver.channel.answers = [InDoubt("again no answer")]
    driver.clock.advance(70)
    driver.look()
    driver.run()
    driver.channel.looks = [CannotLook("the key is forgotten by now")]
    driver.clock.advance(70)
    driver.look()
    assert (driver.get(delivery_id).state, driver.get(delivery_id).look_at) == (State.IN_DOUBT, None)
    assert len(driver.channel.parcels) == 2


def test_the_persons_word_settles_a_thread_part_and_the_rest_follows(driver: Driver) -> None:
    delivery_id = doubtful(driver, Settle(How.ASK, why="nobody can tell"), "one", "two")
    driver.commands.deliveries.settle(delivery_id, sent=True)
    driver.run()
    assert driver.get(delivery_id).state is State.SENT
    assert [parcel.item.text for parcel in driver.channel.parcels] == ["one", "two"]
    other = doubtful(driver, Settle(How.ASK))
    driver.commands.deliveries.settle(other, sent=False)
    driver.run()
    assert driver.get(other).state is State.SENT


def test_surely_absent_goes_again_with_pauses_and_not_for_ever(driver: Driver) -> None:
    driver.channel.way_out = Settle(How.SEARCH, looks=(0,), absent_after=0)
    driver.channel.answers = [InDoubt("The server answered with an error of its own (500).") for _ in range(400)]
    driver.channel.looks = [None] * 400
    delivery_id = driver.schedule("hello")
    while driver.get(delivery_id).state in (State.SCHEDULED, State.IN_DOUBT):
        driver.wake()
        driver.run()
        driver.look()
        driver.clock.advance(300)
    failed = driver.get(delivery_id)
    assert failed.state is State.FAILED
    assert failed.reason.startswith("It was looked for and is surely not there. Given up after")
    assert len(driver.channel.parcels) < 100
    assert driver.channel.ledger == []


def test_a_look_knows_what_is_somebody_elses(driver: Driver) -> None:
    driver.schedule("hello")
    driver.run()
    doubtful(driver, SEARCH)
    driver.clock.advance(30)
    driver.channel.looks = [None]
    driver.look()
    assert driver.channel.found[0].known == {"id-1"}


def test_what_failed_is_armed_anew_under_a_new_key_when_the_person_sends_it_again(driver: Driver) -> None:
    driver.channel.answers = [None, Rejected("the sender is refused")]
    delivery_id = driver.schedule("one", "two")
    driver.run()
    out, stuck = driver.detail(delivery_id).parts
    driver.commands.deliveries.retry([delivery_id])
    driver.run()
    parts = driver.detail(delivery_id).parts
    assert parts[0].key == out.key
    assert parts[1].key != stuck.key
    assert [parcel.frozen["armed"] for parcel in driver.channel.parcels] == [1, 2, 3]


# --- copies of one mail -------------------------------------------------------------------------------------------


def mailing(driver: Driver, people: int) -> int:
    """A mail with an own copy for each person."""
    driver.channel.capabilities = replace(driver.channel.capabilities, mail=True, batch=1)
    to = tuple(Recipient(f"p{number}@example.org") for number in range(people))
    post_id, _ = driver.commands.posts.save_draft(
        Content((Item("Hello"),), Mail("Hi", to=to, separately=True)), [Variant(driver.account)]
    )
    return driver.commands.posts.schedule(post_id, When.at(driver.clock.now(), "UTC"), "send")[0]


def test_one_bad_address_does_not_keep_the_others_from_their_copies(driver: Driver) -> None:
    driver.channel.answers = [None, Rejected("550 no such user"), None, None]
    delivery_id = mailing(driver, 4)
    driver.run()
    ended = driver.get(delivery_id)
    assert (ended.state, ended.reason) == (State.FAILED, "3 of 4 went out. Not part 2: 550 no such user")
    assert [part.refused for part in driver.detail(delivery_id).parts] == ["", "550 no such user", "", ""]
    driver.commands.deliveries.retry([delivery_id])
    driver.run()
    assert driver.get(delivery_id).state is State.SENT
    assert [parcel.recipients[0].address[:2] for parcel in driver.channel.parcels] == ["p0", "p1", "p2", "p3", "p1"]


def test_the_last_copy_refused_is_told_too(driver: Driver) -> None:
    driver.channel.answers = [None, Rejected("550 no such user")]
    delivery_id = mailing(driver, 2)
    driver.run()
    assert driver.get(delivery_id).reason == "1 of 2 went out. Not part 2: 550 no such user"


def test_when_everybody_is_refused_the_rest_is_not_tried(driver: Driver) -> None:
    driver.channel.answers = [Rejected("the sender is refused") for _ in range(50)]
    delivery_id = mailing(driver, 50)
    driver.run()
    assert driver.get(delivery_id).state is State.FAILED
    assert len(driver.channel.parcels) == 3
    assert driver.get(delivery_id).reason.startswith("0 of 50 went out. Not part 1: the sender is refused")


def test_a_doubtful_copy_that_is_found_after_others_were_refused(driver: Driver) -> None:
    driver.channel.way_out = SEARCH
    driver.channel.answers = [Rejected("550 no such user"), InDoubt("no answer")]
    delivery_id = mailing(driver, 2)
    driver.run()
    driver.clock.advance(30)
    driver.channel.looks = [Receipt("there")]
    driver.look()
    assert driver.get(delivery_id).state is State.FAILED
    assert driver.get(delivery_id).reason.startswith("1 of 2 went out.")


def test_a_thread_beside_a_mailing_stops_at_its_refused_item(driver: Driver) -> None:
    """The same post goes to a network as a thread; that the mail goes to each person separately changes nothing."""
    driver.channel.answers = [Rejected("too long")]
    mail = Mail("Hi", to=(Recipient("p@example.org"),), separately=True)
    post_id, _ = driver.commands.posts.save_draft(Content((Item("one"), Item("two")), mail), [Variant(driver.account)])
    delivery_id = driver.commands.posts.schedule(post_id, When.at(driver.clock.now(), "UTC"), "send")[0]
    driver.run()
    assert driver.get(delivery_id).state is State.FAILED
    assert len(driver.channel.parcels) == 1


def test_how_far_an_upload_is_stands_with_the_delivery_until_it_leaves(driver: Driver) -> None:
    seen: list[tuple[State, str]] = []
    channel = driver.channel

    def upload(parcel: Parcel) -> Mapping[str, object]:
        for out in (1, 2, 3, 4):  # quarters, two of them a second
            driver.clock.advance(0.5)
            parcel.told("harbor.mp4", out * 5_000_000, 20_000_000)
            one = driver.get(delivery_id)
            seen.append((one.state, one.advice))
        return {"media": "1"}

    def publish(parcel: Parcel) -> Receipt:
        seen.append((driver.get(delivery_id).state, driver.get(delivery_id).advice))
        return Receipt("1")

    channel.capabilities = replace(channel.capabilities, prepares=True)
    channel.prepare, channel.publish = upload, publish  # type: ignore[method-assign]
    delivery_id = driver.schedule("hello")
    driver.run()
    half, all_of_it = "harbor.mp4: 50% of 20.0 MB is up.", "harbor.mp4: 100% of 20.0 MB is up."
    assert seen == [
        (State.CLAIMED, ""), (State.CLAIMED, half), (State.CLAIMED, half), (State.CLAIMED, all_of_it),
        (State.SENDING, ""),
    ]  # fmt: skip
    assert (driver.get(delivery_id).state, driver.get(delivery_id).advice) == (State.SENT, "")


def test_a_clock_that_is_set_during_an_upload_neither_silences_nor_hurries_its_progress(driver: Driver) -> None:
    seen: list[str] = []

    def upload(parcel: Parcel) -> Mapping[str, object]:
        driver.clock.jump(-3600)
        for out, seconds, jump in ((1, 1.0, 0), (2, 0.5, 3600), (3, 0.5, 0)):
            driver.clock.advance(seconds)
            driver.clock.jump(jump)
            parcel.told("harbor.mp4", out, 4)
            seen.append(driver.get(delivery_id).advice.removeprefix("harbor.mp4: ")[:3])
        return {"media": "1"}

    driver.channel.capabilities = replace(driver.channel.capabilities, prepares=True)
    driver.channel.prepare = upload  # type: ignore[method-assign]
    delivery_id = driver.schedule("hello")
    driver.run()
    assert seen == ["25%", "25%", "75%"]


def test_a_new_sender_forgets_how_far_an_upload_was(driver: Driver) -> None:
    def killed(parcel: Parcel) -> Mapping[str, object]:
        driver.clock.advance(2)
        parcel.told("harbor.mp4", 1, 4)
        raise KeyboardInterrupt

    driver.channel.capabilities = replace(driver.channel.capabilities, prepares=True)
    driver.channel.prepare = killed  # type: ignore[method-assign]
    delivery_id = driver.schedule("hello")
    with pytest.raises(KeyboardInterrupt):
        driver.run()
    assert driver.get(delivery_id).advice.startswith("harbor.mp4: 25%")
    driver.recover()
    assert (driver.get(delivery_id).state, driver.get(delivery_id).advice) == (State.SCHEDULED, "")


@pytest.mark.expects_log("the channel scripted failed to prepare")
def test_a_channel_that_breaks_before_the_wire_is_tried_again_and_says_so(driver: Driver) -> None:
    def broken(parcel: Parcel) -> Frozen:
        raise KeyError("wing")

    driver.channel.arm, whole = broken, driver.channel.arm  # type: ignore[method-assign]
    delivery_id = driver.schedule("hello")
    driver.run()
    waits = driver.get(delivery_id)
    assert waits.state is State.SCHEDULED
    assert waits.reason == "Sendoff itself failed when it made this ready (KeyError)."
    assert driver.channel.ledger == []
    driver.channel.arm = whole  # type: ignore[method-assign]
    driver.clock.advance(60)
    driver.run()
    assert driver.get(delivery_id).state is State.SENT
