"""One window for a profile: a second process raises the first."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtNetwork import QLocalSocket
from pytestqt.qtbot import QtBot

from sendoff.domain.errors import SetupMissing
from sendoff.store.profile import open_folder
from sendoff.ui.single import LONGEST, PATIENCE, Single, runtime_folder
from sendoff.ui.start import Start
from tests.cli.test_profile_files import looked_at

SECOND = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from sendoff.ui import single
from sendoff.ui.start import Start
app = QCoreApplication([])
single.PATIENCE = int(sys.argv[1])
single = single.Single(Path(sys.argv[2]))
print("first" if single.take() else "second", single.hand_over(Start(sys.argv[3], *sys.argv[4:])))
"""
LONG, SHORT = 20_000, 1_000
"""How long it waits where it shall be heard, on a busy machine too; and where nobody shall answer; ms."""


def second(profile: Path, *words: str, patience: int = LONG) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SECOND, str(patience), str(profile), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_second_process_asks_the_first(tmp_path: Path, qtbot: QtBot) -> None:
    first = Single(tmp_path)
    assert first.take()
    first.listen()
    text = "Zoë\n" * 20_000
    process = second(tmp_path, "compose", text)
    with qtbot.waitSignal(first.asked, timeout=40_000) as heard:
        pass
    assert heard.args == [Start("compose", text)]
    assert process.communicate(timeout=40)[0].split() == ["second", "ok"]
    first.turn_away()  # while it quits
    assert second(tmp_path, "show", patience=SHORT).communicate(timeout=40)[0].split() == ["second"]
    first.close()
    assert Single(tmp_path).take()


def test_a_word_it_does_not_know_does_nothing(tmp_path: Path, qtbot: QtBot) -> None:
    first = Single(tmp_path)
    first.take()
    first.listen()
    heard: list[str] = []
    first.asked.connect(heard.append)
    for word in (b"send 1\n", b"\xff\xfe\n", b"show" * 100, b"\n", b'compose {"files": [7]}\n', b"compose [1]\n"):
        socket = QLocalSocket()
        socket.connectToServer(first.address)
        assert socket.waitForConnected(2000)
        socket.write(word)
        socket.flush()
        qtbot.wait(30)
        socket.abort()
    assert heard == []
    first.close()


IMPATIENT = """
import sys
from sendoff.cli.main import main
from sendoff.ui import single
single.PATIENCE = int(sys.argv[1])
sys.exit(main(sys.argv[2:]))
"""


def sendoff(home: Path, *words: str, patience: int = 0) -> subprocess.Popen[str]:
    """Args: patience: how long it waits for the first window to answer, in ms; 0: as long as in life."""
    environment = {**os.environ, "SENDOFF_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
    how = ["-c", IMPATIENT, str(patience)] if patience else ["-m", "sendoff"]
    command = [sys.executable, *how, *words]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_the_window_that_is_open_quits_when_it_is_asked_to(tmp_path: Path, qtbot: QtBot) -> None:
    """As an installer does before it replaces the program's files."""
    assert sendoff(tmp_path, "--quit").communicate(timeout=30)[0] == "No Sendoff was open.\n"
    window = sendoff(tmp_path)
    qtbot.waitUntil(Path(Single(tmp_path).address).exists, timeout=30_000)
    assert sendoff(tmp_path, "--quit").communicate(timeout=30)[0] == "Sendoff has quit.\n"
    assert window.wait(timeout=30) == 0
    assert window.communicate()[0] == ""


def test_one_that_does_not_quit_is_told(tmp_path: Path) -> None:
    deaf = Single(open_folder(tmp_path))
    assert deaf.take()  # and never listens
    asked = sendoff(tmp_path, "--quit", patience=100)
    assert "did not quit" in asked.communicate(timeout=30)[0]
    assert asked.returncode == 1
    deaf.close()


def test_one_that_is_just_starting_quits_too(tmp_path: Path, qtbot: QtBot) -> None:
    """At login a computer is slow, and an update may come just then."""
    slow = Single(open_folder(tmp_path))
    slow.asked.connect(lambda _: slow.close())
    assert slow.take()
    asked = sendoff(tmp_path, "--quit")
    QTimer.singleShot(PATIENCE + 1500, slow.listen)
    qtbot.waitUntil(lambda: asked.poll() is not None, timeout=30_000)
    assert asked.communicate()[0] == "Sendoff has quit.\n"


def test_the_socket_is_for_its_owner_alone(tmp_path: Path) -> None:
    first = Single(tmp_path)
    first.take()
    first.listen()
    assert stat.S_IMODE(os.stat(first.address).st_mode) & 0o077 == 0
    assert stat.S_IMODE(os.stat(Path(first.address).parent).st_mode) == 0o700
    first.close()


def test_its_files_are_on_the_page_of_security(tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    first = Single(open_folder(tmp_path / "p"))
    first.take()
    first.listen()
    assert Path(first.address).parent == tmp_path / "p" / "run"
    looked_at(tmp_path / "p")
    first.close()


def test_what_a_killed_process_left_is_no_hindrance(tmp_path: Path, qtbot: QtBot) -> None:
    script = (
        SECOND.replace("print(", "single.listen(); print(") + "\nsys.stdout.flush(); import os; os.kill(os.getpid(), 9)"
    )
    subprocess.run(
        [sys.executable, "-c", script, str(SHORT), str(tmp_path), "show"],
        stdout=subprocess.PIPE,
        timeout=40,
        check=False,
    )
    again = Single(tmp_path)
    assert again.take()
    again.listen()
    process = second(tmp_path, "show")
    with qtbot.waitSignal(again.asked, timeout=40_000):
        pass
    process.communicate(timeout=40)
    again.close()


def test_one_who_gave_up_waiting_is_heard_all_the_same(tmp_path: Path, qtbot: QtBot) -> None:
    first = Single(tmp_path)
    first.take()
    first.listen()
    process = second(tmp_path, "show", patience=SHORT)
    assert process.communicate(timeout=40)[0].split() == ["second"]  # we are busy meanwhile
    with qtbot.waitSignal(first.asked, timeout=40_000):
        pass
    first.close()


def test_two_profiles_have_two_windows(tmp_path: Path) -> None:
    one, two = Single(tmp_path / "one"), Single(tmp_path / "two")
    assert one.take()
    assert two.take()
    assert one.address != two.address


def test_two_profiles_have_two_pipes_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose names stand in no folder; there `--quit` would reach the window of another profile."""
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    singles = [Single(tmp_path / name) for name in ("one", "other")]
    monkeypatch.setattr(sys, "platform", "win32")
    assert len({single.address for single in singles}) == 2


def test_a_folder_that_somebody_prepared_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name can be foretold, and where there is no runtime folder it may be in one that all can write."""
    folder = runtime_folder(tmp_path / "profile")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    theirs.chmod(0o755)
    folder.rmdir()
    folder.symlink_to(theirs)
    with pytest.raises(SetupMissing, match="a link"):
        runtime_folder(tmp_path / "profile")
    assert stat.S_IMODE(theirs.stat().st_mode) == 0o755
    if os.getuid() == 0:
        folder.unlink()
        folder.mkdir(mode=0o700)
        os.chown(folder, 65534, 65534)
        with pytest.raises(SetupMissing, match="somebody else"):
            runtime_folder(tmp_path / "profile")


def test_a_long_path_is_made_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    deep = tmp_path / ("a-rather-long-name-" * 8)
    folder = runtime_folder(deep)
    assert len(os.fsencode(folder / "window")) <= LONGEST
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.rmdir()
