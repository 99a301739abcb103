"""Which Sendoff this is."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from sendoff import __version__, resources
from sendoff.resources import resource

COMMIT = "commit.txt"
"""The resource that names the commit, in a Sendoff that was built; a checkout is asked itself."""

SHORT = 10
"""Characters of a commit's name that are shown."""


def version() -> str:
    """The version and, where it is known, the commit: "0.1.0 (7af5af69c1)"."""
    known = commit()
    return f"{__version__} ({known[:SHORT]})" if known else __version__


def commit() -> str:
    """The name of the commit that this was made from, or ""."""
    if built := _named(resource(COMMIT)):
        return built
    with suppress(OSError):
        return _checked_out(Path(__file__).parents[2] / ".git")
    return ""


@dataclass(frozen=True, slots=True)
class NewerPage:
    """Where newer versions are told of: an https address, and the public key (Ed25519, 32 bytes) of who signs there."""

    address: str
    key: bytes


def newer_page() -> NewerPage | None:
    """The page that whoever made this package put in (packaging/build); None where nobody did, as in a checkout."""
    try:
        address, key = resources.text("newer.txt").split()
    except FileNotFoundError:
        return None
    return NewerPage(address, base64.b64decode(key))


def _named(stamp: Path) -> str:
    """The commit that a file names; "" where there is none, as in a checkout."""
    with suppress(OSError):
        return stamp.read_text(encoding="ascii").strip()
    return ""


class Installed:
    """The Sendoff on the disk, compared with the one that was there when this was made.

    Args:
        stamp: the file that names its commit; None: the resource.
    """

    def __init__(self, stamp: Path | None = None) -> None:
        self._stamp = stamp or resource(COMMIT)
        self._was = _named(self._stamp)

    @property
    def can_be_replaced(self) -> bool:
        """Whether this is a package whose files somebody may replace while it runs. A checkout's are its owner's."""
        return bool(self._was)

    def is_another(self) -> bool:
        """Whether another one has been put in its place since."""
        now = _named(self._stamp)
        return bool(self._was and now) and now != self._was


def start_anew(command: Sequence[str]) -> NoReturn:
    """Becomes the Sendoff that is installed now, as the same process, so that whoever started it keeps hold of it.

    Raises:
        OSError: it can't be started.
    """
    environment = {**os.environ, "PYINSTALLER_RESET_ENVIRONMENT": "1"}  # it is no child of this one (its manual)
    os.execvpe(command[0], list(command), environment)  # noqa: S606  # our own command, and no shell


def _checked_out(git: Path) -> str:
    """What HEAD of a checkout names (gitrepository-layout). Reading it takes no git.

    Raises:
        OSError: it is no checkout.
    """
    if git.is_file():  # a work tree beside the checkout
        git = git.parent / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
    head = (git / "HEAD").read_text(encoding="ascii").strip()
    if not head.startswith("ref:"):
        return head
    name = head.removeprefix("ref:").strip()
    with suppress(OSError):
        git = git / (git / "commondir").read_text(encoding="utf-8").strip()
    with suppress(OSError):
        return (git / name).read_text(encoding="ascii").strip()
    packed = (git / "packed-refs").read_text(encoding="ascii").splitlines()
    return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "")
