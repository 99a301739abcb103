"""What a start of Sendoff brings along: words, files, a mailto: link. It opens the composer and never sends."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urlsplit

from sendoff.domain.errors import BadInput, SendoffError

if TYPE_CHECKING:
    from sendoff.domain.mailto import Mailto

SHOW, COMPOSE, QUIT = "show", "compose", "quit"
COMMANDS = (SHOW, COMPOSE, QUIT)
"""All that a start can ask for: the window, a new post in it, or its end in good order."""

MOST_FILES = 100
"""More are no post; they would be copied into the profile one after the other."""

TOKENS = ("XDG_ACTIVATION_TOKEN", "DESKTOP_STARTUP_ID")
"""Where a launcher puts the permission to come to the front (xdg-activation, Startup Notification Protocol 0.1)."""


@dataclass(frozen=True, slots=True)
class Start:
    """One wish, as the first window gets it from the command line, from a later start, or over D-Bus.

    Args:
        command: one of COMMANDS.
        files: absolute paths.
        wrong: the sentences for what was brought along and cannot be used.
        token: the desktop's permission to come to the front, or "".
        by_person: somebody started it and looks at it; else it comes to the front only with a token.
    """

    command: str = SHOW
    text: str = ""
    files: tuple[str, ...] = ()
    mail: Mailto | None = None
    wrong: tuple[str, ...] = ()
    token: str = ""
    by_person: bool = True

    @property
    def is_compose(self) -> bool:
        return self.command == COMPOSE

    @property
    def brings_something(self) -> bool:
        return bool(self.text or self.files or self.mail or self.wrong)

    @classmethod
    def with_things(cls, things: Iterable[str], *, text: str = "", compose: bool = False, folder: str = "") -> Self:
        """Sorts what was brought along: links, files by their path or address, and text.

        Args:
            things: as they stand on a command line, or as a desktop hands addresses over.
            folder: what paths are relative to.
        """
        from sendoff.domain.mailto import is_mailto, parse, plain_text

        texts, files, wrong = [text] if text else [], [], []
        mail: Mailto | None = None
        for thing in things:
            try:
                if is_mailto(thing):
                    mail = parse(thing)
                elif thing.lower().startswith(("http://", "https://")) or _is_prose(thing, folder):
                    texts.append(thing)
                else:
                    files.append(os.path.join(folder, _path(thing)))
            except BadInput as refused:
                wrong.append(str(refused))
        try:
            text = plain_text("\n\n".join(texts))
        except BadInput as refused:
            text = ""
            wrong.append(str(refused))
        if len(files) > MOST_FILES:
            wrong.append(f"{len(files)} files are too many for one post. None was attached; {MOST_FILES} are the most.")
            files = []
        wanted = compose or bool(texts or files or wrong or mail)
        return cls(COMPOSE if wanted else SHOW, text, tuple(files), mail, tuple(wrong))

    def given(self, token: str) -> Self:
        return replace(self, token=token)

    # --- from one process to another ------------------------------------------------------------------------------

    def line(self) -> bytes:
        """As a later start says it to the first window, which may be of another version: as little as is needed."""
        told = {name: value for name, value in asdict(self).items() if value and name in _TOLD}
        return f"{self.command} {json.dumps(told)}".removesuffix(" {}").encode("ascii") + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> Self | None:
        """What a line asks for; None where it is nothing that can be asked for. Only a person starts Sendoff so."""
        from sendoff.domain.mailto import Mailto, plain_text

        command, _, rest = line.decode("ascii", "replace").strip().partition(" ")
        if command not in COMMANDS:
            return None
        try:
            told = json.loads(rest or "{}")
            mail = Mailto(**told["mail"]) if told.get("mail") else None
            found = cls(
                command, plain_text(told.get("text", "")), tuple(told.get("files", ())), mail,
                tuple(told.get("wrong", ())), told.get("token", ""),
            )  # fmt: skip
        except (ValueError, TypeError, AttributeError, KeyError, SendoffError):
            return None
        texts = (*found.files, *found.wrong, found.token, *(asdict(mail).values() if mail else ()))
        return found if len(found.files) <= MOST_FILES and all(isinstance(one, str) for one in texts) else None


_TOLD = ("text", "files", "mail", "wrong", "token")


def token(environment: Mapping[str, str] = os.environ) -> str:
    """The permission that the launcher gave this process."""
    return next((value for name in TOKENS if (value := environment.get(name))), "")


def of_words(words: Sequence[str], text: str, *, compose: bool) -> Start:
    """What the command line asks for."""
    if not words and not text:
        return Start(COMPOSE if compose else SHOW).given(token())
    return Start.with_things(words, text=text, compose=compose, folder=os.getcwd()).given(token())


def _is_prose(thing: str, folder: str) -> bool:
    """Whether it is a text and not the name of a file: it has a blank in it, and no such file is there."""
    named = thing.startswith(("/", "./", "../", "~")) or "://" in thing or os.path.isabs(thing)
    return not named and len(thing.split()) > 1 and not os.path.exists(os.path.join(folder, thing))


def _path(thing: str) -> str:
    """The path that a file's address or a word means.

    Raises:
        BadInput: it is an address of something that is no file of this computer.
    """
    scheme, colon, _ = thing.partition("://")
    if not colon or not scheme.isalpha():
        return os.path.expanduser(thing)
    parts = urlsplit(thing)
    if parts.scheme != "file" or parts.hostname not in (None, "", "localhost"):
        raise BadInput(f"“{thing[:200]}” is not a file of this computer. Copy it here first, then attach it.")
    if sys.platform == "win32":
        from urllib.request import url2pathname

        return url2pathname(parts.path)
    return unquote(parts.path)
