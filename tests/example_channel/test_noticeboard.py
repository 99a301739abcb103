"""The example channel against the contract, as docs/adding-a-channel.md shows it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from sendoff.channels import testing
from sendoff.channels.registry import Context
from sendoff.channels.testing import HTTP_CASES, Case
from sendoff.domain.account import Account
from sendoff.domain.delivery import Receipt
from sendoff.domain.post import Content, Item
from tests.example_channel.sendoff_noticeboard import Noticeboard
from tests.fakes.endpoint import KEY, NotesServer

HEAVY = ("slow", "drip", "endless", "huge", "bomb", "many_headers")
"""They try Sendoff's own HTTP, which other channels' tests play; a channel that speaks it by itself plays them all."""


class Bench:
    """What the contract has to know: the channel, a post, and how to make an account that talks to the server."""

    secrets: Mapping[str, str] = {"key": KEY}
    content = Content((Item("Who has seen my cat?"),))
    options: Mapping[str, str] = {}

    def __init__(self, folder: Path) -> None:
        self.channel = Noticeboard(Context(testing.fast_transport(), folder))
        self.files = folder

    def account(self, url: str) -> Account:
        return Account(1, 1, "noticeboard", "Board", "@ada", settings={"server": url})


@pytest.mark.parametrize("case", [one for one in HTTP_CASES if one.mode not in HEAVY], ids=lambda case: case.mode)
def test_contract(case: Case, tmp_path: Path) -> None:
    with NotesServer() as server:
        testing.run(Bench(tmp_path), server, case)


def test_nobody_listens(tmp_path: Path) -> None:
    testing.refused_connection(Bench(tmp_path))


def test_twice_under_one_key_is_once_and_delete_may_be_repeated(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with NotesServer() as server:
        fields = {"server": server.url, **bench.secrets}
        assert bench.channel.connect(fields).handle == "@ada"
        first, again = (bench.channel.publish(testing.parcel(bench, server.url)) for _ in range(2))
        assert first == again == Receipt("1", url=f"{server.url}/n/1")
        assert len(server.endpoint.effects) == 1
        for _ in range(2):
            bench.channel.delete(bench.account(server.url), bench.secrets, first)
        assert server.endpoint.known == {}
