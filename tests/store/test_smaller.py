"""Copies of pictures that fit: within bytes and pixels, of a kind that is taken, and still the same picture."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from sendoff.domain.capabilities import Capabilities
from sendoff.domain.errors import BadInput
from sendoff.domain.forms import best_form, fits
from sendoff.domain.post import Attachment
from sendoff.store import pictures
from sendoff.store.media import Media
from sendoff.store.smaller import made_to_fit

TAKES = Capabilities(checked="2026-11-27", media=4, media_types=("image/",), image_bytes=60_000)


@lru_cache(maxsize=8)
def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """A picture that compresses badly: grain over a slope, red on the left and blue on the right."""
    small = (width // 3, height // 3)
    grain = Image.frombytes("L", small, random.Random(7).randbytes(small[0] * small[1])).resize((width, height))
    slope = Image.linear_gradient("L").rotate(90).resize((width, height))
    image = Image.merge("RGB", (slope.point(lambda v: 255 - v), grain, slope))
    if mode == "RGBA":
        image.putalpha(slope)
    return image


def written(image: Image.Image, kind: str, **how: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **how)
    return target.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize(
    ("mode", "kind", "becomes"),
    [
        ("RGB", "JPEG", "image/jpeg"),
        ("RGB", "PNG", "image/jpeg"),
        ("RGB", "WEBP", "image/webp"),
        ("RGBA", "PNG", "image/webp"),
        ("RGBA", "WEBP", "image/webp"),
        ("P", "GIF", "image/jpeg"),
        ("CMYK", "JPEG", "image/jpeg"),
        ("LA", "PNG", "image/webp"),
        ("I;16", "PNG", "image/jpeg"),
    ],
)
def test_every_kind_of_picture_can_be_made_to_fit(mode: str, kind: str, becomes: str) -> None:
    if mode == "I;16":
        image = Image.new("I;16", (300, 300), 40_000)
        figures = replace(TAKES, image_bytes=900)
    else:
        image, figures = noise(500, 400, "RGBA" if mode in ("RGBA", "LA") else "RGB").convert(mode), TAKES
    data = written(image, kind)
    made = made_to_fit(data, Image.MIME[kind], figures)
    assert len(made.data) <= (figures.image_bytes or 0) < len(data) or mode == "I;16"
    found = opened(made.data)
    assert (Image.MIME[found.format or ""], found.size) == (made.mime, (made.width, made.height))
    assert made.mime == becomes or (mode == "I;16" and made.mime == "image/png")
    assert abs(made.width / made.height - image.width / image.height) < 0.02
    if mode not in ("I;16", "LA"):
        left, right = (found.convert("RGB").getpixel((x, made.height // 2)) for x in (2, made.width - 3))
        assert isinstance(left, tuple)
        assert isinstance(right, tuple)
        assert left[0] > left[2] or mode == "CMYK"
        assert right[2] > right[0] or mode == "CMYK"
    assert found.has_transparency_data is (mode in ("RGBA", "LA"))


def test_recompressing_comes_before_losing_pixels() -> None:
    data = written(noise(500, 400), "JPEG", quality=100, subsampling=0)
    made = made_to_fit(data, "image/jpeg", replace(TAKES, image_bytes=len(data) * 9 // 10))
    assert (made.width, made.height) == (500, 400)


def test_a_drawing_stays_a_png_where_that_is_small_enough() -> None:
    flat = Image.new("RGB", (600, 600), "white")
    flat.paste("navy", (100, 100, 400, 300))
    data = written(flat, "PNG", compress_level=0)
    made = made_to_fit(data, "image/png", replace(TAKES, image_bytes=20_000))
    assert made.mime == "image/png"
    assert opened(made.data).convert("RGB").tobytes() == flat.tobytes()  # not one pixel differs


def test_pixels_are_a_limit_of_their_own() -> None:
    made = made_to_fit(
        written(noise(500, 400), "JPEG"), "image/jpeg", replace(TAKES, image_bytes=None, image_pixels=50_000)
    )
    assert 45_000 < made.width * made.height <= 50_000


def test_only_kinds_that_are_taken_are_made() -> None:
    only = replace(TAKES, media_types=("image/jpeg", "image/png"), image_bytes=200_000)
    assert made_to_fit(written(noise(500, 400), "WEBP"), "image/webp", only).mime == "image/jpeg"
    assert made_to_fit(written(noise(500, 400, "RGBA"), "WEBP"), "image/webp", only).mime == "image/png"
    with pytest.raises(BadInput, match="No kind of picture"):
        made_to_fit(written(noise(500, 400), "PNG"), "image/png", replace(TAKES, media_types=("image/svg+xml",)))


def test_it_stands_upright_and_says_who_made_it_but_not_where() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x013B], exif[0x8298], exif[0x0110] = 6, "Ada", "Ada 2026", "SerialCam 9"
    exif.get_ifd(pictures.GPS)[1] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = written(noise(500, 300), "JPEG", exif=exif, icc_profile=profile, quality=98)
    made = made_to_fit(data, "image/jpeg", TAKES)
    found = opened(made.data)
    assert made.height > made.width  # turned by 90°
    assert dict(found.getexif()) == {0x013B: "Ada", 0x8298: "Ada 2026"}
    assert found.info["icc_profile"] == profile


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_what_moves_keeps_moving(kind: str) -> None:
    frames = [noise(120, 90).rotate(90 * turn).convert("RGB") for turn in range(4)]
    data = written(frames[0], kind, save_all=True, append_images=frames[1:], duration=[80, 120, 160, 200], loop=3)
    made = made_to_fit(data, Image.MIME[kind], replace(TAKES, image_bytes=len(data) * 2 // 3))
    found = opened(made.data)
    assert found.n_frames == 4  # type: ignore[attr-defined]
    times = []
    for number in range(4):
        found.seek(number)
        found.load()
        times.append(found.info["duration"])
    assert times == [80, 120, 160, 200]
    assert found.info["loop"] == 3
    assert len(made.data) <= len(data) * 2 // 3


@pytest.mark.parametrize("data", [b"", b"no picture", written(noise(50, 40), "PNG")[:90]])
def test_what_cannot_be_opened_is_told(data: bytes) -> None:
    with pytest.raises(BadInput, match="can’t be opened"):
        made_to_fit(data, "image/png", TAKES)


def test_what_cannot_be_made_small_enough_is_told_and_nothing_is_made_of_it() -> None:
    with pytest.raises(BadInput, match="can’t be brought to 900 B"):
        made_to_fit(written(noise(500, 400), "JPEG"), "image/jpeg", replace(TAKES, image_bytes=900))


def test_a_huge_picture_is_not_even_opened() -> None:
    head = written(Image.new("1", (20_000, 8_100)), "PNG")
    with pytest.raises(BadInput, match="162 megapixels"):
        made_to_fit(head, "image/png", TAKES)


def test_the_copy_goes_where_the_original_does_not_fit_and_keeps_its_words(tmp_path: Path) -> None:
    media = Media(tmp_path)
    original = media.attach_bytes(written(noise(500, 400), "PNG"), "pier.png", "image/png", alt="The pier")
    tight, tighter = TAKES, replace(TAKES, image_bytes=30_000)
    both = media.fit(media.fit(original, tight), tighter)
    assert (both.sha256, both.size, both.alt) == (original.sha256, original.size, "The pier")
    assert media.names() == {one.sha256 for one in both.forms}
    for figures in (tight, tighter):
        form = best_form(both, figures)
        assert fits(form, figures)
        assert (form.name, form.alt, form.copies) == ("pier.png", "The pier", ())
        assert form.size == len(media.read(form.sha256))
    assert best_form(both, tight).size > best_form(both, tighter).size
    assert best_form(both, replace(TAKES, image_bytes=None)) is both
    nobody = replace(TAKES, image_bytes=5)
    assert best_form(both, nobody) is both
    assert best_form(Attachment("a", "v.mp4", "video/mp4", 9), tight).mime == "video/mp4"
