"""The whole window as one calm message, when the profile cannot be opened or its database is damaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets.button import LARGE, Button
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.state import Spinner
from sendoff.ui.widgets.surface import Picture

if TYPE_CHECKING:
    from sendoff.store.backups import Contents, Copy
    from sendoff.store.db import StoreDamaged


AFTER = "After going back to it Sendoff is paused, and shows first what it would send."
NO_COPY = "There is no copy that could take its place in the folder “backups”."


class TroublePage(QWidget):
    """Says what is wrong and what to do, in the error's own sentence.

    Args:
        more: buttons before the last one, which is the chief one.
        again_last: “Try again” is that; else the last of `more`.
    """

    def __init__(
        self,
        look: Look,
        sentence: str,
        again: Callable[[], object],
        leave: Callable[[], object],
        *,
        title: str = "Sendoff can’t open this profile",
        more: Sequence[Button] = (),
        again_last: bool = True,
    ) -> None:
        super().__init__()
        centre = Qt.AlignmentFlag.AlignHCenter
        column = QVBoxLayout(self)
        column.setContentsMargins(48, 48, 48, 48)
        column.setSpacing(0)
        column.addStretch(2)
        column.addWidget(Picture(look, "trouble"), 0, centre)
        column.addSpacing(24)
        column.addWidget(Label(look, title, size="title", weight=STRONG), 0, centre)
        column.addSpacing(8)
        self.sentence = Label(look, sentence, size="lead", color="text2", wrap=True, align=centre)
        self.sentence.setMaximumWidth(560)
        column.addWidget(self.sentence, 0, centre)
        column.addSpacing(24)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addStretch(1)
        row.addWidget(Button(look, "Quit", size=LARGE, run=leave))
        try_again = Button(look, "Try again", kind="primary" if again_last else "secondary", size=LARGE, run=again)
        for button in (*more, try_again) if again_last else (try_again, *more):
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        column.addStretch(3)


class WaitPage(QWidget):
    """Says what is under way while there is no profile to show."""

    def __init__(self, look: Look, words: str) -> None:
        super().__init__()
        centre = Qt.AlignmentFlag.AlignHCenter
        column = QVBoxLayout(self)
        column.setSpacing(16)
        column.addStretch(2)
        column.addWidget(Spinner(look, size=28), 0, centre)
        column.addWidget(Label(look, words, size="lead", color="text2"), 0, centre)
        column.addStretch(3)


class DamagePage(TroublePage):
    """Says that the database is of no use any more, and offers the latest copy that can be read.

    Args:
        newest: that copy and what it holds; None: there is none.
        restore: goes back to it.
        local: an instant as the person's own time.
    """

    def __init__(
        self,
        look: Look,
        damage: StoreDamaged,
        folder: Path,
        newest: tuple[Copy, Contents] | None,
        *,
        again: Callable[[], object],
        leave: Callable[[], object],
        restore: Callable[[], object],
        local: Callable[[datetime], str],
    ) -> None:
        self.open_folder = Button(look, "Open the folder", icon="folder-open", size=LARGE, run=lambda: _open(folder))
        self.restore = Button(look, "Go back to the copy", kind="primary", size=LARGE, run=restore)
        words = [damage.what, "Nothing is sent."]
        if newest:
            copy, holds = newest
            words += [
                f"The latest copy is of {local(copy.at)}. {holds.words}",
                AFTER,
            ]
        else:
            words.append(NO_COPY)
        buttons = [self.open_folder, self.restore] if newest else [self.open_folder]
        title = "The database is damaged" if "damaged" in damage.what else "The database is gone"
        super().__init__(look, " ".join(words), again, leave, title=title, more=buttons, again_last=False)


class TooNewPage(TroublePage):
    """Says that a newer Sendoff has used the profile, and offers the latest copy that this one can read.

    Args: as those of DamagePage.
    """

    def __init__(
        self,
        look: Look,
        folder: Path,
        newest: tuple[Copy, Contents] | None,
        *,
        again: Callable[[], object],
        leave: Callable[[], object],
        restore: Callable[[], object],
        local: Callable[[datetime], str],
    ) -> None:
        self.open_folder = Button(look, "Open the folder", icon="folder-open", size=LARGE, run=lambda: _open(folder))
        self.restore = Button(look, "Go back to the copy", size=LARGE, run=restore)
        words = ["It was written by a newer Sendoff. Install that version again: everything is there as you left it."]
        if newest:
            copy, holds = newest
            words += [
                f"Or go back to the copy of {local(copy.at)}, the last one that this version can read. {holds.words} "
                "What came later is not in it; it is kept beside the backups.",
                AFTER,
            ]
        else:
            words.append("There is no copy in the folder “backups” that this version can read.")
        buttons = [self.open_folder, self.restore] if newest else [self.open_folder]
        super().__init__(look, " ".join(words), again, leave, title="This profile needs a newer Sendoff", more=buttons)


def _open(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
