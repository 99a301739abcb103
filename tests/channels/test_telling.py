"""While a film goes up, each network that takes one tells how much of it has left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sendoff.channels import testing
from sendoff.channels.bluesky import Bluesky
from sendoff.channels.http import Transport
from sendoff.channels.http_endpoint import HttpEndpoint
from sendoff.channels.registry import Context
from sendoff.channels.testing import IMPATIENT
from sendoff.channels.x import X
from sendoff.domain.channel import Channel, Parcel
from sendoff.domain.post import Attachment, Item, Role
from tests.channels import test_bluesky, test_discord, test_http_endpoint, test_mastodon, test_telegram, test_x
from tests.fakes.bluesky_video import VideoServer
from tests.fakes.discord import DiscordServer
from tests.fakes.endpoint import NotesServer
from tests.fakes.letters import attachment
from tests.fakes.mastodon import MastodonServer
from tests.fakes.pds import PdsServer
from tests.fakes.telegram import TelegramServer
from tests.fakes.x import XServer

SIZE = 2_500_000  # three pieces for X

Sender = tuple[Channel, Parcel]


def context(folder: Path) -> Context:
    return Context(Transport(IMPATIENT), folder)


@contextmanager
def on_bluesky(folder: Path, item: Item) -> Iterator[Sender]:
    with PdsServer() as server, VideoServer(server.url) as service:
        made = Bluesky(context(folder), entry=server.url, directory=server.url, videos=service.url, waits=(0.01,))
        yield made, testing.parcel(test_bluesky.Bench(made, server, folder, item), server.url)


@contextmanager
def on_mastodon(folder: Path, item: Item) -> Iterator[Sender]:
    with MastodonServer() as server:
        bench = test_mastodon.Bench(folder, server, item)
        yield bench.channel, bench.parcel()


@contextmanager
def on_x(folder: Path, item: Item) -> Iterator[Sender]:
    with XServer() as server:
        made = X(context(folder), port=0)
        yield made, testing.parcel(test_x.Bench(made, server, folder, item), server.url)


@contextmanager
def on_discord(folder: Path, item: Item) -> Iterator[Sender]:
    with DiscordServer() as server:
        bench = test_discord.Bench(folder, server, item)
        yield bench.channel, bench.parcel()


@contextmanager
def on_telegram(folder: Path, item: Item) -> Iterator[Sender]:
    with TelegramServer() as server:
        bench = test_telegram.Bench(folder, server, item)
        yield bench.channel, bench.parcel()


@contextmanager
def on_endpoint(folder: Path, item: Item) -> Iterator[Sender]:
    with NotesServer() as server:
        settings = test_http_endpoint.typed(server.url, body_type="multipart", body="text={{text}}\nfilm={{media}}")
        yield HttpEndpoint(context(folder)), test_http_endpoint.parcel(folder, settings, item)


@pytest.mark.parametrize("network", [on_bluesky, on_mastodon, on_x, on_discord, on_telegram, on_endpoint])
def test_how_much_of_a_film_is_up_is_told(network: Callable[[Path, Item], object], tmp_path: Path) -> None:
    film: Attachment = replace(
        attachment(tmp_path, b"\0\0\0\x18ftypmp42".ljust(SIZE, b"."), "harbor.mp4", "video/mp4"), role=Role.MEDIA
    )
    told: list[tuple[str, int, int]] = []
    with network(tmp_path, Item("Look", media=(film,))) as (channel, parcel):  # type: ignore[attr-defined]
        parcel = replace(parcel, prepared={}, told=lambda *words: told.append(words))
        if channel.capabilities.prepares:
            parcel = replace(parcel, prepared=channel.prepare(parcel))
        channel.publish(parcel)
    assert {(name, size) for name, _, size in told} == {("harbor.mp4", SIZE)}
    steps = [out for _, out, _ in told]
    assert steps == sorted(steps)
    assert steps[-1] == SIZE
    assert len({out for out in steps if 0 < out < SIZE}) >= 2
