"""Sleep on Windows 8 and later. Written from Microsoft's documentation; it has not been run on Windows."""

from __future__ import annotations

import ctypes
import logging
from ctypes import POINTER, Structure, byref, c_int, c_uint32, c_void_p, c_wchar_p
from functools import partial

from sendoff.engine.native import Load, Prototypes, typed
from sendoff.engine.power import GoingToSleep, Woke, tell

log = logging.getLogger(__name__)

PATIENCE = 1.5
"""Seconds to end what leaves: "the system allows approximately two seconds" for PBT_APMSUSPEND."""

# powerbase.h, winuser.h, minwinbase.h, winnt.h
DEVICE_NOTIFY_CALLBACK = 2
PBT_APMSUSPEND = 0x04
PBT_APMRESUMEAUTOMATIC = 0x12  # after every sleep; PBT_APMRESUMESUSPEND only follows where a person is there
POWER_REQUEST_CONTEXT_VERSION = 0
POWER_REQUEST_CONTEXT_SIMPLE_STRING = 1
POWER_REQUEST_SYSTEM_REQUIRED = 1
INVALID_HANDLE = c_void_p(-1).value

# Qt 6 is for 64-bit Windows alone, which has one calling convention: WINFUNCTYPE would be the same there.
Routine = ctypes.CFUNCTYPE(c_uint32, c_void_p, c_uint32, c_void_p)  # context, type, setting


class Subscription(Structure):
    """DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS."""

    _fields_ = (("Callback", Routine), ("Context", c_void_p))


class Detailed(Structure):
    """The larger half of REASON_CONTEXT's union: there for its size."""

    _fields_ = (("Module", c_void_p), ("Id", c_uint32), ("Count", c_uint32), ("Strings", POINTER(c_wchar_p)))


class Reason(ctypes.Union):
    _fields_ = (("Detailed", Detailed), ("SimpleReasonString", c_wchar_p))


class ReasonContext(Structure):
    """REASON_CONTEXT."""

    _fields_ = (("Version", c_uint32), ("Flags", c_uint32), ("Reason", Reason))


class Windows:
    """Is called by Windows, in one of its threads, and keeps it awake by a power request while something is leaving.

    A power request holds off the sleep of an idle computer. A lid or a person it does not: then there is the time until
    the callback returns. A shutdown is not told here; Windows ends the program's session for that.
    """

    def __init__(self, going_to_sleep: GoingToSleep, woke: Woke, library: Load = ctypes.CDLL) -> None:
        self._going_to_sleep = going_to_sleep
        self._woke = woke
        self._busy = False
        self._kernel = typed(library("kernel32"), _KERNEL)
        self._powrprof = typed(library("powrprof"), _POWRPROF)
        reason = Reason(SimpleReasonString="A message is being sent")
        context = ReasonContext(POWER_REQUEST_CONTEXT_VERSION, POWER_REQUEST_CONTEXT_SIMPLE_STRING, reason)
        self._request: int | None = self._kernel.PowerCreateRequest(byref(context))
        # Both have to live as long as Windows may call.
        self._routine = Routine(self._hear)
        self._subscription = Subscription(self._routine, None)
        self._registration = c_void_p()
        error = self._powrprof.PowerRegisterSuspendResumeNotification(
            DEVICE_NOTIFY_CALLBACK, byref(self._subscription), byref(self._registration)
        )
        if error:
            log.debug("no word of sleep from this system: error %s", error)

    def hold_off(self, busy: bool) -> None:
        if busy == self._busy or self._request == INVALID_HANDLE:
            return
        self._busy = busy
        change = self._kernel.PowerSetRequest if busy else self._kernel.PowerClearRequest
        change(self._request, POWER_REQUEST_SYSTEM_REQUIRED)

    def stop(self) -> None:
        if self._registration.value:
            self._powrprof.PowerUnregisterSuspendResumeNotification(self._registration)
            self._registration = c_void_p()
        if self._request != INVALID_HANDLE:
            self._kernel.CloseHandle(self._request)  # and what was requested by it
            self._request = INVALID_HANDLE

    def _hear(self, _context: int | None, kind: int, _setting: int | None) -> int:
        if kind == PBT_APMSUSPEND:
            tell(partial(self._going_to_sleep, PATIENCE))
        elif kind == PBT_APMRESUMEAUTOMATIC:
            tell(self._woke)
        return 0  # ERROR_SUCCESS


_KERNEL: Prototypes = {
    "PowerCreateRequest": (c_void_p, [POINTER(ReasonContext)]),
    "PowerSetRequest": (c_int, [c_void_p, c_int]),
    "PowerClearRequest": (c_int, [c_void_p, c_int]),
    "CloseHandle": (c_int, [c_void_p]),
}
_POWRPROF: Prototypes = {
    "PowerRegisterSuspendResumeNotification": (c_uint32, [c_uint32, POINTER(Subscription), POINTER(c_void_p)]),
    "PowerUnregisterSuspendResumeNotification": (c_uint32, [c_void_p]),
}
