"""The Noticeboard: an example of a channel in a package of its own. docs/adding-a-channel.md walks through it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from sendoff.channels.http import Http
from sendoff.channels.reading import table
from sendoff.domain.account import Account
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import Channel, Field, How, Identity, Kind, Parcel, Settle, Trace
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import InDoubt

if TYPE_CHECKING:
    from sendoff.channels.registry import Context


class Noticeboard(Channel):
    """One part is one POST /notes under the part's key, which the board remembers for a day."""

    kind = "noticeboard"
    title = "Noticeboard"
    needs = "Its address and a key · 1 min"
    steps = ("On the board: Settings → Keys → New key. Copy it.",)
    capabilities = Capabilities(checked="2026-11-27", sources=("the board's manual",), text=280, spacing=1.0)
    fields = (
        Field("server", "Address", Kind.ADDRESS, placeholder="https://board.example.org"),
        Field("key", "Key", Kind.SECRET),
    )
    tells_leaving = True
    own_ids = True
    can_delete = True

    def __init__(self, context: Context) -> None:
        self._transport = context.transport

    def _http(self, settings: Mapping[str, str], key: str, trace: Trace | None = None) -> Http:
        headers = {"Authorization": f"Bearer {key}"}
        return Http(self._transport, settings["server"], self.title, headers=headers, trace=trace or Trace())

    def connect(self, fields: Mapping[str, str]) -> Identity:
        person = table(self._http(fields, fields["key"]).read("/me").json())
        name = str(person.get("name") or "somebody")
        return Identity(handle=f"@{name}", name=name, url=fields["server"])

    def publish(self, parcel: Parcel) -> Receipt:
        http = self._http(parcel.account.settings, parcel.secret["key"], parcel.trace)
        answer = http.write("/notes", headers={"Idempotency-Key": parcel.key}, json={"text": parcel.item.text})
        note = table(answer.json())
        if not isinstance(note.get("id"), str) or not note["id"]:
            raise InDoubt("The board answered without the note's number. It may have gone out.", detail=answer.text)
        return Receipt(note["id"], url=f"{parcel.account.settings['server']}{note.get('url', '')}")

    def settle(self, account: Account) -> Settle:
        return Settle(
            How.REPEAT, looks=(2, 10, 60), key_life=24 * 3600, why="The board knows each note's key for a day."
        )

    def delete(self, account: Account, secret: Mapping[str, str], receipt: Receipt) -> None:
        path = f"/notes/{quote(receipt.remote_id, safe='')}"
        self._http(account.settings, secret["key"]).write(path, method="DELETE", ok=(404, 410))
