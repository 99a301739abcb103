"""Every verb and option of the command line, declared; nothing heavy is imported here."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from sendoff import release

_WHEN = "now, +90s, +2h, “tomorrow 9:00”, “tue 9”, “24 nov 18:30” or ISO 8601"
_DESCRIPTION = "Write a post or an e-mail once, put it on a timeline, and know what became of it."
_EPILOG = """\
WHEN is {when}. It is always read back with its zone.
Exit codes: 0 done; 1 the endpoint refused, or something needs you; 2 wrong usage;
3 something is missing (a display, a keychain, disk space); 4 another process sends for this profile.
The profile is where --home or SENDOFF_HOME says, else in the system’s place. Without a verb the window opens; files,
their addresses or a mailto: link in its place begin a new post or mail with them. Nothing is sent by that.
"""


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, and takes no shortened options, so that scripts stay right."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{"allow_abbrev": False, **options})

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}. See “{self.prog} --help”.\n")


class _Piece(argparse.Action):
    """Collects texts and files in the order in which they stand: a picture belongs to the item before it."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        name = (option or "").lstrip("-")
        setattr(namespace, self.dest, [*(getattr(namespace, self.dest) or []), (name, values)])


def build() -> argparse.ArgumentParser:
    """The whole command line. `verb` of what it parses is None (the window) or words such as "accounts add"."""
    parser = _Parser(
        prog="sendoff",
        description=_DESCRIPTION,
        epilog=_EPILOG.format(when=_WHEN),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"Sendoff {release.version()}")
    parser.add_argument(
        "--self-test", action="store_const", const="self-test", dest="verb",
        help="whether this Sendoff works on this computer; nothing leaves it",
    )  # fmt: skip
    parser.add_argument("--report", type=Path, metavar="FILE", help="the self-test’s findings as JSON")
    parser.add_argument(
        "--quit", action="store_const", const="quit", dest="verb", help="ask the Sendoff that is open to quit, and wait"
    )
    _window(parser)
    verbs = parser.add_subparsers(metavar="VERB", title="verbs")
    for add in (_channels, _accounts, _post, _queue, _show, _changes, _pause, _worker, _doctor, _transfer, _settings):
        add(verbs)
    _verb(verbs, "demo", "two posts and a mail to endpoints inside the program, seen as they happen")
    return parser


def start() -> argparse.ArgumentParser:
    """The words that open the window with something to begin with: files, a text, a mailto: link."""
    parser = _Parser(prog="sendoff", description=_DESCRIPTION)
    _window(parser)
    parser.add_argument("things", nargs="*", metavar="FILE", help="files, their addresses, or a mailto: link")
    return parser


_WITH_A_VALUE = ("--passphrase-fd", "--delay", "--report", "--home")


def is_start(words: Sequence[str]) -> bool:
    """Whether these words are for `start`; a verb is never taken for a file of its name."""
    for place, word in enumerate(words):
        if word in ("--", "--compose", "--text") or word.startswith("--text="):
            return True
        if not word.startswith("-") and (place == 0 or words[place - 1] not in _WITH_A_VALUE):
            return any(mark in word for mark in ":/\\ ") or (not word.isalpha() and Path(word).exists())
    return False


def _window(parser: argparse.ArgumentParser) -> None:
    """The options of the window."""
    parser.add_argument("--home", type=Path, metavar="FOLDER", help="the profile (or set SENDOFF_HOME)")
    parser.add_argument("--background", action="store_true", help="start the window in the tray")
    parser.add_argument("--delay", type=_seconds, default=0.0, metavar="SECONDS", help="with --background: begin later")
    parser.add_argument("--activated", action="store_true", help=argparse.SUPPRESS)  # by the session's bus
    parser.add_argument("--compose", action="store_true", help="start the window with a new post")
    parser.add_argument("--text", default="", help="start the window with this text in a new post")
    parser.set_defaults(verb=None, report=None)
    _passphrase(parser, None)


