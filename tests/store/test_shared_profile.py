"""Several processes at one profile: the key file, the question who sends, and a look at a database's health."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from sendoff.domain.errors import Damaged, KeychainLocked, KeychainMissing, SetupMissing
from sendoff.store import health, profile
from sendoff.store.db import Store
from sendoff.store.profile import SenderLock, is_sender_running
from sendoff.store.secrets import Secrets, Vault


def no_keychain() -> Vault:
    raise KeychainMissing("none")


def process(folder: Path) -> Secrets:
    """What a process has of the key file; two of them are two processes, as far as the file is concerned."""
    return Secrets(folder, "open sesame", no_keychain)


def test_a_key_that_another_process_stored_is_found(tmp_path: Path) -> None:
    one, other = process(tmp_path), process(tmp_path)
    first = one.put({"token": "1"})
    assert other.get(first) == {"token": "1"}
    second = one.put({"token": "2"})
    assert other.get(second) == {"token": "2"}
    third = other.put({"token": "3"})
    assert process(tmp_path).get(first) == {"token": "1"}
    assert one.get(third) == {"token": "3"}
    other.remove(first)
    assert set(process(tmp_path)._known) == set()
    assert process(tmp_path).get(second) == {"token": "2"}


def test_a_file_that_was_made_anew_with_another_passphrase_is_locked(tmp_path: Path) -> None:
    one = process(tmp_path)
    ref = one.put({"token": "1"})
    (tmp_path / "secrets.vault").unlink()
    stranger = Secrets(tmp_path, "another", no_keychain)
    stranger.put({"token": "2"})
    assert one.get(ref) == {"token": "1"}  # read once, it stays at hand
    with pytest.raises(KeychainLocked, match="not the passphrase"):
        one.get("file:another")
    assert not one.vault.is_open


def _store_twenty(folder: Path, name: str, together: Barrier) -> None:
    Vault.N = 1 << 10
    secrets = process(folder)
    together.wait(30)
    for number in range(20):
        secrets.put({"token": f"{name}-{number}"})


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    process(tmp_path).put({"token": "first"})  # so that all have the same salt
    together = context.Barrier(2)
    writers = [context.Process(target=_store_twenty, args=(tmp_path, name, together)) for name in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    vault = process(tmp_path).vault
    vault.open()
    assert len(vault._items) == 41


def test_who_asks_for_the_sender_does_not_disturb(tmp_path: Path) -> None:
    assert not is_sender_running(tmp_path)
    lock = SenderLock(tmp_path)
    lock.acquire()
    assert is_sender_running(tmp_path)
    lock.release()
    assert not is_sender_running(tmp_path)
    again = SenderLock(tmp_path)
    again.acquire()
    again.release()


# --- health -------------------------------------------------------------------------------------------------------


@pytest.fixture
def database(tmp_path: Path) -> Path:
    store = Store(profile.open_folder(tmp_path / "profile"))
    store.close()
    return store.path


def test_a_good_database_is_whole_and_current(database: Path) -> None:
    found = health.look(database)
    assert (found.faults, found.is_current) == ((), True)
    assert found.size >= database.stat().st_size


def test_looking_changes_nothing(database: Path) -> None:
    before = database.read_bytes()
    health.look(database)
    assert database.read_bytes() == before


def test_a_broken_reference_is_a_fault(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("INSERT INTO variants (post_id, account_id) VALUES (1, 1)")
    assert health.look(database).faults == ("variants: a row points to nothing", "variants: a row points to nothing")


def test_a_broken_schema_is_damage(database: Path) -> None:
    data = database.read_bytes()
    assert data.count(b"CREATE TABLE deliveries") == 1
    database.write_bytes(data.replace(b"CREATE TABLE deliveries", b"CREATE TABLE deliv\xe9ries"))
    with pytest.raises(Damaged):
        health.look(database)
    with pytest.raises(Damaged, match="sendoff restore"):
        Store(database.parent)


def test_what_is_no_database(tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(os.urandom(4096))
    with pytest.raises(Damaged):
        health.look(broken)
    with pytest.raises(SetupMissing):
        health.look(tmp_path / "none.db")
    other = tmp_path / "other.db"
    other.write_bytes(b"")
    assert health.look(other).version is None
