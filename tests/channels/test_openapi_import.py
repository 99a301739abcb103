"""Forms made of OpenAPI documents: small ones written here, and the real ones that SENDOFF_SPECS holds."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from sendoff.channels import http_endpoint_setup as setups
from sendoff.channels import openapi_import
from sendoff.domain.channel import Preset
from sendoff.domain.errors import BadInput

KEY = "whsec_" + "0123456789abcdef" * 2

DOCUMENT = """\
openapi: 3.1.0
info: {title: Notes, version: no}
servers:
  - url: https://{region}.api.example.com.test/v1/
    variables: {region: {default: eu}}
security: [{token: []}]
paths:
  /boards/{boardId}/notes:
    parameters:
      - {name: boardId, in: path, required: true, schema: {type: string}}
    post:
      summary: Pin a note
      parameters:
        - {$ref: '#/components/parameters/Key'}
        - {name: notify, in: query, required: true, schema: {type: boolean, default: true}}
        - {name: lang, in: query, required: false, schema: {type: string}}
        - {name: X-Team, in: header, required: true, schema: {type: string}}
      requestBody:
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Note'}
      responses:
        '201':
          content:
            application/json:
              schema: {type: object, properties: {data: {$ref: '#/components/schemas/Made'}}}
    get: {operationId: listNotes, responses: {}}
  /txn/{txnId}:
    put:
      security: []
      requestBody:
        content:
          multipart/form-data:
            schema:
              type: object
              required: [status]
              properties:
                status: {type: string}
                picture: {type: string, format: binary}
                visibility: {type: string, enum: [public, private]}
      responses: {'200': {description: fine}}
  /circle:
    post:
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Circle'}}}}
      responses: {}
components:
  parameters:
    Key: {name: Idempotency-Key, in: header, schema: {type: string}}
  securitySchemes:
    token: {type: http, scheme: bearer}
  schemas:
    Base: {type: object, required: [kind], properties: {kind: {const: note}, id: {type: string, readOnly: true}}}
    Note:
      allOf:
        - $ref: '#/components/schemas/Base'
        - type: object
          required: [body, count, board]
          properties:
            body: {type: string}
            title: {type: [string, 'null']}
            url: {type: string}
            count: {type: integer}
            board: {type: object, required: [name], properties: {name: {type: string}}}
            extra: {type: string}
    Made: {type: object, properties: {id: {type: integer}, html_url: {type: string}}}
    Circle: {type: object, required: [again], properties: {again: {$ref: '#/components/schemas/Circle'}}}
"""


def form(document: str | bytes, name: str) -> dict[str, str]:
    raw = document.encode() if isinstance(document, str) else document
    return dict(next(one for one in openapi_import.operations(raw) if one.name == name).values)


def test_an_operation_fills_the_form_in() -> None:
    made = form(DOCUMENT, "POST /boards/{boardId}/notes")
    assert json.loads(made["body"]) == {
        "kind": "note", "body": "{{text}}", "title": "{{title|}}", "url": "{{link|}}", "count": "YOUR-COUNT",
        "board": {"name": "YOUR-NAME"},
    }  # fmt: skip
    wanted = {
        "method": "POST", "url": "https://eu.api.example.com.test/v1/boards/YOUR-BOARD-ID/notes?notify=true",
        "auth": "bearer", "headers": "X-Team: YOUR-X-TEAM", "id_at": "/data/id", "url_at": "/data/html_url",
        "doubt": "key", "key_header": "Idempotency-Key", "body_type": "json",
    }  # fmt: skip
    assert {name: made[name] for name in wanted} == wanted


def test_files_and_own_ids() -> None:
    made = form(DOCUMENT, "PUT /txn/{txnId}")
    assert made["body"].splitlines() == ["status={{text}}", "picture={{media|}}"]
    assert (made["url"], made["doubt"]) == ("https://eu.api.example.com.test/v1/txn/{{id}}", "key")
    assert (made["body_type"], made["auth"]) == ("multipart", "none")


def test_a_schema_that_holds_itself_ends() -> None:
    assert "again" in json.loads(form(DOCUMENT, "POST /circle")["body"])


def test_names_and_summaries() -> None:
    found = [(one.name, one.help) for one in openapi_import.operations(DOCUMENT.encode())]
    assert found == [
        ("POST /boards/{boardId}/notes", "Pin a note"), ("GET /boards/{boardId}/notes", "listNotes"),
        ("PUT /txn/{txnId}", ""), ("POST /circle", ""),
    ]  # fmt: skip


OLD: dict[str, Any] = {
    "swagger": "2.0", "host": "api.example.com.test", "basePath": "/v2", "schemes": ["http", "https"],
    "securityDefinitions": {
        "app": {"type": "oauth2", "flow": "application", "tokenUrl": "https://a.test/token", "scopes": {"write": ""}},
        "key": {"type": "apiKey", "in": "query", "name": "api_key"},
    },
    "paths": {
        "/say": {
            "post": {
                "security": [{"app": ["write"]}],
                "parameters": [
                    {"name": "text", "in": "formData", "type": "string", "required": True},
                    {"name": "room", "in": "formData", "type": "string", "required": True},
                    {"name": "quiet", "in": "formData", "type": "boolean"},
                ],
                "responses": {"200": {"schema": {"properties": {"ok": {"type": "boolean"}, "ts": {"type": "string"}}}}},
            },
            "put": {
                "security": [{"key": []}],
                "parameters": [{"name": "b", "in": "body", "schema": {"properties": {"message": {"type": "string"}}}}],
                "responses": {},
            },
        }
    },
}  # fmt: skip


def test_swagger_2() -> None:
    post, put = form(json.dumps(OLD), "POST /say"), form(json.dumps(OLD), "PUT /say")
    assert post["url"] == "https://api.example.com.test/v2/say"
    assert (post["body_type"], post["body"]) == ("form", "text={{text}}\nroom=YOUR-ROOM")
    assert (post["auth"], post["token_url"], post["scope"]) == ("client_credentials", "https://a.test/token", "write")
    assert (post["success_at"], post["success_is"], post["id_at"]) == ("/ok", "true", "/ts")
    assert (put["auth"], put["key_name"], json.loads(put["body"])) == ("query", "api_key", {"message": "{{text}}"})


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("https://api.example.org/v1", "https://YOUR-SERVER/v1/a"),
        ("/api", "https://YOUR-SERVER/api/a"),
        ("http://api.somewhere.test/x", "https://YOUR-SERVER/x/a"),
        ("https://10.0.0.1/x", "https://YOUR-SERVER/x/a"),
        ("https://169.254.169.254", "https://YOUR-SERVER/a"),
        ("http://localhost:8080", "http://localhost:8080/a"),
        ("https://{tenant}.somewhere.test", "https://YOUR-TENANT.somewhere.test/a"),
        ("https://u:p@somewhere.test", "https://YOUR-SERVER/a"),
        ("javascript:alert(1)", "https://YOUR-SERVER/a"),
    ],
)
def test_where_it_may_lead(server: str, url: str) -> None:
    """A document from elsewhere names no host of the person's own network, and none that can be overheard."""
    document = {"openapi": "3.0.3", "servers": [{"url": server}], "paths": {"/a": {"post": {"responses": {}}}}}
    assert form(json.dumps(document), "POST /a")["url"] == url


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"", "no OpenAPI document"),
        (b"\xff\xfe\x00", "neither JSON nor YAML"),
        (b'{"openapi": ', "neither JSON nor YAML"),
        (b"a: [", "neither JSON nor YAML: line"),
        (b"[1, 2]", "no “paths”"),
        (b"openapi: 4.0.0\npaths: {}", "That is OpenAPI 4.0.0"),
        (b"openapi: 3.0.0\npaths: {}", "describes no requests"),
        (b"openapi: 3.0.0\npaths: {/a: {post: 5, get: {$ref: x}}}", None),
        (b"[" * 100_000, "neither JSON nor YAML"),
        (b"x: !!python/object/apply:os.system [echo]", "neither JSON nor YAML"),
        (b" " * (openapi_import.MOST + 1), "too large"),
    ],
    ids=range(11),
)
def test_what_is_none(document: bytes, words: str | None) -> None:
    if words is None:
        assert [one.name for one in openapi_import.operations(document)] == ["GET /a"]
        return
    with pytest.raises(BadInput, match="(?s)" + words):
        openapi_import.operations(document)


