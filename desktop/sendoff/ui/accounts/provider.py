"""A mail address and its provider: what is known of the provider is filled in, and what follows from the address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sendoff.domain.channel import Channel, Preset
from sendoff.ui.accounts.parts import Links
from sendoff.ui.theme import Look
from sendoff.ui.widgets.choice import ComboBox
from sendoff.ui.widgets.field import Field, TextField

OTHER = ""


def preset_of(presets: Iterable[Preset], address: str) -> Preset | None:
    """The provider whose customers have such addresses."""
    domain = address.strip().rpartition("@")[2].lower()
    return next((one for one in presets if domain in one.domains), None) if "@" in address else None


def follows(channel: Channel, preset: Preset | None, address: str) -> dict[str, str]:
    """The fields that follow from a mail address: the user name, who the mails are from."""
    address = address.strip()
    local = address.rpartition("@")[0]
    if not local or address.endswith("@"):
        return {}
    shapes = {**channel.from_address, **(preset.from_address if preset else {})}
    return {name: shape.format(address=address, local=local) for name, shape in shapes.items()}


class Provider(QWidget):
    """Asks for the mail address first, where fields follow from one.

    `filled` carries the fields that can be filled in after each change; `known` whether the provider's servers are
    known, when that is clear.
    """

    filled = Signal(object)
    known = Signal(bool)

    def __init__(self, look: Look, channel: Channel) -> None:
        super().__init__()
        self._channel = channel
        self._presets = {preset.name: preset for preset in channel.presets}
        self._by_hand = False
        self.address = TextField(look, "Your mail address", hint="you@example.org")
        what, other = channel.preset_words
        self.choice = ComboBox(look, what, [(OTHER, other), *((name, name) for name in self._presets)])
        self._box = Field(look, what, self.choice)
        self._links = Links(look)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(14)
        self._typing = Field(look, "Your mail address", self.address)
        column.addWidget(self._typing)
        self._typing.setVisible(bool(channel.from_address))
        column.addWidget(self._box)
        column.addWidget(self._links)
        self._links.hide()
        self.address.textChanged.connect(self._typed)
        self.address.editingFinished.connect(self._left)
        self.choice.chosen.connect(self._chosen)

    @property
    def _preset(self) -> Preset | None:
        return self._presets.get(self.choice.value())

    def choose(self, name: str) -> None:
        """Takes a provider by its name, as if it had been chosen."""
        self.choice.set_value(name)
        self._chosen(name)

    def _typed(self, address: str) -> None:
        found, before = preset_of(self._presets.values(), address), self._preset
        if found is not None and found is not before:
            self._by_hand = False
            self._take(found)
        elif found is None and before is not None and not self._by_hand:
            self._take(None, dict.fromkeys(before.values, ""))
        else:
            self._fill({})

    def _chosen(self, name: str) -> None:
        self._by_hand = True
        self._take(self._presets.get(name))

    def _take(self, preset: Preset | None, values: Mapping[str, str] | None = None) -> None:
        self.choice.set_value(preset.name if preset else OTHER)
        words = preset.help if preset else ""
        self._box.set_help(words)
        self._links.show_for(words)
        self._fill(preset.values if preset else values or {})
        self.known.emit(preset is not None)

    def _left(self) -> None:
        """Whoever is done with an address of an unknown provider has to say where its servers are."""
        if self._preset is None and "@" in self.address.text():
            self.known.emit(False)

    def _fill(self, values: Mapping[str, str]) -> None:
        self.filled.emit({**values, **follows(self._channel, self._preset, self.address.text())})
