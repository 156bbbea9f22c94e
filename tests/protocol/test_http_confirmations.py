"""要確認: asked, confirmed, asked again once, and named to those who may know."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import Any

import pytest

from chat_server.domain.limits import DAY, HOUR, MINUTE
from chat_server.services import changing, confirming, rooms
from chat_server.services.commands import Redact
from chat_server.services.rooms import Invitation, RoomChange
from chat_server.workers.confirmations import ConfirmationWorker
from tests.support.peer import Peer, text
from tests.support.uploads import Scene
from tests.support.world import Someone

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


def soon(scene: Scene, later: int = 3 * DAY) -> int:
    return scene.server.clock.now() + later


async def asked(scene: Scene, by: int, words: str = "防災訓練の件") -> str:
    """A message of the owner's that asks."""
    async with scene.server.client(scene.token_now(scene.owner)) as client:
        body = {"client_msg_id": f"ask-{scene.server.clock.now()}-{by}", "blocks": text(words), "confirm": by}
        answer = await client.post(f"/api/rooms/{scene.room}/messages", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])


async def call(scene: Scene, who: Someone, method: str, path: str, **body: Any) -> tuple[int, Any]:
    """(status or error's number, answer)"""
    async with scene.server.client(scene.token_now(who)) as client:
        answer = await client.request(method, path, json=body or None)
    if answer.status_code >= 400:
        return int(answer.json()["error"]["code"]), answer.json()["error"]
    return answer.status_code, answer.json() if "json" in answer.headers["content-type"] else answer.content


async def confirm(scene: Scene, who: Someone, message: str) -> int:
    return (await call(scene, who, "PUT", f"/api/messages/{message}/confirmation"))[0]


async def state(scene: Scene, who: Someone, message: str) -> dict[str, Any]:
    got: dict[str, Any] = (await call(scene, who, "GET", f"/api/messages/{message}/confirmations"))[1]
    return got


async def waiting(scene: Scene, who: Someone) -> list[str]:
    return [item["message"] for item in (await call(scene, who, "GET", "/api/me/confirmations"))[1]["items"]]


async def test_everybody_who_was_there_is_asked_and_confirms(scene: Scene) -> None:
    message = await asked(scene, soon(scene))
    assert await waiting(scene, scene.member) == [message]
    assert await waiting(scene, scene.owner) == [], "its author is not asked"
    before = await state(scene, scene.owner, message)
    assert (before["confirmed"], before["mine"]) == (0, None)
    assert await confirm(scene, scene.member, message) == 200
    assert await confirm(scene, scene.member, message) == 200
    after = await state(scene, scene.owner, message)
    assert (after["confirmed"], after["asked"]) == (1, before["asked"])
    [done] = [one for part in after["departments"] for one in part["people"] if one["at"] is not None]
    assert done["person"]["id"] == scene.member.id
    assert await waiting(scene, scene.member) == []
    assert (await state(scene, scene.member, message))["mine"] == done["at"]


async def test_names_are_for_the_author_and_owners(scene: Scene) -> None:
    message = await asked(scene, soon(scene))
    assert all("people" not in part for part in (await state(scene, scene.member, message))["departments"])
    assert (await call(scene, scene.member, "GET", f"/api/messages/{message}/confirmations.csv"))[0] == 4004
    async with scene.server.client(scene.token_now(scene.owner)) as client:
        answer = await client.get(f"/api/messages/{message}/confirmations.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E7%A2%BA")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["所属", "職", "氏名", "確認", "確認日時"]
    assert ["田中 美咲", "未", ""] in [row[2:] for row in rows]


async def test_a_name_does_not_run_in_a_spreadsheet(scene: Scene) -> None:
    evil = await scene.world.person(scene.org, "=HYPERLINK(1)")
    await act(scene, lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, Invitation((evil.id,))))
    message = await asked(scene, soon(scene))
    table = (await call(scene, scene.owner, "GET", f"/api/messages/{message}/confirmations.csv"))[1]
    assert b",'=HYPERLINK(1)," in table