def _verb(verbs: Any, name: str, help_text: str, *, json: bool = False, under: str = "", **more: Any) -> _Parser:
    verb: _Parser = verbs.add_parser(
        name, help=help_text, description=f"{help_text[0].upper()}{help_text[1:]}.", **more
    )
    verb.set_defaults(verb=f"{under} {name}".strip())
    _passphrase(verb, argparse.SUPPRESS)
    if json:
        verb.add_argument("--json", action="store_true", help="for programs: one JSON value, times in UTC")
    return verb


def _passphrase(parser: argparse.ArgumentParser, default: Any) -> None:
    parser.add_argument(
        "--passphrase-fd", type=int, metavar="N", default=default,
        help="read the passphrase of the key file from this file descriptor (or set SENDOFF_PASSPHRASE)",
    )  # fmt: skip


def _channels(verbs: Any) -> None:
    verb = _verb(verbs, "channels", "where posts can go: kinds, their fields, options and limits", json=True)
    verb.add_argument("kind", nargs="?", help="only this one")
    _import_option(verb, "the requests that this document describes")


def _import_option(verb: argparse.ArgumentParser, what: str) -> None:
    verb.add_argument("--import", dest="document", type=Path, metavar="FILE", help=f"{what} (OpenAPI, JSON or YAML)")


# --- accounts -----------------------------------------------------------------------------------------------------


def _accounts(verbs: Any) -> None:
    group = verbs.add_parser("accounts", help="the identities that posts go out under")
    under = group.add_subparsers(metavar="VERB", required=True)
    _verb(under, "list", "the accounts and how they stand", under="accounts", json=True)
    show = _verb(under, "show", "all that is known of an account, and what its server itself has planned",
                 under="accounts", json=True)  # fmt: skip
    show.add_argument("account", metavar="ACCOUNT", help="its name, handle or number")
    add = _verb(under, "add", "sign in at a channel; the sign-in is tested and the key goes to the keychain",
                under="accounts", json=True)  # fmt: skip
    add.add_argument("kind", help="the channel; see “sendoff channels”")
    add.add_argument("--name", default="", help="what to call it here")
    add.add_argument("--preset", default="", help="a known provider of the channel, which fills in the rest")
    _import_option(add, "fill the form in from this description of a service")
    add.add_argument("--operation", default="", help="which request of it, like “POST /posts”")
    _sign_in_options(add)
    again = _verb(under, "sign-in", "sign an account in again; what it was not told stays as it was", under="accounts",
                  json=True)  # fmt: skip
    again.add_argument("account", help="its name, handle or number")
    _sign_in_options(again)
    check = _verb(under, "check", "ask the endpoints whether the keys still work", under="accounts", json=True)
    check.add_argument("accounts", nargs="*", metavar="ACCOUNT", help="all of them unless named")
    attempt = _verb(under, "try", "show the request of an account as it would leave, or send it", under="accounts",
                    json=True)  # fmt: skip
    attempt.add_argument("account", metavar="ACCOUNT", help="its name, handle or number")
    attempt.add_argument("--text", default="", help="what it says")
    attempt.add_argument("--send", action="store_true", help="really send it, once, and show the answer")
    late = _verb(under, "late", "what happens to an account’s posts that can’t leave on time", under="accounts")
    late.add_argument("account", metavar="ACCOUNT", help="its name, handle or number")
    late.add_argument("rule", metavar="RULE", help="send, “ask 2h”, “skip 30m”, “next 2h”; default: as the preference")
    remove = _verb(under, "remove", "remove an account and its key; what had not left is cancelled", under="accounts")
    remove.add_argument("account", metavar="ACCOUNT", help="its name, handle or number")


def _sign_in_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--field", action="append", default=[], metavar="NAME=VALUE", help="a field that is not secret")
    verb.add_argument("--secret-env", action="append", default=[], metavar="NAME=VARIABLE",
                      help="a secret field, taken from this environment variable")  # fmt: skip
    verb.add_argument("--secrets-stdin", action="store_true",
                      help="read secret fields from standard input, NAME=VALUE a line; else you are asked")  # fmt: skip
    verb.add_argument("--browser", action="store_true",
                      help="sign in with the browser where a key is the usual way")  # fmt: skip
    verb.add_argument("--no-browser", action="store_true",
                      help="show the address of a browser sign-in instead of opening it")  # fmt: skip


