"""Rights that end: in the middle of a request, with a membership, with an account (security.md, 4, 15 and 22)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2
import pytest
import pytest_asyncio

from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.domain.ids import new_id
from chat_server.ports import Tx
from chat_server.services import accounts, devices, rooms
from chat_server.services.authority import Operator
from chat_server.services.changing import bookmark
from chat_server.services.commands import Bookmark
from tests.protocol.test_http_permissions import fingerprint
from tests.support.api import Api, code_of
from tests.support.patience import DEADLINE
from tests.support.server import RunningServer, read_answer
from tests.support.world import Someone, World
from tests.unit.photo_samples import encoded, picture

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True

PHOTO: Final = encoded(picture(32, 24))
PASSWORD: Final = "みどりの町の合言葉です"
NEWCOMER: Final = {"login": "newcomer", "name": "新人 一", "reading": "しんじん はじめ"}


async def disabled(tx: Tx, who: Someone) -> None:
    await accounts.disable(tx, Operator(who.actor.org_id), who.id)


async def signed_out(tx: Tx, who: Someone) -> None:
    await devices.sign_out(tx, who.actor, who.actor.device)


async def demoted(tx: Tx, who: Someone) -> None:
    await accounts.withdraw(tx, Operator(who.actor.org_id), who.id, ORGANIZATION_ADMIN)


Revoke = Callable[[Tx, Someone], Awaitable[None]]
GONE: Final = [pytest.param(disabled, 6009, id="disabled"), pytest.param(signed_out, 1004, id="signed out")]
LESS: Final = [*GONE, pytest.param(demoted, 2008, id="demoted")]


@pytest_asyncio.fixture(loop_scope="module")
async def someone(world: World) -> Someone:
    """An administrator."""
    world.made += 1
    return await world.person(await world.organization(f"org{world.made}", "みどり野市"), role=ORGANIZATION_ADMIN)


@dataclass
class Begun:
    """A request that was let in, with half of its body on the way."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    rest: bytes

    async def finish(self) -> tuple[int, dict[str, Any]]:
        """Send the rest; answers the number of the error, or the status, and the body."""
        self.writer.write(self.rest)
        async with asyncio.timeout(DEADLINE):
            head, _, body = (await read_answer(self.reader)).partition(b"\r\n\r\n")
        answer = json.loads(body or b"{}")
        return answer.get("error", {}).get("code") or int(head.split(b" ", 2)[1]), answer


