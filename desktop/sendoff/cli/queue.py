"""The verbs about deliveries: what there is, all about one, another time, taken back, settled; pause and resume."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import datetime

from sendoff.bootstrap import Program
from sendoff.cli import render, session, shapes
from sendoff.domain import doubt, price
from sendoff.domain.account import Account, wait_span
from sendoff.domain.channel import channel_named
from sendoff.domain.delivery import WAITING, State
from sendoff.domain.doubt import Doubt
from sendoff.domain.errors import BadInput, Refused
from sendoff.domain.outside import what_cancelling_did
from sendoff.domain.when import describe, short
from sendoff.store import accounts, settings, timeline, whereabouts, wouldsend
from sendoff.store.timeline import Detail, Row


def show_all(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        rows = _wanted(program, arguments)
        now, zone = program.clock.now(), program.commands.settings.zone()
        with program.store.reading() as connection:
            known = {one.id: one for one in accounts.every(connection)}
        if not arguments.json:
            tell_if_paused(program)
    more = len(rows) > arguments.limit
    rows = rows[: arguments.limit] if arguments.since or arguments.needs_you else rows[-arguments.limit :]
    if arguments.json:
        render.print_json({"deliveries": [shapes.delivery(row) for row in rows], "more": more})
        return 0
    if rows:
        head = ["ID", "PLANNED", "STATE", "ACCOUNT", "TEXT"]
        print("\n".join(render.table(head, [_cells(row, now, _waits(row, known, now, zone)) for row in rows])))
    session.remark("Nothing is planned." if not rows else "")
    session.remark(f"There are more than these {len(rows)}. Use --limit, --since or --until." if more else "")
    return 0


def _wanted(program: Program, arguments: argparse.Namespace) -> list[Row]:
    """The rows by planned time; without --since the latest ones, because those are nearer to now."""
    if arguments.needs_you:
        with program.store.reading() as connection:
            return timeline.needs_you(connection, arguments.limit + 1)
    states = [_state(word) for word in arguments.state]
    since = session.when(program, arguments.since).instant if arguments.since is not None else None
    until = session.when(program, arguments.until).instant if arguments.until is not None else None
    with program.store.reading() as connection:
        rows = timeline.queue(
            connection, states=states, since=since, until=until, limit=arguments.limit + 1, newest_first=since is None
        )
    return rows if since else rows[::-1]


def _state(word: str) -> State:
    try:
        return State(word.lower().replace("-", "_"))
    except ValueError:
        raise BadInput(f"There is no state “{word}”. There are: {', '.join(State)}.") from None


def _waits(row: Row, known: Mapping[int, Account], now: datetime, zone: str) -> str:
    """Until when a delivery waits for its account, or ""."""
    one, account = row.delivery, known.get(row.delivery.account_id)
    if account is None or one.state is not State.SCHEDULED or account.opens(one.due_at) == one.due_at:
        return ""
    wait = wait_span(account, now, zone)
    return f"{account.name}: {wait}" if wait else ""


def _cells(row: Row, now: datetime, waits: str) -> list[str]:
    notes = [words for words in (row.excerpt, waits, row.delivery.reason) if words]
    return [
        str(row.delivery.id),
        short(row.when, now),
        shapes.standing(row),
        row.account,
        render.one_line(" · ".join(notes), 100),
    ]


def _tell_price(program: Program, delivery_id: int) -> None:
    """What the network charges for the reading, where it does."""
    with program.store.reading() as connection:
        row = timeline.detail(connection, delivery_id).row
    channel = channel_named(program.channels, row.channel)
    if cost := price.reading(row.out, channel.capabilities):
        session.remark(f"{channel.title} charges about {cost} for this reading.")


def show(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        if arguments.numbers:
            program.commands.sent.read_numbers(arguments.id)
            _tell_price(program, arguments.id)
        with program.store.reading() as connection:
            detail = timeline.detail(connection, arguments.id)
        known = _doubt(program, detail)
        if arguments.json:
            render.print_json(shapes.detail(detail, known))
            return 0
        title = program.channels[detail.account.channel].title if detail.account.channel in program.channels else ""
        now, zone = program.clock.now(), program.commands.settings.zone()
        print("\n".join(shapes.lines(detail, title, now, zone, arguments.verbose, known)))
    return 0


def _doubt(program: Program, one: Detail) -> Doubt | None:
    """What is known of a delivery in doubt; None: there is no doubt."""
    if one.row.delivery.state is not State.IN_DOUBT:
        return None
    channel = program.channels.get(one.account.channel)
    return doubt.known(
        one.row.delivery,
        one.parts,
        one.attempts,
        one.account,
        channel,
        program.clock.now(),
        program.commands.settings.zone(),
    )


# --- changed ------------------------------------------------------------------------------------------------------


def move(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        when = session.when(program, arguments.at, arguments.zone)
        program.commands.deliveries.move(arguments.ids, when)
        print(f"{_named(arguments.ids)} moved to {describe(when, program.clock.now())}.")
        return _tell_what_waits(program, arguments.ids)


def cancel(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        program.commands.deliveries.cancel(arguments.ids)
        with program.store.reading() as connection:
            them = [timeline.detail(connection, one).row.outside for one in arguments.ids]
    print(f"{_named(arguments.ids)} cancelled. {what_cancelling_did(them)}")
    return 0


def retry(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        program.commands.deliveries.retry(arguments.ids)
        print(f"{_named(arguments.ids)}: sent as soon as possible.")
        return _tell_what_waits(program, arguments.ids)


def _tell_what_waits(program: Program, ids: list[int]) -> int:
    """What stands between deliveries and their leaving. Exit code 1: it needs the person."""
    with program.store.reading() as connection:
        rows = [timeline.detail(connection, one).row for one in ids]
    return session.tell_what_waits(program, rows)


def settle(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        if arguments.verdict is None:
            return _tell_doubt(program, arguments)
        state = program.commands.deliveries.settle(arguments.id, arguments.verdict == "sent")
        if arguments.json:
            with program.store.reading() as connection:
                render.print_json(shapes.delivery(timeline.detail(connection, arguments.id).row))
        elif state is State.SENT:
            print(f"{arguments.id} is settled: it is there.")
        elif state is State.CANCELLED:
            print(f"{arguments.id} is settled, and nothing more of it leaves: its account was removed.")
        else:
            rest = "the rest of it follows" if arguments.verdict == "sent" else "it goes again"
            print(f"{arguments.id} is settled: {rest} as soon as possible.")
        return _tell_what_waits(program, [arguments.id]) if state in WAITING else 0


def _tell_doubt(program: Program, arguments: argparse.Namespace) -> int:
    """What is known and what can be answered. Exit code 1: it still needs the person."""
    with program.store.reading() as connection:
        detail = timeline.detail(connection, arguments.id)
    known = _doubt(program, detail)
    if known is None:
        raise Refused("There is nothing in doubt about this delivery.")
    if arguments.json:
        render.print_json(shapes.detail(detail, known))
    else:
        print("\n".join(shapes.choices(detail, known)))
    return 1


def look(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        program.commands.deliveries.look_again(arguments.id)
        print(f"{arguments.id}: Sendoff looks for it as soon as possible. See: sendoff show {arguments.id}")
        session.tell_if_nobody_sends(program)
    return 0


def delete(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        parts = program.commands.sent.delete(arguments.id)
        print(f"{arguments.id} is deleted there" + (f", all {parts} parts." if parts > 1 else "."))
    return 0


def _named(ids: list[int]) -> str:
    return ", ".join(map(str, ids))


def pause(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        if arguments.until is None:
            program.commands.sender.pause()
            print("Paused. Nothing leaves until: sendoff resume")
            return 0
        now, until = program.clock.now(), session.when(program, arguments.until)
        if until.instant <= now:
            raise BadInput(f"{describe(until, now)}: that is past. Say until when nothing shall leave.")
        program.commands.sender.pause(until.instant)
        print(f"Paused. Nothing leaves until {describe(until, now)}.")
    return 0


def tell_if_paused(program: Program) -> None:
    """A word on standard error where it was not the person who paused: why, and what would leave."""
    with program.store.reading() as connection:
        why = whereabouts.why_paused(settings.read(connection))
        words = wouldsend.outlook(connection, program.clock.now(), 0).words if why else ""
    if why:
        session.remark(f"Paused: {why} {words} Look at what it would send (sendoff queue), then: sendoff resume")


def resume(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        with program.store.reading() as connection:
            outlook = wouldsend.outlook(connection, program.clock.now(), 0)
        if outlook.overdue:
            print(outlook.words)
        program.commands.sender.resume()
        print("Things leave again.")
        session.tell_if_nobody_sends(program)
    return 0
