"""Moves are guarded, claims are fair, intentions and ends hold together, and a crash leaves nothing untrue."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from sendoff.domain.account import STRIKES, AccountState
from sendoff.domain.delivery import Move, Outcome, PartPlan, Receipt, State
from sendoff.domain.errors import NotFound, Refused
from sendoff.domain.when import Moment, When
from sendoff.store import accounts, deliveries, doubts, outgoing, timeline
from sendoff.store.db import Store
from sendoff.store.outgoing import Begin, End, Job, Unclaim
from tests.store.conftest import NOW, Planner, add_account

LATER = NOW + timedelta(hours=1)


def claim(
    store: Store, *, until: float = 0, room: int = 100, per_account: int = 8, blocked: tuple[int, ...] = ()
) -> list[int]:
    with store.writing() as connection:
        return outgoing.claim(
            connection, owner="me", until=NOW + timedelta(seconds=until), lease_until=LATER, room=room,
            per_account=per_account, blocked=blocked,
        )  # fmt: skip


def load(store: Store, *ids: int) -> list[Job]:
    with store.reading() as connection:
        return outgoing.load_jobs(connection, ids)


def begin(store: Store, *jobs: Job) -> set[int]:
    with store.writing() as connection:
        return outgoing.begin_many(
            connection,
            [
                Begin(
                    job.delivery.id,
                    job.delivery.version,
                    "me",
                    job.parts[0].id,
                    job.attempts + 1,
                    Moment(NOW),
                    frozen={"n": 1},
                )
                for job in jobs
            ],
        )


def ended(job: Job, move: Move = Move.FINISH, outcome: Outcome = Outcome.SENT, part: int = 0, **more: object) -> End:
    receipt = Receipt("42", "https://toot.example/42") if outcome is Outcome.SENT else None
    return End(job.delivery.id, job.account.id, "me", job.parts[part].id, move, outcome, NOW, "so", receipt, **more)  # type: ignore[arg-type]


def end(store: Store, *ends: End) -> None:
    with store.writing() as connection:
        outgoing.end_many(connection, ends)


def state(store: Store, delivery_id: int) -> State:
    with store.reading() as connection:
        return deliveries.get(connection, delivery_id).state


def sending(store: Store, plan: Planner, account: int, **more: object) -> Job:
    delivery_id = plan(account, **more)
    job = load(store, *claim(store))[0]
    assert begin(store, job) == {delivery_id}
    return job


# --- by the person ------------------------------------------------------------------------------------------------


def test_a_move_that_the_table_does_not_allow_is_refused_with_the_reason(
    store: Store, plan: Planner, account: int
) -> None:
    job = sending(store, plan, account)
    with pytest.raises(Refused, match="it is leaving right now"), store.writing() as connection:
        deliveries.cancel(connection, job.delivery.id)
    assert state(store, job.delivery.id) is State.SENDING


def test_an_unknown_delivery_is_named(store: Store) -> None:
    with pytest.raises(NotFound, match="no delivery 77"), store.writing() as connection:
        deliveries.cancel(connection, 77)


def test_rescheduling_keeps_what_is_held_held(store: Store, plan: Planner, account: int) -> None:
    delivery_id = plan(account, 60)
    with store.writing() as connection:
        deliveries.hold_account(connection, account, "sign in")
        deliveries.reschedule(connection, delivery_id, When.at(LATER, "UTC"), LATER)
        moved = deliveries.get(connection, delivery_id)
    assert (moved.state, moved.due_at, moved.zone) == (State.HELD, LATER, "UTC")


def test_an_edit_of_the_parts_is_refused_once_one_is_out(store: Store, plan: Planner, account: int) -> None:
    job = sending(store, plan, account, parts=2)
    end(store, ended(job, Move.CONTINUE))
    with pytest.raises(Refused, match="out already"), store.writing() as connection:
        deliveries.replace_parts(connection, job.delivery.id, [PartPlan()])


def test_no_part_gets_the_id_of_one_that_was_replaced(store: Store, plan: Planner, account: int) -> None:
    """The journal of what left knows parts by their ids, and must not speak of another post."""
    delivery_id = plan(account, parts=3)
    with store.writing() as connection:
        before = {part.id for part in deliveries.parts_of(connection, delivery_id)}
        deliveries.replace_parts(connection, delivery_id, [PartPlan()])
    other_id = plan(account)
    with store.reading() as connection:
        (kept,) = deliveries.parts_of(connection, delivery_id)
        (other,) = deliveries.parts_of(connection, other_id)
    assert not {kept.id, other.id} & before
    assert kept.number == 1


# --- claiming -----------------------------------------------------------------------------------------------------


def test_what_is_due_is_claimed_earliest_first_and_once(store: Store, plan: Planner, account: int) -> None:
    later, first, future = plan(account, -5), plan(account, -10), plan(account, 60)
    assert sorted(claim(store)) == sorted([first, later])
    assert claim(store) == []
    assert [job.delivery.id for job in load(store, later, first)] == [first, later]
    assert state(store, future) is State.SCHEDULED


def test_one_account_with_thousands_due_does_not_starve_the_others(store: Store, plan: Planner, account: int) -> None:
    for number in range(30):
        plan(account, -100 + number)
    with store.writing() as connection:
        other = add_account(connection, "bob")
    waiting = plan(other, -1)
    taken = claim(store, per_account=3)
    assert len(taken) == 4
    assert waiting in taken


def test_room_and_blocked_accounts_are_respected(store: Store, plan: Planner, account: int) -> None:
    with store.writing() as connection:
        other = add_account(connection, "bob")
    mine, theirs = plan(account, -2), plan(other, -1)
    assert claim(store, room=1) == [mine]
    assert claim(store, blocked=(other,)) == []
    with store.reading() as connection:
        assert outgoing.next_due(connection) == NOW - timedelta(seconds=1)
        assert outgoing.next_due(connection, [other]) is None
    assert claim(store) == [theirs]


def test_what_is_due_soon_leaves_out_accounts_that_cannot_be_reached(store: Store, plan: Planner, account: int) -> None:
    with store.writing() as connection:
        other = add_account(connection, "bob")
    mine, theirs, _later = plan(account, 60), plan(other, 30), plan(account, 3600)
    until = NOW + timedelta(minutes=10)
    with store.reading() as connection:
        assert list(outgoing.soon(connection, until, ["practice"])) == [theirs, mine]
        assert list(outgoing.soon(connection, until, ["practice"], {other})) == [mine]
        assert list(outgoing.soon(connection, until, ["x"])) == []


def test_an_account_that_rests_gives_back_what_was_claimed_and_gets_no_more(
    store: Store, plan: Planner, account: int
) -> None:
    ids = [plan(account, -2), plan(account, -1)]
    assert claim(store, room=1) == ids[:1]
    before = load(store, ids[0])[0].delivery.version
    with store.writing() as connection:
        for _ in range(STRIKES):
            deliveries.strike(connection, account, "it said no", NOW)
    assert [state(store, one) for one in ids] == [State.SCHEDULED, State.SCHEDULED]
    assert load(store, ids[0])[0].delivery.version == before + 1  # a sender that still has it in mind finds it gone
    assert claim(store) == []
    with store.writing() as connection:
        accounts.end_rest(connection, account)
    assert claim(store) == ids


def test_the_claim_uses_the_index_of_what_is_due(store: Store) -> None:
    with store.reading() as connection:
        asked = outgoing._NEXT.params(blocked=[0]).compile(
            dialect=connection.dialect, compile_kwargs={"literal_binds": True, "render_postcompile": True}
        )
        steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}").all()
    assert "ix_deliveries_due" in str(steps)


def test_what_the_engine_asks_all_the_time_reads_no_whole_table(store: Store, plan: Planner, account: int) -> None:
    """At a million rows a scan takes 150 ms, and some of these run every second."""
    plan(account)
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, given: Any, *_: object) -> None:
        asked.append((statement, given))

    with store.writing() as connection:
        sa.event.listen(connection, "before_cursor_execute", note)
        doubts.recover(connection, NOW, None)
        outgoing.renew_leases(connection, "me", LATER)
        doubts.to_look_at(connection, NOW)
        outgoing.next_due(connection)
        outgoing.soon(connection, LATER, ["scripted"])
        deliveries.leaving(connection, account)
        outgoing.is_anything_left(connection, NOW)
        timeline.totals(connection)
        timeline.upcoming(connection)
        sa.event.remove(connection, "before_cursor_execute", note)
        assert len(asked) > 8
        for statement, given in asked:
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given):
                assert not re.match(r"SCAN deliveries(?! USING)", step[-1]), statement


# --- intentions and ends ------------------------------------------------------------------------------------------


def test_an_intention_holds_only_for_what_is_still_as_it_was_loaded(store: Store, plan: Planner, account: int) -> None:
    with store.writing() as connection:
        names = [add_account(connection, name) for name in ("b", "c", "d")]
    ids = [plan(one) for one in [account, *names]]
    jobs = load(store, *claim(store))
    with store.writing() as connection:
        deliveries.cancel(connection, ids[1])
        deliveries.reschedule(connection, ids[2], When.at(LATER, "UTC"), LATER)
        deliveries.reschedule(connection, ids[3], When.at(NOW, "UTC"), LATER)
    assert len(claim(store)) == 1  # the last one again, in a newer version than the one at hand
    assert begin(store, *jobs) == {ids[0]}
    assert [state(store, one) for one in ids] == [State.SENDING, State.CANCELLED, State.SCHEDULED, State.CLAIMED]
    with store.reading() as connection:
        assert [len(deliveries.attempts_of(connection, one)) for one in ids] == [1, 0, 0, 0]
        assert deliveries.parts_of(connection, ids[0])[0].frozen == {"n": 1}


def test_an_end_writes_receipt_attempt_state_and_pace_together(store: Store, plan: Planner, account: int) -> None:
    job = sending(store, plan, account)
    end(store, ended(job, ready_at=LATER, request="POST /", answer="200"))
    with store.reading() as connection:
        detail = timeline.detail(connection, job.delivery.id)
        who = accounts.get(connection, account)
    assert (detail.row.delivery.state, detail.row.delivery.sent_at) == (State.SENT, NOW)
    assert (detail.parts[0].receipt, detail.parts[0].sent_at) == (Receipt("42", "https://toot.example/42"), NOW)
    assert [(one.outcome, one.ended_at, one.request, one.answer) for one in detail.attempts] == [
        (Outcome.SENT, NOW, "POST /", "200")
    ]
    assert (who.ready_at, who.last_sent_at) == (LATER, NOW)


def test_refused_recipients_become_events(store: Store, plan: Planner, account: int) -> None:
    job = sending(store, plan, account)
    receipt = Receipt("<m@x>", refused=(("bob@x.org", "550 no such user"),))
    end(store, End(job.delivery.id, account, "me", job.parts[0].id, Move.FINISH, Outcome.SENT, NOW, "ok", receipt))
    with store.reading() as connection:
        events = deliveries.events_of(connection, job.delivery.id)
    assert [(one.kind, one.recipient, one.detail) for one in events] == [("refused", "bob@x.org", "550 no such user")]


@pytest.mark.parametrize(
    ("move", "outcome", "expected"),
    [
        (Move.REFUSE, Outcome.REFUSED, State.FAILED),
        (Move.POSTPONE, Outcome.LATER, State.SCHEDULED),
        (Move.DOUBT, Outcome.DOUBT, State.IN_DOUBT),
        (Move.CONTINUE, Outcome.SENT, State.SCHEDULED),
    ],
)
def test_each_end_leads_where_the_table_says(
    store: Store, plan: Planner, account: int, move: Move, outcome: Outcome, expected: State
) -> None:
    job = sending(store, plan, account)
    end(store, ended(job, move, outcome, due_at=LATER, tries=3, reason="because", advice="do this"))
    with store.reading() as connection:
        after = deliveries.get(connection, job.delivery.id)
    assert (after.state, after.due_at, after.tries, after.reason, after.advice) == (
        expected,
        LATER,
        3,
        "because",
        "do this",
    )


def test_needing_a_sign_in_holds_everything_of_the_account_and_a_sign_in_releases_it(
    store: Store, plan: Planner, account: int
) -> None:
    job = sending(store, plan, account)
    waiting, claimed = plan(account, 600), plan(account, -1)
    claim(store)
    end(store, ended(job, Move.HOLD, Outcome.NEEDS_LOGIN, reason="the key is old"))
    assert [state(store, one) for one in (job.delivery.id, waiting, claimed)] == [State.HELD] * 3
    with store.writing() as connection:
        assert accounts.get(connection, account).state is AccountState.SIGN_IN
        assert timeline.needs_you_count(connection) == 1  # one sign-in, however many wait for it
        assert deliveries.release_account(connection, account) == 3
    assert [state(store, one) for one in (job.delivery.id, waiting, claimed)] == [State.SCHEDULED] * 3


@pytest.mark.parametrize(
    ("parts", "move", "outcome", "expected"),
    [
        (1, Move.FINISH, Outcome.SENT, State.SENT),
        (2, Move.CONTINUE, Outcome.SENT, State.SCHEDULED),
        (1, Move.DOUBT, Outcome.DOUBT, State.IN_DOUBT),
        (1, Move.POSTPONE, Outcome.LATER, State.IN_DOUBT),
    ],
)
def test_of_the_late_end_of_a_row_that_was_taken_over_only_a_receipt_counts(
    store: Store, plan: Planner, account: int, parts: int, move: Move, outcome: Outcome, expected: State
) -> None:
    job = sending(store, plan, account, parts=parts)
    with store.writing() as connection:
        doubts.recover(connection, NOW, None)
    end(store, ended(job, move, outcome))
    assert state(store, job.delivery.id) is expected
    with store.reading() as connection:
        receipts = [part.receipt is not None for part in deliveries.parts_of(connection, job.delivery.id)]
    assert receipts == [outcome is Outcome.SENT, False][:parts]


def test_a_claim_that_ended_before_the_wire_leaves_a_trace(store: Store, plan: Planner, account: int) -> None:
    delivery_id = plan(account)
    job = load(store, *claim(store))[0]
    back = Unclaim(
        delivery_id,
        account,
        1,
        "me",
        Move.REFUSE,
        Moment(NOW),
        "too big",
        part_id=job.parts[0].id,
        number=1,
        outcome=Outcome.REFUSED,
    )
    with store.writing() as connection:
        assert outgoing.unclaim(connection, back)
        assert not outgoing.unclaim(connection, back)
        attempts = deliveries.attempts_of(connection, delivery_id)
    assert state(store, delivery_id) is State.FAILED
    assert [(one.outcome, one.summary) for one in attempts] == [(Outcome.REFUSED, "too big")]


# --- crashes, doubt -----------------------------------------------------------------------------------------------


def test_what_left_although_no_intention_is_known_is_in_doubt(store: Store, plan: Planner, account: int) -> None:
    """The database lost its last entries; the note beside it did not."""
    lost, waiting = plan(account, -1), plan(account, 60)
    with store.reading() as connection:
        (part,) = deliveries.parts_of_many(connection, [lost])[lost]
    with store.writing() as connection:
        recovered = doubts.recover(connection, NOW, frozenset({part.id, *range(1000, 50_000)}))
        (attempt,) = deliveries.attempts_of(connection, lost)
        found = deliveries.get(connection, lost)
    assert (recovered.doubtful, attempt.outcome) == (1, Outcome.DOUBT)
    assert (found.state, found.look_at) == (State.IN_DOUBT, None)
    assert "look for yourself" in found.reason
    assert state(store, waiting) is State.SCHEDULED


def test_after_a_crash_claims_are_given_back_and_what_was_leaving_is_in_doubt(
    store: Store, plan: Planner, account: int
) -> None:
    job = sending(store, plan, account)
    claimed, waiting = plan(account, -1), plan(account, 60)
    claim(store)
    with store.writing() as connection:
        recovered = doubts.recover(connection, NOW, None)
        attempts = deliveries.attempts_of(connection, job.delivery.id)
    assert (recovered.released, recovered.doubtful) == (1, 1)
    assert [state(store, one) for one in (job.delivery.id, claimed, waiting)] == [
        State.IN_DOUBT, State.SCHEDULED, State.SCHEDULED,
    ]  # fmt: skip
    assert [(one.outcome, one.summary) for one in attempts] == [(Outcome.DOUBT, doubts.STOPPED_WHILE)]


def test_doubt_is_settled_part_by_part(store: Store, plan: Planner, account: int) -> None:
    job = sending(store, plan, account, parts=2)
    end(store, ended(job, Move.DOUBT, Outcome.DOUBT))
    with store.writing() as connection:
        first = doubts.settle(connection, job.delivery.id, Receipt("1"), LATER, summary="found")
    assert first is State.SCHEDULED
    job = load(store, *claim(store, until=7200))[0]
    assert [part.receipt is not None for part in job.parts] == [True, False]
    with store.writing() as connection:
        outgoing.begin_many(
            connection, [Begin(job.delivery.id, job.delivery.version, "me", job.parts[1].id, 1, Moment(LATER))]
        )
    end(store, ended(job, Move.DOUBT, Outcome.DOUBT, part=1))
    with store.writing() as connection:
        last = doubts.settle(connection, job.delivery.id, Receipt("2"), LATER, summary="found")
        with pytest.raises(Refused, match="it was sent"):
            doubts.settle(connection, job.delivery.id, Receipt("2"), LATER, summary="again")
    assert last is State.SENT


def test_surely_absent_goes_again_with_the_same_key_whatever_the_rule_says(
    store: Store, plan: Planner, account: int
) -> None:
    job = sending(store, plan, account, late="skip 1m")
    end(store, ended(job, Move.DOUBT, Outcome.DOUBT))
    with store.writing() as connection:
        doubts.settle(connection, job.delivery.id, None, LATER, summary="absent")
    again = load(store, *claim(store, until=7200))[0]
    assert (again.delivery.late, again.parts[0].key, again.attempts) == ("send", job.parts[0].key, 1)
    assert again.first_try == Moment(NOW)


def test_looks_are_scheduled_and_counted(store: Store, plan: Planner, account: int) -> None:
    job = sending(store, plan, account)
    end(store, ended(job, Move.DOUBT, Outcome.DOUBT, look_at=LATER))
    with store.writing() as connection:
        assert doubts.to_look_at(connection, NOW) == []
        assert doubts.to_look_at(connection, LATER) == [job.delivery.id]
        doubts.looked(connection, job.delivery.id, next_look=None, reason="nobody can tell")
        assert doubts.to_look_at(connection, LATER) == []
        assert deliveries.get(connection, job.delivery.id).looks == 1


# --- counts -------------------------------------------------------------------------------------------------------


def test_the_kept_counts_are_the_counted_ones(store: Store, plan: Planner, account: int) -> None:
    job = sending(store, plan, account)
    ids = [plan(account, seconds) for seconds in (-1, 60, 70, 80)]
    claim(store)
    with store.writing() as connection:
        deliveries.cancel(connection, ids[1])
    end(store, ended(job))
    with store.reading() as connection:
        kept = timeline.totals(connection)
        counted = dict(connection.exec_driver_sql("SELECT state, count(*) FROM deliveries GROUP BY state").all())
        per_account = accounts.counts(connection)
    assert {one.value: n for one, n in kept.items()} == counted
    assert per_account == {account: {"sent": 1, "scheduled": 3, "cancelled": 1}}
