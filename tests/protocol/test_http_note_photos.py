"""Messages that are taken over into a note, and its photos and files: in order, for the room alone, and never smuggled in."""

from __future__ import annotations

from typing import Any

import pytest

from chat_server.domain.ids import new_id
from chat_server.domain.limits import DAY, HOUR, NOTE_COPIES, UNSENT_KEPT
from chat_server.services import changing, leftovers, note_reading, rooms
from chat_server.services.blocks import Files, Photos, Text
from chat_server.services.commands import Redact
from chat_server.services.rooms import Invitation, RoomChange
from tests.support.notes import Wire, call, change, done, make, markdown, photo, read
from tests.support.uploads import Scene
from tests.support.world import Someone

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


async def act(scene: Scene, use_case: Any) -> Any:
    return await scene.server.app.storage.write(use_case)


async def post(scene: Scene, who: Someone, *blocks: Any, room: str | None = None) -> str:
    ack = await scene.world.post(who, room or scene.room, *blocks)
    assert ack.id is not None
    return ack.id


async def redact(scene: Scene, message: str) -> None:
    await act(scene, lambda tx: changing.redact(tx, scene.owner.actor, Redact(ref=1, message=message)))


async def with_photo(scene: Scene, who: Someone, words: str) -> tuple[str, str]:
    """(message, its photo)"""
    picture = await photo(scene, who)
    return await post(scene, who, Text(words), Photos((picture,))), picture


def entries(note: Wire) -> list[Wire]:
    return [block for block in note["blocks"] if block["type"] == "entry"]


async def opened(scene: Scene, who: Someone, attachment: str) -> bool:
    """Whether one gets the bytes of a thumbnail, by an address that was made for one."""
    item = await scene.item(who, attachment)
    if item is None or "thumbnail" not in item["addresses"]:
        return False
    return (await scene.get(item["addresses"]["thumbnail"])).status_code == 200


# Taking over


async def test_the_course_of_a_repair_stands_in_order(scene: Scene) -> None:
    department = await scene.world.department(scene.org, "道路課 維持係")
    await scene.world.appoint(scene.member, department)
    first, before = await with_photo(scene, scene.member, f"陥没を確認 <@user:{scene.owner.id}>")
    scene.server.clock.ahead += HOUR
    second = await post(scene, scene.owner, Text("通行止めにした"))
    scene.server.clock.ahead += DAY
    third, after = await with_photo(scene, scene.member, "舗装が終わった")
    left_out = await post(scene, scene.owner, Text("昼食"))
    note = await make(scene, scene.owner, "# 市道3号線", messages=[third, first, second, first])
    await act(scene, lambda tx: tx.run("UPDATE users SET name = '鈴木 美咲' WHERE id = ?", scene.member.actor.user_id))
    now = await read(scene, scene.member, note)
    assert [one["message"] for one in entries(now)] == [first, second, third]
    assert left_out not in str(now)
    assert [one["text"] for one in entries(now)] == ["陥没を確認 @高橋 健", "通行止めにした", "舗装が終わった"]
    authors = [(one["author"]["name"], one["author"]["department"], one["author"]["post"]) for one in entries(now)]
    assert authors == [
        ("田中 美咲", "道路課 維持係", "主事"),
        ("高橋 健", "", ""),
        ("田中 美咲", "道路課 維持係", "主事"),
    ]
    times = [one["at"] for one in entries(now)]
    assert (times[1] - times[0] >= HOUR, times[2] - times[1] >= DAY) == (True, True)
    photos = [one["ids"] for one in entries(now)]
    assert [len(ids) for ids in photos] == [1, 0, 1]
    assert {before, after}.isdisjoint({*photos[0], *photos[2]}), "copies of their own"
    assert [one["id"] for one in now["attachments"]] == [*photos[0], *photos[2]]
    scene.server.clock.ahead = 0
    assert all([await opened(scene, scene.member, one["id"]) for one in now["attachments"]])


