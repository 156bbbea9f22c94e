"""What comes in by a webhook: signed, once for each id, as a message of the hook's bot."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from chat_server.bot_blocks import ROWS, Card, Label, Words
from chat_server.domain import limits
from chat_server.domain.errors import (
    HOOK_NOT_FOUND,
    INVALID_FIELD,
    MESSAGE_EMPTY,
    RATE_LIMITED,
    ROOM_NOT_FOUND,
    Problem,
)
from chat_server.domain.ids import is_id
from chat_server.domain.webhooks import is_signed
from chat_server.ports import Reader, Tx
from chat_server.services import bot_posts
from chat_server.services.answers import Ack
from chat_server.services.blocks import clean_text
from chat_server.services.bot_posts import Post
from chat_server.services.hook_secrets import bot_of, secret_of, secrets_of
from chat_server.services.keys import SENDS, Keys
from chat_server.storage.queries import hooks as queries
from chat_server.storage.queries import organizations
from chat_server.storage.queries.hooks import Hook

_NOBODY: Final = "0" * 26
_NO_SALT: Final = b"\0" * 32


class HookPost(msgspec.Struct, frozen=True):
    """Words; with `title` or `rows` a card. Nothing in it calls anybody."""

    text: Annotated[str, msgspec.Meta(max_length=limits.TEXT_CHARS)] = ""
    title: Annotated[str, msgspec.Meta(max_length=200)] = ""
    rows: Annotated[tuple[tuple[Label, Words], ...], msgspec.Meta(max_length=ROWS)] = ()


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it came: its headers, empty where they are missing, and the very bytes of its body."""

    hook: str
    id: str
    timestamp: str
    signatures: str
    body: bytes


async def verified(reader: Reader, keys: Keys, signed: Signed) -> Hook:
    """The hook that the request was signed for.

    Raises `Problem` 7001, which looks the same for a hook that there is not, one that is off, and a signature that is wrong,
    old or missing; all of them are computed to the end.
    """
    hook = await queries.find(reader, signed.hook) if is_id(signed.hook) else None
    secrets = [secret_of(keys, _NOBODY, _NO_SALT)] if hook is None else secrets_of(keys, hook, reader.now)
    policy = await organizations.policy(reader, 0 if hook is None else hook.org_id)
    good = is_signed(secrets, signed.id, signed.timestamp, signed.body, signed.signatures, reader.now)
    if hook is None or not good or not hook.is_on or hook.bot_disabled_at is not None or policy.webhooks == "off":
        raise Problem(HOOK_NOT_FOUND, field="hook")
    return hook


async def post(tx: Tx, keys: Keys, signed: Signed, wanted: HookPost, zone: str, address: str) -> Ack:
    """The same id again gives the first answer, whatever the words: it names what happened. Raises `Problem` 7001, 8005 (the
    hook posts too fast), 3002 (archived room), 3003, 4002, 4007, 2001."""
    hook = await verified(tx, keys, signed)
    await _count(tx, hook)
    bot = bot_of(hook, zone, address)
    content = _content(wanted, hook.name)
    key = keys.current(SENDS).secret
    try:
        return await bot_posts.write(tx, bot, hook.room, content, _client_msg_id(signed.id), key, lambda zone: -1)
    except Problem as problem:
        if problem.fault is INVALID_FIELD:  # what it is told of has no blocks
            raise Problem(
                INVALID_FIELD, field="text", reason="too long for a card, or nothing that can be seen"
            ) from None
        # Its bot was taken out of the room: for the sender as good as none.
        raise Problem(HOOK_NOT_FOUND, field="hook") if problem.fault is ROOM_NOT_FOUND else problem from None


async def _count(tx: Tx, hook: Hook) -> None:
    """Only what is posted counts; whoever cannot sign cannot use it up."""
    minute, posts = (hook.minute, hook.posts) if 0 <= tx.now - hook.minute < limits.MINUTE else (tx.now, 0)
    if posts >= limits.HOOK_POSTS:
        raise Problem(RATE_LIMITED, retry_after=max(1, -(-(minute + limits.MINUTE - tx.now) // limits.SECOND)))
    await queries.count_post(tx, hook, minute, posts + 1)


def _content(wanted: HookPost, name: str) -> Post:
    text = _inert(wanted.text)
    if not (wanted.title or wanted.rows):
        if not clean_text(text).strip():
            raise Problem(MESSAGE_EMPTY, field="text")
        return Post("", (text,))
    rows = tuple((_inert(label), _inert(value)) for label, value in wanted.rows)
    return Post("", (Card(_inert(wanted.title) or name, text, rows),))


def _inert(text: str) -> str:
    """A mention is no mention any more: whoever writes from outside calls nobody, and can be seen to have tried. Cleaned before: what
    is dropped between the two signs would join them."""
    return clean_text(text).replace("<@", "＜@") if "<" in text else text


def _client_msg_id(id: str) -> str:  # noqa: A002 - the scheme's word
    """Of the sender's id, which may have any form."""
    return "hook-" + hashlib.sha256(id.encode("ascii")).hexdigest()[:48]
