"""The self-test finds what is there and what is not, in a process of its own; and which Sendoff this is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sendoff import __version__, release
from sendoff.cli import parser

ROOT = Path(__file__).parents[2]


def self_test(tmp_path: Path, **env: str) -> tuple[int, str, dict[str, Any]]:
    report = tmp_path / "report.json"
    done = subprocess.run(
        [sys.executable, "-m", "sendoff", "--self-test", "--report", str(report)],
        env={**os.environ, "HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen", **env},
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    return done.returncode, done.stdout, json.loads(report.read_text())


def test_here_all_of_it_works(tmp_path: Path) -> None:
    code, out, report = self_test(tmp_path)
    assert (code, report["ok"]) == (0, True), out
    found = {one["name"]: one for one in report["checks"]}
    assert (found["post"]["data"]["arrived"], found["mail"]["data"]["arrived"]) == (1, 1)
    assert len(found["window"]["data"]["screens"]) == 8
    assert [line.split()[1] for line in out.splitlines() if line.strip()][: len(found)] == list(found)
    assert "All of it works here." in out
    assert not list(tmp_path.glob(".local/share/sendoff/*")), "it is no business of the person's profile"


def test_a_window_that_cannot_be_opened_stands_in_the_report(tmp_path: Path) -> None:
    """Qt ends the process there."""
    code, _, report = self_test(tmp_path, QT_QPA_PLATFORM="nonsense")
    assert code != 0
    assert [one["name"] for one in report["checks"] if one["verdict"] == "wrong"] == ["end"]


def test_the_version_names_the_commit_of_a_checkout(tmp_path: Path) -> None:
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text(f"# pack-refs\n{'a' * 40} refs/heads/main\n{'b' * 40} refs/heads/other\n")
    assert release._checked_out(git) == "a" * 40
    (git / "refs" / "heads" / "main").write_text("c" * 40 + "\n")
    assert release._checked_out(git) == "c" * 40
    beside = git / "worktrees" / "beside"
    beside.mkdir(parents=True)
    (beside / "HEAD").write_text("ref: refs/heads/other\n")
    (beside / "commondir").write_text("../..\n")
    (tmp_path / "beside").write_text(f"gitdir: {beside}\n")
    assert release._checked_out(tmp_path / "beside") == "b" * 40
    (git / "HEAD").write_text("d" * 40 + "\n")
    assert release._checked_out(git) == "d" * 40
    with pytest.raises(OSError, match="No such file"):
        release._checked_out(tmp_path / "nowhere")


def test_the_version_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    assert release.version().startswith(__version__)
    known = release.commit()
    assert release.version() == (f"{__version__} ({known[:10]})" if known else __version__)


def test_the_manual_page_knows_every_verb() -> None:
    page = (ROOT / "packaging" / "linux" / "sendoff.1").read_text().replace("\\-", "-")
    help_text = parser.build().format_help()
    verbs = [
        line.split()[0] for line in help_text.split("  VERB\n")[1].split("\n\n")[0].splitlines() if line[4:5].strip()
    ]
    assert len(verbs) > 15
    words = set(page.replace(",", " ").replace('"', " ").split())
    assert sorted(set(verbs) - words) == []
