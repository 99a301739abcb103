"""The autostart entry: written as the specifications say, for this Sendoff and this profile."""

from __future__ import annotations

import configparser
import plistlib
import re
import shlex
from pathlib import Path

import pytest

from sendoff.domain.errors import SetupMissing
from sendoff.ui import autostart


def test_the_entry_is_written_and_removed(own_desktop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDOFF_HOME", "/home/ayse/My Sendoff")
    path = own_desktop / "config" / "autostart" / "org.sendoff.Sendoff.desktop"
    autostart.apply(True)
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment,method-assign]
    entry.read(path)
    found = dict(entry["Desktop Entry"])
    assert found["Type"] == "Application"
    assert found["X-GNOME-Autostart-enabled"] == "true"
    assert int(found["X-GNOME-Autostart-Delay"]) > 0
    words = shlex.split(found["Exec"])
    assert words[:2] == ["env", "SENDOFF_HOME=/home/ayse/My Sendoff"]
    assert words[-1] == "--background"
    assert Path(words[2]).exists()
    autostart.apply(True)
    autostart.apply(False)
    assert not path.exists()
    autostart.apply(False)


@pytest.mark.parametrize("word", ["/opt/my apps/sendoff", "50%", 'say "hi"', "back\\slash", "$HOME", "plain"])
def test_words_of_an_exec_line_survive_quoting(word: str) -> None:
    line = autostart.desktop_entry([word]).decode().split("Exec=")[1].split("\n")[0]
    # The value is a string: \\ is one backslash. Then the Exec key's own quoting. Then %% is one percent sign.
    text = line.replace("\\\\", "\\")
    inside = re.sub(r'\\(["`$\\])', r"\1", text[1:-1]) if text.startswith('"') else text
    assert inside.replace("%%", "%") == word


def test_a_launch_agent_starts_it_at_login() -> None:
    agent = plistlib.loads(autostart.launch_agent(["/Applications/Sendoff", "--background"]))
    assert agent["RunAtLoad"] is True
    assert agent["ProgramArguments"] == ["/Applications/Sendoff", "--background"]
    assert autostart.entry_path("darwin", {}).name == "org.sendoff.Sendoff.plist"


def test_a_folder_that_cannot_be_written_is_named(own_desktop: Path) -> None:
    (own_desktop / "config").write_text("a file where a folder should be")
    with pytest.raises(SetupMissing, match="autostart"):
        autostart.apply(True)
