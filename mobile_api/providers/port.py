"""What a provider of pushes is: one small interface, filled by four of them and by the relay's closed side.

A provider is handed a `Parcel` that nobody on the way can read, and says what became of it. It keeps no list of its own:
trying again, giving up and dropping tokens are the engine's (mobile_api/push).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal, Protocol

Platform = Literal["apns", "fcm", "web_push", "unified"]

PLATFORMS: Final[tuple[Platform, ...]] = ("apns", "fcm", "web_push", "unified")
SECONDS: Final = 30.0
"""The longest that `Provider.send` may take."""
REASON_CHARS: Final = 200
NO_LINE: Final = "no line to the relay"
"""The reason of what was not handed over for want of one; once it stands, what waits for that goes at once."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One push to one device, ready to go out. Nothing in it can be read by whoever carries it but the fixed text."""

    id: str
    """26 characters, of ours (`domain.ids.new_id`); the same on every try"""
    platform: Platform
    token: str = field(repr=False)
    """APNs: hex; FCM: the token; Web Push and UnifiedPush: the endpoint's address. A secret: who has it can ring"""
    sealed: bytes = field(repr=False)
    """RFC 8188 aes128gcm body by RFC 8291 for the device's key; empty where the device has none"""
    text: str
    """the fixed text in the device's language; no name, no content"""
    badge: int
    collapse: str
    """at most 32 of [A-Za-z0-9_-]; opaque; one a room and device"""
    urgent: bool
    clears: bool
    """silent: something was read elsewhere, or the badge alone changed"""
    expires: int
    """ms since 1970; after it nobody wants it"""
    topic: str = ""
    """APNs: bundle id of the app; empty: the one in the settings"""


class Outcome(Enum):
    """What is to be done about the parcel."""

    ACCEPTED = "accepted"
    INVALID = "invalid"
    """the token is good for nothing: drop it"""
    LATER = "later"
    """try again, after `Answer.retry_after` seconds where it is given"""
    REFUSED = "refused"
    """this parcel never; the token stays"""
    UNKNOWN = "unknown"
    """cut in the middle: the provider may have it"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one parcel."""

    outcome: Outcome
    reason: str
    """what the provider said, at most 200 printable characters"""
    receipt: str = ""
    """the provider's id of it"""
    retry_after: float | None = None
    """seconds"""
    gone_at: int | None = None
    """APNs 410's timestamp, ms since 1970: INVALID counts only if the registration is older"""


class Provider(Protocol):
    """MUST answer within `SECONDS`; MUST raise nothing but CancelledError; MUST NOT write the token or the sealed part
    to a log or into `Answer.reason`; MUST leave nothing open after `close`."""

    @property
    def platform(self) -> Platform: ...

    async def send(self, parcel: Parcel) -> Answer: ...

    async def close(self) -> None: ...