@contextlib.asynccontextmanager
async def begun(
    server: RunningServer, who: Someone, target: str, body: bytes, *lines: str, method: str = "POST"
) -> AsyncIterator[Begun]:
    """The server says 100 Continue when it has seen who asks and wants the body: from then on the door is behind."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.ports["lgwan"])
    head = [
        f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {who.token}",
        "Content-Type: application/json", f"Content-Length: {len(body)}", "Expect: 100-continue", *lines, "", "",
    ]  # fmt: skip
    try:
        writer.write("\r\n".join(head).encode())
        async with asyncio.timeout(DEADLINE):
            assert b" 100 " in await reader.readuntil(b"\r\n\r\n")
        half = len(body) // 2
        writer.write(body[:half])
        yield Begun(reader, writer, body[half:])
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def revoke(server: RunningServer, how: Revoke, who: Someone) -> list[Any]:
    """Take the right away; answers everything that is to stay as it is from here on."""
    await server.app.storage.write(lambda tx: how(tx, who))
    return await server.app.storage.read(fingerprint)


# While the body arrives


async def test_a_slow_body_is_taken_from_whoever_may_still_send_it(server: RunningServer, someone: Someone) -> None:
    async with begun(server, someone, "/api/people", json.dumps(NEWCOMER).encode()) as request:
        assert (await request.finish())[0] == 200


@pytest.mark.parametrize(("how", "number"), LESS)
async def test_an_act_is_not_done_for_whoever_lost_the_right_to_it(
    server: RunningServer, someone: Someone, how: Revoke, number: int
) -> None:
    async with begun(server, someone, "/api/people", json.dumps(NEWCOMER).encode()) as request:
        before = await revoke(server, how, someone)
        assert (await request.finish())[0] == number
    assert await server.app.storage.read(fingerprint) == before


@pytest.mark.parametrize(("how", "number"), GONE)
async def test_a_photo_of_somebody_gone_is_neither_decoded_nor_kept(
    server: RunningServer, someone: Someone, how: Revoke, number: int
) -> None:
    async with begun(server, someone, "/api/photos", PHOTO) as request:
        before = await revoke(server, how, someone)
        assert (await request.finish())[0] == number
    assert await server.app.storage.read(fingerprint) == before
    assert files_of(server, someone) == []


@pytest.mark.parametrize(("how", "number"), GONE)
async def test_a_call_that_only_reads_tells_nothing_to_somebody_gone(
    server: RunningServer, someone: Someone, how: Revoke, number: int
) -> None:
    async with server.client(someone.token) as client:
        photo = (await client.post("/api/photos", content=PHOTO)).json()["id"]
    async with begun(server, someone, "/api/attachments/addresses", json.dumps({"ids": [photo]}).encode()) as request:
        await revoke(server, how, someone)
        assert (await request.finish())[0] == number


@pytest.mark.parametrize(("how", "number"), LESS)
async def test_a_kept_answer_is_not_given_again_to_whoever_lost_the_right_to_it(
    server: RunningServer, someone: Someone, how: Revoke, number: int
) -> None:
    body, key = json.dumps(NEWCOMER).encode(), "Idempotency-Key: add-newcomer"
    async with begun(server, someone, "/api/people", body, key) as request:
        assert (await request.finish())[0] == 200
    async with begun(server, someone, "/api/people", body, key) as request:
        await revoke(server, how, someone)
        code, answer = await request.finish()
    assert (code, set(answer)) == (number, {"error"})


# Between the body and the act


def interrupt(monkeypatch: pytest.MonkeyPatch, slow: object, name: str, act: Callable[[], Awaitable[object]]) -> None:
    """`act` happens in the middle of the slow work `slow.name`, which then goes on."""
    real = getattr(slow, name)

    async def interrupted(*args: Any) -> Any:
        await act()
        return await real(*args)

    monkeypatch.setattr(slow, name, interrupted)


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "add-newcomer"}], ids=["no key", "under a key"])
@pytest.mark.parametrize(("how", "number"), LESS)
async def test_rights_are_those_of_the_transaction_of_the_act(
    server: RunningServer, someone: Someone, monkeypatch: pytest.MonkeyPatch, how: Revoke, number: int, key: Any
) -> None:
    """Lost while the newcomer's first password is hashed."""
    before: list[Any] = []

    async def lose() -> None:
        before.extend(await revoke(server, how, someone))

    interrupt(monkeypatch, server.app.passwords, "hash", lose)
    async with server.client(someone.token) as client:
        answer = await client.post("/api/people", json={**NEWCOMER, "password": PASSWORD}, headers=key)
    assert code_of(answer) == number
    assert await server.app.storage.read(fingerprint) == before


@pytest.mark.parametrize(("how", "number"), GONE)
async def test_a_photo_is_not_added_for_somebody_gone(
    server: RunningServer, someone: Someone, monkeypatch: pytest.MonkeyPatch, how: Revoke, number: int
) -> None:
    """Lost while it is decoded. Its bytes lie there without a row; the sweeper finds them."""
    before: list[Any] = []

    async def lose() -> None:
        before.extend(await revoke(server, how, someone))

    interrupt(monkeypatch, server.app.photos, "prepare", lose)
    async with server.client(someone.token) as client:
        assert code_of(await client.post("/api/photos", content=PHOTO)) == number
    assert await server.app.storage.read(fingerprint) == before


@pytest.mark.parametrize(("how", "number"), GONE)
async def test_a_password_is_not_changed_by_a_device_that_was_signed_out(
    server: RunningServer, world: World, monkeypatch: pytest.MonkeyPatch, how: Revoke, number: int
) -> None:
    """Lost while the new one is hashed: whoever found the phone does not lock its owner out."""
    world.made += 1
    org = await world.organization(f"org{world.made}", "みどり野市")
    person = await world.person(org, password=PASSWORD)

    async def password_hash() -> Any:
        row = await server.app.storage.read(
            lambda tx: tx.one("SELECT password_hash FROM users WHERE id = ?", person.actor.user_id)
        )
        return row and row[0]

    before = await password_hash()
    interrupt(monkeypatch, server.app.passwords, "hash", lambda: revoke(server, how, person))
    async with server.client(person.token) as client:
        answer = await client.put("/api/me/password", json={"old": PASSWORD, "new": "あたらしい町の合言葉"})
    assert code_of(answer) == number
    assert await password_hash() == before


