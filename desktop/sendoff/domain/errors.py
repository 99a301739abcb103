"""Everything that can go wrong, named by what we know; an exception's message is the sentence a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from datetime import datetime, timedelta


class SendoffError(Exception):
    """The root of what Sendoff raises on purpose. The message says what happened and what to do about it.

    `field` names the field of a form that has to be changed, "" where none has or it is not known which.
    """

    field = ""

    def at(self, field: str) -> Self:
        """The same error, with the field that it is about."""
        self.field = field
        return self


# --- what a person did, or has to do ------------------------------------------------------------------------------


class BadInput(SendoffError):
    """What was typed cannot be used as it stands. Nothing was changed."""


class NotFound(SendoffError):
    """There is no such post, delivery, account or file."""


class Refused(SendoffError):
    """The state table does not allow this move now, for example because the delivery is already leaving."""


class SetupMissing(SendoffError):
    """Something outside this program is missing or too new: a library, a display, a file of another version."""


class OwnedElsewhere(SendoffError):
    """Another process is the sender of this profile and holds its lock."""


class Damaged(SendoffError):
    """The database cannot be read as a database. Nothing is sent until it was restored."""


# --- secrets ------------------------------------------------------------------------------------------------------


class KeychainError(SendoffError):
    """The place where secrets are kept did not hand one out. Deliveries wait for it; they do not fail."""


class KeychainLocked(KeychainError):
    """The keychain is there but locked, or did not answer in time."""


class KeychainMissing(KeychainError):
    """This computer has no keychain that Sendoff trusts, and no passphrase for its own encrypted file was given."""


class SecretGone(KeychainError):
    """The keychain answered, and it does not hold this account's secret any more: sign in again."""


# --- the four ends of a try (and the ends of a look) --------------------------------------------------------------


class SendError(SendoffError):
    """One of the four ends of a try other than success; the class says what is known of the effect.

    Args:
        reason: one sentence for the person, with the endpoint's own words where it spoke.
        advice: what to do about it, or "".
        detail: what the endpoint answered, shortened; kept with the attempt.
        status: the protocol's status code (HTTP or SMTP) where there was one.
    """

    def __init__(self, reason: str, *, advice: str = "", detail: str = "", status: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice
        self.detail = detail
        self.status = status


class Rejected(SendError):
    """The endpoint said no, and nothing happened. Repeating it unchanged is pointless."""


class NeedsLogin(SendError):
    """The key or token is no longer valid. Nothing happened; everything of the account waits for a new sign-in."""


class TryLater(SendError):
    """Certainly not sent; trying again later may work.

    Args:
        after: how long the endpoint asked to wait, or None for the engine's own back-off.
        offline: this computer could not reach anything, which is no fault of the endpoint and spends no try.
    """

    def __init__(
        self,
        reason: str,
        *,
        after: timedelta | None = None,
        offline: bool = False,
        advice: str = "",
        detail: str = "",
        status: int | None = None,
    ) -> None:
        super().__init__(reason, advice=advice, detail=detail, status=status)
        self.after = after
        self.offline = offline


class InDoubt(SendError):
    """Bytes left and no readable answer came back: it may have happened. Never repeated blindly."""


class Dropped(SendError):
    """Found by a look: the endpoint had taken it and then refused it after all. Nobody got it."""


class CannotLook(SendoffError):
    """This account cannot find out whether a delivery arrived (no look-up, or no key that may read). Ask the person."""


# --- time ---------------------------------------------------------------------------------------------------------


class AmbiguousTime(BadInput):
    """The wall time does not exist (the clock jumps over it) or exists twice (the clock is set back) in this zone.

    Args:
        message: the sentence for the person.
        choices: the instants, aware and in the zone, that the person may have meant; earliest first.
    """

    def __init__(self, message: str, choices: tuple[datetime, ...]) -> None:
        super().__init__(message)
        self.choices = choices
