"""Rules of the source that no single test of behaviour would see broken: read off its syntax trees."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from sendoff import loading

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "desktop" / "sendoff"


@cache
def sources() -> dict[str, str]:
    """The program's modules by their path below the package; the steps of the migration are SQL by hand."""
    files = (file for file in PACKAGE.rglob("*.py") if "versions" not in file.parts)
    return {file.relative_to(PACKAGE).as_posix(): file.read_text() for file in files}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(sources()[module])


def modules(pattern: str) -> list[str]:
    """The modules in which a pattern is found at all, so that only few have to be parsed."""
    return [module for module, text in sources().items() if re.search(pattern, text)]


def calls(name: str) -> Iterator[tuple[str, str, ast.Call]]:
    """The calls of a function or method: the module, the name with what stands before it, and the call."""
    for module in modules(rf"\b{name}\("):
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
                called = ast.unparse(node.func)
                if re.search(rf"(?:^|\.){name}$", called):
                    yield module, called, node


def named(module: str, node: ast.AST) -> str:
    return f"{module}:{getattr(node, 'lineno', 0)}"


# --- words from elsewhere -----------------------------------------------------------------------------------------

SHOWN_BY = {
    "QLabel": {"ui/widgets/label.py"},
    "QImageReader": {"ui/raster.py"},
    "QTextBrowser": {"ui/composer/preview/sealed.py", "ui/style.py"},
    "QTextDocument": {"ui/composer/preview/sealed.py", "ui/composer/editor.py"},
}
"""The classes of Qt that look for markup in what they show, or load what it names, with the modules that tame them."""

UNTAMED = ("QMessageBox", "QErrorMessage", "QInputDialog", "QProgressDialog", "QWizard", "QWhatsThis", "QWebEngineView")
"""Those that nobody here uses."""


@pytest.mark.parametrize("name", [*SHOWN_BY, *UNTAMED])
def test_what_looks_for_markup_is_used_where_it_is_tamed(name: str) -> None:
    assert set(modules(rf"\b{name}\b")) == SHOWN_BY.get(name, set())


@pytest.mark.parametrize(
    ("name", "places", "by"),
    [
        ("setToolTip", (0,), {"plain", "bare"}),
        ("QToolTip.showText", (1,), {"plain"}),
        ("showMessage", (0, 1), {"bare"}),
    ],
)
def test_tips_and_notifications_show_words(name: str, places: tuple[int, ...], by: set[str]) -> None:
    found = list(calls(re.escape(name)))
    assert found
    for module, _, call in found:
        for place in places:
            given = call.args[place]
            assert isinstance(given, ast.Call), named(module, call)
            assert ast.unparse(given.func) in by, named(module, call)


@pytest.mark.parametrize("name", ["setWhatsThis", "setStatusTip", "insertHtml", "appendHtml", "setMarkdown"])
def test_no_other_way_for_markup_is_used(name: str) -> None:
    assert modules(rf"\b{name}\b") == []


def test_html_is_shown_by_the_sealed_view_alone() -> None:
    assert modules(r"\bsetHtml\b") == ["ui/composer/preview/sealed.py"]


MODELS = {
    "ui/query_model.py": "gui/test_query_model.py",
    "ui/activity/days.py": "gui/test_activity.py",
    "ui/palette.py": "gui/test_window.py",
}
"""The models of lists, with the tests that have Qt's own tester look at them while they change."""


def test_every_model_goes_through_qts_own_tester() -> None:
    assert set(modules(r"class \w+\((QAbstract\w*|QSort\w*|QStandard\w*|Query)Model")) == set(MODELS)
    tests = ROOT / "tests"
    assert [name for name in MODELS.values() if "judged(" not in (tests / name).read_text()] == []
    telling = re.compile(r"\bQAbstractItemModelTester\(")  # by itself it tells nobody: see judged()
    assert [one.name for one in (tests / "gui").glob("*.py") if telling.search(one.read_text())] == ["desk.py"]


