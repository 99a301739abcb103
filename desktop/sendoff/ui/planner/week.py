"""The week under a person's hands: walking through chips, selecting and dragging them, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QToolTip

from sendoff.domain.delivery import Move
from sendoff.domain.when import clock_text
from sendoff.store.timeline import Chip
from sendoff.ui.planner import days
from sendoff.ui.planner.card import PreviewCard
from sendoff.ui.planner.days import DAYS
from sendoff.ui.planner.deeds import Deeds
from sendoff.ui.planner.drag import Drag
from sendoff.ui.planner.grid import GUTTER, Grid, Key
from sendoff.ui.planner.layout import Spot, minutes_at
from sendoff.ui.planner.words import fold_words, spoken
from sendoff.ui.theme import Look
from sendoff.ui.widgets.menu import Menu
from sendoff.ui.widgets.tip import plain

EDGE = 28
"""So near to the upper or lower edge a drag scrolls; px."""


class WeekView(Grid):
    """Seven days. Chips are walked through with the arrows, dragged to other times, selected with Ctrl and Shift.

    `paged` says that an arrow went over the edge of the week, `listed` that what has no room is wanted as a list.
    """

    paged = Signal(int)
    listed = Signal(object)
    selection_changed = Signal()

    def __init__(self, look: Look, marks: Mapping[str, str], deeds: Deeds, card: PreviewCard) -> None:
        super().__init__(look, marks)
        self._deeds, self.card = deeds, card
        self._anchor: Key | None = None
        self._pressed: tuple[QPoint, Spot] | None = None
        self._enter_from = 0
        self._pull = QTimer(self)
        self._pull.setInterval(30)
        self._pull.timeout.connect(self._scroll_along)
        self._pointer = QPoint()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Week")

    # --- what it shows --------------------------------------------------------------------------------------------

    def show_week(self, first: date, zone: str, chips: Iterable[Chip], now: datetime) -> None:
        """Shows the chips of a week; what was current and selected stays so where it can."""
        self.show_days(first, zone, chips, now)
        self._keep_places()
        if self.card.entry is not None and self.card.entry not in self._all():
            self.card.dismiss()  # what it says is not true any more

    def _keep_places(self) -> None:
        """Current and selected chips that were moved are followed; what is gone is let go of."""
        known = {one.chip.key for entries in self._entries.values() for one in entries}
        by_post: dict[int, list[Key]] = {}
        for key in known:
            by_post.setdefault(key[0], []).append(key)

        def followed(key: Key) -> Key | None:
            if key in known:
                return key
            same = by_post.get(key[0], [])
            return same[0] if len(same) == 1 else None

        before = self._selected
        self._selected = {new for key in before if (new := followed(key))}
        old, self._current = self._current, followed(self._current) if self._current else None
        self._anchor = followed(self._anchor) if self._anchor else None
        if self._enter_from:
            self._enter()
        elif old is not None and self._current is None:
            self._current = self._nearest(old[1])
        if self._selected != before:
            self.selection_changed.emit()

    def _enter(self) -> None:
        """Comes from another week: the first or last chip becomes the current one."""
        spots = [spot for day in days.days_of(self._first) for spot in self._in_order(day)]
        if spots:
            self._set_current(spots[0 if self._enter_from > 0 else -1])
        self._enter_from = 0

    def _nearest(self, instant: datetime) -> Key | None:
        known = [one.chip.key for entries in self._entries.values() for one in entries]
        return min(known, key=lambda key: abs(key[1] - instant), default=None)

    def jump_to(self, post_id: int, instant: datetime) -> None:
        """Makes one chip the current one and brings it into view."""
        key = self._nearest_of(post_id, instant)
        spot = self._spot_of(key) if key else None
        if spot is not None:
            self._scrolled = True
            self._set_current(spot)
            self._select_only(spot)

    def _nearest_of(self, post_id: int, instant: datetime) -> Key | None:
        known = [one.chip.key for entries in self._entries.values() for one in entries if one.chip.post_id == post_id]
        return min(known, key=lambda key: abs(key[1] - instant), default=None)

    # --- selection ------------------------------------------------------------------------------------------------

    @property
    def selected(self) -> list[Chip]:
        """The selected chips in order; none if nothing is."""
        return [one.chip for one in self._all() if one.chip.key in self._selected]

    @property
    def subject(self) -> list[Chip]:
        """What a key is meant for: the selected chips, else the current one."""
        return self.selected or [one.chip for one in self._all() if one.chip.key == self._current]

    def clear_selection(self) -> None:
        self._set_selected(set())

    def _set_selected(self, keys: set[Key]) -> None:
        if keys != self._selected:
            self._selected = keys
            self.viewport().update()
            self.selection_changed.emit()

    def _select_only(self, spot: Spot) -> None:
        self._anchor = spot.entry.chip.key
        self._set_selected({spot.entry.chip.key})

    def _toggle(self, spot: Spot) -> None:
        self._anchor = spot.entry.chip.key
        self._set_selected(self._selected ^ {spot.entry.chip.key})

    def _select_up_to(self, spot: Spot) -> None:
        """All from the anchor to here, in the order of time."""
        keys = [one.chip.key for one in self._all()]
        if self._anchor not in keys or spot.entry.chip.key not in keys:
            self._select_only(spot)
            return
        first, last = sorted((keys.index(self._anchor), keys.index(spot.entry.chip.key)))
        self._set_selected(set(keys[first : last + 1]))

    def _set_current(self, spot: Spot) -> None:
        self._current = spot.entry.chip.key
        self._reveal(spot)
        self._say(spot)
        self.viewport().update()

    def _say(self, spot: Spot) -> None:
        """Tells a screen reader what is current now."""
        words = fold_words(spot) if spot.more else spoken(spot.entry, self._zone)
        self.setAccessibleDescription(words)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))

    # --- the mouse ------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at, spot = event.position().toPoint(), self._spot_at(event.position().toPoint())
        self.card.dismiss()
        self._by_keys = False
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        if spot is None:
            self._pressed = None
            self.clear_selection()
            return
        self._pressed = (at + QPoint(0, self._scroll()), spot)
        self._current = spot.entry.chip.key
        if spot.more:
            self._pressed = None
            self.listed.emit(spot.entry)
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._toggle(spot)
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._select_up_to(spot)
        elif spot.entry.chip.key not in self._selected:
            self._select_only(spot)
        self._say(spot)
        self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        if self._drag is not None:
            self._drag_to(at, event.modifiers())
        elif self._pressed is not None and event.buttons() & Qt.MouseButton.LeftButton:
            start, spot = self._pressed
            moved = at + QPoint(0, self._scroll()) - start
            if moved.manhattanLength() >= QApplication.startDragDistance():
                self._begin_drag(spot, start.y())
                self._drag_to(at, event.modifiers())
        else:
            self._point_at(at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._pressed = self._pressed, None
        if event.button() is not Qt.MouseButton.LeftButton or pressed is None:
            return
        if self._drag is not None:
            self._drop()
        elif not event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier):
            self._select_only(pressed[1])

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        spot = self._spot_at(at)
        self._pressed = None
        if event.button() is not Qt.MouseButton.LeftButton or at.x() < GUTTER:
            return
        if spot is None:
            self._deeds.write_at(self._wall_at(at))
        elif spot.more:
            self.listed.emit(spot.entry)
        else:
            self._deeds.open(spot.entry.chip)

    def _wall_at(self, at: QPoint) -> datetime:
        """The time of a place in the grid: the quarter of an hour that it is in, or the next one if that has begun."""
        minutes = minutes_at(at.y() + self._scroll()) // 15 * 15
        wall = datetime.combine(self._day_at(at.x()), datetime.min.time()) + timedelta(minutes=min(minutes, 1425))
        begun = wall < self._now < wall + timedelta(minutes=15)
        return wall + timedelta(minutes=15) if begun else wall

    def _point_at(self, at: QPoint) -> None:
        spot = self._spot_at(at) if at.x() >= GUTTER else None
        key = spot.entry.chip.key if spot else None
        if key != self._hovered:
            self._hovered = key
            self.viewport().update()
        if spot is None or spot.more:
            self.card.unwant()
        else:
            self.card.want(spot.entry, lambda: self._global(spot))

    def _global(self, spot: Spot) -> QRect:
        rect = self.rect_of(spot)
        return QRect(self.viewport().mapToGlobal(rect.topLeft()), rect.size())

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._hovered = None
            self.card.unwant()
            self.viewport().update()
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._show_tip(event)
            return True
        return super().viewportEvent(event)

    def _show_tip(self, event: QHelpEvent) -> None:
        spot = self._spot_at(event.pos())
        bend = self._bends.get(self._day_at(event.pos().x()))
        minutes = minutes_at(event.pos().y() + self._scroll())
        if spot is not None and spot.more:
            lines = [f"{clock_text(one.wall)}  {one.chip.excerpt}" for one in spot.entries[:8]]
            lines += [f"and {len(spot.entries) - 8} more"] if len(spot.entries) > 8 else []
            QToolTip.showText(event.globalPos(), plain("\n".join(lines)), self)
        elif spot is None and bend is not None and bend.start <= minutes < bend.end:
            QToolTip.showText(event.globalPos(), plain(bend.words), self)
        else:
            QToolTip.hideText()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.card.dismiss()
        super().wheelEvent(event)

    # --- dragging -------------------------------------------------------------------------------------------------

    def _begin_drag(self, spot: Spot, start: int) -> None:
        chips = self.selected if spot.entry.chip.key in self._selected else [spot.entry.chip]
        movable = {chip.key for chip in chips if chip.ids_that_can(Move.RESCHEDULE)}
        if spot.entry.chip.key not in movable:
            self._pressed = None
            self._deeds.refuse_move(spot.entry.chip)
            return
        entries = tuple(one for one in self._all() if one.chip.key in movable)
        self._drag = Drag(spot.entry, entries, start, spot.entry.wall)
        self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        self._pull.start()

    def _drag_to(self, at: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        if self._drag is None:
            return
        self._pointer = at
        fine = bool(modifiers & Qt.KeyboardModifier.AltModifier)
        self._drag.over(self._day_at(at.x()), at.y() + self._scroll(), fine=fine)
        past = self._drag.to < self._now
        self.viewport().setCursor(Qt.CursorShape.ForbiddenCursor if past else Qt.CursorShape.ClosedHandCursor)
        self.viewport().update()

    def _scroll_along(self) -> None:
        """Near the upper or lower edge the grid moves under the dragged chip."""
        height, bar = self.viewport().height(), self.verticalScrollBar()
        step = -12 if self._pointer.y() < EDGE else 12 if self._pointer.y() > height - EDGE else 0
        if self._drag is not None and step and bar.minimum() < bar.value() + step < bar.maximum():
            bar.setValue(bar.value() + step)
            self._drag_to(self._pointer, QApplication.keyboardModifiers())

    def _drop(self) -> None:
        drag = self._end_drag()
        if drag is None or not drag.by:
            return
        if drag.held.chip.key in self._selected and len(self._selected) > 1:
            self._deeds.shift(self.selected, drag.by)
        else:
            self._deeds.move(drag.held.chip, drag.to)

    def _end_drag(self) -> Drag | None:
        drag, self._drag = self._drag, None
        self._pressed = None
        self._pull.stop()
        self.viewport().unsetCursor()
        self.viewport().update()
        return drag

    # --- the keyboard ---------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys, key, held = Qt.Key, event.key(), event.modifiers()
        self._by_keys = True
        walks = {keys.Key_Up: (0, -1), keys.Key_Down: (0, 1), keys.Key_Left: (-1, 0), keys.Key_Right: (1, 0)}
        if key == keys.Key_Escape and self._drag is not None:
            self._end_drag()
        elif key == keys.Key_Escape and (self._selected or self.card.isVisible()):
            self.card.dismiss()
            self.clear_selection()
        elif key in walks and not held & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier):
            self._walk(*walks[keys(key)], extend=bool(held & Qt.KeyboardModifier.ShiftModifier))
        elif key in (keys.Key_Home, keys.Key_End):
            self._go_to_end(-1 if key == keys.Key_End else 0)
        elif key == keys.Key_Space:
            self._space(toggle=bool(held & Qt.KeyboardModifier.ControlModifier))
        elif key == keys.Key_A and held & Qt.KeyboardModifier.ControlModifier:
            self._set_selected({one.chip.key for one in self._all()})
        else:
            super().keyPressEvent(event)

    def _walk(self, across: int, down: int, *, extend: bool) -> None:
        """Goes to the chip above or below in the day, or to the one at about that time on another day."""
        self.card.dismiss()
        spot = self._spot_of(self._current)
        if spot is None:
            self._start_walking()
            return
        found = self._beside(spot, across) if across else self._below(spot, down)
        if found is None:
            if across:
                self._enter_from = across
                self.paged.emit(across)
            return
        self._set_current(found)
        if extend:
            self._select_up_to(found)
        else:
            self._select_only(found)

    def _start_walking(self) -> None:
        """The first thing from now on, else the first of the week."""
        spots = self.spots()
        ahead = [spot for spot in spots if spot.entry.wall >= self._now]
        if spots:
            self._set_current((ahead or spots)[0])
            self._select_only((ahead or spots)[0])

    def _below(self, spot: Spot, down: int) -> Spot | None:
        order = self._in_order(spot.entry.wall.date())
        place = order.index(spot) + down
        return order[place] if 0 <= place < len(order) else None

    def _beside(self, spot: Spot, across: int) -> Spot | None:
        day = spot.entry.wall.date() + timedelta(days=across)
        while self._first <= day < self._first + timedelta(days=DAYS):
            if self._spots.get(day):
                return min(self._spots[day], key=lambda one: (abs(one.top - spot.top), one.left))
            day += timedelta(days=across)
        return None

    def _go_to_end(self, place: int) -> None:
        """The first or last chip of the current one's day."""
        spot = self._spot_of(self._current)
        if spot is not None:
            found = self._in_order(spot.entry.wall.date())[place]
            self._set_current(found)
            self._select_only(found)

    def _space(self, *, toggle: bool) -> None:
        """Shows the card of the current chip; with Ctrl selects it or not."""
        spot = self._spot_of(self._current)
        if spot is None:
            return
        if toggle:
            self._toggle(spot)
        elif spot.more:
            self.listed.emit(spot.entry)
        else:
            self.card.show_entry(spot.entry, lambda: self._global(spot), return_to=self)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._by_keys = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        spot = self._spot_of(self._current)
        if spot is not None:
            self._say(spot)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.card.dismiss()
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        at = event.pos()
        spot = self._spot_of(self._current) if by_key else self._spot_at(at)
        if spot is None or spot.more:
            if not by_key and at.x() >= GUTTER:
                self._empty_menu(self._wall_at(at), event.globalPos())
            return
        if spot.entry.chip.key not in self._selected:
            self._set_current(spot)
            self._select_only(spot)
        where = self._global(spot).center() if by_key else event.globalPos()
        self._deeds.menu(self.selected, self).popup(where)

    def _empty_menu(self, wall: datetime, where: QPoint) -> None:
        menu = Menu(self._look, parent=self)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.add(f"New post for {clock_text(wall)}", lambda: self._deeds.write_at(wall), icon="pen-line")
        menu.popup(where)
