"""What floats over the planner: the bar for several selected posts, and the one that says why a week is empty."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from sendoff.store.timeline import Chip
from sendoff.ui.planner.deeds import Deeds
from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets.button import SMALL, Button, IconButton
from sendoff.ui.widgets.floating import Bar
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.menu import Menu
from sendoff.ui.widgets.surface import Divider


class SelectionBar(Bar):
    """How many are selected, and what can be done with them together."""

    def __init__(self, look: Look, host: QWidget, deeds: Deeds, clear: Callable[[], object]) -> None:
        super().__init__(look, host)
        self._chips: list[Chip] = []
        self._count = Label(look, "", weight=STRONG)
        menu = Menu(look, parent=self)
        menu.aboutToShow.connect(lambda: self._fill(menu, deeds))
        self.shift = Button(look, "Shift…", kind="quiet", size=SMALL, icon="calendar-clock", menu=menu)
        self.cancel = Button(
            look, "Cancel posts", kind="quiet", size=SMALL, icon="trash-2", run=lambda: deeds.cancel(self._chips)
        )  # fmt: skip
        line = Divider(look, upright=True, soft=False)
        line.setFixedHeight(20)
        for part in (self._count, self.shift, self.cancel, line, IconButton(look, "x", "Select none", run=clear)):
            self.row.addWidget(part)

    def _fill(self, menu: Menu, deeds: Deeds) -> None:
        menu.clear()
        deeds.add_steps(menu, self._chips)

    def show_chips(self, chips: list[Chip]) -> None:
        """Comes with two or more."""
        self._chips = chips
        self._count.setText(f"{len(chips)} selected")
        self.setAccessibleName(self._count.text())
        self.row.activate()
        if len(chips) > 1:
            self.show_above()
        else:
            self.hide()


class Notice(Bar):
    """A sentence and one way on."""

    def __init__(self, look: Look, host: QWidget, words: str, run: Callable[[], object]) -> None:
        super().__init__(look, host)
        self._words = Label(look, "", elide=True)
        self.row.addWidget(self._words)
        self.row.addWidget(Button(look, words, kind="link", size=SMALL, run=run))

    def say(self, sentence: str) -> None:
        """Shows the sentence; "" takes it away."""
        self._words.setText(sentence)
        self.row.activate()
        if sentence:
            self.show_above()
        else:
            self.hide()
