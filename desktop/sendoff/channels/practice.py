"""The practice network: inside Sendoff, reachable by nobody, and it answers as it is told."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sendoff.domain import mail
from sendoff.domain.account import Account
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import Channel, Field, How, Identity, Kind, Parcel, Settle
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import BadInput, InDoubt, NeedsLogin, Rejected, TryLater

if TYPE_CHECKING:
    from sendoff.channels.registry import Context

ANSWERS = {
    "accept": "takes it",
    "refuse": "says no",
    "login": "no longer takes the key",
    "later": "asks to wait (later:SECONDS)",
    "offline": "can’t be reached",
    "drop": "takes it, and the answer gets lost",
    "lost": "does not take it, and the answer gets lost",
    "slow": "takes it after a while (slow:SECONDS)",
}


@dataclass(frozen=True, slots=True)
class Received:
    """One thing that the practice network shows."""

    id: str
    handle: str
    at: str
    text: str
    subject: str = ""
    to: tuple[str, ...] = ()
    reply_to: str = ""
    media: tuple[str, ...] = ()


class Practice(Channel):
    """Keeps what it takes in a file of the profile, so that it survives the process as a real network would."""

    kind = "practice"
    title = "Practice"
    needs = "Nothing · 10 seconds"
    group = "practice"
    mark = "practice"
    steps = ("There is nothing to fetch. It is a network inside Sendoff, and nothing reaches the internet.",)
    capabilities = Capabilities(
        checked="2026-11-23",
        sources=("this file",),
        threads=True,
        batch=1000,
        text=500,
        media=4,
        media_types=("image/", "video/"),
        alt=1500,
        poll_options=4,
        poll_option=50,
    )
    can_delete = True
    places = ("handle",)
    fields = (
        Field("handle", "Name there", default="@you@practice", help="Anything you like."),
        Field(
            "takes", "It takes", Kind.CHOICE, default="posts", choices=(("posts", "Posts"), ("mail", "E-mail")),
        ),
        Field(
            "answers", "Answers", required=False, advanced=True,
            help=f"What it says, try by try, then “accept” for ever: {', '.join(ANSWERS)}.",
            placeholder="later:5, drop, accept",
        ),
        Field(
            "ends", "Its sign-in ends", required=False, advanced=True, placeholder="2026-12-24 18:00",
            help="In UTC. After that it no longer takes the key.",
        ),
        Field(
            "doubt", "If an answer gets lost", Kind.CHOICE, default="search", advanced=True,
            choices=(
                ("search", "Sendoff can look"), ("repeat", "Again has one effect"), ("ask", "Only you can tell"),
            ),
        ),
    )  # fmt: skip

    def __init__(self, context: Context) -> None:
        self._folder = context.folder / "practice"
        self._lock = threading.Lock()

    def connect(self, fields: Mapping[str, str]) -> Identity:
        for answer in _script(fields.get("answers", "")):
            if answer.partition(":")[0] not in ANSWERS:
                raise BadInput(f"The practice network has no answer “{answer}”. It has: {', '.join(ANSWERS)}.").at(
                    "answers"
                )
        ends = _ends(fields)
        if ends and ends <= datetime.now(UTC):
            raise _signed_out()
        learned: dict[str, Any] = {"mail": True, "text": None} if fields.get("takes") == "mail" else {}
        name = fields["handle"].strip("@").split("@")[0]
        return Identity(handle=fields["handle"], name=name, learned=learned, expires=ends)

    def settle(self, account: Account) -> Settle:
        how = How(account.settings.get("doubt", "search"))
        if how is How.ASK:
            return Settle(how, why="This practice account plays a network that can’t be asked.")
        return Settle(how, looks=(1, 3), absent_after=3, key_life=86_400)

    def publish(self, parcel: Parcel) -> Receipt:
        handle = parcel.account.handle
        parcel.trace.request = f"POST practice\n\n{parcel.item.text}"
        script = _script(parcel.account.settings.get("answers", ""))
        ends = _ends(parcel.account.settings)
        if ends and ends <= parcel.now:
            raise _signed_out()
        with self._lock:
            place = len(self._lines(handle, "try"))
            self._append({"try": parcel.key, "handle": handle})
        answer, _, detail = (script[place] if place < len(script) else "accept").partition(":")
        if answer == "slow":
            time.sleep(float(detail or 1))
        if answer in ("accept", "slow", "drop"):
            receipt = self._take(parcel)
            if answer != "drop":
                return receipt
        raise {
            "refuse": Rejected(
                "The practice network refused it: “not today”.", advice="Change it, or send it again.", status=422
            ),
            "login": _signed_out(),
            "later": TryLater(
                "The practice network asks to wait.", after=timedelta(seconds=float(detail or 5)), status=429
            ),
            "offline": TryLater("The practice network can’t be reached.", offline=True),
        }.get(answer, InDoubt("The line to the practice network broke before it answered. It may have gone out."))

    def _take(self, parcel: Parcel) -> Receipt:
        """Shows it, once for each key."""
        with self._lock:
            known = self._received_line(parcel)
            if known is None:
                handle = parcel.account.handle
                number = len(self._lines(handle, "id")) + 1
                known = {
                    "id": f"practice-{number}",
                    "key": parcel.key,
                    "handle": handle,
                    "at": parcel.now.isoformat(),
                    **_shown(parcel),
                }
                self._append(known)
        return Receipt(known["id"], answer="Taken by the practice network.")

    def find(self, parcel: Parcel) -> Receipt | None:
        with self._lock:
            known = self._received_line(parcel)
        return Receipt(known["id"], answer="Found in the practice network.") if known else None

    def delete(self, account: Account, secret: Mapping[str, str], receipt: Receipt) -> None:
        with self._lock:
            self._append({"gone": receipt.remote_id, "handle": account.handle})

    def received(self, handle: str | None = None) -> list[Received]:
        """What it shows, oldest first: all of it, or one account's."""
        with self._lock:
            gone = {line["gone"] for line in self._lines(handle, "gone")}
            lines = [line for line in self._lines(handle, "id") if line["id"] not in gone]
        return [
            Received(
                id=line["id"], handle=line["handle"], at=line["at"], text=line["text"], subject=line.get("subject", ""),
                to=tuple(line.get("to", ())), reply_to=line.get("reply_to", ""), media=tuple(line.get("media", ())),
            )
            for line in lines
        ]  # fmt: skip

    def _received_line(self, parcel: Parcel) -> dict[str, Any] | None:
        return next((line for line in self._lines(parcel.account.handle, "id") if line["key"] == parcel.key), None)

    def _lines(self, handle: str | None, kind: str) -> list[dict[str, Any]]:
        try:
            text = (self._folder / "received.jsonl").read_text()
        except FileNotFoundError:
            return []
        lines = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
        return [line for line in lines if kind in line and handle in (None, line["handle"])]

    def _append(self, line: Mapping[str, Any]) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(self._folder / "received.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, (json.dumps(line, ensure_ascii=False) + "\n").encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _signed_out() -> NeedsLogin:
    return NeedsLogin("The practice network no longer accepts the key.", advice="Sign in again.", status=401)


def _ends(fields: Mapping[str, str]) -> datetime | None:
    """When the sign-in ends.

    Raises:
        BadInput: that is no time.
    """
    typed = fields.get("ends", "").strip()
    if not typed:
        return None
    try:
        ends = datetime.fromisoformat(typed)
    except ValueError:
        raise BadInput(f"“{typed}” is no time. Write it like 2026-12-24 18:00.").at("ends") from None
    return ends if ends.tzinfo else ends.replace(tzinfo=UTC)


def _script(text: str) -> list[str]:
    return [answer for answer in text.replace(",", " ").split() if answer]


def _shown(parcel: Parcel) -> dict[str, Any]:
    shown: dict[str, Any] = {"text": parcel.item.text, "media": [one.name for one in parcel.item.media]}
    if parcel.capabilities.mail and parcel.content.mail:
        only = parcel.recipients[0] if len(parcel.recipients) == 1 else None
        rendered = mail.render(parcel.content, only)
        shown |= {"subject": rendered.subject, "text": rendered.text, "to": [one.address for one in parcel.recipients]}
    elif parcel.previous:
        shown["reply_to"] = parcel.previous[-1].remote_id
    return shown
