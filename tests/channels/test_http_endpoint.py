"""The HTTP endpoint: what leaves for each shape, what is refused before it leaves, and what answers mean."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from sendoff.channels import http_endpoint_setup as setups
from sendoff.channels.fault_server import Reply
from sendoff.channels.http import Transport
from sendoff.channels.http_endpoint import HttpEndpoint
from sendoff.channels.http_endpoint_form import EMPTY, PRESETS
from sendoff.channels.http_endpoint_template import NOTHING, at
from sendoff.channels.registry import Context
from sendoff.channels.testing import IMPATIENT
from sendoff.domain.account import Account
from sendoff.domain.channel import How, Level, Parcel, Trace
from sendoff.domain.delivery import Receipt, State
from sendoff.domain.errors import BadInput, InDoubt, NeedsLogin, Rejected
from sendoff.domain.post import Attachment, Content, Item
from tests.conftest import SetClock
from tests.engine.driver import Driver
from tests.fakes.endpoint import KEY, NotesServer

NOW = datetime(2026, 11, 23, 17, 52, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(59)
PICTURE = Attachment(sha256="a" * 64, name="Anna am See.png", mime="image/png", size=len(PNG), alt="Ein See.")
TORTURE = 'Say "hi" \\ & <b>\r\n--x\n{{title}} =&%2F #Tag 👨‍👩‍👧 שלום e\u0301 \u200b日本 https://example.com/a?b=c'
"""What would end a string, a line, a field or a tag, and what a careless hand would turn into something else."""


@pytest.fixture(scope="module")
def server() -> Iterator[NotesServer]:
    with NotesServer() as server:
        yield server


@pytest.fixture(autouse=True)
def afresh(server: NotesServer) -> None:
    server.endpoint.__init__()  # type: ignore[misc]
    server.requests.clear()
    server.mode, server.times = "accept", None


@pytest.fixture
def channel(tmp_path: Path) -> HttpEndpoint:
    (tmp_path / PICTURE.sha256).write_bytes(PNG)
    return HttpEndpoint(Context(Transport(IMPATIENT), tmp_path))


def typed(base: str, /, **more: str) -> dict[str, str]:
    """The form as the commands complete it."""
    return {**EMPTY, "url": f"{base}/notes", "body": '{"text": "{{text}}"}', "host": base, **more}


def parcel(
    folder: Path, settings: Mapping[str, str], item: Item, secret: Mapping[str, str] | None = None, **more: Any
) -> Parcel:
    account = Account(1, 1, "endpoint", "Notes", "lab", settings=settings)
    made: dict[str, Any] = {
        "content": Content((item,)), "item": item, "key": "0123456789abcdef" * 2, "planned_at": NOW, "now": NOW,
        "file": lambda one: folder / one.sha256,
    }  # fmt: skip
    return Parcel(account=account, capabilities=HttpEndpoint.capabilities, secret=secret or {}, **(made | more))


def left(server: NotesServer) -> Any:
    return server.requests[-1]


# --- what leaves --------------------------------------------------------------------------------------------------


def test_json_is_filled_in_as_a_structure(server: NotesServer, channel: HttpEndpoint, tmp_path: Path) -> None:
    body = {
        "text": "{{text}}", "in": "« {{ text }} »", "n": "{{number}}", "of": "{{of}}", "tags": "{{tags}}",
        "title": "{{title|}}", "or": "{{title|nothing}}", "reply": {"to": "{{previous_id|}}"}, "at": "{{unix}}",
        "list": ["{{title|}}", "{{link}}"], "keep": [1, None, True],
    }  # fmt: skip
    settings = typed(server.url, body=json.dumps(body))
    channel.publish(parcel(tmp_path, settings, Item(TORTURE), number=2, of=3))
    assert json.loads(left(server).body) == {
        "text": TORTURE, "in": f"« {TORTURE} »", "n": 2, "of": 3, "tags": ["Tag"], "or": "nothing", "reply": {},
        "at": 1795456320, "list": ["https://example.com/a?b=c"], "keep": [1, None, True],
    }  # fmt: skip
    assert left(server).headers["Content-Type"] == "application/json"
    assert "Transfer-Encoding" not in left(server).headers


def test_a_form_holds_what_was_written(server: NotesServer, channel: HttpEndpoint, tmp_path: Path) -> None:
    body = "status={{text}}\n\nfixed = a&b=c \nspoiler={{title|}}\nt=[{{title|}}]"
    channel.publish(parcel(tmp_path, typed(server.url, body_type="form", body=body), Item(TORTURE)))
    assert parse_qsl(left(server).text, keep_blank_values=True) == [
        ("status", TORTURE), ("fixed", "a&b=c"), ("t", "[]"),
    ]  # fmt: skip
    assert left(server).headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_multipart_carries_the_files(server: NotesServer, channel: HttpEndpoint, tmp_path: Path) -> None:
    settings = typed(server.url, body_type="multipart", body='te"xt={{text}}\nfile={{media}}\nalt={{alt|}}')
    item = Item(TORTURE, media=(PICTURE, replace(PICTURE, name="b.bin", mime="application/x-thing")))
    bodies = []
    for _ in range(2):
        channel.publish(parcel(tmp_path, settings, item))
        bodies.append(left(server).body)
    head = f"Content-Type: {left(server).headers['Content-Type']}\r\n\r\n".encode()
    parts: Any = message_from_bytes(head + left(server).body).get_payload()
    found = [(one.get_param("name", header="Content-Disposition"), one.get_filename()) for one in parts]
    assert found == [("te%22xt", None), ("file", "file.png"), ("file", "file.bin"), ("alt", None)]
    assert parts[0].get_payload(decode=True) == TORTURE.encode()
    assert parts[1].get_payload(decode=True) == PNG
    assert parts[2].get_content_type() == "application/x-thing"
    assert bodies[0] == bodies[1]  # another try under the same key says the same, byte for byte


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("raw", "{{text}}", TORTURE.encode()),
        ("raw", "{{media}}", PNG),
        ("xml", '<p a="{{text}}"/>', b'<p a="Say &quot;hi&quot; \\ &amp; &lt;b&gt;'),
        ("json", '{"f": "{{file_base64}}"}', b'{"f":"' + base64.b64encode(PNG)),
    ],
)
def test_other_bodies(
    server: NotesServer, channel: HttpEndpoint, tmp_path: Path, kind: str, body: str, expected: bytes
) -> None:
    channel.publish(parcel(tmp_path, typed(server.url, body_type=kind, body=body), Item(TORTURE, media=(PICTURE,))))
    assert left(server).body.startswith(expected)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "GET", "DELETE"])
def test_methods_and_addresses(server: NotesServer, channel: HttpEndpoint, tmp_path: Path, method: str) -> None:
    """A field in the address can end neither its segment nor its value."""
    url = f"{server.url}/act/{{{{title}}}}?q={{{{text}}}}&fixed=1"
    server.endpoint.reply = Reply(200, b'{"id": 5}')
    settings = typed(server.url, method=method, url=url, body_type="none")
    options = {"title": "../a/b?c#d"}
    channel.publish(parcel(tmp_path, settings, Item("x=1&y=2 /"), options=options))
    where = urlsplit(left(server).path)
    assert (left(server).method, where.path) == (method, "/act/..%2Fa%2Fb%3Fc%23d")
    assert parse_qs(where.query) == {"q": ["x=1&y=2 /"], "fixed": ["1"]}
    assert left(server).body == b""


def test_a_header_that_has_nothing_to_say_stays_away(
    server: NotesServer, channel: HttpEndpoint, tmp_path: Path
) -> None:
    settings = typed(server.url, headers="X-Title: {{title|}}\nX-Number: {{number}}")
    channel.publish(parcel(tmp_path, settings, Item("x")))
    assert "X-Title" not in left(server).headers
    assert left(server).headers["X-Number"] == "1"


def test_a_file_that_is_gone_is_noticed_before_anything_leaves(
    server: NotesServer, channel: HttpEndpoint, tmp_path: Path
) -> None:
    (tmp_path / PICTURE.sha256).unlink()
    settings = typed(server.url, body_type="multipart", body="f={{media}}")
    with pytest.raises(Rejected, match="can’t be read"):
        channel.publish(parcel(tmp_path, settings, Item("x", media=(PICTURE,))))
    assert not server.requests


def test_a_step_up_in_the_path_stays_here(server: NotesServer, channel: HttpEndpoint, tmp_path: Path) -> None:
    settings = typed(server.url, url=f"{server.url}/notes/{{{{title}}}}")
    with pytest.raises(Rejected, match="can’t stand in the address"):
        channel.publish(parcel(tmp_path, settings, Item("x"), options={"title": ".."}))
    assert not server.requests


# --- who we are ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "name", "expected"),
    [
        ({"auth": "bearer"}, "Authorization", f"Bearer {KEY}"),
        ({"auth": "basic", "username": "ada"}, "Authorization",
         f"Basic {base64.b64encode(f'ada:{KEY}'.encode()).decode()}"),
        ({"auth": "header", "key_name": "X-Gotify-Key"}, "X-Gotify-Key", KEY),
        ({"auth": "bearer", "headers": "X-Twice: a {{secret}} b"}, "X-Twice", f"a {KEY} b"),
    ],
)  # fmt: skip
def test_the_key_is_shown_to_the_endpoint_alone(
    server: NotesServer, channel: HttpEndpoint, tmp_path: Path, settings: dict[str, str], name: str, expected: str
) -> None:
    made = parcel(tmp_path, typed(server.url, **settings), Item("x"), {"secret": KEY})
    channel.publish(made)
    assert left(server).headers[name] == expected
    for text in (made.trace.request, channel.rehearse(made)):
        assert KEY not in text
        assert expected not in text
        assert f"{name}: " in text


def test_a_key_in_the_address(server: NotesServer, channel: HttpEndpoint, tmp_path: Path) -> None:
    odd = f"{KEY}&=/ü"
    settings = typed(server.url, auth="query", key_name="api key", url=f"{server.url}/notes?a=1")
    made = parcel(tmp_path, settings, Item("x"), {"secret": odd})
    channel.publish(made)
    assert parse_qs(urlsplit(left(server).path).query) == {"a": ["1"], "api key": [odd]}
    assert "CANARY" not in made.trace.request + channel.rehearse(made)


def test_an_address_that_is_the_secret_is_nowhere(server: NotesServer, channel: HttpEndpoint, tmp_path: Path) -> None:
    """Neither where the server repeats it, nor where it repeats a part of it."""
    secret = f"{server.url}/services/T0123/CANARYHOOK0123"
    settings = typed(server.url, url="", auth="address")
    identity = channel.connect({**settings, "secret": secret})
    assert (identity.handle, identity.settings["host"]) == (server.url.removeprefix("http://"), server.url)
    words = b"no_service /services/T0123/CANARYHOOK0123 CANARYHOOK0123"
    server.endpoint.reply = Reply(404, words, {"Content-Type": "text/plain"})
    made = parcel(tmp_path, settings, Item("x"), {"secret": secret})
    with pytest.raises(Rejected) as refused:
        channel.publish(made)
    assert "no_service" in str(refused.value)
    texts = [str(refused.value), refused.value.reason, refused.value.detail, made.trace.request, made.trace.answer]
    assert not [text for text in texts if "CANARY" in text]
    assert left(server).path == "/services/T0123/CANARYHOOK0123"


def test_client_credentials(server: NotesServer, channel: HttpEndpoint, tmp_path: Path) -> None:
    fields = typed(
        server.url, auth="client_credentials", username="robot", token_url=f"{server.url}/token", scope="a b"
    )
    for knows_basic in (True, False):
        server.endpoint.knows_basic_client = knows_basic
        identity = channel.connect({**fields, "secret": KEY})
    assert parse_qs(left(server).text)["scope"] == ["a b"]
    secret = {"secret": KEY, **identity.secrets}
    assert secret["access_token"] == "CANARY-token-00000002"
    account = Account(1, 1, "endpoint", "n", "h", settings=fields)
    now = datetime.now(UTC)
    assert channel.renew(account, secret, now) == {}
    renewed = channel.renew(account, secret, now + timedelta(minutes=59))
    assert renewed["access_token"] == "CANARY-token-00000003"
    made = parcel(tmp_path, fields, Item("x"), {**secret, **renewed})
    channel.publish(made)
    assert left(server).headers["Authorization"] == "Bearer CANARY-token-00000003"
    assert "CANARY" not in made.trace.request
    with pytest.raises(NeedsLogin, match="There is no such client") as refused:
        channel.connect({**fields, "secret": "CANARY-wrong"})
    assert refused.value.field == "secret"


def test_a_token_whose_life_is_not_told_is_short(server: NotesServer, channel: HttpEndpoint) -> None:
    fields = typed(server.url, auth="client_credentials", username="robot", token_url=f"{server.url}/token")
    server.endpoint.token_life = None
    secret = {"secret": KEY, **channel.connect({**fields, "secret": KEY}).secrets}
    account = Account(1, 1, "endpoint", "n", "h", settings=fields)
    assert channel.renew(account, secret, datetime.now(UTC))["access_token"] != secret["access_token"]


def test_signatures_by_the_vectors() -> None:
    specs = Path(os.environ.get("SENDOFF_SPECS", ""))
    if not os.environ.get("SENDOFF_SPECS"):
        pytest.skip("SENDOFF_SPECS names no folder with standard-webhooks-vectors.json")
    cases = json.loads((specs / "standard-webhooks-vectors.json").read_text())["cases"]
    assert cases
    for case in cases:
        instant = datetime.fromtimestamp(int(case["webhook-timestamp"]), UTC)
        made = setups.signed(case["secret"], case["webhook-id"], instant, case["body"].encode())
        assert made == {name: case[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}


def test_a_signature_is_of_the_bytes_that_leave(server: NotesServer, channel: HttpEndpoint, tmp_path: Path) -> None:
    """The id is the part's own in every try, the time is that of the try; a stream is signed as a whole."""
    raw = bytes(range(32))
    secret = {"secret": f"whsec_{base64.b64encode(raw).decode()}"}
    settings = typed(server.url, auth="webhooks", body_type="multipart", body="t={{text}}\nf={{media}}")
    made = parcel(tmp_path, settings, Item("Grüße 😀", media=(PICTURE,)), secret)
    ids = set()
    for seconds in (0, 90):
        channel.publish(replace(made, now=NOW + timedelta(seconds=seconds), trace=Trace()))
        got = left(server)
        ids.add(got.headers["webhook-id"])
        assert got.headers["webhook-timestamp"] == str(int(NOW.timestamp()) + seconds)
        content = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
        digest = base64.b64encode(hmac.digest(raw, content, hashlib.sha256)).decode()
        assert got.headers["webhook-signature"] == f"v1,{digest}"
    assert ids == {made.key}


