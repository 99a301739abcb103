"""What a member of a Discord server may do in one of its channels (docs: topics/permissions)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Flag
from typing import Any

from sendoff.channels.reading import listed, table


class Right(Flag):
    """The permissions that matter for posting, by their bits."""

    ADMINISTRATOR = 1 << 3
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    SEND_MESSAGES_IN_THREADS = 1 << 38

    @property
    def words(self) -> str:
        """As Discord's settings call it."""
        return " ".join((self.name or "").split("_")).title().replace(" In ", " in ")


_ALL = sum(one.value for one in Right)


def rights(guild: Mapping[str, Any], member: Mapping[str, Any], channel: Mapping[str, Any], member_id: str) -> Right:
    """The member's rights in the channel: its roles', with the channel's exceptions laid over them in Discord's order:
    for everyone, for the roles together, for the member."""
    guild_id = str(guild.get("id"))
    own = {str(one) for one in listed(member.get("roles"))} | {guild_id}
    roles = [table(one) for one in listed(guild.get("roles"))]
    base = 0
    for role in roles:
        if role.get("id") in own:
            base |= _bits(role.get("permissions"))
    if guild.get("owner_id") == member_id or base & Right.ADMINISTRATOR.value:
        return Right(_ALL)
    exceptions = [table(one) for one in listed(channel.get("permission_overwrites"))]
    for whose in ({guild_id}, own - {guild_id}, {member_id}):
        concerned = [one for one in exceptions if one.get("id") in whose]
        for one in concerned:
            base &= ~_bits(one.get("deny"))
        for one in concerned:
            base |= _bits(one.get("allow"))
    return Right(base & _ALL)


def _bits(text: Any) -> int:
    return int(text) if isinstance(text, str) and text.isdecimal() else 0
