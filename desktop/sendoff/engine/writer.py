"""The one writer: every change of state that the engine makes passes here, and whatever waits is committed together."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa

from sendoff.store.db import Store, StoreTrouble
from sendoff.store.deliveries import Begin, End, begin_many, end_many

log = logging.getLogger(__name__)
T = TypeVar("T")

RETRY_SECONDS = 1.0
"""How long to wait before the ends of tries are written again that could not be written (disk full, file locked)."""


@dataclass(slots=True)
class _Entry:
    work: Begin | End | Callable[[sa.Connection], Any]
    done: Future[Any] = field(default_factory=Future)


class Writer:
    """A thread with a queue. Without it running, work is done at once in the asking thread (tests, tools)."""

    def __init__(self, store: Store, on_trouble: Callable[[str], None] = lambda _: None) -> None:
        self._store = store
        self._on_trouble = on_trouble
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._serve, name="writer", daemon=True)
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Writes what waits, then ends."""
        self._stopping.set()
        self._queue.put(None)
        if self._thread:
            self._thread.join(seconds)

    @property
    def is_this_thread(self) -> bool:
        return threading.current_thread() is self._thread

    def begin(self, intention: Begin) -> bool:
        """Returns once the intention is on the disk. False: it no longer holds, so nothing may be sent.

        Raises:
            StoreTrouble: it could not be written, so nothing may be sent.
        """
        return bool(self._put(intention).result())

    def end(self, end: End) -> Future[None]:
        """Writes how a try ended; the future is done when it is on the disk. Tried again until it is."""
        return self._put(end)

    def run(self, work: Callable[[sa.Connection], T]) -> T:
        """Does some work in the writer's next transaction and returns its result after the commit."""
        result: T = self._put(work).result()
        return result

    def _put(self, work: Any) -> Future[Any]:
        entry = _Entry(work)
        if self._thread is None:
            self._commit([entry])
        else:
            self._queue.put(entry)
        return entry.done

    def _serve(self) -> None:
        while True:
            group = self._take()
            if group is None:
                return
            self._commit(group)

    def _take(self) -> list[_Entry] | None:
        """Waits for the first entry and takes all that stand behind it. None when it is time to end."""
        first = self._queue.get()
        group = [first] if first else []
        while not self._queue.empty():
            if entry := self._queue.get():
                group.append(entry)
        return group or None

    def _commit(self, group: list[_Entry]) -> None:
        try:
            results = self._together(group)
        except StoreTrouble as trouble:
            self._postpone(group, trouble)
        except Exception as wrong:
            if len(group) == 1:
                group[0].done.set_exception(wrong)
                return
            for entry in group:  # find the guilty one; the others hold
                self._commit([entry])
        else:
            self._on_trouble("")
            for entry, result in zip(group, results, strict=True):
                entry.done.set_result(result)

    def _together(self, group: list[_Entry]) -> list[Any]:
        """One transaction: ends first, because they free what the others may need; intentions last."""
        results: dict[int, Any] = {}
        ends = [entry.work for entry in group if isinstance(entry.work, End)]
        begins = [entry.work for entry in group if isinstance(entry.work, Begin)]
        with self._store.writing() as connection:
            if ends:
                end_many(connection, ends)
            for entry in group:
                if not isinstance(entry.work, (Begin, End)):
                    results[id(entry)] = entry.work(connection)
            held = begin_many(connection, begins) if begins else set()
        for entry in group:
            if isinstance(entry.work, Begin):
                results[id(entry)] = entry.work.delivery_id in held
        return [results.get(id(entry)) for entry in group]

    def _postpone(self, group: list[_Entry], trouble: StoreTrouble) -> None:
        """Nothing was written. What happened is kept and written later; what was to happen does not."""
        self._on_trouble(str(trouble))
        ends = [entry for entry in group if isinstance(entry.work, End)]
        for entry in group:
            if entry not in ends:
                entry.done.set_exception(trouble)
        if not ends:
            return
        log.error("the end of %d tries could not be written: %s", len(ends), trouble)
        if self._thread is None or self._stopping.wait(RETRY_SECONDS):
            for entry in ends:
                entry.done.set_exception(trouble)
            return
        for entry in ends:
            self._queue.put(entry)
