"""What stands against a post, as sentences with a remedy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import Level
from sendoff.domain.forms import for_endpoint
from sendoff.domain.limits import check, same_words, size_text
from sendoff.domain.post import Attachment, Content, Copy, Item, Mail, Poll, Recipient, Role

NETWORK = Capabilities(
    checked="2026-11-23", threads=True, text=20, media=1, media_types=("image/",), image_bytes=1000,
    image_pixels=10_000, alt=10, poll_options=2, poll_option=5, poll_min=300, poll_max=1000,
)  # fmt: skip
POST = Capabilities(checked="2026-11-23", mail=True, batch=1, recipients=3, message_bytes=10_000)
PICTURE = Attachment("0" * 64, "pier.png", "image/png", 500, alt="a pier", width=50, height=50)
SMALL = Copy("2" * 64, "image/jpeg", 900, 40, 40)
ADA, BOB = Recipient("ada@example.org", "Ada"), Recipient("bob@example.org")


def codes(content: Content, figures: Capabilities = NETWORK, **options: str) -> list[tuple[str, str]]:
    return [(problem.code, problem.level.value) for problem in check(content, figures, "Test", options)]


def item(text: str = "hello", *media: Attachment, poll: Poll | None = None) -> Content:
    return Content((Item(text, media, poll),))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (item(), []),
        (item(""), [("empty", "error")]),
        (item("x" * 20), []),
        (item("x" * 21), [("text", "error")]),
        (item("hi", PICTURE), []),
        (item("", PICTURE), []),
        (item("hi", PICTURE, PICTURE), [("media", "error")]),
        (item("hi", replace(PICTURE, mime="video/mp4", alt="")), [("media_type", "error")]),
        (item("hi", replace(PICTURE, size=1001)), [("media_size", "error")]),
        (item("hi", replace(PICTURE, width=101, height=100)), [("media_size", "error")]),
        (item("hi", replace(PICTURE, alt="")), [("no_alt", "warning")]),
        (item("hi", replace(PICTURE, alt="x" * 11)), [("alt", "error")]),
        (item("hi", replace(PICTURE, role=Role.ATTACHMENT)), [("attachment", "warning")]),
        (item("hi", replace(PICTURE, alt="", size=1001, unreadable=True)), [("unreadable", "error")]),
        (item("q", poll=Poll(("yes", "no"), 600)), []),
        (item("q", poll=Poll(("yes", "yes"), 600)), [("poll", "error")]),
        (item("q", poll=Poll(("yes", " "), 600)), [("poll", "error")]),
        (item("q", poll=Poll(("yes", "no", "so"), 600)), [("poll", "error")]),
        (item("q", poll=Poll(("yes", "no, never"), 600)), [("poll", "error")]),
        (item("q", poll=Poll(("yes", "no"), 60)), [("poll", "error")]),
        (item("q", PICTURE, poll=Poll(("yes", "no"), 600)), [("poll", "error")]),
        (Content((Item("a"), Item(""))), [("empty", "error")]),
        (Content((Item("a"), Item("x" * 21))), [("text", "error")]),
    ],
)
def test_a_post(content: Content, expected: list[tuple[str, str]]) -> None:
    assert codes(content) == expected


def test_a_content_warning_counts_as_text() -> None:
    assert codes(item("x" * 18), spoiler_text="abc") == [("text", "error")]


def test_a_network_without_threads_says_so() -> None:
    assert codes(Content((Item("a"), Item("b"))), replace(NETWORK, threads=False)) == [("thread", "error")]


def test_an_overlong_text_says_by_how_much_and_offers_a_way() -> None:
    problem = check(item("x" * 25), NETWORK, "Test", {})[0]
    assert (problem.title, problem.fix) == ("5 too many for Test.", "split")


def mail(text: str = "Hello", **fields: object) -> Content:
    return Content((Item(text),), Mail(**({"subject": "Hi", "to": (ADA,)} | fields)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (mail(), []),
        (mail(to=()), [("no_recipient", "error")]),
        (mail(subject=" "), [("no_subject", "warning")]),
        (mail(""), [("empty", "error")]),
        (mail(to=(ADA, BOB)), [("visible", "note")]),
        (mail(to=(ADA, BOB), separately=True), []),
        (mail(to=(ADA,), separately=True, bcc=(BOB,)), [("copies", "error")]),
        (mail(to=(ADA, Recipient("ADA@example.org")), separately=True), [("twice", "warning")]),
        (mail(to=(ADA, BOB, ADA), cc=(BOB,)), [("recipients", "error"), ("twice", "warning"), ("visible", "note")]),
        (mail("Dear {{name}}", to=(ADA, BOB), separately=True), [("merge", "error")]),
        (mail("Dear {{name|friend}}", to=(ADA, BOB), separately=True), []),
        (mail("Dear {{name|friend}}", to=(ADA, BOB)), [("merge", "error"), ("visible", "note")]),
        (mail("x" * 6000), [("size", "error")]),
    ],
)
def test_a_mail(content: Content, expected: list[tuple[str, str]]) -> None:
    assert codes(content, POST) == expected


def test_the_gravest_comes_first() -> None:
    levels = [problem.level for problem in check(item("x" * 30, replace(PICTURE, alt="")), NETWORK, "Test", {})]
    assert levels == [Level.ERROR, Level.WARNING]


@pytest.mark.parametrize(
    ("size", "text"), [(940, "940 B"), (1000, "1 kB"), (1_800_000, "1.8 MB"), (3_000_000_000, "3 GB")]
)
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text


def test_alt_text_may_be_required_where_there_is_such_a_thing() -> None:
    mute = item("hi", replace(PICTURE, alt=" "))

    def found(figures: Capabilities) -> list[tuple[str, str, str]]:
        problems = check(mute, figures, "Test", {}, alt_required=True)
        return [(one.code, one.level.value, one.fix) for one in problems]

    assert found(NETWORK) == [("alt_required", "error", "alt")]
    assert found(replace(NETWORK, alt=None)) == []
    assert check(item("hi", PICTURE), NETWORK, "Test", {}, alt_required=True) == []


@pytest.mark.parametrize(
    ("picture", "figures", "expected"),
    [
        (replace(PICTURE, size=1001), NETWORK, [("media_size", "fit")]),
        (replace(PICTURE, width=101, height=100), NETWORK, [("media_size", "fit")]),
        (replace(PICTURE, mime="image/bmp"), replace(NETWORK, media_types=("image/png",)), [("media_type", "fit")]),
        (replace(PICTURE, mime="image/bmp"), replace(NETWORK, media_types=("image/x",)), [("media_type", "customise")]),
        (replace(PICTURE, mime="video/mp4", size=9), NETWORK, [("media_type", "customise")]),
        (replace(PICTURE, size=1001, copies=(SMALL,)), NETWORK, [("media_copy", "")]),
        (replace(PICTURE, size=1001, copies=(replace(SMALL, size=1001),)), NETWORK, [("media_size", "fit")]),
        (replace(PICTURE, copies=(SMALL,)), NETWORK, []),  # who takes the original gets it
        (replace(PICTURE, mime="image/bmp", copies=(SMALL,)), replace(NETWORK, media_types=("image/jpeg",)),
         [("media_copy", "")]),
    ],
)  # fmt: skip
def test_a_picture_that_is_too_big_can_be_made_to_fit(
    picture: Attachment, figures: Capabilities, expected: list[tuple[str, str]]
) -> None:
    found = check(item("hi", picture), figures, "Test", {})
    assert [(problem.code, problem.fix) for problem in found] == expected
    assert all("Test" in problem.title for problem in found)


CHAT = Capabilities(
    checked="2026-11-26", text=20, caption=10, media=2, image_bytes=1000, file_bytes=2000,
    varies=(("as_files", "yes", "image_bytes", 2000), ("wide", "yes", "text", 40)),
)  # fmt: skip
PAPER = Attachment("1" * 64, "a.pdf", "application/pdf", 1500)


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        (item("x" * 20), {}, []),
        (item("x" * 11, PICTURE), {}, ["text"]),
        (item("x" * 11, replace(PICTURE, role=Role.ATTACHMENT)), {}, ["attachment"]),
        (item("x" * 21), {"wide": "yes"}, []),
        (item("x" * 41), {"wide": "yes"}, ["text"]),
        (item("", PAPER), {}, []),
        (item("", replace(PAPER, size=2001)), {}, ["media_size"]),
        (item("", replace(PICTURE, size=1500)), {}, ["media_size"]),
        (item("", replace(PICTURE, size=1500)), {"as_files": "yes"}, []),
    ],
)
def test_figures_may_vary_with_media_and_options(
    content: Content, options: dict[str, str], expected: list[str]
) -> None:
    assert [code for code, _ in codes(content, CHAT, **options)] == expected


def test_a_limit_beside_media_is_said_as_such() -> None:
    (problem,) = check(item("x" * 11, PICTURE), CHAT, "Chat", {})
    assert problem.text == "The limit there is 10 characters beside media."


@pytest.mark.parametrize(
    ("texts", "whose"),
    [
        ({"a": ["Hello, world!"], "b": ["hello  world"]}, {"a", "b"}),
        ({"a": ["Hello"], "b": ["Hello there"]}, set()),
        ({"a": ["One", "Hello"], "b": ["Hello"], "c": ["Two"]}, {"a", "b"}),
        ({"a": ["🎉"], "b": ["🎉"], "c": ["🎈"]}, {"a", "b"}),
        ({"a": [""], "b": [""]}, set()),
        ({"a": ["Hello", "Hello"]}, set()),
    ],
)
def test_the_same_words_from_several_accounts(texts: dict[str, list[str]], whose: set[str]) -> None:
    going = {name: Content(tuple(map(Item, items))) for name, items in texts.items()}
    told = same_words(going, "Test")
    assert told.keys() == whose
    assert all((one.level, one.fix) == (Level.WARNING, "customise") for one in told.values())


FILM = Attachment("2" * 64, "a.mp4", "video/mp4", 500)
WORDS = Attachment("3" * 64, "a.de.vtt", "text/vtt", 50)


@pytest.mark.parametrize(
    ("media", "types", "expected"),
    [
        ((FILM, WORDS), ("video/",), [("captions_left", "warning")]),
        ((FILM, WORDS), ("video/", "text/vtt"), []),
        ((FILM, WORDS), (), []),  # it takes any file
        ((WORDS,), ("video/",), [("media_type", "error")]),
    ],
)
def test_captions_stay_behind_where_nobody_takes_them(
    media: tuple[Attachment, ...], types: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    figures = replace(NETWORK, media=2, media_types=types)
    content = item("hi", *media)
    assert [(one.code, str(one.level)) for one in check(content, figures, "Test", {})] == expected
    going = for_endpoint(content, figures, {}).items[0].media
    assert going == ((FILM,) if expected and len(media) == 2 else media)
