"""A data folder with a room and three people in it, served by one real process after another."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
from pathlib import Path
from typing import Any

import httpx2
from PIL import Image

from chat_server.app import App
from chat_server.config import load
from chat_server.ports import Tx
from chat_server.services import rooms, sessions
from tests.support.engines import database_of
from tests.support.patience import DEADLINE
from tests.support.peer import Peer
from tests.support.people import add_organization, add_person
from tests.support.ports import free_port


class Server:
    """One data folder, served again and again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()

    async def _opened(self) -> App:
        return await App.open(load(environment={**self._environment, "RENRAKU_PORT": "0"}), workers=False)

    @property
    def _environment(self) -> dict[str, str]:
        return {"RENRAKU_DATA": str(self.folder), "RENRAKU_DATABASE": database_of(self.folder)}

    async def sign_in_again(self) -> None:
        """Everybody, on a new device, while nobody serves the folder: their sessions have ended."""
        app = await self._opened()

        async def begin(tx: Tx) -> list[sessions.Granted]:
            rows = await tx.all(
                "SELECT u.id, u.org_id, u.public_id, o.public_id FROM users u JOIN organizations o ON o.id = u.org_id"
                " ORDER BY u.id"
            )
            return [
                await sessions.begin(
                    tx, user_id=user_id, org_id=org_id, user=user, org=org, ends_at=None,
                    device_name="テスト端末", zone="lgwan", address="127.0.0.1",
                )
                for user_id, org_id, user, org in rows
            ]  # fmt: skip

        self.tokens = [granted.session(app.tokens).access_token for granted in await app.storage.write(begin)]
        await app.close()

    async def prepare(self) -> None:
        """Three people in a room, with tokens that a test can hold on to."""
        app = await self._opened()
        org_id = await add_organization(app.storage)
        people = [await add_person(app.storage, org_id, f"person{i}") for i in range(3)]
        org = await app.storage.read(lambda tx: tx.one("SELECT public_id FROM organizations"))
        assert org is not None
        self.people = [person.id for person in people]
        self.tokens = [app.tokens.issue(p.id, p.device, org[0], p.zone)[0] for p in people]
        new = rooms.NewRoom(kind="private", name="道路", members=tuple(p.id for p in people[1:]))
        self.room = await app.storage.write(lambda tx: rooms.create(tx, people[0], new))
        await app.close()

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chat_server", "serve",
            env={**os.environ, **self._environment, "RENRAKU_PORT": str(self.port)},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert self.process.stdout is not None
        async with asyncio.timeout(DEADLINE):
            ready = (await self.process.stdout.readline()).decode()
        self.port = int(ready.split("127.0.0.1:")[1].split("/")[0])

    async def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        await self.process.communicate()

    def http(self, number: int = 0) -> httpx2.AsyncClient:
        """Calls in the name of one of the three."""
        return httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=DEADLINE,
            headers={"Authorization": f"Bearer {self.tokens[number]}"},
        )  # fmt: skip


async def whole_room(server: Server) -> list[dict[str, Any]]:
    """Every message, by pages."""
    async with server.http() as http:
        found: list[dict[str, Any]] = []
        while True:
            query = f"&before={found[0]['seq']}" if found else ""
            page = (await http.get(f"/api/rooms/{server.room}/messages?limit=200{query}")).json()
            found = page["messages"] + found
            if page["first"]:
                return found


async def whole_stream(server: Server) -> list[dict[str, Any]]:
    """Every event of the room, pulled from its beginning to its head."""
    peer = await Peer.live(server.port, server.tokens[0])
    events: list[dict[str, Any]] = []
    page: dict[str, Any] = {"head": 1}
    while len(events) < page["head"]:
        page = await peer.ask("pull", room=server.room, after=events[-1]["seq"] if events else 0, limit=500)
        assert page["events"], page
        events += page["events"]
    await peer.close()
    return events


def photo(color: int) -> bytes:
    """A small JPEG, another one for every colour (0–255)."""
    image = io.BytesIO()
    Image.new("RGB", (320, 240), (color, 120, 90)).save(image, "JPEG")
    return image.getvalue()
