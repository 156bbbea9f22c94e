"""Pressing a bot's button and answering its form: by whoever may read the message now, also where few may write."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from chat_server.bot_blocks import ANSWER_CHARS, Button, Buttons, Field, Form, Value
from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import FORM_CLOSED, INVALID_FIELD, NOTHING_TO_PRESS, Problem
from chat_server.domain.ids import new_id
from chat_server.ports import Reader, Tx
from chat_server.services.access import living_message, visible_message
from chat_server.services.blocks import clean_text
from chat_server.services.rendering import blocks_of
from chat_server.storage.queries import bot_posts, bots
from chat_server.storage.queries import messages as stored_messages
from chat_server.storage.queries.bot_posts import BotPost
from chat_server.storage.queries.messages import Stored

_LABEL: Final = b"form-answer"
_SHOWN: Final = 32
_JOIN: Final = 300
"""Milliseconds in which answers are waited for, to tell the bot of them together."""


async def press(tx: Tx, actor: Actor, message: str, key: str) -> None:
    """The bot is to be told. Raises `Problem` 4001, 3002, 4011 (no such button, or not any more)."""
    stored, post = await _post(tx, actor, message)
    if key not in {button.key for button in _buttons(stored)}:
        raise Problem(NOTHING_TO_PRESS, field="key")
    await bots.expect_press(tx, post, actor.user_id, f"p{new_id(tx.now)}", key)


async def answer(tx: Tx, actor: Actor, message: str, values: Mapping[str, Value], secret: bytes) -> dict[str, Any]:
    """Answer the form, or answer it anew. `secret`: keys the hash that stands for the person. Answers what is kept.

    Raises `Problem` 4001, 3002, 4011 (no form), 4012 (closed), 2001 (which field).
    """
    stored, post = await _post(tx, actor, message)
    form = _form(stored)
    if form is None:
        raise Problem(NOTHING_TO_PRESS, field="message")
    if not form.open:
        raise Problem(FORM_CLOSED, field="message")
    kept = checked(form, values)
    author = await stored_messages.author(tx, actor.user_id)
    await bot_posts.answer(
        tx,
        post,
        _voter(secret, actor, stored),
        None if form.secret else actor.user_id,
        "" if form.secret else author.department,
        None if form.secret else tx.now,
        msgspec.msgpack.encode(kept),
    )
    await bots.expect_answers(tx, post, f"a{new_id(tx.now)}", tx.now + _wait(post))
    return {"values": kept}


async def own_answer(reader: Reader, actor: Actor, message: str, secret: bytes) -> dict[str, Any]:
    """What one answered oneself; None if nothing yet. Raises `Problem` 4001."""
    stored, _ = await visible_message(reader, actor, message)
    packed = await bot_posts.answer_of(reader, stored.id, _voter(secret, actor, stored))
    return {"values": None if packed is None or stored.redacted_at is not None else msgspec.msgpack.decode(packed)}


def _wait(post: BotPost) -> int:
    """The more answers there are, the longer it takes to tell of them all."""
    return _JOIN + post.answered // 5


def again(post: BotPost, now: int) -> int:
    """When the bot is told of answers that came while it was being told."""
    return now + limits.SECOND + _wait(post)


def checked(form: Form, values: Mapping[str, Value]) -> dict[str, Value]:
    """The answer as it is kept: cleaned, of the form's fields, nothing empty. Raises `Problem` 2001."""
    unknown = set(values) - {field.key for field in form.fields}
    if unknown:
        raise _wrong(min(unknown)[:_SHOWN], "no such field")
    kept: dict[str, Value] = {}
    for field in form.fields:
        value = _value(field, values.get(field.key, ""))
        if value:
            kept[field.key] = value
        elif field.required:
            raise _wrong(field.key, "required")
    return kept


def _value(field: Field, value: Value) -> Value:
    if field.kind == "choices":
        chosen = [value] if isinstance(value, str) and value else list(value)
        if not set(chosen) <= set(field.choices):
            raise _wrong(field.key, "not among the choices")
        return [choice for choice in field.choices if choice in chosen]
    if not isinstance(value, str):
        raise _wrong(field.key, "one value")
    if len(value) > ANSWER_CHARS:
        raise _wrong(field.key, f"at most {ANSWER_CHARS} characters")
    value = clean_text(value).strip()
    if value:
        _check(field, value)
    return value


def _check(field: Field, value: str) -> None:
    match field.kind:
        case "line" if "\n" in value:
            raise _wrong(field.key, "one line")
        case "choice" if value not in field.choices:
            raise _wrong(field.key, "not among the choices")
        case "number" if not _is_number(value):
            raise _wrong(field.key, "a number")
        case "date" if not _is_date(value):
            raise _wrong(field.key, "a date like 2026-11-26")


def _is_number(value: str) -> bool:
    whole, _, part = value.removeprefix("-").partition(".")
    return value.isascii() and whole.isdigit() and (part.isdigit() or not part) and len(value) <= 20


def _is_date(value: str) -> bool:
    try:
        return datetime.date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _wrong(key: str, reason: str) -> Problem:
    return Problem(INVALID_FIELD, field=f"values.{key}", reason=reason)


def _voter(secret: bytes, actor: Actor, stored: Stored) -> bytes:
    """Stands for a person in a table of secret answers, which tells nobody who is who without the server's key."""
    body = b"\0".join((_LABEL, stored.public_id.encode(), str(actor.user_id).encode()))
    return hashlib.blake2b(body, digest_size=16, key=secret).digest()


async def _post(tx: Tx, actor: Actor, message: str) -> tuple[Stored, BotPost]:
    stored, _ = await living_message(tx, actor, message)
    post = await bot_posts.of_message(tx, stored.id)
    if post is None:
        raise Problem(NOTHING_TO_PRESS, field="message")
    return stored, post


def _buttons(stored: Stored) -> list[Button]:
    return [button for block in blocks_of(stored) if isinstance(block, Buttons) for button in block.buttons]


def _form(stored: Stored) -> Form | None:
    return next((block for block in blocks_of(stored) if isinstance(block, Form)), None)
