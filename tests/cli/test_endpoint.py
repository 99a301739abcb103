"""Any API from a prompt: what a document describes, the form filled in from it, and an account tried."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.fakes.endpoint import KEY, NotesServer


@pytest.fixture
def server() -> Iterator[NotesServer]:
    with NotesServer() as server:
        yield server


@pytest.fixture
def document(tmp_path: Path, server: NotesServer) -> Path:
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": {"text": {"type": "string"}}}}}}
    answer = {"content": {"application/json": {"schema": {"type": "object", "properties": {"id": {"type": "string"}}}}}}
    found = {
        "openapi": "3.1.0",
        "servers": [{"url": server.url}],
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}],
        "paths": {"/notes": {
            "post": {"summary": "Pin a note", "requestBody": body, "responses": {"201": answer}},
            "get": {"summary": "All notes", "responses": {}},
        }},
    }  # fmt: skip
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(found))
    return file


def test_from_a_document_to_an_account_that_was_tried(
    run: Run, server: NotesServer, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTES_KEY", KEY)
    assert "POST /notes  Pin a note" in run("channels", "--import", document).out
    listed = run("channels", "endpoint", "--import", document, "--json").json["operations"]
    assert [one["name"] for one in listed] == ["POST /notes", "GET /notes"]
    refused = run("channels", "practice", "--import", document)
    assert (refused.code, "takes no description" in refused.err) == (2, True)

    add = ("accounts", "add", "endpoint", "--name", "Notes", "--secret-env", "secret=NOTES_KEY", "--import", document)
    asked = run(*add, "--operation", "note")
    assert "Choose a request with --operation. It has 2, among them: POST /notes, GET /notes." in asked.err
    added = run(*add, "--operation", "post /notes", "--json").json
    assert added["settings"]["body"] == '{\n  "text": "{{text}}"\n}'
    assert "“Try it” shows" in added["note"]

    shown = run("accounts", "try", "Notes", "--text", "Grüße")
    assert shown.code == 0
    assert '{"text":"Grüße"}' in shown.out
    assert "Nothing was sent" in shown.err
    assert not server.requests
    sent = run("accounts", "try", "Notes", "--send", "--json")
    assert (sent.code, sent.json["outcome"], sent.json["receipt"]) == (0, "sent", {"id": "1", "url": ""})
    assert len(server.endpoint.effects) == 1
    server.mode = "refuse"
    refused = run("accounts", "try", "Notes", "--send")
    assert refused.code == 1
    assert "refused it (422)" in refused.err
    assert KEY not in shown.out + sent.out + refused.out + refused.err + added["note"]


def test_what_can_be_tried_in_no_way_says_so(ada: Run) -> None:
    assert "can’t be tried" in ada("accounts", "try", "Ada").err
