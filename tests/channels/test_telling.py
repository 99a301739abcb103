"""While a film goes up, each network that takes one tells how much of it has left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

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
Network = Callable[[Path, Item], AbstractContextManager[Sender]]


def context(folder: Path) -> Context:
    return Context(Transport(IMPATIENT), folder)


@contextmanager
def on_bluesky(folder: Path, item: Item) -> Iterator[Sender]:
    with PdsServer() as server, VideoServer(server.url) as service:
        made = Bluesky(context(folder), entry=server.url, directory=server.url, videos=service.url, waits=(0.01,))
        yield made, testing.parcel(test_bluesky.Bench(made, server, folder, item), server.url)


@contextmanager
def on_x(folder: Path, item: Item) -> Iterator[Sender]:
    with XServer() as server:
        made = X(context(folder), port=0)
        yield made, testing.parcel(test_x.Bench(made, server, folder, item), server.url)


@contextmanager
def on_endpoint(folder: Path, item: Item) -> Iterator[Sender]:
    with NotesServer() as server:
        settings = test_http_endpoint.typed(server.url, body_type="multipart", body="text={{text}}\nfilm={{media}}")
        yield HttpEndpoint(context(folder)), test_http_endpoint.parcel(folder, settings, item)


def signed_in(server_kind: Any, bench_kind: Any) -> Network:
    """A network whose test has a bench that signs in by itself."""

    @contextmanager
    def on_it(folder: Path, item: Item) -> Iterator[Sender]:
        with server_kind() as server:
            bench = bench_kind(folder, server, item)
            yield bench.channel, bench.parcel()

    return on_it


NETWORKS: dict[str, Network] = {
    "bluesky": on_bluesky,
    "x": on_x,
    "endpoint": on_endpoint,
    "mastodon": signed_in(MastodonServer, test_mastodon.Bench),
    "discord": signed_in(DiscordServer, test_discord.Bench),
    "telegram": signed_in(TelegramServer, test_telegram.Bench),
}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_how_much_of_a_film_is_up_is_told(network: Network, tmp_path: Path) -> None:
    film: Attachment = replace(
        attachment(tmp_path, b"\0\0\0\x18ftypmp42".ljust(SIZE, b"."), "harbor.mp4", "video/mp4"), role=Role.MEDIA
    )
    told: list[tuple[str, int, int]] = []
    with network(tmp_path, Item("Look", media=(film,))) as (channel, parcel):
        parcel = replace(parcel, prepared={}, told=lambda *words: told.append(words))
        if channel.capabilities.prepares:
            parcel = replace(parcel, prepared=channel.prepare(parcel))
        channel.publish(parcel)
    assert {(name, size) for name, _, size in told} == {("harbor.mp4", SIZE)}
    steps = [out for _, out, _ in told]
    assert steps == sorted(steps)
    assert steps[-1] == SIZE
    assert len({out for out in steps if 0 < out < SIZE}) >= 2