# --- refused before anything leaves -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "field", "words"),
    [
        ({"url": ""}, "url", "Where does the request go"),
        ({"url": "http://example.org/x"}, "url", "in the open"),
        ({"url": "https://u:p@example.org/x"}, "url", "name and password out"),
        ({"url": "https://example.org/x#y"}, "url", "“#”"),
        ({"url": "https://{{title}}.example.org/"}, "url", "can’t stand in the host"),
        ({"url": "https://example.org/a b"}, "url", "blank"),
        ({"url": "https://example.org/\r\nHost: evil"}, "url", "blank"),
        ({"url": "https://169.254.169.254/latest"}, "url", "link itself"),
        ({"url": "https://2852039166/latest"}, "url", "link itself"),
        ({"url": "https://[::ffff:169.254.169.254]/"}, "url", "link itself"),
        ({"url": "ftp://example.org/"}, "url", "not a web address"),
        ({"url": "https://example.org/{{txet}}"}, "url", "Did you mean {{text}}?"),
        ({"url": "https://example.org/{{text}"}, "url", "is no field"),
        ({"url": "https://YOUR-SERVER/x"}, "url", "Write yours instead of YOUR-SERVER"),
        ({"url": "https://example.org/{{media}}"}, "url", "has no place here"),
        ({"body": '{"text": {{text}}}'}, "body", "Fields stand inside quotes"),
        ({"body": '{"text": "{{tekst}}"}'}, "body", "Did you mean {{text}}?"),
        ({"body": '{"{{text}}": 1}'}, "body", "can’t stand in a name"),
        ({"body": '{"a": NaN}'}, "body", "NaN"),
        ({"body": "[" * 100_000}, "body", "no JSON"),
        ({"body": ""}, "body", "no JSON"),
        ({"body_type": "form", "body": "status"}, "body", "name=value"),
        ({"body_type": "form", "body": "f={{media}}"}, "body", "has no place here"),
        ({"headers": "X-A: 1\nX-a: 2"}, "headers", "twice"),
        ({"headers": "nonsense"}, "headers", "Name: value"),
        ({"headers": "X A: 1"}, "headers", "no name of a header"),
        ({"headers": "Content-Length: 3"}, "headers", "can’t be set"),
        ({"headers": "Transfer-Encoding: chunked"}, "headers", "can’t be set"),
        ({"headers": "Authorization: Bearer abc"}, "headers", "{{secret}}"),
        ({"headers": "X-A: ü"}, "headers", "ASCII"),
        ({"headers": "Content-Type: text/plain", "body_type": "multipart", "body": "a=b"}, "headers", "leave it out"),
        ({"auth": "bearer"}, "secret", "key is missing"),
        ({"auth": "bearer", "secret": "a\r\nX-Evil: 1"}, "secret", "characters"),
        ({"auth": "header", "secret": "k", "key_name": "X-A:\r\nB"}, "key_name", "no name of a header"),
        ({"auth": "basic", "secret": "k", "username": "a:b"}, "username", "“:”"),
        ({"auth": "client_credentials", "secret": "k", "username": "a"}, "token_url", "hands out tokens"),
        ({"auth": "webhooks", "secret": "whsec_%%%"}, "secret", "whsec_"),
        ({"auth": "address", "secret": "https://example.org/{{text}}"}, "secret", "can’t have fields"),
        ({"success": "abc"}, "success", "no status"),
        ({"success": "299-200"}, "success", "no status"),
        ({"id_at": "id"}, "id_at", "like /data/id"),
        ({"url_at": "/a~2"}, "url_at", "no place"),
        ({"doubt": "key"}, "doubt", "By what does it know"),
        ({"doubt": "key", "key_header": "A B"}, "key_header", "no name"),
        ({"doubt": "look"}, "look_url", "Where can it be looked up"),
        ({"doubt": "look", "look_url": "/notes"}, "look_for", "How is the post known"),
        ({"doubt": "look", "look_url": "https://elsewhere.example/{{id}}"}, "look_url", "the same key"),
        ({"check_url": "https://elsewhere.example/me"}, "check_url", "the same key"),
    ],
)  # fmt: skip
def test_a_form_that_cant_be_right(channel: HttpEndpoint, more: dict[str, str], field: str, words: str) -> None:
    with pytest.raises(BadInput) as wrong:
        channel.connect(typed("https://example.org", **more))
    assert words in str(wrong.value)
    assert wrong.value.field == field


