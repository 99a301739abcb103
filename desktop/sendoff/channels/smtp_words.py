"""What an SMTP server's replies mean: which end of a try, in which words, and what a person can do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from sendoff.channels.smtp_wire import Reply, Step
from sendoff.domain.errors import NeedsLogin, Rejected, SendError, TryLater

LONGEST_QUOTE = 300


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row of the table.

    Args:
        pattern: looked for in "CODE ENHANCED TEXT", without regard to case.
        end: Rejected, NeedsLogin or TryLater.
        says: what the server does, after its name.
        advice: what to do about it.
        after: how long to wait, for TryLater; None leaves it to the engine.
        steps: where in the dialogue it holds; empty for anywhere.
    """

    pattern: str
    end: type[SendError]
    says: str
    advice: str = ""
    after: timedelta | None = None
    steps: frozenset[Step] = frozenset()


_AT_SENDER = frozenset((Step.SENDER,))
_AT_RECIPIENTS = frozenset((Step.RECIPIENTS,))
_AT_SIGN_IN = frozenset((Step.SIGN_IN,))
_AT_MAIL = frozenset((Step.SENDER, Step.DATA, Step.BODY, Step.END))
_BEFORE_ANYTHING = frozenset((Step.GREETING, Step.HELLO))

CHECK_BOTH = (
    "Check both. Gmail, Yahoo, AOL, iCloud and others take an app password here, not the one for their website: "
    "make one in the provider’s security settings."
)

