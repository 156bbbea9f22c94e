"""Notes as documents: on paper as a section chief signs them, in a ZIP with the hash of everything, and never more than one may
read from here (security.md, 12, 14, 26, 30, 39)."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import zipfile
from pathlib import PurePosixPath
from typing import Any

import httpx2
import pypdfium2
import pytest

from chat_server.domain.limits import HOUR
from chat_server.printing import archive
from chat_server.services import changing, rooms
from chat_server.services.blocks import Photos, Text
from chat_server.services.commands import Redact
from chat_server.services.rooms import Invitation
from tests.support.notes import change, make, photo, read, token
from tests.support.patience import DEADLINE
from tests.support.uploads import PDF, Scene
from tests.support.world import Someone

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


async def act(scene: Scene, use_case: Any) -> Any:
    return await scene.server.app.storage.write(use_case)


async def export(
    scene: Scene, who: Someone, note: str, kind: str, zone: str = "lgwan", version: int | None = None
) -> httpx2.Response:
    async with scene.server.client(token(scene, who), zone) as client:
        params = {} if version is None else {"version": version}
        return await client.get(f"/api/notes/{note}/export.{kind}", params=params)


def on_paper(answer: httpx2.Response) -> list[str]:
    """The words of each page."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    document = pypdfium2.PdfDocument(answer.content)
    return [document[number].get_textpage().get_text_range() for number in range(len(document))]


def unpacked(answer: httpx2.Response) -> zipfile.ZipFile:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    return zipfile.ZipFile(io.BytesIO(answer.content))


async def repair(scene: Scene) -> tuple[str, str]:
    """(a note of a morning's messages with photos, before and after, and a file; its file)"""
    place = await scene.world.department(scene.org, "道路課")
    await scene.world.appoint(scene.member, place)
    first, second = await photo(scene, scene.member), await photo(scene, scene.owner)
    one = await scene.world.post(scene.member, scene.room, Text("3号線に倒木 <b>太字でない</b>"), Photos((first,)))
    two = await scene.world.post(scene.owner, scene.room, Text("撤去しました"), Photos((second,)))
    file = await scene.sent(scene.owner)
    pair = {"type": "pair", "before": first, "after": second, "after_caption": "撤去の後"}
    blocks = [{"type": "markdown", "text": "# 倒木の経過\n**至急**対応した。"}, pair, {"type": "files", "ids": [file]}]
    note = await make(scene, scene.owner, title='倒木: 3号線/緑橋 "至急"', blocks=blocks, messages=[two.id, one.id])
    return note, file


async def test_the_note_of_a_fallen_tree_on_a4(scene: Scene) -> None:
    note, _ = await repair(scene)
    answer = await export(scene, scene.member, note, "pdf")
    told = " ".join(on_paper(answer)).replace("\u00a0", " ")
    for words in (
        '倒木: 3号線/緑橋 "至急"', "課長", "係長", "担当", "みどり野市", "道路課 現場連絡", "作成", "第1版", "出力", "令和", "倒木の経過",
        "至急対応した。", "3号線に倒木 <b>太字でない</b>", "田中 美咲（道路課 主事）", "撤去しました", "着手前", "写真1", "撤去の後", "写真4",
        "ファイル: 図面.pdf", "1 / ",
    ):  # fmt: skip
        assert words in told, (words, told)
    assert "**" not in told
    assert told.index("3号線に倒木") < told.index("撤去しました")
    name = answer.headers["content-disposition"]
    assert name.startswith("attachment; filename*=UTF-8''")
    assert "%22" not in name, "no name that a file system refuses"
    document = pypdfium2.PdfDocument(answer.content)
    pictures = [one for page in document for one in page.get_objects() if one.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]
    assert len(pictures) == 4


