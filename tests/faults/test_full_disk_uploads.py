"""A disk that fills up under an upload: said clearly, nothing told to be safe is lost, and it goes on once there is room."""

from __future__ import annotations

import os

import httpx2

from tests.support.server import running_server
from tests.support.world import World
from tests.unit.small_disk import resize, small_disk

SIZE = 40 << 20
TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


async def test_an_upload_waits_for_room() -> None:
    data = os.urandom(SIZE)
    with small_disk("32m") as disk:
        async with running_server(disk / "data") as server:
            world = World(server)
            org = await world.organization("midorino", "みどり野市")
            owner = await world.person(org, "高橋 健")
            room = await world.room(owner)
            async with server.client(owner.token) as http:
                begun = await http.post("/api/uploads", headers={**TUS, "Upload-Length": str(SIZE)})
                place = begun.headers["location"]
                first = await add(http, place, data, 0, 8 << 20)
                assert first.headers["upload-offset"] == str(8 << 20)
                refused = await add(http, place, data, 8 << 20, SIZE)
                assert (refused.status_code, refused.json()["error"]["code"]) == (507, 8002)
                state = (await http.get(place)).json()
                assert 8 << 20 <= state["offset"] < SIZE
                # Reads go on, and so does everything for which there is room.
                assert (await http.get(f"/api/rooms/{room}/messages")).status_code == 200
                resize(disk, "256m")
                last = await add(http, place, data, state["offset"], SIZE)
                assert last.status_code == 204, last.text
                attachment = (await http.get(place)).json()["attachment"]
                answer = await http.post("/api/attachments/addresses", json={"ids": [attachment["id"]]})
                fetched = await http.get(answer.json()["items"][0]["addresses"]["original"])
                assert fetched.content == data


async def add(http: httpx2.AsyncClient, place: str, data: bytes, offset: int, end: int) -> httpx2.Response:
    return await http.patch(place, content=data[offset:end], headers={**TUS, "Upload-Offset": str(offset)})
