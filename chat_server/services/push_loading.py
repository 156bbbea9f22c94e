"""What a push needs to know at the moment it goes out: as of now, not as it was when it was decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from chat_server.domain import limits
from chat_server.domain.hours import within
from chat_server.domain.policy import Policy
from chat_server.domain.push import Why
from chat_server.ports import Reader, Tx
from chat_server.storage.queries import notifications, organizations, push_recipients, push_tokens
from chat_server.storage.queries.push_tokens import PushToken

__all__ = ["Loaded", "PushToken", "Shown", "drop", "keys_of", "load", "read_marks"]

_CONTENT: Final = ("none", "room", "sender_and_room", "all")
"""Of the rule `push_content`, from the least to the most."""


class Shown(NamedTuple):
    """A message as a notification may show it: public ids."""

    message: str
    room: str
    room_kind: str
    room_name: str
    org_id: int
    seq: int
    author: str
    text: str
    redacted_at: int | None
    level: str | None


@dataclass(frozen=True, slots=True)
class Loaded:
    """By integer keys. `tokens`: of each device that may be woken at all. `read`: (user, room) → read up to; absent: not a
    member (any more)."""

    tokens: dict[int, PushToken]
    read: dict[tuple[int, int], int]
    badges: dict[int, int]
    messages: dict[int, Shown]
    rooms: dict[int, str]
    policies: dict[int, Policy]
    hushed: dict[int, str] = field(default_factory=dict)
    """Who wants no peace broken at this moment, and why."""

    def content(self, token: PushToken, message: Shown) -> str:
        """How much may be told of it: the stricter of the person's organization and the room's."""
        rules = (self.policies[token.org_id].push_content, self.policies[message.org_id].push_content)
        return min(rules, key=_CONTENT.index)


async def load(
    reader: Reader, users: Collection[int], rooms: Collection[int], messages: Collection[int], most_trusted: str
) -> Loaded:
    """For parcels of these people, rooms and messages."""
    people, places = sorted(users), sorted(rooms)
    tokens = await push_tokens.live_of(reader, people, most_trusted=most_trusted)
    shown = {key: Shown(*row) for key, row in (await push_recipients.shown(reader, sorted(messages))).items()}
    orgs = {token.org_id for token in tokens} | {message.org_id for message in shown.values()}
    policies = {org_id: await organizations.policy(reader, org_id) for org_id in sorted(orgs)}
    return Loaded(
        tokens={token.device_id: token for token in tokens},
        read=await push_recipients.read_marks(reader, people, places),
        badges=await _badges(reader, tokens, policies),
        messages=shown,
        rooms=await push_recipients.room_ids(reader, places),
        policies=policies,
        hushed=await _hushed(reader, people),
    )


async def _hushed(reader: Reader, people: Sequence[int]) -> dict[int, str]:
    found = {}
    for user, settings in (await notifications.of_people(reader, people)).items():
        if settings.duty == "off":
            found[user] = Why.OFF_DUTY.value
        elif within(reader.now, settings.quiet_from, settings.quiet_to, settings.time_zone):
            found[user] = Why.QUIET_HOURS.value
    return found


async def _badges(reader: Reader, tokens: Sequence[PushToken], policies: Mapping[int, Policy]) -> dict[int, int]:
    """Without the memo pad where an organization keeps it to its desks: a device elsewhere must not count it."""
    found: dict[int, int] = {}
    for everywhere in (True, False):
        some = {token.user_id for token in tokens if (policies[token.org_id].memo_pad == "everywhere") is everywhere}
        if some:
            found |= await push_recipients.badges(reader, sorted(some), limits.UNREAD_CAP, memo_pads=everywhere)
    return found


async def keys_of(reader: Reader, rooms: Collection[str]) -> dict[str, int]:
    """Public id → integer key."""
    return await push_recipients.room_keys(reader, sorted(rooms))


async def read_marks(reader: Reader, users: Collection[int], rooms: Collection[int]) -> dict[tuple[int, int], int]:
    """See `queries.push_recipients.read_marks`."""
    return await push_recipients.read_marks(reader, sorted(users), sorted(rooms))


async def drop(tx: Tx, token: PushToken, why: str, gone_at: int | None) -> bool:
    """The provider says that the token is good for nothing: False where the device has registered since."""
    return await push_tokens.drop(tx, token.id, why, gone_at)
