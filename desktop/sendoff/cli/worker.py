"""`sendoff worker`: the sender without a window, one line for each thing that happens."""

from __future__ import annotations

import argparse
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from sendoff import loading, resources
from sendoff.bootstrap import Program
from sendoff.cli import lines, render, session
from sendoff.domain.when import When
from sendoff.domain.words import counted
from sendoff.engine.engine import Engine
from sendoff.release import Installed
from sendoff.store import absences, news, settings, signins, timeline, whereabouts
from sendoff.store.db import StoreTrouble

BREATH = 0.05
"""Seconds between two looks at what happened: in a rush several things are told together."""

LOOK = 0.5
"""Seconds after which to see whether somebody said that it is to end."""

LOOK_AT_FILES = 10.0
"""Seconds between two looks whether another Sendoff was installed."""

IDLE = "nothing is left to do in the next minute"
PAUSED = "sending is paused"


def work(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        session.unlock(program.secrets, session.every_account(program))
        duty = Duty(program, program.engine(), is_json=arguments.json)
        if duty.installed.can_be_replaced:
            for name in loading.modules(window=False):
                loading.load(name)
            resources.read_ahead()
        with ended_by_signals(duty.end):
            return duty.run(until_idle=arguments.until_idle, seconds=arguments.seconds)


class Told:
    """Whether somebody said that it is to end. A flag without a lock, because a signal comes in the middle of anything:
    an event whose `wait` it interrupts would wait for itself for ever.
    """

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set


@contextmanager
def ended_by_signals(end: Told) -> Iterator[None]:
    """Being told to stop sets a flag; the sending then ends in good order."""
    wanted = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]
    before = {one: signal.signal(one, lambda *_: end.set()) for one in wanted}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@dataclass(slots=True)
