"""The same appointment names somebody everywhere: over a message, in the directory, in the room, among the readers."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat_server.clock import SystemClock
from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.ids import new_id
from chat_server.ports import Tx
from chat_server.services import browsing, directory, history, messages, rooms
from chat_server.services.blocks import Text
from chat_server.services.commands import Send
from chat_server.services.drafts import draft
from chat_server.services.rooms import NewRoom
from chat_server.storage.queries import departments
from tests.support.engines import open_storage
from tests.support.people import add_people

Posts = list[tuple[str, str, int, int | None]]
"""(department, kind, starts at, ends at), in the order in which they were entered; times count from now."""

CASES: dict[str, tuple[Posts, str]] = {
    "the main one before all others": ([("総務課", "concurrent", -1, None), ("道路課", "main", -9, None)], "道路課"),
    "the yearly one before concurrent ones": (
        [("総務課", "joint", -1, None), ("道路課", "annual", -9, None)],
        "道路課",
    ),
    "of two the later": ([("道路課", "main", -9, None), ("総務課", "main", -1, None)], "総務課"),
    "of two that began together the one entered first": (
        [("総務課", "main", -9, None), ("道路課", "main", -9, None), ("河川課", "main", -9, None)],
        "総務課",
    ),
    "not one that has ended or not begun": (
        [("総務課", "main", -9, -1), ("河川課", "main", 9, None), ("道路課", "concurrent", -9, None)],
        "道路課",
    ),
    "none": ([("総務課", "main", -9, -1)], ""),
}


@pytest.mark.asyncio
@pytest.mark.parametrize(("posts", "section"), CASES.values(), ids=CASES.keys())
async def test_one_appointment_names_somebody_everywhere(posts: Posts, section: str, tmp_path: Path) -> None:
    storage = await open_storage(tmp_path, SystemClock())
    try:
        viewer, someone = await add_people(storage, 2)

        async def appoint(tx: Tx) -> None:
            keys = {
                name: await departments.insert(tx, new_id(tx.now), viewer.org_id, None, str(position), name, position)
                for position, name in enumerate(("河川課", "道路課", "総務課"))
            }
            for name, kind, start, end in posts:
                begins, ends = tx.now + start * limits.DAY, None if end is None else tx.now + end * limits.DAY
                await departments.appoint(
                    tx, viewer.org_id, someone.user_id, keys[name], kind, "主事", 50, begins, ends
                )  # fmt: skip

        await storage.write(appoint)
        new = NewRoom(kind="private", name="道路課", members=(someone.id,))
        room = await storage.write(lambda tx: rooms.create(tx, viewer, new))

        async def post(author: Actor) -> str:
            command = Send(ref=1, room=room, client_msg_id="message1", blocks=(Text("確認しました。"),))
            ack = await storage.write(lambda tx: messages.send(tx, author, draft(command), b"k" * 32))
            assert ack.id is not None
            return ack.id

        async def sections(tx: Tx) -> dict[str, str]:
            written = await history.message(tx, viewer, theirs)
            persons, _ = await browsing.members(tx, viewer, room, None, 50)
            return {
                "message": written["message"]["author"]["department"],
                "directory": (await directory.one(tx, viewer, someone.id))["department"],
                "room": next(person["department"] for person in persons if person["id"] == someone.id),
                "readers": (await history.readers(tx, viewer, mine))[0]["name"],
            }

        theirs, mine = await post(someone), await post(viewer)
        assert await storage.write(sections) == dict.fromkeys(("message", "directory", "room", "readers"), section)
    finally:
        await storage.close()
