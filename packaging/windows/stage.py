"""Makes the folder that Windows gets, from its parts: stage.py PYTHON.zip LIB TARGET.

PYTHON.zip is CPython's embeddable package, LIB what pip has put together for Windows, TARGET the folder to make.
"""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

NOT_NEEDED = re.compile(
    r"PySide6/("
    r"(qml|include|typesystems|glue|doc|scripts|support|metatypes|translations|resources|lib|QtAsyncio)(/|$)"
    r"|[^/]*\.(pyi|lib|pdb)$|[^/]*\.exe$"
    r"|Qt6(?!(Core|Gui|Widgets|Network|Svg)\.dll$)[^/]*\.dll$|opengl32sw\.dll$"
    r"|(concrt|vcamp|vccorlib|vcomp)140\.dll$|msvcp140_codecvt_ids\.dll$|Qt(?!(Core|Gui|Widgets|Network|Svg)\.pyd$)[^/]*\.pyd$|pyside6qml\.[^/]*$"
    r"|plugins/(?!platforms/qwindows\.dll$|styles/|imageformats/q(gif|ico|jpeg|svg|webp)\.dll$|iconengines/)"
    r")"
    r"|shiboken6/([^/]*\.(pyi|lib)|(concrt|vcamp|vccorlib|vcomp)140\.dll|msvcp140_codecvt_ids\.dll)$|(^|/)__pycache__(/|$)|^bin(/|$)|\.(pyi|c|pxd|pyx)$|/tests?/"
    r"|PIL/(_avif|ImageQt|ImageTk|_imagingtk|_tkinter)[^/]*$"
)
"""What no screen of ours needs. What Qt's libraries need of each other is looked at below."""

NOT_NEEDED_PYTHON = re.compile(r"^(pythonw\.exe|python\.cat|winsound\.pyd|_wmi\.pyd)$")
"""No console-less Python, because there are our own; without _wmi `platform` reads what Windows tells at once."""

OF_WINDOWS = re.compile(
    r"^(api-ms-win-|ext-ms-)|^(advapi32|authz|bcrypt|bcryptprimitives|cfgmgr32|comctl32|comdlg32|crypt32|cryptbase|d2d1"
    r"|d3d11|d3d12|d3d9|dcomp|dnsapi|dwmapi|dwrite|dxgi|gdi32|imm32|iphlpapi|kernel32|mpr|msvcrt|ncrypt|netapi32|ntdll"
    r"|ole32|oleaut32|propsys|psapi|rpcrt4|secur32|setupapi|shcore|shell32|shlwapi|synchronization|user32|userenv"
    r"|uiautomationcore|usp10|uxtheme|version|winhttp|winmm|winspool|wintrust|winspool\.drv|ws2_32|wtsapi32"
    r"|ucrtbase)(\.dll|\.drv)?$",
    re.IGNORECASE,
)
"""Libraries that every Windows 10 has. The C++ library is not one of them, and comes along with Qt."""

PATHS = "{stem}.zip\n.\nlib\n"
"""What Python looks through (its ._pth file). With it Python heeds no variables and no registry."""


def unpack_python(archive: Path, target: Path) -> str:
    """Unpacks CPython; gives back the stem of its library: "python313"."""
    with zipfile.ZipFile(archive) as packed:
        for one in packed.infolist():
            name = PurePosixPath(one.filename).name
            if not one.is_dir() and not NOT_NEEDED_PYTHON.match(name):
                name = "LICENSE-PYTHON.txt" if name == "LICENSE.txt" else name
                (target / name).write_bytes(packed.read(one))
    (stem,) = (path.stem for path in target.glob("python3??*.dll"))
    (target / f"{stem}._pth").write_text(PATHS.format(stem=stem), encoding="utf-8")
    return stem


def copy_packages(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        if path.is_file() and not NOT_NEEDED.search(name.as_posix()):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / name)


def imports_of(library: Path) -> list[str]:
    """The libraries that Windows opens together with this one."""
    words = ["x86_64-w64-mingw32-objdump", "-p", str(library)]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout  # noqa: S603
    return re.findall(r"DLL Name: (\S+)", told)


def missing(target: Path) -> list[str]:
    """Libraries that some file wants and that are neither here nor Windows' own.

    Wine has a C++ library of its own, so only this look finds that ours is not there.
    """
    binaries = [path for path in target.rglob("*") if path.suffix.lower() in (".dll", ".pyd", ".exe")]
    found = []
    for binary in binaries:
        # Windows looks beside the file, and in the program's own folder; Qt's plugins find Qt because it is loaded.
        near = {path.name.lower() for folder in (binary.parent, target) for path in folder.iterdir()}
        if "plugins" in binary.parts:
            near |= {path.name.lower() for path in (target / "lib" / "PySide6").iterdir()}
        if binary.parent.name == "PySide6":
            near |= {path.name.lower() for path in (target / "lib" / "shiboken6").iterdir()}
        found += [
            f"{binary.relative_to(target)} wants {name}"
            for name in imports_of(binary)
            if name.lower() not in near and not OF_WINDOWS.match(name)
        ]
    return found


def main(python: str, packages: str, where: str) -> None:
    target = Path(where)
    target.mkdir(parents=True)
    stem = unpack_python(Path(python), target)
    copy_packages(Path(packages), target / "lib")
    if absent := missing(target):
        sys.exit("These libraries would be missing on Windows:\n" + "\n".join(absent))
    sys.stdout.write(f"{stem}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
