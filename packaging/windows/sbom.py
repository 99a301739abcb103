"""Adds Python itself to what is in the Windows package (CycloneDX): sbom.py PACKAGES.json PYTHON.zip > FILE."""

import hashlib
import json
import re
import sys
import zipfile
from pathlib import Path


def version(archive: Path) -> str:
    """CPython's version, as its library says it of itself: "3.13.2".

    Raises:
        SystemExit: there is none in the archive.
    """
    with zipfile.ZipFile(archive) as packed:
        (name,) = (one for one in packed.namelist() if re.search(r"(^|/)python3\d\d\.dll$", one))
        told = re.search(r"F\0i\0l\0e\0V\0e\0r\0s\0i\0o\0n\0\0\0\0*((?:[\d.]\0)+)", packed.read(name).decode("latin-1"))
    if told is None:
        sys.exit(f"{archive} does not say which Python it is")
    return told.group(1).replace("\0", "")


def main(packages: str, python: str) -> None:
    found, archive = json.loads(Path(packages).read_text(encoding="utf-8")), Path(python)
    found["components"].append({
        "bom-ref": "cpython", "type": "framework", "name": "cpython", "version": version(archive),
        "cpe": f"cpe:2.3:a:python:python:{version(archive)}:*:*:*:*:*:*:*",
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(archive.read_bytes()).hexdigest()}],
        "licenses": [{"license": {"id": "PSF-2.0"}}],
    })  # fmt: skip
    json.dump(found, sys.stdout, indent=2, sort_keys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
