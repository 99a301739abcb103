"""The example package, really installed: the program has one more channel, and the worker sends through it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Run
from tests.fakes.endpoint import KEY, NotesServer

EXAMPLE = ROOT / "tests" / "example_channel"
GUIDE = ROOT / "docs" / "adding-a-channel.md"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder into which pip has installed the example, without anything from elsewhere."""
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-index"]
    words = ["--no-deps", "--no-build-isolation", "--no-compile", "--target", str(target), str(EXAMPLE)]
    subprocess.run([*pip, *words], check=True, timeout=60)
    monkeypatch.syspath_prepend(str(target))
    monkeypatch.setenv("PYTHONPATH", str(target))
    return target


@pytest.mark.usefixtures("real_price")
def test_an_installed_package_brings_a_channel_that_sends(
    run: Run, done: Run, site: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOARD_KEY", KEY)
    with NotesServer() as server:
        given = ("--name", "Board", "--field", f"server={server.url}", "--secret-env", "key=BOARD_KEY")
        assert run("accounts", "add", "noticeboard", *given).code == 0
        assert run("post", "--to", "Board", "--text", "Who has seen my cat?").code == 0
        told = done("worker", "--until-idle", started=True)
        assert (told.code, told.err) == (0, "")
        assert re.search(r"sent +1 +Board", told.out), told.out
        assert [one.text for one in server.endpoint.effects] == ['{"text": "Who has seen my cat?"}']
        assert f"{server.url}/n/1" in run("show", "1").out
    assert KEY.encode() not in b"".join(one.read_bytes() for one in home.rglob("*") if one.is_file())


def test_the_guide_shows_what_is_installed() -> None:
    files = [one.read_text() for one in EXAMPLE.iterdir() if one.suffix in (".py", ".toml")]
    blocks = re.findall(r"^```(?:python|toml)\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)
    assert len(blocks) >= 6
    for block in blocks:
        assert any(block in file for file in files), f"no file of the example has this:\n{block}"