@pytest.mark.parametrize(
    ("settings", "options", "words"),
    [
        ({"body": '{"t": "{{title}}"}'}, {}, "It needs its title, because the request has {{title}}."),
        ({"headers": "X-T: {{title}}"}, {"title": "a\r\nX-Evil: 1"}, "can’t stand in a header"),
        ({"headers": "X-T: {{title}}"}, {"title": "Grüße"}, "only plain ASCII"),
        ({"body_type": "raw", "body": "{{media}}"}, {}, "It needs a picture or video"),
        ({"body": '{"t": "{{previous_id}}"}'}, {}, "nothing comes before it. Write {{previous_id|}}"),
    ],
)
def test_a_post_that_does_not_fit_is_told_while_it_is_written(
    server: NotesServer, channel: HttpEndpoint, tmp_path: Path, settings: dict[str, str], options: dict[str, str],
    words: str,
) -> None:  # fmt: skip
    made = parcel(tmp_path, typed(server.url, **settings), Item("x"), options=options)
    found = list(channel.check(made.content, options, made.account))
    assert [words in one.title for one in found if one.level is Level.ERROR] == [True]
    with pytest.raises(Rejected) as refused:
        channel.publish(made)
    assert words in refused.value.reason
    assert not server.requests


def test_words_that_stay_here_are_told(server: NotesServer, channel: HttpEndpoint, tmp_path: Path) -> None:
    made = parcel(tmp_path, typed(server.url, body='{"a": 1}'), Item("x"))
    assert [one.code for one in channel.check(made.content, {}, made.account)] == ["unused"]
    made = parcel(tmp_path, typed(server.url), Item("x"))
    assert not list(channel.check(made.content, {}, made.account))


