"""Finding what was said, and nothing that the seeker may not read now, from here (security.md, 5, 6, 9, 10, 13, 14, 39)."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from chat_server.ports import Reader, Row
from chat_server.services import rooms
from chat_server.services.blocks import Text
from chat_server.services.changing import edit, redact
from chat_server.services.commands import Edit, Redact
from chat_server.services.drafts import draft
from tests.support.patience import DEADLINE
from tests.support.server import RunningServer
from tests.support.uploads import Scene
from tests.support.world import Someone
from tests.unit.document_samples import pages, words

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


async def ask(scene: Scene, who: Someone, sought: str, *, zone: str = "lgwan", **narrowed: Any) -> dict[str, Any]:
    async with scene.server.client(who.token, zone) as client:
        answer = await client.post("/api/search", json={"words": sought, **narrowed})
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page


async def found(scene: Scene, who: Someone, sought: str, **narrowed: Any) -> list[tuple[str, str]]:
    """(kind, what was found) once the index has everything."""
    await indexed(scene.server)
    page = await ask(scene, who, sought, **narrowed)
    return [(item["kind"], "".join(piece["text"] for piece in item["excerpt"])) for item in page["items"]]


async def indexed(server: RunningServer) -> None:
    """Until the index has come to where the database is."""
    app = server.app
    async with asyncio.timeout(DEADLINE):
        while True:
            position = await app.index.position()
            sql = "SELECT (SELECT count(*) FROM messages WHERE id > ?) + (SELECT count(*) FROM search_changes)"
            [left] = await app.storage.read(partial(_one, sql=sql, position=position))
            if left == 0:
                return
            app.indexer.wake()
            await asyncio.sleep(0.01)  # the indexer has no event for it


async def _one(reader: Reader, sql: str, position: int) -> Row:
    row = await reader.one(sql, position)
    assert row is not None
    return row


async def test_a_word_is_found_in_every_writing(scene: Scene) -> None:
    await scene.world.post(scene.member, scene.room, Text("国道１２号で倒木。ﾊﾟﾄﾛｰﾙ中の髙橋さんが発見"))
    for sought in ("倒木", "木", "12号", "パトロール", "ぱとろーる", "高橋", "国道 発見", "ﾊﾟﾄﾛｰﾙ"):
        assert await found(scene, scene.owner, sought) == [("message", "国道１２号で倒木。ﾊﾟﾄﾛｰﾙ中の髙橋さんが発見")], (
            sought
        )
    for sought in ("倒 木 草", "木倒", "13号"):
        assert await found(scene, scene.owner, sought) == [], sought


async def test_what_was_found_is_marked_in_its_own_writing(scene: Scene) -> None:
    await scene.world.post(scene.member, scene.room, Text("あ" * 50 + "ﾊﾟﾄﾛｰﾙ" + "い" * 200))
    await indexed(scene.server)
    [item] = (await ask(scene, scene.owner, "ぱとろーる"))["items"]
    assert [piece["text"] for piece in item["excerpt"] if piece["hit"]] == ["ﾊﾟﾄﾛｰﾙ"]
    assert item["excerpt"][0]["text"] == "…"
    assert item["excerpt"][-1]["text"] == "…"
    assert item["author"]["name"] == "田中 美咲"
    assert (item["room"], item["kind"], item["attachment"]) == (scene.room, "message", None)


async def test_files_are_found_by_name_and_documents_by_what_they_say(scene: Scene) -> None:
    await until_read(scene, await scene.sent(scene.member, pages(words("culvert inspection")), "側溝の点検.pdf"))
    assert await found(scene, scene.owner, "側溝") == [("file", "側溝の点検.pdf")]
    [(kind, said)] = await found(scene, scene.owner, "culvert")
    assert kind == "document"
    assert "culvert inspection" in said
    assert await found(scene, scene.owner, "culvert", kinds=["message", "file"]) == []


async def until_read(scene: Scene, file: str) -> None:
    """Until the document's text has come."""
    async with asyncio.timeout(60):
        while True:
            item = await scene.item(scene.owner, file)
            if item is not None and "text" in item["addresses"]:
                return
            await asyncio.sleep(0.05)  # the worker's event goes to sockets


async def test_a_document_is_found_where_its_text_may_be_read_and_nowhere_else(scene: Scene) -> None:
    outside = await scene.world.person(scene.org, "高橋 健二", zone="internet")
    invited = rooms.Invitation((outside.id,))
    await scene.server.app.storage.write(lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, invited))
    brought = await scene.sent(outside, pages(words("bridge bearing")), "支承.pdf", zone="internet")
    budget = await scene.sent(scene.member, pages(words("budget draft")), "予算.pdf")
    await until_read(scene, brought)
    await until_read(scene, budget)
    # characters alone go in: there is nothing in them to obey
    assert [kind for kind, _ in await found(scene, scene.owner, "bearing")] == ["document"]
    assert len((await ask(scene, outside, "budget", zone="internet"))["items"]) == 1
    await scene.server.app.storage.write(
        lambda tx: tx.run("UPDATE rooms SET outflow = 'text' WHERE public_id = ?", scene.room)
    )
    assert (await ask(scene, outside, "budget", zone="internet"))["items"] == []
    assert len(await found(scene, scene.owner, "budget")) == 1
    async with scene.server.client(scene.owner.token) as client:
        assert (await client.delete(f"/api/attachments/{brought}")).status_code == 204
    for sought in ("bearing", "支承"):
        assert (await ask(scene, scene.owner, sought))["items"] == []
        assert await found(scene, scene.owner, sought) == []


