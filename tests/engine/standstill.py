"""The whole engine in one thread: its own loops and its own work, done when they are told to, until they would wait."""

from __future__ import annotations

import logging
import random
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

from sqlalchemy.util import LRUCache

from sendoff.domain.channel import Channel
from sendoff.engine import engine as engine_module
from sendoff.engine.bell import Bell
from sendoff.engine.commands import Commands
from sendoff.engine.engine import Engine
from sendoff.engine.power import NoPower
from sendoff.engine.writer import Writer, _Ended, _Intentions, _Work
from sendoff.store.db import Store, StoreTrouble
from sendoff.store.media import Media
from sendoff.store.outgoing import Begin, End
from sendoff.store.secrets import Secrets
from tests.conftest import SetClock

log = logging.getLogger(__name__)


class Rest(BaseException):
    """A loop of the engine has nothing to do now and would wait."""


class _Wanted(threading.Event):
    def wait(self, timeout: float | None = None) -> bool:
        if not self.is_set():
            raise Rest
        return True


class _Changed(threading.Condition):
    def wait(self, timeout: float | None = None) -> NoReturn:
        raise Rest


class StillWriter(Writer):
    """The writer's own work in the asking thread. How tries ended waits until it is written on demand."""

    inside = False

    def start(self) -> None:
        pass

    def stop(self, seconds: float) -> None:
        self._stopping.set()
        self.write_ends()

    @property
    def is_this_thread(self) -> bool:
        return self.inside

    @contextmanager
    def _as_writer(self) -> Iterator[None]:
        before, self.inside = self.inside, True
        try:
            yield
        finally:
            self.inside = before

    def begin(self, wanted: Sequence[Begin], then: Callable[[set[int] | None], None]) -> None:
        with self._as_writer():
            self._write_intentions([_Intentions(wanted, then)])

    def end(self, make: Callable[[], End], then: Callable[[End], None], otherwise: Callable[[Exception], End]) -> None:
        self._ends.append(_Ended(make, then, otherwise))

    def run(self, work: Callable[..., Any]) -> Any:
        entry = _Work(work, Future())
        with self._as_writer():
            self._do(entry)
        return entry.done.result()

    note = run

    @property
    def waiting(self) -> int:
        return len(self._ends)

    def write_ends(self) -> None:
        with self._as_writer():
            while self._ends and self._write_ends():
                pass


class StillPool:
    """Tasks that wait until somebody does one."""

    def __init__(self, size: int, name: str) -> None:
        self.tasks: deque[Callable[[], None]] = deque()
        self.is_behind = False

    def submit(self, *tasks: Callable[[], None]) -> None:
        self.tasks += tasks

    @property
    def busy(self) -> int:
        return len(self.tasks)

    def stop(self, seconds: float) -> None:
        self.tasks.clear()

    def do_one(self, which: int) -> None:
        self.tasks.rotate(-(which % len(self.tasks)))
        task = self.tasks.popleft()
        try:
            task()
        except StoreTrouble as trouble:  # as in the real one, which tells of any error and goes on
            log.error("a task failed: %s", trouble)


class StillTimeline:
    """The alarm clock: the instant for which it was set last."""

    is_alive = True

    def __init__(self, departures: Callable[[], None]) -> None:
        self.departures = departures
        self.wake: datetime | None = None

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def chore(self, name: str, work: Callable[[], None], every: timedelta) -> None:
        pass

    def wake_at(self, instant: datetime | None) -> None:
        self.wake = instant


