"""What was typed into the sign-in form of a channel: checked, completed, and what of it is secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sendoff.domain.address import web_address
from sendoff.domain.channel import Channel, Field, Identity, Kind
from sendoff.domain.errors import BadInput
from sendoff.domain.words import one_of


def complete(channel: Channel, typed: Mapping[str, str]) -> dict[str, str]:
    """The fields with defaults filled in, each checked for what can be said without the endpoint.

    Raises:
        BadInput: a field is missing, unknown or of the wrong kind; the message names it.
    """
    known = {field.name: field for field in channel.fields}
    for name in typed:
        if name not in known:
            raise BadInput(f"{channel.title} has no field “{name}”. It has: {', '.join(known) or 'none'}.")
    values = {}
    for field in channel.fields:
        with _naming(field.name):
            values[field.name] = _checked(channel, field, typed.get(field.name, ""))
    return values


def lay_over(channel: Channel, typed: Mapping[str, str], had: Mapping[str, str]) -> dict[str, str]:
    """What was typed, laid over what an account has. A secret field that is empty counts as left out; another one is
    emptied by it.

    Raises:
        BadInput: as `complete`.
    """
    hidden = {field.name for field in channel.fields if field.secret}
    given = {name: value for name, value in typed.items() if value or name not in hidden}
    names = {field.name for field in channel.fields}
    kept = {name: value for name, value in had.items() if name in names}
    return complete(channel, {**kept, **given})


def divide(channel: Channel, completed: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What goes into the database and what into the keychain."""
    hidden = {field.name for field in channel.fields if field.secret}
    plain = {name: value for name, value in completed.items() if name not in hidden}
    return plain, {name: value for name, value in completed.items() if name in hidden and value}


def kept(channel: Channel, completed: Mapping[str, str], identity: Identity) -> tuple[dict[str, str], dict[str, str]]:
    """The same once the endpoint was asked: what it told is laid over what was typed."""
    plain, secret = divide(channel, completed)
    return {**plain, **identity.settings}, {**secret, **identity.secrets}


@contextmanager
def _naming(field: str) -> Iterator[None]:
    """Whatever cannot be used in here is in this field."""
    try:
        yield
    except BadInput as wrong:
        raise wrong.at(field) from None


def _checked(channel: Channel, field: Field, typed: str) -> str:
    """The value of one field, as the channel gets it.

    Raises:
        BadInput: it is missing or of the wrong kind; the message names it.
    """
    value = (typed if field.secret else typed.strip()) or field.default
    if field.required and not value:
        raise BadInput(f"{channel.title}: “{field.label}” ({field.name}) is missing. {field.help}".strip())
    if not value:
        return ""
    if field.kind is Kind.CHOICE and value not in dict(field.choices):
        raise BadInput(f"“{field.label}” ({field.name}) is {one_of(dict(field.choices))}, not “{value}”.")
    if field.kind is Kind.NUMBER and not value.isdecimal():
        raise BadInput(f"“{field.label}” ({field.name}) is a number, not “{value}”.")
    if field.kind is Kind.SWITCH and value not in ("yes", "no"):
        raise BadInput(f"“{field.label}” ({field.name}) is yes or no, not “{value}”.")
    return web_address(value) if field.kind is Kind.ADDRESS else value
