"""`sendoff export`, `import`, `backup` and `restore`: words around store/transfer.py and store/restore.py."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from sendoff.cli import queue, render, session
from sendoff.domain.errors import BadInput
from sendoff.domain.words import counted
from sendoff.store import backups, profile, transfer
from sendoff.store import restore as going_back


def export(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        done = transfer.export_to(
            program.store, program.media, arguments.file, program.clock.now(), force=arguments.force
        )
    what = _counted(done.accounts, done.posts, done.deliveries, done.files)
    print(f"Written to {arguments.file}: {what}. There are no keys in it, but everything that was written.")
    if done.missing:
        gone = counted(done.missing, "file of a post was", "files of posts were")
        session.remark(f"{gone} no longer there, and not in it.")
    return 0


def bring_in(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        done = transfer.import_from(program.store, program.media, arguments.file, program.clock.now())
    print(f"Imported: {_counted(done.accounts, done.posts, done.deliveries, done.files)}. Nothing was sent.")
    for old, new in done.renamed:
        print(f"“{old}” is called “{new}” here, because there was an account of that name.")
    if done.held:
        waits = counted(done.held, "waits for a sign-in to its account", "wait for a sign-in to their accounts")
        session.remark(f"{waits}: sendoff accounts sign-in ACCOUNT")
    if done.doubtful:
        session.remark(f"{done.doubtful} may have gone out: sendoff queue --state in-doubt")
    return 0


def backup(arguments: argparse.Namespace) -> int:
    if arguments.list:
        if arguments.file or arguments.force:
            raise BadInput("--list shows the copies that there are; it takes no file.")
        return _show_copies(arguments.json)
    with session.opened(arguments) as program:
        target = transfer.backup(program.store, program.clock.now(), arguments.file, force=arguments.force)
    if arguments.json:
        render.print_json({"file": str(target)})
    else:
        print(target)
    return 0


def _show_copies(is_json: bool) -> int:
    """Works without opening the database, because it is wanted when that can't be opened."""
    found = backups.every(profile.home())
    if is_json:
        render.print_json({"copies": [
            {"file": str(one.path), "kind": one.kind, "at": render.instant(one.at), "bytes": one.size} for one in found
        ]})  # fmt: skip
    elif found:
        rows = [[one.path.name, f"{one.at:%Y-%m-%d %H:%M} UTC", one.words] for one in found]
        print("\n".join(render.table(["NAME", "MADE", "WHAT"], rows)))
        session.remark("To go back to one: sendoff restore NAME")
    else:
        session.remark("There are no copies yet.")
    return 0


def restore(arguments: argparse.Namespace) -> int:
    session.refuse_broken_words(arguments)
    folder = profile.open_folder(profile.home())
    source = going_back.find(folder, arguments.which)
    try:
        done = going_back.restore(folder, source, datetime.now(UTC))
    except BadInput as useless:
        raise BadInput(f"{useless} See what there is: sendoff backup --list") from None
    print(f"Restored from {done.source}." + (f" What was here is kept as {done.replaced}." if done.replaced else ""))
    print(done.told.words)
    with session.opened(arguments) as program:
        queue.tell_if_paused(program)
    return 0


def _counted(accounts: int, posts: int, deliveries: int, files: int) -> str:
    numbers = (
        (accounts, "account", "accounts"),
        (posts, "post", "posts"),
        (deliveries, "delivery", "deliveries"),
        (files, "file", "files"),
    )
    return ", ".join(counted(*each) for each in numbers)
