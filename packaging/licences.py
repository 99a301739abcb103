"""The licences of everything that a package brings along: python packaging/licences.py SBOM > FILE.

SBOM is what packaging/sbom.py says of the package. Run by a Python that has the same packages.
"""

import json
import re
import sys
from contextlib import suppress
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

TEXTS = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)", re.IGNORECASE)
MISSING = "(Its package holds no text of its licence.)"


def texts(one: Distribution) -> str:
    files = [file for file in one.files or [] if TEXTS.search(file.name) and file.suffix in ("", ".txt", ".md", ".rst")]
    found = []
    for file in sorted(files, key=str):
        with suppress(OSError, UnicodeDecodeError):
            found.append(Path(str(file.locate())).read_text(encoding="utf-8"))
    return "\n\n".join(found) or MISSING


def of_debian(name: str) -> str:
    return Path(f"/usr/share/doc/{name}/copyright").read_text(encoding="utf-8")


def terms(component: dict[str, Any]) -> str:
    found = (
        one.get("expression") or one["license"].get("id") or one["license"]["name"] for one in component["licenses"]
    )
    return ", ".join(found)


def main(sbom: str) -> None:
    say = sys.stdout.write
    say("Sendoff brings along Python (PSF-2.0), Qt (LGPL-3.0) and these packages, each under its own terms.\n\n")
    for component in json.loads(Path(sbom).read_text(encoding="utf-8"))["components"]:
        where = component.get("purl", "")
        if where.startswith("pkg:pypi/"):
            text = texts(distribution(component["name"]))
        elif where.startswith("pkg:deb/"):
            text = of_debian(component["name"])
        else:  # Python’s own, and what resources/licences has
            continue
        say(f"{'=' * 100}\n{component['name']} {component['version']}: {terms(component)}\n\n{text}\n")


if __name__ == "__main__":
    main(sys.argv[1])
