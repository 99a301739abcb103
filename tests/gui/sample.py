"""A coffee roaster's week, written through the store: what screenshots and GUI tests look at. Nothing here is real."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from sendoff.bootstrap import Program
from sendoff.domain.account import AccountState
from sendoff.domain.delivery import Outcome, PartPlan, Receipt, State
from sendoff.domain.post import Content, Item, Mail, Markup, Plan, Recipient, Variant
from sendoff.domain.when import When
from sendoff.store import accounts, codec, deliveries, posts, settings
from sendoff.store.db import Connection
from sendoff.store.tables import attempts, parts, workspaces
from sendoff.store.tables import deliveries as delivery_table

ZONE = "Europe/Berlin"
NOW = datetime(2026, 11, 23, 17, 52, tzinfo=UTC)
"""Monday, 18:52 in Berlin."""


ACCOUNTS = (
    ("mastodon", "harborcoffee@toot", "@harborcoffee@toot.example"),
    ("bluesky", "harborcoffee.example", "harborcoffee.example"),
    ("x", "@harborcoffee", "@harborcoffee"),
    ("mailgun", "Newsletter", "news@mg.harborcoffee.example"),
    ("discord", "#announcements", "Harbor Regulars & Friends of the Pier"),
    ("telegram", "Harbor News", "@harborcoffee_news"),
)
TOOT, SKY, X, NEWS, TALK, GRAM = range(6)
KNOWN: Sequence[tuple[int | None, dict[str, object]]] = (
    (2, {"software": "mastodon", "version": "4.5.2", "may_look": True}),
    (2, {"did": "did:plc:harborcoffeeharborcoffee", "pds": "https://morel.us-east.host.bsky.network"}),
    (400, {}), (532, {"reads_log": True}), (142, {}), (3472, {}),
)  # fmt: skip
"""Minutes since each account sent last, and what its server told."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One post of the week: day of November, time, where, words, state."""

    day: int
    time: str
    where: tuple[int, ...]
    words: str
    state: State = State.SCHEDULED
    reason: str = ""
    advice: str = ""
    late: float = 0.3
    thread: tuple[str, ...] = ()  # what follows the words, each as a part of its own


_S = State
WEEK = (
    Planned(22, "09:00", (TOOT,), "Sunday is for the slow cups. The filter bar opens at ten.", _S.SENT),
    Planned(22, "19:00", (GRAM,), "عرض نهاية الأسبوع: كوبان بسعر واحد", _S.MISSED,
            "It was due Sun 22 Nov 2026, 19:00, and its rule says up to 2 h late, then ask."),
    Planned(23, "08:30", (TOOT, SKY), "Morning! Guji natural is back on the shelf 🌱", _S.SENT, late=0.2),
    Planned(23, "10:00", (NEWS,), "November at the harbor: your letter from the pier", _S.SENT, late=20.6),
    Planned(23, "12:15", (X,), "Lunch at the pier: soup and sourdough until it’s gone", _S.FAILED,
            "X refused it: “You are not allowed to create a Tweet with duplicate content.” Nothing was posted.",
            "Change a word and it will go."),
    Planned(23, "14:00", (GRAM,), "Cupping this Saturday, six seats left", _S.IN_DOUBT,
            "The message left at 14:00:00.2, then the line broke before Telegram answered.",
            "A bot can’t search its channel, so please look: sending again could show it twice."),
    Planned(23, "16:30", (TALK,), "Roast log: Guji, first crack at 8:41, dropped at 10:12", _S.SENT),
    Planned(23, "16:30", (TOOT,), "Roast log: the long version", _S.SENT, late=2.4, thread=(
        "First crack at 8:41, a little earlier than last week.", "Dropped at 10:12, at 208 °C.",
        "Tasting notes tomorrow, when it has rested.")),
    Planned(23, "18:50", (SKY, TOOT), "Last call for the Advent box 🎁", _S.SENDING),
    Planned(24, "09:00", (TOOT,), "Guji natural: apricot, black tea and a little of the holidays", _S.HANDED_OVER),
    Planned(24, "09:00", (SKY, GRAM), "Guji natural"),
    Planned(24, "10:30", (TALK, GRAM),
            "Behind the counter with Ayşegül Yıldırım-Østergaard, who has never once burned a milk"),
    Planned(24, "15:30", (GRAM,), "قهوة جديدة من إثيوبيا وصلت اليوم إلى الميناء"),
    Planned(24, "17:30", (GRAM,), "Table for the quiz night"),
    Planned(24, "17:30", (SKY,), "What shall we roast next?"),
    Planned(24, "17:30", (TALK,), "Quiz night: who brings the buzzer?"),
    Planned(25, "10:00", (NEWS,), "Wholesale price list, winter 2026/27, for cafés and offices", _S.HANDED_OVER),
    Planned(25, "13:00", (TOOT, SKY, TALK), "We finally fixed the espresso machine. It only took four people, "
            "two manuals and one very patient dog 🐕"),
    Planned(25, "15:00", (TALK,), "Staff picks: what Tomás drinks"),
    Planned(26, "09:00", (TOOT,), "Advent box: door 1 of 24 🎄", _S.HANDED_OVER),
    Planned(26, "19:30", (TALK,), "Quiz night, table list"),
    Planned(27, "09:00", (TOOT,), "Friday flat white ☕", _S.HANDED_OVER),
    Planned(27, "11:00", (X,), "2 for 1 until noon, show this post at the till", _S.HELD,
            "X no longer accepts the key. Sign in again; what is planned keeps its time."),
    Planned(27, "14:30", (NEWS,), "Weekend letter: brew at home", _S.HANDED_OVER),
    Planned(28, "10:00", (TALK, SKY), "Cupping starts in an hour"),
    Planned(28, "11:00", (TOOT,), "Live from the cupping table", _S.HANDED_OVER),
    Planned(29, "17:00", (GRAM,), "Sunday roast: 12 bags left"),
)  # fmt: skip

