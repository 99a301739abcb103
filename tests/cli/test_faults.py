"""The last door: our own faults, interrupts, full disks and folders that can't be used."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any, NoReturn

import pytest

from sendoff.cli import queue
from sendoff.domain import errors
from tests.cli.conftest import Run, Spawn


def failing(monkeypatch: pytest.MonkeyPatch, wrong: BaseException) -> None:
    """Makes `sendoff queue` come to this end."""

    def fail(_: Any) -> NoReturn:
        raise wrong

    monkeypatch.setattr(queue, "show_all", fail)


@pytest.mark.expects_log("a fault of our own")
def test_a_fault_of_our_own_is_a_sentence_and_the_log_has_the_rest(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, KeyError("what nobody thought of"))
    said = run("queue")
    assert (said.code, said.out) == (70, "")
    assert (
        said.err == f"sendoff: Sendoff itself made a mistake (KeyError). The details are in {home / 'sendoff.log'}.\n"
    )
    assert "what nobody thought of" in (home / "sendoff.log").read_text()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (errors.BadInput("x"), 2),
        (errors.NotFound("x"), 2),
        (errors.Refused("x"), 1),
        (errors.Rejected("x"), 1),
        (errors.NeedsLogin("x"), 1),
        (errors.TryLater("x"), 1),
        (errors.CannotLook("x"), 1),
        (errors.SecretGone("x"), 1),
        (errors.KeychainLocked("x"), 3),
        (errors.KeychainMissing("x"), 3),
        (errors.SetupMissing("x"), 3),
        (errors.Damaged("x"), 3),
        (errors.OwnedElsewhere("x"), 4),
        (OSError(errno.ENOSPC, "No space left on device"), 3),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_every_end_has_its_code(run: Run, monkeypatch: pytest.MonkeyPatch, wrong: BaseException, code: int) -> None:
    failing(monkeypatch, wrong)
    said = run("queue")
    assert said.code == code
    assert said.err.count("\n") == (0 if code == 130 else 1)


def test_every_error_has_a_code() -> None:
    """A class of errors.py that nobody thought of here would exit 1 by chance."""
    from sendoff.cli.main import _CODES

    known = {kind for kind, _ in _CODES}
    named = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.SendoffError)]
    direct = {one for one in named if one.__base__ is errors.SendoffError}
    assert direct - known == {errors.Refused, errors.SendError, errors.CannotLook}


def test_advice_stands_behind_the_reason(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, errors.Rejected("It said no.", advice="Ask nicely."))
    assert run("queue").err == "sendoff: It said no. Ask nicely.\n"


def test_a_profile_that_cannot_be_made(run: Run, home: Path) -> None:
    home.write_text("a file")
    said = run("queue")
    assert said.code == 3
    assert "SENDOFF_HOME" in said.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write(run: Run, home: Path) -> None:
    home.mkdir()
    home.chmod(0o500)
    said = run("queue")
    assert said.code == 3


def test_output_that_cannot_be_written(spawn: Spawn, home: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with full.open("w") as target:
        process = spawn("settings", "list", stdout=target, started=True)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 3
    assert err == "sendoff: It could not be written: No space left on device. Make room, then try again.\n"


def test_an_old_encoding_shows_question_marks(done: Run, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("accounts", "add", "practice", "--name", "Ωmega", "--field", "handle=@ω")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    said = done("accounts", "list", started=True)
    assert said.code == 0
    assert "?mega" in said.out
    assert done("accounts", "list", "--json", started=True).json["accounts"][0]["name"] == "Ωmega"
