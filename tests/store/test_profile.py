"""The folder is private, and one process at a time is its sender."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from sendoff.domain.errors import OwnedElsewhere, SetupMissing
from sendoff.store import profile
from sendoff.store.profile import SenderLock

HOLD = """
import sys, subprocess
from pathlib import Path
from sendoff.store.profile import SenderLock
lock = SenderLock(Path(sys.argv[1])); lock.acquire()
sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
child = subprocess.Popen(sleep, stdout=subprocess.DEVNULL, close_fds=False)
print(child.pid, flush=True)
sys.stdin.read()
"""


def test_the_home_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SENDOFF_HOME", str(tmp_path / "elsewhere"))
    assert profile.home() == tmp_path / "elsewhere"
    monkeypatch.delenv("SENDOFF_HOME")
    assert "sendoff" in str(profile.home()).lower()


def test_the_folder_is_made_private_even_if_it_was_not(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir(mode=0o755)
    folder = profile.open_folder(tmp_path / "p")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupMissing, match="SENDOFF_HOME"):
        profile.open_folder(tmp_path / "file" / "p")


def test_two_locks_in_one_process_exclude_each_other(tmp_path: Path) -> None:
    first, second = SenderLock(tmp_path), SenderLock(tmp_path)
    first.acquire()
    with pytest.raises(OwnedElsewhere, match=str(os.getpid())):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_a_lock_whose_file_was_tidied_away_is_taken_anew_or_lost(tmp_path: Path) -> None:
    first, second = SenderLock(tmp_path), SenderLock(tmp_path)
    first.acquire()
    assert first.in_place
    (tmp_path / "lock").unlink()
    assert not first.in_place
    first.keep()
    assert first.in_place
    with pytest.raises(OwnedElsewhere):
        second.acquire()
    (tmp_path / "lock").unlink()
    second.acquire()
    for _ in range(2):
        with pytest.raises(OwnedElsewhere):
            first.keep()
        assert not first.in_place
    second.release()
    first.keep()
    assert first.in_place
    with pytest.raises(OwnedElsewhere):
        second.acquire()


@contextmanager
def asked(folder: Path) -> Iterator[None]:
    """Somebody asks whether there is a sender, and takes long over it."""
    import fcntl

    with open(folder / "lock") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@pytest.mark.skipif(sys.platform == "win32", reason="it locks as Unix does")
def test_who_only_asks_is_taken_for_a_sender_by_nobody(tmp_path: Path) -> None:
    lock = SenderLock(tmp_path)
    lock.acquire()
    lock.release()
    with asked(tmp_path):
        assert not profile.is_sender_running(tmp_path)
    with ExitStack() as asking:
        asking.enter_context(asked(tmp_path))
        threading.Timer(0.01, asking.close).start()
        lock.acquire()
    assert profile.is_sender_running(tmp_path)
    lock.release()


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a Unix thing")
def test_a_killed_holder_frees_the_lock_at_once_and_its_child_does_not_keep_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        child = int(holder.stdout.readline())
        with pytest.raises(OwnedElsewhere):
            SenderLock(tmp_path).acquire()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        lock = SenderLock(tmp_path)
        lock.acquire()
        lock.release()
        os.kill(child, signal.SIGKILL)


def test_a_profile_for_this_time_leaves_the_usual_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (profile.HOME, profile.USUAL):
        monkeypatch.setenv(name, "")  # so that both are as they were after this
        monkeypatch.delenv(name)
    system = profile.home()
    assert profile.usual() == system
    profile.choose(tmp_path / "one")
    profile.choose(tmp_path / "two")  # as a window that one opens does it
    assert (profile.home(), profile.usual()) == (tmp_path / "two", system)
    monkeypatch.delenv(profile.USUAL)
    assert profile.usual() == tmp_path / "two"  # whoever set it for every start has it as the usual one
