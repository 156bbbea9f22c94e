"""A disk that fills up, and one that fails, under the ledger of pushes: nothing is half done, nothing is lost, and the talk goes
on meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chat_server.fuse import Fuse
from chat_server.services.blocks import Text
from mobile_api.ledger.port import Order
from mobile_api.ledger.sqlite import FILE, SqliteLedger
from tests.support.failing import failing
from tests.support.patience import DEADLINE
from tests.support.push.lines import LineProvider, line_server
from tests.support.push.orders import NOW, handed, order
from tests.support.push.phones import Phone, give_phone
from tests.support.server import running_server
from tests.support.world import World
from tests.unit.small_disk import resize, small_disk

DEVICES = 200


def rings_of(message: int) -> list[Order]:
    return [order(device, message, room=message) for device in range(DEVICES)]


async def test_what_does_not_fit_is_not_half_there_and_comes_later() -> None:
    with small_disk("600k") as disk:
        fuse = Fuse()
        ledger = await SqliteLedger.open(disk, fuse)
        await ledger.belong("now")
        kept, message = 0, 0

        async def fill() -> None:
            nonlocal kept, message
            while True:
                message += 1
                await ledger.hand_over(handed(message, room=message), rings_of(message), NOW)
                kept += DEVICES

        with pytest.raises(OSError, match="full"):
            await fill()
        assert (await ledger.waiting())[0] == kept
        assert await ledger.decided(message, 100) is None
        resize(disk, "8m")
        assert await ledger.hand_over(handed(message, room=message), rings_of(message), NOW)
        assert (await ledger.waiting())[0] == kept + DEVICES
        assert not fuse.blown
        await ledger.close()


async def test_a_disk_that_fails_ends_it_for_good(tmp_path: Path) -> None:
    """As everywhere: what was to be kept is not tried again on it (chat_server/fuse.py). A new process finds what was kept."""
    async with keeper(tmp_path) as ask:
        assert await ask("1") == "kept"
        async with failing(ask.process, "fdatasync", tmp_path / "strace.log", tmp_path / f"{FILE}-wal"):
            assert await ask("2") == "refused 9002"
        assert await ask("3") == "refused 9002", "the disk is well again, and nobody knows what it holds"
        assert await ask("") == "refused 9002"
    async with keeper(tmp_path) as ask:
        assert await ask("") in ("1", "2"), "of what was refused nobody knows"
        assert await ask("4") == "kept"


@dataclass
class Asked:
    process: asyncio.subprocess.Process

    async def __call__(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line.encode() + b"\n")
        async with asyncio.timeout(DEADLINE):
            return (await self.process.stdout.readline()).decode().strip()


@contextlib.asynccontextmanager
async def keeper(folder: Path) -> AsyncIterator[Asked]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.push.keeper", str(folder), stdin=PIPE, stdout=PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(DEADLINE):
            assert await process.stdout.readline() == b"ready\n"
        yield Asked(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_people_go_on_talking_while_the_ledger_is_held_and_it_rings_afterwards(tmp_path: Path) -> None:
    async with line_server() as provider:
        providers: Any = {"fcm": LineProvider("fcm", provider.port)}
        async with running_server(tmp_path, providers=providers) as server:
            world = World(server)
            org = await world.organization("midorino", "みどり野市")
            author, reader = await world.person(org), await world.person(org)
            await give_phone(world, reader, Phone("reader"))
            room = await world.room(author, reader)
            holder = sqlite3.connect(tmp_path / FILE, isolation_level=None)
            holder.execute("BEGIN EXCLUSIVE")
            async with asyncio.timeout(20):  # less than twelve times the two seconds for which the ledger is waited for
                for _ in range(12):
                    await world.post(author, room, Text(f"<@user:{reader.id}> 確認してください"))
                async with server.client() as client:
                    assert (await client.get("/metrics")).status_code == 200
            assert provider.received == []
            holder.execute("ROLLBACK")
            holder.close()
            await provider.until(1)
