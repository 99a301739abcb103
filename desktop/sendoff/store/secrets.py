"""Where secrets are: the system's keychain, or one encrypted file where there is none. Never anywhere else."""

from __future__ import annotations

import hashlib
import json
import os
import queue
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from sendoff.domain.errors import KeychainError, KeychainLocked, KeychainMissing, SecretGone
from sendoff.store.profile import alone

SERVICE = "Sendoff"
TRUSTED = (
    "keyring.backends.SecretService",
    "keyring.backends.kwallet",
    "keyring.backends.libsecret",
    "keyring.backends.macOS",
    "keyring.backends.Windows",
)
"""The keyring back-ends that may hold a secret. Others (plain files among them) are refused however they are set up."""

PATIENCE = 5.0
"""Seconds to wait for the keychain; some ask the person and never come back."""

CHUNK = 1200
"""Characters in one keychain item: Windows takes 2,560 bytes of UTF-16 (CRED_MAX_CREDENTIAL_BLOB_SIZE)."""


class Safe(Protocol):
    """A place that keeps strings under names."""

    name: str

    def read(self, item: str) -> str | None: ...
    def write(self, item: str, value: str) -> None: ...
    def erase(self, item: str) -> None: ...


class Secrets:
    """The secrets of a profile's accounts. A reference says which safe holds it: "os:…" or "file:…".

    What was read once stays in memory, so that a keychain that locks itself later does not stop the sending.

    Args:
        folder: the profile's folder, for the encrypted file.
        passphrase: for that file, where it was given on starting.
        system: makes the system's keychain; raises KeychainMissing where there is none that is trusted.
    """

    def __init__(self, folder: Path, passphrase: str | None = None, system: Callable[[], Safe] | None = None) -> None:
        self._system = system or SystemKeychain
        self.vault = Vault(folder / "secrets.vault")
        if passphrase:
            self.vault.passphrase = passphrase
        self._known: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()

    def put(self, values: Mapping[str, str], ref: str | None = None) -> str:
        """Stores the secret fields of one account and returns the reference; with `ref`, in its place.

        Raises:
            KeychainError: there is no place for them, or it is locked.
        """
        if ref is None:
            ref = f"{self._preferred()}:{uuid.uuid4().hex}"
        safe, item = self._safe(ref)
        old = _parts(safe.read(item))
        pieces = _split(json.dumps(dict(values)))
        for number, piece in enumerate(pieces):
            safe.write(item if number == 0 else f"{item}.{number}", piece)
        for number in range(len(pieces), old):
            safe.erase(f"{item}.{number}")
        with self._lock:
            self._known[ref] = dict(values)
        return ref

    def get(self, ref: str | None, *, anew: bool = False) -> dict[str, str]:
        """The secret fields of one account; an account without a reference has none.

        Args:
            anew: another process may have written them; what is known counts only while the safe can't be read.

        Raises:
            KeychainLocked, KeychainMissing: it cannot be read now; waiting or unlocking helps.
            SecretGone: the keychain is open and does not hold it.
        """
        if ref is None:
            return {}
        with self._lock:
            known = self._known.get(ref)
        if known is not None and not anew:
            return dict(known)
        try:
            values = _joined(*self._safe(ref))
        except (KeychainLocked, KeychainMissing):
            if known is None:
                raise
            return dict(known)
        with self._lock:
            self._known[ref] = values
        return dict(values)

    def remove(self, ref: str | None) -> None:
        if ref is None:
            return
        safe, item = self._safe(ref)
        for number in range(_parts(safe.read(item))):
            safe.erase(item if number == 0 else f"{item}.{number}")
        with self._lock:
            self._known.pop(ref, None)

    def at_hand(self, ref: str | None) -> bool:
        """Whether `get` will answer at once."""
        with self._lock:
            return ref is None or ref in self._known

    def known_values(self) -> list[str]:
        """Every secret that this process has seen, for masking."""
        with self._lock:
            return [value for values in self._known.values() for value in values.values()]

    def place(self) -> str:
        """Where a new secret would go, for a person."""
        try:
            return self._open_system().name
        except KeychainMissing:
            return self.vault.name

    def _preferred(self) -> str:
        try:
            self._open_system()
        except KeychainMissing:
            self.vault.open()
            return "file"
        return "os"

    def _safe(self, ref: str) -> tuple[Safe, str]:
        place, _, item = ref.partition(":")
        return (self.vault if place == "file" else self._open_system()), item

    def _open_system(self) -> Safe:
        with self._lock:
            if not isinstance(self._system, _Opened):
                self._system = _Opened(self._system())
            return self._system.safe


