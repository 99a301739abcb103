"""The example package as pip installs it, and a copy of it that fails where nothing is at stake."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

FAILING = """
    def check(self, content, options, account):
        yield from ()
        raise KeyError(content.items[0].text)

    def linked(self, text):
        return len(text) / 0

    def marked(self, text):
        return [(0, len(text))]

    def lacks(self, account):
        return [5]

    def settle(self, account):
        return "repeat"

    def needs_browser(self, fields):
        return fields["no such field"]
"""
"""What an author may get wrong. It follows the last method of the class."""


def install(target: Path) -> Path:
    """Installs it into a folder of its own, without anything from elsewhere."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-index"]
    words = ["--no-deps", "--no-build-isolation", "--no-compile", "--target", str(target), str(HERE)]
    subprocess.run([*pip, *words], check=True, timeout=60)
    return target


def break_it(site: Path) -> None:
    """What is installed there fails from now on."""
    module = site / "sendoff_noticeboard.py"
    module.write_text(module.read_text() + FAILING)
