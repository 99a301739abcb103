"""Secrets go into a trusted keychain or an encrypted file, whole, and nowhere else."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from sendoff.domain.errors import KeychainLocked, KeychainMissing, SecretGone
from sendoff.store import secrets
from sendoff.store.secrets import CHUNK, Secrets, SystemKeychain, Vault

LONG = {"token": "t" * 5000, "refresh": "schlüssel " * 300}


class Drawer:
    """A keychain as Windows has it: a value longer than its limit is refused."""

    name = "a drawer"

    def __init__(self) -> None:
        self.items: dict[str, str] = {}

    def read(self, item: str) -> str | None:
        return self.items.get(item)

    def write(self, item: str, value: str) -> None:
        assert len(value.encode("utf-16-le")) <= 2560, "CRED_MAX_CREDENTIAL_BLOB_SIZE"
        self.items[item] = value

    def erase(self, item: str) -> None:
        del self.items[item]


def none() -> Drawer:
    raise KeychainMissing("This computer has no keychain that Sendoff trusts.")


def test_long_secrets_are_split_and_come_back_whole(tmp_path: Path) -> None:
    drawer = Drawer()
    ref = Secrets(tmp_path, system=lambda: drawer).put(LONG)
    assert ref.startswith("os:")
    assert max(map(len, drawer.items.values())) <= CHUNK + 2
    assert Secrets(tmp_path, system=lambda: drawer).get(ref) == LONG


def test_a_shorter_secret_leaves_no_pieces_of_the_longer_one(tmp_path: Path) -> None:
    drawer = Drawer()
    kept = Secrets(tmp_path, system=lambda: drawer)
    ref = kept.put(LONG)
    assert kept.put({"token": "short"}, ref) == ref
    assert len(drawer.items) == 1
    kept.remove(ref)
    assert drawer.items == {}


def test_a_missing_piece_is_noticed(tmp_path: Path) -> None:
    drawer = Drawer()
    ref = Secrets(tmp_path, system=lambda: drawer).put(LONG)
    drawer.items[ref.removeprefix("os:") + ".2"] = "x" * CHUNK
    with pytest.raises(SecretGone, match="only a part"):
        Secrets(tmp_path, system=lambda: drawer).get(ref)


def test_a_secret_that_is_gone_asks_for_a_sign_in(tmp_path: Path) -> None:
    with pytest.raises(SecretGone, match="Sign in again"):
        Secrets(tmp_path, system=Drawer).get("os:nothing")


def test_what_was_read_once_stays_at_hand(tmp_path: Path) -> None:
    drawer = Drawer()
    kept = Secrets(tmp_path, system=lambda: drawer)
    ref = kept.put({"token": "t"})
    drawer.items.clear()
    assert kept.at_hand(ref)
    assert kept.get(ref) == {"token": "t"}
    assert kept.get(None) == {}
    assert kept.known_values() == ["t"]


def test_without_a_keychain_the_encrypted_file_is_used(tmp_path: Path) -> None:
    ref = Secrets(tmp_path, "open sesame", none).put({"token": "CANARY-123456"})
    assert ref.startswith("file:")
    file = tmp_path / "secrets.vault"
    assert b"CANARY" not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Secrets(tmp_path, "open sesame", none).get(ref) == {"token": "CANARY-123456"}


def test_without_either_nothing_is_stored(tmp_path: Path) -> None:
    with pytest.raises(KeychainMissing, match="SENDOFF_PASSPHRASE"):
        Secrets(tmp_path, None, none).put({"token": "t"})
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_passphrase_changes_nothing_and_the_right_one_opens(tmp_path: Path) -> None:
    ref = Secrets(tmp_path, "right", none).put({"token": "t"})
    before = (tmp_path / "secrets.vault").read_bytes()
    kept = Secrets(tmp_path, "wrong", none)
    with pytest.raises(KeychainLocked, match="not the passphrase"):
        kept.get(ref)
    with pytest.raises(KeychainMissing, match="passphrase"):
        kept.put({"token": "other"})
    assert (tmp_path / "secrets.vault").read_bytes() == before
    kept.vault.unlock("right")
    assert kept.get(ref) == {"token": "t"}


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    Secrets(tmp_path, "right", none).put({"token": "t"})
    file = tmp_path / "secrets.vault"
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)
    with pytest.raises(KeychainLocked):
        Vault_open(file, "right")


def Vault_open(file: Path, passphrase: str) -> Vault:  # noqa: N802
    vault = Vault(file)
    vault.unlock(passphrase)
    return vault


def test_the_key_is_made_as_expensive_as_it_should_be() -> None:
    source = Path(secrets.__file__).read_text()
    assert "N, R, P = 1 << 17, 8, 1" in source  # the tests themselves use a cheaper one


def test_this_machine_without_a_trusted_backend_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nonexistent")
    for _ in range(3):
        with pytest.raises(KeychainMissing):
            SystemKeychain()
    for thread in threading.enumerate():
        if thread.name == "keychain":
            thread.join(5)
            assert not thread.is_alive()


def test_a_keyring_that_is_a_plain_file_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be installed, preferred and chosen by the environment: it stays one that is not on the list."""
    import keyring.backend

    known = set(keyring.backend.KeyringBackend._classes)

    class PlaintextKeyring(keyring.backend.KeyringBackend):
        __module__ = "keyrings.alt.file"
        priority = 1000  # type: ignore[assignment]

        def get_password(self, service: str, username: str) -> str:
            raise AssertionError("it was asked")

        def set_password(self, service: str, username: str, password: str) -> None:
            raise AssertionError("it was asked")

    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyrings.alt.file.PlaintextKeyring")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nonexistent")
    try:
        keyring.backend.get_all_keyring.reset()
        assert any(type(one) is PlaintextKeyring for one in keyring.backend.get_all_keyring())
        with pytest.raises(KeychainMissing):
            SystemKeychain()
    finally:
        keyring.backend.KeyringBackend._classes &= known
        keyring.backend.get_all_keyring.reset()


def test_a_keychain_that_never_answers_is_locked_and_does_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "PATIENCE", 0.05)
    keychain, free = SystemKeychain.__new__(SystemKeychain), threading.Event()
    keychain.start()
    with pytest.raises(KeychainLocked, match="did not answer"):
        keychain._ask(lambda: free.wait(5))
    with pytest.raises(KeychainLocked, match="did not answer"):
        keychain._ask(lambda: "never reached")
    free.set()
    for _ in range(100):
        try:
            assert keychain._ask(lambda: os.getpid()) == os.getpid()
            return
        except KeychainLocked:
            threading.Event().wait(0.01)
    pytest.fail("it did not come back")
