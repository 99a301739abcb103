"""Looks at what packaging/build says of a package (CycloneDX): sbom.py FILE [INSIDE].

It must keep the schema and give each component a name, a version and a licence, and none twice. INSIDE is a listing of
what was found where the package is installed: the names of folders in Python's path, and what Python says of its
version; or the folder that PyInstaller froze: then each module in it must be what this Python's own packages hold, from
which the list was written. Run by build/tools' Python, which has the schema.
"""

import json
import re
import sys
import sysconfig
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

SPEC = "1.6"


def wrong(told: dict[str, Any]) -> list[str]:
    """What is missing or doubled in it, one sentence each."""
    found = [] if told["specVersion"] == SPEC else [f"it is {told['specVersion']}, not {SPEC}"]
    components = told["components"]
    for one in (told["metadata"]["component"], *components):
        found += [f"{one['name']} has no {field}" for field in ("version", "licenses", "bom-ref") if not one.get(field)]
    names = [one["name"] for one in components]
    found += [f"{name} stands there twice" for name in sorted(set(names)) if names.count(name) > 1]
    return found


def packages(told: dict[str, Any]) -> set[tuple[str, str]]:
    """The packages of Python's, and Python itself, with their versions."""
    inside = (told["metadata"]["component"], *told["components"])
    return {
        (one["name"], one["version"])
        for one in inside
        if one.get("purl", "").startswith("pkg:pypi/") or one["name"] == "cpython"
    }


def listed(listing: str) -> set[tuple[str, str]]:
    found = re.findall(r"^(.+)-([^-\n]+)\.dist-info$", listing, re.MULTILINE)
    python = re.findall(r"^Python (\S+)$", listing, re.MULTILINE)
    return {(re.sub(r"[-_.]+", "-", name).lower(), version) for name, version in found} | {
        ("cpython", one) for one in python
    }


def strangers(folder: Path) -> list[str]:
    """Frozen modules that are not what this Python's package of the same version holds (but for where they stood)."""
    from PyInstaller.archive.readers import CArchiveReader

    archive = CArchiveReader(str(folder / "sendoff")).open_embedded_archive("PYZ.pyz")
    site, found, looked_at = Path(sysconfig.get_path("purelib")), [], 0
    for name in archive.toc:
        stem = site / name.replace(".", "/")
        source = next(
            (path for path in (stem.with_name(f"{stem.name}.py"), stem / "__init__.py") if path.is_file()), None
        )
        if source is None:  # Python's own, or PyInstaller's
            continue
        looked_at += 1
        if archive.extract(name) != compile(source.read_bytes(), "", "exec", dont_inherit=True, optimize=0):
            found.append(f"{name} is not the one of {source}")
    return found if looked_at > 500 else [*found, f"only {looked_at} modules could be compared"]


def main(file: str, inside: str = "") -> None:
    text = Path(file).read_text(encoding="utf-8")
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.exit(f"{file} is no CycloneDX {SPEC}: {error}")
    told = json.loads(text)
    found = wrong(told)
    if inside and Path(inside).is_dir():
        found += strangers(Path(inside))
    elif inside:
        there, said = listed(Path(inside).read_text(encoding="utf-8")), packages(told)
        found += [f"{name} {version} is inside, and it does not say so" for name, version in sorted(there - said)]
        found += [f"{name} {version} is not inside" for name, version in sorted(said - there)]
    if found:
        sys.exit(f"{file}: " + "; ".join(found))
    sys.stderr.write(
        f"  {len(told['components'])} components, each with version and licence, by the schema of {SPEC}\n"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
