"""Cards of links: what is read from a page, and that nobody can make Sendoff look where it must not."""

from __future__ import annotations

import io
import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterator

import pytest
from PIL import Image

from sendoff.channels import guarded
from sendoff.channels.http import Http, Transport
from sendoff.channels.link_card import MOST_BYTES, PAGE_BYTES, REDIRECTS, SIDE, TEXT, TITLE, Cards, Page, thumbnail
from sendoff.domain.errors import Rejected, SendError, TryLater
from tests.fakes.site import Handler, Site, here, opened


@pytest.fixture
def site() -> Iterator[Site]:
    with opened() as server:
        yield server


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 40), mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "navy" if mode == "RGB" else (0, 0, 128, 0)).save(out, kind)
    return out.getvalue()


def head(inner: str) -> str:
    return f"<!doctype html><html><head>{inner}</head><body><h1>Body</h1><title>not this</title></body></html>"


@pytest.mark.parametrize(
    ("html", "title", "text"),
    [
        (head("<title>A &amp; B\n  page</title>"), "A & B page", ""),
        (head("<meta property='og:title' content='Open'><title>T</title>"), "Open", ""),
        (head("<title>T</title><META NAME=Twitter:Title CONTENT='Bird'>"), "Bird", ""),
        (head("<meta property=og:title content=' '><meta name=twitter:title content=Bird>"), "Bird", ""),
        (head("<title>T</title><meta name=description content='Plain words'>"), "T", "Plain words"),
        (head("<title>T</title><meta name=description content=a><meta property=og:description content=b>"), "T", "b"),
        (head("<title>T</title><script>'<meta property=og:title content=x>'</script>"), "T", ""),
        (head("<title>T</title><!-- <meta property=og:title content=x> -->"), "T", ""),
        (head("<title>\u202egp\u200bj\x00 T</title>"), "gp j T", ""),
        (head(f"<title>{'x' * 999}</title><meta name=description content='{'y' * 5000}'>"), "x" * (TITLE - 1) + "…",
         "y" * (TEXT - 1) + "…"),
        ("<title>No head", "", ""),
        ("<title>Cut</title><meta property=og:title content='Whole'", "Cut", ""),
        ("<![xyz[<title>T</title>", "", ""),
    ],
)  # fmt: skip
def test_what_a_page_says_of_itself(site: Site, html: str, title: str, text: str) -> None:
    url = site.page("/a?b=c", html)
    if not title:
        with pytest.raises(Rejected, match="has no title"):
            Cards(here).fetch(url)
    else:
        assert Cards(here).fetch(url + "#part") == Page(title, text)
        assert site.asked == ["/a?b=c"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<title>Grüße</title>".encode(), "text/html; charset=UTF-8"),
        ("<title>Grüße</title>".encode("latin-1"), "text/html; charset=iso-8859-1"),
        ("<meta charset='windows-1252'><title>Grüße</title>".encode("cp1252"), "text/html"),
        ("<title>Grüße</title>".encode("utf-8-sig"), "text/html; charset=latin-1"),
        ("<title>Grüße</title>".encode(), "text/html; charset=nonsense"),
        ("<title>Grüße</title>".encode(), "text/html; charset=zlib"),
        ("<title>Grüße</title>".encode(), "application/xhtml+xml"),
    ],
)
def test_letters_of_any_charset(site: Site, body: bytes, kind: str) -> None:
    assert Cards(here).fetch(site.page("/", body, Content_Type=kind)).title == "Grüße"


