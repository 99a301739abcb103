"""Two channels as somebody else might ship them, installed through the same door as the built-in ones.

The letterbox wants a secret token and is careless with it on purpose: it puts the token into every text that it makes.
The doorbell signs in with the browser.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from sendoff.channels.registry import Context
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import BrowserSignIn, Channel, Field, Identity, Kind, Option, Parcel, Preset
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import NeedsLogin, Rejected, TryLater


class Letterbox(Channel):
    """Takes what comes with any token but one that says "wrong"; keeps the posts in a file of the profile."""

    kind = "letterbox"
    title = "Letterbox"
    needs = "A token"
    capabilities = Capabilities(
        checked="2026-11-23", text=100, media=1, media_types=("image/",), alt=100, image_bytes=9000, card="sent"
    )
    fields = (
        Field("street", "Street", default="Main Street"),
        Field("address", "Web address", Kind.ADDRESS, required=False),
        Field("token", "Token", Kind.SECRET),
        Field("pin", "PIN", Kind.SECRET, required=False, advanced=True),
    )
    options = (
        Option("stamp", "Stamp", Kind.CHOICE, choices=(("", "None"), ("red", "Red"), ("blue", "Blue"))),
        Option("fragile", "Fragile", Kind.SWITCH),
        Option("weight", "Weight", Kind.NUMBER),
    )
    presets = (
        Preset("Corner Shop", {"street": "Corner Street"}, help="They open at nine."),
        Preset("Castle", {"street": "Castle Hill"}, domains=("castle.example",)),
    )

    def __init__(self, context: Context) -> None:
        self._file = Path(context.folder) / "letterbox.jsonl"

    def linked(self, text: str) -> str:
        """Any address, also one of this computer."""
        return next((word for word in text.split() if word.startswith("http://")), "")

    def connect(self, fields: Mapping[str, str]) -> Identity:
        if "wrong" in fields["token"]:
            raise NeedsLogin(f"The letterbox does not know the token {fields['token']}.", advice="Copy it again.")
        return Identity(handle=f"@{fields['street'].lower().replace(' ', '-')}", name="A letterbox", note="It squeaks.")

    def publish(self, parcel: Parcel) -> Receipt:
        token = parcel.secret["token"]
        parcel.trace.request = f"POST /letters\nAuthorization: Bearer {token}\n\n{parcel.item.text}"
        parcel.trace.answer = f"HTTP 200\n\nthanks for {token}"
        text = parcel.item.text
        if "wrong" in token:
            raise NeedsLogin(f"The letterbox no longer takes {token}.", detail=token)
        if "refuse" in text:
            raise Rejected(f"The letterbox refused {token}.", advice=f"Try another than {token}.", detail=token)
        if "later" in text:
            raise TryLater(f"The letterbox is full, says {token}.", detail=token)
        if "crash" in text:
            raise RuntimeError(f"the flap is stuck on {token}")
        with self._file.open("a") as file:
            file.write(json.dumps({"text": text, "options": dict(parcel.options)}) + "\n")
        return Receipt("letter-1", answer=f"taken, {token}")


class Doorbell(Letterbox):
    """The same, with a sign-in in the browser: who opens its page has signed in."""

    kind = "doorbell"
    title = "Doorbell"
    options = ()
    presets = ()
    fields = (Field("street", "Street", default="Main Street"), Field("token", "Token", Kind.SECRET, required=False))
    signs_in_by_browser = True

    def browser(self, fields: Mapping[str, str]) -> BrowserSignIn:
        return _Ring(fields)


class _Ring(BrowserSignIn):
    def __init__(self, fields: Mapping[str, str]) -> None:
        self._rung = threading.Event()
        rung = self._rung

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(204)
                self.end_headers()
                rung.set()

            def log_message(self, *_: Any) -> None:
                pass

        self._fields = fields
        self._server = HTTPServer(("127.0.0.1", 0), Page)
        self._server.timeout = 0.1
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/ring"
        self.code_url = self.url + "?show=code"

    def wait(self, seconds: float) -> Mapping[str, str]:
        if not self._rung.wait(seconds):
            raise TryLater("The browser did not come back.")
        return {**self._fields, "token": "CANARY-from-the-browser"}

    def paste(self, code: str) -> Mapping[str, str]:
        if code != "1234":
            raise Rejected("That is no code.", advice="Copy it again.")
        return {**self._fields, "token": "CANARY-pasted"}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
