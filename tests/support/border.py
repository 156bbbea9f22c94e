"""A file in the closed network that leaves its room with an approval, for tests of both sides of the border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chat_server.storage.queries import organizations
from tests.support.api import Api, code_of
from tests.support.uploads import Scene
from tests.support.world import Someone

WHY = "現地で寸法を確かめるため"


@dataclass
class Border:
    """A file in the closed network that leaves its room with an approval, and its member with a phone on the Internet."""

    scene: Scene
    phone: Someone
    file: str

    async def call(self, who: Someone, name: str, path: dict[str, str], json: Any = None) -> Any:
        zone = who.actor.zone
        token = self.scene.token_now(who, zone) if self.scene.server.clock.ahead else who.token
        api = Api(self.scene.server.client(token, zone), self.scene.document)
        async with api.client:
            return await (api.call(name, path) if json is None else api.call(name, path, json=json))

    async def ask(self, who: Someone | None = None, file: str = "", reason: str = WHY) -> Any:
        path = {"attachment": file or self.file}
        return await self.call(who or self.phone, "ask_to_take_out", path, {"reason": reason})

    async def state(self, who: Someone | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.call(who or self.phone, "read_takeout", {"attachment": self.file})).json()
        return answer

    async def waiting(self, who: Someone) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self.call(who, "list_takeouts", {})).json()["items"]
        return items

    async def decide(self, who: Someone, takeout: str, how: str = "approve", reason: str = "") -> Any:
        return await self.call(who, f"{how}_takeout", {"takeout": takeout}, {"reason": reason})

    async def asked(self) -> str:
        """One that waits; its id, as the owner sees it."""
        assert code_of(await self.ask()) == 200
        [one] = await self.waiting(self.scene.owner)
        return str(one["id"])

    async def addresses(self, who: Someone | None = None, file: str = "") -> dict[str, Any]:
        who = who or self.phone
        answer = await self.call(who, "give_addresses", {}, {"ids": [file or self.file]})
        [item] = answer.json()["items"]
        found: dict[str, Any] = item
        return found

    async def open(self, address: str) -> int:
        return code_of(await self.scene.get(address, "internet"))

    async def outflow(self, value: str) -> None:
        room = self.scene.room
        await self.scene.server.app.storage.write(
            lambda tx: tx.run("UPDATE rooms SET outflow = ? WHERE public_id = ?", value, room)
        )

    async def rule(self, value: str) -> None:
        org, rules = self.scene.org.id, {"approve_takeouts": value}
        await self.scene.server.app.storage.write(lambda tx: organizations.set_own_rules(tx, org, rules))

    async def said(self) -> list[dict[str, Any]]:
        answer = await self.call(self.scene.member, "list_messages", {"room": self.scene.room})
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages


async def message_of(border: Border, file: str) -> str:
    row = await border.scene.server.app.storage.read(
        lambda reader: reader.one(
            "SELECT m.public_id FROM messages m JOIN attachments a ON a.message_id = m.id WHERE a.public_id = ?", file
        )
    )
    assert row is not None
    return str(row[0])


async def let_out(border: Border, room: str, value: str) -> None:
    await border.scene.server.app.storage.write(
        lambda tx: tx.run("UPDATE rooms SET outflow = ? WHERE public_id = ?", value, room)
    )


async def forwarded(border: Border, who: Someone, message: str, room: str) -> dict[str, str]:
    """The message that it became, and its copy of the file."""
    border.scene.world.made += 1
    sent = {"client_msg_id": f"forward-{border.scene.world.made:08d}", "forward": message}
    answer = await border.call(who, "send_message", {"room": room}, sent)
    assert code_of(answer) == 200, answer.text
    made = str(answer.json()["id"])
    row = await border.scene.server.app.storage.read(
        lambda reader: reader.one(
            "SELECT a.public_id FROM attachments a JOIN messages m ON m.id = a.message_id WHERE m.public_id = ?", made
        )
    )
    assert row is not None
    return {"message": made, "attachment": str(row[0])}
