"""What PySide6 does beside Qt, and does not need to."""

from __future__ import annotations

import linecache
from pathlib import Path

import pytest


def test_no_source_is_read_of_what_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For all of Sendoff that were 20 MB of lines."""
    source = tmp_path / "loaded_late.py"
    source.write_text("WORD = 'PySide6'\n")
    monkeypatch.syspath_prepend(tmp_path)
    import loaded_late  # type: ignore[import-not-found]

    assert loaded_late.WORD
    assert str(source) not in linecache.cache
