"""`sendoff accounts try`: the request as it would leave, and with --send the answer to it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from sendoff.cli import render, session
from sendoff.domain.channel import Channel, Preset
from sendoff.domain.delivery import Outcome
from sendoff.domain.errors import BadInput
from sendoff.engine.commands.trials import SAMPLE

LARGEST = 64 << 20
"""Bytes of a document that are read at most; what a channel takes is for it to say."""


def attempt(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        account = session.account(program, arguments.account)
        session.unlock(program.secrets, [account])
        kind, text, commands = account.channel, arguments.text or SAMPLE, program.commands
        if not arguments.send:
            request = commands.trials.rehearse(kind, {}, text, account_id=account.id)
            if arguments.json:
                render.print_json({"sent": False, "request": request})
            else:
                _print(request)
                session.remark("Nothing was sent. With --send it leaves, once.")
            return 0
        trial = commands.trials.try_out(kind, {}, text, account_id=account.id)
    if arguments.json:
        receipt = trial.receipt and {"id": trial.receipt.remote_id, "url": trial.receipt.url}
        shown = {"outcome": trial.outcome, "text": trial.words, "request": trial.request, "answer": trial.answer}
        render.print_json({"sent": True, **shown, "receipt": receipt})
    else:
        _print(f"{trial.request}\n\n{trial.answer}".rstrip())
        session.remark(render.plain(trial.words))
    return 0 if trial.outcome is Outcome.SENT else 1


def _print(wire: str) -> None:
    print("\n".join(render.plain(line) for line in wire.splitlines()))


def described(channel: Channel, file: Path) -> Sequence[Preset]:
    """What a document about a service describes: the requests to choose from."""
    if not channel.imports:
        raise BadInput(f"{channel.title} takes no description of a service.")
    return channel.imported(session.read_bytes(file, LARGEST, channel.imports))


def chosen(channel: Channel, file: Path, name: str) -> dict[str, str]:
    """What the named request of a document fills in.

    Raises:
        BadInput: it has none of that name; the message names some that are alike.
    """
    known = described(channel, file)
    found = next((one for one in known if one.name.lower() == name.lower()), None)
    if found is None:
        words = name.lower().split()
        alike = [one.name for one in known if all(word in f"{one.name} {one.help}".lower() for word in words)]
        some = ", ".join((alike or [one.name for one in known])[:8])
        raise BadInput(f"Choose a request with --operation. It has {len(known)}, among them: {some}.")
    return dict(found.values)
