"""The example package, really installed: the program has one more channel, and the worker sends through it."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Run
from tests.example_channel.installed import break_it, install
from tests.fakes.endpoint import KEY, NotesServer

EXAMPLE = ROOT / "tests" / "example_channel"
GUIDE = ROOT / "docs" / "adding-a-channel.md"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the example."""
    return install(tmp_path_factory.mktemp("package") / "site")


@pytest.fixture
def site(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, on the way of everything that is started."""
    target = shutil.copytree(package, tmp_path / "site")
    monkeypatch.syspath_prepend(str(target))
    monkeypatch.setenv("PYTHONPATH", str(target))
    monkeypatch.delitem(sys.modules, "sendoff_noticeboard", raising=False)
    monkeypatch.setenv("BOARD_KEY", KEY)
    return target


def given(server: NotesServer) -> tuple[str, ...]:
    """The words of `accounts add` for this board."""
    return ("--name", "Board", "--field", f"server={server.url}", "--secret-env", "key=BOARD_KEY")


@pytest.mark.usefixtures("real_price", "site")
def test_an_installed_package_brings_a_channel_that_sends(run: Run, done: Run, home: Path) -> None:
    with NotesServer() as server:
        assert run("accounts", "add", "noticeboard", *given(server)).code == 0
        assert run("post", "--to", "Board", "--text", "Who has seen my cat?").code == 0
        told = done("worker", "--until-idle", started=True)
        assert (told.code, told.err) == (0, "")
        assert re.search(r"sent +1 +Board", told.out), told.out
        assert [one.text for one in server.endpoint.effects] == ['{"text": "Who has seen my cat?"}']
        assert f"{server.url}/n/1" in run("show", "1").out
    assert KEY.encode() not in b"".join(one.read_bytes() for one in home.rglob("*") if one.is_file())


@pytest.mark.expects_log("the package sendoff-noticeboard 1.0 failed in (check|lacks|settle|needs_browser|linked)")
def test_a_package_that_fails_is_named_and_the_command_line_goes_on(run: Run, done: Run, site: Path) -> None:
    break_it(site)
    with NotesServer() as server:
        assert run("accounts", "add", "noticeboard", *given(server)).code == 0
        known = run("accounts", "show", "Board")
        assert known.code == 0
        assert "The package sendoff-noticeboard 1.0 failed when it was asked for a way (TypeError)." in known.out
        planned = run("post", "--to", "Board", "--text", "Who has seen my cat?")
        assert planned.code == 0
        assert (
            "Board: The package sendoff-noticeboard 1.0 failed when it looked at this for Noticeboard. Only "
            in planned.err
        )
        assert len(run("queue", "--json").json["deliveries"]) == 1


def test_the_guide_shows_what_is_installed() -> None:
    files = [one.read_text() for one in EXAMPLE.iterdir() if one.suffix in (".py", ".toml")]
    blocks = re.findall(r"^```(?:python|toml)\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)
    assert len(blocks) >= 6
    for block in blocks:
        assert any(block in file for file in files), f"no file of the example has this:\n{block}"
