"""X at the prompt: what a post costs is said before it is planned, and the four keys stand nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.test_canaries import everything
from tests.fakes.x import KEYS, XServer


def test_a_post_on_x_from_its_price_to_its_end(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = [word for name in KEYS for word in ("--secret-env", f"{name}={name.upper()}")]
    for name, value in KEYS.items():
        monkeypatch.setenv(name.upper(), value)
    with XServer() as server:
        added = run("accounts", "add", "x", "--name", "X", "--field", f"base_url={server.url}", *given)
        assert (added.code, added.err.count("$0.015")) == (0, 1)
        kept = run("post", "--to", "X", "--text", "Only a draft", "--draft")
        assert "X: It costs about $0.015. X charges $0.015 a post (prices of 2026-04-20)." in kept.err
        planned = run("post", "--to", "X", "--text", "Look: https://example.com", "--thread", "And more")
        assert planned.code == 0
        assert "X: It costs about $0.215." in planned.err
        server.mode, server.times = "hang_up_after", 1
        lost = run("post", "--to", "X", "--text", "Lost")
        worked = run("worker", "--until-idle", "--for", "40")
        shown = [run("show", number, "-v").out for number in ("1", "2")]
        assert "in doubt" in shown[0] + shown[1]
        assert "Authorization: OAuth" in shown[0]
        said = [one.out + one.err for one in (added, kept, planned, lost, worked, run("export", tmp_path / "all.zip"))]
        said += [*shown, run("queue", "--json").out]
    assert server.endpoint.reads == 0
    keys = [value.encode() for value in KEYS.values()]
    assert not [words for words in said if any(key in words.encode() for key in keys)]
    assert [name for name, data in everything(tmp_path) if any(key in data for key in keys)] == []
