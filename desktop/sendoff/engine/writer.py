"""The one writer: every change of state that the engine makes passes here, and whatever waits is committed together."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sendoff import killpoints
from sendoff.store.db import Connection, Store, StoreTrouble
from sendoff.store.outgoing import Begin, End, begin_many, end_many

log = logging.getLogger(__name__)
T = TypeVar("T")

RETRY_SECONDS = 1.0
"""How long to wait before the ends of tries are written again that could not be written (disk full, file locked)."""

LONGEST_WAIT = 0.25
"""Seconds for which the ends of tries may wait for intentions in a rush."""

TOGETHER = 64
"""How many ends one transaction writes at most, so that an intention never waits long behind them."""


@dataclass(frozen=True, slots=True)
class _Intentions:
    wanted: Sequence[Begin]
    then: Callable[[set[int] | None], None]


@dataclass(slots=True)
class _Ended:
    make: Callable[[], End]
    then: Callable[[End], None]
    otherwise: Callable[[Exception], End]
    since: float = field(default_factory=time.monotonic)
    end: End | None = None

    def worded(self) -> End:
        """The end, made once."""
        if self.end is None:
            try:
                self.end = self.make()
            except Exception as fault:  # noqa: BLE001  # the writer outlives our own mistakes
                self.cannot_be_told(fault)
        assert self.end
        return self.end

    def cannot_be_told(self, fault: Exception) -> None:
        log.error("how a try ended could not be told", exc_info=fault)
        self.end = self.otherwise(fault)


@dataclass(frozen=True, slots=True)
class _Work:
    do: Callable[[Connection], Any]
    done: Future[Any]


_Entry = _Intentions | _Work


class Writer:
    """A thread with a queue. What is called back is called in this thread, after the commit.

    Args:
        on_trouble: told why nothing can be written, or "" when it works again.
        hurried: whether somebody's time has come who has not left; ends wait for that a little.
    """

    def __init__(self, store: Store, on_trouble: Callable[[str], None], hurried: Callable[[], bool]) -> None:
        self._store = store
        self._on_trouble = on_trouble
        self._hurried = hurried
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()  # None: look up
        self._thread = threading.Thread(target=self._serve, name="writer", daemon=True)
        self._stopping = threading.Event()
        self._ended: deque[_Ended] = deque()  # told by workers, not yet seen here
        self._ends: list[_Ended] = []  # seen, not yet on the disk
        self._asleep = False

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Writes what waits, then ends."""
        self._stopping.set()
        self._queue.put(None)
        self._thread.join(seconds)

    @property
    def is_this_thread(self) -> bool:
        return threading.current_thread() is self._thread

    def begin(self, wanted: Sequence[Begin], then: Callable[[set[int] | None], None]) -> None:
        """Writes intentions; calls back with the deliveries for which it holds, once that is on the disk.

        The others were cancelled, moved or edited meanwhile and must not be sent. None: nothing could be written, so
        none may be sent now.
        """
        self._queue.put(_Intentions(wanted, then))

    def end(self, make: Callable[[], End], then: Callable[[End], None], otherwise: Callable[[Exception], End]) -> None:
        """Writes how a try ended, again and again until it is on the disk; then calls back with it.

        In a rush the writer is not woken for it: it looks again soon, and a worker has better things to do.

        Args:
            make: words what happened; called in the writer's thread, when there is time for it.
            otherwise: makes the end of a try whose own can't be made or written, which is a mistake of a channel.
        """
        self._ended.append(_Ended(make, then, otherwise))
        if self._asleep and not (self._ends and self._hurried()):
            self._asleep = False
            self._queue.put(None)

    def run(self, work: Callable[[Connection], T]) -> T:
        """Does some work in the writer's next transaction and returns its result after the commit.

        Raises:
            StoreTrouble: nothing could be written. And whatever the work raises; then nothing of it was written.
        """
        entry = _Work(work, Future())
        self._queue.put(entry)
        result: T = entry.done.result()
        return result

    def note(self, work: Callable[[Connection], object]) -> None:
        """Does some work soon that nobody waits for. Where it can't be written, it is not."""
        self._queue.put(_Work(work, Future()))

    def _serve(self) -> None:
        while True:
            group = self._take()
            if group is None:
                return
            if intentions := [entry for entry in group if isinstance(entry, _Intentions)]:
                self._write_intentions(intentions)  # first: somebody's time has come
            while self._ends and not self._ends_can_wait() and self._write_ends() and self._queue.empty():
                pass
            for entry in group:
                if isinstance(entry, _Work):
                    self._do(entry)

    def _ends_can_wait(self) -> bool:
        """In a rush intentions go first; but what happened is on the disk soon in any case."""
        return self._hurried() and time.monotonic() - self._ends[0].since < LONGEST_WAIT

    def _take(self) -> list[_Entry] | None:
        """Waits for the first entry and takes all that stand behind it. None when it is time to end."""
        group: list[_Entry | None] = []
        self._asleep = True  # said before looking for ends, and who brings one asks afterwards: none is missed
        if not self._ended:
            if self._stopping.is_set() and self._queue.empty() and not self._ends:
                return None
            with suppress(queue.Empty):  # only ends that could not be written, or had to wait
                group.append(self._queue.get(timeout=LONGEST_WAIT / 10 if self._ends else None))
        self._asleep = False
        while not self._queue.empty():
            group.append(self._queue.get())
        while self._ended:
            self._ends.append(self._ended.popleft())
        return [entry for entry in group if entry]

    def _write_intentions(self, entries: Sequence[_Intentions]) -> None:
        """One transaction for all. If it fails, each on its own, so that only the guilty one falls."""
        held: set[int] | None
        try:
            with self._store.writing() as connection:
                held = begin_many(connection, [one for entry in entries for one in entry.wanted])
        except Exception as wrong:  # noqa: BLE001  # whatever it is, nothing was written, and that is what counts
            if len(entries) > 1 and not isinstance(wrong, StoreTrouble):
                for entry in entries:
                    self._write_intentions([entry])
                return
            log.error("intentions could not be written, so nothing is sent: %s", wrong)
            self._on_trouble(str(wrong))
            held = None
        else:
            self._on_trouble("")
        for entry in entries:
            entry.then(held)

    def _write_ends(self) -> bool:
        """Writes some of the ends that wait. False: that is not possible now, and they are kept."""
        ends = self._ends[:TOGETHER]
        for entry in ends:
            entry.worded()
        killpoints.reach("end.before")
        try:
            self._write_together(ends)
        except StoreTrouble as trouble:
            log.error("how %d tries ended could not be written yet: %s", len(ends), trouble)
            self._on_trouble(str(trouble))
            if self._stopping.wait(RETRY_SECONDS):
                self._ends.clear()  # their rows say "sending", and the next sender settles them
            return False
        self._on_trouble("")
        del self._ends[: len(ends)]
        for entry in ends:
            entry.then(entry.worded())
        return True

    def _write_together(self, ends: Sequence[_Ended]) -> None:
        """One transaction for all. If something about them can't be written, each on its own, and the guilty one so."""
        try:
            with self._store.writing() as connection:
                end_many(connection, [entry.worded() for entry in ends])
        except StoreTrouble:
            raise
        except Exception as fault:  # noqa: BLE001  # nothing was written
            if len(ends) > 1:
                for entry in ends:
                    self._write_together([entry])
                return
            ends[0].cannot_be_told(fault)
            with self._store.writing() as connection:
                end_many(connection, [ends[0].worded()])

    def _do(self, entry: _Work) -> None:
        try:
            with self._store.writing() as connection:
                result = entry.do(connection)
        except BaseException as wrong:  # noqa: BLE001  # the asking thread gets it
            if isinstance(wrong, StoreTrouble):
                self._on_trouble(str(wrong))
            entry.done.set_exception(wrong)
        else:
            entry.done.set_result(result)
