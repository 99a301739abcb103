"""Channels for the four ways out of doubt, written as somebody else would write them and installed by the same door."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sendoff.channels import tls
from sendoff.channels.http import Answer, Http, Patience
from sendoff.channels.registry import Context
from sendoff.domain.account import Account
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import Channel, Field, Frozen, How, Identity, Kind, Option, Parcel, Settle
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import CannotLook, InDoubt, TryLater

PATIENCE = Patience(connect=2.0, read=1.0, total=1.5, most=1 << 20)
"""Waits short enough for tests; the slow modes of the server are longer."""

SOON: Any = (0.2,)
"""When to look, in seconds; a channel of the product counts in whole ones."""


class Base(Channel):
    """What the four have in common: a server, texts of any length, threads."""

    needs = "A server"
    tells_leaving = True
    own_ids = True
    can_reach = True
    capabilities = Capabilities(checked="2026-11-26", threads=True)
    fields = (
        Field("server", "Server", Kind.ADDRESS),
        Field("life", "How long keys are remembered (s)", Kind.NUMBER, default="3600"),
        Field("ca_file", "CA file", Kind.FILE, required=False),
    )
    options = (Option("padding", "Bytes to add", Kind.NUMBER),)

    def __init__(self, context: Context) -> None:
        self._context = context

    def connect(self, fields: Mapping[str, str]) -> Identity:
        return Identity(handle=f"@{self.kind}")

    def reach(self, account: Account) -> None:
        tls.reach_web(account.settings["server"])

    def http(self, parcel: Parcel) -> Http:
        settings = parcel.account.settings
        return Http(
            self._context.transport, f"{settings['server']}/{self.kind}", self.title, trace=parcel.trace,
            patience=PATIENCE, ca_file=settings.get("ca_file", ""),
        )  # fmt: skip

    def body(self, parcel: Parcel) -> bytes:
        padding = "x" * int(parcel.options.get("padding") or 0)
        return json.dumps({"text": parcel.item.text, **parcel.prepared, "padding": padding}).encode()

    def receipt(self, answer: Answer) -> Receipt:
        """What the server answered, if it is an answer of its own: an object with an id, about our text."""
        said = answer.json()
        name = said.get("id") if isinstance(said, dict) else None
        if not isinstance(name, str) or not name:
            raise InDoubt(f"{self.title} took it and named no id. It may have gone out.", detail=answer.text[:500])
        return Receipt(name)

    def publish(self, parcel: Parcel) -> Receipt:
        return self.receipt(self.http(parcel).write("/posts", data=self.body(parcel)))

    def upload(self, parcel: Parcel) -> Mapping[str, Any]:
        """A picture of the text, say."""
        answer = self.http(parcel).read("/media", method="POST", data=self.body(parcel)).json()
        return {"media": answer["id"]}

    def listed(self, parcel: Parcel) -> Receipt | None:
        """The newest own post with this text that is none of the others."""
        found = self.http(parcel).read("/posts").json()
        if not isinstance(found, list):
            raise TryLater(f"{self.title} gave no list of posts.")
        for one in found:
            if one["text"] == parcel.item.text and one["id"] not in parcel.known:
                return Receipt(one["id"])
        return None


class Key(Base):
    """Class A: the same key again has one effect, for a while; then its own posts can be listed."""

    kind, title = "key", "Keyed"

    def settle(self, account: Account) -> Settle:
        return Settle(How.REPEAT, looks=SOON, key_life=int(account.settings["life"]))

    def publish(self, parcel: Parcel) -> Receipt:
        headers = {"Idempotency-Key": parcel.key}
        return self.receipt(self.http(parcel).write("/posts", data=self.body(parcel), headers=headers))

    def find(self, parcel: Parcel) -> Receipt | None:
        return self.listed(parcel)


class OnlyKey(Key):
    """Class A where nothing can be listed: after the key's life only the person can tell."""

    kind, title = "onlykey", "Keyed only"

    def find(self, parcel: Parcel) -> Receipt | None:
        raise CannotLook("The key is forgotten by now, and Keyed only lists nothing.")


class OwnId(Base):
    """Class B: the client names the record, and can ask for it."""

    kind, title = "ownid", "Own id"
    capabilities = Capabilities(checked="2026-11-26", threads=True, prepares=True)

    def settle(self, account: Account) -> Settle:
        return Settle(How.SEARCH, looks=SOON)

    def arm(self, parcel: Parcel) -> Frozen:
        return Frozen({"name": uuid.uuid4().hex})

    def prepare(self, parcel: Parcel) -> Mapping[str, Any]:
        return self.upload(parcel)

    def publish(self, parcel: Parcel) -> Receipt:
        name = parcel.frozen["name"]
        answer = self.http(parcel).write(f"/posts/{name}", method="PUT", data=self.body(parcel), ok=(409,))
        if answer.status == 409:
            found = self.find(parcel)
            if found is None:
                raise InDoubt("Own id says that it is there, and does not show it.")
            return found
        receipt = self.receipt(answer)
        if receipt.remote_id != name:
            raise InDoubt("Own id answered with the id of something else. It may have gone out.")
        return receipt

    def find(self, parcel: Parcel) -> Receipt | None:
        answer = self.http(parcel).read(f"/posts/{parcel.frozen['name']}", ok=(404,))
        return None if answer.status == 404 else self.receipt(answer)


class Recent(Base):
    """Class C: no key and no own id, but the account's own recent posts can be listed."""

    kind, title = "recent", "Recent"
    capabilities = Capabilities(checked="2026-11-26", threads=True, prepares=True)

    def settle(self, account: Account) -> Settle:
        return Settle(How.SEARCH, looks=SOON)

    def prepare(self, parcel: Parcel) -> Mapping[str, Any]:
        return self.upload(parcel)

    def find(self, parcel: Parcel) -> Receipt | None:
        return self.listed(parcel)


class Blind(Base):
    """Class D: it takes posts, and can be asked nothing."""

    kind, title = "blind", "Blind"


class Renewing(Recent):
    """Class C behind tokens that run out at once: each refresh token works one time, and gives the next."""

    kind, title = "renewing", "Renewing"
    renews = True
    fields = (*Base.fields, Field("refresh", "Refresh token", Kind.SECRET))

    def renew(self, account: Account, secret: Mapping[str, str], now: datetime) -> Mapping[str, str]:
        http = Http(self._context.transport, f"{account.settings['server']}/{self.kind}", self.title, patience=PATIENCE)
        answer = http.read("/token", method="POST", data=json.dumps({"refresh": secret["refresh"]}))
        return {"refresh": answer.json()["refresh"]}


KINDS = (Key, OnlyKey, OwnId, Recent, Blind)
"""Those that need no secret, so that no process has to open the key file."""

ENTRY_POINTS = "[sendoff.channels]\n" + "".join(
    f"{one.kind} = {one.__module__}:{one.__name__}\n" for one in (*KINDS, Renewing)
)
