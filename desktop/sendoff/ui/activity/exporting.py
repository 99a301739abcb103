"""The button that writes what Activity shows into a CSV file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sendoff.domain.errors import SendoffError
from sendoff.domain.when import When
from sendoff.domain.words import counted
from sendoff.store import activity
from sendoff.store.activity import Wanted
from sendoff.ui import files
from sendoff.ui.context import Context
from sendoff.ui.widgets.button import Button


class ExportButton(Button):
    """Asks where, then writes away from the window's thread; `wanted` says what is shown."""

    def __init__(self, context: Context, wanted: Callable[[], Wanted]) -> None:
        super().__init__(context.look, "Export", icon="download", run=self.choose_file)
        self._context, self._wanted = context, wanted

    def choose_file(self) -> None:
        """Opens the system's dialog for a new file."""
        now = When.at(self._context.now(), self._context.zone()).wall
        name = f"sendoff-activity-{now:%Y-%m-%d}.csv"
        files.save_file(self._context, self, "Export activity", name, "CSV (*.csv)", self.write)

    def write(self, path: Path) -> None:
        """Writes the file, and says so or why not."""
        context, wanted, zone = self._context, self._wanted(), self._context.zone()
        titles = {kind: channel.title for kind, channel in context.program.channels.items()}

        def work() -> int:
            with context.reading() as connection:
                return activity.write_csv(connection, path, wanted, zone=zone, titles=titles)

        self._show_busy(True)
        context.do(work, lambda count: self._written(path, count), self._refused, slow=True, owner=self)

    def _show_busy(self, busy: bool) -> None:
        self.setEnabled(not busy)
        self.setText("Exporting…" if busy else "Export")

    def _written(self, path: Path, count: int) -> None:
        self._show_busy(False)
        self._context.say(f"{counted(count, 'delivery', 'deliveries')} written to {path.name}.")

    def _refused(self, error: SendoffError) -> None:
        self._show_busy(False)
        self._context.say(str(error), trouble=True)
