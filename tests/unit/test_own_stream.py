"""The own stream does not grow for ever, and no client can tell that it was trimmed."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat_server.clock import SystemClock
from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.ports import Reader, Tx
from chat_server.services import own_stream, pages, streams
from chat_server.workers.sweeper import Sweeper
from tests.support.engines import open_storage
from tests.support.people import add_people

EVENTS = {"reader": 3_210, "quiet": limits.REPLAY_EVENTS + own_stream.STEP - 1, "new": 0}


@pytest.mark.asyncio
async def test_what_is_swept_could_not_have_been_replayed(tmp_path: Path) -> None:
    storage = await open_storage(tmp_path, SystemClock())
    try:
        people = dict(zip(EVENTS, await add_people(storage, len(EVENTS)), strict=True))

        async def read_much(tx: Tx) -> None:
            for name, number in EVENTS.items():
                for seq in range(number):
                    body = {"room": "0" * 26, "upto": seq}
                    await own_stream.append(tx, people[name].user_id, people[name].org_id, "read", body)

        async def states(tx: Reader) -> dict[str, list[str]]:
            """What `resume` answers to a client at every position there could be."""
            return {
                name: [(await streams.plan(tx, people[name], at, {}, same_epoch=True)).me[1] for at in range(last + 2)]
                for name, last in EVENTS.items()
            }

        async def replayed(tx: Reader, who: Actor, after: int) -> list[int]:
            found: list[int] = []
            while page := (await pages.own_page(tx, who, (found or [after])[-1], limits.PAGE_EVENTS_MAX)).events:
                found += [event["seq"] for event in page]
            return found

        async def kept(tx: Reader) -> dict[int, int]:
            return {
                row[0]: row[1] for row in await tx.all("SELECT user_id, count(*) FROM user_events GROUP BY user_id")
            }

        await storage.write(read_much)
        before = await storage.read(states)
        await Sweeper(storage).sweep()
        rows = await storage.read(kept)
        assert rows[people["reader"].user_id] == EVENTS["reader"] - 4 * own_stream.STEP
        assert rows[people["quiet"].user_id] == EVENTS["quiet"]
        assert await storage.read(states) == before

        reader, last = people["reader"], EVENTS["reader"]
        oldest = before["reader"].index("replay")
        assert oldest == last - limits.REPLAY_EVENTS
        assert await storage.read(lambda tx: replayed(tx, reader, oldest)) == list(range(oldest + 1, last + 1))
        assert (
            await storage.write(lambda tx: own_stream.append(tx, reader.user_id, reader.org_id, "read", {})) == last + 1
        )
    finally:
        await storage.close()
