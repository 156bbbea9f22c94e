"""Who is woken by a message, and why not: the rules, without a database.

Each member of the room gets one decision: to ring, to have the number on the icon put right, or nothing, and always the reason.
The reasons are what an administrator reads who asks why it did not ring; they are kept, so a name never changes its meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from chat_server.domain.hours import within
from chat_server.domain.rooms import DIRECT

Wanted = Literal["mentions_and_direct", "all", "none"]
"""What a person wants to be rung for, where nothing else is said of a room."""
RoomLevel = Literal["all", "mentions", "none"]
"""The same for one room."""
Duty = Literal["on", "off"]

URGENT: Final = "urgent"
IMPORTANT: Final = "important"
TIME_ZONE: Final = "Asia/Tokyo"
"""where nobody says otherwise"""


class Act(Enum):
    RING = "ring"
    BADGE = "badge"
    NOTHING = "nothing"


class Why(Enum):
    """Of a decision. Kept in the ledger by value."""

    # it rings
    EMERGENCY = "emergency"
    DIRECT = "direct"
    MENTION = "mention"
    REPLY = "reply"
    ASKED = "asked"
    ANNOUNCED = "announced"
    FOLLOWED = "followed"
    # the number alone
    NOT_INVOLVED = "not_involved"
    # nothing
    OWN_MESSAGE = "own_message"
    NOT_A_PERSON = "not_a_person"
    ACCOUNT_ENDED = "account_ended"
    CANNOT_SEE = "cannot_see"
    REDACTED = "redacted"
    READ_ALREADY = "read_already"
    READING_NOW = "reading_now"
    SWITCHED_OFF = "switched_off"
    ROOM_MUTED = "room_muted"
    OFF_DUTY = "off_duty"
    QUIET_HOURS = "quiet_hours"
    NO_DEVICE = "no_device"
    TOO_OLD = "too_old"
    NOT_HERE = "not_here"


@dataclass(frozen=True, slots=True)
class Said:
    """What there is to know of a message. `level`: of an announcement. `everybody`: it mentions all. `asks`: it wants to be
    confirmed. `answers`: the author of the message that it quotes. People are integer keys."""

    author_id: int
    seq: int
    room_kind: str
    level: str | None = None
    everybody: bool = False
    asks: bool = False
    answers: int | None = None
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class Listener:
    """A member of the room, with all that they set. `involvement`: the member's, as the desk shows it. `room_level`: what is
    said of this room for devices, None: nothing. `quiet_from`, `quiet_to`: minutes of the day, None: no quiet hours."""

    user_id: int
    person: bool = True
    ended: bool = False
    involvement: str = "everything"
    visible_seq: int = 1
    read_seq: int = 0
    mentioned: bool = False
    room_level: str | None = None
    wanted: str = "mentions_and_direct"
    duty: str = "on"
    quiet_from: int | None = None
    quiet_to: int | None = None
    time_zone: str = TIME_ZONE
    reading: bool = False
    """has the room on a screen at this moment"""


@dataclass(frozen=True, slots=True)
class Decision:
    act: Act
    why: Why

    @property
    def urgent(self) -> bool:
        return self.why is Why.EMERGENCY


def decide(said: Said, who: Listener, now: int) -> Decision:
    """`now`: UTC milliseconds. The first rule that applies decides: what nobody may or need be told of comes first, then
    emergencies, then what the person set, then how much the message is theirs."""
    if (why := _pointless(said, who)) is not None:
        return Decision(Act.NOTHING, why)
    if said.level == URGENT:
        return Decision(Act.RING, Why.EMERGENCY)
    if (why := _unwanted(who)) is not None:
        return Decision(Act.NOTHING, why)
    why = _involves(said, who)
    if why is None:
        return Decision(Act.BADGE, Why.NOT_INVOLVED)
    if within(now, who.quiet_from, who.quiet_to, who.time_zone):
        return Decision(Act.NOTHING, Why.QUIET_HOURS)
    return Decision(Act.RING, why)


def _pointless(said: Said, who: Listener) -> Why | None:
    """Nobody is told what they may not see, have seen, or see at this moment: not in an emergency either."""
    if who.user_id == said.author_id:
        return Why.OWN_MESSAGE
    if not who.person:
        return Why.NOT_A_PERSON
    if who.ended:
        return Why.ACCOUNT_ENDED
    if said.seq < who.visible_seq:
        return Why.CANNOT_SEE
    if said.redacted:
        return Why.REDACTED
    if said.seq <= who.read_seq:
        return Why.READ_ALREADY
    return Why.READING_NOW if who.reading else None


def _unwanted(who: Listener) -> Why | None:
    """Everything but an emergency stops here. A level given to the room speaks for itself, whatever holds elsewhere."""
    if who.duty == "off":
        return Why.OFF_DUTY
    if who.room_level == "none" or (who.room_level is None and who.involvement == "nothing"):
        return Why.ROOM_MUTED
    return Why.SWITCHED_OFF if who.wanted == "none" and who.room_level is None else None


def _involves(said: Said, who: Listener) -> Why | None:
    if said.asks:
        return Why.ASKED
    if who.mentioned or said.everybody:
        return Why.MENTION
    if said.answers == who.user_id:
        return Why.REPLY
    if who.room_level == "mentions":
        return None
    if who.room_level == "all":
        return Why.FOLLOWED
    if who.involvement == "mentions":
        return None
    if said.room_kind == DIRECT:
        return Why.DIRECT
    if said.level == IMPORTANT:
        return Why.ANNOUNCED
    return Why.FOLLOWED if who.wanted == "all" else None
