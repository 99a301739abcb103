"""What is in a package, as CycloneDX 1.6 (JSON): sbom.py LOCK FOLDER [PYTHON.zip] > FILE.

FOLDER is what PyInstaller froze (then this runs in the virtual environment that it froze), or what windows/stage.py put
together from PYTHON.zip. Named is what is really in it, and only that: packages by their own lists of files, libraries
of the system by Debian's. A package that LOCK does not name, or a file that nobody knows, is an error.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePosixPath
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

OF_OURS = "sendoff"
PYTHON = "PSF-2.0"
OWN_WORDS = {"pyinstaller": "GPL-2.0-or-later WITH Bootloader-exception"}
"""Where its own word is a paragraph. What it puts into a package may be given on under any terms."""

TERMS = {"MIT License": "MIT", "Apache Software License": "Apache-2.0", "Apache 2.0": "Apache-2.0",
         "PSFL": "PSF-2.0", "MIT license": "MIT"}  # fmt: skip
"""What some packages call their licence, and its SPDX name."""

ASSETS = re.compile(
    r"^\S+ +(Inter|JetBrains Mono|Lucide|Simple Icons) ([\d.]+), (SIL Open Font License 1\.1|ISC|CC0 1\.0)", re.M
)
"""A line of resources/licences/README.txt."""

SPDX = {"SIL Open Font License 1.1": "OFL-1.1", "ISC": "ISC", "CC0 1.0": "CC0-1.0"}
SYSTEM = ("/usr/lib", "/lib")


def name_of(one: str) -> str:
    """A package's name as PyPI compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", one).lower()


def made(kind: ComponentType, name: str, version: str, terms: Sequence[str], purl: PackageURL | None = None,
         **more: object) -> Component:  # fmt: skip
    factory = LicenseFactory()
    spdx = [factory.make_from_string(term) for term in terms] if len(terms) == 1 else map(factory.make_with_name, terms)
    return Component(
        type=kind, name=name, version=version, purl=purl, bom_ref=str(purl) if purl else name,
        licenses=spdx, **more,
    )  # type: ignore[arg-type]  # fmt: skip


# --- Python packages ------------------------------------------------------------------------------------------------


def terms_of(one: Distribution) -> str:
    """Its licence by its own word; an SPDX name where that word is known.

    Raises:
        SystemExit: it says nothing.
    """
    meta = one.metadata
    if told := OWN_WORDS.get(name_of(meta["Name"])):
        return told
    classes = [line.split(" :: ")[-1] for line in meta.get_all("Classifier") or [] if line.startswith("License ::")]
    for word in (meta.get("License-Expression"), meta.get("License"), *classes):
        if word and word != "UNKNOWN" and len(word) < 100:
            return TERMS.get(word, word)
    sys.exit(f"{meta['Name']} {one.version} does not say what its licence is")


def package(one: Distribution) -> Component:
    name = name_of(one.metadata["Name"])
    return made(ComponentType.LIBRARY, name, one.version, [terms_of(one)], PackageURL("pypi", None, name, one.version))


def locked(lock: Path) -> frozenset[str]:
    return frozenset(name_of(one) for one in re.findall(r"^([\w.-]+)==", lock.read_text(encoding="utf-8"), re.M))


# --- what PyInstaller froze -------------------------------------------------------------------------------------------


def frozen_files(folder: Path) -> set[str]:
    """What is in it, named as in site-packages: the modules of the archive, and the files beside it."""
    from PyInstaller.archive.readers import CArchiveReader

    modules = CArchiveReader(str(folder / "sendoff")).open_embedded_archive("PYZ.pyz").toc
    files = {f"{name.replace('.', '/')}{end}" for name in modules for end in (".py", "/__init__.py")}
    inside = folder / "_internal"
    for path in inside.rglob("*"):
        if path.is_file():
            files.add(path.resolve().relative_to(inside.resolve()).as_posix())
    return files


