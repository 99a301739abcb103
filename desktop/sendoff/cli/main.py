"""Where `sendoff` begins: finds the verb, and makes one sentence and an exit code of whatever goes wrong."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from sendoff.domain.errors import (
    BadInput,
    Damaged,
    KeychainError,
    NotFound,
    OwnedElsewhere,
    SecretGone,
    SendError,
    SendoffError,
    SetupMissing,
)

DONE, NEEDS_YOU, WRONG_USE, SET_UP_MISSING, OWNED, OUR_FAULT, INTERRUPTED = 0, 1, 2, 3, 4, 70, 130
"""Exit codes. 70 is EX_SOFTWARE of sysexits.h, 130 what a shell makes of Ctrl-C."""

_CODES: tuple[tuple[type[SendoffError], int], ...] = (
    (OwnedElsewhere, OWNED),
    (BadInput, WRONG_USE),
    (NotFound, WRONG_USE),
    (SecretGone, NEEDS_YOU),
    (SetupMissing, SET_UP_MISSING),
    (Damaged, SET_UP_MISSING),
    (KeychainError, SET_UP_MISSING),
    (SendoffError, NEEDS_YOU),
)
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})

Verb = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Does what the words say and returns the exit code. Without words the window opens."""
    words = sys.argv[1:] if argv is None else list(argv)
    _never_fail_to_print()
    try:
        code = _run(words)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        from sendoff.cli import render

        render.stop_printing()
        return DONE  # what there was to do is done; only the rest is not shown
    except KeyboardInterrupt:
        return INTERRUPTED
    except SendoffError as wrong:
        return _said(_sentence(wrong), next(code for kind, code in _CODES if isinstance(wrong, kind)))
    except OSError as wrong:
        if wrong.errno in _DISK:
            from sendoff.cli import render

            render.stop_printing()  # it may be the output itself; Python would try once more at its end
            return _said(f"It could not be written: {wrong.strerror}. Make room, then try again.", SET_UP_MISSING)
        return _our_fault(wrong)
    except Exception as fault:  # noqa: BLE001  # the last door: a traceback helps nobody at a prompt, the log has it
        return _our_fault(fault)


def window() -> int:
    """The same for the start menu, where there is no console."""
    return main()


def _run(words: Sequence[str]) -> int:
    if not words:
        return _open_window()
    from sendoff.cli import parser

    try:
        arguments = (parser.start() if parser.is_start(words) else parser.build()).parse_args(words)
    except SystemExit as end:  # help, the version, or wrong usage; it is all said
        return end.code if isinstance(end.code, int) else WRONG_USE
    if arguments.home:
        from sendoff.store import profile

        profile.choose(arguments.home)
    if arguments.verb is None:
        if arguments.passphrase_fd is not None:
            from sendoff.cli import session

            os.environ["SENDOFF_PASSPHRASE"] = session.from_descriptor(arguments.passphrase_fd)
        return _open_window(arguments)
    return _verb(arguments.verb)(arguments)


def _verb(name: str) -> Verb:
    """The function of a verb. It is imported now, so that help and the window do not wait for what they don't use."""
    subject, _, rest = name.partition(" ")
    if name == "accounts try":
        from sendoff.cli import trying

        return trying.attempt
    if name == "accounts show":
        from sendoff.cli import known

        return known.show
    if subject == "accounts":
        from sendoff.cli import accounts

        return {"list": accounts.show, "add": accounts.add, "sign-in": accounts.sign_in,
                "check": accounts.check, "late": accounts.late, "remove": accounts.remove}[rest]  # fmt: skip
    if subject == "settings":
        from sendoff.cli import settings

        return {"list": settings.show, "set": settings.change}[rest]
    if subject in ("export", "import", "backup", "restore"):
        from sendoff.cli import transfer

        return {"export": transfer.export, "import": transfer.bring_in,
                "backup": transfer.backup, "restore": transfer.restore}[subject]  # fmt: skip
    if subject in ("channels", "post", "worker", "doctor", "demo", "self-test", "quit"):
        return _alone(subject)
    from sendoff.cli import queue

    return {"queue": queue.show_all, "show": queue.show, "move": queue.move, "cancel": queue.cancel,
            "retry": queue.retry, "settle": queue.settle, "look": queue.look, "delete": queue.delete,
            "pause": queue.pause, "resume": queue.resume}[subject]  # fmt: skip


def _alone(subject: str) -> Verb:
    """The verbs that have a file of their own."""
    if subject == "channels":
        from sendoff.cli.channels import show

        return show
    if subject == "post":
        from sendoff.cli.post import post

        return post
    if subject == "worker":
        from sendoff.cli.worker import work

        return work
    if subject == "doctor":
        from sendoff.cli.doctor import examine

        return examine
    if subject == "quit":
        return _leave
    if subject == "self-test":
        from sendoff.cli.selftest import examine as try_all

        return try_all
    from sendoff.cli.demo import play

    return play


def _open_window(arguments: argparse.Namespace | None = None) -> int:
    """The window, if this computer can show one.

    Raises:
        SetupMissing: there is no display, or Qt can't be loaded.
    """
    from sendoff import haste
    from sendoff.cli import display

    instead = "The command line works without: sendoff --help."
    if trouble := display.trouble():
        raise SetupMissing(f"{trouble} {instead}")
    haste.begin()
    try:
        from sendoff.ui.application import main as open_window

        if arguments is None:
            return open_window()
        return open_window(
            background=arguments.background, activated=arguments.activated, delay=arguments.delay,
            compose=arguments.compose, text=arguments.text, things=getattr(arguments, "things", ()),
        )  # fmt: skip
    except ImportError as missing:
        if "PySide6" in (missing.name or "") or "PySide6" in str(missing) or ".so" in str(missing):
            raise SetupMissing(f"The window needs Qt, which can’t be loaded here: {missing}. {instead}") from None
        raise


def _leave(_arguments: argparse.Namespace) -> int:
    from sendoff.ui.application import leave

    print("Sendoff has quit." if leave() else "No Sendoff was open.")
    return DONE


# --- what goes wrong ----------------------------------------------------------------------------------------------


def _sentence(wrong: SendoffError) -> str:
    advice = wrong.advice if isinstance(wrong, SendError) else ""
    return f"{wrong} {advice}".strip()


def _said(sentence: str, code: int) -> int:
    from sendoff.cli.render import plain

    if sys.stderr is None:  # started without a console, as Windows' start menu does
        _show(plain(sentence))
    with suppress(OSError):
        print(f"sendoff: {plain(sentence)}", file=sys.stderr)
    return code


def _show(sentence: str) -> None:
    """A box of the system's own, which needs no Qt."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.user32.MessageBoxW(None, sentence, "Sendoff", 0x30)  # MB_OK | MB_ICONWARNING


def _our_fault(fault: BaseException) -> int:
    """The traceback goes to the log, where secrets are masked; the person gets a sentence."""
    import logging

    from sendoff import logs
    from sendoff.store import profile

    place = "nowhere, because the profile’s folder can’t be written"
    with suppress(Exception):
        folder = profile.open_folder(profile.home())
        logs.start(folder, lambda: ())  # does nothing where it was started with the secrets to mask
        logging.getLogger("sendoff.cli").error("a fault of our own", exc_info=fault)
        place = str(folder / "sendoff.log")
    return _said(f"Sendoff itself made a mistake ({type(fault).__name__}). The details are in {place}.", OUR_FAULT)


def _never_fail_to_print() -> None:
    """A character that the terminal does not know is shown as “?”; it must not stop the verb."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="replace")