async def act(scene: Scene, use_case: Any) -> Any:
    return await scene.server.app.storage.write(use_case)


async def test_who_came_later_is_not_asked_and_who_left_is_not_waited_for(scene: Scene) -> None:
    leaver = await scene.world.person(scene.org, "去る人")
    stayer = await scene.world.person(scene.org, "確認して去る人")
    both = Invitation((leaver.id, stayer.id))
    await act(scene, lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, both))
    message = await asked(scene, soon(scene))
    asked_first = (await state(scene, scene.owner, message))["asked"]
    assert await confirm(scene, stayer, message) == 200
    for one in (leaver, stayer):
        await act(scene, lambda tx, one=one: rooms.leave(tx, one.actor, scene.room))
    later = await scene.world.person(scene.org, "後から来た人")
    await act(scene, lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, Invitation((later.id,))))
    now = await state(scene, scene.owner, message)
    assert (now["asked"], now["confirmed"]) == (asked_first - 1, 1)
    assert await waiting(scene, later) == []
    assert await confirm(scene, leaver, message) == 4001
    assert await confirm(scene, later, message) == 200, "a newcomer may"
    assert (await state(scene, scene.owner, message))["confirmed"] == 2


async def test_times_that_are_none_are_refused(scene: Scene) -> None:
    now = scene.server.clock.now()
    async with scene.server.client(scene.token_now(scene.owner)) as client:
        for number, by in enumerate((now - 1, now + 30_000, now + 400 * DAY)):
            body = {"client_msg_id": f"bad-time-{number}", "blocks": text("x"), "confirm": by}
            answer = await client.post(f"/api/rooms/{scene.room}/messages", json=body)
            assert (answer.status_code, answer.json()["error"]["field"]) == (422, "confirm")


async def test_one_is_asked_later_by_another_time_and_not_any_more(scene: Scene) -> None:
    message = (await scene.world.post(scene.owner, scene.room)).id
    path = f"/api/messages/{message}/confirm-by"
    assert await confirm(scene, scene.member, str(message)) == 4013
    assert (await call(scene, scene.member, "PUT", path, by=soon(scene)))[0] == 4004
    peer = await Peer.live(scene.server.ports["lgwan"], scene.member.token)
    for by in (soon(scene), soon(scene, 5 * DAY)):
        assert (await call(scene, scene.owner, "PUT", path, by=by))[0] == 200
        event = await peer.event("edit")
        assert event["message"]["confirm"] == {"by": by}
        assert event["message"]["version"] == 1, "its words are what they were"
    assert (await call(scene, scene.owner, "PUT", path, by=None))[0] == 200
    assert "confirm" not in (await peer.event("edit"))["message"]
    await peer.close()
    assert await confirm(scene, scene.member, str(message)) == 4013


async def test_what_was_taken_back_or_archived_asks_nobody(scene: Scene) -> None:
    message = await asked(scene, soon(scene))
    other = await asked(scene, soon(scene, 2 * DAY))
    await act(scene, lambda tx: changing.redact(tx, scene.owner.actor, Redact(ref=1, message=message)))
    assert await confirm(scene, scene.member, message) == 4001
    assert message not in await waiting(scene, scene.member)
    await act(scene, lambda tx: rooms.change(tx, scene.owner.actor, scene.room, RoomChange(archived=True)))
    assert await confirm(scene, scene.member, other) == 3002
    assert await waiting(scene, scene.member) == []


async def test_all_of_ones_devices_hear_of_it_and_lookers_of_the_count(scene: Scene) -> None:
    message = await asked(scene, soon(scene))
    looker = await Peer.live(scene.server.ports["lgwan"], scene.owner.token)
    await looker.ask("look", room=scene.room)
    device = await Peer.live(scene.server.ports["lgwan"], scene.member.token)
    assert await confirm(scene, scene.member, message) == 200
    own = await device.until(lambda wire: wire.get("kind") == "confirmed")
    assert (own["room"], own["message"]) == (scene.room, message)
    told = await looker.until(lambda wire: wire.get("op") == "confirmations")
    assert (told["room"], told["confirmed"]) == (scene.room, {message: 1})
    await looker.close()
    await device.close()


