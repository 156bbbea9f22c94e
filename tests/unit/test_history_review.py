"""Pages of somebody who left and came back to a room whose history newcomers do not see."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat_server.clock import SystemClock
from chat_server.services import history, messages, rooms
from chat_server.services.blocks import Text
from chat_server.services.commands import Send
from chat_server.services.drafts import draft
from chat_server.services.rooms import Invitation, NewRoom
from tests.support.engines import open_storage
from tests.support.people import add_people


@pytest.mark.asyncio
async def test_pages_reach_behind_the_time_of_absence(tmp_path: Path) -> None:
    storage = await open_storage(tmp_path, SystemClock())
    try:
        owner, member = await add_people(storage, 2)
        new = NewRoom(kind="private", name="道路課", history="joined", members=(member.id,))
        room = await storage.write(lambda tx: rooms.create(tx, owner, new))

        async def post(*words: str) -> None:
            for word in words:
                command = Send(ref=1, room=room, client_msg_id=f"message-{word}", blocks=(Text(word),))
                await storage.write(lambda tx, command=command: messages.send(tx, owner, draft(command), b"k" * 32))  # type: ignore[misc]

        await post("a1", "a2")
        await storage.write(lambda tx: rooms.leave(tx, member, room))
        await post("h1", "h2", "h3", "h4")
        await storage.write(lambda tx: rooms.invite(tx, owner, room, Invitation((member.id,))))
        await post("b1")
        seen: list[str] = []
        before, first = None, False
        while not first:
            page = await storage.read(
                lambda tx, before=before: history.page(  # type: ignore[misc]
                    tx, member, room, before=before, after=None, around=None, limit=2
                )
            )
            seen = [message["text"] for message in page["messages"]] + seen
            first = page["first"]
            before = page["messages"][0]["seq"] if page["messages"] else None
        assert seen == ["a1", "a2", "b1"]
    finally:
        await storage.close()
