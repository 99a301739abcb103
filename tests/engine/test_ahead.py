"""Files go up some minutes before a post's time, and are used then; whatever happens to them, the post goes its way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import Parcel
from sendoff.domain.delivery import State
from sendoff.domain.errors import TryLater
from sendoff.domain.post import Attachment, Content, Item, Variant
from sendoff.domain.when import When
from sendoff.engine.ahead import AGAIN, AHEAD, LOOKS, MOST
from sendoff.store import accounts, deliveries, outgoing
from sendoff.store.media import Media
from sendoff.store.profile import open_folder
from tests.conftest import SetClock
from tests.engine.driver import Scripted
from tests.engine.standstill import Process

EARLY = AHEAD.total_seconds()


class Gallery(Scripted):
    """Remembers when which text's files went up (`ahead`: before the claim), and what each post was made of."""

    capabilities = Capabilities(checked="2026-11-27", threads=True, media=4, prepares=True, prepared_life=3000)
    uploads = True

    def __init__(self) -> None:
        super().__init__()
        self.ups: list[tuple[str, str]] = []
        self.shown: list[tuple[str, object]] = []
        self.wrong: Exception | None = None
        self.during: Callable[[], object] = lambda: None

    def upload(self, parcel: Parcel) -> Mapping[str, object]:
        if self.wrong:
            raise self.wrong
        self.during()
        self.ups.append(("ahead", parcel.item.text))
        return {"media": f"ahead {len(self.ups)}"} if parcel.item.shown else {}

    def prepare(self, parcel: Parcel) -> Mapping[str, object]:
        if not parcel.uploaded and parcel.item.shown:
            self.ups.append(("claimed", parcel.item.text))
        return {"media": parcel.uploaded.get("media", f"claimed {len(self.ups)}")}

    def publish(self, parcel: Parcel):  # type: ignore[no-untyped-def]
        self.shown.append((parcel.item.text, parcel.prepared["media"]))
        return super().publish(parcel)


class World:
    def __init__(self, folder: Path, clock: SetClock) -> None:
        self.folder, self.clock, self.channel = open_folder(folder), clock, Gallery()
        self.process = Process(folder, clock, {"scripted": self.channel})
        with self.process.store.writing() as connection:
            self.account = accounts.insert(
                connection, workspace_id=1, channel="scripted", name="ada", handle="", url="", settings={}, learned={},
                secret_ref=None, spacing=0.0, now=clock.now(),
            )  # fmt: skip

    def picture(self, data: bytes = b"pier") -> Attachment:
        return Attachment(Media(self.folder).keep(data), "pier.png", "image/png", len(data))

    def content(self, *texts: str, pictures: bool = True) -> Content:
        return Content(tuple(Item(text, media=(self.picture(),) if pictures else ()) for text in texts))

    def plan(self, *texts: str, ahead: float, pictures: bool = True) -> int:
        posts = self.process.commands.posts
        post_id, _ = posts.save_draft(self.content(*texts, pictures=pictures), [Variant(self.account)])
        return posts.schedule(post_id, self.at(ahead))[0]

    def at(self, ahead: float) -> When:
        return When.at(self.clock.now() + timedelta(seconds=ahead), "UTC")

    def jobs(self, *ids: int) -> list[outgoing.Job]:
        with self.process.store.reading() as connection:
            return outgoing.load_jobs(connection, ids)

    def state(self, delivery_id: int) -> State:
        with self.process.store.reading() as connection:
            return deliveries.get(connection, delivery_id).state

    def lives(self, seconds: float, *, uploads: bool = True) -> None:
        """Without `uploads` what waits for its turn goes on waiting."""
        for _ in range(round(seconds)):
            self.process.heartbeat()
            while steps := self.process.steps(uploads=uploads):
                steps[0]()
            self.clock.advance(1)


@pytest.fixture
def world(tmp_path: Path, clock: SetClock) -> Iterator[World]:
    world = World(tmp_path / "profile", clock)
    yield world
    world.process.die()


def test_files_go_up_once_before_their_time_and_are_what_is_shown(world: World) -> None:
    thread = world.plan("one", "two", ahead=EARLY + 60)
    world.plan("words alone", ahead=EARLY + 60, pictures=False)
    world.lives(50)
    assert world.channel.ups == []
    world.lives(30)
    assert world.channel.ups == [("ahead", "one"), ("ahead", "two")]
    assert world.state(thread) is State.SCHEDULED
    world.lives(EARLY)
    assert world.channel.ups == [("ahead", "one"), ("ahead", "two")]
    assert dict(world.channel.shown)["one"] == "ahead 1"
    assert dict(world.channel.shown)["two"] == "ahead 2"
    assert len(world.channel.shown) == 3
    assert world.state(thread) is State.SENT


def test_what_is_planned_shortly_before_goes_up_without_waiting_for_the_next_look(world: World) -> None:
    world.lives(2)
    world.plan("one", ahead=LOOKS)
    world.lives(2)
    assert world.channel.ups == [("ahead", "one")]