class Duty:
    """One time of sending, from the lock to its release."""

    program: Program
    engine: Engine
    is_json: bool = False
    end: Told = field(default_factory=Told)
    installed: Installed = field(default_factory=Installed)
    _woken: threading.Event = field(default_factory=threading.Event)
    _breath: threading.Event = field(default_factory=threading.Event)  # set by nobody
    _told: tuple[str, bool] = ("", False)
    _warned: str = ""
    _steps: dict[int, int | None] = field(default_factory=dict)
    _zone: str = ""
    _look_at: float = 0.0
    _alarm: str = ""

    def run(self, *, until_idle: bool, seconds: float | None) -> int:
        """Sends until it is told to end; returns the exit code.

        Raises:
            OwnedElsewhere: another process sends for this profile.
        """
        self._zone = self.program.commands.settings.zone()
        stop_listening = self.program.bell.listen(lambda _: self._woken.set())
        with self.program.store.reading() as connection:
            seen = news.seen_now(connection)
        try:
            recovered = self.engine.start()
            self._tell("started", f"sending for {self.program.folder}")
            if recovered.doubtful:
                self._tell("found", f"{recovered.doubtful} that may have gone out when the last sender stopped")
            self._tell_absence()
            seen, why = self._serve(seen, until_idle, None if seconds is None else time.monotonic() + seconds)
            self._alarm = self.engine.status().trouble
        finally:
            stop_listening()
            self.engine.stop()
        self._report(seen)
        self._tell("stopped", why)
        if self._alarm:
            session.remark(f"Something stands in the way: {self._alarm}")
            return 1
        return self._verdict(why) if until_idle else 0

    def _serve(self, seen: news.Seen, until_idle: bool, deadline: float | None) -> tuple[news.Seen, str]:
        while True:
            self._woken.clear()
            idle = ""
            with suppress(StoreTrouble):  # the sender waits until it is over, and says so
                seen = self._report(seen)
                idle = self._idle() if until_idle else ""
            self._report_status()
            self._report_endings()
            self._report_update()
            if self.end.is_set():
                return seen, "told to"
            if idle:
                return seen, idle
            if deadline is not None and time.monotonic() >= deadline:
                return seen, "the time is over"
            rest = LOOK if deadline is None else min(LOOK, max(deadline - time.monotonic(), 0.0))
            self._woken.wait(rest)
            self._breath.wait(min(BREATH, rest))

    def _idle(self) -> str:
        """Why there is nothing more to do, or ""."""
        status = self.engine.status()
        if status.paused and not status.leaving:
            return PAUSED
        return "" if self.engine.has_work() else IDLE

    def _verdict(self, why: str) -> int:
        """Whether something waits for the person, or has not left yet."""
        if why == PAUSED:
            session.remark(f"Sending is paused. {self._why_paused() or 'To go on: sendoff resume'}")
            return 1
        if why != IDLE:
            session.remark("It ended before everything had left.")
            return 1
        with self.program.store.reading() as connection:
            open_decisions = timeline.needs_you_count(connection)
        if open_decisions:
            session.remark("Something needs you: sendoff queue --needs-you")
        return 1 if open_decisions else 0

    # --- told -----------------------------------------------------------------------------------------------------

    def _report(self, seen: news.Seen) -> news.Seen:
        now = self.program.clock.now()
        with self.program.store.reading() as connection:
            happened, seen = news.since(connection, seen, now)
        for one in happened:
            self._print(lines.as_json(one) if self.is_json else lines.line(one, self._zone, now))
        return seen

    def _report_status(self) -> None:
        """What keeps everything from leaving, when it begins and when it is over."""
        status = self.engine.status()
        trouble, was_paused = self._told
        if status.trouble != trouble:
            self._tell("trouble", status.trouble or "it is over")
        if status.paused != was_paused:
            self._tell("paused" if status.paused else "resumed", self._why_paused())
        if status.warning != self._warned:
            self._tell("warning", status.warning or "it is over")
        self._told, self._warned = (status.trouble, status.paused), status.warning

    def _report_endings(self) -> None:
        """Each step of a sign-in that ends, once."""
        now = self.program.clock.now()
        with suppress(StoreTrouble), self.program.store.reading() as connection:
            for one in signins.endings(connection, now):
                if one.account.warned is not None and self._steps.get(one.account.id) != one.account.warned:
                    self._steps[one.account.id] = one.account.warned
                    self._tell("sign-in", one.words(now, self._zone))

    def _report_update(self) -> None:
        """Once, where its files were replaced. It has loaded all that it needs, and goes on as it was."""
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_AT_FILES
            if self.installed.is_another():
                self._look_at = float("inf")
                self._tell(
                    "updated", "another version is installed now; this one goes on until the worker is restarted"
                )

    def _why_paused(self) -> str:
        """Why, where it was not the person who paused, and what to do."""
        with suppress(StoreTrouble), self.program.store.reading() as connection:
            if why := whereabouts.why_paused(settings.read(connection)):
                return f"{why} Look at what it would send (sendoff queue), then: sendoff resume"
        return ""

    def _tell(self, what: str, words: str) -> None:
        now = self.program.clock.now()
        if self.is_json:
            self._print({"at": render.instant(now), "what": what, "reason": words})
        else:
            self._print(f"{lines.clock(now, self._zone)}  {what:<9} {words}".rstrip())

    def _tell_absence(self) -> None:
        """What was planned while nothing was running, or could leave, is told before it leaves."""
        with self.program.store.reading() as connection:
            found = absences.welcome(connection)
        if found is None or not found.rows:
            return
        n, since = len(found.rows), found.absences[0].began_at
        what = counted(n, "post was", "posts were")
        wall = When.at(since, self._zone).wall
        self._tell("back", f"{what} planned while nothing could leave: sendoff queue --since '{wall:%Y-%m-%d %H:%M}'")

    def _print(self, what: str | dict[str, Any]) -> None:
        """Whoever read the lines may leave; the sending goes on."""
        try:
            if isinstance(what, str):
                print(what, flush=True)
            else:
                render.print_json(what, compact=True)
        except BrokenPipeError:
            render.stop_printing()
