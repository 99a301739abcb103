"""One window for a profile: a second start only raises the first one's."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLockFile, QObject, Signal

from sendoff.domain.errors import SetupMissing
from sendoff.ui.start import Start

if TYPE_CHECKING:
    from PySide6.QtNetwork import QLocalServer, QLocalSocket

LONGEST_LINE = 1 << 20
"""Bytes of what a later start may say: a long text and a hundred paths."""

LONGEST = 100
"""Bytes of a socket's path: sun_path has 104 on macOS and 108 on Linux (unix(7))."""

PATIENCE = 2000
"""How long to wait for the first window to answer, in ms."""


def runtime_folder(profile: Path) -> Path:
    """The folder for the lock and the socket of a profile, for its owner alone; it exists after this.

    Raises:
        SetupMissing: it cannot be made, or somebody else owns it.
    """
    name = _name(profile)
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(runtime) / name if runtime and Path(runtime).is_dir() else profile / "run"
    if len(os.fsencode(folder)) + len("/window") > LONGEST:
        user = os.getuid() if sys.platform != "win32" else 0
        folder = Path(tempfile.gettempdir()) / f"{name}-{user}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if sys.platform != "win32":
            about = folder.lstat()
            if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
                raise SetupMissing(f"The folder {folder} can’t be used: it is a link, or somebody else’s.")
            folder.chmod(0o700)
    except OSError as wrong:
        raise SetupMissing(f"The folder {folder} can’t be used: {wrong.strerror}.") from wrong
    return folder


def _name(profile: Path) -> str:
    """What tells the window of this profile from those of others."""
    return f"sendoff-{zlib.crc32(os.fsencode(profile)):08x}"


class Single(QObject):
    """Tells whether this is the first window of its profile, and hears what later starts want.

    `asked` carries a Start. Nothing is ever sent by one.
    """

    asked = Signal(object)

    def __init__(self, profile: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder, self._name = runtime_folder(profile), _name(profile)
        self._lock = QLockFile(str(self._folder / "window.lock"))
        self._lock.setStaleLockTime(0)  # only a process that is gone loses it
        self._server: QLocalServer | None = None
        self._guests: list[QLocalSocket] = []

    @property
    def address(self) -> str:
        """Where the first window listens: a socket's path, or a pipe's name on Windows."""
        return self._name if sys.platform == "win32" else str(self._folder / "window")

    def take(self) -> bool:
        """Becomes the first window; False if there is one."""
        return self._lock.tryLock(0)

    def listen(self) -> None:
        """Begins to hear later starts. Apart from `take`, because it loads QtNetwork."""
        if self._server is not None:
            return
        from PySide6.QtNetwork import QLocalServer

        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        QLocalServer.removeServer(self.address)  # left over; whoever made it has lost the lock
        server.newConnection.connect(self._welcome)
        server.listen(self.address)
        self._server = server

    def _welcome(self) -> None:
        assert self._server is not None
        while self._server.hasPendingConnections():
            socket = self._server.nextPendingConnection()
            if socket is not None:
                self._guests.append(socket)
                socket.readyRead.connect(self._read)
                socket.disconnected.connect(self._read)
        self._read()

    def _read(self) -> None:
        """Looks after every guest: answers the one that has said a line, forgets those that have gone."""
        for socket in tuple(self._guests):
            if socket.canReadLine():
                self._answer(socket, Start.of_line(bytes(socket.readLine(LONGEST_LINE).data())))
            elif socket.bytesAvailable() > LONGEST_LINE or socket.state() is socket.LocalSocketState.UnconnectedState:
                self._forget(socket)

    def _answer(self, socket: QLocalSocket, start: Start | None) -> None:
        self._let_go(socket)
        socket.write(b"ok\n" if start else b"no\n")
        socket.flush()
        self._forget(socket)
        if start:
            self.asked.emit(start)

    def _forget(self, socket: QLocalSocket) -> None:
        self._let_go(socket)
        socket.disconnectFromServer()
        socket.deleteLater()

    def _let_go(self, socket: QLocalSocket) -> None:
        """Hears no more of it. Writing to a guest that has gone would otherwise come back here in the middle."""
        if socket in self._guests:
            self._guests.remove(socket)
            socket.readyRead.disconnect(self._read)
            socket.disconnected.disconnect(self._read)

    def hand_over(self, start: Start) -> str:
        """Asks the first window: "ok", "no" where it does not know what is asked, "" where it does not answer in time.

        It may just be starting, or ending.
        """
        from PySide6.QtCore import QDeadlineTimer, QThread
        from PySide6.QtNetwork import QLocalSocket

        deadline = QDeadlineTimer(PATIENCE)
        while not deadline.hasExpired():
            socket = QLocalSocket()
            socket.connectToServer(self.address)
            if socket.waitForConnected(int(deadline.remainingTime())):
                socket.write(start.line())
                socket.flush()
                socket.waitForReadyRead(int(deadline.remainingTime()))
                return bytes(socket.readAll().data()).decode("ascii", "replace").strip()
            QThread.msleep(50)
        return ""

    def turn_away(self) -> None:
        """Hears nobody any more, and stays the first: whoever comes now waits until this one has ended."""
        for socket in tuple(self._guests):
            self._forget(socket)
        if self._server is not None:
            self._server.close()

    def close(self) -> None:
        self.turn_away()
        self._lock.unlock()
