"""予約送信: sent once, at its time, with the rights of then; its author's alone until it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from chat_server.domain.errors import ROOM_ARCHIVED
from chat_server.domain.limits import DAY, HOUR, MINUTE, SCHEDULED, UNSENT_KEPT
from chat_server.services import changing, leftovers, rooms, scheduling
from chat_server.services.commands import Redact
from chat_server.services.rooms import RoomChange
from chat_server.workers.scheduled import ScheduledWorker
from tests.support.peer import Peer, text
from tests.support.uploads import Scene
from tests.support.world import Someone
from tests.unit.photo_samples import encoded, picture

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True
KEY = b"k" * 32


async def call(scene: Scene, who: Someone, method: str, path: str, **body: Any) -> tuple[int, Any]:
    """(status or error's number, answer)"""
    async with scene.server.client(scene.token_now(who)) as client:
        answer = await client.request(method, path, json=body or None)
    if answer.status_code >= 400:
        return int(answer.json()["error"]["code"]), answer.json()["error"]
    return answer.status_code, answer.json() if answer.content else None


async def schedule(scene: Scene, words: str = "後で", *, later: int = HOUR, **more: Any) -> dict[str, Any]:
    body = {"at": scene.server.clock.now() + later, "blocks": text(words), **more}
    status, answer = await call(scene, scene.member, "POST", f"/api/rooms/{scene.room}/scheduled", **body)
    assert status == 200, answer
    made: dict[str, Any] = answer
    return made


async def own(scene: Scene, who: Someone) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await call(scene, who, "GET", "/api/me/scheduled"))[1]["items"]
    return items


async def said(scene: Scene) -> list[str]:
    page = (await call(scene, scene.owner, "GET", f"/api/rooms/{scene.room}/messages"))[1]
    return [message.get("text", "") for message in page["messages"]]


async def act(scene: Scene, use_case: Any) -> Any:
    return await scene.server.app.storage.write(use_case)


@pytest_asyncio.fixture(loop_scope="module")
async def late(scene: Scene) -> AsyncIterator[ScheduledWorker]:
    """A worker of the test's own, two hours later."""
    yield ScheduledWorker(scene.server.app.storage, KEY)


async def after(scene: Scene, worker: ScheduledWorker, time: int = 2 * HOUR) -> None:
    scene.server.clock.ahead += time
    while await worker.step():
        pass


async def test_it_is_sent_at_its_time_and_not_before(scene: Scene, late: ScheduledWorker) -> None:
    made = await schedule(scene, "<@everyone> 後で", confirm=scene.server.clock.now() + HOUR + DAY)
    assert [one["id"] for one in await own(scene, scene.member)] == [made["id"]]
    assert await own(scene, scene.owner) == []
    await late.step()
    assert "@全員 後で" not in await said(scene)
    await after(scene, late)
    page = (await call(scene, scene.owner, "GET", f"/api/rooms/{scene.room}/messages"))[1]["messages"]
    assert page[-1]["author"]["id"] == scene.member.id
    assert page[-1]["confirm"]["by"] >= scene.server.clock.now() + DAY - MINUTE
    assert await own(scene, scene.member) == []


async def test_two_nodes_at_once_and_a_kill_send_it_once(scene: Scene) -> None:
    await schedule(scene, "一度だけ")
    scene.server.clock.ahead += 2 * HOUR
    storage = scene.server.app.storage
    due = await storage.read(lambda reader: scheduling.due(reader, 10))
    workers = [ScheduledWorker(storage, KEY) for _ in range(3)]
    await asyncio.gather(*(worker._send(one) for worker in workers for one in due))
    assert (await said(scene)).count("一度だけ") == 1


