"""Whoever is in a file's room reads who takes it out of its network, and who let them: as messages of theirs, so that it rings whom it
concerns. Where they may not write, or are not in the room, nothing is said; the list and the file show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chat_server.domain import limits
from chat_server.domain.actors import DEPARTMENT_ADMIN, ORGANIZATION_ADMIN, Actor
from chat_server.domain.errors import Problem
from chat_server.domain.ids import new_id
from chat_server.domain.policy import Policy
from chat_server.domain.zones import zone_name
from chat_server.ports import Reader, Tx
from chat_server.services import messages
from chat_server.services.access import visible_message
from chat_server.services.blocks import Text
from chat_server.services.commands import Send
from chat_server.services.drafts import draft
from chat_server.storage.queries import departments, mentions, organizations, rooms
from chat_server.storage.queries import takeouts as queries
from chat_server.storage.queries.takeouts import Takeout

_CALLED: Final = 10
"""People whom a message calls by name: the first of those who may decide."""
_HEADS: Final = 30
"""Of departments, who are looked at for that: each is a question of its own."""
_NO_REF: Final = 0


async def asked(tx: Tx, actor: Actor, one: Takeout, key: bytes) -> None:
    """Calls those in the room who may decide, and says where they do."""
    policy = await organizations.policy(tx, one.org_id)
    where = "「詳細」" if policy.approve_takeouts == "owner" else "「管理」"
    words = (
        f"「{_plain(one.name)}」の持ち出し({zone_name(one.zone)})を申請します。\n理由: {_plain(one.reason)}\n"
        f"承認・却下は、庁内の端末で、{where}の「持ち出しの申請」からできます。"
    )
    await _say(tx, actor, one, await _who_decides(tx, policy, one), words, key)


async def decided(tx: Tx, actor: Actor, one: Takeout, said: str, key: bytes, *, approved: bool) -> None:
    """Calls the asker. `said`: in words of whoever decided."""
    hours = limits.TAKEOUT_APPROVED // limits.HOUR
    became = f"を承認しました。申請した端末で{hours}時間保存できます。" if approved else "は承認しませんでした。"
    words = f"「{_plain(one.name)}」の持ち出し({zone_name(one.zone)}){became}"
    await _say(tx, actor, one, [one.user], f"{words}\n{_plain(said)}" if said else words, key)


async def _who_decides(reader: Reader, policy: Policy, one: Takeout) -> Sequence[str]:
    """Of those in the room, by their public ids."""
    if policy.approve_takeouts == "owner":
        return await queries.owners(reader, one.room_id, one.user_id, _CALLED)
    room = one.room_id, one.org_id
    called = await queries.holders(reader, *room, ORGANIZATION_ADMIN, one.user_id, _CALLED)
    if policy.approve_takeouts == "department_admin":
        heads = await queries.holders(reader, *room, DEPARTMENT_ADMIN, one.user_id, _HEADS)
        called = [
            head for head in heads if await departments.administers(reader, one.org_id, head[0], one.user_id)
        ] + called
    return list(dict.fromkeys(user for _, user in called))[:_CALLED]


async def _say(tx: Tx, actor: Actor, one: Takeout, called: Sequence[str], words: str, key: bytes) -> None:
    standing = await rooms.standing_by_id(tx, actor.user_id, one.room_id)
    if standing is None or not standing.can_post:
        return
    members = await mentions.members(tx, one.room_id, called) if called else {}
    calls = "".join(f"<@user:{user}> " for user in members)
    send = Send(
        ref=_NO_REF,
        room=one.room,
        client_msg_id=f"takeout-{new_id(tx.now)}",
        blocks=(Text(text=calls + words),),
        quote=await _quotable(tx, actor, one),
    )
    await messages.send(tx, actor, draft(send), key)


async def _quotable(tx: Tx, actor: Actor, one: Takeout) -> str | None:
    """The file's message; None where whoever speaks does not see it: one may decide about what was said before one came."""
    try:
        stored, _ = await visible_message(tx, actor, one.message)
    except Problem:
        return None
    return None if stored.redacted_at is not None else stored.public_id


def _plain(words: str) -> str:
    """A file's name, or a reason, calls nobody."""
    return words.replace("<@", "<＠")
