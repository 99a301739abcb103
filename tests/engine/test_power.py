"""Sleep signals without the systems that send them: Windows and macOS by stand-ins, Linux without a bus."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from ctypes import POINTER, c_char_p, c_int, c_ssize_t, c_uint32, c_void_p
from pathlib import Path
from typing import Any

import pytest

from sendoff.engine.power import NoPower, watch
from sendoff.engine.power.macos import CAN_SYSTEM_SLEEP, SYSTEM_HAS_POWERED_ON, SYSTEM_WILL_SLEEP, MacOS
from sendoff.engine.power.macos import PATIENCE as MACS_PATIENCE
from sendoff.engine.power.windows import PATIENCE as WINDOWS_PATIENCE
from sendoff.engine.power.windows import PBT_APMRESUMEAUTOMATIC, PBT_APMSUSPEND, ReasonContext, Subscription, Windows

HANDLE = 0x7FFF_1234_5678_9ABC
"""Wider than 32 bits: a prototype that is not there would cut it."""


class Book:
    """Writes down what was called, in order, with its arguments."""

    def __init__(self) -> None:
        self.lines: list[Any] = []

    def going_to_sleep(self, seconds: float) -> None:
        self.lines.append(("going to sleep", seconds))

    def woke(self) -> None:
        self.lines.append("woke")

    def take(self) -> list[Any]:
        lines, self.lines = self.lines, []
        return lines


class Library:
    """A system library: C functions with the documented prototypes, made of Python ones."""

    def __init__(self, book: Book, **functions: tuple[Any, list[Any], Callable[..., Any]]) -> None:
        for name, (result, arguments, does) in functions.items():
            setattr(self, name, ctypes.CFUNCTYPE(result, *arguments)(self._noted(book, name, does)))

    @staticmethod
    def _noted(book: Book, name: str, does: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any) -> Any:
            book.lines.append((name, *(word for word in words if isinstance(word, int))))
            return does(*words)

        return call


# --- Windows ------------------------------------------------------------------------------------------------------


class FakeWindows:
    """kernel32 and powrprof, and the system that calls back."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.book = Book()
        self.refuses = refuses
        self.reason = ("", 0, 0)
        self.subscription: Any = None
        self.libraries = {
            "kernel32": Library(
                self.book,
                PowerCreateRequest=(c_void_p, [POINTER(ReasonContext)], self._create),
                PowerSetRequest=(c_int, [c_void_p, c_int], lambda *_: 1),
                PowerClearRequest=(c_int, [c_void_p, c_int], lambda *_: 1),
                CloseHandle=(c_int, [c_void_p], lambda *_: 1),
            ),
            "powrprof": Library(
                self.book,
                PowerRegisterSuspendResumeNotification=(
                    c_uint32, [c_uint32, POINTER(Subscription), POINTER(c_void_p)], self._register
                ),
                PowerUnregisterSuspendResumeNotification=(c_uint32, [c_void_p], lambda *_: 0),
            ),
        }  # fmt: skip

    def _create(self, context: Any) -> int | None:
        self.reason = context[0].Reason.SimpleReasonString, context[0].Version, context[0].Flags
        return c_void_p(-1).value if self.refuses else HANDLE

    def _register(self, _flags: int, subscription: Any, place: Any) -> int:
        if self.refuses:
            return 5  # ERROR_ACCESS_DENIED
        self.subscription = subscription[0]
        place[0] = HANDLE + 1
        return 0

    def says(self, kind: int) -> int:
        """In a thread of the system's own, as it is there."""
        answers: list[int] = []
        thread = threading.Thread(target=lambda: answers.append(self.subscription.Callback(None, kind, None)))
        thread.start()
        thread.join()
        return answers[0]


def test_windows_is_asked_with_whole_handles_and_told_why() -> None:
    system = FakeWindows()
    power = Windows(system.book.going_to_sleep, system.book.woke, system.libraries.__getitem__)
    assert system.reason == ("A message is being sent", 0, 1)
    assert system.book.take() == [("PowerCreateRequest",), ("PowerRegisterSuspendResumeNotification", 2)]
    for busy in (False, True, True, False, True):
        power.hold_off(busy)
    power.stop()
    power.stop()
    assert system.book.take() == [
        ("PowerSetRequest", HANDLE, 1),
        ("PowerClearRequest", HANDLE, 1),
        ("PowerSetRequest", HANDLE, 1),
        ("PowerUnregisterSuspendResumeNotification", HANDLE + 1),
        ("CloseHandle", HANDLE),
    ]


def test_windows_words_for_sleep_are_understood_and_the_others_passed_over() -> None:
    system = FakeWindows()
    power = Windows(system.book.going_to_sleep, system.book.woke, system.libraries.__getitem__)
    system.book.take()
    for kind in (0x0A, PBT_APMSUSPEND, PBT_APMRESUMEAUTOMATIC, 0x07):
        assert system.says(kind) == 0
    assert system.book.take() == [("going to sleep", WINDOWS_PATIENCE), "woke"]
    power.stop()


def test_a_windows_that_refuses_is_left_in_peace() -> None:
    system = FakeWindows(refuses=True)
    power = Windows(system.book.going_to_sleep, system.book.woke, system.libraries.__getitem__)
    system.book.take()
    power.hold_off(True)
    power.stop()
    assert system.book.take() == []


@pytest.mark.skipif(ctypes.sizeof(c_void_p) != 8, reason="the layout of 64-bit systems")
def test_windows_structures_have_the_documented_layout() -> None:
    assert ctypes.sizeof(Subscription) == 16
    assert ReasonContext.Reason.offset == 8
    assert ReasonContext.Reason.size == 24


# --- macOS --------------------------------------------------------------------------------------------------------

