"""What stands in the log is ours: no secret, and no line that somebody else wrote."""

from __future__ import annotations

import logging
import re
import time
from pathlib import Path

import pytest

from sendoff.logs import LogFile, Masking

ENTRY = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ERROR MainThread sendoff\.test: ")


def written(words: str, *, fault: bool = False) -> str:
    """One entry as it stands in the file."""
    record = logging.LogRecord("sendoff.test", logging.ERROR, __file__, 1, "a server said: %s", (words,), None)
    if fault:
        try:
            raise RuntimeError(words)
        except RuntimeError as wrong:
            record.exc_info = (RuntimeError, wrong, wrong.__traceback__)
    return Masking(lambda: ["open sesame"]).format(record)


def test_words_of_a_server_begin_no_entry() -> None:
    forged = "2026-11-27T09:00:00.000Z INFO MainThread sendoff.engine: all is well"
    for lines in (f"no\n{forged}", f"no\r\n{forged}", f"no\r{forged}", f"no\u2028{forged}", f"no\x85{forged}"):
        first, *rest = written(lines).splitlines()
        assert ENTRY.match(first)
        assert all(line.startswith("  ") for line in rest)


def test_a_terminal_obeys_nothing_in_it() -> None:
    shown = written("red \x1b[31m, a bell \x07, turned \u202etxt.exe, a tab\tstays")
    assert shown.endswith("red \\u001b[31m, a bell \\u0007, turned \\u202etxt.exe, a tab\tstays")


def test_a_fault_is_one_entry_with_its_traceback_and_without_secrets() -> None:
    shown = written("open sesame", fault=True)
    assert "open sesame" not in shown
    assert "RuntimeError" in shown
    assert [bool(ENTRY.match(line)) for line in shown.splitlines()].count(True) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full")
def test_a_log_on_a_full_disk_says_nothing_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sendoff.log").symlink_to("/dev/full")
    log = LogFile(tmp_path / "sendoff.log", delay=True)
    log.handle(logging.LogRecord("sendoff.test", logging.ERROR, __file__, 1, "open sesame", (), None))
    with pytest.raises(OSError, match="No space left"):
        log.close()
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system takes its zone from elsewhere")
def test_times_are_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        _first_of_the_day()
    time.tzset()


def _first_of_the_day() -> None:
    record = logging.LogRecord("sendoff.test", logging.ERROR, __file__, 1, "x", (), None)
    record.created = 1_795_762_800.25
    assert Masking(list).format(record).startswith("2026-11-27T07:00:00.250Z ")
