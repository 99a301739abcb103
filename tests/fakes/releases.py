"""A page of versions as the makers of Sendoff would put it on the web, with a key of this test's own."""

from __future__ import annotations

import base64
import importlib.util
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from sendoff.channels.fault_server import Reply, Request
from sendoff.channels.newer import Release

SCRIPT = Path(__file__).parents[2] / "packaging" / "sign_release.py"


def script() -> ModuleType:
    """packaging/sign_release.py, which is in no package."""
    spec = importlib.util.spec_from_file_location("sign_release", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


class Makers:
    """Who has the private key."""

    def __init__(self, folder: Path) -> None:
        self._script, self._private = script(), folder / "private.pem"
        self.key = base64.b64decode(self._script.new_key(self._private))

    def page(self, version: str, date: str = "2026-12-01", notes: str = "https://sendoff.example/news") -> bytes:
        found: str = self._script.sign(self._private, Release.of({"version": version, "date": date, "notes": notes}))
        return found.encode()


@dataclass
class Page:
    """GET anything: the page. Every request can be broken by a mode of the server."""

    page: bytes
    effects: list[Any] = field(default_factory=list)

    def is_effect(self, request: Request) -> bool:
        return True

    def handle(self, request: Request) -> Reply:
        return Reply(200, self.page)
