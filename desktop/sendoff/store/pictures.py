"""Looks at pictures: what kind and size they are; and takes the place they were taken at out of them, losslessly."""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass

GPS = 0x8825
"""The tag of the GPS directory in EXIF (Exif 2.32, section 4.6.3)."""


@dataclass(frozen=True, slots=True)
class Picture:
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
                mime = Image.MIME.get(image.format or "", "")
                return Picture(mime, image.width, image.height) if mime.startswith("image/") else None
        except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
            return None


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
        elif segment[1] == 0xE1 and b"http://ns.adobe.com/xap/1.0/" in segment[:40] and b"GPS" in segment:
            continue
        out += segment
    return bytes(out) + data[at:]


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
            and b"GPS" in chunk
        ):
            continue
        out += chunk
    return bytes(out) + data[at:]


def _webp(data: bytes) -> bytes:
    """Rewrites the EXIF chunk (RFC 9649 section 2.7)."""
    out, at = bytearray(), 12
    while at + 8 <= len(data):
        size = struct.unpack("<I", data[at + 4 : at + 8])[0]
        chunk = data[at : at + 8 + size + size % 2]
        at += len(chunk)
        if chunk[:4] == b"EXIF":
            cleaned = _clean_exif(chunk[8 : 8 + size].removeprefix(b"Exif\0\0"))
            if cleaned is not None:
                chunk = b"EXIF" + struct.pack("<I", len(cleaned)) + cleaned + b"\0" * (len(cleaned) % 2)
        out += chunk
    return data[:4] + struct.pack("<I", len(out) + 4) + data[8:12] + bytes(out)
