"""A channel of another package that fails while somebody writes: the composer goes on and says whose fault it is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from sendoff.bootstrap import Program
from sendoff.domain.when import When
from tests.example_channel.installed import break_it, install
from tests.fakes.endpoint import KEY, NotesServer
from tests.gui.composer_hands import compose, drafts, matters, rest, type_text
from tests.gui.desk import Desk


@pytest.fixture
def first_screen() -> str:
    return ""


@pytest.mark.expects_log(
    "the package sendoff-noticeboard 1.0 failed in (check|linked|marked|needs_browser|settle|lacks)"
)
def test_the_composer_goes_on_beside_a_package_that_fails(
    open_profile: Callable[..., Program],
    open_desk: Callable[..., Desk],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    site = install(tmp_path / "site")
    break_it(site)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "sendoff_noticeboard", raising=False)
    with NotesServer() as server:
        program = open_profile()
        program.commands.accounts.add("noticeboard", "Board", {"server": server.url, "key": KEY})
        desk = open_desk(program)
        screen = compose(desk, accounts=(1,))
        type_text(screen, "See https://example.org/cat")
        rest(desk)
        failed = "The package sendoff-noticeboard 1.0 failed when it looked at this for Noticeboard."
        assert failed in matters(screen)
        type_text(screen, " and tell me" + "!" * 250)
        rest(desk)
        assert {failed, "9 too many for Noticeboard."} <= set(matters(screen))
        screen.save()
        rest(desk)
        (draft,) = drafts(desk)
        program.commands.posts.schedule(
            draft.id, When.at(program.clock.now() + timedelta(days=1), "UTC"), override=True
        )
        for name in ("planner", "activity", "accounts", "drafts", "add_account"):  # no screen falls over it
            desk.window.go(name)
            desk.settle()
            assert desk.window.current == name
    assert caplog.text.count("failed in check") == 1
    assert "example.org" not in caplog.text
