"""The autostart entry: written as the specifications say, for this Sendoff and this profile."""

from __future__ import annotations

import configparser
import os
import plistlib
import re
import shlex
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings

from sendoff.cli import parser
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
    words = shlex.split(found["Exec"])
    assert words[1:] == ["--home", "/home/ayse/My Sendoff", "--background", "--delay", "20"]
    assert not parser.is_start(words[1:])
    arguments = parser.build().parse_args(words[1:])
    assert (arguments.home, arguments.delay) == (Path("/home/ayse/My Sendoff"), 20.0)
    assert Path(words[0]).exists()
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


# --- which program ------------------------------------------------------------------------------------------------


def test_a_virtual_environment_starts_its_own_script() -> None:
    words = autostart.command()
    assert words[0] == str(Path(sys.executable).parent / "sendoff-window")
    assert os.access(words[0], os.X_OK)


def test_without_that_script_python_starts_the_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    assert autostart.command()[:3] == [str(tmp_path / "python3"), "-m", "sendoff"]


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package: the program under lib, and a link to it on the search path."""
    program = tmp_path / "lib" / "sendoff" / "sendoff"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return program


def test_a_package_is_started_by_its_link(frozen: Path, tmp_path: Path) -> None:
    link = tmp_path / "bin" / "sendoff"
    link.symlink_to(frozen)
    assert autostart.command()[0] == str(link)
    link.unlink()
    assert autostart.command()[0] == str(frozen)  # a portable one
    link.write_text("#!/bin/sh\n")  # another Sendoff's
    link.chmod(0o755)
    assert autostart.command()[0] == str(frozen)


def test_an_appimage_is_started_by_its_own_file(frozen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPIMAGE", "/home/ayse/Sendoff.AppImage")
    assert autostart.command()[0] == "/home/ayse/Sendoff.AppImage"


def test_windows_gets_one_line_that_it_splits_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", r"C:\Users\Ayşe Y\AppData\Local\Programs\Sendoff\sendoff.exe")
    monkeypatch.delenv("APPIMAGE", raising=False)
    monkeypatch.delenv("SENDOFF_HOME", raising=False)
    key = QSettings(str(tmp_path / "run.ini"), QSettings.Format.IniFormat)  # stands in for the registry's key
    autostart.run_value(key, True)
    written = key.value("Sendoff")
    assert written == r'"C:\Users\Ayşe Y\AppData\Local\Programs\Sendoff\sendoff.exe" --background --delay 20'
    autostart.run_value(key, False)
    assert key.value("Sendoff") is None
    assert autostart.RUN_KEY.startswith("HKEY_CURRENT_USER")
