"""The licences of everything that a package brings along: python packaging/licences.py requirements.lock > FILE.

Run by the Python whose packages are meant. Names that are not installed here belong to other systems.
"""

import re
import sys
from contextlib import suppress
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

BUILD_ONLY = frozenset({"editables", "hatchling", "pathspec", "pluggy", "trove-classifiers", "packaging"})
TEXTS = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)", re.IGNORECASE)


def texts(one: Distribution) -> list[str]:
    files = [file for file in one.files or [] if TEXTS.search(file.name) and file.suffix in ("", ".txt", ".md", ".rst")]
    found = []
    for file in sorted(files, key=str):
        with suppress(OSError, UnicodeDecodeError):
            found.append(Path(str(file.locate())).read_text(encoding="utf-8"))
    return found


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main(lock: str) -> None:
    names = sorted(
        {line.split("==")[0] for line in Path(lock).read_text().splitlines() if re.match(r"[\w.-]+==", line)}
    )
    say("Sendoff brings along Python (PSF-2.0), Qt (LGPL-3.0) and these packages, each under its own terms.\n")
    for name in names:
        with suppress(PackageNotFoundError):
            one = distribution(name)
            if name.lower() in BUILD_ONLY:
                continue
            meta = one.metadata
            terms = meta.get("License-Expression") or meta.get("License") or "see below"
            say(f"{'=' * 100}\n{meta['Name']} {one.version}: {terms.splitlines()[0]}\n")
            say("\n\n".join(texts(one)) or "(Its package holds no text of its licence.)")
            say("")


if __name__ == "__main__":
    main(sys.argv[1])
