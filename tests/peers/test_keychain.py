"""A real Secret Service: open, locked and absent. Secrets go in and come back, or deliveries wait with a reason."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.peer

HERE = Path(__file__).parent

STORE = """
import sys
from pathlib import Path
from sendoff.store.secrets import Secrets
secrets = Secrets(Path(sys.argv[1]))
print(secrets.place())
ref = secrets.put({"token": "schlüssel " * 2000, "other": "CANARY-0123456789"})
print(ref)
print(Secrets(Path(sys.argv[1])).get(ref)["other"])
"""

READ = """
import sys, time
from pathlib import Path
from sendoff.domain.errors import KeychainError
from sendoff.store.secrets import Secrets
began = time.monotonic()
try:
    print("got", Secrets(Path(sys.argv[1])).get(sys.argv[2])["other"])
except KeychainError as locked:
    print(type(locked).__name__, locked)
print(round(time.monotonic() - began, 1))
"""

POST = """
import sys
from pathlib import Path
from sendoff.domain.errors import KeychainMissing
from sendoff.store.secrets import Secrets
try:
    Secrets(Path(sys.argv[1])).put({"token": "CANARY-0123456789"})
except KeychainMissing as missing:
    print(missing)
print(Secrets(Path(sys.argv[1]), "open sesame").put({"token": "CANARY-0123456789"}).split(":")[0])
"""


def run(mode: str, home: Path, program: str, *words: str) -> list[str]:
    env = {**os.environ, "SENDOFF_PEER_HOME": str(home)}
    done = subprocess.run(
        [str(HERE / "keychain.sh"), mode, sys.executable, "-c", program, *words],
        env=env, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def everything(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_an_open_keychain_keeps_long_secrets_over_restarts_and_the_profile_holds_none(tmp_path: Path) -> None:
    home, profile = tmp_path / "home", tmp_path / "profile"
    profile.mkdir()
    place, ref, value = run("unlocked", home, STORE, str(profile))
    assert "the system’s keychain" in place
    assert ref.startswith("os:")
    assert value == "CANARY-0123456789"
    assert run("unlocked", home, READ, str(profile), ref)[0] == "got CANARY-0123456789"
    assert b"CANARY" not in everything(profile)


def test_a_locked_keychain_says_so_within_its_patience(tmp_path: Path) -> None:
    home, profile = tmp_path / "home", tmp_path / "profile"
    profile.mkdir()
    ref = run("unlocked", home, STORE, str(profile))[1]
    said, seconds = run("locked", home, READ, str(profile), ref)
    assert said.startswith("KeychainLocked The keychain")
    assert float(seconds) < 8


def test_without_a_keychain_only_the_encrypted_file_is_used(tmp_path: Path) -> None:
    home, profile = tmp_path / "home", tmp_path / "profile"
    profile.mkdir()
    said, place = run("none", home, POST, str(profile))
    assert "SENDOFF_PASSPHRASE" in said
    assert place == "file"
    assert b"CANARY" not in everything(profile)
