"""`python -m tests.bench.bare`: milliseconds until an empty window of Qt is painted, the least that is possible."""

import time

BEGAN = time.perf_counter()

from sendoff import haste  # noqa: E402

haste.begin()

import os  # noqa: E402

from PySide6.QtGui import QPaintEvent  # noqa: E402
from PySide6.QtWidgets import QApplication, QWidget  # noqa: E402


class Empty(QWidget):
    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        print(f'{{"ms": {(time.perf_counter() - BEGAN) * 1000}, "heavy": []}}', flush=True)
        os._exit(0)


if __name__ == "__main__":
    application = QApplication([])
    window = Empty()
    window.show()
    application.exec()
