"""The line between the sides is down for an hour: nothing is lost, nobody is rung twice, and what waited rings as soon as it stands.

The hour is the clock's of both sides, which the test moves on; the line itself is a real one.
"""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest

from chat_server.domain import limits
from chat_server.services.blocks import Text
from chat_server.storage.queries import messages
from mobile_api.providers import vapid
from mobile_api.providers.port import Outcome
from mobile_api.push import judging
from mobile_api.relay import client, keys, queue, serving
from tests.support.cutting_proxy import CuttingProxy
from tests.support.push.phones import Phone, give_phone
from tests.support.push.relay import closed_side, relay_here
from tests.support.push.script import ACCEPT, Behaviour
from tests.support.push.town import town
from tests.support.server import RunningServer, running_server
from tests.support.world import World

HOUR = limits.HOUR
TIMEOUT = 30


async def tries(server: RunningServer, message: str, user: int) -> tuple[int, str, int | None]:
    """Of the one push: how many there were, how it stands, and when it is due."""
    app = server.app
    assert app.ledger is not None
    stored = await app.storage.read(lambda reader: messages.by_public_id(reader, message))
    assert stored is not None
    found = await app.ledger.decided(stored.id, user)
    if found is None or not found.entries:
        return 0, "", None
    (entry,) = found.entries
    return entry.tries, entry.state, entry.due_at


@pytest.mark.timeout(120)
async def test_the_line_is_down_for_an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "UP_SECONDS", 0.05)
    monkeypatch.setattr(client, "PAUSES", (0.05,))
    async with (
        town(tmp_path) as found,
        relay_here(tmp_path / "r", found) as (port, _),
        CuttingProxy("127.0.0.1", port) as line,
        closed_side(found, tmp_path / "r" / keys.CLOSED, line.port) as providers,
        running_server(tmp_path / "data", providers=providers) as server,
    ):
        world = World(server)
        org = await world.organization("midorino", "みどり野市")
        author, reader = await world.person(org), await world.person(org)
        await give_phone(world, reader, Phone(found.name(1), platform="apns"))
        room = await world.room(author, reader)
        await line.refuse()
        ack = await world.post(author, room, Text(f"<@user:{reader.id}> 確認してください"))
        assert ack.id is not None
        begun, seen = server.clock.now(), 0
        pushing = server.app.pushing
        assert pushing is not None
        async with asyncio.timeout(TIMEOUT):
            # from try to try, as the server itself sets them
            while True:
                number, state, due = await tries(server, ack.id, reader.actor.user_id)
                if state == "waiting" and due is not None and number > seen:
                    seen = number
                    if server.clock.now() >= begun + HOUR:
                        break
                    server.clock.ahead += max(0, due - server.clock.now())
                    pushing.engine.wake()
                await asyncio.sleep(0.01)
        assert found.book("apns").requests == 0
        assert 10 < number < judging.TRIES / 4
        await line.accept()
        async with asyncio.timeout(TIMEOUT):
            await found.book("apns").saw(1)  # by no clock of ours: it would have waited ten minutes more
            while (await tries(server, ack.id, reader.actor.user_id))[1] != "accepted":  # noqa: ASYNC110 - rows tell nobody
                await asyncio.sleep(0.01)
        assert server.clock.now() < due
        assert len(found.book("apns").got) == 1


@pytest.mark.timeout(120)
async def test_what_the_relay_had_goes_out_in_that_hour_and_its_answer_is_fetched_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = 0
    monkeypatch.setattr(client, "PAUSES", (0.05,))
    real = serving._now
    monkeypatch.setattr(serving, "_now", lambda: real() + ahead)
    async with (
        town(tmp_path) as found,
        relay_here(tmp_path / "r", found) as (port, relay),
        CuttingProxy("127.0.0.1", port) as line,
        closed_side(found, tmp_path / "r" / keys.CLOSED, line.port) as providers,
    ):
        book, apple = found.book("apns"), found.script("apns")
        sent = found.parcel("apns", expires=real() + limits.PUSH_LIVES)
        down = asyncio.Event()
        found.apns.before = down.wait
        sending = asyncio.create_task(providers["apns"].send(sent))
        async with asyncio.timeout(TIMEOUT):
            await book.saw(1)
            apple.default = Behaviour(status=503)
            await line.refuse()
            line.drop()
            assert (await sending).outcome is Outcome.UNKNOWN
            while relay._lines:  # noqa: ASYNC110 - it tells the log alone
                await asyncio.sleep(0.01)
            down.set()
            for tried in itertools.count(1):
                await book.saw(tried)
                if book.got:
                    break
                while (due := relay._queue.due()) is None:  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0.01)
                if ahead >= HOUR - serving.PAUSES[-1] * limits.SECOND:
                    apple.default = ACCEPT
                ahead = max(ahead, due - real())
                relay._work.set()
            assert tried > 10
            assert ahead >= HOUR - serving.PAUSES[-1] * limits.SECOND
            await line.accept()
            while (answer := await providers["apns"].send(sent)).outcome is not Outcome.ACCEPTED:
                assert answer.outcome in (Outcome.LATER, Outcome.UNKNOWN), answer
                await asyncio.sleep(0.05)
        assert [taken.receipt for taken in book.got] == [answer.receipt]


def test_nothing_ends_within_that_hour() -> None:
    """What holds for a time holds for longer."""
    assert limits.PUSH_LIVES > HOUR
    assert (vapid.LIVES - vapid.RENEWED) * limits.SECOND > HOUR, "a signature that was handed over holds"
    assert queue.UNFETCHED > HOUR
    assert client.PAUSES[-1] < 60, "and then it is dialled soon"
    doublings = int(judging.LONGEST / judging.FIRST).bit_length()
    fewest = doublings * judging.FIRST + (judging.TRIES - doublings) * judging.LONGEST / 2
    assert fewest * limits.SECOND > limits.PUSH_LIVES, "it is given up for its time, not for its tries"
