"""The contract of a channel, against a loopback server that breaks it in every way: ships with the product.

A channel's test gives a `Bench`: the channel, and how to make an account that talks to the server. `run` plays one
`Case` and asserts which of the ends came, how many effects the server counted, and that no secret is in any text.
"""

from __future__ import annotations

import io
import logging
import socket
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from sendoff.channels.fault_server import FaultServer, Reply, Request
from sendoff.channels.http import Patience, Transport
from sendoff.domain.account import Account
from sendoff.domain.channel import Channel, Parcel, Trace
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import InDoubt, NeedsLogin, Rejected, SendError, TryLater
from sendoff.domain.post import Attachment, Content, Item
from sendoff.domain.redact import Redactor

IMPATIENT = Patience(connect=2.0, read=1.5, total=2.0, most=1 << 20)
"""Waits short enough for tests; the server's "slow" and "drip" are four times as long, also on a busy machine."""


@dataclass(frozen=True, slots=True)
class Case:
    """What has to come of one way to break things: the kind of end, and how many effects the server may count."""

    mode: str
    end: type[SendError] | type[Receipt]
    effects: int
    at_least: float = 0.0  # seconds that a TryLater has to ask for


HTTP_CASES = (
    Case("accept", Receipt, 1),
    Case("refuse", Rejected, 0),
    Case("missing", Rejected, 0),
    Case("unauthorized", NeedsLogin, 0),
    Case("limit", TryLater, 0, 7.0),
    Case("limit_date", TryLater, 0, 7.0),
    Case("limit_absurd", TryLater, 0, 7.0),
    Case("limit_past", TryLater, 0),
    Case("unavailable", TryLater, 0, 9.0),
    Case("unavailable_bare", InDoubt, 0),
    Case("conflict", Rejected, 0),
    Case("too_large", Rejected, 0),
    Case("error_before", InDoubt, 0),
    Case("bad_gateway", InDoubt, 0),
    Case("gateway_timeout", InDoubt, 0),
    Case("gateway_timeout_after", InDoubt, 1),
    Case("error_after", InDoubt, 1),
    Case("bad_gateway_after", InDoubt, 1),
    Case("slow", InDoubt, 1),
    Case("drip", InDoubt, 1),
    Case("hang_up_after", InDoubt, 1),
    Case("hang_up_before", InDoubt, 0),
    Case("reset", InDoubt, 0),
    Case("cut_answer", InDoubt, 1),
    Case("redirect_301", Rejected, 0),
    Case("redirect_302", Rejected, 0),
    Case("redirect_303", Rejected, 0),
    Case("redirect_307", Rejected, 0),
    Case("redirect_308", Rejected, 0),
    Case("redirect_loop", Rejected, 0),
    Case("captive", InDoubt, 0),
    Case("nothing", InDoubt, 1),
    Case("garbage", InDoubt, 1),
    Case("no_id", InDoubt, 1),
    Case("wrong_types", InDoubt, 1),
    Case("a_list", InDoubt, 1),
    Case("endless", InDoubt, 1),
    Case("huge", InDoubt, 1),
    Case("bomb", InDoubt, 1),
    Case("no_http", InDoubt, 1),
    Case("many_headers", InDoubt, 1),
    Case("old_date", Receipt, 1),
)
"""What every channel over HTTP has to do. One whose service differs says so in its own list, with the reason."""


class Bench(Protocol):
    """What a channel's test provides.

    `account` makes the account that talks to the server at `url`; `secrets` are its secret fields, each a canary
    that must appear in no text. `files` is a folder with the attachments of `content`, by sha256.
    """

    channel: Channel
    secrets: Mapping[str, str]
    content: Content
    options: Mapping[str, str]
    files: Path

    def account(self, url: str) -> Account: ...


def fast_transport() -> Transport:
    return Transport(IMPATIENT)


def parcel(
    bench: Bench, url: str, *, number: int = 1, of: int = 1, previous: tuple[Receipt, ...] = (), key: str = ""
) -> Parcel:
    """A parcel as the engine would make it, armed and prepared."""
    account, content = bench.account(url), bench.content
    now = datetime.now(UTC)
    items = content.items
    made = Parcel(
        account=account,
        capabilities=bench.channel.capabilities.learned(account.learned),
        secret=bench.secrets,
        content=content,
        item=items[min(number, len(items)) - 1] if items else Item(),
        recipients=content.mail.to if content.mail else (),
        number=number,
        of=of,
        key=key or f"0123456789abcdef{number:016x}",
        options=bench.options,
        previous=previous,
        planned_at=now,
        now=now,
        file=lambda attachment: _file(bench.files, attachment),
    )
    return ready(bench.channel, made)