async def test_before_and_after_stand_side_by_side(scene: Scene) -> None:
    _, before = await with_photo(scene, scene.member, "施工前")
    after = await photo(scene, scene.owner)
    pair = {"type": "pair", "before": before, "before_caption": "施工前 11月", "after": None}
    note = await make(scene, scene.owner, blocks=[pair])
    kept = (await read(scene, scene.member, note))["blocks"][0]
    assert (kept["before"] != before, kept["before_caption"], kept["after"]) == (True, "施工前 11月", None)
    await change(scene, scene.owner, note, 1, blocks=[{**kept, "after": after, "after_caption": "施工後\u202e"}])
    now = await read(scene, scene.member, note)
    assert [one["id"] for one in now["attachments"]] == [kept["before"], after]
    assert now["blocks"][0]["after_caption"] == "施工後"
    printed = await scene.server.app.storage.read(lambda reader: note_reading.rendered(reader, scene.owner.actor, note))
    [block] = printed.blocks
    assert (block.kind, block.texts) == ("pair", ("施工前 11月", "施工後"))
    assert [one and one.id for one in block.attachments] == [kept["before"], after]
    for none in ({"type": "pair"}, {"type": "pair", "before_caption": "写真なし"}):
        assert (await call(scene, scene.owner, "PATCH", f"/api/notes/{note}", version=2, blocks=[none]))[0] == 2001


async def test_messages_are_added_to_a_note_that_is_there(scene: Scene) -> None:
    first = await post(scene, scene.member, Text("一"))
    note = await make(scene, scene.owner, "経過", messages=[first])
    second = await post(scene, scene.member, Text("二"))
    await change(scene, scene.member, note, 1, messages=[second])
    now = await read(scene, scene.owner, note)
    assert [block["type"] for block in now["blocks"]] == ["markdown", "entry", "entry"]
    # moved and left out by their ids; whatever else is sent with one is not looked at
    forged = [{**entries(now)[1], "text": "言っていない", "at": 1, "author": {}}, *now["blocks"][:1]]
    await change(scene, scene.owner, note, 2, blocks=forged)
    assert (await read(scene, scene.owner, note))["blocks"] == [entries(now)[1], now["blocks"][0]]
    assert entries(await read(scene, scene.owner, note, 2)) == entries(now)


async def test_a_forwarded_message_says_whose_it_was(scene: Scene) -> None:
    said = await post(scene, scene.member, Text("現場から"))
    body = {"client_msg_id": "forwarded-1", "forward": said}
    forwarded = await done(scene, scene.owner, "POST", f"/api/rooms/{scene.room}/messages", **body)
    note = await make(scene, scene.owner, messages=[forwarded["id"]])
    [entry] = entries(await read(scene, scene.owner, note))
    assert (entry["forward"]["author"], entry["author"]["name"]) == ("田中 美咲", "高橋 健")


async def test_messages_that_one_may_not_see_are_not_taken_over(scene: Scene) -> None:
    elsewhere = await scene.world.room(scene.owner)
    other = await post(scene, scene.owner, room=elsewhere)
    gone = await post(scene, scene.owner)
    await redact(scene, gone)
    old = await post(scene, scene.owner)
    await act(scene, lambda tx: rooms.change(tx, scene.owner.actor, scene.room, RoomChange(history="joined")))
    newcomer = await scene.world.person(scene.org, "新人 花子")
    await act(scene, lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, Invitation((newcomer.id,))))
    note = await make(scene, scene.owner, "経過")
    for who, message in ((scene.owner, other), (scene.owner, gone), (newcomer, old), (scene.owner, new_id(1))):
        body: Wire = {"title": "x", "messages": [message]}
        assert (await call(scene, who, "POST", f"/api/rooms/{scene.room}/notes", **body))[0] == 4001
        body = {"version": 1, "messages": [message]}
        assert (await call(scene, who, "PATCH", f"/api/notes/{note}", **body))[0] == 4001
    assert (await read(scene, scene.owner, note))["version"] == 1
    assert [item["id"] for item in (await done(scene, scene.owner, "GET", f"/api/rooms/{scene.room}/notes"))["items"]] == [note]  # fmt: skip