DRAFTS = (
    ("Opening hours between the years, and why the pier café is shut on the 27th", (TOOT, SKY), 3),
    ("Thank you! 1,248 of you read the November letter", (NEWS,), 55),
    ("New beans: Guji, Yirgacheffe, Huila", (TOOT, SKY, TALK), 60 * 4),
    ("مسودة: قائمة الشتاء", (GRAM,), 60 * 24 * 2),
    ("", (), 60 * 24 * 9),
)


def fill(program: Program) -> None:
    """Makes the accounts, the week and the drafts of Harbor Coffee."""
    with program.store.writing() as connection:
        connection.execute(sa.update(workspaces).values(name="Harbor Coffee"))
        ids = [_account(connection, *one) for one in ACCOUNTS]
        for place, (minutes, learned) in enumerate(KNOWN):
            at = None if minutes is None else NOW - timedelta(minutes=minutes)
            accounts.update(connection, ids[place], last_sent_at=at, learned=learned)
        accounts.update(connection, ids[X], state=AccountState.SIGN_IN, reason="X no longer accepts the key.")
        accounts.update(connection, ids[GRAM], url="https://t.me/harborcoffee_news")
        settings.write(connection, "zone", ZONE)
        settings.write(connection, "first_run_done", "yes")
        for planned in WEEK:
            _post(connection, planned, ids)
        for words, where, minutes in DRAFTS:
            _draft(connection, words, [ids[one] for one in where], NOW - timedelta(minutes=minutes))


def _account(connection: Connection, channel: str, name: str, handle: str) -> int:
    return accounts.insert(
        connection, workspace_id=1, channel=channel, name=name, handle=handle, url="", settings={}, learned={},
        secret_ref=None, spacing=0, now=NOW - timedelta(days=90),
    )  # fmt: skip


def _content(planned: Planned) -> Content:
    words = planned.words
    if NEWS not in planned.where:
        return Content(items=(Item(words), *(Item(text) for text in planned.thread)))
    people = tuple(Recipient(f"reader{number}@example.org") for number in range(1248))
    text = f"# {words}\n\nLiebe Grüße from the pier, and a cup of something warm."
    return Content(items=(Item(text),), mail=Mail(words, markup=Markup.MARKDOWN, to=people, separately=True))


