"""Makes a copy of a picture that fits what an endpoint takes: recompressed first, then with fewer pixels.

Nothing here touches the original. An animated picture stays animated; a picture keeps what can be seen through.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sendoff.domain import forms
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.errors import BadInput
from sendoff.domain.limits import size_text

if TYPE_CHECKING:
    from PIL.Image import Image

QUALITIES = (92, 86, 80)
"""JPEG and WebP qualities that are tried at each size, from one where no difference is seen to one where few see it."""

SMALLEST = 320
"""Pixels. The longer side gets no shorter than this, or than half of a picture that is small already."""

MOST_PIXELS = 160_000_000
"""Larger pictures are not opened: they would take most of a computer's memory."""

HOPELESS = 2.5
"""How many times too large a copy may be for the lower qualities at the same size to be worth trying."""

_KEPT_EXIF = (0x013B, 0x8298)  # artist and copyright; the picture is turned upright, so no orientation


@dataclass(frozen=True, slots=True)
class Made:
    """The bytes of a copy. `width` and `height` are in pixels."""

    data: bytes
    mime: str
    width: int
    height: int


def made_to_fit(data: bytes, mime: str, figures: Capabilities) -> Made:
    """A copy within the endpoint's bytes and pixels, of a kind that it takes, with as much of the picture as fits.

    Raises:
        BadInput: it is no picture that can be opened, or cannot be made small enough.
    """
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data)) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise BadInput(
                        f"The picture has {image.width * image.height / 1e6:.0f} megapixels, too many to open."
                    )
                animated = getattr(image, "is_animated", False)
                source = _Animation(image, mime, figures) if animated else _Still(image, mime, figures)
                made = _first_that_fits(source, figures)
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as wrong:
            raise BadInput(f"The picture can’t be opened: {wrong}.") from None
    if made is None:
        most = size_text(figures.image_bytes or 0)
        raise BadInput(f"The picture can’t be brought to {most} without losing what is on it. Use another one.")
    return made


def _first_that_fits(source: _Still | _Animation, figures: Capabilities) -> Made | None:
    """Tries sizes, each smaller by what the last one had too much."""
    width, height = source.size
    most = figures.image_bytes
    scale = min(1.0, math.sqrt(figures.image_pixels / (width * height)) if figures.image_pixels else 1.0)
    smallest = min(SMALLEST / max(width, height), 0.5)
    while True:
        size = (max(int(width * scale), 1), max(int(height * scale), 1))
        least = math.inf
        for made in source.copies(size, most):
            if most is None or len(made.data) <= most:
                return made
            least = min(least, len(made.data))
        if most is None or scale <= smallest:
            return None
        scale = max(scale * min(0.9, math.sqrt(most / least) * 0.98), smallest)


def _kind(mime: str, figures: Capabilities, *others: str) -> str:
    """The kind of the copy: the picture's own, else the first of the others that the endpoint takes."""
    found = next((one for one in (mime, *others) if one in forms.WRITABLE and forms.takes_kind(figures, one)), None)
    if found is None:
        raise BadInput("No kind of picture that can be made of this one is taken there.")
    return found


class _Still:
    """A picture without motion, upright, in colours that every kind of file can hold."""

    def __init__(self, image: Image, mime: str, figures: Capabilities) -> None:
        from PIL import ImageOps

        self._profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA", "L", "LA", "P", "PA") else None
        self._exif = _kept(image)
        upright: Image = ImageOps.exif_transpose(image)
        self._image = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
        if self._image.mode == "RGBA" and self._image.getchannel("A").getextrema() == (255, 255):
            self._image = self._image.convert("RGB")  # nothing can be seen through it after all
        self.size = self._image.size
        self._kinds = self._in_order(mime, figures)

    def _in_order(self, mime: str, figures: Capabilities) -> list[str]:
        """What it is tried as at each size. A drawing stays as sharp as it is where that is small enough."""
        clear = self._image.mode == "RGBA"
        own = "" if mime == ("image/jpeg" if clear else "image/gif") else mime
        photo = ("image/webp",) if clear else ("image/jpeg", "image/webp")
        first = _kind(own, figures, *(("image/png", *photo, "image/gif") if clear else (*photo, "image/png")))
        if first != "image/png":
            return [first]
        return [first, *[one for one in photo if forms.takes_kind(figures, one)][:1]]

    def copies(self, size: tuple[int, int], most: int | None) -> Iterator[Made]:
        """The picture in this size, the best first, as long as there is hope to get below `most` bytes."""
        from PIL.Image import Resampling

        image = self._image if size == self.size else self._image.resize(size, Resampling.LANCZOS)
        kinds, self._kinds = self._kinds, self._kinds[-1:]  # as it is, a drawing is tried in full size alone
        for kind in kinds:
            for quality in QUALITIES if kind in ("image/jpeg", "image/webp") else (None,):
                data = self._written(image, kind, quality)
                yield Made(data, kind, *size)
                if most is not None and len(data) > HOPELESS * most:
                    break

    def _written(self, image: Image, kind: str, quality: int | None) -> bytes:
        how: dict[str, Any] = {"icc_profile": self._profile} if self._profile else {}
        if kind != "image/gif" and self._exif:
            how["exif"] = self._exif
        if kind == "image/jpeg":
            how |= {"quality": quality, "subsampling": 0 if quality == QUALITIES[0] else 2}
            with suppress(OSError):  # Pillow keeps too little room for the tables of very grainy pictures
                return _saved(lambda to: image.save(to, "JPEG", **how, optimize=True, progressive=True))
        elif kind == "image/webp":
            how |= {"quality": quality, "method": 4}
        return _saved(lambda to: image.save(to, _FORMATS[kind], **how))


class _Animation:
    """A picture that moves: every frame at its time."""

    def __init__(self, image: Image, mime: str, figures: Capabilities) -> None:
        self._kind = _kind(mime, figures, "image/gif", "image/webp")
        self._loop = image.info.get("loop")
        self._frames: list[Image] = []
        self._durations: list[int] = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            self._frames.append(image.convert("RGBA"))
            self._durations.append(round(image.info.get("duration", 100)))  # known for some kinds once it was read
        self.size = image.size

    def copies(self, size: tuple[int, int], most: int | None) -> Iterator[Made]:
        """All frames in this size, once: there is but one quality."""
        from PIL.Image import Resampling

        frames = [one if size == self.size else one.resize(size, Resampling.LANCZOS) for one in self._frames]
        how: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "duration": self._durations}
        if self._loop is not None:
            how["loop"] = self._loop
        if self._kind == "image/gif":
            how |= {"disposal": 2, "optimize": True}
        elif self._kind == "image/webp":
            how |= {"quality": 80, "method": 2}
        data = _saved(lambda to: frames[0].save(to, _FORMATS[self._kind], **how))
        yield Made(data, self._kind, *size)


_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}


def _saved(save: Callable[[io.BytesIO], object]) -> bytes:
    target = io.BytesIO()
    save(target)
    return target.getvalue()


def _kept(image: Image) -> bytes:
    """Who made the picture and whose it is, as EXIF; nothing else goes over, least of all the place."""
    from PIL.Image import Exif

    kept, known = Exif(), image.getexif()
    for tag in _KEPT_EXIF:
        if tag in known:
            kept[tag] = known[tag]
    return kept.tobytes() if len(kept) else b""