# --- posts --------------------------------------------------------------------------------------------------------


def _post(verbs: Any) -> None:
    verb = _verb(verbs, "post", "write a post or a mail and put it on the timeline", json=True)
    verb.add_argument("--to", action="append", default=[], metavar="ACCOUNT", help="name, handle or number; repeatable")
    words = verb.add_argument_group("what it says")
    words.set_defaults(pieces=[])
    for name, metavar, kind, text in (
        ("--text", "TEXT", str, "the text"),
        ("--text-file", "FILE", Path, "the text from a UTF-8 file, “-” is standard input"),
        ("--thread", "TEXT", str, "one more item of a thread"),
        ("--media", "FILE", Path, "a picture or video for the item before it"),
        ("--alt", "TEXT", str, "the description of the picture before it"),
        ("--attach", "FILE", Path, "a file that hangs on a mail"),
        ("--inline", "FILE", Path, "a picture inside a mail’s HTML, there as cid:NAME"),
    ):
        words.add_argument(name, metavar=metavar, type=kind, action=_Piece, dest="pieces", help=text)
    for name, text in (
        ("--split", "make a thread of what is longer than an account takes, cut where a reader would"),
        ("--numbered", "end the items of --split with 1/3, 2/3, 3/3"),
        ("--fit", "make a smaller copy of a picture for accounts that do not take it as it is"),
        ("--card", "look at each item’s first link and send its card along, where a network takes one"),
    ):
        words.add_argument(name, action="store_true", help=text)
    _mail_options(verb.add_argument_group("for mail accounts"))
    how = verb.add_argument_group("when and how")
    how.add_argument("--at", metavar="WHEN", help=f"{_WHEN}; without it: now")
    how.add_argument("--zone", help="the time zone of WHEN, like Europe/Berlin")
    how.add_argument(
        "--late",
        metavar="RULE",
        help="if it can’t leave on time: send, “ask 2h”, “skip 30m” or “next 2h”; without it as set for the account",
    )
    how.add_argument("--option", action="append", default=[], metavar="NAME=VALUE",
                     help="what only the channel knows; see “sendoff channels”")  # fmt: skip
    how.add_argument("--draft", action="store_true", help="keep it as a draft, send nothing")
    how.add_argument("--override", action="store_true", help="send it although a known limit says no")


def _mail_options(group: Any) -> None:
    group.add_argument("--subject", default=None)
    group.add_argument("--markdown", action="store_true", help="the text is Markdown")
    group.add_argument("--html-file", type=Path, metavar="FILE", help="the mail’s HTML; --text is its plain form then")
    group.add_argument("--preheader", default=None, help="the words behind the subject in a list of mails")
    for name, text in (
        ("--recipient", "someone in To: a@b.org or “Ada <a@b.org>”; each of several gets an own mail"),
        ("--cc", "someone in Cc; then it is one mail to all"),
        ("--bcc", "someone in Bcc; then it is one mail to all"),
    ):
        group.add_argument(name, action="append", default=[], metavar="ADDRESS", help=text)
    group.add_argument("--recipients-csv", type=Path, metavar="FILE",
                       help="people from a table with a column email; the others fill {{fields}}")  # fmt: skip
    group.add_argument("--together", action="store_true", help="one mail that shows everybody in To")
    group.add_argument("--reply-to", default=None, metavar="ADDRESS")
    group.add_argument("--unsubscribe", default=None, metavar="URL", help="for the List-Unsubscribe header")


# --- deliveries ---------------------------------------------------------------------------------------------------


def _queue(verbs: Any) -> None:
    verb = _verb(verbs, "queue", "deliveries by their planned time", json=True)
    verb.add_argument("--state", action="append", default=[], metavar="STATE", help="only these; repeatable")
    verb.add_argument("--needs-you", action="store_true", help="only what waits for a decision of yours")
    verb.add_argument("--since", metavar="WHEN", help="planned from then on")
    verb.add_argument("--until", metavar="WHEN", help="planned before then")
    verb.add_argument("--limit", type=_positive, default=200, metavar="N", help="at most so many, the latest (200)")


