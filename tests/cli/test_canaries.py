"""A secret goes to the keychain and to its endpoint, and nowhere else, whatever happens on the way."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sendoff.channels.fault_server import FaultServer, Request
from tests.cli.conftest import PASSPHRASE, Run, Spawn
from tests.fakes import discord, telegram

TOKEN = "CANARY-tok-91cc0aa7"
PIN = "CANARY-pin-5511"


@pytest.fixture
def box(run: Run, plugin: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """An account at the careless channel, which puts its token into every text that it makes."""
    monkeypatch.setenv("MY_TOKEN", TOKEN)
    monkeypatch.setenv("MY_PIN", PIN)
    words = ("--secret-env", "token=MY_TOKEN", "--secret-env", "pin=MY_PIN")
    assert run("accounts", "add", "letterbox", "--name", "Box", *words).code == 0
    return run


def hits(data: bytes) -> list[str]:
    return [secret for secret in (TOKEN, PIN, PASSPHRASE) if secret.encode() in data]


def everything(folder: Path) -> Iterator[tuple[str, bytes]]:
    """All files below a folder, and what is inside of archives."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    for name in archive.namelist():
                        yield f"{path.name}/{name}", archive.read(name)


def test_canaries(box: Run, spawn: Spawn, home: Path, tmp_path: Path) -> None:
    for text in ("fine", "refuse this", "later please", "crash"):
        assert box("post", "--text", text).code == 0
    worker = spawn("worker", "--for", "2")
    out, err = worker.communicate(timeout=30)
    said = [out, err]
    assert "in doubt  4  Box  Sendoff itself failed while this was leaving (RuntimeError)." in out
    for words in (["show", "1", "-v"], ["show", "2", "-v"], ["show", "3", "--json"], ["show", "4", "-v"], ["queue"],
                  ["queue", "--json"], ["accounts", "list", "--json"], ["accounts", "check"], ["doctor"],
                  ["doctor", "--json"], ["channels", "--json"]):  # fmt: skip
        shown = box(*words)
        said += [shown.out, shown.err]
    said += [box("export", tmp_path / "all.zip").out, box("backup", tmp_path / "copy.db").out]
    assert (home / "sendoff.log").stat().st_size > 0  # the crash is in it
    assert "RuntimeError" in (home / "sendoff.log").read_text()
    assert not [words for words in said if hits(words.encode())]
    found = [name for name, data in everything(tmp_path) if hits(data)]
    assert found == []


class Moody(FaultServer):
    """Breaks one message after the other in a way of its own, and names its key where it can."""

    modes = ("hang_up_after", "refuse", "accept", "unauthorized")

    def mode_for(self, request: Request) -> str:
        if not self.endpoint.is_effect(request):
            return "accept"
        number = sum(self.endpoint.is_effect(one) for one in self.requests) - 1
        return self.modes[min(number, len(self.modes) - 1)]


def test_keys_that_stand_in_addresses(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A webhook's address and a Telegram bot's: the key is in every request's first line."""
    monkeypatch.setenv("HOOK", f"https://discord.com/api/webhooks/{discord.WEBHOOK}/{discord.WEBHOOK_TOKEN}")
    monkeypatch.setenv("BOT", telegram.TOKEN)
    keys = (discord.WEBHOOK_TOKEN.encode(), telegram.TOKEN.encode(), telegram.TOKEN.partition(":")[2].encode())
    with Moody(discord.FakeDiscord()) as one, Moody(telegram.FakeTelegram()) as other:
        added = [
            run("accounts", "add", "discord_webhook", "--name", "D", "--field", f"base_url={one.url}/api/v10",
                "--secret-env", "webhook_url=HOOK"),
            run("accounts", "add", "telegram", "--name", "T", "--field", f"base_url={other.url}", "--field",
                "chat=@harbor", "--secret-env", "token=BOT"),
        ]  # fmt: skip
        assert [result.code for result in added] == [0, 0]
        assert "may post in “Harbor News”" in added[1].err
        for number in range(len(Moody.modes)):
            assert run("post", "--to", "D", "--to", "T", "--text", f"post {number}").code == 0
        worked = run("worker", "--until-idle", "--for", "40")
        assert len(one.endpoint.effects) == len(other.endpoint.effects) == 2
        gone = [run("delete", str(number)) for number in (5, 6, 1)]  # the third post, which was taken; one in doubt
    said = [result.out + result.err for result in (*added, worked)]
    shown = [run("show", str(number), "-v").out for number in range(1, 5)]
    assert all("in doubt" in words for words in shown[:2])
    assert "/webhooks/" in shown[0]  # the address is there, without the key
    assert "/bot" in shown[1]
    said += [*shown, run("queue", "--json").out, run("export", tmp_path / "all.zip").out]
    assert [result.code for result in gone] == [0, 0, 1]
    assert "Settle that first" in gone[2].err
    assert len(one.endpoint.effects) == len(other.endpoint.effects) == 1
    assert "deleted" in run("show", "5").out
    said += [result.out + result.err for result in gone]
    assert not [words for words in said if any(key in words.encode() for key in keys)]
    assert [name for name, data in everything(tmp_path) if any(key in data for key in keys)] == []


@pytest.mark.usefixtures("real_price")
def test_a_running_process_shows_no_secret_to_others(box: Run, spawn: Spawn) -> None:
    worker = spawn("worker", started=True)
    assert worker.stdout
    worker.stdout.readline()
    command = Path(f"/proc/{worker.pid}/cmdline")
    if not command.exists():
        pytest.skip("this system has no /proc")
    assert not hits(command.read_bytes())


def test_modes(box: Run, home: Path, spawn: Spawn, tmp_path: Path) -> None:
    """The folder and everything in it is for its owner alone, also what a verb writes elsewhere."""
    box("post", "--text", "fine")
    assert spawn("worker", "--until-idle", umask=0).wait(20) == 0
    box("backup")
    box("export", tmp_path / "all.zip")
    assert home.stat().st_mode & 0o777 == 0o700
    open_to_others = [one.name for one in home.rglob("*") if one.stat().st_mode & 0o077]
    assert open_to_others == []
    assert (tmp_path / "all.zip").stat().st_mode & 0o077 == 0