# --- what an answer means -----------------------------------------------------------------------------------------


def answered(status: int, body: Any, **headers: str) -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, raw, {"Content-Type": "application/json", **headers})


@pytest.mark.parametrize(
    ("settings", "reply", "expected"),
    [
        ({"id_at": "/id"}, answered(200, {"id": 7}), "7"),
        ({"id_at": "/a~1b/0/m~0n"}, answered(200, {"a/b": [{"m~n": "x"}]}), "x"),
        ({"id_at": "header:location"}, answered(201, {}, Location="/n/9"), "/n/9"),
        ({"id_at": "/id"}, answered(200, {"id": True}), InDoubt),
        ({"id_at": "/id"}, answered(200, {"id": ""}), InDoubt),
        ({"id_at": "/0"}, answered(200, {"0": None}), InDoubt),
        ({"success_at": "/ok", "success_is": "true", "error_at": "/why"}, answered(200, {"ok": True}), None),
        ({"success_at": "/ok", "success_is": "true", "error_at": "/why"}, answered(200, {"ok": False, "why": "full"}),
         Rejected),
        ({"success_at": "/ok", "success_is": "true"}, answered(200, {}), InDoubt),
        ({"success_at": "/ok"}, answered(200, {"ok": False}), None),
        ({"success_is": "ok"}, answered(200, b"ok\n"), None),
        ({"success_is": "ok"}, answered(200, b"<html>hotel</html>"), InDoubt),
        ({}, answered(204, b""), None),
        ({}, answered(200, b"<!DOCTYPE html><p>hotel"), InDoubt),
        ({"success": "201, 202"}, answered(200, {}), InDoubt),
        ({"success": "303"}, answered(303, b"", Location="/there"), None),
        ({}, answered(303, b"", Location="https://10.0.0.1/there"), Rejected),
    ],
)  # fmt: skip
def test_what_an_answer_means(
    server: NotesServer, channel: HttpEndpoint, tmp_path: Path, settings: dict[str, str], reply: Reply, expected: Any
) -> None:
    server.endpoint.reply = reply
    made = parcel(tmp_path, typed(server.url, **settings), Item("x"))
    if isinstance(expected, type):
        with pytest.raises(expected):
            channel.publish(made)
    else:
        assert channel.publish(made).remote_id == (expected or made.key)
    assert len(server.requests) == 1