def _post(connection: Connection, planned: Planned, ids: Sequence[int]) -> None:
    chosen = [ids[one] for one in planned.where]
    content = _content(planned)
    post_id = posts.insert(connection, 1, content, [Variant(one) for one in chosen], Plan(), NOW - timedelta(days=1))
    posts.set_draft(connection, post_id, False)
    when = When(datetime.fromisoformat(f"2026-11-{planned.day:02} {planned.time}"), ZONE)
    plans = [PartPlan(item=number) for number in range(len(content.items))]
    if content.mail:
        plans = [PartPlan(count=1000), PartPlan(first=1000, count=248)]
    for place, account_id in enumerate(chosen):
        delivery_id = deliveries.insert(
            connection, post_id=post_id, account_id=account_id, when=when, late="ask 2h",
            give_up_at=when.instant + timedelta(days=1), plans=plans, now=NOW - timedelta(days=1),
        )  # fmt: skip
        # The first account of what is sending now has its receipt already.
        state = _S.SENT if planned.state is _S.SENDING and place == 0 else planned.state
        _bring(connection, delivery_id, planned, state, when.instant)


def _bring(connection: Connection, delivery_id: int, planned: Planned, state: State, due: datetime) -> None:
    """Puts a delivery where the sample says, with the attempts that lead there."""
    if state in (_S.SENT, _S.FAILED, _S.IN_DOUBT, _S.SENDING):
        _attempts(connection, delivery_id, planned, state, due)
    values = {"state": state, "reason": planned.reason, "advice": planned.advice}
    if state is _S.SENT:
        values |= {"sent_at": due + timedelta(seconds=planned.late), "reason": "", "advice": ""}  # type: ignore[dict-item]
    if state is _S.SENDING:
        values |= {"owner": "sample", "lease_until": NOW + timedelta(minutes=2), "began_at": due}  # type: ignore[dict-item]
    connection.execute(sa.update(delivery_table).where(delivery_table.c.id == delivery_id).values(**values))


def _attempts(connection: Connection, delivery_id: int, planned: Planned, state: State, due: datetime) -> None:
    tries: list[tuple[int, float, float, Outcome, int | None, str]] = {
        _S.FAILED: [(1, 0.05, 0.4, Outcome.REFUSED, 403, planned.reason)],
        _S.IN_DOUBT: [(1, 0.2, 30.0, Outcome.DOUBT, None, planned.reason)],
        _S.SENDING: [],
    }.get(state, [(1, 0.04, planned.late, Outcome.SENT, 200, "Taken.")])
    if NEWS in planned.where and state is _S.SENT:
        tries = [
            (1, 0.04, 0.3, Outcome.LATER, 429, "Mailgun asks to wait 20 s."),
            (1, 20.11, 20.5, Outcome.SENT, 200, "Queued. Thank you."),
            (2, 20.63, 20.9, Outcome.SENT, 200, "Queued. Thank you."),
        ]
    if planned.thread:
        tries = [(part, part - 0.96, part - 0.7, Outcome.SENT, 200, "Taken.") for part in range(1, 5)]
    found = {part.number: part for part in deliveries.parts_of(connection, delivery_id)}
    for number, (part, began, ended, outcome, status, summary) in enumerate(tries, 1):
        connection.execute(
            sa.insert(attempts).values(
                part_id=found[part].id, delivery_id=delivery_id, number=number, owner="sample",
                began_at=due + timedelta(seconds=began), written=1,
                ended_at=due + timedelta(seconds=ended), outcome=outcome,
                status=status, summary=summary, request="POST /messages\nAuthorization: Basic ••••••••", answer=summary,
            )
        )  # fmt: skip
        if outcome is Outcome.SENT:
            _receipt(connection, found[part].id, delivery_id, due + timedelta(seconds=ended))


def _receipt(connection: Connection, part_id: int, delivery_id: int, at: datetime) -> None:
    remote = f"1150{delivery_id:04}{part_id:04}"
    receipt = Receipt(remote, f"https://toot.example/@harborcoffee/{remote}", "Taken.")
    written = {"remote_id": remote, "receipt": codec.encode(receipt), "sent_at": at}
    connection.execute(sa.update(parts).where(parts.c.id == part_id).values(**written))


def _draft(connection: Connection, words: str, chosen: Sequence[int], at: datetime) -> None:
    posts.insert(connection, 1, Content(items=(Item(words),)), [Variant(one) for one in chosen], Plan(), at)