def is_in_file(ref: str | None) -> bool:
    """Whether a reference is to the encrypted file, which wants a passphrase."""
    return ref is not None and ref.startswith("file:")


class _Opened:
    """The system's keychain once it was found."""

    def __init__(self, safe: Safe) -> None:
        self.safe = safe

    def __call__(self) -> Safe:
        return self.safe


def _split(text: str) -> list[str]:
    """A long secret as numbered pieces; the first says how many there are and what they come to."""
    if len(text) <= CHUNK:
        return ["1:" + text]
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    first = f"{-(-len(text) // CHUNK) + 1}:{digest}"
    return [first] + [text[start : start + CHUNK] for start in range(0, len(text), CHUNK)]


def _parts(first: str | None) -> int:
    return int(first.partition(":")[0]) if first else 0


def _joined(safe: Safe, item: str) -> dict[str, str]:
    first = safe.read(item)
    if first is None:
        raise SecretGone("The keychain no longer holds the key of this account. Sign in again.")
    number, _, rest = first.partition(":")
    if number != "1":
        pieces = [safe.read(f"{item}.{place}") or "" for place in range(1, int(number))]
        digest, rest = rest, "".join(pieces)
        if hashlib.sha256(rest.encode()).hexdigest()[:16] != digest:
            raise SecretGone("The keychain holds only a part of this account’s key. Sign in again.")
    return {name: str(value) for name, value in json.loads(rest).items()}


# --- the system's keychain ----------------------------------------------------------------------------------------


class SystemKeychain:
    """The best trusted keychain of this system, asked in a thread of its own, because it may never answer."""

    def __init__(self) -> None:
        self.start()
        try:
            self._backend: Any = self._ask(_trusted_backend)
        except KeychainError:
            self._asked.put(None)  # the thread ends; the next one who asks starts another
            raise
        self.name: str = f"the system’s keychain ({self._backend.name})"

    def start(self) -> None:
        """Starts the thread that asks."""
        self._asked: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[Any]] | None] = queue.SimpleQueue()
        self._hangs = threading.Event()
        threading.Thread(target=self._serve, name="keychain", daemon=True).start()

    def read(self, item: str) -> str | None:
        found: str | None = self._ask(lambda: self._backend.get_password(SERVICE, item))
        return found

    def write(self, item: str, value: str) -> None:
        self._ask(lambda: self._backend.set_password(SERVICE, item, value))

    def erase(self, item: str) -> None:
        self._ask(lambda: self._backend.delete_password(SERVICE, item))

    def _serve(self) -> None:
        while entry := self._asked.get():
            call, answer = entry
            try:
                answer.put((True, call()))
            except BaseException as wrong:  # noqa: BLE001  # handed to the asking thread, which names it
                answer.put((False, wrong))
            self._hangs.clear()

    def _ask(self, call: Callable[[], Any]) -> Any:
        silent = "The keychain did not answer. It may be waiting for its password: unlock it, and the sending goes on."
        if self._hangs.is_set():
            raise KeychainLocked(silent)
        answer: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._asked.put((call, answer))
        try:
            worked, value = answer.get(timeout=PATIENCE)
        except queue.Empty:
            self._hangs.set()
            raise KeychainLocked(silent) from None
        if worked:
            return value
        raise _explained(value)


def _trusted_backend() -> Any:
    import keyring.backend

    viable = [one for one in keyring.backend.get_all_keyring() if type(one).__module__ in TRUSTED]
    if not viable:
        raise KeychainMissing("This computer has no keychain that Sendoff trusts.")
    return max(viable, key=lambda one: one.priority)


def _explained(wrong: BaseException) -> BaseException:
    import keyring.errors

    if isinstance(wrong, KeychainError):
        return wrong
    if isinstance(wrong, keyring.errors.PasswordDeleteError):
        return SecretGone("The keychain does not hold this item.")
    if isinstance(wrong, (keyring.errors.KeyringLocked, keyring.errors.InitError)):
        return KeychainLocked("The keychain is locked. Unlock it, and the sending goes on.")
    if isinstance(wrong, keyring.errors.NoKeyringError):
        return KeychainMissing("This computer has no keychain that Sendoff trusts.")
    return KeychainLocked(f"The keychain can’t be used now ({type(wrong).__name__}). Unlock it or start it again.")


