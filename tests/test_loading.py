"""What is loaded ahead is all there is, and none of it is Qt where there is no window."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sendoff import resources

ALL = """
import sys
from sendoff import loading
names = list(loading.modules(window={window}))
for name in names:
    loading.load(name)
print(*(name for name in names if name not in sys.modules))
print("PySide6" in sys.modules, "sendoff.ui.composer.screen" in sys.modules, "sendoff.store.deliveries" in sys.modules)
"""


def loaded(*, window: bool) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", ALL.format(window=window)], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.splitlines()


def test_the_worker_loads_all_but_the_window() -> None:
    missing, seen = loaded(window=False)
    assert set(missing.split()) <= {"encodings.mbcs", "encodings.oem"}  # Windows has those
    assert seen == "False False True"


def test_the_window_loads_its_screens_too() -> None:
    missing, seen = loaded(window=True)
    assert set(missing.split()) <= {"encodings.mbcs", "encodings.oem"}
    assert seen == "True True True"


def test_what_was_read_ahead_is_there_when_its_file_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    resources.read_ahead()
    monkeypatch.setattr(resources, "resource", lambda *names: tmp_path.joinpath(*names))
    assert "<svg" in resources.text("icons", "clock.svg")
    assert "<svg" in resources.text("icons", "marks", "mastodon.svg")
    assert "com" in resources.text("top-level-domains.txt").split()
    with pytest.raises(FileNotFoundError):
        resources.text("none.txt")