# --- what must not be done ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern",
    [r"(?<![.\w])(eval|exec|compile|__import__)\(", r"\bos\.(system|popen|spawn\w+)\b",
     r"\bimport (c?[pP]ickle|marshal|shelve|xml|lxml|ctypes\.util)\b", r"\byaml\.(unsafe|full)_load",
     r"\bmktemp\b", r"\bextract(all)?\(", r"\bunpack_archive\b"],
)  # fmt: skip
def test_nothing_that_runs_or_unpacks_strange_things_is_used(pattern: str) -> None:
    assert modules(pattern) == []


def test_only_a_restart_becomes_another_program() -> None:
    """And that other program is Sendoff: ui/autostart.py names it."""
    assert modules(r"\bos\.exec\w+\b") == ["release.py"]
    assert [module for module, _, _ in calls("start_anew")] == ["ui/session.py"]
    assert "release.start_anew([*autostart.program(), *session.words_anew])" in sources()["ui/session.py"]


def test_what_functions_import_is_loaded_ahead_where_an_update_could_take_it_away() -> None:
    """Of other makers; Sendoff's own modules are all loaded, and Qt's and the systems' own come with them."""
    missing = set()
    for text in sources().values():
        running = re.sub(r"^if TYPE_CHECKING:.*\n(?:    .*\n|\n)+", "", text, flags=re.M)
        found = re.findall(r"^ +(?:from ([\w.]+) import|import ([\w.]+))", running, flags=re.M)
        missing |= {
            name for names in found for name in names if name and name.partition(".")[0] not in OURS_OR_THE_SYSTEMS
        }
    loaded = loading.LATER
    assert {name for name in missing if not any(f"{one}.".startswith(f"{name}.") for one in loaded)} == set()


OURS_OR_THE_SYSTEMS = {"sendoff", "PySide6", "shiboken6", "shibokensupport", "fcntl", "msvcrt", "winreg"}


def test_no_broken_hash_is_used() -> None:
    """OAuth 1.0a knows HMAC-SHA1 alone. crc32 guards nothing: it tells profiles apart, and is in PNG."""
    assert modules(r"\bhashlib\.(md5|sha1|new)\b|\bhashes\.(MD5|SHA1)\b") == ["channels/x_sign.py"]
    assert "hmac.new(key, base, hashlib.sha1)" in sources()["channels/x_sign.py"]
    assert set(modules(r"\bcrc32\b")) == {"store/pictures.py", "ui/single.py"}


@pytest.mark.parametrize(
    "pattern",
    [r"\bshell\s*=\s*[^F]", r"\bverify\s*=\s*False", r"\ballow_redirects\b", r"\bcheck_hostname\b", r"\bCERT_NONE\b",
     r"\brequests\.(get|post|put|patch|delete|head|request|[sS]ession)\b", r"\burlopen\b"],
)  # fmt: skip
def test_no_shell_and_no_line_but_the_verified_one(pattern: str) -> None:
    """Programs are started by a list of words, and HTTP goes through channels/http.py alone."""
    assert modules(pattern) == []


def test_statements_in_words_are_made_of_our_own_names() -> None:
    """SQLAlchemy writes the others. The linter (S608) finds what is put together, and these are the exceptions."""
    assert re.search(r'^select = .*"S"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    excepted = set(modules("noqa: S608")) - set(modules("noqa: S608  # no SQL"))
    assert excepted == {"store/dialect.py", "store/evidence.py"}


def test_what_is_installed_is_pinned_with_its_hash() -> None:
    """Each line of the lists that ./run and ./test install from."""
    for lock in (ROOT / "packaging").glob("*.lock"):
        wanted = re.sub(r"\\\n", " ", lock.read_text())
        lines = [one for one in wanted.splitlines() if one.strip() and not one.lstrip().startswith(("#", "-"))]
        assert len(lines) > 5
        assert [one for one in lines if "==" not in one or "--hash=sha256:" not in one] == []
