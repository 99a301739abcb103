"""Puts drawings of one size each into one Windows icon: ico.py FILE.ico SIZE.png..."""

import sys

from PIL import Image


def main(target: str, *drawings: str) -> None:
    images = sorted((Image.open(one) for one in drawings), key=lambda image: image.width)
    sizes = [image.size for image in images]
    images[-1].save(target, sizes=sizes, append_images=images[:-1], bitmap_format="bmp")


if __name__ == "__main__":
    main(*sys.argv[1:])
