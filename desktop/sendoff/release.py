"""Which Sendoff this is."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sendoff import __version__
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
    with suppress(OSError):
        return resource(COMMIT).read_text(encoding="ascii").strip()
    with suppress(OSError):
        return _checked_out(Path(__file__).parents[2] / ".git")
    return ""


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
