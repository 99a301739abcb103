"""`sendoff accounts show`: all that is known of one account, and what its server itself has planned for it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from sendoff.bootstrap import Program
from sendoff.cli import accounts, render, session
from sendoff.domain.account import Account, rest_words
from sendoff.domain.channel import Channel, Planned, channel_named
from sendoff.domain.errors import SendError, SendoffError
from sendoff.domain.when import When, short, span_text
from sendoff.store import accounts as account_rows


def show(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        account = session.account(program, arguments.account)
        channel = channel_named(program.channels, account.channel)
        there, why = _planned_there(program, channel, account)
        with program.store.reading() as connection:
            counts = account_rows.counts(connection).get(account.id, {})
        now, zone = program.clock.now(), program.commands.settings.zone()
    lacks = list(channel.lacks(account))
    if arguments.json:
        kept = [
            {"id": one.id, "at": render.instant(one.at), "text": one.text, "pictures": one.pictures} for one in there
        ]
        render.print_json({
            **accounts.as_json(account, counts), "server": _software(account), "lacks": lacks,
            "doubt": channel.settle(account).why, "planned_there": None if why else kept, "planned_there_error": why,
        })  # fmt: skip
        return 1 if why else 0
    for name, words in _lines(account, channel, lacks, rest_words(account, now, zone)):
        print(f"{name:<12} {render.one_line(words)}")
    if channel.tells_planned:
        print(f"\nPlanned there: {render.one_line(why) if why else len(there) or 'nothing'}")
        for one in there:
            pictures = f" [{one.pictures}]" if one.pictures else ""
            print(f"  {short(When.at(one.at, zone), now)}  {render.one_line(one.text, 80)}{pictures}")
    return 1 if why else 0


def _planned_there(program: Program, channel: Channel, account: Account) -> tuple[Sequence[Planned], str]:
    """What the server keeps, and why that is not known."""
    if not channel.tells_planned:
        return (), ""
    try:
        session.unlock(program.secrets, [account])
        return program.commands.accounts.planned(account.id), ""
    except SendError as wrong:
        return (), f"{wrong.reason} {wrong.advice}".strip()
    except SendoffError as wrong:
        return (), str(wrong)


def _software(account: Account) -> str:
    return f"{account.learned.get('software', '')} {account.learned.get('version', '')}".strip()


def _lines(account: Account, channel: Channel, lacks: Sequence[str], rests: str) -> Iterator[tuple[str, str]]:
    yield "Account", f"{account.name} ({account.id})"
    yield "Channel", channel.title
    yield "Signed in as", account.handle
    if account.url:
        yield "Page", account.url
    if account.state == "sign_in":
        yield "State", f"needs a sign-in: {account.reason}"
    elif rests:
        yield "State", rests
    if software := _software(account):
        yield "Software", software
    for sentence in lacks:
        yield "Differs", sentence
    yield "Spacing", span_text(account.spacing) if account.spacing else "none"
    yield "Doubt", channel.settle(account).why or "Sendoff looks for what got lost by itself."