def test_an_answer_that_breaks_off_is_a_doubt(server: NotesServer, channel: HttpEndpoint, tmp_path: Path) -> None:
    """Also where nothing in it would have been read."""
    server.mode = "cut_answer"
    with pytest.raises(InDoubt, match="began to answer and stopped"):
        channel.publish(parcel(tmp_path, typed(server.url), Item("x")))


def test_a_post_that_was_moved_says_the_same_in_every_try(
    server: NotesServer, channel: HttpEndpoint, tmp_path: Path
) -> None:
    made = parcel(tmp_path, typed(server.url, body='{"at": "{{time}}"}'), Item("x"))
    frozen = channel.arm(made).data
    channel.publish(replace(made, frozen=frozen, planned_at=NOW + timedelta(days=1)))
    assert json.loads(left(server).body) == {"at": "2026-11-23T17:52:00Z"}


def test_where_it_is(server: NotesServer, channel: HttpEndpoint, tmp_path: Path) -> None:
    made = parcel(tmp_path, typed(server.url, id_at="/id", url_at="/url"), Item("x"))
    assert channel.publish(made).url == f"{server.url}/n/1"
    for odd in ("javascript:alert(1)", "//evil.example/x", 'https://a/"><b>', 5):
        server.endpoint.reply = answered(200, {"id": 1, "url": odd})
        assert channel.publish(replace(made, trace=Trace())).url == ""


