"""What aioapns 4.0 does by itself, against the same fake: why providers/apns_connection.py stands in for its data path.

A test here that turns red says that the library was mended: then see what of ours can go.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aioapns import APNs, NotificationRequest, PushType
from aioapns.common import NotificationResult
from aioapns.connection import APNsTLSClientProtocol

from tests.support.certificates import Authority
from tests.support.patience import DEADLINE
from tests.support.push.apns import KEY_ID, TEAM, TOPIC, FakeApns, fake_apns
from tests.support.push.parcels import APNS_TOKEN
from tests.support.push.script import HANG, Behaviour
from tests.unit.test_push_apns import trusting

PATIENCE = 0.7


@contextlib.asynccontextmanager
async def library(folder: Path) -> AsyncIterator[tuple[FakeApns, APNs]]:
    authority = Authority(folder)
    async with fake_apns(authority.server("localhost")) as fake:
        fake.strict = False
        client = APNs(
            key=fake.key, key_id=KEY_ID, team_id=TEAM, topic=TOPIC, ssl_context=trusting(authority),
            max_connection_attempts=1,
        )  # fmt: skip

        class Local(APNsTLSClientProtocol):
            APNS_SERVER, APNS_PORT = "localhost", fake.port

        client.pool.protocol_class = Local
        try:
            yield fake, client
        finally:
            client.pool.close()
            async with asyncio.timeout(DEADLINE):
                while fake.connections:  # noqa: ASYNC110 (the library does not say when its lines are closed)
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)  # its own ends of them: nothing hangs on it but a warning
        assert fake.book.wrong == []


async def push(client: APNs, token: str = APNS_TOKEN) -> NotificationResult:
    request = NotificationRequest(
        token, {"aps": {"badge": 1}}, time_to_live=60, priority=10, collapse_key="r", push_type=PushType.ALERT
    )
    return await client.send_notification(request)


async def test_it_pushes(tmp_path: Path) -> None:
    async with library(tmp_path) as (fake, client):
        assert (await push(client)).is_successful
        assert fake.made == 1


@pytest.mark.parametrize("behaviour", [Behaviour(status=500), Behaviour("reset")])
async def test_an_answer_without_a_body_and_a_stream_that_ends_are_never_answered(
    tmp_path: Path, behaviour: Behaviour
) -> None:
    async with library(tmp_path) as (fake, client):
        fake.script.once.append(behaviour)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await push(client)


async def test_it_has_no_bound_of_its_own(tmp_path: Path) -> None:
    async with library(tmp_path) as (fake, client):
        fake.script.once.append(HANG)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await push(client)


async def test_a_late_answer_to_one_that_gave_up_takes_the_others_along(tmp_path: Path) -> None:
    unhandled: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    async with library(tmp_path) as (fake, client):
        fake.script.default = HANG
        impatient = asyncio.create_task(push(client, "a" * 64))
        other = asyncio.create_task(push(client, "b" * 64))
        async with asyncio.timeout(DEADLINE):
            await fake.book.saw(2)
        impatient.cancel()
        await asyncio.gather(impatient, return_exceptions=True)
        (connection,) = client.pool.connections
        (gave_up,) = [id_ for id_, future in connection.requests.items() if future.cancelled()]
        (peer,) = fake.connections
        peer.behave(1, {"apns-id": gave_up}, Behaviour())
        await asyncio.gather(other, return_exceptions=True)
        assert other.exception() is not None
        assert any("InvalidStateError" in repr(context.get("exception")) for context in unhandled)


async def test_64_kb_of_refusals_are_the_end(tmp_path: Path) -> None:
    """It reads bodies and never gives back the room that they took."""
    async with library(tmp_path) as (fake, client):
        fake.script.default = Behaviour(status=400, reason="x" * 8_000)
        for _ in range(8):
            async with asyncio.timeout(DEADLINE):
                await push(client)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await push(client)
