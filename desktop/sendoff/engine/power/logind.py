"""Sleep and shutdown on Linux, as systemd-logind or elogind tells them over the system's D-Bus."""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
from collections import deque
from contextlib import closing, suppress
from functools import partial
from typing import Any

from jeepney import DBusAddress, DBusErrorResponse, HeaderFields, MatchRule, Properties, message_bus, new_method_call
from jeepney.bus import get_bus
from jeepney.io.blocking import DBusConnection, prep_socket
from jeepney.wrappers import unwrap_msg

from sendoff.engine.power import GoingToSleep, Woke, tell

log = logging.getLogger(__name__)

MANAGER = DBusAddress(
    "/org/freedesktop/login1", bus_name="org.freedesktop.login1", interface="org.freedesktop.login1.Manager"
)
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
"""Seconds until the bus is looked for again, doubled each time."""

ANSWER = 5.0
"""Seconds to wait for an answer on the bus."""

MARGIN = 0.5
"""Seconds of logind's patience that are left over: it began to count before we heard of it."""

MOST = 60.0
"""Seconds that are made use of, however patient logind is."""

_COMES_AND_GOES = MatchRule(type="signal", sender=message_bus.bus_name, member="NameOwnerChanged")
_COMES_AND_GOES.add_arg_condition(0, MANAGER.bus_name)
_RULES = (
    MatchRule(type="signal", interface=MANAGER.interface, path=MANAGER.object_path, member="PrepareForSleep"),
    MatchRule(type="signal", interface=MANAGER.interface, path=MANAGER.object_path, member="PrepareForShutdown"),
    _COMES_AND_GOES,
)


class Logind:
    """One thread that sleeps on the bus's socket. Without a bus or without logind it is quiet: that is normal.

    While something is leaving it holds a delay lock, which logind waits for (InhibitDelayMaxUSec, 5 s by default). A
    lock cannot be taken any more once the computer is on its way, so it is taken before. Without one, the word of the
    coming sleep may arrive only after waking, together with the word of that.

    See https://systemd.io/INHIBITOR_LOCKS/ and org.freedesktop.login1(5).
    """

    def __init__(self, going_to_sleep: GoingToSleep, woke: Woke) -> None:
        self._going_to_sleep = going_to_sleep
        self._woke = woke
        self._busy = False
        self._away = False  # told to sleep, and not told otherwise
        self._lock: Any = None  # jeepney's FileDescriptor; the lock lasts as long as it is open
        self._logind = ""  # its unique name; anybody on the bus may send a signal of that shape
        self._patience = 0.0
        self._heard: deque[Any] = deque()
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._ear.setblocking(False)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="power", daemon=True)
        self._thread.start()

    def hold_off(self, busy: bool) -> None:
        if busy != self._busy:
            self._busy = busy
            self._ring()

    def stop(self) -> None:
        if not self._end.is_set():
            self._end.set()
            self._ring()
            self._thread.join(1.0)

    def _ring(self) -> None:
        with suppress(OSError):  # full: it will look anyway; closed: nobody looks any more
            self._bell.send(b"!")

    # --- the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._end.is_set():
            try:
                # In two steps, because open_dbus_connection leaves the socket open where the bus does not answer.
                wire = prep_socket(get_bus("SYSTEM"), enable_fds=True)
                with closing(wire), DBusConnection(wire, enable_fds=True) as bus:
                    self._meet(bus)
                    pause = FIRST_PAUSE
                    self._follow(bus)
            except (OSError, ValueError, RuntimeError, DBusErrorResponse) as gone:
                log.debug("no word of sleep from this system: %s", gone)
            finally:
                self._let_go()
            if self._away and not self._end.is_set():  # nobody will say any more that it woke
                self._tell(False)
            self._end.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        self._bell.close()
        self._ear.close()

    def _meet(self, bus: DBusConnection) -> None:
        """Finds out who logind is and how long it waits. Where it is missing, its coming is waited for."""
        self._heard.clear()
        for rule in _RULES:
            bus.filter(rule, queue=self._heard)
            _ask(bus, message_bus.AddMatch(rule))
        self._logind = ""
        with suppress(DBusErrorResponse):
            answer = _ask(bus, Properties(MANAGER).get("InhibitDelayMaxUSec"))
            self._logind = answer.header.fields[HeaderFields.sender]
            self._patience = min(max(0.0, answer.body[0][1] / 1e6 - MARGIN), MOST)

    def _follow(self, bus: DBusConnection) -> None:
        """Listens until the watch ends, or logind comes or goes; then everything is asked for anew."""
        while not self._end.is_set():
            self._hold(bus)
            if not self._heard:
                self._wait(bus)
            while self._heard:
                message = self._heard.popleft()
                if message.header.fields[HeaderFields.member] == "NameOwnerChanged":
                    return
                if message.header.fields[HeaderFields.sender] == self._logind:
                    self._tell(message.body[0])

    def _wait(self, bus: DBusConnection) -> None:
        poll = select.poll()
        poll.register(bus.sock, select.POLLIN)
        poll.register(self._ear, select.POLLIN)
        poll.poll()
        with suppress(BlockingIOError):
            self._ear.recv(4096)
        with suppress(TimeoutError):
            while True:
                bus.recv_messages(timeout=0)

    def _hold(self, bus: DBusConnection) -> None:
        """Takes the lock or lets it go, as it is wanted now."""
        wanted = self._busy and not self._away and self._logind
        if not wanted:
            self._let_go()
        elif not self._lock:
            what = ("sleep:shutdown", "Sendoff", "A message is being sent", "delay")
            try:
                [self._lock] = _ask(bus, new_method_call(MANAGER, "Inhibit", "ssss", what)).body
                os.set_inheritable(self._lock.fileno(), False)  # a program started meanwhile would keep it
            except DBusErrorResponse as refused:  # it may be denied, or too late; sending goes on without it
                log.debug("sleep will not wait: %s", refused)

    def _let_go(self) -> None:
        if self._lock:
            self._lock.close()
            self._lock = None

    def _tell(self, going: bool) -> None:
        self._away = going
        if going:
            tell(partial(self._going_to_sleep, self._patience if self._lock else 0.0))
        else:
            tell(self._woke)


def _ask(bus: DBusConnection, message: Any) -> Any:
    """The answer to a call.

    Raises:
        DBusErrorResponse: it was refused, or there is nobody to ask.
        OSError: the bus went away, or was silent for too long.
    """
    answer = bus.send_and_get_reply(message, timeout=ANSWER)
    unwrap_msg(answer)
    return answer