def test_items_follow_each_other(server: NotesServer, channel: HttpEndpoint, tmp_path: Path) -> None:
    settings = typed(server.url, id_at="/id", body='{"t": "{{text}}", "reply_to": "{{previous_id|}}"}')
    first = channel.publish(parcel(tmp_path, settings, Item("one"), number=1, of=2))
    second = parcel(tmp_path, settings, Item("two"), number=2, of=2, previous=(first,))
    channel.publish(second)
    assert json.loads(left(server).body) == {"t": "two", "reply_to": "1"}
    server.endpoint.reply = answered(200, {"id": "1"})
    with pytest.raises(InDoubt, match="id of an earlier item"):
        channel.publish(replace(second, trace=Trace()))


def test_a_refused_repeat_is_no_refusal(server: NotesServer, channel: HttpEndpoint, tmp_path: Path) -> None:
    server.endpoint.reply = answered(409, {"error": "exists"})
    made = parcel(tmp_path, typed(server.url), Item("x"))
    with pytest.raises(Rejected):  # it could not know the post again
        channel.publish(replace(made, first_try=NOW))
    made = parcel(tmp_path, typed(server.url, doubt="key", key_header="Idempotency-Key"), Item("x"))
    with pytest.raises(Rejected):
        channel.publish(made)
    with pytest.raises(InDoubt, match="refused the repeat"):
        channel.publish(replace(made, first_try=NOW, trace=Trace()))


