"""The HTTP endpoint against the contract, in several shapes; and what a repeat or a look makes of doubtful ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from sendoff.channels import testing
from sendoff.channels.http import Transport
from sendoff.channels.http_endpoint import HttpEndpoint
from sendoff.channels.registry import Context
from sendoff.channels.testing import HTTP_CASES, IMPATIENT, Case
from sendoff.domain.account import Account
from sendoff.domain.channel import Trace
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import CannotLook, InDoubt
from sendoff.domain.post import Attachment, Content, Item
from tests.fakes.endpoint import KEY, NotesServer

PICTURE = Attachment(sha256="b" * 64, name="Anna am See.png", mime="image/png", size=67, alt="Ein See.")
TELLING = (
    "accept",
    "refuse",
    "unauthorized",
    "limit",
    "error_after",
    "hang_up_after",
    "redirect_307",
    "captive",
    "no_id",
)
"""Ways to break things in which the shape of the request, or a secret in it, could make a difference."""

AFTER = ("error_before", "error_after", "hang_up_before", "hang_up_after", "captive", "nothing", "no_id")
"""Doubtful ends, with and without an effect."""

SHAPES: Mapping[str, Mapping[str, str]] = {
    "json": {"auth": "bearer", "body": '{"text": "{{text}}"}', "id_at": "/id"},
    "address": {"auth": "address", "body": '{"text": "{{text}}"}', "id_at": "/id"},
    "multipart": {"auth": "query", "key_name": "token", "body_type": "multipart", "body": "t={{text}}\nf={{media}}",
                  "success_at": "/ok", "success_is": "true", "id_at": "/id"},
    "signed": {"auth": "webhooks", "method": "PUT", "body_type": "form", "body": "text={{text}}", "id_at": "/id"},
}  # fmt: skip


class EndpointBench:
    """A post with a picture, sent by one of the shapes."""

    content = Content((Item("Hello “you” & co, https://example.com/x 🐘", media=(PICTURE,)),))
    options: Mapping[str, str] = {}

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.channel = HttpEndpoint(Context(Transport(IMPATIENT), folder))
        self.settings = settings
        self.secrets: Mapping[str, str] = {"secret": "whsec_Q0FOQVJZLWEtc2VjcmV0LW9mLTI0LWJ5dGVz"}
        if settings.get("auth") != "webhooks":
            self.secrets = {"secret": KEY}
        self.files = folder
        (folder / PICTURE.sha256).write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 59)

    def account(self, url: str) -> Account:
        if self.settings.get("auth") == "address":
            self.secrets = {"secret": f"{url}/notes/T0123/CANARY-hook-0123456789"}
        settings = {"url": f"{url}/notes", "host": url, **self.settings}
        return Account(1, 1, "endpoint", "a", "lab", settings=settings, learned={})


@pytest.fixture(scope="module")
def server() -> Iterator[NotesServer]:
    with NotesServer() as server:
        yield server


@pytest.mark.parametrize(
    ("shape", "case"),
    [
        pytest.param(shape, case, id=f"{shape}-{case.mode}")
        for shape in SHAPES
        for case in HTTP_CASES
        if shape == "json" or case.mode in TELLING
    ],
)
def test_the_contract(server: NotesServer, tmp_path: Path, case: Case, shape: str) -> None:
    server.endpoint.known.clear()
    testing.run(EndpointBench(tmp_path, SHAPES[shape]), server, case)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_refused_connection_is_certainly_not_sent(tmp_path: Path, shape: str) -> None:
    testing.refused_connection(EndpointBench(tmp_path, SHAPES[shape]))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"doubt": "key", "key_header": "Idempotency-Key"}, Receipt),
        ({"doubt": "key", "key_header": "Idempotency-Key", "key_form": "quoted"}, Receipt),
        ({"doubt": "look", "look_url": "/notes/{{id}}", "headers": "X-Ref: {{id}}"}, Receipt),
        ({"doubt": "look", "look_url": "/notes", "look_in": "/items", "look_for": "/ref", "headers": "X-Ref: {{id}}"},
         CannotLook),
    ],
    ids=["key", "quoted key", "own id", "list"],
)  # fmt: skip
@pytest.mark.parametrize("case", [one for one in HTTP_CASES if one.mode in AFTER], ids=lambda case: case.mode)
def test_after_doubt(
    server: NotesServer, tmp_path: Path, case: Case, settings: Mapping[str, str], expected: type
) -> None:
    """A repeat under the key has one effect; a look by the own id tells the truth; a list never proves an absence."""
    bench = EndpointBench(tmp_path, {**SHAPES["json"], **settings})
    server.endpoint.known.clear()
    before = len(server.endpoint.effects)
    made = testing.parcel(bench, server.url)
    server.mode = case.mode
    with pytest.raises(InDoubt):
        bench.channel.publish(made)
    server.mode = "accept"
    later = replace(made, first_try=made.now, last_try=made.now, trace=Trace())
    if settings["doubt"] == "key":
        assert bench.channel.publish(later).remote_id == str(before + 1)
        assert len(server.endpoint.effects) == before + 1
        return
    if expected is CannotLook and not case.effects:
        with pytest.raises(CannotLook, match="may not show everything"):
            bench.channel.find(later)
    else:
        found = bench.channel.find(later)
        assert (found.remote_id if found else None) == (str(before + 1) if case.effects else None)
    assert len(server.endpoint.effects) == before + case.effects
