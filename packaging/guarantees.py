"""Writes the table in docs/reliability.md: what each channel declares about lost answers. `--check` only compares."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sendoff.channels import registry
from sendoff.channels.http import Transport
from sendoff.domain.account import Account
from sendoff.domain.channel import Channel, How, Settle
from sendoff.domain.when import span_text

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"
BEGIN, END = "<!-- made by packaging/guarantees.py -->\n", "<!-- end -->\n"


@dataclass(frozen=True)
class Sample:
    """A sort of account whose way out of doubt differs from that of others of its channel."""

    kind: str
    words: str
    settings: Mapping[str, str] = field(default_factory=dict)
    learned: Mapping[str, Any] = field(default_factory=dict)


SAMPLES = (
    Sample("smtp", "with access to the Sent folder (IMAP)", {"imap_host": "imap.example.org"}),
    Sample("smtp", "without"),
    Sample("mailgun", "with a key that may read the log", learned={"reads_log": True}),
    Sample("mailgun", "with a sending key alone"),
    Sample("endpoint", "a request with a key that it knows again", {"doubt": "key"}),
    Sample("endpoint", "a request that may be made twice", {"doubt": "same"}),
    Sample("endpoint", "one that can be looked up", {"doubt": "look"}),
    Sample("endpoint", "any other"),
    Sample("bluesky", "every account"),
    Sample("mastodon", "Mastodon", learned={"software": "mastodon"}),
    Sample("mastodon", "GoToSocial, Friendica, Takahē, Sharkey and others", learned={"software": "gotosocial"}),
    Sample("mastodon", "Pixelfed", learned={"software": "pixelfed"}),
    Sample("mastodon", "a token that may not read posts", learned={"may_look": False}),
    Sample("discord", "with the permission Read Message History", learned={"may_look": True}),
    Sample("discord", "without", learned={"may_look": False}),
    Sample("discord", "in a forum", learned={"forum": True, "may_look": True}),
    Sample("discord_webhook", "any"),
    Sample("telegram", "any bot"),
    Sample("x", "as it is set at first"),
    Sample("x", "with leave to look, which X charges for", {"paid_reads": "yes"}),
)


def table(channels: Mapping[str, Channel]) -> str:
    """The table in Markdown, one line for each sort of account."""
    head = "| | when the answer got lost | “not there” is believed | what it rests on |\n|---|---|---|---|\n"
    return head + "".join(_line(channels[sample.kind], sample) for sample in SAMPLES)


def _line(channel: Channel, sample: Sample) -> str:
    account = Account(1, 1, sample.kind, "", "", settings=sample.settings, learned=sample.learned)
    settle = channel.settle(account)
    return f"| {channel.title}: {sample.words} | {_how(settle)} | {_believed(settle)} | {settle.why} |\n"


def _how(settle: Settle) -> str:
    if settle.how is How.ASK:
        return "you are asked"
    looks = ", ".join(span_text(look) for look in settle.looks)
    if settle.how is How.REPEAT:
        return f"sent again under the same key within {span_text(settle.key_life or 0)}"
    return f"looked for after {looks}"


def _believed(settle: Settle) -> str:
    if settle.how is not How.SEARCH:
        return "never by itself"
    return f"after {span_text(settle.absent_after)}, then it goes again"


def page(text: str, made: str) -> str:
    """The page with the table in its place."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + made + END + rest.partition(END)[2]


def main() -> str:
    """What is wrong, or "" where nothing is."""
    with TemporaryDirectory() as folder:
        channels = registry.load(registry.Context(Transport(), Path(folder))).channels
    text = PAGE.read_text()
    made = page(text, table(channels))
    if "--check" in sys.argv:
        return "" if made == text else f"{PAGE} says something else than the channels. Run packaging/guarantees.py"
    PAGE.write_text(made)
    return ""


if __name__ == "__main__":
    sys.exit(main() or None)