@pytest.mark.parametrize(("pointer", "expected"), [("", {"a": [1]}), ("/a/0", 1), ("/a/01", None), ("/a/-", None)])
def test_pointers(pointer: str, expected: Any) -> None:
    assert at({"a": [1]}, pointer) == (NOTHING if expected is None else expected)


# --- signing in ---------------------------------------------------------------------------------------------------


def test_connecting_asks_only_what_has_no_effect(server: NotesServer, channel: HttpEndpoint) -> None:
    fields = typed(server.url, auth="bearer", check_url="/me", id_at="/id", text_limit="280", text_unit="bytes")
    identity = channel.connect({**fields, "secret": KEY})
    assert [(one.method, one.path) for one in server.requests] == [("GET", "/me")]
    assert identity.learned == {"media": 0, "text": 280, "counter": "bytes"}
    assert identity.note == ""
    with pytest.raises(NeedsLogin):
        channel.connect({**fields, "secret": "something else"})
    without = channel.connect(typed(server.url))
    assert "“Try it” shows" in without.note
    assert "Any answer with a good status counts" in without.note
    assert not server.endpoint.effects


@pytest.mark.parametrize("preset", PRESETS, ids=lambda one: one.name)
def test_presets_want_only_what_is_the_persons_own(channel: HttpEndpoint, preset: Any) -> None:
    wanted = setups.TO_FILL.findall(json.dumps(dict(preset.values)))
    values = {name: setups.TO_FILL.sub("own", value) for name, value in preset.values.items()}
    secret = "https://hooks.slack.com/services/T0/B0/x" if values["auth"] == "address" else KEY
    setup = setups.read(values, {"secret": secret})
    assert setup.method in setups.METHODS
    if wanted:
        with pytest.raises(BadInput, match=f"instead of {wanted[0]}"):
            setups.read(preset.values, {"secret": secret})


