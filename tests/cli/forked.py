"""`sendoff` in a process of its own that is forked from one which has everything imported: a tenth of a start's cost.

What a fork can't show (the start itself, Python's own streams and end, the command line others see) is for
`spawn(…, started=True)`. The key file's passphrase has the tests' cheap price in the children too.
`python -m tests.cli.forked DESCRIPTOR` is the parent; it is single-threaded, so its children are whole.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, Any, NoReturn

ROOT = Path(__file__).parents[2]
STREAMS = ("stdin", "stdout", "stderr")


class Forked:
    """One such process, as subprocess.Popen shows processes."""

    def __init__(self, news: socket.socket, words: tuple[str, ...], ends: dict[str, int]) -> None:
        self.returncode: int | None = None
        self._news, self._words = news, words
        self.pid = int(news.recv(64))
        made = {name: os.fdopen(end, "w" if name == "stdin" else "r") for name, end in ends.items()}
        self.stdin: IO[str] | None = made.get("stdin")
        self.stdout: IO[str] | None = made.get("stdout")
        self.stderr: IO[str] | None = made.get("stderr")

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._news], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(["sendoff", *self._words], timeout or 0)
            self.returncode = int(self._news.recv(64))
            self._news.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, typed: str | None = None, timeout: float | None = None) -> tuple[str | None, str | None]:
        def read(stream: IO[str] | None) -> str | None:
            return None if stream is None else stream.read()

        with ThreadPoolExecutor(2) as readers:
            out, err = readers.submit(read, self.stdout), readers.submit(read, self.stderr)
            try:
                if self.stdin:
                    with suppress(BrokenPipeError):
                        self.stdin.write(typed or "")
                        self.stdin.close()
                self.wait(timeout)
            except BaseException:
                self.kill()
                raise
            return out.result(), err.result()


class Parent:
    """The parent of this test process's children; it starts with the first of them."""

    def __init__(self) -> None:
        self._wishes: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def fork(
        self, *words: str, pass_fds: tuple[int, ...] = (), umask: int = -1, terminal: bool = False, **pipes: Any
    ) -> Forked:
        """Args: as those of Popen, and `terminal`: the streams are a terminal that becomes the process's own."""
        wishes = self._wishes or self._start()
        theirs, ends = [], {}
        for name in STREAMS:
            wanted = pipes.get(name, subprocess.PIPE)
            if wanted == subprocess.PIPE:
                readable, writable = os.pipe()
                mine, wanted = (writable, readable) if name == "stdin" else (readable, writable)
                ends[name] = mine
            elif wanted == subprocess.DEVNULL:
                wanted = os.open(os.devnull, os.O_RDWR)
            else:
                wanted = os.dup(wanted if isinstance(wanted, int) else wanted.fileno())
            theirs.append(wanted)
        news, tell = socket.socketpair()
        wish = {"words": words, "env": dict(os.environ), "umask": umask, "terminal": terminal, "fds": pass_fds}
        socket.send_fds(wishes, [json.dumps(wish).encode()], [tell.fileno(), *theirs, *pass_fds])
        for one in theirs:
            os.close(one)
        tell.close()
        return Forked(news, words, ends)

    def _start(self) -> socket.socket:
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "tests.cli.forked", str(its.fileno())]
        self._process = subprocess.Popen(command, cwd=ROOT, pass_fds=[its.fileno()], stdin=subprocess.DEVNULL)
        its.close()
        self._wishes = mine
        return mine

    def close(self) -> None:
        if self._wishes and self._process:
            self._wishes.close()
            self._process.wait(20)


# --- the parent itself --------------------------------------------------------------------------------------------


def serve(wishes: socket.socket) -> None:
    """Forks what is wished and tells of its end, until nobody wishes any more."""
    from tests.crash.nursery import load_ahead, ready_to_fork

    load_ahead()
    importlib.import_module("sendoff.store.secrets").Vault.N = 1 << 10  # as tests/conftest.py has it
    parser = importlib.import_module("sendoff.cli.parser")
    parser.build = cache(parser.build)  # type: ignore[attr-defined]  # as tests/cli/conftest.py has it
    parser.build()  # type: ignore[attr-defined]
    ready_to_fork()
    awake, alarm = os.pipe()
    os.set_blocking(alarm, False)
    signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    children: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([wishes, awake], [], [])
        if awake in ready:
            os.read(awake, 4096)
        if wishes in ready:
            data, descriptors, _, _ = socket.recv_fds(wishes, 1 << 20, 32)
            if not data:
                return
            pid = os.fork()
            if pid == 0:
                for one in (wishes, *children.values()):
                    one.close()
                os.close(awake)
                os.close(alarm)
                run(json.loads(data), descriptors)
            children[pid] = socket.socket(fileno=descriptors[0])
            children[pid].send(str(pid).encode())
            for one in descriptors[1:]:
                os.close(one)
        for pid in list(children):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                with suppress(BrokenPipeError), children.pop(pid) as news:
                    news.send(str(os.waitstatus_to_exitcode(status)).encode())


def run(wish: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """From here on it is the program, in a process of its own."""
    import fcntl
    import termios

    from sendoff import killpoints
    from sendoff.cli.main import main
    from tests.crash.nursery import leave

    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.close(descriptors[0])
    high = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 200) for one in descriptors[1:]]
    for one in descriptors[1:]:
        os.close(one)
    for source, target in zip(high, [0, 1, 2, *wish["fds"]], strict=True):
        os.dup2(source, target, inheritable=target < 3)
        os.close(source)
    if wish["terminal"]:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False, buffering=1 if os.isatty(1) else -1)
    sys.stderr = os.fdopen(2, "w", closefd=False, buffering=1, errors="backslashreplace")
    os.environ.clear()
    os.environ.update(wish["env"])
    time.tzset()
    sys.path[:0] = [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one and one not in sys.path]
    if wish["umask"] >= 0:
        os.umask(wish["umask"])
    importlib.reload(killpoints)  # it reads the environment once
    leave(main(wish["words"]))


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
