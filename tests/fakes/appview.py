"""Bluesky's view of the network: the posts of a fake PDS that it has seen, with what people did with them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sendoff.channels.fault_server import FaultServer, Reply, Request
from tests.fakes.pds import FakePds

NONE = {"replyCount": 0, "repostCount": 0, "likeCount": 0, "quoteCount": 0, "bookmarkCount": 0}


@dataclass
class FakeView:
    """GET /xrpc/app.bsky.feed.getPosts, for anybody; at most 25 addresses (lexicon app.bsky.feed.getPosts).

    `counts` go by address; what is `unseen` has not come to the view yet.
    """

    pds: FakePds
    effects: list[Any] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)

    def is_effect(self, request: Request) -> bool:
        return True  # so that the modes of the server break it

    def handle(self, request: Request) -> Reply:
        where = urlsplit(request.path)
        asked = [value for name, value in parse_qsl(where.query) if name == "uris"]
        if where.path != "/xrpc/app.bsky.feed.getPosts" or not 0 < len(asked) <= 25:
            return Reply(400, b'{"error": "InvalidRequest", "message": "uris must not have more than 25 elements"}')
        there = {one.uri for one in self.pds.records.values()} - self.unseen
        shown = [{"uri": uri, "cid": "bafy", **NONE, **self.counts.get(uri, {})} for uri in asked if uri in there]
        return Reply(200, json.dumps({"posts": shown}).encode())


class ViewServer(FaultServer):
    """The view behind a real HTTP server."""

    endpoint: FakeView

    def __init__(self, pds: FakePds) -> None:
        super().__init__(FakeView(pds))