def test_slack_and_matrix_by_their_presets(server: NotesServer, channel: HttpEndpoint, tmp_path: Path) -> None:
    """As their documents have it: Slack answers "ok" and takes entities; Matrix knows a transaction again."""
    values = {one.name: dict(one.values) for one in PRESETS}
    slack = {**values["Slack incoming webhook"], "host": server.url}
    server.endpoint.reply = Reply(200, b"ok", {"Content-Type": "text/html"})
    secret = {"secret": f"{server.url}/services/T0/B0/xxxxxxxx"}
    receipt = channel.publish(parcel(tmp_path, slack, Item("a < b & c"), secret))
    assert receipt.remote_id == "0123456789abcdef" * 2
    assert json.loads(left(server).body) == {"text": "a &lt; b &amp; c"}
    matrix = values["Matrix room"]
    matrix["url"] = matrix["url"].replace("https://YOUR-HOMESERVER", server.url).replace("YOUR-ROOM-ID", "!a:lab")
    server.endpoint.reply = answered(200, {"event_id": "$e"})
    made = parcel(tmp_path, matrix, Item("hello"), {"secret": KEY})
    assert channel.publish(made).remote_id == "$e"
    assert left(server).path == f"/_matrix/client/v3/rooms/!a:lab/send/m.room.message/{made.key}"
    assert channel.settle(made.account).how is How.REPEAT


# --- under the engine ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        {"doubt": "key", "key_header": "Idempotency-Key"},
        {"doubt": "same", "method": "PUT", "url": "/notes/{{id}}"},
        {"doubt": "look", "look_url": "/notes/{{id}}", "headers": "X-Ref: {{id}}"},
    ],
    ids=lambda one: one["doubt"],
)
@pytest.mark.parametrize("mode", ["hang_up_after", "hang_up_before"])
def test_a_lost_answer_ends_as_sent_and_once(
    server: NotesServer, channel: HttpEndpoint, tmp_path: Path, clock: SetClock, more: dict[str, str], mode: str
) -> None:
    fields = {"url": "/notes", "body": '{"text": "{{text}}", "at": "{{time}}"}', "id_at": "/id", **more}
    fields["url"] = server.url + fields["url"]
    with closing(Driver(tmp_path / "profile", clock, channel)) as engine:  # type: ignore[arg-type]
        account = engine.commands.accounts.add("endpoint", "Notes", fields)
        delivery = engine.schedule("Hello.", account=account)
        engine.step()
        server.mode, server.times = mode, 1
        clock.advance(1)
        engine.step()
        for _ in range(12):
            if engine.get(delivery).state is State.SENT:
                break
            found = engine.get(delivery)
            following = found.look_at if found.state is State.IN_DOUBT else found.due_at
            clock.advance(max((following - clock.now()).total_seconds(), 0.001))  # type: ignore[operator]
            engine.run()
            engine.look()
        assert engine.get(delivery).state is State.SENT
        assert len(server.endpoint.effects) == 1
        bodies = {one.body for one in server.requests if one.method != "GET"}
        assert len(bodies) == 1


def test_no_key_in_the_database(channel: HttpEndpoint, server: NotesServer, tmp_path: Path, clock: SetClock) -> None:
    secret = f"{server.url}/services/T0123/CANARYHOOK0123"
    server.endpoint.reply = Reply(404, b"no_service /services/T0123/CANARYHOOK0123")
    with closing(Driver(tmp_path / "profile", clock, channel)) as engine:  # type: ignore[arg-type]
        fields = {"auth": "address", "secret": secret, "body": '{"text": "{{text}}"}'}
        account = engine.commands.accounts.add("endpoint", "Hook", fields)
        delivery = engine.schedule("Hello.", account=account)
        for _ in range(3):
            engine.step()
            clock.advance(1)
        assert engine.get(delivery).state is State.FAILED
    with closing(sqlite3.connect(next((tmp_path / "profile").glob("*.db")))) as connection:
        assert "CANARYHOOK" not in "\n".join(connection.iterdump())


def test_a_receipt_of_a_look_names_the_right_one(server: NotesServer, channel: HttpEndpoint, tmp_path: Path) -> None:
    settings = typed(
        server.url, doubt="look", look_url="/notes", look_in="/items", look_for="/ref", look_is="{{title}}"
    )
    server.endpoint.known = {"Monday": "1", "Tuesday": "2"}
    made = parcel(tmp_path, settings, Item("x"), options={"title": "Tuesday"})
    found = channel.find(made)
    assert found == Receipt("2", answer="Found by a look.")