def of_debian(library: Path) -> Component | None:
    """The package of this system that a library of the same name comes from."""
    for folder in SYSTEM:
        if found := dpkg_query("-S", f"{folder}/*/{library.name}"):
            name = found.split(":")[0]
            version, architecture = dpkg_query("-W", "-f", "${Version} ${Architecture}", name).split()
            purl = PackageURL("deb", "debian", name, version, {"arch": architecture})
            return made(ComponentType.LIBRARY, name, version, debian_terms(name), purl)
    return None


def dpkg_query(*words: str) -> str:
    """What it says, or "" where it knows nothing."""
    return subprocess.run(["dpkg-query", *words], capture_output=True, text=True, check=False).stdout  # noqa: S603, S607


def debian_terms(name: str) -> list[str]:
    """The licences that its file of copyrights names (DEP 5); where that is only prose, where it stands."""
    if name.startswith("libpython"):
        return [PYTHON]
    text = Path(f"/usr/share/doc/{name}/copyright").read_text(encoding="utf-8", errors="replace")
    found = sorted(set(re.findall(r"^License: *(\S.*)$", text, re.M))) if text.startswith("Format:") else []
    return found or [f"see the copyright file of Debian’s {name}"]


def frozen(folder: Path, allowed: frozenset[str]) -> Iterator[Component]:
    there = frozen_files(folder)
    known: set[str] = set()
    for one in distributions():
        files = {str(file) for file in one.files or []}
        if files & there:
            known |= files
            name = name_of(one.metadata["Name"])
            if name == OF_OURS:
                continue
            if name not in allowed and name != "pyinstaller":
                sys.exit(f"{name} slipped into the package: {sorted(files & there)[:3]}")
            yield package(one)
    # The program that starts Python, and what it runs first.
    yield package(Distribution.from_name("pyinstaller"))
    yield made(ComponentType.FRAMEWORK, "cpython", platform.python_version(), [PYTHON],
               cpe=f"cpe:2.3:a:python:python:{platform.python_version()}:*:*:*:*:*:*:*")  # fmt: skip
    for name in sorted(there - known):
        library = PurePosixPath(name)
        if ".so" in library.name and len(library.parts) == 1:
            component = of_debian(folder / "_internal" / name)
            if component is None:
                sys.exit(f"nobody knows where {name} comes from")
            yield component


# --- what Windows gets ------------------------------------------------------------------------------------------------


def staged(folder: Path, python: Path, allowed: frozenset[str]) -> Iterator[Component]:
    for one in distributions(path=[str(folder / "lib")]):
        name = name_of(one.metadata["Name"])
        if name != OF_OURS:
            if name not in allowed:
                sys.exit(f"{name} slipped into the package")
            yield package(one)
    version = python_version(python)
    yield made(
        ComponentType.FRAMEWORK, "cpython", version, [PYTHON],
        cpe=f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256(python.read_bytes()).hexdigest())],
    )  # fmt: skip


def python_version(archive: Path) -> str:
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


# --- both -------------------------------------------------------------------------------------------------------------


def assets(folder: Path) -> Iterator[Component]:
    """Fonts and icons, as the overview of the licences names them."""
    (overview,) = folder.rglob("sendoff/resources/licences/README.txt")
    for name, version, terms in ASSETS.findall(overview.read_text(encoding="utf-8")):
        yield made(ComponentType.DATA, name, version.rstrip("."), [SPDX[terms]])


def main(lock: str, where: str, python: str = "") -> None:
    folder, allowed = Path(where), locked(Path(lock))
    inside = staged(folder, Path(python), allowed) if python else frozen(folder, allowed)
    components = {str(one.bom_ref): one for one in (*inside, *assets(folder))}
    (ours,) = distributions(name=OF_OURS, path=[str(folder / ("lib" if python else "_internal"))])
    ours = package(ours)
    ours.type = ComponentType.APPLICATION
    bom = Bom(components=components.values())
    bom.metadata.component = ours
    bom.metadata.timestamp = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC)
    bom.serial_number = uuid5(NAMESPACE_URL, " ".join(sorted((str(ours.purl), *components))))
    bom.register_dependency(ours, components.values())
    sys.stdout.write(JsonV1Dot6(bom).output_as_string(indent=2) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
