"""Somebody who uploads by tus, and a room with people around it."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from chat_server.services.blocks import Files
from tests.support.api import Api
from tests.support.server import RunningServer
from tests.support.world import Org, Someone, World

TUS = {"Tus-Resumable": "1.0.0"}
PDF = b"%PDF-1.4\n" + b"1 0 obj<</Type/Catalog>>endobj\n" * 40 + b"%%EOF\n"


def described(name: str, **more: str) -> str:
    return ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in {"filename": name, **more}.items())


def checksum(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm} {b64encode(hashlib.new(algorithm, data).digest()).decode()}"


@dataclass
class Sender:
    """Somebody who uploads, speaking tus by hand."""

    client: httpx2.AsyncClient

    async def begin(self, size: int, name: str = "図面.pdf", **more: str) -> str:
        answer = await self.ask("POST", "/api/uploads", size=size, metadata=described(name, **more))
        assert answer.status_code == 201, answer.text
        return str(answer.headers["location"])

    async def ask(self, method: str, place: str, *, size: int | None = None, metadata: str | None = None) -> Any:
        headers = dict(TUS)
        if size is not None:
            headers["Upload-Length"] = str(size)
        if metadata is not None:
            headers["Upload-Metadata"] = metadata
        return await self.client.request(method, place, headers=headers)

    async def add(self, place: str, offset: int, data: bytes, **headers: str) -> Any:
        return await self.client.patch(
            place,
            content=data,
            headers={
                **TUS,
                "Upload-Offset": str(offset),
                "Content-Type": "application/offset+octet-stream",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )

    async def whole(self, data: bytes, name: str = "図面.pdf", **more: str) -> dict[str, Any]:
        place = await self.begin(len(data), name, **more)
        if data:
            answer = await self.add(place, 0, data)
            assert answer.status_code == 204, answer.text
        attachment: dict[str, Any] = (await self.client.get(place)).json()["attachment"]
        return attachment


@dataclass
class Scene:
    """A room of an organization, and people around it; `stranger` belongs to another one."""

    world: World
    document: Mapping[str, Any]
    org: Org
    owner: Someone
    member: Someone
    stranger: Someone
    room: str

    @property
    def server(self) -> RunningServer:
        return self.world.server

    def token_now(self, who: Someone, zone: str = "lgwan") -> str:
        """A new one of the same device's: a clock that went ahead has ended the first."""
        return self.server.app.tokens.issue(who.id, who.actor.device, self.org.public_id, zone)[0]

    def sender(self, who: Someone, zone: str = "lgwan") -> Sender:
        return Sender(self.server.client(who.token, zone))

    async def upload(self, who: Someone, data: bytes = PDF, name: str = "図面.pdf", zone: str = "lgwan") -> str:
        sender = self.sender(who, zone)
        async with sender.client:
            return str((await sender.whole(data, name))["id"])

    async def sent(self, who: Someone, data: bytes = PDF, name: str = "図面.pdf", zone: str = "lgwan") -> str:
        file = await self.upload(who, data, name, zone)
        await self.world.post(who, self.room, Files((file,)))
        return file

    async def item(self, who: Someone, file: str, zone: str = "lgwan") -> dict[str, Any] | None:
        api = Api(self.server.client(who.token, zone), self.document)
        async with api.client:
            answer = await api.call("give_addresses", json={"ids": [file]})
        items: list[dict[str, Any]] = answer.json()["items"]
        return items[0] if items else None

    async def original(self, who: Someone, file: str) -> str:
        item = await self.item(who, file)
        assert item is not None
        return str(item["addresses"]["original"])

    async def get(self, address: str, zone: str = "lgwan", **headers: str) -> httpx2.Response:
        async with self.server.client(zone=zone) as client:
            return await client.get(address, headers=headers)