# --- the encrypted file -------------------------------------------------------------------------------------------


class Vault:
    """One file, AES-256-GCM, its key made from a passphrase with scrypt. For computers without a keychain.

    scrypt n=2^17, r=8, p=1 is what OWASP's Password Storage Cheat Sheet asks for; about 0.3 s and 128 MiB.
    """

    N, R, P = 1 << 17, 8, 1

    def __init__(self, path: Path) -> None:
        self._path = path
        self._key: bytes | None = None
        self._salt = b""
        self._items: dict[str, str] = {}
        self._state: tuple[int, int] | None = None  # of the file when it was read
        self.passphrase: str | None = None
        self.name = "Sendoff’s own encrypted file"
        self._lock = threading.RLock()

    @property
    def exists(self) -> bool:
        return self._path.exists()

    @property
    def is_open(self) -> bool:
        return self._key is not None

    def unlock(self, passphrase: str) -> None:
        """Opens the file with this passphrase, or makes it.

        Raises:
            KeychainLocked: the passphrase is not the file's.
        """
        with self._lock:
            self.passphrase = passphrase
            self._key = None
            self.open()

    def open(self) -> None:
        with self._lock:
            if self._key is not None:
                return
            if not self.passphrase:
                raise KeychainMissing(
                    "This computer has no keychain, so Sendoff keeps keys in its own encrypted file. "
                    "It needs the file’s passphrase: type it in the window, or set SENDOFF_PASSPHRASE."
                )
            if self._path.exists():
                self._unseal()
            else:
                self._salt = os.urandom(16)
                self._key = self._derive()

    def read(self, item: str) -> str | None:
        with self._lock:
            self._refresh()
            return self._items.get(item)

    def write(self, item: str, value: str) -> None:
        with self._lock, alone(self._path.with_suffix(".lock")):
            self._refresh()
            self._items[item] = value
            self._save()

    def erase(self, item: str) -> None:
        with self._lock, alone(self._path.with_suffix(".lock")):
            self._refresh()
            self._items.pop(item, None)
            self._save()

    def _refresh(self) -> None:
        """Opens the file, or reads it again where another process has written it since."""
        now = _state(self._path)
        if self._key is not None and now is not None and now != self._state:
            self._unseal()
        self.open()

    def _derive(self) -> bytes:
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        return Scrypt(salt=self._salt, length=32, n=self.N, r=self.R, p=self.P).derive((self.passphrase or "").encode())

    def _unseal(self) -> None:
        """Reads the file, with the key at hand where that is still its key.

        Raises:
            KeychainLocked: the passphrase is not the file's, or the file is none of ours.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        state, raw = _state(self._path), self._path.read_bytes()
        head, salt, nonce, sealed = raw[:8], raw[8:24], raw[24:36], raw[36:]
        if head != _HEAD:
            raise KeychainLocked(f"{self._path} is not a file of keys that this version can read.")
        known, self._key = self._key if salt == self._salt else None, None
        self._salt = salt
        key = known or self._derive()
        try:
            self._items = json.loads(AESGCM(key).decrypt(nonce, sealed, _HEAD))
        except InvalidTag:
            self.passphrase = None
            raise KeychainLocked("That is not the passphrase of Sendoff’s key file. Nothing was changed.") from None
        self._key, self._state = key, state

    def _save(self) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        assert self._key is not None
        nonce = os.urandom(12)
        sealed = AESGCM(self._key).encrypt(nonce, json.dumps(self._items).encode(), _HEAD)
        replace_file(self._path, _HEAD + self._salt + nonce + sealed)
        self._state = _state(self._path)


_HEAD = b"SENDOFF1"


def _state(path: Path) -> tuple[int, int] | None:
    """What changes whenever the file is replaced; None where there is none."""
    try:
        about = path.stat()
    except FileNotFoundError:
        return None
    return about.st_ino, about.st_mtime_ns


def replace_file(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all: beside it, synced, then renamed over it. Mode 0600."""
    beside = path.with_name(path.name + ".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