def test_many_that_are_due_soon_all_go_up(world: World) -> None:
    """Not with one look, which would hold up the heartbeat, and not one look later than the next heartbeat."""
    for number in range(MOST + 1):
        world.plan(str(number), ahead=300)
    world.lives(1)
    assert len(world.channel.ups) == MOST
    world.lives(1)
    assert len(world.channel.ups) == MOST + 1


def test_what_is_changed_goes_up_anew_and_what_is_only_moved_does_not(world: World) -> None:
    moved, changed = world.plan("moved", ahead=300), world.plan("before", ahead=300)
    world.lives(10)
    commands = world.process.commands
    commands.deliveries.move([moved], world.at(400))
    with world.process.store.reading() as connection:
        post_id = deliveries.get(connection, changed).post_id
    commands.posts.edit(post_id, world.content("after"), [Variant(world.account)], world.at(300))
    world.lives(420)
    assert world.channel.ups == [("ahead", "moved"), ("ahead", "before"), ("ahead", "after")]
    assert sorted(world.channel.shown) == [("after", "ahead 3"), ("moved", "ahead 1")]


def test_what_can_t_go_up_now_is_tried_again_and_at_its_time(world: World) -> None:
    world.channel.wrong = TryLater("not now")
    one = world.plan("one", ahead=AGAIN + 60)
    world.lives(AGAIN - 10)
    world.channel.wrong = None
    world.lives(5)
    assert world.channel.ups == []
    world.lives(20)
    assert world.channel.ups == [("ahead", "one")]
    world.channel.wrong = TryLater("not now")
    two = world.plan("two", ahead=20)
    world.lives(60)
    assert world.channel.ups == [("ahead", "one"), ("claimed", "two")]
    assert (world.state(one), world.state(two)) == (State.SENT, State.SENT)


def test_what_only_waits_for_its_turn_is_not_waited_for(world: World) -> None:
    world.channel.answers = [TryLater("busy", after=timedelta(minutes=2))]
    delivery_id = world.plan("one", ahead=20)
    world.lives(30, uploads=False)
    assert (world.channel.ups, world.state(delivery_id)) == ([("claimed", "one")], State.SCHEDULED)
    world.process.uploads.do_one(0)  # its turn comes too late
    world.process.engine._ahead._looked.clear()  # as for a new sender
    world.lives(60)  # what was made ready with it is still good
    assert world.channel.ups == [("claimed", "one")]


def test_what_was_cancelled_does_not_go_up(world: World) -> None:
    delivery_id = world.plan("one", ahead=20)
    while not world.process.uploads.tasks:
        world.lives(1, uploads=False)
    world.process.commands.deliveries.cancel([delivery_id])
    world.process.uploads.do_one(0)
    assert world.channel.ups == []


def test_files_that_are_on_their_way_are_waited_for(world: World) -> None:
    """Asked for in the middle of the upload by another thread, as a claim would."""
    (job,) = world.jobs(world.plan("one", ahead=20))
    got: list[Mapping[str, object]] = []
    claim = threading.Thread(target=lambda: got.append(world.process.engine._ahead.files(job, job.parts[0])))

    def during() -> None:
        claim.start()
        claim.join(0.2)
        assert got == []

    world.channel.during = during
    while not world.process.uploads.tasks:
        world.lives(1, uploads=False)
    world.process.uploads.do_one(0)
    claim.join(5)
    assert got == [{"media": "ahead 1"}]


@pytest.mark.parametrize("set_back", [0, 3600])
def test_what_was_put_there_too_long_ago_goes_up_again(world: World, set_back: int) -> None:
    """Also where somebody sets the clock back meanwhile."""
    (job,) = world.jobs(world.plan("one", ahead=300))
    world.lives(10)
    assert world.channel.ups == [("ahead", "one")]
    world.clock.jump(-set_back)
    world.clock.advance(3000)
    assert world.process.engine._ahead.files(job, job.parts[0]) == {}


@pytest.mark.expects_log("of which 0:51:40 was sleep")
def test_a_sleep_makes_what_was_put_there_older(world: World) -> None:
    """The steady clock stands still in it, and the endpoint's does not."""
    world.plan("one", ahead=300)
    world.lives(10)
    world.clock.sleep(3100)
    world.lives(60, uploads=False)
    assert world.channel.ups == [("ahead", "one"), ("claimed", "one")]


def test_nothing_goes_up_during_a_pause_or_for_an_account_that_rests(world: World) -> None:
    world.plan("one", ahead=300)
    world.process.departures.pause(True)
    world.lives(20)
    assert world.channel.ups == []
    world.process.departures.pause(False)
    with world.process.store.writing() as connection:
        accounts.update(connection, world.account, rest_until=world.at(600).instant)
    world.lives(20)
    assert world.channel.ups == []


@pytest.mark.expects_log("failed to upload")
def test_a_channel_that_breaks_while_it_uploads_stops_nothing(world: World) -> None:
    world.channel.wrong = ValueError("a mistake")
    one = world.plan("one", ahead=20)
    world.lives(30)
    assert world.state(one) is State.SENT