# With a membership


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("get_room", 3001), ("list_members", 3001), ("list_messages", 3001), ("list_pins", 3001),
        ("list_room_bots", 3001),
        ("get_message", 4001), ("list_readers", 4001),
    ],
)  # fmt: skip
@pytest.mark.parametrize("removed", [True, False], ids=["removed", "left"])
async def test_a_room_that_was_lost_does_not_exist(
    server: RunningServer, world: World, document: Mapping[str, Any], call: str, code: int, removed: bool
) -> None:
    """CVE-2026-2458: neither what was said there nor that it is there, not even one's own words."""
    world.made += 1
    org = await world.organization(f"org{world.made}", "みどり野市")
    owner, member = await world.person(org), await world.person(org, "田中 美咲")
    room = await world.room(owner, member)
    said = await world.post(member, room)
    path = {"room": room, "message": str(said.id)}
    api = Api(server.client(member.token), document)
    async with api.client:
        assert (await api.call(call, path)).status_code == 200
        by, whom = (owner, member) if removed else (member, member)
        await server.app.storage.write(lambda tx: rooms.remove(tx, by.actor, room, whom.id))
        lost = await api.call(call, path)
        unknown = await api.call(call, {"room": new_id(1), "message": new_id(1)})
    assert (lost.status_code, code_of(lost)) == (404, code)
    assert lost.json() == unknown.json()


# With an account


async def test_who_is_given_a_login_again_gets_nothing_of_its_last_holder(
    server: RunningServer, world: World, document: Mapping[str, Any]
) -> None:
    """CVE-2021-32689. Rooms, messages, bookmarks and devices belong to the account, not to its login."""
    world.made += 1
    org = await world.organization(f"org{world.made}", "みどり野市")
    chief = await world.person(org, role=ORGANIZATION_ADMIN)
    first = await world.person(org, "高橋 健", login="takahashi", password=PASSWORD)
    room = await world.room(chief, first)
    direct = await server.app.storage.write(lambda tx: rooms.direct(tx, chief.actor, first.id))
    said = [await world.post(author, room) for author in (chief, first)]
    mark = Bookmark(ref=1, message=str(said[0].id), on=True)
    await server.app.storage.write(lambda tx: bookmark(tx, first.actor, mark))

    async with server.client(chief.token) as client:
        await client.patch(f"/api/people/{first.id}", json={"disabled": True})
        new = {"login": "takahashi", "name": "高橋 実", "reading": "たかはし みのる", "password": PASSWORD}
        second = (await client.post("/api/people", json=new)).json()["id"]
    assert second != first.id
    api = Api(await signed_in(server, org.code, "takahashi"), document)
    async with api.client:
        assert (await api.call("get_me")).json()["user"]["id"] == second
        assert [one["kind"] for one in (await api.call("list_rooms")).json()] == ["memo"]
        assert (await api.call("list_bookmarks")).json()["items"] == []
        assert [one["current"] for one in (await api.call("list_devices")).json()["items"]] == [True]
        for lost in (room, direct):
            assert code_of(await api.call("list_messages", {"room": lost})) == 3001
        for message in said:
            assert code_of(await api.call("get_message", {"message": str(message.id)})) == 4001
        again = await api.call("open_direct_room", json={"user": chief.id})
        assert again.json()["id"] != direct
        assert (await api.call("list_messages", {"room": again.json()["id"]})).json()["messages"] == []


async def signed_in(server: RunningServer, organization: str, login: str) -> httpx2.AsyncClient:
    async with server.client() as client:
        flow = (await client.post("/api/sign-in", json={"organization": organization, "login": login})).json()["flow"]
        done = await client.post("/api/sign-in/password", json={"flow": flow, "password": PASSWORD})
    return server.client(done.json()["session"]["access_token"])


def files_of(server: RunningServer, who: Someone) -> list[Any]:
    blobs = server.app.settings.folder / "blobs" / str(who.actor.org_id)
    return [path for path in blobs.rglob("*") if path.is_file()]