async def test_an_edit_is_found_by_its_new_words_and_a_redacted_message_by_none(scene: Scene) -> None:
    ack = await scene.world.post(scene.owner, scene.room, Text("古い言葉"))
    assert ack.id is not None
    assert len(await found(scene, scene.member, "古い言葉")) == 1
    command = Edit(ref=1, message=ack.id, version=1, blocks=(Text("別の言い方"),))
    await scene.server.app.storage.write(lambda tx: edit(tx, scene.owner.actor, draft(command)))
    # also at once, while the index still has the old words
    assert (await ask(scene, scene.member, "古い言葉"))["items"] == []
    assert await found(scene, scene.member, "古い") == []
    assert len(await found(scene, scene.member, "別の言い方")) == 1
    gone = Redact(ref=1, message=ack.id, how="redacted")
    await scene.server.app.storage.write(lambda tx: redact(tx, scene.owner.actor, gone))
    assert (await ask(scene, scene.member, "別の言い方"))["items"] == []
    assert await found(scene, scene.member, "別の言い方") == []


async def test_nobody_finds_what_they_may_not_read(scene: Scene) -> None:
    await scene.world.post(scene.owner, scene.room, Text("監査の準備"))
    colleague = await scene.world.person(scene.org, "鈴木 一郎")
    assert len(await found(scene, scene.member, "監査")) == 1
    for who in (colleague, scene.stranger):
        assert await found(scene, who, "監査") == []
        async with scene.server.client(who.token) as client:
            answer = await client.post("/api/search", json={"words": "監査", "room": scene.room})
            assert answer.json()["error"]["code"] == 3001
    await scene.server.app.storage.write(lambda tx: rooms.remove(tx, scene.owner.actor, scene.room, scene.member.id))
    assert await found(scene, scene.member, "監査") == []


async def test_a_newcomer_without_history_finds_what_came_after(scene: Scene) -> None:
    await scene.world.post(scene.owner, scene.room, Text("以前の議題"))
    async with scene.server.client(scene.owner.token) as client:
        assert (await client.patch(f"/api/rooms/{scene.room}", json={"history": "joined"})).status_code == 200
    newcomer = await scene.world.person(scene.org, "新人 花子")
    invited = rooms.Invitation((newcomer.id,))
    await scene.server.app.storage.write(lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, invited))
    await scene.world.post(scene.owner, scene.room, Text("今後の議題"))
    assert await found(scene, newcomer, "議題") == [("message", "今後の議題")]
    assert len(await found(scene, scene.owner, "議題")) == 2


async def test_it_is_narrowed_by_room_author_department_kind_and_day(scene: Scene) -> None:
    other = await scene.world.room(scene.owner)
    clock = scene.server.clock
    first = await scene.world.post(scene.owner, scene.room, Text("会議 一"))
    clock.ahead = 120_000
    await scene.world.post(scene.member, scene.room, Text("会議 二"))
    await scene.world.post(scene.owner, other, Text("会議 三"))
    assert [said for _, said in await found(scene, scene.owner, "会議")] == ["会議 三", "会議 二", "会議 一"]
    assert await found(scene, scene.owner, "会議", room=other) == [("message", "会議 三")]
    assert await found(scene, scene.owner, "会議", by=scene.member.id) == [("message", "会議 二")]
    assert await found(scene, scene.owner, "会議", by="0" * 26) == []
    assert first.at is not None
    later = first.at + 60_000
    assert [said for _, said in await found(scene, scene.owner, "会議", since=later)] == ["会議 三", "会議 二"]
    assert await found(scene, scene.owner, "会議", until=later) == [("message", "会議 一")]
    assert await found(scene, scene.owner, "会議", kinds=["photo", "file"]) == []
    assert await found(scene, scene.owner, "会議", department="ない課") == []


async def test_pages_follow_each_other(scene: Scene) -> None:
    for number in range(7):
        await scene.world.post(scene.owner, scene.room, Text(f"頁 {number}"))
    await indexed(scene.server)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await ask(scene, scene.owner, "頁", limit=3, **({"cursor": cursor} if cursor else {}))
        seen += ["".join(piece["text"] for piece in item["excerpt"]) for item in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == [f"頁 {number}" for number in reversed(range(7))]


@pytest.mark.parametrize(
    "sought",
    [
        '"',
        "'",
        "*",
        "道路*",
        "AND",
        "道路 OR 橋",
        "NEAR(a b)",
        ":",
        "\\",
        "%",
        "_",
        "'; DROP TABLE x --",
        "-a",
        "^b",
        "{}",
    ],
)
async def test_the_languages_of_the_engines_are_plain_text(scene: Scene, sought: str) -> None:
    assert await found(scene, scene.owner, sought) == []
    await scene.world.post(scene.owner, scene.room, Text(f"前{sought}後"))
    assert [said for _, said in await found(scene, scene.owner, sought)] == [f"前{sought}後"]


@pytest.mark.parametrize(
    "body", [{}, {"words": ""}, {"words": " \u200b "}, {"words": 1}, {"words": {"$gt": ""}}, {"words": "x" * 201}]
)
async def test_what_is_no_question_is_refused(scene: Scene, body: dict[str, Any]) -> None:
    async with scene.server.client(scene.owner.token) as client:
        answer = await client.post("/api/search", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, 2001)
