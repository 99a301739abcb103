"""The product's own channels in the crash matrix, against the fakes of their tests: fewer points, the same judge."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sendoff.channels.fault_server import FaultServer
from tests.crash import table
from tests.crash.cells import Cell, Game, Played, Room, rows, texts
from tests.crash.endpoints import Ledger, LedgerServer, free_port
from tests.fakes import discord as fake_discord
from tests.fakes import mailgun
from tests.fakes import telegram as fake_telegram
from tests.fakes.discord import DiscordServer
from tests.fakes.mailgun import LoopbackMailgun
from tests.fakes.mastodon import MastodonServer
from tests.fakes.smtp_server import DROP, STEPS, SmtpServer
from tests.fakes.telegram import TelegramServer
from tests.fakes.x import XServer


@dataclass(frozen=True)
class Endpoint:
    """A fake that listens: how to sign in, what a post for it needs besides its text, and what took effect.

    `break_once` tells it how to break the next request with an effect (FaultServer's modes; SMTP: "drop at STEP").
    """

    fields: Mapping[str, str]
    secrets: Mapping[str, str]
    words: tuple[str, ...]
    count: Callable[[], Counter[str]]
    break_once: Callable[[str], None]
    strangers: Sequence[str] = ()


MAIL = ("--subject", "Hello", "--recipient", "ada@example.org")


@contextmanager
def smtp(folder: Path) -> Iterator[Endpoint]:
    with SmtpServer(folder) as server:
        fields = server.fields()
        password = fields.pop("password")
        yield Endpoint(fields, {"password": password}, MAIL, lambda: Counter(
            one.message.get_content().strip() for one in server.taken
        ), lambda mode: _break_smtp(server, mode))  # fmt: skip


def _break_smtp(server: SmtpServer, mode: str) -> None:
    server.faults, server.times = {mode.removeprefix("drop at "): DROP}, 1


@contextmanager
def mailgun_(folder: Path) -> Iterator[Endpoint]:
    """With a key that can send and nothing else, so that only the person can end a doubt."""
    with LoopbackMailgun() as server:
        fields = {"domain": mailgun.DOMAIN, "from": f"g@{mailgun.DOMAIN}", "base_url": server.url}
        yield Endpoint(fields, {"sending_key": mailgun.SENDING_KEY}, MAIL, lambda: Counter(
            copy.text.strip() for one in server.accepted for copy in one.copies()
        ), lambda mode: _break(server.us, mode), server.us.strangers)  # fmt: skip


def _break(server: FaultServer, mode: str) -> None:
    server.mode, server.times = mode, 1


@contextmanager
def mastodon(folder: Path) -> Iterator[Endpoint]:
    with MastodonServer() as server:
        yield Endpoint({"server": server.url}, {"access_token": server.token}, (), lambda: Counter(
            one.text for one in server.statuses
        ), lambda mode: _break(server, mode), server.strangers)  # fmt: skip


@contextmanager
def discord(folder: Path) -> Iterator[Endpoint]:
    """By a bot that may read the channel."""
    with DiscordServer() as server:
        fields, secrets = (
            {"channel": fake_discord.CHANNEL, "base_url": server.base},
            {"bot_token": server.endpoint.bot_token},
        )
        yield Endpoint(fields, secrets, (), lambda: Counter(
            one.content for one in server.messages
        ), lambda mode: _break(server, mode), server.strangers)  # fmt: skip


@contextmanager
def telegram(folder: Path) -> Iterator[Endpoint]:
    with TelegramServer() as server:
        fields, secrets = {"chat": "@harbor", "base_url": server.url}, {"token": fake_telegram.TOKEN}
        yield Endpoint(fields, secrets, (), lambda: Counter(
            one.text for one in server.messages
        ), lambda mode: _break(server, mode), server.strangers)  # fmt: skip


@contextmanager
def x(folder: Path) -> Iterator[Endpoint]:
    """By the four keys, and without leave to look, which X charges for."""
    with XServer() as server:
        yield Endpoint({"base_url": server.url}, server.endpoint.keys, (), lambda: Counter(
            one.text for one in server.posts
        ), lambda mode: _break(server, mode), server.strangers)  # fmt: skip


@contextmanager
def renewing(folder: Path) -> Iterator[Endpoint]:
    """Not real, but with a secret that changes: /renewing of the ledger."""
    with LedgerServer(Ledger(), free_port()) as server:
        fields, secrets = {"server": server.url}, {"refresh": "refresh-0"}
        yield Endpoint(fields, secrets, (), server.endpoint.count, lambda mode: _break(server, mode), server.strangers)


ENDPOINTS: Mapping[str, Any] = {
    "smtp": smtp, "mailgun": mailgun_, "mastodon": mastodon, "discord": discord, "telegram": telegram,
    "x": x, "renewing": renewing,
}  # fmt: skip


def play(room: Room, cell: Cell) -> Played:
    """As cells.play does, with an account and a post made for this cell alone."""
    began = time.monotonic()
    home = room.empty_home()
    with ENDPOINTS[cell.kind](room.folder) as endpoint:
        words = [word for name, value in endpoint.fields.items() for word in ("--field", f"{name}={value}")]
        words += [word for name in endpoint.secrets for word in ("--secret-env", f"{name}=CRASH_{name.upper()}")]
        env = {f"CRASH_{name.upper()}": value for name, value in endpoint.secrets.items()}
        room.nursery.run(home, "accounts", "add", cell.kind, "--name", "mine", *words, **env)
        thread = [word for text in texts(cell.parts)[1:] for word in ("--thread", text)]
        room.nursery.run(home, "post", "--to", "mine", "--text", "part 1", *thread, *endpoint.words)
        for _, mode in cell.breaks:
            endpoint.break_once(mode)
        game = Game(room, cell, home)
        try:
            game.play()
        finally:
            room.nursery.end_all()
        if endpoint.strangers:
            game.wrong.append(f"a redirect was followed: {endpoint.strangers}")
        played = Played(cell, rows(home), endpoint.count(), game.children, game.wrong)
    shutil.rmtree(home)
    played.seconds = time.monotonic() - began
    return played


# --- what may come of it ------------------------------------------------------------------------------------------

POINTS = ("claim.after", "intention.after", "wire.connected", "wire.sent", "answer.read", "end.before", "end.after")
MODES: Mapping[str, Mapping[str, table.Allowed]] = {
    "mailgun": {
        "redirect_307": table.FAILED, "unauthorized": table.HELD, "captive": table.DOUBT_0, "no_id": table.DOUBT_1,
        "hang_up_before": table.DOUBT_0, "hang_up_after": table.DOUBT_1, "cut_answer": table.DOUBT_1,
    },
    "discord": {"redirect_307": table.FAILED, "unauthorized": table.HELD, "hang_up_after": table.SENT},
    "telegram": {
        "redirect_307": table.FAILED, "unauthorized": table.HELD, "captive": table.DOUBT_0,
        "hang_up_after": table.DOUBT_1, "hang_up_before": table.DOUBT_0,
    },
    "x": {
        "redirect_307": table.FAILED, "unauthorized": table.HELD, "captive": table.DOUBT_0,
        "hang_up_after": table.DOUBT_1, "hang_up_before": table.DOUBT_0,
    },
    "mastodon": {"redirect_307": table.FAILED, "unauthorized": table.HELD, "refuse": table.FAILED},
    "smtp": {f"drop at {step}": table.SENT for step in STEPS}
    # A small mail and its final dot leave at once, before anybody can notice that the server is gone.
    | {"drop at BODY": table.SENT | table.DOUBT_0, "drop at DOT": table.DOUBT_0, "drop at TAKEN": table.DOUBT_1},
}  # fmt: skip


def cells() -> Iterator[Cell]:
    for kind in ENDPOINTS:
        for point in POINTS:
            yield Cell(kind, point)
        for mode in MODES.get(kind, ()):
            yield Cell(kind, breaks=((1, mode),))
    for parts in (1, 4):
        yield Cell("renewing", "token.renewed", parts=parts)
        yield Cell("renewing", "media.uploaded", parts=parts)
    for point in ("wire.sent", "answer.read", "end.after"):
        yield Cell("mastodon", point, parts=4)
        yield Cell("mastodon", point, "second")


def allowed(cell: Cell) -> table.Allowed:
    """Mastodon, Discord and the ledger can be asked; SMTP, Telegram, X without paid reads, and a Mailgun
    key that only sends cannot."""
    if cell.breaks:
        return MODES[cell.kind][cell.breaks[0][1]]
    if cell.point == "token.renewed":
        return table.HELD  # the old one is void and the new one is lost: only signing in again helps
    can, cannot = table.POINTS[cell.point]
    return can if cell.kind in ("mastodon", "discord", "renewing") else cannot
