"""ノート: pages that a room writes together; every version kept, and nothing lost that two write at once."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.domain.limits import NOTE_BLOCKS, NOTE_CHARS, NOTES
from chat_server.services import note_reading, notes, rooms
from chat_server.services.rooms import Invitation, RoomChange
from tests.protocol.test_http_search import ask as search
from tests.support.notes import Wire, call, change, done, make, markdown, read, words
from tests.support.patience import DEADLINE
from tests.support.peer import Peer
from tests.support.uploads import Scene
from tests.support.world import Someone

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


async def act(scene: Scene, use_case: Any) -> Any:
    return await scene.server.app.storage.write(use_case)


async def listed(scene: Scene, who: Someone, **query: str) -> list[str]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    page = await done(scene, who, "GET", f"/api/rooms/{scene.room}/notes?{asked}")
    return [item["title"] for item in page["items"]]


async def test_a_note_is_made_changed_and_read(scene: Scene) -> None:
    department = await scene.world.department(scene.org, "道路課")
    await scene.world.appoint(scene.member, department)
    note = await make(scene, scene.owner, "# 経過", "二つ目", title="  市道3号線\n陥没 ")
    saved = await change(scene, scene.member, note, 1, "# 経過\n舗装が終わりました。")
    assert (saved["version"], "merged" in saved, "conflict" in saved) == (2, False, False)
    now = await read(scene, scene.owner, note)
    assert (now["title"], now["version"], words(now)) == ("市道3号線 陥没", 2, "# 経過\n舗装が終わりました。")
    assert (now["created_by"]["name"], now["updated_by"]["name"]) == ("高橋 健", "田中 美咲")
    assert (now["updated_by"]["department"], now["updated_by"]["post"]) == ("道路課", "主事")
    assert words(await read(scene, scene.owner, note, 1)) == "# 経過\n二つ目"
    history = (await done(scene, scene.owner, "GET", f"/api/notes/{note}/versions"))["items"]
    assert [(one["version"], one["what"], one["author"]["name"], one["base"]) for one in history] == [
        (2, "changed", "田中 美咲", 1), (1, "created", "高橋 健", None),
    ]  # fmt: skip
    assert await listed(scene, scene.member) == ["市道3号線 陥没"]


async def test_what_is_no_id_answers_as_what_does_not_exist(scene: Scene) -> None:
    note = await make(scene, scene.owner, "経過")
    for method, path, code in (
        ("GET", "%00", 4030), ("GET", "%E9%81%93/versions", 4030), ("GET", "%00/export.zip", 4030), ("GET", "v" * 26, 4030),
        ("DELETE", f"{note}/entries/%00", 4036), ("GET", f"{note}/versions/%00", 4031),
    ):  # fmt: skip
        assert (await call(scene, scene.owner, method, f"/api/notes/{path}"))[0] == code, path


async def test_authors_stay_as_they_were(scene: Scene) -> None:
    note = await make(scene, scene.member, "経過")
    await act(scene, lambda tx: tx.run("UPDATE users SET name = '鈴木 美咲' WHERE id = ?", scene.member.actor.user_id))
    assert (await read(scene, scene.owner, note))["created_by"]["name"] == "田中 美咲"


async def test_text_is_cleaned_and_stays_text(scene: Scene) -> None:
    script = "<script>alert(1)</script> [x](javascript:alert(1))"
    note = await make(scene, scene.owner, f"\u202e{script}\r\n\x07が", "  \n ", title="\u202e<b>題</b>")
    now = await read(scene, scene.owner, note)
    assert (now["title"], [block["text"] for block in now["blocks"]]) == ("<b>題</b>", [f"{script}\nが"])


@pytest.mark.parametrize("title", ["", " \n", "x" * 101, None])
async def test_a_title_that_is_none_is_refused(scene: Scene, title: str | None) -> None:
    assert (await call(scene, scene.owner, "POST", f"/api/rooms/{scene.room}/notes", title=title))[0] == 2001


async def test_a_change_that_is_none_makes_no_version(scene: Scene) -> None:
    note = await make(scene, scene.owner, "経過")
    assert await change(scene, scene.owner, note, 1, "経過") == {"room": scene.room, "id": note, "version": 1}
    assert await change(scene, scene.owner, note, 1, title="経過") == {"room": scene.room, "id": note, "version": 1}


# At once


async def test_what_two_write_at_once_is_merged(scene: Scene) -> None:
    note = await make(scene, scene.owner, "一\n二\n三\n四\n五")
    await change(scene, scene.owner, note, 1, "一\n二番\n三\n四\n五")
    saved = await change(scene, scene.member, note, 1, "一\n二\n三\n四番\n五", title="補修の経過")
    assert (saved["version"], saved["merged"], "conflict" in saved) == (3, True, False)
    now = await read(scene, scene.owner, note)
    assert (now["title"], words(now)) == ("補修の経過", "一\n二番\n三\n四番\n五")
    assert (now["updated_by"]["name"], now["conflict"]) == ("田中 美咲", False)


async def test_of_a_conflict_both_sides_stand_in_the_text(scene: Scene) -> None:
    note = await make(scene, scene.owner, "一\n二\n三")
    await change(scene, scene.owner, note, 1, "一\n管理者の案\n三", title="甲")
    saved = await change(scene, scene.member, note, 1, "一\n係の案\n三", title="乙")
    assert (saved["merged"], saved["conflict"]) == (True, True)
    now = await read(scene, scene.owner, note)
    assert now["title"] == "甲"
    assert words(now).split("\n") == [
        "〔田中 美咲 の題名: 乙〕", "一", "〔同時に編集されました: 高橋 健〕", "管理者の案", "〔同時に編集されました: 田中 美咲〕",
        "係の案", "〔ここまで〕", "三",
    ]  # fmt: skip
    history = (await done(scene, scene.owner, "GET", f"/api/notes/{note}/versions"))["items"]
    assert [one["conflict"] for one in history] == [True, False, False]


async def test_many_at_once_lose_nothing(scene: Scene) -> None:
    """More than those that are merged beside the writer."""
    note = await make(scene, scene.owner, "\n".join(f"{n}. 班" for n in range(12)))
    lines = words(await read(scene, scene.owner, note)).split("\n")

    async def write(number: int) -> Any:
        mine = [*lines]
        mine[number] += f" 担当{number}"
        who = (scene.owner, scene.member)[number % 2]
        return await change(scene, who, note, 1, "\n".join(mine))

    await asyncio.gather(*(write(number) for number in range(12)))
    now = await read(scene, scene.owner, note)
    assert now["version"] == 13
    for number in range(12):
        assert f"担当{number}" in words(now)


async def test_a_base_that_is_none_is_refused(scene: Scene) -> None:
    note = await make(scene, scene.owner, "経過")
    for version in (2, 10**9):
        assert (await call(scene, scene.owner, "PATCH", f"/api/notes/{note}", version=version, title="x"))[0] == 4031
    for number in ("2", "0", "x", "9" * 30):
        assert (await call(scene, scene.owner, "GET", f"/api/notes/{note}/versions/{number}"))[0] == 4031


async def test_an_idempotency_key_gives_the_first_answer_again(scene: Scene) -> None:
    note = await make(scene, scene.owner, "経過")
    async with scene.server.client(scene.owner.token) as client:
        for _ in range(2):
            answer = await client.patch(
                f"/api/notes/{note}", json={"version": 1, "title": "二"}, headers={"Idempotency-Key": "patch-once"}
            )
            assert answer.json()["version"] == 2
    assert (await read(scene, scene.owner, note))["version"] == 2


# Deleting and bringing back


async def test_a_deleted_note_is_gone_and_comes_back_from_its_history(scene: Scene) -> None:
    note = await make(scene, scene.member, "経過")
    await change(scene, scene.owner, note, 1, "別の経過")
    third = await scene.world.person(scene.org, "佐々木 葵")
    await act(scene, lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, Invitation((third.id,))))
    assert (await call(scene, third, "DELETE", f"/api/notes/{note}"))[0] == 4037
    assert (await call(scene, scene.member, "DELETE", f"/api/notes/{note}"))[0] == 204
    assert await listed(scene, scene.owner) == []
    for method, path in (("GET", ""), ("GET", "/versions"), ("GET", "/versions/1"), ("DELETE", "")):
        assert (await call(scene, third, method, f"/api/notes/{note}{path}"))[0] == 4030
    assert (await call(scene, third, "POST", f"/api/notes/{note}/restore", version=1))[0] == 4030
    assert (await call(scene, scene.owner, "PATCH", f"/api/notes/{note}", version=2, title="x"))[0] == 4030
    assert await listed(scene, third, deleted="true") == []
    assert await listed(scene, scene.member, deleted="true") == ["経過"]
    assert words(await read(scene, scene.owner, note)) == "別の経過"
    assert (await call(scene, scene.owner, "POST", f"/api/notes/{note}/restore", version=3))[0] == 4031
    assert (await done(scene, scene.owner, "POST", f"/api/notes/{note}/restore", version=1))["version"] == 4
    assert words(await read(scene, third, note)) == "経過"
    history = (await done(scene, third, "GET", f"/api/notes/{note}/versions"))["items"]
    assert [one["what"] for one in history] == ["restored", "deleted", "changed", "created"]
    acts = [await scene.world.recorded(scene.org, name) for name in ("note.delete", "note.restore")]
    assert [[target for _, target, _ in rows] for rows in acts] == [[note], [note]]


async def test_an_older_version_becomes_the_present_one(scene: Scene) -> None:
    note = await make(scene, scene.owner, "初版")
    await change(scene, scene.member, note, 1, "誤って消した")
    assert (await done(scene, scene.member, "POST", f"/api/notes/{note}/restore", version=1))["version"] == 3
    assert words(await read(scene, scene.owner, note)) == "初版"
    assert words(await read(scene, scene.owner, note, 2)) == "誤って消した"


# Who may


async def test_an_archived_room_is_only_read(scene: Scene) -> None:
    note = await make(scene, scene.owner, "経過")
    await act(scene, lambda tx: rooms.change(tx, scene.owner.actor, scene.room, RoomChange(archived=True)))
    assert (await read(scene, scene.member, note))["can"] == {"change": False, "delete": False}
    tried: tuple[tuple[str, str, Wire], ...] = (
        ("POST", f"/api/rooms/{scene.room}/notes", {"title": "x"}),
        ("PATCH", f"/api/notes/{note}", {"version": 1, "title": "x"}),
        ("POST", f"/api/notes/{note}/restore", {"version": 1}),
        ("DELETE", f"/api/notes/{note}", {}),
    )
    for method, path, body in tried:
        assert (await call(scene, scene.owner, method, path, **body))[0] == 3002


async def test_in_an_announcement_room_its_owners_write(scene: Scene) -> None:
    owner = await scene.world.person(scene.org, "佐藤 一", role=ORGANIZATION_ADMIN)
    scene.room = await scene.world.room(owner, scene.member, kind="announcement")
    note = await make(scene, owner, "お知らせ")
    assert words(await read(scene, scene.member, note)) == "お知らせ"
    assert (await call(scene, scene.member, "POST", f"/api/rooms/{scene.room}/notes", title="x"))[0] == 3003
    assert (await call(scene, scene.member, "PATCH", f"/api/notes/{note}", version=1, title="x"))[0] == 3003


async def test_who_left_reads_nothing_any_more(scene: Scene) -> None:
    note = await make(scene, scene.member, "経過")
    await act(scene, lambda tx: rooms.remove(tx, scene.owner.actor, scene.room, scene.member.id))
    for who in (scene.member, scene.stranger):
        for method, path in (("GET", ""), ("GET", "/versions"), ("GET", "/versions/1"), ("DELETE", "")):
            assert (await call(scene, who, method, f"/api/notes/{note}{path}"))[0] == 4030
        assert (await call(scene, who, "PATCH", f"/api/notes/{note}", version=1, title="x"))[0] == 4030
        assert (await call(scene, who, "GET", f"/api/rooms/{scene.room}/notes"))[0] == 3001


async def newcomer_of(scene: Scene) -> Someone:
    """To whom the room does not show what was said before."""
    await act(scene, lambda tx: rooms.change(tx, scene.owner.actor, scene.room, RoomChange(history="joined")))
    newcomer = await scene.world.person(scene.org, "新人 花子")
    await act(scene, lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, Invitation((newcomer.id,))))
    return newcomer


async def test_a_newcomer_reads_notes_as_they_are_and_not_what_they_were(scene: Scene) -> None:
    note = await make(scene, scene.owner, "消される前の文")
    await change(scene, scene.owner, note, 1, "今の文")
    newcomer = await newcomer_of(scene)
    assert words(await read(scene, newcomer, note)) == "今の文"
    assert (await call(scene, newcomer, "GET", f"/api/notes/{note}/versions/1"))[0] == 4031
    assert (await call(scene, newcomer, "POST", f"/api/notes/{note}/restore", version=1))[0] == 4031
    assert (await call(scene, newcomer, "PATCH", f"/api/notes/{note}", version=1, title="x"))[0] == 4031
    await change(scene, scene.member, note, 2, "次の文")
    history = (await done(scene, newcomer, "GET", f"/api/notes/{note}/versions"))["items"]
    assert [one["version"] for one in history] == [3, 2], "what was there when they came stays theirs to read"
    assert words(await read(scene, newcomer, note, 2)) == "今の文"


# The stream


async def test_members_hear_and_a_replay_shows_the_state_of_now(scene: Scene) -> None:
    device = await Peer.live(scene.server.ports["lgwan"], scene.member.token)
    note = await make(scene, scene.owner, "経過", title="甲")
    await change(scene, scene.owner, note, 1, title="乙")
    await done(scene, scene.owner, "DELETE", f"/api/notes/{note}")
    heard = [await device.event("note") for _ in range(3)]
    told = [(one["title"], one["version"], one["what"]) for one in heard]
    assert told == [("甲", 1, "created"), ("乙", 2, "changed"), ("", 3, "deleted")]
    assert {(one["id"], one["by"]) for one in heard} == {(note, scene.owner.id)}

    async def replayed() -> list[tuple[str, int, str]]:
        page = await device.ask("pull", room=scene.room, after=heard[0]["seq"] - 1)
        return [(one["title"], one["version"], one["what"]) for one in page["events"] if one["kind"] == "note"]

    assert await replayed() == [("", 3, "deleted")] * 3
    await done(scene, scene.owner, "POST", f"/api/notes/{note}/restore", version=1)
    assert await replayed() == [("甲", 4, what) for what in ("created", "changed", "changed", "changed")]
    await device.close()


async def test_a_newcomer_does_not_hear_of_what_was_before(scene: Scene) -> None:
    await make(scene, scene.owner, "経過")
    newcomer = await newcomer_of(scene)
    device = await Peer.live(scene.server.ports["lgwan"], newcomer.token)
    page = await device.ask("pull", room=scene.room, after=0)
    assert [one["kind"] for one in page["events"] if one["kind"] == "note"] == []
    assert "stub" in [one["kind"] for one in page["events"]]
    await device.close()


# How much


async def test_a_note_holds_so_much_and_no_more(scene: Scene) -> None:
    path = f"/api/rooms/{scene.room}/notes"
    many = markdown(*"x" * (NOTE_BLOCKS + 1))
    assert (await call(scene, scene.owner, "POST", path, title="x", blocks=many))[0] == 2001
    half = "あ" * (NOTE_CHARS // 2)
    assert (await call(scene, scene.owner, "POST", path, title="x", blocks=markdown(half, half + "い")))[0] == 4033
    note = await make(scene, scene.owner, half, half)
    assert (
        await call(scene, scene.owner, "PATCH", f"/api/notes/{note}", version=1, blocks=markdown(half, half, "い"))
    )[0] == 4033
    said = (await scene.world.post(scene.owner, scene.room)).id
    assert (await call(scene, scene.owner, "PATCH", f"/api/notes/{note}", version=1, messages=[said]))[0] == 4033


async def test_what_comes_into_a_note_has_to_fit(scene: Scene) -> None:
    note = await make(scene, scene.owner, *"x" * NOTE_BLOCKS)
    said = (await scene.world.post(scene.owner, scene.room)).id
    assert (await call(scene, scene.owner, "PATCH", f"/api/notes/{note}", version=1, messages=[said]))[0] == 4034
    assert (await read(scene, scene.owner, note))["version"] == 1


async def test_of_several_nobody_is_named_for_anothers_words(scene: Scene) -> None:
    note = await make(scene, scene.owner, "一\n二\n三")
    await change(scene, scene.owner, note, 1, "一\n管理者の案\n三")
    await change(scene, scene.member, note, 2, "一\n管理者の案\n三番")
    assert (await change(scene, scene.member, note, 1, "一\n係の案\n三"))["conflict"]
    assert "〔同時に編集されました: ほかのメンバー〕\n管理者の案" in words(await read(scene, scene.owner, note))


async def test_what_a_merge_makes_too_long_is_refused_and_changes_nothing(scene: Scene) -> None:
    half = "あ" * (NOTE_CHARS // 2)
    note = await make(scene, scene.owner, half)
    await change(scene, scene.owner, note, 1, half, "い" * 20_000)
    body = {"version": 1, "blocks": markdown(half, "う" * 40_000)}
    assert (await call(scene, scene.member, "PATCH", f"/api/notes/{note}", **body))[0] == 4033
    assert (await read(scene, scene.owner, note))["version"] == 2


async def test_a_room_has_so_many_and_no_more(scene: Scene) -> None:
    async def fill(tx: Any) -> None:
        for _ in range(NOTES):
            await notes.create(tx, scene.owner.actor, scene.room, "埋め草", (), ())

    await act(scene, fill)
    path = f"/api/rooms/{scene.room}/notes"
    assert (await call(scene, scene.owner, "POST", path, title="x"))[0] == 4032
    page = await done(scene, scene.owner, "GET", f"{path}?limit=200")
    seen = [item["id"] for item in page["items"]]
    while page["next"]:
        page = await done(scene, scene.owner, "GET", f"{path}?limit=200&cursor={page['next']}")
        seen += [item["id"] for item in page["items"]]
    assert len(set(seen)) == len(seen) == NOTES
    await done(scene, scene.owner, "DELETE", f"/api/notes/{seen[0]}")
    await make(scene, scene.owner, "空いた")
    assert (await call(scene, scene.owner, "POST", f"/api/notes/{seen[0]}/restore", version=1))[0] == 4032


# Finding


async def indexed(scene: Scene) -> None:
    """Until the index has come to where the database is."""
    app = scene.server.app
    async with asyncio.timeout(DEADLINE):
        while True:
            position = await app.index.position("notes")
            sql = "SELECT count(*) FROM note_versions WHERE id > ?"
            [left] = await app.storage.read(partial(_one, sql=sql, position=position))
            if left == 0:
                return
            app.indexer.wake()
            await asyncio.sleep(0.01)  # the indexer has no event for it


async def _one(reader: Any, sql: str, position: int) -> Any:
    return await reader.one(sql, position)


async def found(scene: Scene, who: Someone, sought: str, **narrowed: Any) -> list[Wire]:
    await indexed(scene)
    items: list[Wire] = (await search(scene, who, sought, **narrowed))["items"]
    return items


async def test_a_note_is_found_by_its_title_its_words_and_what_was_taken_over(scene: Scene) -> None:
    said = (await scene.world.post(scene.member, scene.room)).id  # 確認しました。
    note = await make(scene, scene.owner, "国道１２号の倒木", title="ﾊﾟﾄﾛｰﾙ記録", messages=[said])
    for sought in ("倒木", "12号", "ぱとろーる", "パトロール 倒木"):
        [item] = await found(scene, scene.member, sought)
        assert (item["kind"], item["note"], item["message"], item["seq"], item["room"]) == (
            "note", {"id": note, "title": "ﾊﾟﾄﾛｰﾙ記録"}, None, None, scene.room,
        ), sought  # fmt: skip
        assert item["author"]["name"] == "高橋 健"
    kinds = [item["kind"] for item in await found(scene, scene.owner, "確認")]
    assert kinds == ["note", "message"], "notes stand first"
    assert [item["kind"] for item in await found(scene, scene.owner, "確認", kinds=["note"])] == ["note"]
    assert [item["kind"] for item in await found(scene, scene.owner, "確認", kinds=["message"])] == ["message"]


async def test_nobody_finds_a_note_that_they_may_not_read(scene: Scene) -> None:
    note = await make(scene, scene.owner, "監査の準備")
    newcomer = await newcomer_of(scene)
    assert len(await found(scene, newcomer, "監査")) == 1, "as it is now"
    assert await found(scene, scene.stranger, "監査") == []
    await act(scene, lambda tx: rooms.remove(tx, scene.owner.actor, scene.room, scene.member.id))
    assert await found(scene, scene.member, "監査") == []
    await change(scene, scene.owner, note, 1, "別の言い方")
    # also at once, while the index still has the old words
    assert (await search(scene, scene.owner, "監査"))["items"] == []
    assert await found(scene, scene.owner, "監査") == []
    assert len(await found(scene, scene.owner, "別の言い方")) == 1
    await done(scene, scene.owner, "DELETE", f"/api/notes/{note}")
    assert (await search(scene, scene.owner, "別の言い方"))["items"] == []
    assert await found(scene, scene.owner, "別の言い方") == []
    await done(scene, scene.owner, "POST", f"/api/notes/{note}/restore", version=1)
    assert len(await found(scene, scene.owner, "監査")) == 1


async def test_a_search_for_notes_is_narrowed_and_paged(scene: Scene) -> None:
    for number in range(5):
        await make(scene, scene.owner, f"頁 {number}")
    await scene.world.post(scene.member, scene.room)
    clock = scene.server.clock
    border = clock.now() + 1
    clock.ahead += 60_000
    await make(scene, scene.member, "頁 五")
    assert len(await found(scene, scene.owner, "頁", by=scene.member.id)) == 1
    assert len(await found(scene, scene.owner, "頁", since=border)) == 1
    assert len(await found(scene, scene.owner, "頁", until=border)) == 5
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await search(scene, scene.owner, "頁", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [item["note"]["id"] for item in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert len(set(seen)) == len(seen) == 6


# For exports


async def test_who_prints_it_gets_all_of_it_in_order(scene: Scene) -> None:
    said = (await scene.world.post(scene.member, scene.room)).id
    note = await make(scene, scene.owner, "# 経過", messages=[said])
    await change(scene, scene.member, note, 1, title="補修の経過")
    printed = await scene.server.app.storage.read(lambda reader: note_reading.rendered(reader, scene.owner.actor, note))
    assert (printed.title, printed.version) == ("補修の経過", 2)
    assert [author["name"] for author in printed.authors] == ["高橋 健", "田中 美咲"]
    assert [(block.kind, block.texts) for block in printed.blocks] == [
        ("markdown", ("# 経過",)), ("entry", ("確認しました。",)),
    ]  # fmt: skip
