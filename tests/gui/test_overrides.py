"""A mistake in an override is an exception like any other, and ends nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

MISTAKE = """
import sendoff.ui
from PySide6.QtWidgets import QApplication, QWidget

class Wrong(QWidget):
    def sizeHint(self):
        {wrong}

app = QApplication([])
try:
    Wrong().show()
except {error} as wrong:
    print("still there:", wrong)
"""


@pytest.mark.parametrize(
    ("wrong", "error"), [("int('x')", "ValueError"), ("len(1, 2)", "TypeError"), ("raise KeyError('x')", "KeyError")]
)
def test_a_mistake_in_an_override_is_raised_and_ends_nothing(wrong: str, error: str) -> None:
    code = MISTAKE.format(wrong=wrong, error=error)
    env = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("still there:")