def test_a_document_that_grows_when_it_is_read_stays_small() -> None:
    """Aliases are references, and merge keys are not followed: a billion laughs stay one laugh."""
    lines = ["a0: &a0 {type: object, properties: {text: {type: string}}}"]
    lines += [f"a{n}: &a{n} {{x: [{', '.join([f'*a{n - 1}'] * 9)}], <<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 30)]
    body = "requestBody: {content: {application/json: {schema: *a29}}}"
    lines += ["openapi: 3.0.0", f"paths: {{/a: {{post: {{{body}, responses: {{}}}}}}}}"]
    began = time.process_time()
    assert form("\n".join(lines), "POST /a")["body_type"] == "json"
    assert time.process_time() - began < 1.0


REAL = {
    "x-openapi.json": ("POST /2/tweets", "https://api.x.com/2/tweets", {"text": "{{text}}"}, "/data/id"),
    "discord-openapi.json": (
        "POST /channels/{channel_id}/messages", "https://discord.com/api/v10/channels/YOUR-CHANNEL-ID/messages",
        {"content": "{{text}}"}, "/id",
    ),
    "pinterest-openapi.json": (
        "POST /pins", "https://api.pinterest.com/v5/pins",
        {"description": "{{text}}", "link": "{{link|}}", "title": "{{title|}}"}, "/id",
    ),
    "slack-openapi.json": (
        "POST /chat.postMessage", "https://slack.com/api/chat.postMessage",
        "channel=YOUR-CHANNEL\ntext={{text}}", "/ts",
    ),
    "mailgun-openapi.yaml": ("POST /v3/{domain_name}/messages", "https://api.mailgun.net/v3/YOUR-DOMAIN-NAME/messages",
                             None, "/id"),
    "forem-openapi.json": (
        "POST /articles", "https://dev.to/api/articles",
        {"article": {"title": "{{title|}}", "body_markdown": "{{text}}", "canonical_url": "{{link|}}"}}, "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_real_documents(name: str) -> None:
    """Every operation of the real documents makes a form that is right once the person has written what is theirs."""
    path = Path(os.environ.get("SENDOFF_SPECS", "")) / name
    if not os.environ.get("SENDOFF_SPECS") or not path.exists():
        pytest.skip(f"SENDOFF_SPECS names no folder with {name}")
    found = openapi_import.operations(path.read_bytes())
    assert len(found) >= 40
    for one in found:
        completed(one)
    operation, url, body, id_at = REAL[name]
    chosen = next((one for one in found if one.name == operation), None)
    assert chosen is not None
    assert (chosen.values["url"], chosen.values["id_at"]) == (url, id_at)
    written = chosen.values["body"]
    assert body is None or (written if isinstance(body, str) else json.loads(written)) == body


def completed(one: Preset) -> setups.Setup:
    values = {name: setups.TO_FILL.sub("x1", value) for name, value in one.values.items()}
    return setups.read({**values, "username": "ada"}, {"secret": KEY})
