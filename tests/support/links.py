"""Somebody outside who was sent an upload link, speaking tus by hand, and the staff who sent it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from chat_server.domain import limits
from tests.support.api import Api
from tests.support.uploads import TUS, Scene, described
from tests.support.world import Someone

Json = dict[str, Any]


@dataclass
class Staff:
    """One of a room, asking for files."""

    scene: Scene
    api: Api

    async def ask(self, room: str | None = None, **wanted: Any) -> Json:
        answer = await self.try_to_ask(room, **wanted)
        assert answer.status_code == 201, answer.text
        link: Json = answer.json()
        return link

    async def try_to_ask(self, room: str | None = None, **wanted: Any) -> httpx2.Response:
        now = self.scene.server.clock.now()
        body = {"recipient": "青葉 一郎", "purpose": "橋の写真", "ends": now + 7 * limits.DAY} | wanted
        return await self.api.call("ask_for_files", {"room": room or self.scene.room}, json=body)

    async def address(self, link: Json) -> str:
        answer = await self.api.call("give_link_address", {"link": link["id"]})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    async def given(self, **wanted: Any) -> str:
        """The token of a new link."""
        return await self.address(await self.ask(**wanted))

    async def now(self, link: Json) -> Json:
        found: Json = (await self.api.call("read_upload_link", {"link": link["id"]})).json()
        return found


def staff(scene: Scene, who: Someone, zone: str = "lgwan") -> Staff:
    """Its client is to be closed by whoever asked."""
    return Staff(scene, Api(scene.server.client(who.token, zone), scene.document))


@dataclass
class Outside:
    """Somebody without an account. Every answer is held against the document."""

    api: Api
    headers: dict[str, str]
    visit: str = ""

    async def look(self, token: str) -> httpx2.Response:
        return await self.api.call("look_at_link", headers={"Authorization": f"Link {token}"})

    async def begin(self, token: str, **body: Any) -> httpx2.Response:
        answer = await self.api.call("begin_visit", headers={"Authorization": f"Link {token}"}, json=body)
        if answer.status_code == 201:
            self.go_on(str(answer.json()["visit"]))
        return answer

    def go_on(self, visit: str) -> None:
        self.visit = visit
        self.headers = {"Authorization": f"Visit {visit}"}

    async def receipt(self) -> httpx2.Response:
        return await self.api.call("read_visit", headers=self.headers)

    async def deliver(self) -> httpx2.Response:
        return await self.api.call("deliver", headers=self.headers)

    async def announce(self, size: int, name: str = "橋.jpg") -> httpx2.Response:
        more = {**TUS, "Upload-Length": str(size), "Upload-Metadata": described(name)}
        return await self.api.call("begin_file", headers={**self.headers, **more})

    async def place(self, size: int, name: str = "橋.jpg") -> str:
        """The id of a file that was announced."""
        answer = await self.announce(size, name)
        assert answer.status_code == 201, answer.text
        return str(answer.headers["location"].rpartition("/")[2])

    async def add(self, file: str, offset: int, data: bytes, **headers: str) -> httpx2.Response:
        more = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        more |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.api.call("add_to_file", {"file": file}, headers={**self.headers, **more}, content=data)

    async def offset(self, file: str) -> httpx2.Response:
        return await self.api.call("see_file", {"file": file}, headers={**self.headers, **TUS})

    async def cancel(self, file: str) -> httpx2.Response:
        return await self.api.call("cancel_file", {"file": file}, headers={**self.headers, **TUS})

    async def hand_in(self, data: bytes, name: str = "橋.jpg") -> str:
        file = await self.place(len(data), name)
        answer = await self.add(file, 0, data)
        assert answer.status_code == 204, answer.text
        return file


def outside(scene: Scene, zone: str = "internet") -> Outside:
    """Its client is to be closed by whoever asked."""
    document: Mapping[str, Any] = scene.document
    return Outside(Api(scene.server.client(zone=zone), document), {})
