"""`./test crash`: the matrix with the worlds of the property test, the planted bugs, or a soak of random kills."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

MATRIX = [str(Path(__file__).with_name(f"{name}.py")) for name in ("matrix", "faults", "mail", "machine", "order")]
WORLDS = str(Path(__file__).parents[1] / "engine" / "test_properties.py")
"""One test of some minutes, so it begins first."""

PROCESSES = 2 * (os.cpu_count() or 1)
"""Cells mostly wait for processes, so more of them run side by side than there are processors."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="./test crash", description=__doc__)
    parser.add_argument("--mutants", nargs="?", const="", metavar="NAME",
                        help="plant bugs (all, or those named so) and see that cells turn red")  # fmt: skip
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="kill a busy sender at random, again and again")
    parser.add_argument("--seed", type=int, help="of the soak's chance, to play it again")
    parser.add_argument("-n", type=int, default=PROCESSES, metavar="N", help=f"cells side by side ({PROCESSES})")
    arguments, more = parser.parse_known_args()
    if arguments.mutants is not None:
        from tests.crash import mutants

        return mutants.run(arguments.mutants, arguments.n)
    if arguments.soak:
        from tests.crash import soak

        return soak.run(arguments.soak, arguments.seed)
    words = ["-n", str(arguments.n), "--dist", "load", *more]
    red = Red()
    os.environ.setdefault("SENDOFF_PROPERTIES", "wide")
    what = [] if any(one.startswith("tests/") for one in more) else [WORLDS, *MATRIX]
    code = int(pytest.main([*what, *words], plugins=[red]))
    if code == pytest.ExitCode.TESTS_FAILED and red.are_only_slow:
        print(f"== {len(red.cells)} cells did not come to rest in time; once more, each alone: {', '.join(red.cells)}")
        return subprocess.run([sys.executable, "-m", "pytest", "-n", "0", *red.cells], check=False).returncode
    return code


class Red:
    """The cells that turned red. One that did not come to rest in time proves nothing about a state: the machine may
    have been busy, so it is played once more. One that came to rest in a wrong state is red for good.
    """

    def __init__(self) -> None:
        self.cells: list[str] = []
        self.are_only_slow = True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.cells.append(report.nodeid)
            self.are_only_slow &= "NeverRests" in report.longreprtext


if __name__ == "__main__":
    sys.exit(main())