async def test_an_entry_of_another_note_is_refused(scene: Scene) -> None:
    said = await post(scene, scene.owner, Text("経過"))
    other = await make(scene, scene.owner, messages=[said])
    entry = entries(await read(scene, scene.owner, other))[0]["id"]
    note = await make(scene, scene.owner, "経過")
    for forged in (entry, new_id(1), said):
        body = {"version": 1, "blocks": [{"type": "entry", "id": forged}]}
        assert (await call(scene, scene.owner, "PATCH", f"/api/notes/{note}", **body))[0] == 4036


async def test_so_much_is_taken_over_at_once_and_no_more(scene: Scene) -> None:
    messages = [await post(scene, scene.owner) for _ in range(11)]

    async def crowd(tx: Any) -> None:
        for message in messages:
            row = await tx.one("SELECT id, room_id, org_id FROM messages WHERE public_id = ?", message)
            await tx.run("UPDATE messages SET attachments = 20 WHERE id = ?", row[0])
            for position in range(20):
                await tx.run(
                    "INSERT INTO attachments (public_id, org_id, uploader_id, room_id, message_id, position, kind, name,"
                    " media_type, size, origin_zone, state, created_at) VALUES (?, ?, ?, ?, ?, ?, 'file', '図面', 'x', 1,"
                    " 'lgwan', 'ready', 1)",
                    new_id(tx.now), row[2], scene.owner.actor.user_id, row[1], row[0], position,
                )  # fmt: skip

    await act(scene, crowd)
    path = f"/api/rooms/{scene.room}/notes"
    assert (await call(scene, scene.owner, "POST", path, title="x", messages=messages))[0] == 4035
    note = await make(scene, scene.owner, messages=messages[:10])
    assert len((await read(scene, scene.owner, note))["attachments"]) == NOTE_COPIES


# What becomes of the message afterwards


async def test_a_redaction_does_not_empty_the_page_and_is_told(scene: Scene) -> None:
    said, picture = await with_photo(scene, scene.member, "陥没を確認")
    note = await make(scene, scene.owner, messages=[said])
    [taken] = entries(await read(scene, scene.owner, note))
    await redact(scene, said)
    [entry] = entries(await read(scene, scene.owner, note))
    assert (entry["text"], entry["ids"], "redacted" in taken) == ("陥没を確認", taken["ids"], False)
    assert entry["redacted"] > 0
    assert await opened(scene, scene.owner, entry["ids"][0])
    assert not await opened(scene, scene.owner, picture)


async def test_what_was_withdrawn_before_is_not_taken_over(scene: Scene) -> None:
    said, picture = await with_photo(scene, scene.member, "誤った写真")
    await done(scene, scene.member, "DELETE", f"/api/attachments/{picture}")
    note = await make(scene, scene.owner, messages=[said])
    assert (await read(scene, scene.owner, note))["attachments"] == []
    body = {"version": 1, "blocks": [{"type": "photos", "ids": [picture]}]}
    assert (await call(scene, scene.owner, "PATCH", f"/api/notes/{note}", **body))[0] == 5001


async def test_what_should_not_be_there_is_struck_from_all_versions(scene: Scene) -> None:
    said, _ = await with_photo(scene, scene.member, "個人の電話番号")
    note = await make(scene, scene.owner, messages=[said])
    [taken] = entries(await read(scene, scene.owner, note))
    await change(scene, scene.owner, note, 1, title="二")
    path = f"/api/notes/{note}/entries/{taken['id']}"
    assert (await call(scene, scene.member, "DELETE", path))[0] == 4037
    assert (await call(scene, scene.owner, "DELETE", f"/api/notes/{note}/entries/{new_id(1)}"))[0] == 4036
    await act(scene, lambda tx: rooms.change(tx, scene.owner.actor, scene.room, RoomChange(archived=True)))
    for _ in range(2):
        await done(scene, scene.owner, "DELETE", path)
    for number in (None, 1, 2):
        now = await read(scene, scene.owner, note, number)
        [entry] = entries(now)
        assert (entry["text"], entry["ids"], entry["struck"] > 0, now["attachments"]) == ("", [], True, [])
    assert not await opened(scene, scene.owner, taken["ids"][0])
    history = (await done(scene, scene.owner, "GET", f"/api/notes/{note}/versions"))["items"]
    assert [one["what"] for one in history] == ["struck", "changed", "created"]
    assert [target for _, target, _ in await scene.world.recorded(scene.org, "note.strike")] == [note]