async def test_a_zip_has_everything_with_its_hash(scene: Scene) -> None:
    note, file = await repair(scene)
    made = unpacked(await export(scene, scene.owner, note, "zip"))
    names = made.namelist()
    lines = made.read(archive.SUMS).decode().splitlines()
    sums = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    assert set(sums) == set(names) - {archive.SUMS}
    assert {name: hashlib.sha256(made.read(name)).hexdigest() for name in sums} == sums
    kinds = [PurePosixPath(name).parts[0] for name in names]
    assert (kinds.count("写真"), kinds.count("ファイル")) == (4, 1)
    assert made.read("ファイル/001 図面.pdf") == PDF
    listed = json.loads(made.read("ノート.json"))
    assert listed["note"]["id"] == note
    of_file = next(one for one in listed["files"] if one["id"] == file or one["kind"] == "file")
    assert (of_file["what"], of_file["sha256"]) == ("original", hashlib.sha256(PDF).hexdigest())
    photos = [one for one in listed["files"] if one["kind"] == "photo"]
    assert {one["what"] for one in photos} == {"sanitized"}, "originals of photos are sealed"
    assert all(one["original_sha256"] and one["original_sha256"] != one["sha256"] for one in photos)
    text = made.read("ノート.md").decode()
    assert "> 3号線に倒木 <b>太字でない</b>" in text
    assert all(f"({one['file']}" in text.replace("<", "") for one in listed["files"])
    assert made_files(scene) == []


def made_files(scene: Scene) -> list[str]:
    """What is left of exports, on the disk."""
    return [path.name for path in scene.server.app.parts.scratch.rglob("*.zip")]


async def test_whoever_does_not_read_what_they_asked_for_gets_no_second_one_and_others_get_theirs(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat_server.http.inflight.WAIT_SECONDS", 0.2)
    large = PDF + os.urandom(24 << 20)  # more than lies on the way
    note = await make(scene, scene.owner, blocks=[{"type": "files", "ids": [await scene.sent(scene.owner, large)]}])
    reader, slow = await asyncio.open_connection("127.0.0.1", scene.server.ports["lgwan"], limit=1024)
    head = (
        f"GET /api/notes/{note}/export.zip HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {scene.owner.token}\r\n"
    )
    slow.write(f"{head}\r\n".encode())
    assert b"200" in await reader.readline()
    for kind in ("pdf", "zip"):
        assert (await export(scene, scene.owner, note, kind)).json()["error"]["code"] == 8008
    assert (await export(scene, scene.member, note, "zip")).status_code == 200
    slow.transport.abort()
    async with asyncio.timeout(DEADLINE):
        while (await export(scene, scene.owner, note, "zip")).status_code != 200:
            pass


@pytest.mark.parametrize(("kind", "act_"), [("pdf", "print"), ("zip", "pack")])
async def test_whoever_is_taken_out_while_it_is_made_gets_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, kind: str, act_: str
) -> None:
    note = await make(scene, scene.owner, "秘密")
    press = scene.server.app.parts.press
    original = getattr(press, act_)

    async def slow(*given: Any) -> Any:
        made = await original(*given)
        await act(scene, lambda tx: rooms.remove(tx, scene.owner.actor, scene.room, scene.member.id))
        return made

    monkeypatch.setattr(press, act_, slow)
    assert (await export(scene, scene.member, note, kind)).json()["error"]["code"] == 4030
    assert made_files(scene) == []