async def test_all_of_ones_devices_agree(scene: Scene, late: ScheduledWorker) -> None:
    device = await Peer.live(scene.server.ports["lgwan"], scene.member.token)
    made = await schedule(scene)
    await call(scene, scene.member, "PATCH", f"/api/scheduled/{made['id']}", version=1, blocks=text("変更"))
    other = await schedule(scene, "取消")
    await call(scene, scene.member, "DELETE", f"/api/scheduled/{other['id']}")
    await after(scene, late)
    told: list[tuple[str, str]] = []
    while len(told) < 5:
        event = await device.until(lambda wire: wire.get("kind") == "scheduled")
        told.append((event["id"], event["what"]))
    await device.close()
    assert told == [
        (made["id"], "made"), (made["id"], "changed"), (other["id"], "made"), (other["id"], "removed"), (made["id"], "sent"),
    ]  # fmt: skip
    assert (await said(scene)).count("変更") == 1


async def test_nobody_elses_is_seen_changed_or_taken_back(scene: Scene) -> None:
    path = f"/api/scheduled/{(await schedule(scene))['id']}"
    assert (await call(scene, scene.owner, "PATCH", path, version=1, blocks=text("x")))[0] == 4015
    assert (await call(scene, scene.owner, "DELETE", path))[0] == 4015
    assert (await call(scene, scene.member, "PATCH", path, version=2, blocks=text("x")))[0] == 4005
    assert len(await own(scene, scene.member)) == 1


async def test_it_goes_now_when_its_author_says_so(scene: Scene, late: ScheduledWorker) -> None:
    made = await schedule(scene, "待たずに", later=DAY)
    path = f"/api/scheduled/{made['id']}"
    assert (await call(scene, scene.owner, "PATCH", path, version=1, now=True))[0] == 4015
    status, changed = await call(
        scene, scene.member, "PATCH", path, version=1, now=True, blocks=text("待たずに、直して")
    )
    assert (status, changed["at"] <= scene.server.clock.now()) == (200, True)
    await after(scene, late, 0)
    assert (await said(scene)).count("待たずに、直して") == 1
    assert await own(scene, scene.member) == []


@pytest.mark.parametrize("later", [-MINUTE, 30_000, 367 * DAY])
async def test_times_that_are_none_are_refused(scene: Scene, later: int) -> None:
    body = {"at": scene.server.clock.now() + later, "blocks": text("x")}
    code, error = await call(scene, scene.member, "POST", f"/api/rooms/{scene.room}/scheduled", **body)
    assert (code, error["field"]) == (2001, "at")


async def test_who_left_does_not_write_any_more_and_learns_why(scene: Scene, late: ScheduledWorker) -> None:
    await schedule(scene, "もういない")
    await act(scene, lambda tx: rooms.leave(tx, scene.member.actor, scene.room))
    await after(scene, late)
    assert "もういない" not in await said(scene)
    [kept] = await own(scene, scene.member)
    assert kept["failed"]["code"] == 3001
    assert kept["failed"]["ja"]


async def test_what_failed_waits_again_when_it_is_changed(scene: Scene, late: ScheduledWorker) -> None:
    made = await schedule(scene, "保管中")
    archive = RoomChange(archived=True)
    await act(scene, lambda tx: rooms.change(tx, scene.owner.actor, scene.room, archive))
    await after(scene, late)
    [kept] = await own(scene, scene.member)
    assert kept["failed"]["code"] == ROOM_ARCHIVED.code
    again = RoomChange(archived=False)
    await act(scene, lambda tx: rooms.change(tx, scene.owner.actor, scene.room, again))
    path, at = f"/api/scheduled/{made['id']}", scene.server.clock.now() + HOUR
    assert (await call(scene, scene.member, "PATCH", path, version=1, at=at))[1]["failed"] is None
    await after(scene, late)
    assert "保管中" in await said(scene)


async def test_a_disabled_author_writes_nothing(scene: Scene, late: ScheduledWorker) -> None:
    await schedule(scene, "退職後")
    await act(
        scene, lambda tx: tx.run("UPDATE users SET disabled_at = ? WHERE id = ?", tx.now, scene.member.actor.user_id)
    )
    await after(scene, late)
    assert "退職後" not in await said(scene)
    row = await scene.server.app.storage.read(
        lambda reader: reader.one("SELECT fault FROM scheduled WHERE author_id = ?", scene.member.actor.user_id)
    )
    assert row is not None
    assert row[0] == 6009