async def test_a_photo_of_a_note_is_taken_back(scene: Scene) -> None:
    picture = await photo(scene, scene.owner)
    note = await make(scene, scene.owner, blocks=[{"type": "photos", "ids": [picture]}])
    assert (await call(scene, scene.member, "DELETE", f"/api/attachments/{picture}"))[0] == 4004
    assert (await call(scene, scene.stranger, "DELETE", f"/api/attachments/{picture}"))[0] == 5001
    await done(scene, scene.owner, "DELETE", f"/api/attachments/{picture}")
    now = await read(scene, scene.member, note)
    assert [(one["state"], one["name"]) for one in now["attachments"]] == [("withdrawn", "")]
    assert not await opened(scene, scene.owner, picture)
    # the page can still be changed around it
    await change(scene, scene.member, note, 1, blocks=[*now["blocks"], *markdown("写真は取り下げた")])


# Who reads them


async def test_photos_are_for_those_who_are_in_the_room(scene: Scene) -> None:
    picture = await photo(scene, scene.owner)
    note = await make(scene, scene.owner, blocks=[{"type": "photos", "ids": [picture]}])
    colleague = await scene.world.person(scene.org, "鈴木 一郎")
    readers = [await opened(scene, who, picture) for who in (scene.owner, scene.member, colleague, scene.stranger)]
    assert readers == [True, True, False, False]
    item = await scene.item(scene.member, picture)
    assert item is not None
    await act(scene, lambda tx: rooms.remove(tx, scene.owner.actor, scene.room, scene.member.id))
    assert (await scene.get(item["addresses"]["thumbnail"])).status_code == 404, "an address made before is dead"
    assert not await opened(scene, scene.member, picture)
    await done(scene, scene.owner, "DELETE", f"/api/notes/{note}")
    assert not await opened(scene, scene.owner, picture)
    await done(scene, scene.owner, "POST", f"/api/notes/{note}/restore", version=1)
    assert await opened(scene, scene.owner, picture)


async def test_a_newcomer_gets_the_photos_of_now_and_not_those_of_before(scene: Scene) -> None:
    said, _ = await with_photo(scene, scene.member, "古い写真")
    kept, gone = await photo(scene, scene.owner), await photo(scene, scene.owner)
    album = {"type": "photos", "ids": [kept, gone]}
    note = await make(scene, scene.owner, blocks=[album], messages=[said])
    [entry] = entries(await read(scene, scene.owner, note))
    await change(scene, scene.owner, note, 1, blocks=[{"type": "photos", "ids": [kept]}])
    await act(scene, lambda tx: rooms.change(tx, scene.owner.actor, scene.room, RoomChange(history="joined")))
    newcomer = await scene.world.person(scene.org, "新人 花子")
    await act(scene, lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, Invitation((newcomer.id,))))
    ids = (kept, gone, entry["ids"][0])
    assert [await opened(scene, newcomer, one) for one in ids] == [True, False, False]
    assert [await opened(scene, scene.member, one) for one in ids] == [True, True, True]
    body = {"version": 2, "blocks": [album]}
    assert (await call(scene, newcomer, "PATCH", f"/api/notes/{note}", **body))[0] == 5001
    await change(scene, scene.owner, note, 2, blocks=[album])
    assert [await opened(scene, newcomer, one) for one in ids] == [True, True, False]
    await change(scene, scene.owner, note, 3, blocks=markdown("なし"))
    assert [await opened(scene, newcomer, one) for one in ids] == [True, True, False]


