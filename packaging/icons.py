"""Draws the program's icon in the sizes that menus want: icons.py FILE.svg TEMPLATE SIZE... (SIZE in TEMPLATE)."""

import sys

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer


def main(drawing: str, template: str, *sizes: str) -> None:
    app = QGuiApplication([])
    renderer = QSvgRenderer(drawing)
    for size in sizes:
        image = QImage(int(size), int(size), QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        if not image.save(template.replace("SIZE", size)):
            sys.exit(f"{template.replace('SIZE', size)} could not be written")
    del app


if __name__ == "__main__":
    main(*sys.argv[1:])