# The codes are those of RFC 5321, 3463, 4954, 5248 and 6710's registry; Gmail's and Microsoft's own are in their lists
# "Gmail SMTP errors and codes" (support.google.com/a/answer/3726730) and "Email non-delivery reports and SMTP errors in
# Exchange Online" (learn.microsoft.com). The first row that fits counts. Checked 2026-11-23.
MEANINGS = (
    # --- sign-in
    Meaning(
        r"5\.7\.(30|139)\b|SmtpClientAuthentication is disabled|basic authentication is (disabled|not supported)",
        NeedsLogin, "takes no passwords for this account",
        "Microsoft switches passwords off for sending. An administrator may allow “authenticated SMTP” for the "
        "mailbox; else send through another provider.",
    ),
    Meaning(
        r"^534 |5\.7\.9 |application-specific password|app password",
        NeedsLogin, "wants an app password",
        "Make an app password in the provider’s security settings, and put it in as the password.",
    ),
    Meaning(r"^454 |^4\d\d 4\.7\.0 .*authentication", TryLater, "can’t check the sign-in just now", steps=_AT_SIGN_IN),
    Meaning(r"^535 |5\.7\.8 ", NeedsLogin, "does not accept the user name and password", CHECK_BOTH),
    Meaning(r"^5[35]", NeedsLogin, "does not accept the user name and password", CHECK_BOTH, steps=_AT_SIGN_IN),
    Meaning(
        r"^530 |^538 |5\.7\.57\b|^5.*(authentication (is )?required|not authenticated)",
        NeedsLogin, "wants a sign-in first", "Put the user name and password into the account.",
    ),
    Meaning(r"^454 ", TryLater, "can’t encrypt the line just now", steps=frozenset((Step.HELLO,))),  # RFC 3207
    # --- limits
    Meaning(
        r"5\.4\.5 |daily (user )?sending|daily .*(limit|quota)|(sending|message) (limit|quota) (reached|exceeded)",
        TryLater, "says that today’s sending limit is reached", "It goes again tomorrow.", timedelta(hours=24),
    ),
    Meaning(r"^432 |^4\d\d 4\.3\.2 ", TryLater, "has too many connections open", after=timedelta(minutes=2)),
    Meaning(r"^4\d\d 4\.7\.", TryLater, "asks to slow down", after=timedelta(minutes=15)),
    Meaning(
        r"^5\d\d 5\.3\.4 |^5\d\d 5\.2\.3 |^552 (?!5\.2\.2)",
        Rejected, "finds the mail too big", "Leave out an attachment, or share it as a link.", steps=_AT_MAIL,
    ),
    Meaning(r"^5.*(5\.5\.3 |too many recipients)", Rejected, "takes fewer recipients at once", "Send it separately."),
    # --- who may send as whom
    Meaning(
        r"5\.7\.60\b|5\.2\.252|SendAsDenied|send as (this|that) sender|sender address rejected: not owned",
        Rejected, "does not let this account send as that sender",
        "Put the address that belongs to the user name into “From”.",
    ),
    Meaning(
        r"5\.7\.(2[3-79]|515|509)\b",
        Rejected, "can’t tell that the mail is really from this sender",
        "The sender’s domain needs SPF, DKIM and DMARC records; its provider says how.",
    ),
    Meaning(
        r"^5", Rejected, "refuses the sender’s address",
        "Put the address that belongs to the user name into “From”.", steps=_AT_SENDER,
    ),
    # --- recipients
    Meaning(
        r"5\.6\.7 ", Rejected, "can’t carry an address with such letters before the @",
        "Ask the recipient for an address in Latin letters.",
    ),
    Meaning(r"^5\d\d 5\.1\.2 ", Rejected, "knows no such domain", "Check the address.", steps=_AT_RECIPIENTS),
    Meaning(r"^5\d\d 5\.2\.1 ", Rejected, "says that the mailbox is switched off", steps=_AT_RECIPIENTS),
    Meaning(r"^5\d\d 5\.2\.2 |^552 ", Rejected, "says that the mailbox is full", steps=_AT_RECIPIENTS),
    Meaning(
        r"^5\d\d 5\.1\.[0136] |^501 |^553 |^5.*(no such user|user unknown)",
        Rejected, "knows no such mailbox", "Check the address.", steps=_AT_RECIPIENTS,
    ),
    Meaning(
        r"^5.*(5\.7\.1 |relay)", Rejected, "does not carry mail to that address for this account",
        "Check the address, and whether the account has its user name and password.", steps=_AT_RECIPIENTS,
    ),
    # --- the rest
    Meaning(r"^(521|554|556) ", Rejected, "takes no mail", "Is it the right server?", steps=_BEFORE_ANYTHING),
    Meaning(r"^5\d\d 5\.7\.", Rejected, "refuses the mail by its rules", "The provider can explain its words."),
    Meaning(r"^5", Rejected, "refuses it"),
    Meaning(r"^4", TryLater, "can’t take it just now"),
)  # fmt: skip
"""The replies that deserve words of their own, most particular first."""


def meaning(step: Step, reply: Reply) -> Meaning | None:
    """The row for a reply; None for one that is neither a refusal nor a wish to wait."""
    for row in MEANINGS:
        if (not row.steps or step in row.steps) and re.search(row.pattern, f"{reply} ", re.IGNORECASE):
            return row
    return None


def end(host: str, step: Step, reply: Reply, *, about: str = "", opening: str = "") -> SendError | None:
    """The end of a try that a reply means; None where it means nothing that can be relied on.

    Args:
        about: what it is about, where the sentence should name it: an address.
        opening: a sentence to put before it.
    """
    row = meaning(step, reply)
    if row is None:
        return None
    subject = f" ({about})" if about else ""
    sentence = f"{opening}{host} {row.says}{subject}{quoted(reply)}"
    detail, status = str(reply)[:500], reply.code
    if issubclass(row.end, TryLater):
        return TryLater(sentence, after=row.after, advice=row.advice, detail=detail, status=status)
    return row.end(sentence, advice=row.advice, detail=detail, status=status)


def quoted(reply: Reply) -> str:
    """A server's own words behind a sentence, shortened."""
    said = str(reply)
    if len(said) > LONGEST_QUOTE:
        said = said[: LONGEST_QUOTE - 1].rstrip() + "…"
    return f": “{said}”."
