"""Mails for tests, as the engine would hand them to a channel."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sendoff.domain.account import Account
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import Channel, Parcel, Trace
from sendoff.domain.post import Attachment, Content, Item, Mail, Recipient, Role

NOW = datetime(2026, 11, 23, 17, 52, tzinfo=UTC)
KEY = "0123456789abcdef0123456789abcdef"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def attachment(folder: Path, data: bytes, name: str, mime: str = "image/png", **more: Any) -> Attachment:
    """A file of the media store: `folder` holds the bytes by their sha256."""
    sha256 = hashlib.sha256(data).hexdigest()
    folder.mkdir(exist_ok=True)
    (folder / sha256).write_bytes(data)
    return Attachment(sha256, name, mime, len(data), role=more.pop("role", Role.ATTACHMENT), **more)


def letter(
    folder: Path,
    text: str = "Hello.\n",
    *,
    to: tuple[Recipient, ...] = (Recipient("ada@example.org", "Ada"),),
    media: tuple[Attachment, ...] = (),
    settings: Mapping[str, str] | None = None,
    secret: Mapping[str, str] | None = None,
    capabilities: Capabilities | None = None,
    key: str = KEY,
    **mail: Any,
) -> Parcel:
    """A parcel with a mail, not armed yet. What is not named here goes to `Mail`."""
    item = Item(text, media)
    content = Content((item,), Mail(to=to, **{"subject": "A word", **mail}))
    account = Account(
        1, 1, "smtp", "Mail", "grace@example.org", settings={"from": "grace@example.org", **(settings or {})}
    )
    return Parcel(
        account=account,
        capabilities=capabilities or Capabilities(checked="2026-11-23", mail=True),
        secret=secret or {},
        content=content,
        item=item,
        recipients=to,
        key=key,
        planned_at=NOW,
        now=NOW,
        file=lambda one: folder / one.sha256,
    )


def armed(channel: Channel, parcel: Parcel) -> Parcel:
    """The parcel with what the channel decided once, as the engine keeps it."""
    frozen = channel.arm(parcel)
    return replace(parcel, frozen=frozen.data, blob=frozen.blob, trace=Trace())