ROOT, NOTIFIER, ID = 0xFFFF_0001, 0xFFFF_0002, 0x7FFF_0000_0000_0042


class FakeMac:
    """IOKit and libSystem, and the system that calls back."""

    def __init__(self, root: int = ROOT) -> None:
        self.book = Book()
        self.root = root
        self.listener: Any = None
        listener = ctypes.CFUNCTYPE(None, c_void_p, c_uint32, c_uint32, c_void_p)
        nothing: Callable[..., int] = lambda *_: 0  # noqa: E731
        self._iokit = Library(
            self.book,
            IORegisterForSystemPower=(
                c_uint32, [c_void_p, POINTER(c_void_p), listener, POINTER(c_uint32)], self._register
            ),
            IODeregisterForSystemPower=(c_int, [POINTER(c_uint32)], self._deregister),
            IOAllowPowerChange=(c_int, [c_uint32, c_ssize_t], nothing),
            IOCancelPowerChange=(c_int, [c_uint32, c_ssize_t], nothing),
            IOServiceClose=(c_int, [c_uint32], nothing),
            IONotificationPortSetDispatchQueue=(None, [c_void_p, c_void_p], lambda *_: None),
            IONotificationPortDestroy=(None, [c_void_p], lambda *_: None),
        )  # fmt: skip
        self._system = Library(self.book, dispatch_queue_create=(c_void_p, [c_char_p, c_void_p], lambda *_: HANDLE + 2))

    def load(self, name: str) -> Any:
        return self._iokit if "IOKit" in name else self._system

    def _register(self, _refcon: Any, port: Any, listener: Any, notifier: Any) -> int:
        self.listener, port[0], notifier[0] = listener, HANDLE, NOTIFIER
        return self.root

    def _deregister(self, notifier: Any) -> int:
        assert notifier[0] == NOTIFIER
        return 0

    def says(self, message: int) -> None:
        thread = threading.Thread(target=lambda: self.listener(None, 7, message, ID))
        thread.start()
        thread.join()


def test_a_mac_gets_its_answer_to_every_question_and_only_to_questions() -> None:
    system = FakeMac()
    power = MacOS(system.book.going_to_sleep, system.book.woke, system.load)
    assert system.book.take() == [
        ("IORegisterForSystemPower",),
        ("dispatch_queue_create",),
        ("IONotificationPortSetDispatchQueue", HANDLE, HANDLE + 2),
    ]
    system.says(CAN_SYSTEM_SLEEP)
    power.hold_off(True)
    system.says(CAN_SYSTEM_SLEEP)
    system.says(SYSTEM_WILL_SLEEP)
    system.says(0xE0000320)  # kIOMessageSystemWillPowerOn: too early for a network
    system.says(SYSTEM_HAS_POWERED_ON)
    assert system.book.take() == [
        ("IOAllowPowerChange", ROOT, ID),
        ("IOCancelPowerChange", ROOT, ID),
        ("going to sleep", MACS_PATIENCE),
        ("IOAllowPowerChange", ROOT, ID),
        "woke",
    ]
    power.stop()
    power.stop()
    assert system.book.take() == [
        ("IODeregisterForSystemPower",),
        ("IOServiceClose", ROOT),
        ("IONotificationPortDestroy", HANDLE),
    ]


@pytest.mark.expects_log("a listener for sleep failed")
def test_a_mac_may_sleep_although_the_listener_failed() -> None:
    def fail(_seconds: float) -> None:
        raise RuntimeError("no")

    system = FakeMac()
    power = MacOS(fail, system.book.woke, system.load)
    system.book.take()
    system.says(SYSTEM_WILL_SLEEP)
    assert system.book.take() == [("IOAllowPowerChange", ROOT, ID)]
    power.stop()


def test_a_mac_that_refuses_is_left_in_peace() -> None:
    system = FakeMac(root=0)
    power = MacOS(system.book.going_to_sleep, system.book.woke, system.load)
    power.hold_off(True)
    power.stop()
    assert system.book.take() == [("IORegisterForSystemPower",)]


# --- here ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["unix:path=/nowhere/at/all", "tcp:host=127.0.0.1,port=1", "nonsense", "unix:path={file}"]
)
def test_without_a_system_bus_it_is_quiet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address.format(file=tmp_path / "file"))
    book = Book()
    power = watch(book.going_to_sleep, book.woke)
    until = time.monotonic() + 10
    while not caplog.records and time.monotonic() < until:
        time.sleep(0.01)
    power.hold_off(True)
    began = time.monotonic()
    power.stop()
    power.stop()
    power.hold_off(False)
    assert time.monotonic() - began < 0.9
    assert book.lines == []
    assert {record.levelname for record in caplog.records} == {"DEBUG"}, "and said so, to nobody"


def test_a_bus_that_is_missing_is_looked_for_ever_more_rarely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    monkeypatch.setattr("sendoff.engine.power.logind.FIRST_PAUSE", 0.01)
    book = Book()
    power = watch(book.going_to_sleep, book.woke)
    for _ in range(50):  # which is no reason to look more often
        power.hold_off(True)
        power.hold_off(False)
        time.sleep(0.01)
    power.stop()
    assert 2 <= len(caplog.records) <= 7, "after 0.01, 0.03, 0.07 … seconds"


def test_the_other_systems_modules_can_be_imported_here_and_no_bus_is_touched_by_it() -> None:
    program = (
        "import sys, sendoff.engine.power, sendoff.engine.power.windows, sendoff.engine.power.macos\n"
        "assert not {one for one in sys.modules if one.startswith('jeepney')}, 'only watch() needs it'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_where_nothing_is_known_nothing_happens() -> None:
    power = NoPower()
    power.hold_off(True)
    power.stop()
