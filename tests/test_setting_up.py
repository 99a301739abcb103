"""What ./run and ./test say and do before there is a .venv: on copies of the scripts, with programs that pretend."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NEEDED = ("bash", "cat", "cut", "dirname", "env", "flock", "grep", "readlink", "rm", "sed", "sha256sum", "uname")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The scripts in a folder with a space and letters of several kinds in its name."""
    folder = tmp_path / "Sendoff für 你"
    (folder / "packaging").mkdir(parents=True)
    for name in ("run", "test", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    for file in (ROOT / "packaging").glob("*.lock"):
        shutil.copy(file, folder / "packaging")
    shutil.copy(ROOT / "packaging" / "bootstrap.sh", folder / "packaging")
    return folder


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A PATH with what the scripts call; Python makes a .venv in which everything succeeds and is written down."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in NEEDED:
        (folder / name).symlink_to(shutil.which(name) or f"/usr/bin/{name}")
    libraries = "\n".join(line.split()[0] for line in libraries_of_qt())
    stub(folder / "ldconfig", f"cat <<'END'\n{libraries.replace(chr(10), ' (x)' + chr(10))} (x)\nEND")
    stub(folder / "id", "echo 1000")
    log = tmp_path / "log"
    stub(
        folder / "python3",
        f"""
        [ "$1 $2" != "-m venv" ] || {{
            mkdir -p "$3/bin"; ln -s "$0" "$3/bin/python"; printf '#!/bin/bash\\necho started "$@"\\n' >"$3/bin/sendoff"
            chmod +x "$3/bin/sendoff"; echo "command = /usr/bin/python3 -m venv $3" >"$3/pyvenv.cfg"
        }}
        [ "$1" = -c ] || echo "$1 $2 $3" >>'{log}'""",
    )
    for name in ("mkdir", "ln", "chmod"):
        (folder / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    return folder


def libraries_of_qt() -> list[str]:
    text = (ROOT / "packaging" / "bootstrap.sh").read_text()
    return text.split("QT_LIBRARIES='\n")[1].split("'")[0].strip().splitlines()


def stub(path: Path, words: str) -> None:
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/bash\n{words}\n")
    path.chmod(0o755)


def call(programs: Path, *words: str | Path, cwd: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
    """Without a terminal, so that nothing can be asked."""
    return subprocess.run(
        [str(word) for word in words], cwd=cwd, text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=30,
        env={"PATH": str(programs), "HOME": str(programs), **more},
    )  # fmt: skip


def made(programs: Path) -> int:
    """How often a .venv was made."""
    log = programs.parent / "log"
    return log.read_text().count("-m venv ") if log.exists() else 0


def test_the_first_start_sets_up_and_the_second_does_nothing_of_it(copied: Path, programs: Path) -> None:
    first = call(programs, copied / "run", "doctor")
    assert (first.returncode, first.stdout) == (0, "started doctor\n")
    assert "Making .venv" in first.stderr
    log = (programs.parent / "log").read_text()
    second = call(programs, copied / "run", "doctor")
    assert (second.returncode, second.stdout, second.stderr) == (0, "started doctor\n", "")
    assert (programs.parent / "log").read_text() == log


def test_without_a_display_it_is_the_demo_and_says_so(copied: Path, programs: Path) -> None:
    call(programs, copied / "run", "--setup")
    assert call(programs, copied / "run", DISPLAY=":0").stdout == "started\n"
    headless = call(programs, copied / "run")
    assert (headless.stdout, headless.returncode) == ("started demo\n", 0)
    assert "no display" in headless.stderr


def test_setup_does_only_that(copied: Path, programs: Path) -> None:
    said = call(programs, copied / "run", "--setup")
    assert (said.stdout, said.returncode) == ("", 0)
    assert (copied / ".venv" / "bin" / "sendoff").exists()


@pytest.mark.parametrize("way", ["from elsewhere", "through a link", "with CDPATH"])
def test_it_may_be_called_from_anywhere(copied: Path, programs: Path, tmp_path: Path, way: str) -> None:
    if way == "through a link":
        (tmp_path / "link").symlink_to(copied / "run")
        (tmp_path / "further").symlink_to(tmp_path / "link")
        said = call(programs, tmp_path / "further", "doctor")
    elif way == "with CDPATH":
        said = call(programs, "bash", f"{copied.name}/run", "doctor", cwd=tmp_path, CDPATH=str(tmp_path))
    else:
        said = call(programs, copied / "run", "doctor", cwd=tmp_path)
    assert (said.returncode, said.stdout) == (0, "started doctor\n"), said.stderr
    assert (copied / ".venv").is_dir()


@pytest.mark.parametrize("what", ["the folder is copied", "another Python", "Python is gone", "a dependency"])
def test_what_no_longer_fits_is_set_up_anew(copied: Path, programs: Path, what: str) -> None:
    call(programs, copied / "run", "--setup")
    assert made(programs) == 1
    folder = copied
    if what == "the folder is copied":
        folder = copied.parent / "another"
        shutil.copytree(copied, folder, symlinks=True)
    elif what == "a dependency":
        (copied / "packaging" / "requirements.lock").write_text("")
    else:
        (copied / ".venv" / "bin" / "python").unlink()
    if what == "another Python":  # after an update of the system: it knows nothing of what the old one installed
        stub(programs / "python3.99", "exit 1")
        (copied / ".venv" / "bin" / "python").symlink_to(programs / "python3.99")
    said = call(programs, folder / "run", "--setup")
    assert said.returncode == 0, said.stderr
    assert made(programs) == (1 if what == "a dependency" else 2)
    assert call(programs, folder / "run", "--setup").stderr == "Sendoff is set up. Start it with ./run\n"


def test_what_is_missing_is_named_in_the_line_to_run(copied: Path, programs: Path) -> None:
    stub(programs / "ldconfig", "echo 'libGL.so.1 (x)'")
    stub(programs / "apt-get", "exit 1")
    said = call(programs, copied / "run")
    line = said.stderr.splitlines()[-1].split()
    assert said.returncode == 3
    assert line[:3] == ["apt-get", "install", "--no-install-recommends"]
    assert line[3:] == [one.split()[1] for one in libraries_of_qt() if not one.startswith("libGL.")]
    assert not (copied / ".venv").exists()


def test_a_system_without_apt_is_told_what_the_packages_are_called(copied: Path, programs: Path) -> None:
    stub(programs / "ldconfig", "cat /dev/null")
    said = call(programs, copied / "run")
    assert said.returncode == 3
    assert "package manager" in said.stderr
    assert "libgl1" in said.stderr


def test_no_python_that_is_new_enough(copied: Path, programs: Path) -> None:
    stub(programs / "python3", "exit 1")
    said = call(programs, copied / "run")
    assert (said.returncode, said.stdout) == (3, "")
    assert "Python 3.11" in said.stderr


def test_packages_that_cannot_be_fetched(copied: Path, programs: Path) -> None:
    stub(programs / "python3", (programs / "python3").read_text() + '[ "$2" != pip ] || exit 1')
    said = call(programs, copied / "run")
    assert said.returncode == 1
    assert said.stderr.endswith(
        "Fetching the packages of packaging/requirements.lock failed. Is this computer online?\n"
    )
    assert not list((copied / ".venv").glob(".sendoff-*"))


def test_two_at_once_set_up_one_after_the_other(copied: Path, programs: Path) -> None:
    slow = (programs / "python3").read_text() + f'[ "$2" != pip ] || {shutil.which("sleep")} 0.2'
    stub(programs / "python3", slow)
    env = {"PATH": str(programs), "HOME": str(programs)}
    both = [
        subprocess.Popen([copied / "run", "doctor"], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [one.communicate(timeout=30) for one in both]
    assert [out for out, _ in said] == ["started doctor\n"] * 2
    assert made(programs) == 1


def test_the_words_of_test(copied: Path, programs: Path) -> None:
    told = call(programs, copied / "test", "--help")
    assert told.returncode == 0
    for word in ("check", "peers", "crash", "packages", "bench", "screenshots DIR"):
        assert f"./test {word} " in told.stdout
    unknown = call(programs, copied / "test", "bananas")
    assert unknown.returncode == 2
    assert "“bananas”" in unknown.stderr
    assert not (copied / ".venv").exists()
