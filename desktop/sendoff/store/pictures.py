"""Looks at pictures: what kind and size they are; and takes the place they were taken at out of them, losslessly."""

from __future__ import annotations

import io
import re
import struct
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

GPS = 0x8825
"""The tag of the GPS directory in EXIF (Exif 2.32, section 4.6.3)."""

ORIENTATION = 0x0112
"""The tag that says how a picture is turned; from 5 on it lies on its side (Exif 2.32, section 4.6.4)."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A kind, and the size in pixels as it is shown: of a picture that is turned, the turned one."""

    mime: str
    width: int
    height: int


def look(data: bytes) -> Picture | None:
    """What kind of picture the bytes are, as they show themselves; None for anything else."""
    if (
        not data.startswith((b"\xff\xd8", b"\x89PNG", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*"))
        and data[4:8] != b"ftyp"
    ):
        return None
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data)) as image:
                mime = "image/jpeg" if image.format == "MPO" else Image.MIME.get(image.format or "", "")
                sides = image.size[::-1] if _lies(image) else image.size
                return Picture(mime, *sides) if mime.startswith("image/") else None
        except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
            return None


def _lies(image: Image) -> bool:
    """Whether it is shown turned by a quarter."""
    try:
        return bool(image.getexif().get(ORIENTATION, 1) >= 5)
    except (ValueError, SyntaxError, struct.error, KeyError, OSError, TypeError):
        return False


def without_location(data: bytes, mime: str) -> bytes:
    """The same picture without its GPS data; the image itself is not touched. Other kinds come back as they are."""
    if mime == "image/jpeg":
        return _jpeg(data)
    if mime == "image/png":
        return _png(data)
    if mime == "image/webp":
        return _webp(data)
    return data


def _clean_exif(payload: bytes) -> bytes | None:
    """EXIF bytes (from the TIFF header on) without the GPS directory; None if there was none."""
    from PIL import Image

    exif = Image.Exif()
    try:
        exif.load(payload)
        if GPS not in exif:
            return None
        del exif[GPS]
        return bytes(exif.tobytes()).removeprefix(b"Exif\0\0")
    except (ValueError, SyntaxError, struct.error, KeyError, OSError):
        return b""  # unreadable: it may hold a place, so it goes as a whole


def _jpeg(data: bytes) -> bytes:
    """Rewrites the APP1 segments before the image data (JPEG, ITU-T T.81 annex B; Exif 2.32 section 4.5)."""
    out, at = bytearray(data[:2]), 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0xDA, 0xD9):
        size = struct.unpack(">H", data[at + 2 : at + 4])[0] + 2
        segment = data[at : at + size]
        at += size
        if segment[1] == 0xE1 and segment[4:10] == b"Exif\0\0":
            cleaned = _clean_exif(segment[10:])
            if cleaned is not None:
                if cleaned:
                    out += b"\xff\xe1" + struct.pack(">H", len(cleaned) + 8) + b"Exif\0\0" + cleaned
                continue
        elif segment[1] == 0xE1 and _may_say_where(segment[4:]):
            continue
        out += segment
    return bytes(out) + _with_blank_exif(data[at:])


def _may_say_where(payload: bytes) -> bool:
    """Whether an APP1 segment is XMP with a place, or a piece of a long one, of which no piece tells by itself."""
    return payload.startswith(b"http://ns.adobe.com/xmp/extension/") or (
        payload.startswith(b"http://ns.adobe.com/xap/1.0/") and b"GPS" in payload
    )


def _with_blank_exif(rest: bytes) -> bytes:
    """The image data; more pictures may stand behind it (CIPA DC-007), found by their distance from its beginning. So
    their EXIF and XMP are blanked, not taken out."""
    out = bytearray(rest)
    for hit in _APP1.finditer(rest, max(rest.find(b"\xff\xd9"), 0)):
        size = struct.unpack(">H", hit[1])[0]
        start, end = hit.end(1), min(hit.start(1) + size, len(out))
        out[start:end] = bytes(end - start)
    return bytes(out)


_APP1 = re.compile(rb"\xff\xe1(..)(?=Exif\0\0|http://ns\.adobe\.com/x)", re.DOTALL)


def _png(data: bytes) -> bytes:
    """Rewrites the eXIf chunk (PNG specification, third edition, section 11.3.4.5)."""
    import zlib

    out, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        size = struct.unpack(">I", data[at : at + 4])[0] + 12
        chunk = data[at : at + size]
        at += size
        if chunk[4:8] == b"eXIf":
            cleaned = _clean_exif(chunk[8:-4])
            if cleaned is not None:
                if cleaned:
                    body = b"eXIf" + cleaned
                    out += struct.pack(">I", len(cleaned)) + body + struct.pack(">I", zlib.crc32(body))
                continue
        elif (
            chunk[4:8] in (b"iTXt", b"tEXt", b"zTXt")
            and chunk[8:].startswith((b"XML:com.adobe.xmp", b"Raw profile type"))
            and (b"GPS" in chunk or not _is_plain_xmp(chunk))
        ):
            continue
        out += chunk
    return bytes(out) + data[at:]


def _is_plain_xmp(chunk: bytes) -> bool:
    """Whether a text chunk holds readable XMP; what is packed or written in hex may hold a place that nobody sees."""
    return chunk[4:8] == b"iTXt" and chunk[8:].startswith(b"XML:com.adobe.xmp\0\0")


def _webp(data: bytes) -> bytes:
    """Rewrites the EXIF and XMP chunks (RFC 9649 sections 2.7.1.5 and 2.7.1.4)."""
    out, at, flags = bytearray(), 12, 0
    while at + 8 <= len(data):
        size = struct.unpack("<I", data[at + 4 : at + 8])[0]
        chunk = data[at : at + 8 + size + size % 2]
        at += len(chunk)
        if chunk[:4] == b"EXIF":
            cleaned = _clean_exif(chunk[8 : 8 + size].removeprefix(b"Exif\0\0"))
            if cleaned is not None:
                chunk = b"EXIF" + struct.pack("<I", len(cleaned)) + cleaned + b"\0" * (len(cleaned) % 2)
        elif chunk[:4] == b"XMP " and b"GPS" in chunk:
            flags |= 0x04
            continue
        out += chunk
    if flags and out[:4] == b"VP8X":
        out[8] &= ~flags  # the header says what there is
    return data[:4] + struct.pack("<I", len(out) + 4) + data[8:12] + bytes(out)
