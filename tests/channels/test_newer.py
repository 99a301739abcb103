"""The page of versions: only what is signed by the makers is believed, and asking gives nothing away."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from sendoff import resources
from sendoff.channels.fault_server import FaultServer
from sendoff.channels.http import Transport
from sendoff.channels.newer import MOST, Release, ask, read
from sendoff.channels.testing import IMPATIENT
from sendoff.domain.errors import BadInput, Rejected, SendError, TryLater
from sendoff.release import NewerPage, newer_page
from tests.fakes.releases import SCRIPT, Makers, Page, script


@pytest.fixture(scope="module")
def makers(tmp_path_factory: pytest.TempPathFactory) -> Makers:
    return Makers(tmp_path_factory.mktemp("makers"))


def asked(server: FaultServer, makers: Makers, **more: Any) -> Release:
    return ask(Transport(IMPATIENT), NewerPage(f"{server.url}/newest.json", makers.key), **more)


def test_a_signed_page_is_believed_and_the_request_says_nothing_of_who_asks(makers: Makers) -> None:
    with FaultServer(Page(makers.page("9.1.0"))) as server:
        found = asked(server, makers, newest="9.0")
    assert (found.version, found.date.isoformat(), found.notes) == (
        "9.1.0",
        "2026-12-01",
        "https://sendoff.example/news",
    )
    [request] = server.requests
    assert (request.method, request.path, request.body) == ("GET", "/newest.json", b"")
    assert {name.lower(): value for name, value in request.headers.items()} == {
        "host": server.url.removeprefix("http://"), "user-agent": "Sendoff", "accept": "application/json",
        "accept-encoding": "identity",
    }  # fmt: skip


@pytest.mark.parametrize("mode", [f"redirect_{status}" for status in (301, 302, 303, 307, 308)])
def test_redirects_are_not_followed(makers: Makers, mode: str) -> None:
    with FaultServer(Page(makers.page("9.1.0")), mode) as server, pytest.raises(Rejected, match="send us on"):
        asked(server, makers)
    assert server.strangers == []
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "mode", ["missing", "captive", "nothing", "garbage", "a_list", "wrong_types", "huge", "cut_answer", "reset",
             "error_before", "limit", "no_http", "unauthorized"],
)  # fmt: skip
def test_whatever_else_comes_is_no_release(makers: Makers, mode: str) -> None:
    with FaultServer(Page(makers.page("9.1.0")), mode) as server, pytest.raises(SendError):
        asked(server, makers)


def test_a_large_page_is_not_believed_though_it_is_signed(makers: Makers) -> None:
    padded = makers.page("9.1.0") + b" " * MOST
    assert read(padded, makers.key).version == "9.1.0"
    with FaultServer(Page(padded)) as server, pytest.raises(Rejected, match="far too long"):
        asked(server, makers)


def test_nobody_there_is_tried_later(makers: Makers) -> None:
    server = FaultServer(Page(b""))
    server.close()
    with pytest.raises(TryLater):
        asked(server, makers)


def test_an_older_page_than_one_that_was_seen_is_not_believed(makers: Makers) -> None:
    with FaultServer(Page(makers.page("9.1.0"))) as server:
        assert asked(server, makers, newest="9.1").version == "9.1.0"
        with pytest.raises(Rejected, match=r"knows only 9.1.0, and 9.2 was there"):
            asked(server, makers, newest="9.2")


def forged(makers: Makers, tmp_path: Path) -> dict[str, bytes]:
    page: dict[str, str] = json.loads(makers.page("9.1.0"))
    signature = bytearray(base64.b64decode(page["signature"]))
    signature[3] ^= 1
    turned = base64.b64encode(bytes(signature)).decode()
    return {
        "another version": json.dumps({**page, "signed": page["signed"].replace("9.1.0", "9.2.0")}).encode(),
        "another key": Makers(tmp_path).page("9.1.0"),
        "a bit turned": json.dumps({**page, "signature": turned}).encode(),
        "not base64": json.dumps({**page, "signature": page["signature"] + "!"}).encode(),
        "no signature": json.dumps({"signed": page["signed"]}).encode(),
        "nested": b"[" * 4000,
        "a list": b"[1]",
        "no utf-8": b"\xff\xfe",
    }


def test_what_is_not_signed_by_the_makers_is_not_believed(makers: Makers, tmp_path: Path) -> None:
    for what, page in forged(makers, tmp_path).items():
        with pytest.raises(Rejected, match="not signed by the makers"):
            print(what, read(page, makers.key))


@pytest.mark.parametrize(
    "told",
    [
        {"version": "9.1.0; rm -rf /"}, {"version": "9"}, {"version": "9.1.0rc1"}, {"date": "soon"},
        {"notes": "http://sendoff.example/news"}, {"notes": "file:///etc/passwd"}, {"notes": "javascript:alert(1)"},
        {"notes": 7}, {"version": None},
    ],
)  # fmt: skip
def test_a_release_has_a_version_a_day_and_an_https_address(told: dict[str, Any]) -> None:
    good = {"version": "9.1.0", "date": "2026-12-01", "notes": "https://sendoff.example/news"}
    assert Release.of(good).text == json.dumps(good)
    with pytest.raises(ValueError):
        Release.of({**good, **told})


def test_versions_are_compared_by_their_numbers() -> None:
    release = Release.of({"version": "0.10.0", "date": "2026-12-01", "notes": "https://sendoff.example"})
    for older in ("0.9.9", "0.9", "0.1.0.dev3", "0.10.0.dev1"):
        assert release.is_newer_than(older) is (older != "0.10.0.dev1")
    for not_older in ("0.10", "0.10.0.0", "1.0", "0.10.1"):
        assert not release.is_newer_than(not_older)


def test_the_address_is_a_safe_one(makers: Makers) -> None:
    with pytest.raises(BadInput, match="in the open"):
        ask(Transport(IMPATIENT), NewerPage("http://sendoff.example/newest.json", makers.key))


def test_a_checkout_knows_no_page_and_a_package_the_one_that_its_maker_put_in(
    makers: Makers, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert newer_page() is None
    told = f"https://sendoff.example/newest.json\n{base64.b64encode(makers.key).decode()}\n"
    monkeypatch.setattr(resources, "text", {"newer.txt": told}.__getitem__)
    assert newer_page() == NewerPage("https://sendoff.example/newest.json", makers.key)


def test_a_private_key_is_its_owners_alone_and_never_written_over(tmp_path: Path) -> None:
    private = tmp_path / "private.pem"
    assert len(base64.b64decode(script().new_key(private))) == 32
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    before = private.read_bytes()
    with pytest.raises(FileExistsError):
        script().new_key(private)
    assert private.read_bytes() == before
    root = SCRIPT.parents[1]
    kept = [path for name in ("packaging", "resources", "docs") for path in (root / name).rglob("*") if path.is_file()]
    assert not [path for path in kept if b"PRIVATE KEY-----" in path.read_bytes()]
