"""docs/security.md says of every file of a profile what it holds and who may read it."""

from __future__ import annotations

import logging
import stat
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from PIL import Image

from sendoff.bootstrap import Program, open_program
from sendoff.domain.post import Content, Item, Post, Role
from sendoff.store.unsaved import Unsaved
from tests.cli.conftest import PASSPHRASE, Run

PAGE = Path(__file__).parents[2] / "docs" / "security.md"


def told() -> dict[str, set[str]]:
    """From the page: patterns of names in the profile, and the modes that files of that name may have."""
    lines = PAGE.read_text().partition("<!-- files -->")[2].partition("<!-- end -->")[0].splitlines()
    found: dict[str, set[str]] = {}
    for line in lines:
        names, modes, *_ = line.strip("| ").split(" | ") if line.startswith("| `") else ("", "")
        for name in names.replace("`", "").split(", ") if names else ():
            found[name] = set(modes.split(", "))
    return found


def used(home: Path, picture: Path) -> None:
    """What else a program does to its profile while its window is open."""
    program: Program = open_program(home, passphrase=PASSPHRASE)
    try:
        with program.store.writing("posts"):
            pass  # so that the database's log is there to be looked at
        program.secrets.put({"token": "CANARY"})
        now = datetime.now(UTC)
        attached = program.media.attach(picture, role=Role.MEDIA)
        Unsaved(home).keep(
            Post(1, 1, Content((Item("changed", (attached,)),)), version=1, created_at=now, updated_at=now)
        )
        looked_at(home)
    finally:
        program.close()


def looked_at(home: Path) -> None:
    """Each file of the profile stands on the page, with the mode that it has."""
    page = told()
    for path in home.rglob("*"):
        mode, name = f"{stat.S_IMODE(path.lstat().st_mode):04o}", path.relative_to(home).as_posix()
        if path.is_dir():
            assert mode == "0700", name
            continue
        modes = [allowed for pattern, allowed in page.items() if fnmatchcase(name, pattern)]
        assert modes, f"{name} does not stand in docs/security.md"
        assert mode in set().union(*modes), f"{name} has mode {mode}"


@pytest.mark.expects_log("deliberate")
def test_every_file_of_a_profile_is_on_the_page_of_security(ada: Run, home: Path, tmp_path: Path) -> None:
    picture = tmp_path / "one.png"
    Image.new("RGB", (8, 8)).save(picture)
    assert ada("post", "--text", "hello", "--media", picture).code == 0
    assert ada("worker", "--until-idle").code == 0
    logging.getLogger("sendoff.test").error("a deliberate line")
    used(home, picture)
    assert ada("backup").code == 0
    assert ada("restore", "latest").code == 0
    looked_at(home)
    seen = {path.relative_to(home).as_posix() for path in home.rglob("*")}
    for name in (
        "sendoff.db",
        "sendoff.log",
        "secrets.vault",
        "secrets.lock",
        "lock",
        "whereabouts",
        "unsaved",
        "media",
    ):
        assert name in seen, name


def test_no_key_lies_in_a_file_that_is_not_the_key_file(ada: Run, home: Path) -> None:
    program = open_program(home, passphrase=PASSPHRASE)
    try:
        program.secrets.put({"token": "CANARY-4c1d"})
    finally:
        program.close()
    assert [path.name for path in home.rglob("*") if path.is_file() and b"CANARY-4c1d" in path.read_bytes()] == []
    assert (home / "secrets.vault").read_bytes().startswith(b"SENDOFF1")
