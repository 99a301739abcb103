"""A process that has everything imported and forks the real program, again and again: 0.1 s each instead of 0.8 s.

`python -m tests.crash.nursery` reads one JSON object a line: {"words": […], "env": {…}, "out": file}. It answers with
one line for each thing that happens to a child: {"pid": …, "what": "born" | "stopped" | "ended", "code": …}. It is
single-threaded, so its children are as whole as freshly started ones; each runs `sendoff.cli.main.main(words)`, and
ends as the program ends. `python -m tests.crash.nursery WORDS` is one such program and no nursery.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import faulthandler
import gc
import importlib
import io
import json
import os
import resource
import select
import signal
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path
from typing import Any, NoReturn

from sendoff import loading
from sendoff.channels.smtp_wire import Patience
from tests.fakes.statements import sharing

SHORTER: tuple[tuple[str, str, Any], ...] = (
    ("sendoff.domain.account", "FIRST_REST", timedelta(seconds=1)),
    ("sendoff.engine.limiter", "FIRST_PAUSE", 0.3),
    ("sendoff.engine.limiter", "OFFLINE_PAUSE", 0.3),
    ("sendoff.engine.settle", "AGAIN", timedelta(seconds=0.3)),
    ("sendoff.engine.settle", "MOST_LOOKS", 4),
    ("sendoff.engine.limiter", "REACHING_PAUSE", 0.2),
    ("sendoff.engine.limiter", "CALM", 0.1),
    ("sendoff.engine.readiness", "PAUSES", (0.1, 0.2, 0.3)),
    ("sendoff.engine.heart", "BEAT", 0.2),
    ("sendoff.engine.returns", "HOLD", 2.0),
    ("sendoff.engine.writer", "RETRY_SECONDS", 0.2),
    ("sendoff.domain.account", "FIRST_REST", timedelta(seconds=0.3)),
    ("sendoff.domain.account", "LONGEST_REST", timedelta(seconds=0.6)),
    ("sendoff.channels.tls", "REACH_SECONDS", 1.0),
    ("sendoff.channels.smtp", "Smtp.__init__.__defaults__", (Patience().at_most(1.0),)),
    ("sendoff.cli.worker", "BREATH", 0.01),
    ("sendoff.store.secrets", "Vault.N", 1 << 14),
)
"""The pauses that are shorter here than in life, so that a cell takes a second and not a minute. Nothing else is."""

ALSO = ("apscheduler.triggers.interval", "concurrent.futures.thread", "tzdata.zoneinfo")


def prepare() -> None:
    load_ahead("tests.crash.kinds")
    for module, name, value in SHORTER:
        *path, last = name.split(".")
        where: Any = reduce(getattr, path, importlib.import_module(module))
        if not hasattr(where, last):
            raise SystemExit(f"nursery: there is no {module}.{name} any more; mend SHORTER")
        setattr(where, last, value)
    if len(sys.argv) == 1 and "CRASH_PLANTED" not in os.environ:
        rehearse()
    ready_to_fork()


def load_ahead(*more: str) -> None:
    """Loads all that the program may ever need, so that no child has to."""
    for name in loading.modules(window=False):
        loading.load(name)
    for name in (*ALSO, *more):
        importlib.import_module(name)


def rehearse() -> None:
    """Plays one delivery by the command line, so that no child compiles the same SQL anew, a fifth of its time.

    Not with a planted bug, which is to show itself in a cell.
    """
    from sendoff.cli.main import main
    from sendoff.store import dialect

    said = io.StringIO()
    with (
        tempfile.TemporaryDirectory() as home,
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        first = dialect.sqlite_engine(Path(home, "first.db"))
        dialect.sqlite_engine = sharing(dialect.sqlite_engine, first)
        os.environ["SENDOFF_HOME"] = home
        for words in (["accounts", "add", "practice", "--name", "p"], ["post", "--to", "p", "--text", "Ahoy"],
                      ["worker", "--until-idle"]):  # fmt: skip
            if main(words):
                raise SystemExit(f"nursery: the rehearsal failed: {said.getvalue()}")
        del os.environ["SENDOFF_HOME"]


def ready_to_fork() -> None:
    """What is imported now is shared by the children.

    Raises:
        SystemExit: there is a second thread, which a fork would lose in the middle of something.
    """
    if threading.active_count() != 1:
        raise SystemExit("nursery: an import started a thread, so nothing can be forked safely")
    gc.collect()
    gc.freeze()  # what the children share is never looked at again


def tell(**what: Any) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def serve() -> None:
    """Waits for wishes and for news of children, until nobody wishes any more."""
    awake, alarm = os.pipe()
    os.set_blocking(alarm, False)
    signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    unread = b""
    while True:
        ready, _, _ = select.select([0, awake], [], [])
        if awake in ready:
            os.read(awake, 4096)
            tell_news()
        if 0 in ready:
            came = os.read(0, 65_536)
            if not came:
                return
            *lines, unread = (unread + came).split(b"\n")
            for line in lines:
                wish = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    os.close(awake)
                    os.close(alarm)
                    child(wish)
                tell(what="born", wish=wish["wish"], pid=pid)


def tell_news() -> None:
    while True:
        try:
            pid, status, used = os.wait4(-1, os.WNOHANG | os.WUNTRACED)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if os.WIFSTOPPED(status):
            tell(what="stopped", pid=pid)
        else:
            tell(what="ended", pid=pid, code=os.waitstatus_to_exitcode(status), peak=used.ru_maxrss)


def child(wish: dict[str, Any]) -> NoReturn:
    """From here on it is the program, in a process of its own."""
    from sendoff import killpoints
    from sendoff.cli.main import main

    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(wish["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    faulthandler.register(signal.SIGUSR2)  # whoever waits for it in vain asks where its threads are
    os.environ.update(wish["env"])
    importlib.reload(killpoints)  # it reads the environment once
    surround()
    leave(main(wish["words"]))


def surround() -> None:
    """Puts the program into the surroundings that the environment names: limits, patience, calls that fail, a clock."""
    for pair in os.environ.get("CRASH_LIMITS", "").split():
        name, _, most = pair.partition("=")
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (int(most), int(most)))
    if "CRASH_LOOKS" in os.environ:
        sys.modules["sendoff.engine.settle"].MOST_LOOKS = int(os.environ["CRASH_LOOKS"])  # type: ignore[attr-defined]
    if "CRASH_FAIL" in os.environ:
        fail_from(**json.loads(os.environ["CRASH_FAIL"]))
    if "CRASH_CLOCK" in os.environ:
        sys.modules["sendoff.bootstrap"].SystemClock = SetClock  # type: ignore[attr-defined]
    if "CRASH_KEYCHAIN" in os.environ:
        secrets: Any = importlib.import_module("sendoff.store.secrets")
        secrets.PATIENCE = 0.5
        secrets._trusted_backend = lambda: SlowKeyring(Path(os.environ["CRASH_KEYCHAIN"]))


def fail_from(point: str, calls: list[str], errno: int, seconds: float) -> None:
    """From a point of killpoints.reach on these calls fail for so long; this process runs under libfiu (LD_PRELOAD)."""
    from sendoff import killpoints

    fiu, passed_on, begun = ctypes.CDLL("libfiu.so.0"), killpoints.reach, threading.Event()

    def heal() -> None:
        for call in calls:
            fiu.fiu_disable(call.encode())

    def reach(reached: str) -> None:
        if reached == point and not begun.is_set():
            begun.set()
            for call in calls:
                fiu.fiu_enable(call.encode(), -1, ctypes.c_void_p(errno), 0)
            timer = threading.Timer(seconds, heal)
            timer.daemon = True
            timer.start()
        passed_on(reached)

    killpoints.reach = reach


class SlowKeyring:
    """A keyring back-end whose items are files of a folder; it takes as long as the file `seconds` there says."""

    name = "slow"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_password(self, service: str, item: str) -> str | None:
        threading.Event().wait(float((self._folder / "seconds").read_text()))
        file = self._folder / item
        return file.read_text() if file.exists() else None

    def set_password(self, service: str, item: str, value: str) -> None:
        (self._folder / item).write_text(value)


class SetClock:
    """This computer's clock, moved as the file CRASH_CLOCK says: "SET SLEPT", in seconds. See domain.when.Clock."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=sum(self._moved()))

    def monotonic(self) -> float:
        return time.monotonic()

    def slept(self) -> float:
        return self._moved()[1]

    def _moved(self) -> tuple[float, float]:
        moved, slept = Path(os.environ["CRASH_CLOCK"]).read_text().split()
        return float(moved), float(slept)


def leave(code: int) -> NoReturn:
    """Ends as Python does: waits for threads, then what was registered. Only the heap is not taken apart (0.4 s)."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def run() -> None:
    prepare()
    if len(sys.argv) > 1:  # one program instead of a nursery: for surroundings that a fork can't have
        from sendoff.cli.main import main

        surround()
        leave(main(sys.argv[1:]))
    tell(what="ready", source=str(Path(sys.modules["sendoff"].__file__ or "").parent))
    with contextlib.suppress(KeyboardInterrupt):
        serve()


if __name__ == "__main__":
    run()
