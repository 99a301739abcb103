"""Where the files are that Sendoff brings along: icons, fonts, tokens, licences."""

from __future__ import annotations

from pathlib import Path


def resource(*names: str) -> Path:
    """The path of a bundled file or folder: inside the installed package, else in the checkout."""
    installed = Path(__file__).parent / "resources"
    base = installed if installed.is_dir() else Path(__file__).parents[2] / "resources"
    return base.joinpath(*names)
