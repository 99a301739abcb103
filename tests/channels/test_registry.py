"""The door by which channels come in: whatever somebody else ships, the program starts and says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from sendoff.channels import registry
from sendoff.channels.http import Transport

CHANNEL = """
from sendoff.domain.channel import Channel
from sendoff.domain.capabilities import Capabilities
class It(Channel):
    kind, title, capabilities = "pigeon", "Pigeon", Capabilities(checked="")
    def __init__(self, context): pass
"""
BROKEN = {
    "pigeon": ("raise ImportError('no loft')", "ImportError: no loft"),
    "pigeon ends the program": ("raise SystemExit(3)", "SystemExit: 3"),
    "pigeon is late": (CHANNEL.replace("pass", "1/0"), "ZeroDivisionError: division by zero"),
    "pigeon is no channel": ("It = lambda context: 5", "its entry point made a int, not a sendoff.domain.channel."),
    "pigeon has another name": (CHANNEL.replace('"pigeon"', '"dove"'), "called “pigeon”, and it calls itself “dove”"),
    "pigeon has no figures": (CHANNEL.replace('Capabilities(checked="")', "None"), "it declares no capabilities"),
    "pigeon counts in steps": (
        CHANNEL.replace('checked=""', 'checked="", text=9, counter="steps"'),
        "its capabilities can’t be counted with (KeyError: 'steps')",
    ),
    "pigeon has odd fields": (CHANNEL + "    fields = ('wing',)\n", "its fields are no tuple of Field"),
    "pigeon lands anywhere": (CHANNEL + "    places = None\n", "its places are no tuple of str"),
}


def installed(folder: Path, entries: dict[str, str], code: str, monkeypatch: pytest.MonkeyPatch) -> registry.Registry:
    """What there is with a distribution of one module and these entry points."""
    module = f"loft_{abs(hash(code))}"
    (folder / f"{module}.py").write_text(code)
    about = folder / f"{module}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    lines = [f"{name} = {module}:{what}" for name, what in entries.items()]
    (about / "entry_points.txt").write_text("\n".join(["[sendoff.channels]", *lines]))
    monkeypatch.syspath_prepend(str(folder))
    return registry.load(registry.Context(Transport(), folder))


def test_somebody_elses_channel_comes_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = installed(tmp_path, {"pigeon": "It"}, CHANNEL, monkeypatch)
    assert (found.channels["pigeon"].title, found.failed) == ("Pigeon", {})


@pytest.mark.expects_log("the channel pigeon could not be loaded")
@pytest.mark.parametrize("what", BROKEN)
def test_one_that_fails_is_named_and_the_others_work(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, reason = BROKEN[what]
    found = installed(tmp_path, {"pigeon": "It"}, code, monkeypatch)
    assert reason in found.failed["pigeon"]
    assert {"practice", "mastodon", "smtp"} <= found.channels.keys()
    assert "pigeon" not in found.channels


@pytest.mark.expects_log("the channel mastodon could not be loaded: there is a channel “mastodon” already")
def test_nobody_takes_the_place_of_a_channel_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = installed(tmp_path, {"mastodon": "It"}, CHANNEL.replace('"pigeon"', '"mastodon"'), monkeypatch)
    assert found.channels["mastodon"].title == "Mastodon"
    assert found.failed.keys() == {"mastodon"}