async def test_who_has_not_is_asked_again_once(scene: Scene) -> None:
    """Also when two nodes do it at once, and when it is cut off and begun anew; nobody who has, nobody after the time."""
    by = soon(scene, 3 * DAY)
    await asked(scene, by)
    slow = await scene.world.person(scene.org, "まだの人")
    await act(scene, lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, Invitation((slow.id,))))
    second = await asked(scene, by + HOUR)
    await confirm(scene, scene.member, second)
    storage = scene.server.app.storage
    assert await again(scene) == [], "not yet"
    scene.server.clock.ahead += 2 * DAY + MINUTE + HOUR
    device = await Peer.live(scene.server.ports["lgwan"], scene.token_now(slow))
    workers = [ConfirmationWorker(storage) for _ in range(2)]
    await asyncio.gather(*(worker.step() for worker in workers))
    told = await device.until(lambda wire: wire.get("kind") == "confirm_again")
    assert (told["room"], told["message"], told["by"]) == (scene.room, second, by + HOUR)
    await workers[0].step()
    assert [wire for wire in await device.nothing_but() if wire.get("kind") == "confirm_again"] == []
    await device.close()
    events = await storage.read(
        lambda reader: reader.all(
            "SELECT user_id FROM user_events WHERE kind = 'confirm_again' ORDER BY user_id",
        )
    )
    people_told = [row[0] for row in events]
    assert people_told.count(slow.actor.user_id) == 1
    assert people_told.count(scene.member.actor.user_id) == 1, "of the first alone"
    assert scene.owner.actor.user_id not in people_told


async def test_the_asking_again_goes_on_where_a_kill_left_it(scene: Scene) -> None:
    waiting = [await scene.world.person(scene.org, f"まだの人{number}") for number in range(3)]
    invited = Invitation(tuple(one.id for one in waiting))
    await act(scene, lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, invited))
    message = await asked(scene, soon(scene, 3 * DAY))
    await confirm(scene, scene.member, message)
    scene.server.clock.ahead += 2 * DAY + HOUR
    storage = scene.server.app.storage
    [due] = await storage.read(lambda reader: confirming.to_ask_again(reader, 1))
    await act(scene, lambda tx: confirming.ask_again(tx, due, 2))
    await ConfirmationWorker(storage).step()
    told = await storage.read(
        lambda reader: reader.all("SELECT user_id, data FROM user_events WHERE kind = 'confirm_again'")
    )
    people = [row[0] for row in told if message.encode() in row[1]]
    assert sorted(people) == sorted(one.actor.user_id for one in waiting)
    assert await again(scene) == []


async def again(scene: Scene) -> list[int]:
    due = await scene.server.app.storage.read(lambda reader: confirming.to_ask_again(reader, 100))
    return [one.message_id for one in due]


async def test_a_disabled_person_is_not_waited_for(scene: Scene) -> None:
    gone = await scene.world.person(scene.org, "退職した人")
    await act(scene, lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, Invitation((gone.id,))))
    message = await asked(scene, soon(scene))
    before = (await state(scene, scene.owner, message))["asked"]
    await act(scene, lambda tx: tx.run("UPDATE users SET disabled_at = ? WHERE id = ?", tx.now, gone.actor.user_id))
    assert (await state(scene, scene.owner, message))["asked"] == before - 1


async def test_a_bot_is_not_asked(scene: Scene) -> None:
    bot = await scene.world.person(scene.org, "係", kind="bot")
    before = (await state(scene, scene.owner, await asked(scene, soon(scene))))["asked"]
    await act(scene, lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, Invitation((bot.id,))))
    assert (await state(scene, scene.owner, await asked(scene, soon(scene))))["asked"] == before
