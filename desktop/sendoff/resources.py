"""Where the files are that Sendoff brings along: icons, fonts, tokens, licences."""

from __future__ import annotations

from functools import cache
from pathlib import Path


def resource(*names: str) -> Path:
    """The path of a bundled file or folder: inside the installed package, else in the checkout."""
    installed = Path(__file__).parent / "resources"
    base = installed if installed.is_dir() else Path(__file__).parents[2] / "resources"
    return base.joinpath(*names)


@cache
def text(*names: str) -> str:
    """What a bundled file says, in UTF-8. It is read once, so that an update can't take it away from what runs."""
    return resource(*names).read_text(encoding="utf-8")


def read_ahead() -> None:
    """Reads the texts and drawings that may be asked for later. They are small: 0.2 MB."""
    for pattern in ("*.txt", "icons/**/*.svg", "pictures/*.svg"):
        for file in resource().glob(pattern):
            if file.name != "commit.txt":  # which is read to see whether it has changed
                text(*file.relative_to(resource()).parts)
