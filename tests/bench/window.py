"""`python -m tests.bench.window paint|idle`: the real window on SENDOFF_HOME, and one line of JSON about it."""

import time

BEGAN = time.perf_counter()

from sendoff import haste  # noqa: E402

haste.begin()

import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from sendoff.store import profile  # noqa: E402
from sendoff.ui import session  # noqa: E402


def paint(window: session.Session) -> None:
    """Says when the first frame was painted and what was loaded by then, when the rail was, and ends."""
    milliseconds, loaded = (time.perf_counter() - BEGAN) * 1000, set(sys.modules)
    window.furnish()
    rail = (time.perf_counter() - BEGAN) * 1000
    from tests.bench.desktop import HEAVY

    heavy = [name for name in HEAVY if name in loaded]
    print(json.dumps({"ms": milliseconds, "rail_ms": rail, "heavy": heavy}), flush=True)
    os._exit(0)


def idle(window: session.Session) -> None:
    """Waits until the engine has come to rest, then looks at what doing nothing costs."""
    from PySide6.QtCore import QTimer

    from tests.bench.desktop import IDLE_SECONDS, usage

    def begin() -> None:
        seconds, _ = usage()
        QTimer.singleShot(round(IDLE_SECONDS * 1000), lambda: end(seconds))

    def end(before: float) -> None:
        seconds, megabytes = usage()
        share = 100 * (seconds - before) / IDLE_SECONDS
        print(json.dumps({"idle_mb": round(megabytes, 1), "idle_cpu_percent": round(share, 3)}), flush=True)
        window.quit()

    window.hurry()
    QTimer.singleShot(4000, begin)


def main(what: str) -> int:
    folder = profile.open_folder(Path(os.environ["SENDOFF_HOME"]))
    app = session.make_application()
    one = session.Session(app, folder)
    one.window.painted.disconnect(one.hurry)
    one.window.painted.connect(lambda: {"paint": paint, "idle": idle}[what](one))
    code = app.exec()
    one.ended()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