def ready(channel: Channel, made: Parcel) -> Parcel:
    frozen = channel.arm(made)
    made = replace(made, frozen=frozen.data, blob=frozen.blob, trace=Trace())
    return replace(made, prepared=channel.prepare(made)) if channel.capabilities.prepares else made


def _file(folder: Path, attachment: Attachment) -> Path:
    return folder / attachment.sha256


def run(bench: Bench, server: FaultServer, case: Case) -> SendError | Receipt:
    """Plays one case and returns how the try ended.

    Raises:
        AssertionError: the end, the number of effects or a text is not as the contract says.
    """
    told: list[bool] = []
    made = replace(parcel(bench, server.url), trace=Trace(lambda: told.append(True)))
    server.mode = case.mode
    before = len(server.endpoint.effects)
    with _log_lines() as lines:
        end, text = _attempt(bench.channel, made)
    if case.mode in ("endless", "slow", "drip"):
        time.sleep(0.1)  # the server may still be writing
    effects = len(server.endpoint.effects) - before
    assert isinstance(end, case.end), f"{case.mode}: expected {case.end.__name__}, got {end!r}"
    assert effects == case.effects, f"{case.mode}: expected {case.effects} effects, the server counted {effects}"
    assert told or not (effects and bench.channel.tells_leaving), f"{case.mode}: it had an effect and did not say so"
    assert not server.strangers, f"{case.mode}: a redirect was followed: {server.strangers}"
    if isinstance(end, Receipt):
        assert end.remote_id, f"{case.mode}: a receipt without an id"
    if isinstance(end, TryLater) and case.at_least:
        wait = end.after.total_seconds() if end.after else 0.0
        assert wait >= case.at_least - 1, f"{case.mode}: it waits {wait} s"
    _no_secret(bench, text + lines.getvalue(), case.mode)
    return end


def _attempt(channel: Channel, made: Parcel) -> tuple[SendError | Receipt, str]:
    """The end of one try, and every text that came of it, as the engine would store or show it."""
    clean = Redactor(made.secret.values()).clean
    try:
        receipt = channel.publish(made)
    except SendError as end:
        shown = "".join(traceback.format_exception(end)) + end.reason + end.advice + end.detail
        return end, shown + clean(made.trace.request + made.trace.answer)
    return receipt, repr(receipt) + clean(made.trace.request + made.trace.answer)


def _no_secret(bench: Bench, text: str, mode: str) -> None:
    for name, secret in bench.secrets.items():
        for form in (secret, Redactor([secret]).clean(secret) and secret.encode().hex()):
            assert form not in text, f"{mode}: the secret “{name}” stands in a text"


@contextmanager
def _log_lines() -> Iterator[io.StringIO]:
    """Everything that is logged meanwhile, at DEBUG."""
    stream = io.StringIO()
    handler, root = logging.StreamHandler(stream), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield stream
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def refused_connection(bench: Bench, made: Parcel | None = None) -> SendError:
    """How a try ends at a port where nobody listens: certainly not sent.

    Args:
        made: a parcel that was made ready at a server that is there; None: at one that takes everything and names
            nothing, where that is enough.

    Raises:
        AssertionError: it ended otherwise.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    if made is None:
        with FaultServer(_Silent()) as server:  # arming and preparing may need an endpoint; publishing meets none
            made = parcel(bench, server.url)
    told: list[bool] = []
    end, _ = _attempt(bench.channel, replace(made, account=bench.account(url), trace=Trace(lambda: told.append(True))))
    assert isinstance(end, TryLater), f"expected TryLater, got {end!r}"
    assert not told, "nothing was connected, and yet it said that bytes may leave"
    return end


class _Silent:
    """An endpoint that takes everything and remembers nothing."""

    effects: list[Any] = []  # noqa: RUF012  # stays empty

    def is_effect(self, request: Request) -> bool:
        return False

    def handle(self, request: Request) -> Reply:
        return Reply(200, b'{"id": "1"}')
