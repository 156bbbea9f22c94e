"""Incoming webhooks: signed, once for each id, inert; whoever cannot sign learns nothing; a room's owners alone see them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from chat_server.domain.errors import HOOK_NOT_FOUND, Problem
from chat_server.domain.ids import new_id
from chat_server.domain.limits import DAY, HOOK_POSTS, HOOKS, MINUTE
from chat_server.ports import Reader, Row
from chat_server.services import operator_hooks, rooms
from chat_server.services.operation import Deps
from chat_server.services.rooms import Invitation, RoomChange
from tests.support.hooks import allow, call, made, messages, post, signature, state
from tests.support.uploads import Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True
GONE = HOOK_NOT_FOUND.code


async def _one(reader: Reader, sql: str, value: str) -> Row | None:
    return await reader.one(sql, value)


async def _all(reader: Reader, sql: str) -> Sequence[Row]:
    return await reader.all(sql)


async def act(scene: Scene, use_case: Any) -> Any:
    return await scene.server.app.storage.write(use_case)


async def test_words_are_posted_in_the_bots_name(scene: Scene) -> None:
    hook = await made(scene)
    status, ack = await post(scene, hook, "evt-1", {"text": "3号線の水位が上がりました"})
    assert (status, ack["room"]) == (200, scene.room)
    said = (await messages(scene, scene.member))[-1]
    assert (said["id"], said["text"]) == (ack["id"], "3号線の水位が上がりました")
    assert (said["author"]["id"], said["author"]["name"], said["author"]["kind"]) == (hook["user"], "水位計", "bot")
    members = (await call(scene, scene.member, "GET", f"/api/rooms/{scene.room}/members"))[1]["items"]
    assert (hook["user"], "member") in [(one["id"], one["role"]) for one in members]


async def test_with_a_title_or_rows_it_is_a_card(scene: Scene) -> None:
    hook = await made(scene)
    await post(
        scene, hook, "evt-1", {"title": "警報", "text": "避難準備", "rows": [["観測所", "緑橋"], ["水位", "2.4 m"]]}
    )
    await post(scene, hook, "evt-2", {"rows": [["水位", "2.5 m"]]})
    first, second = (one["blocks"] for one in (await messages(scene))[-2:])
    assert first == [
        {
            "type": "card",
            "v": 1,
            "title": "警報",
            "text": "避難準備",
            "rows": [["観測所", "緑橋"], ["水位", "2.4 m"]],
            "state": "",
        }
    ]
    assert second[0]["title"] == "水位計"


async def test_the_same_id_posts_once(scene: Scene) -> None:
    hook = await made(scene)
    answers = await asyncio.gather(*(post(scene, hook, "evt-1", {"text": "一度だけ"}) for _ in range(4)))
    assert {(status, ack["id"]) for status, ack in answers} == {(200, answers[0][1]["id"])}
    assert [one["text"] for one in await messages(scene)].count("一度だけ") == 1
    again = (await post(scene, hook, "evt-1", {"text": "別の言葉"}))[1]
    assert (again["id"], again["replay"]) == (answers[0][1]["id"], True)
    assert (await post(scene, hook, "evt-2", {"text": "一度だけ"}))[1]["id"] != answers[0][1]["id"]


@pytest.mark.parametrize(
    ("late", "headers"),
    [
        (0, {"webhook_id": ""}),
        (0, {"webhook_timestamp": ""}),
        (0, {"webhook_signature": ""}),
        (0, {"webhook_id": "another"}),
        (0, {"webhook_timestamp": "1"}),
        (0, {"webhook_signature": "v1,AAAA"}),
        (0, {"webhook_signature": "v1," + "A" * 43 + "="}),
        (301, {}),
        (-360, {}),  # ahead of its time, which goes on until it is looked at
    ],
)
async def test_a_signature_that_is_wrong_old_or_missing_looks_like_no_hook(
    scene: Scene, late: int, headers: dict[str, str]
) -> None:
    hook = await made(scene)
    before = len(await messages(scene))
    refused = await post(scene, hook, "evt-1", {"text": "x"}, late=late, headers=headers)
    nowhere = await post(scene, {**hook, "id": new_id(1)}, "evt-1", {"text": "x"})
    no_id = await post(scene, {**hook, "id": "x"}, "evt-1", {"text": "x"})
    assert refused == nowhere == no_id
    assert refused[0] == GONE
    assert len(await messages(scene)) == before
    assert (await post(scene, hook, "evt-1", {"text": "x"}, late=290))[0] == 200


async def test_a_changed_body_and_a_foreign_secret_are_refused(scene: Scene) -> None:
    hook, other = await made(scene), await made(scene, name="別")
    timestamp = str(scene.server.clock.now() // 1000)
    for_another = signature(hook["secret"], "evt-1", timestamp, b'{"text":"x"}')
    refused = await post(
        scene, hook, "evt-1", b'{"text":"y"}', webhook_timestamp=timestamp, webhook_signature=for_another
    )
    assert refused[0] == GONE
    assert (await post(scene, {**hook, "secret": other["secret"]}, "evt-1", {"text": "x"}))[0] == GONE


async def test_without_a_signature_nothing_is_said_of_the_body(scene: Scene) -> None:
    hook = await made(scene)
    for body, content_type in ((b"{", "application/json"), (b"{}", "text/plain"), (b'{"text":1}', "application/json")):
        headers = {"webhook_signature": "v1,x", "content_type": content_type}
        assert (await post(scene, hook, "evt-1", body, headers=headers))[0] == GONE
    assert (await post(scene, hook, "evt-1", b"{"))[0] == 2002
    assert (await post(scene, hook, "evt-1", {"text": "x"}, content_type="text/plain"))[0] == 2002
    assert (await post(scene, hook, "evt-1", {"text": 1}))[1]["field"] == "text"
    assert (await post(scene, hook, "evt-1", {"text": " \n"}))[0] == 4002
    assert (await post(scene, hook, "evt-1", {"title": "\u202e", "text": "x"}))[0] == 2001
    assert (await post(scene, hook, "evt-1", {"title": "x", "text": "x" * 4001}))[0] == 2001
    assert (await post(scene, hook, "evt-1", {"text": "x" * 33_000}))[0] == 2003
    assert (await post(scene, hook, "evt-1", {"text": "これは通る"}))[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"text": "\\ud800"}',
        b'{"text": "\\u0000"}',
        b"[" * 30_000,
        b'{"rows": ' + b"[" * 30_000,
        b'{"rows": [["a"]]}',
        b'{"rows": [["", ""]]}',
        b'{"rows": [["\\u202e", "x"]]}',
        b'{"title": {"$gt": ""}}',
        b'{"text": 1e999}',
        b'{"text": "x", "blocks": [{"type": "buttons"}], "client_msg_id": "x"}',
    ],
)
async def test_whatever_is_signed_is_no_fault_of_the_server(scene: Scene, body: bytes) -> None:
    assert (await post(scene, await made(scene), "evt", body))[0] in (200, 2001, 2002, 4002)


async def test_it_calls_nobody(scene: Scene) -> None:
    hook = await made(scene)
    words = f"<@everyone> <\u202e@everyone> <@user:{scene.member.id}> <<@everyone>>"
    await post(scene, hook, "evt-1", {"text": words})
    await post(scene, hook, "evt-2", {"title": words[:40], "rows": [["<@everyone>", "<@everyone>"]]})
    for said in (await messages(scene))[-2:]:
        assert "mentions" not in said
        assert "<@" not in json.dumps(said["blocks"], ensure_ascii=False) + said["text"]
    row = await scene.server.app.storage.read(
        lambda reader: reader.one(
            "SELECT count(*) FROM messages m JOIN rooms r ON r.id = m.room_id WHERE r.public_id = ? AND m.mention_all = 1",
            scene.room,
        )
    )
    assert row is not None
    assert row[0] == 0


async def test_what_it_posts_came_in_by_the_listeners_zone(scene: Scene) -> None:
    hook = await made(scene)
    for zone in ("internet", "lgwan"):
        ack = (await post(scene, hook, zone, {"text": zone}, zone=zone))[1]
        sql = "SELECT zone FROM messages WHERE public_id = ?"
        row = await scene.server.app.storage.read(partial(_one, sql=sql, value=ack["id"]))
        assert row is not None
        assert row[0] == zone


async def test_a_minute_has_so_many_posts_and_whoever_cannot_sign_uses_none(scene: Scene) -> None:
    hook = await made(scene)
    with scene.server.clock.still():
        for n in range(HOOK_POSTS):
            assert (await post(scene, hook, f"forged-{n}", {"text": "x"}, webhook_signature="v1,x"))[0] == GONE
            assert (await post(scene, hook, f"evt-{n}", {"text": "x"}))[0] == 200
        code, error = await post(scene, hook, "evt-more", {"text": "x"})
        assert (code, error["params"]["retry_after"]) == (8005, 60)
        assert (await post(scene, await made(scene, name="別"), "evt", {"text": "x"}))[0] == 200
    scene.server.clock.ahead += MINUTE
    assert (await post(scene, hook, "evt-more", {"text": "x"}))[0] == 200


async def test_a_rolled_secret_is_good_for_a_day_more_and_rolled_twice_not_at_all(scene: Scene) -> None:
    hook = await made(scene)
    path = f"/api/hooks/{hook['id']}/secret"
    second = (await call(scene, scene.owner, "POST", path))[1]
    assert second["secret"] not in (None, hook["secret"])
    assert second["old_secret_until"] == pytest.approx(scene.server.clock.now() + DAY, abs=MINUTE)
    assert (await post(scene, hook, "old", {"text": "x"}))[0] == 200
    assert (await post(scene, second, "new", {"text": "x"}))[0] == 200
    scene.server.clock.ahead += DAY
    assert (await post(scene, hook, "late", {"text": "x"}))[0] == GONE
    assert (await post(scene, second, "late", {"text": "x"}))[0] == 200
    await call(scene, scene.owner, "POST", path)
    third = (await call(scene, scene.owner, "POST", path))[1]
    assert (await post(scene, second, "leaked", {"text": "x"}))[0] == GONE
    assert (await post(scene, third, "leaked", {"text": "x"}))[0] == 200


async def test_the_secret_is_told_once_and_kept_nowhere(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    await allow(scene)
    async with scene.server.client(scene.token_now(scene.owner)) as client:
        asking = {
            "url": f"/api/rooms/{scene.room}/hooks",
            "json": {"name": "一度"},
            "headers": {"Idempotency-Key": "hook-once"},
        }
        first, again = await client.post(**asking), await client.post(**asking)  # type: ignore[arg-type]
    hook, secret = first.json(), first.json()["secret"]
    assert secret.startswith("whsec_")
    assert again.json() == {key: value for key, value in hook.items() if key != "secret"}
    assert "secret" not in await state(scene, hook)
    assert (await post(scene, hook, "evt-1", {"text": "x"}))[0] == 200
    for table in ("hooks", "idempotency", "audit", "events", "sends"):
        rows = await scene.server.app.storage.read(partial(_all, sql=f"SELECT * FROM {table}"))
        assert secret.removeprefix("whsec_") not in repr([tuple(row) for row in rows])
    logged = capsys.readouterr()
    assert secret.removeprefix("whsec_") not in logged.out + logged.err


async def test_the_trail_tells_who_did_what(scene: Scene) -> None:
    hook = await made(scene)
    await call(scene, scene.owner, "PATCH", f"/api/hooks/{hook['id']}", on=False)
    await call(scene, scene.owner, "POST", f"/api/hooks/{hook['id']}/secret")
    await call(scene, scene.owner, "DELETE", f"/api/hooks/{hook['id']}")
    for verb, detail in (
        ("make", {"room": scene.room, "host": ""}),
        ("change", {"room": scene.room, "host": "", "on": False}),
        ("roll", {"room": scene.room}),
        ("remove", {"room": scene.room}),
    ):
        assert await scene.world.recorded(scene.org, f"hook.{verb}") == [(scene.owner.id, hook["id"], detail)]


async def test_only_owners_make_and_see_them(scene: Scene) -> None:
    hook = await made(scene)
    for who, in_room, of_hook in ((scene.member, 3004, GONE), (scene.stranger, 3001, GONE)):
        assert (await call(scene, who, "POST", f"/api/rooms/{scene.room}/hooks", name="x"))[0] == in_room
        assert (await call(scene, who, "GET", f"/api/rooms/{scene.room}/hooks"))[0] == in_room
        for method, path in (("PATCH", ""), ("POST", "/secret"), ("POST", "/retry"), ("DELETE", "")):
            body = {"on": False} if method == "PATCH" else {}
            assert (await call(scene, who, method, f"/api/hooks/{hook['id']}{path}", **body))[0] == of_hook
    assert (await state(scene, hook))["on"] is True


async def test_the_organizations_rule_decides_now(scene: Scene) -> None:
    asking = {"name": "x"}
    path = f"/api/rooms/{scene.room}/hooks"
    assert (await call(scene, scene.owner, "POST", path, **asking))[0] == 7002, "off until the organization decides"
    await allow(scene, rule="organization_admin")
    assert (await call(scene, scene.owner, "POST", path, **asking))[0] == 7002
    hook = await made(scene)
    await allow(scene, rule="off")
    assert (await post(scene, hook, "evt", {"text": "x"}))[0] == GONE
    assert (await call(scene, scene.owner, "PATCH", f"/api/hooks/{hook['id']}", on=True))[0] == 7002
    assert (await call(scene, scene.owner, "PATCH", f"/api/hooks/{hook['id']}", on=False))[0] == 200
    await allow(scene)
    assert (await post(scene, hook, "evt", {"text": "x"}))[0] == GONE, "its owner has switched it off"
    await call(scene, scene.owner, "PATCH", f"/api/hooks/{hook['id']}", on=True)
    assert (await post(scene, hook, "evt", {"text": "x"}))[0] == 200


async def test_a_room_has_so_many(scene: Scene) -> None:
    hooks = [await made(scene) for _ in range(HOOKS)]
    assert (await call(scene, scene.owner, "POST", f"/api/rooms/{scene.room}/hooks", name="x"))[0] == 7003
    await call(scene, scene.owner, "DELETE", f"/api/hooks/{hooks[0]['id']}")
    await made(scene)


async def test_direct_rooms_have_none(scene: Scene) -> None:
    await allow(scene)
    memo = await act(scene, lambda tx: rooms.ensure_memo(tx, scene.owner.actor))
    assert (await call(scene, scene.owner, "POST", f"/api/rooms/{memo}/hooks", name="x"))[0] == 3005


async def test_an_archived_room_takes_nothing(scene: Scene) -> None:
    hook = await made(scene)
    await act(scene, lambda tx: rooms.change(tx, scene.owner.actor, scene.room, RoomChange(archived=True)))
    assert (await post(scene, hook, "evt", {"text": "x"}))[0] == 3002
    assert (await post(scene, hook, "evt", {"text": "x"}, webhook_signature="v1,x"))[0] == GONE
    assert (await call(scene, scene.owner, "POST", f"/api/rooms/{scene.room}/hooks", name="x"))[0] == 3002
    assert (await call(scene, scene.owner, "DELETE", f"/api/hooks/{hook['id']}"))[0] == 204


async def test_a_removed_hooks_bot_is_gone(scene: Scene) -> None:
    hook = await made(scene)
    await post(scene, hook, "evt", {"text": "残る"})
    assert (await call(scene, scene.owner, "DELETE", f"/api/hooks/{hook['id']}"))[0] == 204
    assert (await post(scene, hook, "evt-2", {"text": "x"}))[0] == GONE
    members = (await call(scene, scene.owner, "GET", f"/api/rooms/{scene.room}/members"))[1]["items"]
    assert hook["user"] not in [one["id"] for one in members]
    assert (await messages(scene))[-1]["text"] == "残る"
    assert (await call(scene, scene.owner, "DELETE", f"/api/hooks/{hook['id']}"))[0] == GONE


async def test_a_bot_that_was_taken_out_of_the_room_posts_nothing_until_it_is_back(scene: Scene) -> None:
    hook = await made(scene)
    await call(scene, scene.owner, "DELETE", f"/api/rooms/{scene.room}/members/{hook['user']}")
    assert (await post(scene, hook, "evt", {"text": "x"}))[0] == GONE
    await call(scene, scene.owner, "PATCH", f"/api/hooks/{hook['id']}", on=True)
    assert (await post(scene, hook, "evt", {"text": "x"}))[0] == 200


async def test_its_bot_is_in_its_room_and_nowhere_else(scene: Scene) -> None:
    """Its name may tell of a room that others do not know of."""
    hook = await made(scene, name="異動の内示")
    outsider = await scene.world.person(scene.org, "佐藤 一")
    for who, known in ((scene.member, True), (outsider, False), (scene.stranger, False)):
        listed = (await call(scene, who, "GET", "/api/people"))[1]["items"]
        found = (await call(scene, who, "GET", "/api/people?q=異動"))[1]["items"]
        assert ([hook["user"] in [one["id"] for one in people] for people in (listed, found)]) == [known, known]
        assert (await call(scene, who, "GET", f"/api/people/{hook['user']}"))[0] == (200 if known else 6001)
    other = await scene.world.room(scene.owner)
    invited = await call(scene, scene.owner, "POST", f"/api/rooms/{other}/members", users=[hook["user"]])
    assert invited[0] == 6001
    assert (await call(scene, scene.owner, "POST", "/api/rooms/direct", user=hook["user"]))[0] == 6001


async def test_it_may_write_announcements_and_is_no_owner(scene: Scene) -> None:
    scene.room = await scene.world.room(scene.owner)
    await act(scene, lambda tx: tx.run("UPDATE rooms SET kind = 'announcement' WHERE public_id = ?", scene.room))
    hook = await made(scene)
    assert (await post(scene, hook, "evt", {"text": "お知らせ"}))[0] == 200
    await act(
        scene, lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, Invitation((scene.member.id,), "member"))
    )
    assert (await call(scene, scene.owner, "POST", f"/api/rooms/{scene.room}/leave"))[0] == 3006


async def test_a_renamed_one_posts_under_its_new_name(scene: Scene) -> None:
    hook = await made(scene)
    assert (await call(scene, scene.owner, "PATCH", f"/api/hooks/{hook['id']}", name="雨量計"))[1]["name"] == "雨量計"
    await post(scene, hook, "evt", {"text": "x"})
    assert (await messages(scene))[-1]["author"]["name"] == "雨量計"


async def test_the_operator_sees_where_they_lead_and_stops_one(scene: Scene) -> None:
    app = scene.server.app
    deps = Deps(app.storage, app.passwords, app.clock, app.keys)
    hook = await made(scene)
    secret = "https://hooks.city.example/T0/secret-of-theirs"
    await act(scene, lambda tx: tx.run("UPDATE hooks SET url = ? WHERE public_id = ?", secret, hook["id"]))
    listed = (await operator_hooks.list_hooks(deps, operator_hooks.Which(scene.org.code)))["hooks"]
    assert [(one["id"], one["room"], one["host"], one["on"]) for one in listed] == [
        (hook["id"], scene.room, "hooks.city.example", True)
    ]
    assert "secret" not in json.dumps(listed)
    elsewhere = await scene.world.organization(f"other{new_id(0)[-8:]}", "よその町")
    for code, which in ((elsewhere.code, hook["id"]), (scene.org.code, "x"), (scene.org.code, "0" * 26)):
        with pytest.raises(Problem) as refused:
            await operator_hooks.hook_off(deps, operator_hooks.WhichHook(code, which))
        assert refused.value.fault.code == GONE
    for _ in range(2):
        await operator_hooks.hook_off(deps, operator_hooks.WhichHook(scene.org.code, hook["id"]))
    assert (await post(scene, hook, "evt", {"text": "まだ"}))[0] == GONE
    recorded = await scene.world.recorded(scene.org, "operator.hook_off")
    assert [(target, detail) for _, target, detail in recorded] == [
        (hook["id"], {"room": scene.room, "host": "hooks.city.example"})
    ]
    assert (await call(scene, scene.owner, "PATCH", f"/api/hooks/{hook['id']}", on=True))[0] == 200
    assert (await post(scene, hook, "evt", {"text": "また"}))[0] == 200
