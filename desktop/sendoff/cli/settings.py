"""`sendoff settings`: the preferences, as store/settings.py declares them."""

from __future__ import annotations

import argparse

from sendoff.cli import render, session
from sendoff.domain.errors import BadInput
from sendoff.store import settings


def show(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program, program.store.reading() as connection:
        values = settings.read(connection)
    shown = settings.offered()
    if arguments.json:
        render.print_json({
            "settings": [
                {
                    "name": one.name, "value": values[one.name], "default": one.default, "label": one.label,
                    "choices": _values(one), "help": one.help,
                }
                for one in shown
            ]
        })  # fmt: skip
        return 0
    rows = [[one.name, values[one.name] or "“”", one.label, ", ".join(_values(one))] for one in shown]
    print("\n".join(render.table(["NAME", "VALUE", "MEANS", "CHOICES"], rows)))
    return 0


def _values(setting: settings.Setting) -> list[str]:
    if setting.kind == "switch":
        return ["yes", "no"]
    return [value for value, _ in setting.choices]


def change(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        shown = [setting.name for setting in settings.offered()]
        if arguments.name not in shown:
            raise BadInput(f"There is no preference “{arguments.name}”. There are: {', '.join(shown)}.")
        program.commands.settings.set(arguments.name, arguments.value)
    print(f"{arguments.name} is “{render.plain(arguments.value)}” now.")
    return 0