def _show(verbs: Any) -> None:
    verb = _verb(verbs, "show", "all that is known of a delivery", json=True)
    verb.add_argument("id", type=_positive, metavar="ID")
    verb.add_argument("-v", "--verbose", action="store_true", help="with what went over the wire")
    verb.add_argument("--numbers", action="store_true", help="ask the network now for likes, reposts and replies")


def _changes(verbs: Any) -> None:
    move = _verb(verbs, "move", "give deliveries another time")
    move.add_argument("ids", type=_positive, nargs="+", metavar="ID")
    move.add_argument("--at", required=True, metavar="WHEN", help=_WHEN)
    move.add_argument("--zone", help="the time zone of WHEN")
    for name, text in (
        ("cancel", "take deliveries back that have not left"),
        ("retry", "send now what failed, was missed, is held or still waits"),
    ):
        _verb(verbs, name, text).add_argument("ids", type=_positive, nargs="+", metavar="ID")
    settle = _verb(verbs, "settle", "say what became of a delivery in doubt; without --as: what is known of it",
                   json=True)  # fmt: skip
    settle.add_argument("id", type=_positive, metavar="ID")
    settle.add_argument("--as", dest="verdict", choices=("sent", "not-sent"),
                        help="sent: it is there; not-sent: it is not, send it again")  # fmt: skip
    look = _verb(verbs, "look", "ask the endpoint once more about a delivery in doubt")
    look.add_argument("id", type=_positive, metavar="ID")
    delete = _verb(verbs, "delete", "take a sent post back where it was sent to")
    delete.add_argument("id", type=_positive, metavar="ID")


def _pause(verbs: Any) -> None:
    pause = _verb(verbs, "pause", "let nothing leave")
    pause.add_argument("--until", metavar="WHEN", help="until then; without it: until “sendoff resume”")
    _verb(verbs, "resume", "let things leave again")


def _worker(verbs: Any) -> None:
    verb = _verb(verbs, "worker", "send without a window, one line for each thing that happens")
    verb.add_argument("--until-idle", action="store_true", help="end when nothing is left to do in the next minute")
    verb.add_argument("--for", type=_seconds, dest="seconds", metavar="SECONDS", help="end after so long")
    verb.add_argument("--json", action="store_true", help="for programs: one JSON object a line")


# --- the profile --------------------------------------------------------------------------------------------------


def _doctor(verbs: Any) -> None:
    _verb(verbs, "doctor", "look whether all is well; says nothing private, for bug reports", json=True)


def _transfer(verbs: Any) -> None:
    force = {"action": "store_true", "help": "replace the file if it is there"}
    export = _verb(verbs, "export", "write everything but secrets into one file")
    export.add_argument("file", type=Path, metavar="FILE")
    export.add_argument("--force", **force)  # type: ignore[arg-type]
    bring = _verb(verbs, "import", "read an export or a backup in; nothing is sent by it")
    bring.add_argument("file", type=Path, metavar="FILE")
    backup = _verb(verbs, "backup", "copy the database while it is in use", json=True)
    backup.add_argument("file", type=Path, nargs="?", metavar="FILE", help="without it: into the profile’s backups")
    backup.add_argument("--force", **force)  # type: ignore[arg-type]
    backup.add_argument("--list", action="store_true", help="the copies that there are, also the automatic ones")
    restore = _verb(verbs, "restore", "go back to a copy of the database; nothing is sent until “sendoff resume”")
    restore.add_argument("which", metavar="COPY", help="“latest”, a file, or a name from “sendoff backup --list”")


def _settings(verbs: Any) -> None:
    group = verbs.add_parser("settings", help="the preferences")
    under = group.add_subparsers(metavar="VERB", required=True)
    _verb(under, "list", "the preferences and what they are set to", under="settings", json=True)
    change = _verb(under, "set", "change a preference", under="settings")
    change.add_argument("name", metavar="NAME")
    change.add_argument("value", metavar="VALUE")


def _positive(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**63:
        raise argparse.ArgumentTypeError(f"“{text}” is not a number that counts something")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 1e9:
        raise argparse.ArgumentTypeError(f"“{text}” is not a number of seconds")
    return seconds
