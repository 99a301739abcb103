"""Loads what has not been needed yet, so that a Sendoff whose files are replaced while it runs goes on as it was."""

from __future__ import annotations

import encodings
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib import import_module

import sendoff

WINDOW = "sendoff.ui"
ELSEWHERE = {"sendoff.__main__", "sendoff.engine.power.windows", "sendoff.engine.power.macos"}
LATER = (
    "alembic.command", "alembic.config", "cryptography.exceptions", "cryptography.hazmat.primitives",
    "cryptography.hazmat.primitives.asymmetric.ec", "cryptography.hazmat.primitives.asymmetric.ed25519",
    "cryptography.hazmat.primitives.asymmetric.utils", "cryptography.hazmat.primitives.ciphers.aead",
    "cryptography.hazmat.primitives.kdf.scrypt", "cryptography.x509", "ctypes", "email_validator", "idna", "ipaddress",
    "keyring.backend", "keyring.backends.SecretService", "keyring.backends.kwallet", "keyring.backends.libsecret",
    "keyring.errors", "logging", "markdown_it", "nh3", "PIL.GifImagePlugin", "PIL.Image", "PIL.ImageOps",
    "PIL.ImageSequence", "PIL.JpegImagePlugin", "PIL.MpoImagePlugin", "PIL.PngImagePlugin", "PIL.WebPImagePlugin",
    "platformdirs", "plistlib", "tzlocal", "urllib.request", "yaml", "zlib",
)  # fmt: skip
"""What functions of ours, and libraries behind them, import when they are called."""


def modules(*, window: bool) -> Iterator[str]:
    """The names of all that may be loaded later: our own modules, and those of Python that are found by a name.

    Args:
        window: with the window's; the worker has no Qt.
    """
    yield from _below(sendoff.__path__, "sendoff.", window)
    for one in pkgutil.iter_modules(encodings.__path__, "encodings."):  # what servers say their answers are written in
        yield one.name
    yield from LATER


def _below(path: Iterable[str], prefix: str, window: bool) -> Iterator[str]:
    for one in pkgutil.iter_modules(path, prefix):
        if one.name in ELSEWHERE or (one.name == WINDOW and not window):
            continue
        yield one.name
        if one.ispkg:
            yield from _below(import_module(one.name).__path__, f"{one.name}.", window)


def load(name: str) -> None:
    """Loads a module, if it is one for this computer; what can't be loaded now is missed by whoever needs it."""
    if name not in sys.modules:
        with suppress(ImportError):
            import_module(name)
