"""A logind of our own on a real D-Bus: it says when it sleeps, gives out delay locks, and waits for them."""

from __future__ import annotations

import os
import select
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from jeepney import (
    DBusAddress,
    HeaderFields,
    MessageType,
    message_bus,
    new_error,
    new_method_return,
    new_signal,
)
from jeepney.io.blocking import open_dbus_connection

NAME, PATH, MANAGER = "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"
CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
</busconfig>
"""


class Bus:
    """dbus-daemon, private to a test. It can be killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self._socket, self._config = folder / "bus", folder / "bus.conf"
        self.address = f"unix:path={self._socket}"
        self._config.write_text(CONFIG.format(socket=self._socket))
        self.start()

    def start(self) -> None:
        command = ["dbus-daemon", f"--config-file={self._config}", "--nofork", "--nopidfile", "--print-address"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        with self._process.stdout as told:  # type: ignore[union-attr]
            assert told.readline(), "dbus-daemon did not start"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._socket.unlink(missing_ok=True)


class FakeLogind:
    """Answers what Sendoff asks, as logind does: a lock is refused while a sleep is under way."""

    def __init__(self, bus: Bus, patience: float = 5.0, *, refuses: bool = False) -> None:
        self.patience = patience
        self.refuses = refuses
        self.sleeps_when_asked = False  # the sleep begins just before the question for a lock comes in
        self.asked: list[tuple[str, ...]] = []
        self.refused = 0
        self._locks: list[int] = []  # our end of each; the other end is open as long as the lock is held
        self._under_way = False
        self._connection = open_dbus_connection(bus.address, enable_fds=True)
        self._connection.bus_proxy.RequestName(NAME)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="logind", daemon=True)
        self._thread.start()

    @property
    def held(self) -> int:
        """How many locks are held now."""
        gone, _, _ = select.select(self._locks, [], [], 0)
        for lock in gone:
            self._locks.remove(lock)
            os.close(lock)
        return len(self._locks)

    def sleep(self, word: str = "PrepareForSleep") -> float:
        """Goes to sleep (or shuts down) like logind, and says after how many seconds it did."""
        self._under_way = True
        began = time.monotonic()
        self._say(word, True)
        while self.held and time.monotonic() - began < self.patience:
            time.sleep(0.005)
        return time.monotonic() - began

    def wake(self, word: str = "PrepareForSleep") -> None:
        self._under_way = False
        self._say(word, False)

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._connection.close()
        for lock in self._locks:
            os.close(lock)

    def _say(self, word: str, going: bool) -> None:
        self._connection.send(new_signal(DBusAddress(PATH, interface=MANAGER), word, "b", (going,)))

    def _serve(self) -> None:
        while not self._stopped.is_set():
            try:
                message = self._connection.receive(timeout=0.05)
            except TimeoutError:
                continue
            except OSError:  # the bus was killed
                return
            if message.header.message_type is MessageType.method_call:
                self._answer(message, message.header.fields[HeaderFields.member])

    def _answer(self, call: Any, member: str) -> None:
        if self.sleeps_when_asked and member == "Inhibit":
            self.sleeps_when_asked, self._under_way = False, True
            self._say("PrepareForSleep", True)
        if member == "Get" and call.body == (MANAGER, "InhibitDelayMaxUSec"):
            answer = new_method_return(call, "v", (("t", int(self.patience * 1e6)),))
            self._connection.send(answer)
        elif member == "Inhibit" and not (self._under_way or self.refuses):
            self.asked.append(call.body)
            ours, theirs = os.pipe()
            self._locks.append(ours)
            self._connection.send(new_method_return(call, "h", (theirs,)))
            os.close(theirs)
        else:
            self.refused += 1
            why = f"{NAME}.OperationInProgress" if self._under_way else "org.freedesktop.DBus.Error.AccessDenied"
            self._connection.send(new_error(call, why, "s", (f"{member} is refused",)))


def send_false_alarm(bus: Bus) -> None:
    """Anybody else on the bus says the same words."""
    with open_dbus_connection(bus.address) as stranger:
        names = stranger.bus_proxy.ListNames()[0]
        for name in (one for one in names if one.startswith(":") and one != stranger.unique_name):
            signal = new_signal(DBusAddress(PATH, interface=MANAGER), "PrepareForSleep", "b", (True,))
            signal.header.fields[HeaderFields.destination] = name
            stranger.send(signal)
        stranger.send_and_get_reply(message_bus.GetId())
