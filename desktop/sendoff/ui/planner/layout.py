"""Where the chips of a day stand: side by side where they would overlap, folded into "+n" where there is no room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sendoff.domain.delivery import State, most_urgent
from sendoff.ui.planner.days import MINUTES, Entry

HOUR = 48
TOP, BOTTOM = 10, 44
"""Room above midnight's line, and below the next one's, where a chip of 23:59 still fits; px."""
HEIGHT = TOP + 24 * HOUR + BOTTOM
LOW, TALL = 42, 58
"""A chip with one line of words, and with two; px."""
FREE = 62
"""From one chip's top to the next one's: what a tall one needs; px."""
GAP = 3
LANES = 4
NARROWEST = 37
"""A lane narrower than this cannot hold a time; px."""
MORE_WIDE = 28
"""The lane for "+n"; px."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a day's column, in px from its top left: one entry, or with `more` those that are folded away."""

    entries: tuple[Entry, ...]
    left: int
    top: int
    width: int
    height: int
    more: bool = False

    @property
    def entry(self) -> Entry:
        return self.entries[0]

    @property
    def state(self) -> State:
        """The most urgent of its entries."""
        return most_urgent([one.chip.state for one in self.entries])


def y_of(minutes: float) -> float:
    """How far down the grid a time is, in px."""
    return TOP + minutes * HOUR / 60


def minutes_at(y: float) -> float:
    """The time at a height, within the day."""
    return min(max((y - TOP) * 60 / HOUR, 0.0), float(MINUTES))


def lay_out(entries: Sequence[Entry], width: int) -> tuple[Spot, ...]:
    """Gives every entry of a day its place in a column that has `width` px for chips; entries are in order."""
    return tuple(spot for cluster in _clusters(entries) for spot in _place(cluster, width))


_Placed = tuple[Entry, int, int]
"""An entry, its top in px, and its lane."""


@dataclass(slots=True)
class _Cluster:
    """Entries that reach into one another, each with its top and lane; how much is free from the first to the next."""

    entries: list[_Placed]
    lanes: int
    free: int = FREE


def _clusters(entries: Sequence[Entry]) -> Iterator[_Cluster]:
    ends: list[int] = []  # where each lane is free again
    current: _Cluster | None = None
    for one in entries:
        top = round(y_of(one.minutes)) + 1
        if current is not None and top >= max(ends):
            current.free = top - current.entries[0][1]
            yield current
            current, ends = None, []
        lane = next((place for place, end in enumerate(ends) if end <= top), len(ends))
        ends[lane : lane + 1] = [top + LOW + GAP]
        if current is None:
            current = _Cluster([], 0)
        current.entries.append((one, top, lane))
        current.lanes = len(ends)
    if current is not None:
        yield current


def _place(cluster: _Cluster, width: int) -> Iterator[Spot]:
    if cluster.lanes == 1:
        one, top, _ = cluster.entries[0]
        yield Spot((one,), 0, top, width, TALL if cluster.free >= FREE else LOW)
        return
    most = max(1, min(LANES, (width + GAP) // (NARROWEST + GAP)))
    if cluster.lanes <= most:
        yield from (_in_lane(placed, cluster.lanes, width) for placed in cluster.entries)
        return
    room = width - MORE_WIDE - GAP
    shown = max(1, min(LANES - 1, (room + GAP) // (NARROWEST + GAP)))
    yield from (_in_lane(placed, shown, room) for placed in cluster.entries if placed[2] < shown)
    for run in _runs([placed for placed in cluster.entries if placed[2] >= shown]):
        hidden = tuple(one for one, _, _ in run)
        yield Spot(hidden, room + GAP, run[0][1], MORE_WIDE, LOW, more=True)


def _in_lane(placed: _Placed, lanes: int, width: int) -> Spot:
    one, top, lane = placed
    wide = (width - GAP * (lanes - 1)) / lanes
    left = round(lane * (wide + GAP))
    return Spot((one,), left, top, round((lane + 1) * (wide + GAP)) - GAP - left, LOW)


def _runs(placed: list[_Placed]) -> Iterator[list[_Placed]]:
    """Cuts entries into runs of which one "+n" each can stand below the other."""
    run: list[_Placed] = []
    for one in placed:
        if run and one[1] >= run[0][1] + LOW + GAP:
            yield run
            run = []
        run.append(one)
    if run:
        yield run