async def test_what_is_too_large_is_not_even_fetched(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    note, _ = await repair(scene)
    monkeypatch.setattr("chat_server.services.note_documents._BYTES", 100)
    monkeypatch.setattr(scene.server.app.blobs, "local", None)
    assert (await export(scene, scene.owner, note, "zip")).json()["error"]["code"] == 4040


async def test_names_do_not_leave_their_folder(scene: Scene) -> None:
    file = await scene.sent(scene.owner, name="../../etc/\u202epasswd")
    note = await make(scene, scene.owner, title="..", blocks=[{"type": "files", "ids": [file]}])
    answer = await export(scene, scene.owner, note, "zip")
    for name in unpacked(answer).namelist():
        assert ".." not in PurePosixPath(name).parts
        assert not name.startswith("/")
        assert "\\" not in name


async def test_an_older_version_is_printed_as_it_was(scene: Scene) -> None:
    note = await make(scene, scene.owner, "古い文")
    await change(scene, scene.owner, note, 1, "新しい文")
    assert "新しい文" in on_paper(await export(scene, scene.member, note, "pdf"))[0]
    old = on_paper(await export(scene, scene.member, note, "pdf", version=1))[0]
    assert ("古い文" in old, "新しい文" in old, "第1版" in old) == (True, False, True)
    assert (await export(scene, scene.member, note, "pdf", version=9)).json()["error"]["code"] == 4031


async def test_what_may_not_be_read_from_here_is_not_in_it_and_says_why(scene: Scene) -> None:
    """A file from the desk's network, taken out on the phone's: the room lets only previews go there."""
    file = await scene.sent(scene.owner)
    note = await make(scene, scene.owner, blocks=[{"type": "files", "ids": [file]}])
    outside = await scene.world.another_device(scene.org, scene.owner, "internet")
    made = unpacked(await export(scene, outside, note, "zip", "internet"))
    assert [name for name in made.namelist() if name.startswith("ファイル")] == []
    [listed] = json.loads(made.read("ノート.json"))["files"]
    assert (listed["file"], listed["sha256"], listed["original_sha256"]) == (None, None, None)
    assert hashlib.sha256(PDF).hexdigest().encode() not in b"".join(made.read(name) for name in made.namelist())
    assert "この添付は、お使いのネットワークからは開けません。" in listed["missing"]["ja"]
    assert "含まれていません" in made.read("ノート.md").decode()
    assert PDF not in b"".join(made.read(name) for name in made.namelist())


async def test_withdrawn_struck_and_redacted_are_told_and_not_shown(scene: Scene) -> None:
    first = await photo(scene, scene.member)
    message = await scene.world.post(scene.member, scene.room, Text("消すべき電話番号"), Photos((first,)))
    other = await scene.world.post(scene.member, scene.room, Text("取り消された報告"))
    note = await make(scene, scene.owner, messages=[message.id, other.id])
    await act(scene, lambda tx: changing.redact(tx, scene.owner.actor, Redact(ref=1, message=str(other.id))))
    entry = (await read(scene, scene.owner, note))["blocks"][0]["id"]
    async with scene.server.client(token(scene, scene.owner)) as client:
        assert (await client.delete(f"/api/notes/{note}/entries/{entry}")).status_code == 204
    [text] = on_paper(await export(scene, scene.owner, note, "pdf"))
    assert "消すべき電話番号" not in text
    assert "ノートから削除されました" in text
    assert "取り消された報告" in text
    assert "投稿が取り消されています" in text
    made = unpacked(await export(scene, scene.owner, note, "zip"))
    assert [name for name in made.namelist() if name.startswith("写真")] == []
    assert "消すべき電話番号".encode() not in b"".join(made.read(name) for name in made.namelist())


async def test_who_is_not_in_the_room_gets_nothing_and_nothing_is_on_record(scene: Scene) -> None:
    note = await make(scene, scene.owner, "秘密")
    outsider = await scene.world.person(scene.org, "別の課の人")
    before = await exports(scene)
    for kind in ("pdf", "zip"):
        assert (await export(scene, outsider, note, kind)).json()["error"]["code"] == 4030
    assert await exports(scene) == before
    await act(scene, lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, Invitation((outsider.id,))))
    assert (await export(scene, outsider, note, "pdf")).status_code == 200
    assert await exports(scene) == [*before, {"as": "pdf", "version": 1}]


async def exports(scene: Scene) -> list[dict[str, Any]]:
    rows = await scene.server.app.storage.read(
        lambda reader: reader.all(
            "SELECT detail FROM audit WHERE act = 'note.export' AND org_id = ? ORDER BY seq", scene.org.id
        )
    )
    return [{name: value for name, value in json.loads(row[0]).items() if name != "room"} for row in rows]


async def test_what_is_too_large_is_refused_before_it_is_made(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    note, _ = await repair(scene)
    monkeypatch.setattr(archive, "BYTES", 100)
    answer = await export(scene, scene.owner, note, "zip")
    assert answer.json()["error"]["code"] == 4040
    assert made_files(scene) == []


async def test_a_long_note_is_printed_over_many_pages(scene: Scene) -> None:
    scene.server.clock.ahead += HOUR
    sent = [
        await scene.world.post(scene.member, scene.room, Text(f"報告{number} " + "続き" * 150)) for number in range(30)
    ]
    note = await make(scene, scene.owner, messages=[one.id for one in sent])
    pages = on_paper(await export(scene, scene.owner, note, "pdf"))
    assert len(pages) > 3
    assert f"{len(pages)} / {len(pages)}" in pages[-1]
    whole = "".join(pages)
    assert [number for number in range(30) if f"報告{number} " not in whole.replace("\u00a0", " ")] == []
