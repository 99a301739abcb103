"""`sendoff accounts show`: what is known of an account, and what its server itself has planned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.fakes.mastodon import MastodonServer


@pytest.fixture
def signed_in(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    def add(server: MastodonServer) -> None:
        monkeypatch.setenv("TOKEN", server.token)
        added = run("accounts", "add", "mastodon", "--name", "Toot", "--field", f"server={server.url}",
                    "--secret-env", "access_token=TOKEN")  # fmt: skip
        assert added.code == 0, added.err

    return add  # type: ignore[return-value]


def test_what_a_server_has_planned_is_shown_with_what_is_known(run: Run, signed_in: Run, home: Path) -> None:
    with MastodonServer("pleroma") as server:
        signed_in(server)
        at = datetime.now(UTC) + timedelta(days=400)
        server.endpoint.plan_elsewhere("Second\nline", at + timedelta(hours=1), 2)
        server.endpoint.plan_elsewhere("First \x1b[31m", at)
        said = run("accounts", "show", "toot")
        assert said.code == 0
        assert "Software     pleroma 2.7.2" in said.out
        assert "Differs      Links and mentions count in full." in said.out
        assert "Planned there: 2" in said.out
        assert said.out.index("First") < said.out.index("Second line [2]")
        assert "\x1b" not in said.out
        shown = run("accounts", "show", "toot", "--json").json
        assert [(one["text"], one["pictures"]) for one in shown["planned_there"]] == [
            ("First \x1b[31m", 0), ("Second\nline", 2)
        ]  # fmt: skip
        assert shown["lacks"] == ["Links and mentions count in full.", "No quotes."]
        server.endpoint.scopes = ("profile", "write")
        refused = run("accounts", "show", "toot", "--json")
        assert refused.code == 1
        assert refused.json["planned_there"] is None
        assert "outside the authorized scopes" in refused.json["planned_there_error"]
        assert server.token not in refused.out


def test_a_network_that_plans_nothing_says_nothing_of_it(ada: Run) -> None:
    said = ada("accounts", "show", "ada")
    assert said.code == 0
    assert "Signed in as @ada" in said.out
    assert "Planned" not in said.out
