"""Prism as a referee: a proxy in front of a loopback service that names every request that breaks an official file."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Referee:
    """Where it listens, and what it wrote. `known` is what it says though the file is wrong there."""

    url: str
    log: Path
    known: tuple[str, ...] = ()

    def violations(self, of: str) -> list[str]:
        """What broke the file so far: in "request" or in "response"."""
        text = re.sub(r"\x1b\[[0-9;]*m", "", self.log.read_text())
        said = re.findall(rf"Violation: ({of}\S* .*)", text)
        return [one for one in said if not any(known in one for known in self.known)]


@contextmanager
def judging(spec_name: str, upstream: str, folder: Path, known: tuple[str, ...] = ()) -> Iterator[Referee]:
    """Starts Prism with a file of SENDOFF_SPECS, passing everything on; skips the test where either is missing."""
    spec = Path(os.environ.get("SENDOFF_SPECS", "")) / spec_name
    if not os.environ.get("SENDOFF_SPECS") or not spec.exists():
        pytest.skip(f"SENDOFF_SPECS names no folder with {spec_name}")
    log = folder / "log"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("wb") as out:
        command = ["bash", str(HERE / "prism.sh"), "proxy", str(spec), str(port), upstream]
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            if not _answers(process, port):
                pytest.skip(f"Prism does not start: {log.read_text()[-300:]}")
            yield Referee(f"http://127.0.0.1:{port}", log, known)
        finally:
            process.terminate()
            process.wait(10)


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.1)
    return False
