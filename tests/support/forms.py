"""A bot's post with a button and a form, for tests that have no bot."""

from __future__ import annotations

from typing import Final

from chat_server.bot_blocks import Button, Buttons, Field, Form
from chat_server.ports import Tx
from chat_server.services import bot_posts, rooms
from chat_server.services.bot_posts import Post
from tests.support.world import Someone

FORM: Final = Form("用紙", (Field("word", "ことば"),))
BUTTONS: Final = Buttons((Button("yes", "はい"),))


async def bot_form(tx: Tx, bot: Someone, owner: Someone, room: str) -> str:
    """Its public id; the bot comes into the room."""
    await rooms.invite(tx, owner.actor, room, rooms.Invitation((bot.id,)))
    await bot_posts.write(tx, bot.actor, room, Post("form", (FORM, BUTTONS)), "bot-form", b"k" * 32, lambda zone: 0)
    row = await tx.one(
        "SELECT m.public_id FROM bot_posts p JOIN messages m ON m.id = p.message_id ORDER BY m.id DESC LIMIT 1"
    )
    assert row is not None
    return str(row[0])
