"""Tokens that run out: a refresh token works once, whoever asks, in this process or another."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest

from sendoff.domain.account import Account
from sendoff.domain.errors import KeychainLocked, NeedsLogin
from sendoff.engine.keys import Keys
from sendoff.store.profile import open_folder
from sendoff.store.secrets import Secrets
from tests.conftest import SetClock
from tests.engine.driver import Drawer, Scripted


class Rotating(Scripted):
    """Each refresh token is good once; the second use ends the sign-in. What it hands out is old at once."""

    renews = True

    def __init__(self) -> None:
        super().__init__()
        self.valid, self.renewed, self.within = "refresh-0", 0, 0

    def renew(self, account: Account, secret: Mapping[str, str], now: datetime) -> Mapping[str, str]:
        self.within += 1
        assert self.within == 1, "two at a time"
        if secret["refresh"] != self.valid:
            raise NeedsLogin("used twice")
        self.renewed += 1
        self.valid = f"refresh-{self.renewed}"
        self.within -= 1
        return {"refresh": self.valid}


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


def process(folder: Path, drawer: Drawer, clock: SetClock) -> Keys:
    """The keys as another process has them: with what it has read itself, from the same keychain."""
    return Keys(Secrets(folder, system=lambda: drawer), folder, clock)


def test_processes_that_take_turns_never_use_an_old_one(tmp_path: Path, drawer: Drawer, clock: SetClock) -> None:
    folder, channel = open_folder(tmp_path / "p"), Rotating()
    ref = Secrets(folder, system=lambda: drawer).put({"refresh": "refresh-0"})
    account = Account(7, 1, "scripted", "Ada", "@ada", secret_ref=ref)
    one, other = (process(folder, drawer, clock) for _ in range(2))
    for keys in (one, other, other, one, other, one, one):
        assert keys.secret(account, channel)["refresh"] == channel.valid
    assert channel.renewed == 7


def test_threads_and_processes_wait_for_each_other(tmp_path: Path, drawer: Drawer, clock: SetClock) -> None:
    folder, channel = open_folder(tmp_path / "p"), Rotating()
    ref = Secrets(folder, system=lambda: drawer).put({"refresh": "refresh-0"})
    account = Account(7, 1, "scripted", "Ada", "@ada", secret_ref=ref)
    wrong: list[BaseException] = []

    def ask(keys: Keys) -> None:
        try:
            for _ in range(5):
                keys.secret(account, channel)
        except (NeedsLogin, AssertionError, OSError) as error:
            wrong.append(error)

    every = [process(folder, drawer, clock) for _ in range(3)]
    threads = [threading.Thread(target=ask, args=(keys,)) for keys in (*every, *every)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (wrong, channel.renewed) == ([], 30)


def test_a_keychain_that_locks_itself_does_not_stop_what_is_known(
    tmp_path: Path, drawer: Drawer, clock: SetClock
) -> None:
    folder = open_folder(tmp_path / "p")
    secrets = Secrets(folder, system=lambda: drawer)
    ref = secrets.put({"refresh": "refresh-0"})
    drawer.trouble = KeychainLocked("locked")
    assert secrets.get(ref, anew=True) == {"refresh": "refresh-0"}
    with pytest.raises(KeychainLocked):
        Secrets(folder, system=lambda: drawer).get(ref, anew=True)
