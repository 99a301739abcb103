"""Numbers at the prompt: asked of a real server, shown to people and to programs."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Run
from tests.fakes.mastodon import MastodonServer


def test_they_are_asked_for_kept_and_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with MastodonServer() as server:
        monkeypatch.setenv("MY_TOKEN", server.token)
        given = ("--name", "Toot", "--field", f"server={server.url}", "--secret-env", "access_token=MY_TOKEN")
        assert run("accounts", "add", "mastodon", *given).code == 0
        run("post", "--text", "hello")
        assert run("worker", "--until-idle").code == 0
        assert run("show", "1", "--json").json["parts"][0]["numbers"] is None
        server.endpoint.statuses[0].counts = {"favourites_count": 12, "reblogs_count": 1}
        said = run("show", "1", "--numbers")
        assert said.code == 0
        assert "Reactions\n" in said.out
        assert "  12 likes, 1 repost, 0 replies" in said.out
        numbers = run("show", "1", "--json").json["parts"][0]["numbers"]
        assert numbers.pop("read_at")
        assert numbers == {
            "is_there": True, "likes": 12, "reposts": 1, "replies": 0, "quotes": None, "views": None
        }  # fmt: skip
        server.endpoint.statuses.clear()
        assert "It was not there any more" in run("show", "1", "--numbers").out


def test_a_network_that_tells_none_says_so(ada: Run) -> None:
    ada("post", "--text", "hello")
    ada("worker", "--until-idle")
    said = ada("show", "1", "--numbers")
    assert said.code != 0
    assert "Practice does not tell what people did with a post." in said.err
