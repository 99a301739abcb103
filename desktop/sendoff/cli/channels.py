"""`sendoff channels`: what there is to post to, with the fields of its sign-in, its options and its limits."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from sendoff.channels import registry
from sendoff.cli import render, session, trying
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import Channel, Field, Option, Preset, channel_named
from sendoff.domain.limits import size_text
from sendoff.domain.when import span_text
from sendoff.domain.words import one_of


def show(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        if arguments.document:
            reads = next((one.kind for one in program.channels.values() if one.imports), "")
            return _show_described(channel_named(program.channels, arguments.kind or reads), arguments)
        if arguments.kind:
            chosen, failed = [channel_named(program.channels, arguments.kind)], {}
        else:
            chosen, failed = registry.ordered(program.channels), dict(program.failed_channels)
    if arguments.json:
        render.print_json({"channels": [_as_json(channel) for channel in chosen], "failed": failed})
        return 0
    print("\n\n".join("\n".join(_lines(channel)) for channel in chosen))
    for name, reason in sorted(failed.items()):
        print(f"\n{name}: could not be loaded ({render.one_line(reason)})")
    return 0


def _show_described(channel: Channel, arguments: argparse.Namespace) -> int:
    """The requests of a document, each as it would fill in the form of an account."""
    found = trying.described(channel, arguments.document)
    if arguments.json:
        render.print_json({"operations": [_preset(one) for one in found]})
    else:
        lines = render.table(["REQUEST", "WHAT IT DOES"], [[one.name, render.one_line(one.help)] for one in found])
        print("\n".join(lines))
    return 0


def _preset(one: Preset) -> dict[str, Any]:
    return {"name": one.name, "domains": list(one.domains), "values": dict(one.values), "help": one.help}


def _as_json(channel: Channel) -> dict[str, Any]:
    return {
        "kind": channel.kind,
        "title": channel.title,
        "group": channel.group,
        "needs": channel.needs,
        "steps": list(channel.steps),
        "signs_in_by_browser": channel.signs_in_by_browser,
        "fields": [
            {
                "name": one.name,
                "label": one.label,
                "kind": one.kind,
                "required": one.required,
                "secret": one.secret,
                "advanced": one.advanced,
                "default": one.default,
                "choices": [value for value, _ in one.choices],
                "help": one.help,
            }
            for one in channel.fields
            if not one.hidden
        ],
        "options": [
            {
                "name": one.name,
                "label": one.label,
                "kind": one.kind,
                "default": one.default,
                "choices": [value for value, _ in one.choices],
                "help": one.help,
            }
            for one in channel.options
        ],
        "presets": [_preset(one) for one in channel.presets],
        "limits": {one.name: getattr(channel.capabilities, one.name) for one in fields(channel.capabilities)},
    }


def _lines(channel: Channel) -> Iterator[str]:
    takes = "e-mail" if channel.capabilities.mail else "posts"
    yield f"{channel.kind}: {channel.title}, {takes}. You need: {channel.needs or 'nothing'}"
    if channel.signs_in_by_browser:
        yield "  signs in with your browser" + ("" if channel.browser_first else " if you say --browser")
    for field in (one for one in channel.fields if not one.hidden):
        yield f"  --field {field.name}{_about(field)}" if not field.secret else f"  secret  {field.name}{_about(field)}"
    for option in channel.options:
        yield f"  --option {option.name}{_about(option)}"
    if channel.presets:
        yield f"  --preset {', '.join(preset.name for preset in channel.presets)}"
    limits = ", ".join(_limits(channel.capabilities))
    if limits:
        yield f"  limits  {limits} (as of {channel.capabilities.checked})"


def _about(field: Field | Option) -> str:
    """What a field is, behind its name: its label, what may stand there, what it is without."""
    words = [field.label]
    if field.choices:
        words.append(one_of(dict(field.choices)))
    if field.default:
        words.append(f"“{field.default}” unless given")
    elif isinstance(field, Field) and not field.required:
        words.append("optional")
    help_text = f". {field.help}" if field.help else ""
    return f"  {'; '.join(words)}{help_text}"


def _limits(figures: Capabilities) -> Iterator[str]:
    for value, words in (
        (figures.text, "{} characters"),
        (figures.media, "{} pictures or videos"),
        (figures.alt, "alt text of {} characters"),
        (figures.poll_options, "polls of {} answers"),
        (figures.recipients, "{} people a mail"),
    ):
        if value:
            yield words.format(value)
    for size, words in (
        (figures.image_bytes, "pictures of {}"),
        (figures.video_bytes, "videos of {}"),
        (figures.message_bytes, "mails of {}"),
    ):
        if size:
            yield words.format(size_text(size))
    if figures.threads:
        yield "threads"
    if figures.spacing:
        yield f"{span_text(figures.spacing)} between two posts"
