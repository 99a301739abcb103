"""A delivery for people and for programs: the shapes of the JSON, and the lines of `sendoff show`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sendoff.cli import render
from sendoff.domain.account import A_MOMENT
from sendoff.domain.delivery import Attempt, Part
from sendoff.domain.doubt import Doubt
from sendoff.domain.numbers import Numbers, Reading
from sendoff.domain.post import Attachment, Content, Item, Mail, Recipient
from sendoff.domain.when import When, describe, distance, parse_late
from sendoff.store.timeline import ATTENTION, Detail, Row


def delivery(row: Row) -> dict[str, Any]:
    """A delivery as JSON has it."""
    one = row.delivery
    return {
        "id": one.id,
        "post": one.post_id,
        "account": {"id": one.account_id, "name": row.account, "channel": row.channel, "handle": row.handle},
        "state": one.state,
        "planned": render.timed(row.when),
        "due_at": render.instant(row.leaves_at if one.state == "scheduled" else one.due_at),
        "began_at": render.instant(one.began_at),
        "sent_at": render.instant(one.sent_at),
        "late_seconds": (one.sent_at - one.planned_at).total_seconds() if one.sent_at else None,
        "late_rule": one.late,
        "give_up_at": render.instant(one.give_up_at),
        "text": row.excerpt,
        "parts": row.parts,
        "parts_out": row.out,
        "recipients": row.people,
        "tries": one.tries,
        "reason": one.reason,
        "advice": one.advice,
        "url": row.url,
        "needs_you": one.state in ATTENTION and not one.acknowledged,
    }


def detail(found: Detail, doubt: Doubt | None) -> dict[str, Any]:
    """All about a delivery as JSON has it."""
    return {
        "delivery": delivery(found.row),
        "content": _content(found.content),
        "parts": [_part(part, found.readings.get(part.number)) for part in found.parts],
        "attempts": [_attempt(attempt) for attempt in found.attempts],
        "events": [
            {"at": render.instant(one.at), "kind": one.kind, "recipient": one.recipient, "detail": one.detail}
            for one in found.events
        ],
        "doubt": doubt and _doubt(doubt),
    }


def _doubt(known: Doubt) -> dict[str, Any]:
    facts = [{"name": name, "text": words} for name, words in known.facts]
    return {"known": facts, "can_look": known.can_look, "sent": known.there, "not_sent": known.absent}


def _content(content: Content) -> dict[str, Any]:
    return {"items": [_item(item) for item in content.items], "mail": _mail(content.mail) if content.mail else None}


def _item(item: Item) -> dict[str, Any]:
    poll = item.poll and {
        "options": list(item.poll.options), "lasts": item.poll.lasts, "multiple": item.poll.multiple,
    }  # fmt: skip
    return {"text": item.text, "media": [_file(one) for one in item.media], "poll": poll, "card": _card(item)}


def _card(item: Item) -> dict[str, Any] | None:
    card = item.card
    if card is None or card.removed:
        return None
    return {"url": card.url, "title": card.title, "text": card.text, "image": card.image and _file(card.image)}


def _file(one: Attachment) -> dict[str, Any]:
    return {
        "name": one.name,
        "role": one.role,
        "mime": one.mime,
        "size": one.size,
        "alt": one.alt,
        "sha256": one.sha256,
        "copies": [{"mime": copy.mime, "size": copy.size, "sha256": copy.sha256} for copy in one.copies],
    }


def _mail(mail: Mail) -> dict[str, Any]:
    return {
        "subject": mail.subject,
        "markup": mail.markup,
        "html": mail.html,
        "to": [_person(one) for one in mail.to],
        "cc": [_person(one) for one in mail.cc],
        "bcc": [_person(one) for one in mail.bcc],
        "reply_to": mail.reply_to,
        "separately": mail.separately,
    }


def _person(one: Recipient) -> dict[str, Any]:
    return {"address": one.address, "name": one.name, "fields": dict(one.fields)}


def _part(part: Part, reading: Reading | None) -> dict[str, Any]:
    receipt = part.receipt and {
        "remote_id": part.receipt.remote_id,
        "url": part.receipt.url,
        "answer": part.receipt.answer,
        "refused": [{"recipient": who, "reason": why} for who, why in part.receipt.refused],
    }
    numbers = reading and {
        "read_at": render.instant(reading.at),
        "is_there": reading.numbers is not None,
        **asdict(reading.numbers or Numbers()),
    }
    return {
        "number": part.number,
        "key": part.key,
        "sent_at": render.instant(part.sent_at),
        "receipt": receipt,
        "numbers": numbers,
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "part": attempt.part_number,
        "number": attempt.number,
        "began_at": render.instant(attempt.began_at),
        "ended_at": render.instant(attempt.ended_at),
        "outcome": attempt.outcome,
        "status": attempt.status,
        "summary": attempt.summary,
        "request": attempt.request,
        "answer": attempt.answer,
    }


# --- for people ---------------------------------------------------------------------------------------------------


def standing(row: Row) -> str:
    """A state in words, with how far it is where it has parts."""
    words = row.delivery.state.replace("_", " ")
    return f"{words}, {row.out} of {row.parts} out" if 0 < row.out < row.parts else words


def lines(
    found: Detail, channel: str, now: datetime, zone: str, verbose: bool, doubt: Doubt | None = None
) -> Iterator[str]:
    """Everything about a delivery, for reading."""
    row, one = found.row, found.row.delivery
    yield f"Delivery {one.id}: {standing(row)}"
    yield f"  account   {render.one_line(row.account)} ({render.one_line(row.handle)}), {channel or row.channel}"
    yield f"  planned   {describe(row.when, now)}"
    if one.began_at:
        yield f"  begun     {_clock(one.began_at, zone)}"
    if one.sent_at:
        yield f"  sent      {_clock(one.sent_at, zone)}, {render.lateness(one.sent_at, one.planned_at)}"
    elif one.state in ("scheduled", "held"):
        yield f"  if late   {parse_late(one.late or 'send').words}"
    if one.tries and one.state == "scheduled":
        yield f"  next try  {distance(row.leaves_at - now)}, {one.tries} so far"
    elif one.state == "scheduled" and row.leaves_at > max(one.due_at, now + A_MOMENT):
        yield f"  leaves    {distance(row.leaves_at - now)}, because its account waits until then"
    if one.reason:
        yield f"  why       {render.one_line(one.reason)}"
    if one.advice:
        yield f"  do        {render.one_line(one.advice)}"
    if doubt:
        yield from _known(doubt)
    yield from _written(found.content)
    yield from _parts(found, zone)
    yield from _numbers(found, zone)
    yield from _attempts(found, zone, verbose)
    if found.events:
        yield "\nEvents"
    for event in found.events:
        who = f"{event.recipient}: " if event.recipient else ""
        yield f"  {_clock(event.at, zone)}  {event.kind}  {render.one_line(who + event.detail)}"


def choices(found: Detail, doubt: Doubt) -> Iterator[str]:
    """What is known of a delivery in doubt, and the words that settle it with what each does."""
    one = found.row.delivery
    yield f"Delivery {one.id} is in doubt: {render.one_line(found.row.excerpt)} ({render.one_line(found.row.account)})"
    yield from _known(doubt)
    yield ""
    if doubt.can_look:
        yield f"  sendoff look {one.id}                   Sendoff asks the endpoint once more."
    yield f"  sendoff settle {one.id} --as sent       {doubt.there}"
    yield f"  sendoff settle {one.id} --as not-sent   {doubt.absent}"


def _known(doubt: Doubt) -> Iterator[str]:
    yield "\nKnown"
    for name, words in doubt.facts:
        yield f"  {name.lower():<8}  {render.one_line(words)}"


def _written(content: Content) -> Iterator[str]:
    mail = content.mail
    yield ""
    if mail and (mail.subject or mail.to):
        people = [one.address for one in mail.to]
        more = f" and {len(people) - 3} more" if len(people) > 3 else ""
        yield f"  Subject: {render.one_line(mail.subject)}"
        yield f"  To: {render.one_line(', '.join(people[:3]))}{more}{', an own mail each' if mail.separately else ''}"
    for number, item in enumerate(content.items, 1):
        if len(content.items) > 1:
            yield f"  ({number}/{len(content.items)})"
        yield render.indented(item.text)
        for one in item.media:
            yield f"  [{one.role}] {render.one_line(one.name)}{': ' + render.one_line(one.alt) if one.alt else ''}"
        if item.card and not item.card.removed:
            yield f"  [card] {render.one_line(item.card.title)}: {render.one_line(item.card.url)}"


def _parts(found: Detail, zone: str) -> Iterator[str]:
    yield "\nReceipts" if any(part.receipt for part in found.parts) else "\nReceipts: none yet"
    for part in found.parts:
        if part.receipt and part.sent_at:
            receipt = f"{render.one_line(part.receipt.remote_id)}  {render.one_line(part.receipt.url)}".rstrip()
            yield f"  {_clock(part.sent_at, zone)}  part {part.number} of {len(found.parts)}  {receipt}"
            for who, why in part.receipt.refused:
                yield f"            not taken for {render.one_line(who)}: {render.one_line(why)}"


def _numbers(found: Detail, zone: str) -> Iterator[str]:
    if found.readings:
        yield "\nReactions"
    for number, reading in sorted(found.readings.items()):
        which = f"part {number} of {len(found.parts)}  " if len(found.parts) > 1 else ""
        words = reading.numbers.words if reading.numbers else "It was not there any more"
        yield f"  {_clock(reading.at, zone)}  {which}{words}"


def _attempts(found: Detail, zone: str, verbose: bool) -> Iterator[str]:
    if found.attempts:
        yield "\nTries"
    for one in found.attempts:
        status = f" ({one.status})" if one.status is not None else ""
        end = f"{one.outcome.replace('_', ' ')}{status}" if one.outcome else "under way"
        which = f"part {one.part_number}, try {one.number}"
        yield f"  {_clock(one.began_at, zone)}  {which}: {end}. {render.one_line(one.summary)}"
        if verbose and one.request:
            yield render.indented(one.request, "    > ")
        if verbose and one.answer:
            yield render.indented(one.answer, "    < ")


def _clock(at: datetime, zone: str) -> str:
    wall = When.at(at, zone).wall
    return f"{wall:%Y-%m-%d %H:%M:%S}.{wall.microsecond // 1000:03d}"