async def test_a_copy_is_refused_where_its_source_is(scene: Scene) -> None:
    outside = await scene.world.person(scene.org, "高橋 健二", zone="internet")
    await act(scene, lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, Invitation((outside.id,))))
    inside = await scene.sent(scene.member, name="予算.pdf")
    brought = await scene.upload(outside, name="支承.pdf", zone="internet")
    first = (await done(scene, scene.owner, "GET", f"/api/rooms/{scene.room}/messages"))["messages"][-1]["id"]
    second = await post(scene, outside, Files((brought,)))
    note = await make(scene, scene.owner, messages=[first, second])
    copies = [one["id"] for one in (await read(scene, scene.owner, note))["attachments"]]
    for source, copy in zip((inside, brought), copies, strict=True):
        for who, zone in ((scene.owner, "lgwan"), (outside, "internet")):
            of_source, of_copy = await scene.item(who, source, zone), await scene.item(who, copy, zone)
            assert of_source is not None
            assert of_copy is not None
            assert of_source["addresses"].keys() == of_copy["addresses"].keys()
            assert ("refused" in of_source) == ("refused" in of_copy)
    refused = await scene.item(scene.owner, copies[1])
    assert refused is not None
    assert "original" not in refused["addresses"], "received bytes do not pass into the more trusted zone"


# What comes in


async def test_nothing_is_smuggled_in_by_its_id(scene: Scene) -> None:
    elsewhere = await scene.world.room(scene.owner)
    other_room = await photo(scene, scene.owner)
    await post(scene, scene.owner, Photos((other_room,)), room=elsewhere)
    closed = await scene.world.room(scene.member)
    hidden = await photo(scene, scene.member)
    await post(scene, scene.member, Photos((hidden,)), room=closed)
    somebodys = await photo(scene, scene.member)
    strangers = await photo(scene, scene.stranger)
    another_note = await photo(scene, scene.owner)
    await make(scene, scene.owner, blocks=[{"type": "photos", "ids": [another_note]}])
    note = await make(scene, scene.owner, "経過")
    for forged in (other_room, hidden, somebodys, strangers, another_note, new_id(1)):
        for block in ({"type": "photos", "ids": [forged]}, {"type": "pair", "after": forged}):
            assert (await call(scene, scene.owner, "PATCH", f"/api/notes/{note}", version=1, blocks=[block]))[0] == 5001
            body = {"title": "x", "blocks": [block]}
            assert (await call(scene, scene.owner, "POST", f"/api/rooms/{scene.room}/notes", **body))[0] == 5001
    file = await scene.upload(scene.owner)
    block = {"type": "photos", "ids": [file]}
    assert (await call(scene, scene.owner, "PATCH", f"/api/notes/{note}", version=1, blocks=[block]))[0] == 5001
    assert (await read(scene, scene.owner, note))["version"] == 1


async def test_an_upload_is_in_one_place(scene: Scene) -> None:
    picture = await photo(scene, scene.owner)
    album = [{"type": "photos", "ids": [picture]}]
    await make(scene, scene.owner, blocks=album)
    body = {"client_msg_id": "photo-again", "blocks": album}
    assert (await call(scene, scene.owner, "POST", f"/api/rooms/{scene.room}/messages", **body))[0] == 5007
    waiting = [{"type": "photos", "ids": [await photo(scene, scene.owner)]}]
    later = {"at": scene.server.clock.now() + HOUR, "blocks": waiting}
    await done(scene, scene.owner, "POST", f"/api/rooms/{scene.room}/scheduled", **later)
    body = {"title": "x", "blocks": waiting}
    assert (await call(scene, scene.owner, "POST", f"/api/rooms/{scene.room}/notes", **body))[0] == 5007


async def test_the_sweeper_leaves_what_a_note_holds(scene: Scene) -> None:
    picture = await photo(scene, scene.owner)
    note = await make(scene, scene.owner, blocks=[{"type": "photos", "ids": [picture]}])
    await change(scene, scene.owner, note, 1, blocks=markdown("なし"))
    scene.server.clock.ahead += UNSENT_KEPT + DAY
    storage = scene.server.app.storage
    while keys := await storage.read(leftovers.unsent):
        await act(scene, lambda tx, keys=keys: leftovers.forget(tx, keys))
    assert len((await read(scene, scene.owner, note, 1))["attachments"]) == 1
