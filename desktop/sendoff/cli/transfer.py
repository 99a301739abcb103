"""`sendoff export`, `import` and `backup`: words around store/transfer.py."""

from __future__ import annotations

import argparse
from pathlib import Path

from sendoff.cli import session
from sendoff.store import transfer


def export(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        done = transfer.export_to(
            program.store, program.media, arguments.file, program.clock.now(), force=arguments.force
        )
    counted = _counted(done.accounts, done.posts, done.deliveries, done.files)
    print(f"Written to {arguments.file}: {counted}. There are no keys in it, but everything that was written.")
    if done.missing:
        session.remark(f"{done.missing} files of posts were no longer there, so they are not in it.")
    return 0


def bring_in(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        done = transfer.import_from(program.store, program.media, arguments.file, program.clock.now())
    print(f"Imported: {_counted(done.accounts, done.posts, done.deliveries, done.files)}. Nothing was sent.")
    for old, new in done.renamed:
        print(f"“{old}” is called “{new}” here, because there was an account of that name.")
    if done.held:
        session.remark(f"{done.held} wait for a sign-in to their accounts: sendoff accounts sign-in ACCOUNT")
    if done.doubtful:
        session.remark(f"{done.doubtful} may have gone out: sendoff queue --state in-doubt")
    return 0


def backup(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        target: Path = transfer.backup(program.store, program.clock.now(), arguments.file, force=arguments.force)
    print(target)
    return 0


def _counted(accounts: int, posts: int, deliveries: int, files: int) -> str:
    numbers = (
        (accounts, "account", "accounts"),
        (posts, "post", "posts"),
        (deliveries, "delivery", "deliveries"),
        (files, "file", "files"),
    )
    return ", ".join(f"{n} {one if n == 1 else many}" for n, one, many in numbers)
