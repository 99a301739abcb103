"""Films on Bluesky: handed to its video service with permissions for one purpose each, and posted once."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sendoff.channels import testing
from sendoff.channels.bluesky import Bluesky
from sendoff.channels.http import Transport
from sendoff.channels.registry import Context
from sendoff.channels.testing import IMPATIENT
from sendoff.domain import limits
from sendoff.domain.account import Account
from sendoff.domain.delivery import State
from sendoff.domain.errors import InDoubt, Rejected, TryLater
from sendoff.domain.post import Attachment, Content, Item, Plan, Variant
from sendoff.domain.when import When
from tests.channels.test_bluesky import ELEPHANT, Bench, typed
from tests.conftest import SetClock
from tests.engine.driver import Driver
from tests.fakes.bluesky_video import VideoServer
from tests.fakes.pds import PdsServer

DATA = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 200
FILM = Attachment("f" * 64, "Ausflug mit Anna.mp4", "video/mp4", len(DATA), "Ein Elefant läuft.", width=640, height=480)


@pytest.fixture
def server() -> Iterator[PdsServer]:
    with PdsServer() as server:
        yield server


@pytest.fixture
def service(server: PdsServer) -> Iterator[VideoServer]:
    with VideoServer(server.url) as service:
        yield service


@pytest.fixture
def bluesky(tmp_path: Path, server: PdsServer, service: VideoServer) -> Bluesky:
    (tmp_path / FILM.sha256).write_bytes(DATA)
    (tmp_path / ELEPHANT.sha256).write_bytes(b"\x89PNG\r\n\x1a\n")
    context = Context(Transport(IMPATIENT), tmp_path)
    return Bluesky(context, entry=server.url, directory=server.url, videos=service.url, waits=(0.01, 0.01))


def bench(bluesky: Bluesky, server: PdsServer, folder: Path, **options: str) -> Bench:
    return Bench(bluesky, server, folder, Item("Look", media=(FILM,)), **options)


def test_a_film_goes_up_whole_and_is_shown_with_its_words(
    bluesky: Bluesky, server: PdsServer, service: VideoServer, tmp_path: Path
) -> None:
    made = testing.parcel(bench(bluesky, server, tmp_path), server.url)
    receipt = bluesky.publish(made)
    (post,) = server.posts
    assert receipt.remote_id == post.uri
    embed = post.value["embed"]
    assert embed["$type"] == "app.bsky.embed.video"
    assert embed["alt"] == FILM.alt
    assert embed["aspectRatio"] == {"width": 640, "height": 480}
    assert server.endpoint.blobs[embed["video"]["ref"]["$link"]] == ("video/mp4", DATA)
    (job,) = service.endpoint.jobs.values()
    assert job.asked == {"did": server.endpoint.did, "name": f"{'f' * 12}.mp4"}  # what it is called stays here
    assert made.secret["access_jwt"] not in "".join(
        f"{request.path}{request.headers}" for request in service.requests
    )  # the account's own key goes to its own server alone


def test_a_film_that_went_up_before_its_time_is_only_asked_for(
    bluesky: Bluesky, server: PdsServer, service: VideoServer, tmp_path: Path
) -> None:
    made = testing.parcel(bench(bluesky, server, tmp_path), server.url)
    put = bluesky.upload(replace(made, prepared={}, frozen={}))
    sent = [one.path for one in service.requests if "uploadVideo" in one.path]
    prepared = bluesky.prepare(replace(made, prepared={}, uploaded=put))
    assert [one.path for one in service.requests if "uploadVideo" in one.path] == sent
    bluesky.publish(replace(made, prepared=prepared))
    assert server.endpoint.blobs[server.posts[0].value["embed"]["video"]["ref"]["$link"]] == ("video/mp4", DATA)


def test_the_record_is_valid_by_the_lexicon(bluesky: Bluesky, server: PdsServer, tmp_path: Path) -> None:
    path = Path(os.environ.get("SENDOFF_SPECS", "")) / "atproto-lexicons" / "app.bsky.embed.video.json"
    if not os.environ.get("SENDOFF_SPECS") or not path.exists():
        pytest.skip("SENDOFF_SPECS names no folder with atproto-lexicons/app.bsky.embed.video.json")
    main = json.loads(path.read_text())["defs"]["main"]
    bluesky.publish(testing.parcel(bench(bluesky, server, tmp_path), server.url))
    embed = {name: one for name, one in server.posts[0].value["embed"].items() if name != "$type"}
    assert set(main["required"]) <= set(embed) <= set(main["properties"])
    video = main["properties"]["video"]
    assert embed["video"]["mimeType"] in video["accept"]
    assert bluesky.capabilities.video_bytes == video["maxSize"]


def captions(language: str, data: bytes = b"WEBVTT\n") -> Attachment:
    name = f"Ausflug.{language}.vtt" if language else "Ausflug.vtt"
    return Attachment(hashlib.sha256(data).hexdigest(), name, "text/vtt", len(data))


def test_captions_go_along_by_language_and_valid_by_the_lexicon(
    bluesky: Bluesky, server: PdsServer, service: VideoServer, tmp_path: Path
) -> None:
    german, english = b"WEBVTT\n\n00:00.000 --> 00:02.000\nEin Elefant l\xc3\xa4uft.\n", b"WEBVTT\n\nNOTE nothing\n"
    words = captions("de", german), captions("pt-BR", english)
    for one, data in zip(words, (german, english), strict=True):
        (tmp_path / one.sha256).write_bytes(data)
    made = testing.parcel(Bench(bluesky, server, tmp_path, Item("Look", media=(words[0], FILM, words[1]))), server.url)
    assert bluesky.prepare(made)["record"] == made.prepared["record"]  # it stays as it is
    receipt = bluesky.publish(made)
    embed = server.posts[0].value["embed"]
    assert (receipt.remote_id, embed["alt"]) == (server.posts[0].uri, FILM.alt)
    assert [one["lang"] for one in embed["captions"]] == ["de", "pt-BR"]
    told = [server.endpoint.blobs[one["file"]["ref"]["$link"]] for one in embed["captions"]]
    assert told == [("text/vtt", german), ("text/vtt", english)]
    assert server.endpoint.blobs[embed["video"]["ref"]["$link"]] == ("video/mp4", DATA)
    path = Path(os.environ.get("SENDOFF_SPECS", "")) / "atproto-lexicons" / "app.bsky.embed.video.json"
    if os.environ.get("SENDOFF_SPECS") and path.exists():
        caption = json.loads(path.read_text())["defs"]["caption"]
        assert set(caption["required"]) == set(embed["captions"][0])
        assert caption["properties"]["file"]["accept"] == ["text/vtt"]
        assert caption["properties"]["file"]["maxSize"] == bluesky.capabilities.file_bytes


def test_captions_that_the_own_server_has_swept_away_go_up_once_more(
    bluesky: Bluesky, server: PdsServer, service: VideoServer, tmp_path: Path
) -> None:
    words = captions("de")
    (tmp_path / words.sha256).write_bytes(b"WEBVTT\n")
    made = testing.parcel(Bench(bluesky, server, tmp_path, Item("Look", media=(FILM, words))), server.url)
    server.endpoint.blobs.clear()
    service.endpoint.jobs.clear()
    assert bluesky.publish(made).remote_id == server.posts[0].uri


def test_what_is_still_worked_on_waits_and_does_not_go_up_again(
    bluesky: Bluesky, server: PdsServer, service: VideoServer, tmp_path: Path
) -> None:
    service.endpoint.works = 5  # three looks while it is made ready, three more with each try
    made = testing.parcel(bench(bluesky, server, tmp_path), server.url)
    assert "record" not in made.prepared
    service.endpoint.works, (job,) = 0, service.endpoint.jobs.values()
    job.left = 3
    with pytest.raises(TryLater, match="still works on the video") as caught:
        bluesky.publish(made)
    assert caught.value.after == timedelta(seconds=20)
    job.left = 9
    with pytest.raises(TryLater, match="still works on the video of this post, for 5 min now") as caught:
        bluesky.publish(replace(made, first_try=made.now - timedelta(minutes=5)))
    assert caught.value.after == timedelta(seconds=30)
    job.left = 0
    assert not made.trace.left
    assert bluesky.publish(made).remote_id == server.posts[0].uri
    assert service.endpoint.uploads == 1


def test_a_film_that_is_there_already_is_known_by_its_content(
    bluesky: Bluesky, server: PdsServer, service: VideoServer, tmp_path: Path
) -> None:
    for _ in range(2):
        bluesky.publish(testing.parcel(bench(bluesky, server, tmp_path), server.url, key=os.urandom(8).hex()))
    assert (service.endpoint.uploads, len(service.endpoint.jobs), len(server.posts)) == (2, 1, 2)


def test_what_was_made_ready_too_long_ago_goes_up_again_and_the_record_stays(
    bluesky: Bluesky, server: PdsServer, service: VideoServer, tmp_path: Path
) -> None:
    made = testing.parcel(bench(bluesky, server, tmp_path), server.url)
    again = bluesky.prepare(replace(made, now=made.now + timedelta(minutes=20)))
    assert (again, service.endpoint.uploads) == (made.prepared, 1)
    hour = made.now + timedelta(minutes=55)
    service.endpoint.now = server.endpoint.now = lambda: hour
    later = bluesky.prepare(replace(made, now=hour))
    assert service.endpoint.uploads == 2
    assert later["record"] == made.prepared["record"]


def test_a_film_that_the_own_server_has_swept_away_goes_up_once_more(
    bluesky: Bluesky, server: PdsServer, service: VideoServer, tmp_path: Path
) -> None:
    made = testing.parcel(bench(bluesky, server, tmp_path), server.url)
    server.endpoint.blobs.clear()
    service.endpoint.jobs.clear()
    assert bluesky.publish(made).remote_id == server.posts[0].uri
    assert service.endpoint.uploads == 2


@pytest.mark.parametrize(
    ("failure", "words", "advice"),
    [
        ("encoding_failure", "can’t make anything of the video: “Could not do it”", "H.264"),
        ("validation_failure", "can’t make anything", "three minutes"),
        ("pds_upload_unsupported_blob_size", "can’t make anything", "no file of that size"),
        ("generic_failure", "can’t make anything", "another form"),
    ],
)
def test_a_film_that_fails_says_what_to_do(
    bluesky: Bluesky, server: PdsServer, service: VideoServer, tmp_path: Path, failure: str, words: str, advice: str
) -> None:
    service.endpoint.failure = failure
    with pytest.raises(Rejected, match=words) as caught:
        testing.parcel(bench(bluesky, server, tmp_path), server.url)
    assert advice in caught.value.advice


def test_a_film_that_could_not_be_handed_on_goes_up_again_later(
    bluesky: Bluesky, server: PdsServer, service: VideoServer, tmp_path: Path
) -> None:
    service.endpoint.works = 9
    made = testing.parcel(bench(bluesky, server, tmp_path), server.url)
    service.endpoint.failure = "pds_upload_failure"
    with pytest.raises(TryLater, match="still works on the video"):
        bluesky.publish(made)
    with pytest.raises(TryLater, match="lost the film") as caught:
        testing.parcel(bench(bluesky, server, tmp_path), server.url)
    assert caught.value.after == timedelta(minutes=10)


@pytest.mark.parametrize(
    ("told", "end", "words"),
    [
        ({"canUpload": False, "message": "Confirm your email"}, Rejected, "“Confirm your email”"),
        ({"canUpload": False, "error": "unconfirmed"}, Rejected, "“unconfirmed”"),
        ({"canUpload": False, "remainingDailyVideos": 0, "message": "Daily limit"}, TryLater, "today: “Daily limit”"),
        ({"canUpload": True, "remainingDailyVideos": 3, "remainingDailyBytes": 100}, TryLater, "no more video"),
    ],
)
def test_what_the_account_may_today(
    bluesky: Bluesky,
    server: PdsServer,
    service: VideoServer,
    tmp_path: Path,
    told: dict[str, Any],
    end: type[Exception],
    words: str,
) -> None:
    service.endpoint.limits = told
    with pytest.raises(end, match=words):
        testing.parcel(bench(bluesky, server, tmp_path), server.url)
    assert service.endpoint.uploads == 0


@pytest.mark.parametrize(
    ("refusal", "end", "words"),
    [
        ((400, {"error": "unsupported", "message": "Not an mp4"}), Rejected, "“Not an mp4”"),
        ((401, {"error": "UnconfirmedEmail"}), Rejected, "“UnconfirmedEmail”"),
        ((429, {"error": "RateLimit"}), TryLater, "asks to wait"),
        ((502, {}), TryLater, "error of its own"),
        ((200, {"state": "x"}), TryLater, "did not say under which name"),
    ],
)
def test_what_the_service_can_say_to_an_upload(
    bluesky: Bluesky,
    server: PdsServer,
    service: VideoServer,
    tmp_path: Path,
    refusal: tuple[int, dict[str, Any]],
    end: type[Exception],
    words: str,
) -> None:
    """Never that the account has to sign in: it is another server that says no."""
    service.endpoint.refusal = refusal
    with pytest.raises(end, match=words):
        testing.parcel(bench(bluesky, server, tmp_path), server.url)


@pytest.mark.parametrize(
    ("media", "codes"),
    [
        ((FILM,), []),
        ((FILM, ELEPHANT), ["media_mix"]),
        ((FILM, FILM), ["media_mix"]),
        ((replace(FILM, mime="video/webm"),), ["media_type"]),
        ((FILM, captions("de"), captions("en")), []),
        ((FILM, captions("")), ["captions"]),
        ((FILM, captions("de"), captions("DE")), ["captions"]),
        ((ELEPHANT, captions("de")), ["captions"]),
        ((FILM, ELEPHANT, captions("de")), ["media_mix"]),
        ((FILM, replace(captions("de"), size=20_001)), ["media_size"]),
        ((replace(FILM, size=300_000_001),), ["media_size"]),
    ],
)
def test_what_stands_against_a_film(bluesky: Bluesky, media: tuple[Attachment, ...], codes: list[str]) -> None:
    content = Content((Item("x", media=media),))
    found = limits.check(content, bluesky.capabilities, "Bluesky", {})
    found += bluesky.check(content, {}, Account(1, 1, "bluesky", "a", "@a"))
    assert [one.code for one in found] == codes


# --- under the real engine ----------------------------------------------------------------------------------------


@pytest.fixture
def engine(tmp_path: Path, clock: SetClock, bluesky: Bluesky, server: PdsServer) -> Iterator[Driver]:
    with closing(Driver(tmp_path / "profile", clock, bluesky)) as driver:  # type: ignore[arg-type]
        yield driver


@pytest.mark.parametrize("mode", ["accept", "hang_up_after", "hang_up_before"])
def test_a_film_that_takes_its_time_is_posted_once(
    engine: Driver, server: PdsServer, service: VideoServer, mode: str
) -> None:
    service.endpoint.works = 12
    service.endpoint.now = server.endpoint.now = engine.clock.now
    account = engine.commands.accounts.add("bluesky", "me", typed(server))
    film, now = replace(FILM, sha256=engine.media.keep(DATA)), engine.clock.now()
    post_id, _ = engine.commands.posts.save_draft(Content((Item("Look", media=(film,)),)), [Variant(account)], Plan())
    (delivery_id,) = engine.commands.posts.schedule(post_id, When.at(now, "UTC"))
    server.mode, server.times = mode, 1
    engine.settled(delivery_id)
    assert engine.get(delivery_id).state is State.SENT
    assert [one.value["text"] for one in server.posts] == ["Look"]
    assert service.endpoint.uploads == 1
    assert [one for one, _ in server.endpoint.effects] == ["create"]


def test_a_lost_answer_is_found_with_its_film(bluesky: Bluesky, server: PdsServer, tmp_path: Path) -> None:
    made = testing.parcel(bench(bluesky, server, tmp_path), server.url)
    server.mode, server.times = "hang_up_after", 1
    with pytest.raises(InDoubt):
        bluesky.publish(made)
    found = bluesky.find(replace(made, first_try=made.now))
    assert found is not None
    assert found.remote_id == server.posts[0].uri