class StillHeart:
    """A heart that beats when it is told to."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self.beat = beat

    def start(self) -> None:
        pass

    def stop(self, seconds: float) -> None:
        pass


class StillQuiet:
    """Collects nothing: thousands of starts would each stop for it."""

    def start(self) -> None:
        pass

    def tidy(self, *, hurried: bool) -> None:
        pass

    def stop(self) -> None:
        pass


class Process:
    """A program with its sender: what is lost when it dies. Starts at once, or raises as the engine does."""

    def __init__(self, folder: Path, clock: SetClock, channels: Mapping[str, Channel]) -> None:
        self.clock = clock
        self._rung_at = -1.0
        bell = Bell()
        self.store = Store(folder, bell.ring)
        share_statements(self.store)
        secrets = Secrets(folder)
        self.commands = commands_on(self.store, secrets, clock, channels)
        with mock.patch.multiple(
            engine_module,
            Writer=StillWriter,
            Pool=StillPool,
            Timeline=StillTimeline,
            Heart=StillHeart,
            Quiet=StillQuiet,
        ):
            self.engine = Engine(
                store=self.store, secrets=secrets, files=Media(folder), channels=channels, clock=clock, bell=bell
            )
        self.departures = self.engine._departures
        self.departures.revive = list  # type: ignore[method-assign]  # it has no threads to start
        self.departures._claim_wanted, self.departures._changed = _Wanted(), _Changed()
        self.engine._dispatch._chance = self.engine._looks._settler._chance = random.Random(7)
        self.writer: StillWriter = self.engine._writer  # type: ignore[assignment]
        self.pool: StillPool = self.engine._pool  # type: ignore[assignment]
        self.uploads: StillPool = self.engine._uploading  # type: ignore[assignment]
        self.timeline: StillTimeline = self.engine._timeline  # type: ignore[assignment]
        try:
            with mock.patch.object(engine_module.power, "watch", return_value=NoPower()):
                self.recovered = self.engine.start()
        except BaseException:
            self.store.close()
            raise

    def steps(self, *, uploads: bool = True) -> list[Callable[[], None]]:
        """What its threads could do now, each as one step; without `uploads` nothing goes up before its time."""
        found: list[Callable[[], None]] = []
        rung = (
            self._rung_at == self.clock.monotonic()
        )  # once an instant: a wait of next to nothing is one of nothing here
        if self.timeline.wake and self.timeline.wake <= self.clock.now() and not rung:
            found.append(self._alarm)
        if self.departures._claim_wanted.is_set():
            found.append(lambda: self._until_rest(self.departures._claims))
        if self._something_leaves():
            found.append(lambda: self._until_rest(self.departures._releases))
        if self.pool.tasks:
            found += [lambda which=which: self.pool.do_one(which) for which in range(min(len(self.pool.tasks), 3))]  # type: ignore[misc]
        if uploads and self.uploads.tasks:
            found.append(lambda: self.uploads.do_one(0))
        if self.writer.waiting:
            found.append(self.writer.write_ends)
        return found

    def _alarm(self) -> None:
        self._rung_at = self.clock.monotonic()
        self.timeline.wake = None
        self.timeline.departures()

    def _something_leaves(self) -> bool:
        return any(at <= self.clock.now() for at in self._heads())

    def _heads(self) -> list[datetime]:
        """When the gate opens, and when the delay queue has something."""
        return [*self.departures._gate[:1], *(at for at, _, _ in self.departures._queue[:1])]

    def _until_rest(self, loop: Callable[[], None]) -> None:
        try:
            loop()
        except Rest:
            pass

    def heartbeat(self) -> None:
        self.engine._heart.beat()  # type: ignore[attr-defined]

    def instants(self) -> list[datetime]:
        """When something happens by itself."""
        return self._heads() + ([self.timeline.wake] if self.timeline.wake else [])

    def die(self) -> None:
        """All at once: the system takes the files back, and nothing is written any more."""
        self.engine._lock.release()
        self.engine._journal.close()
        self.store.close()

    def stop(self) -> None:
        self.engine.stop()
        self.store.close()


def commands_on(store: Store, secrets: Secrets, clock: SetClock, channels: Mapping[str, Channel]) -> Commands:
    return Commands(store=store, secrets=secrets, channels=channels, clock=clock, zone=lambda: "UTC")


_STATEMENTS: LRUCache[Any, Any] = LRUCache(2000)


def share_statements(store: Store) -> None:
    """Lets all stores of a run use the same compiled statements: each new one would compile them again."""
    store._engine._compiled_cache = _STATEMENTS
