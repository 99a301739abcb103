"""Telegram against the contract: with its key in every address, and no way out of doubt but the person's word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from sendoff.channels import testing
from sendoff.channels.http import Transport
from sendoff.channels.registry import Context
from sendoff.channels.telegram import Telegram
from sendoff.channels.testing import HTTP_CASES, IMPATIENT, Case
from sendoff.domain.account import Account
from sendoff.domain.channel import How
from sendoff.domain.post import Attachment, Content, Item
from tests.fakes.telegram import CHANNEL, TOKEN, TelegramServer

PICTURE = Attachment(sha256="a" * 64, name="Anna.png", mime="image/png", size=67, width=40, height=30)
OF_THE_LINE = ("slow", "drip", "bomb")
"""Costly, and nothing of them reaches the channel; Discord's bot plays them."""
FEW = ("accept", "hang_up_after", "unauthorized", "no_id", "limit", "redirect_307")


class TelegramBench:
    secrets: Mapping[str, str] = {"token": TOKEN}
    options: Mapping[str, str] = {"format": "markdown", "silent": "yes"}

    def __init__(self, folder: Path, item: Item = Item("Hello **all** 🐘")) -> None:
        self.channel = Telegram(Context(Transport(IMPATIENT), folder))
        self.content, self.files = Content((item,)), folder
        (folder / PICTURE.sha256).write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 59)

    def account(self, url: str) -> Account:
        settings = {"chat": str(CHANNEL), "topic": "", "base_url": url}
        return Account(1, 1, "telegram", "t", "@herald_bot", settings)


@pytest.fixture
def server() -> Iterator[TelegramServer]:
    with TelegramServer() as server:
        yield server


@pytest.mark.parametrize("case", [one for one in HTTP_CASES if one.mode not in OF_THE_LINE], ids=lambda case: case.mode)
def test_the_contract(server: TelegramServer, tmp_path: Path, case: Case) -> None:
    """Without a deviation."""
    testing.run(TelegramBench(tmp_path), server, case)


@pytest.mark.parametrize("mode", FEW)
@pytest.mark.parametrize("files", [(PICTURE,), (PICTURE, PICTURE)], ids=["photo", "album"])
def test_photos_and_albums_keep_it(
    server: TelegramServer, tmp_path: Path, files: tuple[Attachment, ...], mode: str
) -> None:
    """An album counts as many effects as it has photos; so an accepted one is judged by its receipt."""
    case = next(one for one in HTTP_CASES if one.mode == mode)
    case = Case(case.mode, case.end, case.effects * len(files), case.at_least)
    testing.run(TelegramBench(tmp_path, Item("Look", media=files)), server, case)


def test_a_refused_connection_is_certainly_not_sent(tmp_path: Path) -> None:
    assert "refused the connection" in testing.refused_connection(TelegramBench(tmp_path)).reason


def test_doubt_is_the_person_s(tmp_path: Path) -> None:
    bench = TelegramBench(tmp_path)
    assert bench.channel.settle(bench.account("")).how is How.ASK


def test_a_receipt_says_where_it_is(server: TelegramServer, tmp_path: Path) -> None:
    bench = TelegramBench(tmp_path)
    receipt = bench.channel.publish(testing.parcel(bench, server.url))
    assert receipt.url == f"https://t.me/harbor/{receipt.remote_id}"
    assert server.messages[0].text == "Hello all 🐘"
