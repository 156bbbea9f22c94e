"""What lies before a room's first kept event is there for nobody, by whichever way it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat_server.clock import SystemClock
from chat_server.domain.errors import Problem
from chat_server.ports import Tx
from chat_server.services import changing, history, messages, pages, room_list, rooms
from chat_server.services.blocks import Text
from chat_server.services.commands import Bookmark, Pin, React, Send
from chat_server.services.drafts import draft
from chat_server.services.rooms import NewRoom
from tests.support.engines import open_storage
from tests.support.people import add_people


@pytest.mark.asyncio
async def test_what_retention_has_ended_is_not_there(tmp_path: Path) -> None:
    storage = await open_storage(tmp_path, SystemClock())
    try:
        (owner,) = await add_people(storage, 1)
        room = await storage.write(lambda tx: rooms.create(tx, owner, NewRoom(kind="private", name="道路課")))

        async def send(word: str, forward: str | None = None) -> str:
            command = Send(ref=1, room=room, client_msg_id=f"word-{word}", blocks=(Text(word),), forward=forward)
            ack = await storage.write(lambda tx: messages.send(tx, owner, draft(command), b"k" * 32))
            assert ack.id is not None
            return ack.id

        old, kept = await send("old-one"), await send("new-one")

        async def mark(tx: Tx) -> None:
            for message in (old, kept):
                await changing.pin(tx, owner, Pin(ref=1, message=message, on=True))
                await changing.bookmark(tx, owner, Bookmark(ref=1, message=message, on=True))

        async def begin_at_second(tx: Tx) -> None:
            await tx.run(
                "UPDATE rooms SET first_seq = (SELECT seq FROM messages WHERE public_id = ?) WHERE public_id = ?",
                kept, room,
            )  # fmt: skip

        async def seen(tx: Tx) -> list[list[str]]:
            """By page, pin, bookmark and replay; and what the room list shows as the last."""
            page = await history.page(tx, owner, room, before=None, after=None, around=None, limit=50)
            pins = await history.pins(tx, owner, room)
            marks, _ = await history.bookmarks(tx, owner, None, 50)
            events = (await pages.room_page(tx, owner, room, 0, 50)).events
            last = (await room_list.room_of(tx, owner, room))["last"]
            found = (
                page["messages"],
                pins,
                [one["message"] for one in marks],
                [e["message"] for e in events if "message" in e],
            )
            return [*(sorted(one["text"] for one in some) for some in found), [last["text"]] if last else []]

        await storage.write(mark)
        assert await storage.write(seen) == [["new-one", "old-one"]] * 4 + [["new-one"]]
        await storage.write(begin_at_second)
        assert await storage.write(seen) == [["new-one"]] * 5
        assert (await storage.read(lambda tx: history.message(tx, owner, kept)))["room"] == room
        for refused in (
            lambda: storage.read(lambda tx: history.message(tx, owner, old)),
            lambda: storage.write(lambda tx: changing.react(tx, owner, React(ref=1, message=old, key="了解", on=True))),
            lambda: send("forward", forward=old),
        ):
            with pytest.raises(Problem, match="4001"):
                await refused()
        await storage.write(lambda tx: tx.run("UPDATE rooms SET first_seq = last_seq + 1"))
        assert await storage.write(seen) == [[]] * 5
    finally:
        await storage.close()
