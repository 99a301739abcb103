"""Trying a channel before anything is planned for it: what would leave, and what comes back when it does."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sendoff.domain.account import Account
from sendoff.domain.channel import Channel, Kind, Parcel, Trace, channel_named
from sendoff.domain.delivery import ENDS, Outcome, Receipt
from sendoff.domain.errors import BadInput, NotFound, SendError
from sendoff.domain.fields import divide, kept
from sendoff.domain.post import Attachment, Content, Item
from sendoff.domain.redact import Redactor
from sendoff.domain.when import Clock
from sendoff.engine.commands.accounts import Accounts

SAMPLE = "A test from Sendoff."
"""What a try says unless the person writes something else."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One try outside of the timeline: the request as it left and the answer, secrets masked, and what they mean."""

    outcome: Outcome
    words: str
    request: str
    answer: str = ""
    receipt: Receipt | None = None


class Trials:
    """Tries what a form makes of a text, with fields that were typed or with those of an account."""

    def __init__(self, accounts: Accounts, channels: Mapping[str, Channel], clock: Clock) -> None:
        self._accounts = accounts
        self._channels = channels
        self._clock = clock

    def rehearse(self, kind: str, fields: Mapping[str, str], text: str, *, account_id: int | None = None) -> str:
        """What a post of `text` would look like as it leaves, secrets masked. Nothing leaves.

        Args:
            account_id: the account whose fields count where one is left out; None for fields that are not stored.

        Raises:
            BadInput: the fields make no request of it; the message says why.
        """
        channel, settings, secret = self._for_trial(kind, fields, account_id)
        return channel.rehearse(_parcel(channel, settings, secret, {}, text, self._clock.now()))

    def try_out(self, kind: str, fields: Mapping[str, str], text: str, *, account_id: int | None = None) -> Trial:
        """Sends a post of `text` for real, outside of the timeline: nothing is stored, and nothing is tried again.

        Raises:
            BadInput, Rejected, NeedsLogin, TryLater: the sign-in did not work; nothing was sent.
        """
        channel, settings, secret = self._for_trial(kind, fields, account_id)
        completed = {**settings, **secret}
        identity = channel.connect(completed)
        settings, secret = kept(channel, completed, identity)
        return _send(channel, _parcel(channel, settings, secret, identity.learned, text, self._clock.now()))

    def _for_trial(
        self, kind: str, fields: Mapping[str, str], account_id: int | None
    ) -> tuple[Channel, dict[str, str], dict[str, str]]:
        channel = channel_named(self._channels, kind)
        if not channel.can_rehearse:
            raise BadInput(f"{channel.title} can’t be tried: what it sends is not made by a form.")
        return channel, *divide(channel, self._accounts.completed(kind, fields, account_id))


def _parcel(
    channel: Channel, settings: Mapping[str, str], secret: Mapping[str, str], learned: Mapping[str, Any], text: str,
    now: datetime,
) -> Parcel:  # fmt: skip
    """A post of one line as a part, with a key of its own; what the channel's options ask for has its samples."""
    account = Account(0, 0, channel.kind, "A test", "", settings=settings, learned=learned)
    content = Content((Item(text),))
    options = {one.name: one.default or one.sample for one in channel.options if one.kind is Kind.TEXT}
    return Parcel(
        account=account, capabilities=channel.capabilities.learned(learned), secret=secret, content=content,
        item=content.items[0], key=uuid.uuid4().hex, options=options, planned_at=now, now=now, file=_no_file,
        trace=Trace(),
    )  # fmt: skip


def _send(channel: Channel, made: Parcel) -> Trial:
    """Sends it for real, once."""
    redactor, trace = Redactor(made.secret.values()), made.trace
    clean, receipt, words = redactor.clean, None, "It was taken."
    try:
        receipt = channel.publish(made).masked(redactor)
        outcome = Outcome.SENT
    except SendError as wrong:
        (_, outcome), words = ENDS[type(wrong)], f"{wrong.reason} {wrong.advice}".strip()
    return Trial(outcome, clean(words), clean(trace.request), clean(trace.answer), receipt)


def _no_file(one: Attachment) -> Path:
    raise NotFound(f"A try takes no files along, and {one.name} is one.")