async def test_uploads_wait_with_it_and_nowhere_else(scene: Scene, late: ScheduledWorker) -> None:
    async with scene.server.client(scene.token_now(scene.member)) as client:
        photo = (await client.post("/api/photos", content=encoded(picture(32, 24)))).json()["id"]
    album = [{"type": "photos", "ids": [photo]}]
    made = await schedule(scene, later=UNSENT_KEPT + DAY, blocks=album)
    body = {"at": scene.server.clock.now() + HOUR, "blocks": album}
    assert (await call(scene, scene.member, "POST", f"/api/rooms/{scene.room}/scheduled", **body))[0] == 5007
    scene.server.clock.ahead += UNSENT_KEPT + HOUR
    storage = scene.server.app.storage
    assert await storage.read(leftovers.unsent) == [], "the sweeper leaves it"
    await after(scene, late, 2 * DAY)
    page = (await call(scene, scene.owner, "GET", f"/api/rooms/{scene.room}/messages"))[1]["messages"]
    assert page[-1]["attachments"][0]["id"] == photo
    assert made["id"] not in [one["id"] for one in await own(scene, scene.member)]


async def test_what_is_taken_back_lets_go_of_its_uploads(scene: Scene) -> None:
    async with scene.server.client(scene.token_now(scene.member)) as client:
        photo = (await client.post("/api/photos", content=encoded(picture(32, 24)))).json()["id"]
    made = await schedule(scene, blocks=[{"type": "photos", "ids": [photo]}])
    assert (await call(scene, scene.member, "DELETE", f"/api/scheduled/{made['id']}"))[0] == 204
    scene.server.clock.ahead += UNSENT_KEPT + HOUR
    assert len(await scene.server.app.storage.read(leftovers.unsent)) == 1


async def test_a_quote_that_was_taken_back_is_left_out(scene: Scene, late: ScheduledWorker) -> None:
    quoted = (await scene.world.post(scene.owner, scene.room)).id
    assert quoted is not None
    await schedule(scene, "引用", quote=quoted)
    await act(scene, lambda tx: changing.redact(tx, scene.owner.actor, Redact(ref=1, message=quoted)))
    await after(scene, late)
    page = (await call(scene, scene.owner, "GET", f"/api/rooms/{scene.room}/messages"))[1]["messages"]
    assert page[-1]["text"] == "引用"
    assert "quote" not in page[-1]


async def test_one_has_so_many_and_no_more(scene: Scene) -> None:
    for _ in range(SCHEDULED):
        await schedule(scene)
    body = {"at": scene.server.clock.now() + HOUR, "blocks": text("x")}
    assert (await call(scene, scene.member, "POST", f"/api/rooms/{scene.room}/scheduled", **body))[0] == 4014


async def test_after_a_restore_nothing_goes_out_twice(scene: Scene, late: ScheduledWorker) -> None:
    """What should have been sent since the copy was made may have been: its author decides. What is to come still comes."""
    await schedule(scene, "以前")
    await schedule(scene, "今後", later=3 * HOUR)
    scene.server.clock.ahead += 2 * HOUR
    await act(scene, scheduling.set_aside)
    await after(scene, late)
    words = await said(scene)
    assert ("以前" in words, "今後" in words) == (False, True)
    assert [one["failed"]["code"] for one in await own(scene, scene.member)] == [4016]


async def test_it_tells_the_names_of_those_it_calls_as_long_as_its_author_may_know(scene: Scene) -> None:
    stranger = await scene.world.person(scene.org, "大野 実")
    made = await schedule(scene, f"<@user:{scene.owner.id}> と <@everyone>、<@user:{stranger.id}>")
    assert made["mentions"] == {f"user:{scene.owner.id}": "高橋 健", "everyone": "全員"}
    assert (await own(scene, scene.member))[0]["mentions"] == made["mentions"]
    status, _ = await call(scene, scene.owner, "DELETE", f"/api/rooms/{scene.room}/members/{scene.member.id}")
    assert status == 204
    assert (await own(scene, scene.member))[0]["mentions"] == {}
    assert (await own(scene, scene.owner)) == []
