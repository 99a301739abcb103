"""Sleep on macOS, as IOKit tells it. Written from Apple's documentation; it has not been run on a Mac."""

from __future__ import annotations

import ctypes
import logging
from ctypes import POINTER, byref, c_char_p, c_int, c_ssize_t, c_uint32, c_void_p
from functools import partial

from sendoff.engine.native import Load, Prototypes, typed
from sendoff.engine.power import GoingToSleep, Woke, tell

log = logging.getLogger(__name__)

IOKIT = "/System/Library/Frameworks/IOKit.framework/IOKit"
SYSTEM = "/usr/lib/libSystem.dylib"

PATIENCE = 5.0
"""Seconds to end what leaves. The system would wait for 30, and whoever closed the lid with it."""

# IOKit/IOMessage.h: iokit_common_msg(…)
CAN_SYSTEM_SLEEP = 0xE0000270
SYSTEM_WILL_SLEEP = 0xE0000280
SYSTEM_HAS_POWERED_ON = 0xE0000300

Listener = ctypes.CFUNCTYPE(None, c_void_p, c_uint32, c_uint32, c_void_p)  # refcon, service, message, its argument


class MacOS:
    """Is called on a dispatch queue of its own, and objects to the sleep of an idle computer while something leaves.

    Whoever closes the lid is not objected to: then there is the time until the answer. A shutdown is not told here.
    NSProcessInfo's beginActivity, which would keep App Nap away, cannot be reached without pyobjc.

    See IORegisterForSystemPower (IOKit/pwr_mgt/IOPMLib.h) and Technical Q&A QA1340.
    """

    def __init__(self, going_to_sleep: GoingToSleep, woke: Woke, library: Load = ctypes.CDLL) -> None:
        self._going_to_sleep = going_to_sleep
        self._woke = woke
        self._busy = False
        self._kit = typed(library(IOKIT), _KIT)
        system = typed(library(SYSTEM), _SYSTEM)
        self._port, self._notifier = c_void_p(), c_uint32()
        self._listener = Listener(self._hear)  # has to live as long as the system may call
        self._root: int = self._kit.IORegisterForSystemPower(
            None, byref(self._port), self._listener, byref(self._notifier)
        )
        if not self._root:
            log.debug("no word of sleep from this system")
            return
        queue = system.dispatch_queue_create(b"sendoff.power", None)  # NULL: one call after another
        self._kit.IONotificationPortSetDispatchQueue(self._port, queue)

    def hold_off(self, busy: bool) -> None:
        self._busy = busy

    def stop(self) -> None:
        if self._root:
            self._kit.IODeregisterForSystemPower(byref(self._notifier))
            self._kit.IOServiceClose(self._root)
            self._kit.IONotificationPortDestroy(self._port)
            self._root = 0

    def _hear(self, _refcon: int | None, _service: int, message: int, argument: int | None) -> None:
        if message == SYSTEM_WILL_SLEEP:
            tell(partial(self._going_to_sleep, PATIENCE))
            self._kit.IOAllowPowerChange(self._root, argument or 0)
        elif message == CAN_SYSTEM_SLEEP:
            answer = self._kit.IOCancelPowerChange if self._busy else self._kit.IOAllowPowerChange
            answer(self._root, argument or 0)
        elif message == SYSTEM_HAS_POWERED_ON:
            tell(self._woke)


_KIT: Prototypes = {
    "IORegisterForSystemPower": (c_uint32, [c_void_p, POINTER(c_void_p), Listener, POINTER(c_uint32)]),
    "IODeregisterForSystemPower": (c_int, [POINTER(c_uint32)]),
    "IOAllowPowerChange": (c_int, [c_uint32, c_ssize_t]),
    "IOCancelPowerChange": (c_int, [c_uint32, c_ssize_t]),
    "IOServiceClose": (c_int, [c_uint32]),
    "IONotificationPortSetDispatchQueue": (None, [c_void_p, c_void_p]),
    "IONotificationPortDestroy": (None, [c_void_p]),
}
_SYSTEM: Prototypes = {"dispatch_queue_create": (c_void_p, [c_char_p, c_void_p])}
