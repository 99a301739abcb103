"""Files are copied once by content; what was chosen is what is sent; the place a picture was taken at stays here."""

from __future__ import annotations

import io
import stat
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sendoff.bootstrap import Program
from sendoff.domain.errors import BadInput, NotFound
from sendoff.domain.post import Content, Item, Role, Variant
from sendoff.store import media, pictures, posts
from sendoff.store.media import Media
from sendoff.store.readable import is_readable
from sendoff.store.unsaved import Unsaved

BERLIN = {1: "N", 2: (52.0, 31.0, 0.0), 3: "E", 4: (13.0, 24.0, 0.0)}


def picture(kind: str = "JPEG", *, gps: bool = True) -> bytes:
    image = Image.effect_noise((40, 30), 50).convert("RGB")
    exif = Image.Exif()
    exif[0x010F] = "Camera"  # Make
    if gps:
        exif.get_ifd(pictures.GPS).update(BERLIN)
    out = io.BytesIO()
    image.save(out, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize(("kind", "mime"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_the_place_is_taken_out_and_nothing_else(kind: str, mime: str) -> None:
    before = picture(kind)
    assert opened(before).getexif().get_ifd(pictures.GPS)
    after = pictures.without_location(before, mime)
    assert not opened(after).getexif().get_ifd(pictures.GPS)
    assert opened(after).getexif()[0x010F] == "Camera"
    assert list(opened(after).get_flattened_data()) == list(opened(before).get_flattened_data())


@pytest.mark.parametrize(("kind", "mime"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_a_picture_without_a_place_is_not_touched(kind: str, mime: str) -> None:
    data = picture(kind, gps=False)
    assert pictures.without_location(data, mime) == data


def test_unreadable_exif_goes_as_a_whole() -> None:
    data = picture()
    start = data.index(b"Exif\0\0") + 6
    broken = data[:start] + b"garbage!" + data[start + 8 :]
    after = pictures.without_location(broken, "image/jpeg")
    assert b"Exif" not in after
    assert list(opened(after).get_flattened_data()) == list(opened(data).get_flattened_data())


XMP = (
    b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    b"<rdf:Description xmlns:exif='http://ns.adobe.com/exif/1.0/' exif:GPSLatitude='52,31N'/></rdf:RDF></x:xmpmeta>"
)


def with_xmp(kind: str) -> bytes:
    """A picture whose place stands in XMP, as the kind of file writes it."""
    image, out, how = Image.effect_noise((40, 30), 50).convert("RGB"), io.BytesIO(), {}
    if kind == "PNG":
        how["pnginfo"] = PngInfo()
        how["pnginfo"].add_text("Raw profile type APP1", XMP.hex(), zip=True)  # as ImageMagick writes it
        how["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=True)
        how["pnginfo"].add_text("Author", "Ada")
    else:
        how["xmp"] = XMP
    image.save(out, kind, **how)
    return out.getvalue()


@pytest.mark.parametrize(("kind", "mime"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_a_place_in_xmp_goes_too(kind: str, mime: str) -> None:
    before = with_xmp(kind)
    assert "xmp" in opened(before).info or kind == "PNG"
    after = pictures.without_location(before, mime)
    assert "xmp" not in opened(after).info
    assert set(opened(after).info) & {"Raw profile type APP1", "XML:com.adobe.xmp"} == set()
    assert list(opened(after).get_flattened_data()) == list(opened(before).get_flattened_data())
    assert opened(after).info.get("Author") == ("Ada" if kind == "PNG" else None)


def test_pictures_behind_the_first_do_not_tell_either() -> None:
    """As phones write them: a second picture for depth or light behind the first, with its own EXIF."""
    place, second = Image.Exif(), Image.effect_noise((20, 10), 50).convert("RGB")
    place.get_ifd(pictures.GPS).update(BERLIN)
    second.encoderinfo = {"exif": place.tobytes()}  # type: ignore[attr-defined]
    out = io.BytesIO()
    Image.effect_noise((40, 30), 50).convert("RGB").save(
        out, "MPO", save_all=True, append_images=[second], exif=place.tobytes()
    )
    assert pictures.look(out.getvalue()) == pictures.Picture("image/jpeg", 40, 30)
    after = pictures.without_location(out.getvalue(), "image/jpeg")
    found = opened(after)
    assert found.n_frames == 2  # type: ignore[attr-defined]
    for number in (0, 1):
        found.seek(number)
        found.load()
        assert not found.getexif().get_ifd(pictures.GPS)
    assert b"GPS" not in after
    assert b"Exif" not in after[after.index(b"\xff\xd9") :]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_that_lies_on_its_side_is_measured_as_it_is_shown_and_stays_turned(tmp_path: Path, kind: str) -> None:
    exif = Image.Exif()
    exif[pictures.ORIENTATION] = 6
    exif.get_ifd(pictures.GPS).update(BERLIN)
    out = io.BytesIO()
    Image.new("RGB", (40, 30)).save(out, kind, exif=exif)
    attachment = Media(tmp_path).attach_bytes(out.getvalue(), "a", "", alt="")
    assert (attachment.width, attachment.height) == (30, 40)
    kept = opened(Media(tmp_path).read(attachment.sha256)).getexif()
    assert (kept[pictures.ORIENTATION], dict(kept.get_ifd(pictures.GPS))) == (6, {})


def test_a_gif_that_moves_is_kept_as_it_is(tmp_path: Path) -> None:
    frames, out = [Image.new("P", (9, 9), color) for color in range(3)], io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    attachment = Media(tmp_path).attach_bytes(out.getvalue(), "a.gif", "image/gif")
    assert Media(tmp_path).read(attachment.sha256) == out.getvalue()


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff\xd8\xff", b"\x89PNG broken", b"RIFFxxxxWEBP"])
def test_what_is_no_picture_is_none(data: bytes) -> None:
    assert pictures.look(data) is None


KINDS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif", "MPO": "image/jpeg"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_is_not_whole_is_told(tmp_path: Path, kind: str) -> None:
    out = io.BytesIO()
    noise = Image.effect_noise((400, 300), 50).convert("RGB")
    noise.save(out, kind, **({"save_all": True, "append_images": [noise]} if kind == "MPO" else {}))
    whole, media = out.getvalue(), Media(tmp_path)
    assert not media.attach_bytes(whole, "x", KINDS[kind]).unreadable
    assert media.attach_bytes(whole[: len(whole) // 4], "x", KINDS[kind]).unreadable
    assert media.attach_bytes(whole[:24], "x", KINDS[kind]).unreadable
    assert media.attach_bytes(b"a text", "x", KINDS[kind], role=Role.INLINE).unreadable
    assert not media.attach_bytes(b"a text", "x", KINDS[kind], role=Role.ATTACHMENT).unreadable


@pytest.mark.parametrize(
    ("data", "mime", "readable"),
    [
        (b"\0\0\0\x20ftypisom", "video/mp4", True),
        (b"\0\0\0\x08wide\0\0\x10\0mdat", "video/quicktime", True),
        (b"\x1a\x45\xdf\xa3\x9f", "video/webm", True),
        (b"RIFF\x24\0\0\0AVI LIST", "video/x-msvideo", True),
        (b"\0\0\1\xba\x44", "video/mpeg", True),
        (b"<html>404</html>", "video/mp4", False),
        (b"RIFF\x24\0\0\0WAVEfmt ", "video/x-msvideo", False),
        (b"\0\0\0\x20ftypheic", "image/heic", True),
        (b"a text", "image/heic", False),
        (b"P6 1 1 255\n\0\0\0", "image/png", False),  # Pillow has readers for this and much more
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", True),
        (b"anything", "application/octet-stream", True),
    ],
)
def test_what_is_not_what_it_is_called_is_told(data: bytes, mime: str, readable: bool) -> None:
    assert is_readable(data, mime) is readable


@pytest.mark.parametrize("side", [12_000, 16_000])
def test_a_picture_of_too_many_pixels_is_not_drawn(side: int) -> None:
    out = io.BytesIO()
    Image.new("1", (side, side)).save(out, "PNG")
    assert is_readable(out.getvalue()[:2000], "image/png")  # drawing it would find that it is cut off


def test_a_file_is_copied_and_later_changes_do_not_matter(tmp_path: Path) -> None:
    media, source = Media(tmp_path / "profile"), tmp_path / "Büro.png"
    source.write_bytes(picture("PNG", gps=False))
    (tmp_path / "profile").mkdir()
    attachment = media.attach(source, alt="an office")
    source.write_bytes(b"something else")
    assert (attachment.name, attachment.mime, attachment.width, attachment.height) == ("Büro.png", "image/png", 40, 30)
    assert media.read(attachment.sha256) == picture_bytes(media, attachment.sha256)
    assert opened(media.read(attachment.sha256)).size == (40, 30)
    assert stat.S_IMODE(media.path(attachment.sha256).stat().st_mode) == 0o600


def picture_bytes(media: Media, sha256: str) -> bytes:
    return media.path(sha256).read_bytes()


def test_the_place_goes_when_attaching_unless_wanted(tmp_path: Path) -> None:
    source = tmp_path / "a.jpg"
    source.write_bytes(picture())
    media = Media(tmp_path)
    assert not opened(media.read(media.attach(source).sha256)).getexif().get_ifd(pictures.GPS)
    kept = media.attach(source, strip_location=False)
    assert opened(media.read(kept.sha256)).getexif().get_ifd(pictures.GPS)


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n", "text/vtt"), (b"\xef\xbb\xbfWEBVTT\n", "text/vtt"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nHi\n", "text/plain"),
    ],
)  # fmt: skip
def test_captions_are_told_by_what_is_in_them(tmp_path: Path, data: bytes, mime: str) -> None:
    (tmp_path / "trip.pt-BR.vtt").write_bytes(data)
    made = Media(tmp_path).attach(tmp_path / "trip.pt-BR.vtt")
    assert (made.mime, made.language) == (mime, "pt-BR")


def test_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    media = Media(tmp_path)
    assert media.keep(b"x") == media.keep(b"x")
    assert len(media.names()) == 1
    media.discard(media.keep(b"x"))
    assert media.names() == set()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "is not a file|Is a directory"),
        pytest.param(
            lambda path: path.symlink_to("/proc/self/mem"),
            "can’t be attached: Input/output error",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="a file whose reading fails"),
        ),
        (lambda path: path.write_bytes(b""), "is empty"),
    ],
)
def test_what_cannot_be_attached_is_refused_with_a_reason(tmp_path: Path, make: object, says: str) -> None:
    make(tmp_path / "x.pdf")  # type: ignore[operator]
    with pytest.raises(BadInput, match=says):
        Media(tmp_path).attach(tmp_path / "x.pdf", role=Role.ATTACHMENT)


def test_a_name_is_cleaned_of_folders_and_control_characters(tmp_path: Path) -> None:
    attachment = Media(tmp_path).attach_bytes(b"x", "..\\..\\e\nvil\u202e.txt", "text/plain")
    assert attachment.name == "evil.txt"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="Attach it again"):
        Media(tmp_path).path("0" * 64)


def test_files_that_no_post_names_are_deleted_when_no_copy_can_name_them(program: Program) -> None:
    commands = program.commands
    kept, own, gone = (
        program.media.attach_bytes(data, "a.bin", "application/x", alt="") for data in (b"1", b"2", b"3")
    )
    account = commands.accounts.add("practice", "Practice", {})
    everyone = Content((Item("a picture", (kept,)),))
    commands.posts.save_draft(everyone, [Variant(account, Content((Item("own", (own,)),)))])
    old, _ = commands.posts.save_draft(Content((Item("b", (gone,)),)), [])
    commands.posts.delete_draft(old)

    def swept(after: timedelta) -> int:
        with program.store.writing() as connection:
            found = program.media.sweep(media.used(connection, []), datetime.now(UTC) + after)
            media.forget(connection, found)
        return len(found)

    assert swept(timedelta(days=34)) == 0
    assert swept(timedelta(days=36)) == 1
    assert program.media.names() == {kept.sha256, own.sha256}
    again = program.media.attach_bytes(b"3", "a.bin", "application/x")
    assert program.media.read(again.sha256) == b"3"


def test_a_file_stays_for_five_weeks_after_it_was_wanted_last(program: Program) -> None:
    """However old it is: its draft may have been deleted a moment ago, and can be put back."""
    commands = program.commands
    file = program.media.attach_bytes(b"1", "a.bin", "application/x")
    post_id, _ = commands.posts.save_draft(Content((Item("a", (file,)),)), [])

    def swept(after: timedelta) -> set[str]:
        with program.store.reading() as connection:
            return program.media.sweep(media.used(connection, []), datetime.now(UTC) + after)

    assert swept(timedelta(days=30)) == set()
    commands.posts.delete_draft(post_id)
    assert swept(timedelta(days=31)) == set()
    assert swept(timedelta(days=64)) == set()
    assert swept(timedelta(days=66)) == {file.sha256}


def test_a_picture_is_known_again_by_its_bytes(program: Program) -> None:
    commands, store = program.commands, program.store
    data = picture()
    first = program.media.attach_bytes(data, "a.jpg", "image/jpeg")
    account = commands.accounts.add("practice", "Practice", {})

    def alt(sha256: str = first.sha256) -> str:
        with store.reading() as connection:
            return media.described(connection, sha256)

    def post(words: str, own: str | None = None) -> None:
        one = replace(first, alt=words)
        variant = None if own is None else Content((Item("own", (replace(first, alt=own),)),))
        commands.posts.save_draft(Content((Item("a"), Item("b", (one,)))), [Variant(account, variant)])

    assert alt() == ""
    post("A pier")
    assert alt() == "A pier"
    assert alt(program.media.attach_bytes(data, "another name.jpg", "image/jpeg").sha256) == "A pier"
    post("")  # without words it says nothing, and what was said stays
    assert alt() == "A pier"
    post("The pier at dawn", "Der Steg")
    assert alt() in ("The pier at dawn", "Der Steg")
    assert alt("0" * 64) == ""


def test_a_file_of_changes_that_are_not_saved_yet_is_wanted(program: Program) -> None:
    file = program.media.attach_bytes(b"1", "a.bin", "application/x")
    post_id, _ = program.commands.posts.save_draft(Content((Item("a"),)), [])
    with program.store.reading() as connection:
        post = posts.get(connection, post_id)
        kept = Unsaved(program.folder)
        kept.keep(replace(post, content=Content((Item("b", (file,)),))))
        assert media.used(connection, kept.every()) == {file.sha256}
        kept.forget(post_id)
        assert media.used(connection, kept.every()) == set()
