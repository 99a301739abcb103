"""What belongs to a whole process: its signals, the end of the session, and what nobody caught."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import traceback
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSocketNotifier, QTimer

from sendoff.domain.errors import SendoffError

if TYPE_CHECKING:
    from sendoff.ui.session import Session

ENDS = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]
"""How a session ends a program that has no say in it: systemd, Ctrl-C, a terminal that closes."""

log = logging.getLogger(__name__)

OUR_FAULT = "Sendoff made a mistake of its own; what you did may not be done. The details are in sendoff.log."


class OwnProcess(QObject):
    """SIGTERM, SIGHUP and Ctrl-C quit in order. Known trouble is said; a mistake of ours is logged, and admitted."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        sys.excepthook = self._uncaught
        # Python runs its handlers only between bytecodes, so a socket wakes Qt's loop.
        self._wake, self._woken = socket.socketpair()
        for end in (self._wake, self._woken):
            end.setblocking(False)
        signal.set_wakeup_fd(self._woken.fileno())
        for name in ENDS:
            if signal.getsignal(name) is not signal.SIG_IGN:  # as nohup has it
                # By the loop: in the middle of something else, what is just being opened would not be kept.
                signal.signal(name, lambda *_: QTimer.singleShot(0, session, session.quit))
        self._notifier = QSocketNotifier(self._wake.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(lambda *_: self._wake.recv(64))

    def _uncaught(self, kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
        words = str(fault)
        if not isinstance(fault, SendoffError):
            log.error("a fault of our own", exc_info=(kind, fault, trace))
            traceback.print_exception(kind, fault, trace)
            words = OUR_FAULT
        if self._session.context is None:
            self._session.recovery.not_opened(words)
        else:
            self._session.window.say(words, trouble=True)
