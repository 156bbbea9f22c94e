"""Fills an empty data folder with a small invented town hall, and writes down what is in it.

    python -m tests.browser.stage FOLDER FACTS.json

A process of its own: the browser's event loop does not have to share the test's thread with the storage.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from chat_server.domain.actors import AUDITOR, ORGANIZATION_ADMIN
from chat_server.domain.ids import new_id
from chat_server.ports import Tx
from chat_server.services import changing, commands, rooms
from chat_server.services.blocks import Text
from chat_server.services.rooms import NewRoom
from chat_server.storage.queries import departments, people
from tests.support.server import running_server
from tests.support.world import Org, Someone, World

PASSWORD: Final = "kakunin-shimashita-0922"
OLD_MESSAGES: Final = 180
"""More than three pages of history."""

_STAFF: Final = (
    ("takahashi", "高橋 健", "道路課 維持係", "主事"),
    ("tanaka", "田中 美咲", "道路課 管理係", "係長"),
    ("sato", "佐藤 一", "防災危機管理課", "課長補佐"),
)
_LINES: Final = (
    "市道緑町12号線の路肩を見回りました。異常はありません。",
    "側溝のふたが1枚ずれていたため、元に戻しました。",
    "通学路の横断歩道が薄くなっています。来月の補修に入れてください。",
    "承知しました。一覧に追加します。\n写真は明日、撮り直します。",
)


class Stage:
    """Builds it by the services, as the server itself would."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.storage = world.server.app.storage
        self.people: dict[str, Someone] = {}

    async def build(self) -> dict[str, Any]:
        org = await self.world.organization("midorino", "みどり野市")
        for position, (login, name, department, post) in enumerate(_STAFF, 1):
            self.people[login] = await self._staff(org, login, name, department, post, position)
        guest = await self.world.person(org, "若葉 誠", kind="guest", login="wakaba", password=PASSWORD)
        other = await self.world.organization("asahi", "あさひ町")
        await self.world.person(other, "山本 翼", role=ORGANIZATION_ADMIN, login="yamamoto", password=PASSWORD)
        takahashi, tanaka, sato = self.people.values()
        return {
            "password": PASSWORD,
            "people": {login: someone.id for login, someone in self.people.items()},
            "rooms": {
                "patrol": await self._patrol(takahashi, tanaka, sato),
                "sewer": await self._room(takahashi, "下水道 更新工事 3工区", "", tanaka, guest),
                "notice": await self._room(sato, "全庁のお知らせ", "", takahashi, tanaka, kind="announcement"),
                "quiet": await self._room(takahashi, "建設課 全体共有", "", tanaka),
            },
        }

    async def _staff(self, org: Org, login: str, name: str, department: str, post: str, position: int) -> Someone:
        # Only administrators make announcement rooms.
        role = ORGANIZATION_ADMIN if login == "sato" else None
        someone = await self.world.person(org, name, login=login, password=PASSWORD, role=role)

        async def appoint(tx: Tx) -> None:
            key = await departments.insert(tx, new_id(tx.now), org.id, None, login, department, position)
            await departments.appoint(tx, org.id, someone.actor.user_id, key, "main", post, 10, 0, None)
            if role is not None:
                await people.grant(tx, org.id, someone.actor.user_id, AUDITOR, 0)

        await self.storage.write(appoint)
        return someone

    async def _room(self, owner: Someone, name: str, topic: str, *members: Someone, kind: str = "private") -> str:
        wanted = {"kind": kind, "name": name, "topic": topic, "members": [member.id for member in members]}
        new = msgspec.convert(wanted, NewRoom)
        return await self.storage.write(lambda tx: rooms.create(tx, owner.actor, new))

    async def _patrol(self, takahashi: Someone, tanaka: Someone, sato: Someone) -> str:
        room = await self._room(
            takahashi, "道路パトロール 現場報告", "現場からの写真と対応の記録", tanaka, sato
        )  # fmt: skip
        for index in range(OLD_MESSAGES):
            author = (takahashi, tanaka)[index // 2 % 2]
            await self.world.post(author, room, Text(f"{_LINES[index % len(_LINES)]} ({index + 1}件目)"))
        asked = await self.world.post(sato, room, Text(f"<@user:{takahashi.id}> 現場の状況を教えてください。"))
        assert asked.id is not None
        for someone in (takahashi, tanaka):
            await self._react(someone, commands.React(ref=1, message=asked.id, key="承知しました", on=True))
        return room

    async def _react(self, someone: Someone, command: commands.React) -> None:
        await self.storage.write(lambda tx: changing.react(tx, someone.actor, command))


async def build(folder: Path) -> dict[str, Any]:
    async with running_server(folder) as server:
        return await Stage(World(server)).build()


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(asyncio.run(build(Path(sys.argv[1])))))
