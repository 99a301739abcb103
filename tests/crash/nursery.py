"""A process that has everything imported and forks the real program, again and again: 0.1 s each instead of 0.8 s.

`python -m tests.crash.nursery` reads one JSON object a line: {"words": […], "env": {…}, "out": file}. It answers with
one line for each thing that happens to a child: {"pid": …, "what": "born" | "stopped" | "ended", "code": …}. It is
single-threaded, so its children are as whole as freshly started ones; each runs `sendoff.cli.main.main(words)`, and
ends as the program ends.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

SHORTER: tuple[tuple[str, str, Any], ...] = (
    ("sendoff.domain.account", "FIRST_REST", timedelta(seconds=1)),
    ("sendoff.engine.limiter", "FIRST_PAUSE", 0.3),
    ("sendoff.engine.limiter", "OFFLINE_PAUSE", 0.3),
    ("sendoff.engine.settle", "AGAIN", timedelta(seconds=0.3)),
    ("sendoff.engine.limiter", "REACHING_PAUSE", 0.2),
    ("sendoff.engine.limiter", "CALM", 0.1),
    ("sendoff.engine.readiness", "PAUSES", (0.1, 0.2, 0.3)),
    ("sendoff.engine.heart", "BEAT", 0.2),
    ("sendoff.engine.writer", "RETRY_SECONDS", 0.2),
    ("sendoff.cli.worker", "BREATH", 0.01),
    ("sendoff.store.secrets", "VAULT_N", 1 << 14),
)
"""The pauses that are shorter here than in life, so that a cell takes a second and not a minute. Nothing else is."""

PRELOADED = (
    "sendoff.cli.parser", "sendoff.cli.main", "sendoff.cli.worker", "sendoff.cli.post", "sendoff.cli.queue",
    "sendoff.cli.accounts", "sendoff.bootstrap", "sendoff.engine.engine", "sendoff.engine.timeline",
    "sendoff.channels.mastodon", "sendoff.channels.mailgun", "sendoff.channels.smtp", "sendoff.channels.practice",
    "sendoff.store.migrate", "alembic.command", "alembic.config", "alembic.script", "alembic.runtime.migration",
    "tzlocal", "tests.crash.kinds",
    "apscheduler.schedulers.background", "apscheduler.triggers.interval", "sqlalchemy.dialects.sqlite.pysqlite",
    "concurrent.futures.thread", "encodings.ascii", "tzdata.zoneinfo",
)  # fmt: skip


def prepare() -> None:
    for name in PRELOADED:
        importlib.import_module(name)
    for module, name, value in SHORTER:
        where = importlib.import_module(module)
        if name == "VAULT_N":
            where.Vault.N = value
            continue
        if not hasattr(where, name):
            raise SystemExit(f"nursery: there is no {module}.{name} any more; mend SHORTER")
        setattr(where, name, value)
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
            pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if os.WIFSTOPPED(status):
            tell(what="stopped", pid=pid)
        else:
            tell(what="ended", pid=pid, code=os.waitstatus_to_exitcode(status))


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
    os.environ.update(wish["env"])
    importlib.reload(killpoints)  # it reads the environment once
    leave(main(wish["words"]))


def leave(code: int) -> NoReturn:
    """Ends as Python does: waits for threads, then what was registered. Only the heap is not taken apart (0.4 s)."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def run() -> None:
    prepare()
    tell(what="ready", source=str(Path(sys.modules["sendoff"].__file__ or "").parent))
    with contextlib.suppress(KeyboardInterrupt):
        serve()


if __name__ == "__main__":
    run()
