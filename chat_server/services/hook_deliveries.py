"""What a webhook tells another system: the messages of its room, each once it was sent, in order, until it arrives or is given
up after about a day.

A message becomes a row for each hook in the step that removes its outbox row; nothing waits for it. The id by which the
other side knows it again is made of the message's and the hook's: it is the same at every try, after a kill too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

import msgspec

from chat_server.domain import limits
from chat_server.domain.errors import HOOK_REFUSED, HOOK_RESTORED, HOOKS_NOT_ALLOWED, Problem
from chat_server.domain.webhooks import sign
from chat_server.ports import Reader, Tx
from chat_server.services import bot_posts
from chat_server.services.bot_posts import Post
from chat_server.services.bots import Place
from chat_server.services.hook_secrets import bot_of, secrets_of
from chat_server.services.keys import Keys
from chat_server.storage.queries import hook_deliveries as queries
from chat_server.storage.queries import hooks, messages, organizations, rooms
from chat_server.storage.queries.hook_deliveries import Delivery
from chat_server.storage.queries.hooks import Hook
from chat_server.storage.queries.messages import Stored

WAITS: Final = tuple(seconds * limits.SECOND for seconds in (5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 28_800))
"""Until the second and every further try: 23 hours and 43 minutes in all."""
GIVE_UP: Final = limits.DAY
_PARKED: Final = (
    "「{name}」が送信先に届けられませんでした: {ja}トークルームの管理者は、原因を直したあとで再送できます。"
)
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Letter:
    """What a hook has to tell now. `body`: None where the message was taken back, or there is none any more."""

    hook: Hook
    delivery: Delivery
    id: str
    body: bytes | None

    def headers(self, keys: Keys, now: int) -> dict[str, str]:
        """Signed with every secret that is good now, so that the other side can change over in its own time."""
        assert self.body is not None
        timestamp = str(now // limits.SECOND)
        signatures = [sign(secret, self.id, timestamp, self.body) for secret in secrets_of(keys, self.hook, now)]
        return {
            "content-type": "application/json",
            "webhook-id": self.id,
            "webhook-timestamp": timestamp,
            "webhook-signature": " ".join(signatures),
        }


async def expect(tx: Tx, sent: Sequence[tuple[int, int]]) -> int:
    """Messages (room, seq) that were committed: hooks that tell of their rooms have them to do. Answers how many."""
    if not sent:
        return 0
    telling = set()
    for room_id, org_id in await queries.telling(tx, sorted({room_id for room_id, _ in sent})):
        if (await organizations.policy(tx, org_id)).webhooks != "off":
            telling.add(room_id)
    found = 0
    for room_id, group in groupby(sorted(one for one in sent if one[0] in telling), key=lambda one: one[0]):
        found += await queries.expect(tx, room_id, [seq for _, seq in group])
    return found


async def ready(reader: Reader, limit: int) -> list[tuple[str, str]]:
    """(hook, url) of those that have something to tell now."""
    return await queries.ready(reader, limit)


async def next_letter(reader: Reader, public_id: str) -> Letter | None:
    """The oldest one of a hook, if it is time."""
    hook = await hooks.find(reader, public_id)
    if hook is None or not hook.is_on or not hook.url:
        return None
    delivery = await queries.next_of(reader, hook)
    if delivery is None:
        return None
    found = await messages.page(reader, hook.room_id, delivery.seq - 1, delivery.seq + 1, 1, newest=True)
    if not found or found[0].redacted_at is not None:
        return Letter(hook, delivery, "", None)
    name = (await rooms.facts(reader, hook.room_id))[2]
    return Letter(hook, delivery, f"msg_{found[0].public_id}_{hook.public_id}", _body(hook, str(name), found[0]))


async def check(reader: Reader, letter: Letter) -> None:
    """Raises `Problem` 7002 where the organization has switched webhooks off meanwhile."""
    if (await organizations.policy(reader, letter.hook.org_id)).webhooks == "off":
        raise Problem(HOOKS_NOT_ALLOWED)


async def arrived(tx: Tx, letter: Letter) -> None:
    """It is told, or there is nothing to tell."""
    await queries.told(tx, letter.hook, letter.delivery)
    if letter.hook.told_at is not None and letter.body is not None:
        await hooks.set_told(tx, letter.hook, None)


async def failed(tx: Tx, letter: Letter, problem: Problem, jitter: float, place: Place) -> bool:
    """Later again, or given up: then the room is told in words, once until something arrives again. Answers whether it was
    given up. `jitter`: about 1."""
    hook, delivery = letter.hook, letter.delivery
    fault, status = problem.fault.code, problem.params.get("status")
    if delivery.tries < len(WAITS) and tx.now - delivery.since < GIVE_UP:
        await queries.postpone(tx, hook, delivery, tx.now + int(WAITS[delivery.tries] * jitter), fault, status)
        return False
    parked = await queries.park(tx, hook, delivery, fault, status)
    if problem.fault is not HOOK_REFUSED:
        # Nobody is there, whatever is told: to try each of them would take a day again. Who refuses may refuse this one alone.
        await queries.park_older(tx, hook, tx.now - GIVE_UP, fault)
    if parked and hook.told_at is None:
        await hooks.set_told(tx, hook, tx.now)
        words = _PARKED.format(name=hook.name, ja=problem.as_dict()["ja"])
        try:
            await bot_posts.write(
                tx, bot_of(hook, place.zone), hook.room, Post("", (words,)),
                f"hook-parked-{hook.public_id}-{delivery.seq}-{delivery.since}", place.key, place.trust,
            )  # fmt: skip
        except Problem as refused:
            if refused.fault not in bot_posts.NOT_HERE:
                raise
    return True


async def set_aside(tx: Tx) -> int:
    """After a restore: what waits was, perhaps, told before. Answers how many."""
    return await queries.park_all(tx, HOOK_RESTORED.code)


def _body(hook: Hook, room_name: str, message: Stored) -> bytes:
    """Words, who said them, and where to find the rest: nothing of attachments but how many there are."""
    return _encode(
        {
            "type": "message.created",
            "timestamp": datetime.fromtimestamp(message.created_at / limits.SECOND, UTC).isoformat(
                timespec="milliseconds"
            ),
            "data": {
                "id": message.public_id,
                "room": {"id": hook.room, "name": room_name},
                "seq": message.seq,
                "at": message.created_at,
                "author": {
                    "name": message.author_name,
                    "department": message.author_department,
                    "kind": message.author_kind,
                },
                "text": message.text,
                "attachments": message.attachments,
            },
        }
    )
