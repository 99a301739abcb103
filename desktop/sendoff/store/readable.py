"""Looks whether a file is what its name says: a picture that can be drawn to its end, a video in a container."""

from __future__ import annotations

import io
import struct
import warnings

DRAWN = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp", "image/tiff"})
"""The kinds of pictures that are drawn here to see whether they can be."""

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
"""The same as Pillow names them (an MPO counts as a JPEG). It is held to these: others start other programs."""

BOXED = frozenset({"image/heic", "image/heif", "image/avif"})
CONTAINERS = frozenset({
    "video/mp4", "video/quicktime", "video/x-m4v", "video/3gpp", "video/3gpp2", "video/webm", "video/x-matroska",
    "video/x-msvideo", "video/mpeg", "video/ogg",
})  # fmt: skip
BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
"""What a file of boxes begins with, after the size of the first one (ISO/IEC 14496-12 section 4.2; QuickTime)."""

HEADS = (b"\x1a\x45\xdf\xa3", b"OggS", b"\0\0\1\xba", b"\0\0\1\xb3")
"""EBML (RFC 8794 section 8.1), Ogg (RFC 3533 section 6), MPEG program and video streams (ISO/IEC 13818-1)."""


def is_readable(data: bytes, mime: str) -> bool:
    """Whether a picture can be drawn to its end, or a video begins like one; True for what can't be judged here.

    A picture of more pixels than Pillow draws unasked is not drawn.
    """
    if mime in DRAWN:
        return _can_be_drawn(data)
    if mime in BOXED:
        return data[4:8] == b"ftyp"
    return mime not in CONTAINERS or _begins_like_a_video(data)


def _can_be_drawn(data: bytes) -> bool:
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height <= (Image.MAX_IMAGE_PIXELS or 0):
                    image.draft(None, (1, 1))  # a JPEG is read whole, and drawn small
                    image.load()
            return True
        except Image.DecompressionBombError:
            return True
        except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, struct.error):
            return False


def _begins_like_a_video(data: bytes) -> bool:
    return (
        data[4:8] in BOXES
        or data.startswith(HEADS)
        or (data[:4] == b"RIFF" and data[8:12] == b"AVI ")
        or (data[:1] == b"\x47" and data[188:189] == b"\x47")  # an MPEG transport stream: packets of 188 bytes
    )