def test_the_picture_is_written_anew_and_small(site: Site) -> None:
    site.page("/img/p.png", picture(size=(2400, 1200)), Content_Type="image/png")
    page = Cards(here).fetch(
        site.page("/deep/page", head("<title>T</title><base href='/img/'><meta property=og:image content='p.png'>"))
    )
    assert page.picture is not None
    found = Image.open(io.BytesIO(page.picture.data))
    assert (found.format, found.size) == ("JPEG", (SIDE, SIDE // 2))
    assert (page.picture.width, page.picture.height) == found.size
    assert "Cookie" not in site.headers[0]
    assert "Referer" not in site.headers[1]


@pytest.mark.parametrize(
    "path", ["/none.png", "http://[", "javascript:alert(1)", "file:///etc/passwd", "data:image/png;base64,AA"]
)
def test_without_its_picture_the_card_goes_alone(site: Site, path: str) -> None:
    page = Cards(here).fetch(site.page("/", head(f"<title>T</title><meta property=og:image content='{path}'>")))
    assert page == Page("T")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_pictures_of_all_kinds(kind: str) -> None:
    made = thumbnail(picture(kind))
    assert made is not None
    assert (made.width, made.height) == (60, 40)
    assert made.data.startswith(b"\xff\xd8")


def test_what_can_be_seen_through_becomes_white() -> None:
    made = thumbnail(picture("PNG", mode="RGBA"))
    assert made is not None
    assert Image.open(io.BytesIO(made.data)).getpixel((5, 5)) == (255, 255, 255)


def unpacks_to(width: int, height: int) -> bytes:
    """A PNG of a few bytes that really is huge."""
    out = io.BytesIO()
    Image.new("1", (width, height)).save(out, "PNG")
    return out.getvalue()


def says_it_is(width: int, height: int) -> bytes:
    """A PNG that says it is huge, and ends early."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 9999))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "data",
    [b"", b"<svg/>", b"GIF89a", says_it_is(60_000, 60_000), says_it_is(300, 300), unpacks_to(8000, 8000),
     picture("BMP"), picture("TIFF"), picture("PNG")[:70], b"RIFF\0\0\0\0WEBPVP8 "],
)  # fmt: skip
def test_bombs_and_what_is_no_picture(data: bytes) -> None:
    assert thumbnail(data) is None


def test_a_grainy_picture_is_brought_below_what_networks_take() -> None:
    out = io.BytesIO()
    Image.effect_noise((1200, 1200), 250).convert("RGB").save(out, "JPEG", quality=95)
    made = thumbnail(out.getvalue())
    assert made is None or len(made.data) <= MOST_BYTES


# --- where it goes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
     "0.1.2.3", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.0.8", "198.18.0.1", "203.0.113.5", "::1", "::",
     "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1",
     "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::1", "2001:db8::1", "3fff::1", "100::1"],
)  # fmt: skip
def test_what_is_not_public_is_not_connected_to(address: str) -> None:
    assert not guarded.is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "193.0.6.139", "172.32.0.1", "2606:4700::1111", "2a00:1450:4001::8a"]
)
def test_the_public_internet_is(address: str) -> None:
    assert guarded.is_public(address)


def loopback_spellings(port: int) -> list[str]:
    return [
        f"http://{host}:{port}/"
        for host in (
            "127.0.0.1",
            "localhost",
            "2130706433",
            "0x7f.1",
            "127.1",
            "0",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "localhost.",
        )
    ]


def test_the_strict_rule_keeps_away_from_this_computer_however_it_is_spelt(site: Site) -> None:
    """With real sockets: nothing reaches the server, not even a connection."""
    site.page("/", head("<title>Secret</title>"))
    for url in loopback_spellings(site.server_address[1]):
        with pytest.raises(SendError):
            Cards().fetch(url)
    assert site.asked == []
    with pytest.raises(Rejected, match="no address of the public internet"):
        Cards().fetch(site.url)


def test_a_redirect_is_checked_like_the_first_address(site: Site) -> None:
    with opened("127.0.0.2") as inner:
        inner.page("/", head("<title>Router</title>"))
        with pytest.raises(Rejected, match="no address of the public internet"):
            Cards(here).fetch(site.page("/out", "", 302, Location=inner.url + "/"))
        html = head(f"<title>T</title><meta property=og:image content='{inner.url}/p.png'>")
        assert Cards(here).fetch(site.page("/page", html)) == Page("T")  # and so is its picture
        assert inner.asked == []


def test_what_was_checked_is_what_is_connected_to(site: Site) -> None:
    """A name may lead elsewhere a moment later: it is looked up once, and the line itself is asked where it went."""
    seen: list[str] = []

    def changes_its_mind(address: str) -> bool:
        seen.append(address)
        return len(seen) < 2

    with pytest.raises(Rejected, match="no address of the public internet"):
        Cards(changes_its_mind).fetch(site.page("/", head("<title>T</title>")))
    assert seen == ["127.0.0.1", "127.0.0.1"]
    assert site.asked == []


def test_a_name_with_several_addresses_leads_only_to_allowed_ones() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = guarded.connect("localhost", server.getsockname()[1], 2, here)
        assert line.getpeername()[0] == "127.0.0.1"
        line.close()
        with pytest.raises(guarded.Forbidden):
            guarded.connect("localhost", server.getsockname()[1], 2, lambda _address: False)


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org/", "file:///etc/passwd", "javascript:1", "http://", "http://user:pw@127.0.0.1/", "http://127.0.0.1:0/",
     "http://a b/", "http://[::1", "", "http://" + "a" * 300 + ".example/", "http://127.0.0.1:99999/", "gopher://127.0.0.1:70/_x"],
)  # fmt: skip
def test_only_pages_have_cards(url: str) -> None:
    with pytest.raises(SendError):
        Cards(here).fetch(url)


def test_redirects_are_followed_a_few_times(site: Site) -> None:
    for step in range(9):
        site.page(f"/{step}", "", 301, Location=f"/{step + 1}")
    site.page(f"/{REDIRECTS}", head("<title>There</title>"))
    assert Cards(here).fetch(site.url + "/0").title == "There"
    site.page(f"/{REDIRECTS}", "", 307, Location="/0")
    with pytest.raises(Rejected, match="in circles"):
        Cards(here).fetch(site.url + "/0")
    assert len(site.asked) == 2 * (REDIRECTS + 1)


@pytest.mark.parametrize("kind", ["application/pdf", "image/png", "text/plain", ""])
def test_what_is_no_page_has_no_card(site: Site, kind: str) -> None:
    with pytest.raises(Rejected, match="no page there"):
        Cards(here).fetch(site.page("/", head("<title>T</title>"), Content_Type=kind))


@pytest.mark.parametrize("status", [204, 301, 403, 404, 500, 503])
def test_an_error_is_no_page(site: Site, status: int) -> None:
    with pytest.raises(Rejected, match=f"answered {status}"):
        Cards(here).fetch(site.page("/", head("<title>404</title>") if status != 204 else "", status))


def endless(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>T</title>")
    try:
        for _ in range(64 * PAGE_BYTES // 65_536):
            handler.wfile.write(b" " * 65_536)
    except OSError:
        handler.server.asked.append("cut")


def test_an_endless_page_is_read_no_further_than_its_head(site: Site) -> None:
    assert Cards(here).fetch(site.page("/", endless)).title == "T"
    for _ in range(500):
        if "cut" in site.asked:
            break
        threading.Event().wait(0.01)
    assert "cut" in site.asked


def test_a_page_of_brackets_does_not_hold_anybody_up(site: Site) -> None:
    began = time.monotonic()
    with pytest.raises(Rejected, match="no title"):
        Cards(here).fetch(site.page("/", "<a " * 300_000))
    assert time.monotonic() - began < 10


def test_a_packed_page_is_not_unpacked(site: Site) -> None:
    packed = zlib.compress(head("<title>T</title>").encode())
    with pytest.raises(Rejected, match="no title"):
        Cards(here).fetch(site.page("/", packed, Content_Encoding="deflate"))
    assert site.headers[0]["Accept-Encoding"] == "identity"


def test_answers_are_kept_for_a_while(site: Site) -> None:
    now = [0.0]
    cards = Cards(here, lambda: now[0])
    url = site.page("/", head("<title>One</title>"))
    assert cards.fetch(url) == cards.fetch(url) == Page("One")
    site.page("/", head("<title>Two</title>"))
    assert cards.fetch(url).title == "One"
    assert cards.fetch(url, again=True).title == "Two"
    assert len(site.asked) == 2
    now[0] += 3601
    site.page("/", "gone", 404)
    for _ in range(2):
        with pytest.raises(Rejected):
            cards.fetch(url)
    assert len(site.asked) == 3
    now[0] += 61
    site.page("/", head("<title>Back</title>"))
    assert cards.fetch(url).title == "Back"


def test_nobody_there_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(TryLater, match="refused the connection"):
        Cards(here).fetch(f"http://127.0.0.1:{port}/")


def test_time_is_bounded_over_all_redirects(site: Site) -> None:
    """A clock that runs: each answer takes five seconds, so the third is not waited for."""
    now = [0.0]

    def slow(handler: Handler) -> None:
        now[0] += 5
        handler.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: /\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")

    with pytest.raises(TryLater, match="did not answer in time"):
        Cards(here, lambda: now[0]).fetch(site.page("/", slow))
    assert len(site.asked) == 3


def test_other_requests_are_not_restrained(site: Site) -> None:
    site.page("/", "{}")
    assert Http(Transport(), site.url, "Here").read("/").status == 200
