"""A real server's data: two people with passwords and a room of both, made before the server runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from chat_client import Credentials
from tests.support.server import running_server
from tests.support.world import Someone, World

PASSWORD = "tsukareta-neko-42"


@dataclass(frozen=True)
class Town:
    """Two people of one municipality, and their room."""

    takahashi: Credentials
    tanaka: Credentials
    tanaka_herself: Someone
    """for what is made past the protocol"""
    room: str


async def build(world: World) -> Town:
    """In the data of a running server."""
    org = await world.organization("midorino", "みどり野市")
    takahashi = await world.person(org, "高橋 健", login="takahashi", password=PASSWORD)
    tanaka = await world.person(org, "田中 美咲", login="tanaka", password=PASSWORD)
    room = await world.room(takahashi, tanaka)
    first, second = (Credentials("midorino", login, PASSWORD) for login in ("takahashi", "tanaka"))
    return Town(first, second, tanaka, room)


async def built(folder: Path) -> Town:
    """In a data folder that nobody serves yet."""
    async with running_server(folder) as server:
        return await build(World(server))
