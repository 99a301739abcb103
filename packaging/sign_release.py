"""Makes the key that releases are signed with, and the signed page that tells of a release (docs/releasing.md).

    sign_release.py new-key PRIVATE         a new pair; says the public half, for SENDOFF_NEWER_KEY
    sign_release.py sign PRIVATE VERSION NOTES [--date DAY] > newest.json

PRIVATE is a file that only its owner may read. It belongs to no repository and to no computer that is on the net.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sendoff.channels import newer


def new_key(private: Path) -> str:
    """Writes a new private key, never over one that is there; gives back its public half (base64)."""
    made = Ed25519PrivateKey.generate()
    kept = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with open(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(kept)
    return base64.b64encode(_public(made)).decode()


def sign(private: Path, release: newer.Release) -> str:
    """The page; it is read again before it is given out, as Sendoff will read it."""
    key = serialization.load_pem_private_key(private.read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey), "this is no Ed25519 key"
    signature = base64.b64encode(key.sign(newer.SIGNED_FOR + release.text.encode())).decode()
    page = json.dumps({"signed": release.text, "signature": signature}, indent=1)
    assert newer.read(page.encode(), _public(key)) == release
    return page + "\n"


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    making, signing = verbs.add_parser("new-key"), verbs.add_parser("sign")
    for one in (making, signing):
        one.add_argument("private", type=Path)
    signing.add_argument("version")
    signing.add_argument("notes", help="the https address of what is new")
    signing.add_argument("--date", type=date.fromisoformat, default=datetime.now(UTC).date())
    words = parser.parse_args()
    if words.verb == "new-key":
        sys.stdout.write(f"{new_key(words.private)}\n")
    else:
        release = newer.Release.of({"version": words.version, "date": words.date.isoformat(), "notes": words.notes})
        sys.stdout.write(sign(words.private, release))


if __name__ == "__main__":
    main()
