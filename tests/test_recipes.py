"""The recipes of packages that can't be made here are at least well-formed, and name files that are there."""

from __future__ import annotations

import ast
import configparser
import plistlib
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from sendoff import APP_ID, __version__

ROOT = Path(__file__).parents[1]
PACKAGING = ROOT / "packaging"
FLATPAK = PACKAGING / "flatpak" / f"{APP_ID}.yml"
WORKFLOWS = sorted((ROOT / ".github").rglob("*.yml"))


def parsed(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_flatpak_manifest_names_files_that_are_there_and_installs_no_others() -> None:
    manifest = parsed(FLATPAK)
    assert manifest["id"] == APP_ID
    [module] = manifest["modules"]
    paths = [FLATPAK.parent / one["path"] for one in module["sources"]]
    made = {ROOT / "dist"}  # by packaging/build wheel
    assert [path for path in paths if path.resolve() not in made and not path.is_file()] == []
    given = {path.name for path in paths} | {"metainfo.xml"}
    assert all(isinstance(command, str) for command in module["build-commands"])  # “: ” in one makes a table of it
    used = set(re.findall(r"[\w.]+\.(?:desktop|service|svg|xml|lock)\b", " ".join(module["build-commands"])))
    assert {Path(name).name for name in used} - {f"{APP_ID}.svg"} <= given
    assert all(re.fullmatch(r"--[\w-]+=[\w.-]+", word) for word in manifest["finish-args"])
    assert not [word for word in manifest["finish-args"] if word.startswith("--filesystem")]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_jobs_that_run_what_is_there(path: Path) -> None:
    steps = [step for job in parsed(path)["jobs"].values() for step in job["steps"]]
    assert all(("run" in step) != ("uses" in step) for step in steps)
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@\S+", step["uses"]) for step in steps if "uses" in step)
    words = " ".join(step.get("run", "") for step in steps)
    named = set(re.findall(r"(?<![\w/$.])(?:\./test|\./run|\.ci/\w+|packaging/[\w./-]+)", words))
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


def info_plist() -> dict[str, Any]:
    """What packaging/macos/sendoff.spec puts into Info.plist."""
    spec = ast.parse((PACKAGING / "macos" / "sendoff.spec").read_text(encoding="utf-8"))
    keywords = [node for node in ast.walk(spec) if isinstance(node, ast.keyword) and node.arg == "info_plist"]
    known = {"APP_ID": APP_ID, "__version__": __version__}
    found: dict[str, Any] = eval(compile(ast.Expression(keywords[0].value), "spec", "eval"), {}, known)
    return found


def test_the_mac_gets_a_list_of_properties_that_keeps_posts_punctual() -> None:
    found = plistlib.loads(plistlib.dumps(info_plist()))
    assert found["NSAppSleepDisabled"] is True
    assert found["NSSupportsSuddenTermination"] is False
    assert found["NSSupportsAutomaticTermination"] is False
    assert found["CFBundleURLTypes"][0]["CFBundleURLSchemes"] == ["mailto"]
    entitlements = plistlib.loads((PACKAGING / "macos" / "entitlements.plist").read_bytes())
    assert entitlements["com.apple.security.network.client"] is True
    assert all(name.startswith("com.apple.security.") and value is True for name, value in entitlements.items())


def test_the_entry_the_service_and_the_metadata_name_one_program() -> None:
    read = configparser.ConfigParser(interpolation=None)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read([PACKAGING / "linux" / f"{APP_ID}.{kind}" for kind in ("desktop", "service")])
    entry, service = read["Desktop Entry"], read["D-BUS Service"]
    assert (entry["DBusActivatable"], entry["Icon"], service["Name"]) == ("true", APP_ID, APP_ID)
    assert {f"Desktop Action {one}" for one in entry["Actions"].strip(";").split(";")} <= set(read.sections())
    about = ElementTree.parse(PACKAGING / "linux" / f"{APP_ID}.metainfo.xml")  # our own file
    assert about.findtext("id") == APP_ID
    assert about.findtext("launchable") == f"{APP_ID}.desktop"
