"""Files by tus: in parts, over lines that break, and out again (security.md, 1, 2, 29, 32, 34, 35)."""

from __future__ import annotations

import asyncio
import hashlib
import os
from typing import Any

import httpx2
import pytest

from chat_server.domain import limits
from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.domain.ids import new_id
from chat_server.services import rooms
from chat_server.services.blocks import Files, Photos, Text
from chat_server.workers.file_sweeper import FileSweeper
from tests.support.api import Api, code_of
from tests.support.cutting_proxy import CuttingProxy
from tests.support.patience import DEADLINE
from tests.support.uploads import PDF, TUS, Scene, Sender, checksum, described
from tests.unit.photo_samples import encoded, picture

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


async def test_what_it_understands_is_told_to_anyone(scene: Scene) -> None:
    async with scene.server.client() as client:
        answer = await client.options("/api/uploads")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert set(answer.headers["tus-extension"].split(",")) == {"creation", "termination", "checksum", "expiration"}
    assert answer.headers["tus-max-size"] == str(limits.FILE_BYTES)
    assert "sha1" in answer.headers["tus-checksum-algorithm"].split(",")


async def test_a_file_in_parts_becomes_an_attachment(scene: Scene, sender: Sender) -> None:
    data = PDF + os.urandom(300_000)
    place = await sender.begin(len(data))
    for first in range(0, len(data), 100_000):
        part = data[first : first + 100_000]
        answer = await sender.add(place, first, part, Upload_Checksum=checksum(part))
        assert answer.status_code == 204
        assert answer.headers["upload-offset"] == str(first + len(part))
        assert answer.headers["tus-resumable"] == "1.0.0"
        assert "GMT" in answer.headers["upload-expires"]
    api = Api(sender.client, scene.document)
    state = (await api.call("read_upload", {"upload": place.rpartition("/")[2]})).json()
    assert (state["offset"], state["length"]) == (len(data), len(data))
    attachment = state["attachment"]
    assert (attachment["kind"], attachment["type"], attachment["size"]) == ("file", "application/pdf", len(data))
    await scene.world.post(scene.owner, scene.room, Text("図面です"), Files((attachment["id"],)))
    answer = await scene.get(await scene.original(scene.member, attachment["id"]))
    assert answer.content == data
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_an_empty_file_is_a_file(sender: Sender) -> None:
    attachment = await sender.whole(b"", "空.txt")
    assert (attachment["size"], attachment["state"]) == (0, "ready")


async def test_several_files_and_photos_stay_in_their_order(scene: Scene, sender: Sender) -> None:
    names = ["三.pdf", "一.pdf", "二.pdf"]
    files = [(await sender.whole(PDF + name.encode(), name))["id"] for name in names]
    photo = await sender.whole(encoded(picture(60, 40)), "現場.jpg", kind="photo")
    assert (photo["kind"], photo["width"]) == ("photo", 60)
    ack = await scene.world.post(
        scene.owner, scene.room, Files(tuple(files[:2])), Photos((photo["id"],)), Files((files[2],))
    )
    answer = await sender.client.get(f"/api/rooms/{scene.room}/messages")
    [message] = [one for one in answer.json()["messages"] if one["id"] == ack.id]
    assert [one["id"] for one in message["attachments"]] == [*files[:2], photo["id"], files[2]]
    assert "ファイル 3件" in message["text"]
    assert "写真 1枚" in message["text"]


@pytest.mark.parametrize("block", [Photos, Files])
async def test_a_block_shows_its_own_kind_only(scene: Scene, sender: Sender, block: Any) -> None:
    other = "photo" if block is Files else "file"
    attachment = await sender.whole(encoded(picture(60, 40)), "a.jpg", kind=other)
    body = {"client_msg_id": new_id(0), "blocks": [{"type": block.__struct_config__.tag, "ids": [attachment["id"]]}]}
    answer = await sender.client.post(f"/api/rooms/{scene.room}/messages", json=body)
    assert code_of(answer) == 5001


async def test_it_goes_on_where_it_was_told_and_nowhere_else(sender: Sender) -> None:
    place = await sender.begin(10)
    assert (await sender.add(place, 0, b"12345")).headers["upload-offset"] == "5"
    wrong = await sender.add(place, 3, b"45678")
    assert (wrong.status_code, code_of(wrong)) == (409, 5009)
    assert (await sender.ask("HEAD", place)).headers["upload-offset"] == "5"
    too_much = await sender.add(place, 5, b"678901")
    assert too_much.status_code == 413
    assert (await sender.add(place, 5, b"67890")).headers["upload-offset"] == "10"
    again = await sender.add(place, 10, b"")
    assert (again.status_code, again.headers["upload-offset"]) == (204, "10")


@pytest.mark.parametrize("algorithm", ["sha1", "md5", "sha256"])
async def test_bytes_that_changed_on_their_way_are_not_kept(sender: Sender, algorithm: str) -> None:
    place = await sender.begin(10)
    wrong = await sender.add(place, 0, b"12345", Upload_Checksum=checksum(b"12344", algorithm))
    assert (wrong.status_code, code_of(wrong)) == (460, 5010)
    assert (await sender.ask("HEAD", place)).headers["upload-offset"] == "0"
    assert (await sender.add(place, 0, b"12345", Upload_Checksum=checksum(b"12345", algorithm))).status_code == 204


async def test_words_that_are_no_tus_are_refused(sender: Sender) -> None:
    async def begun(**headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return code_of(await sender.client.post("/api/uploads", headers=named))

    assert await begun(Upload_Length="3") == 5014
    assert await begun(Tus_Resumable="0.2.2", Upload_Length="3") == 5014
    assert await begun(**TUS) == 2001
    assert await begun(**TUS, Upload_Length="-3") == 2001
    assert await begun(**TUS, Upload_Length="9" * 30) == 2001
    assert await begun(**TUS, Upload_Length="3", Upload_Metadata="filename !!!") == 2001
    assert await begun(**TUS, Upload_Length="3", Upload_Metadata="filename /w==") == 2001
    assert await begun(**TUS, Upload_Length=str(limits.FILE_BYTES + 1)) == 5011
    place = await sender.begin(3)
    assert code_of(await sender.add(place, 0, b"abc", Content_Type="text/plain")) == 5015
    assert code_of(await sender.add(place, 0, b"abc", Upload_Checksum="crc7 AAAA")) == 2001


async def test_a_cancelled_upload_is_gone(scene: Scene, sender: Sender) -> None:
    place = await sender.begin(10)
    await sender.add(place, 0, b"12345")
    unfinished = scene.server.app.settings.folder / "blobs" / "unfinished"
    assert any(unfinished.iterdir())
    assert (await sender.ask("DELETE", place)).status_code == 204
    assert (await sender.ask("HEAD", place)).status_code == 404
    assert code_of(await sender.add(place, 5, b"67890")) == 5008
    assert not [file for file in unfinished.iterdir() if place.rpartition("/")[2] in file.name]


async def test_an_upload_is_its_senders_alone_and_of_one_zone(scene: Scene, sender: Sender) -> None:
    place = await sender.begin(10)
    for who, zone in ((scene.member, "lgwan"), (scene.stranger, "lgwan")):
        other = scene.sender(who, zone)
        async with other.client:
            assert (await other.ask("HEAD", place)).status_code == 404
            assert code_of(await other.client.get(place)) == 5008
            assert code_of(await other.add(place, 0, b"1234567890")) == 5008
            assert code_of(await other.ask("DELETE", place)) == 5008
    abroad = await scene.world.another_device(scene.org, scene.owner, "internet")
    there = scene.sender(abroad, "internet")
    async with there.client:
        assert code_of(await there.add(place, 0, b"1234567890")) == 5008
    assert (await sender.client.get("/api/uploads/..%2f..%2fetc%2fpasswd")).status_code == 404


async def test_its_time_ends_and_what_adds_to_it_prolongs_it(scene: Scene, sender: Sender) -> None:
    place = await sender.begin(10)
    fresh = {"Authorization": sender.client.headers["authorization"]}
    scene.server.clock.ahead = limits.UPLOAD_LIVES - limits.MINUTE
    token = (await scene.world.another_device(scene.org, scene.owner, "lgwan")).token
    sender.client.headers["authorization"] = f"Bearer {token}"
    assert (await sender.add(place, 0, b"12345")).status_code == 204
    scene.server.clock.ahead = 2 * limits.UPLOAD_LIVES - 2 * limits.MINUTE
    token = (await scene.world.another_device(scene.org, scene.owner, "lgwan")).token
    sender.client.headers["authorization"] = f"Bearer {token}"
    assert (await sender.ask("HEAD", place)).headers["upload-offset"] == "5"
    scene.server.clock.ahead = 2 * limits.UPLOAD_LIVES
    token = (await scene.world.another_device(scene.org, scene.owner, "lgwan")).token
    sender.client.headers["authorization"] = f"Bearer {token}"
    assert (await sender.ask("HEAD", place)).status_code == 404
    app = scene.server.app
    await FileSweeper(app.storage, app.blobs, app.settings.folder / "scratch").sweep()
    rows = await scene.server.app.storage.read(
        lambda tx: tx.one("SELECT count(*) FROM uploads WHERE public_id = ?", place.rpartition("/")[2])
    )
    assert rows is not None
    assert rows[0] == 0
    sender.client.headers.update(fresh)


async def test_only_so_many_are_under_way(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UPLOADS", 3)
    places = [await sender.begin(5) for _ in range(3)]
    refused = await sender.ask("POST", "/api/uploads", size=5, metadata=described("a"))
    assert (refused.status_code, code_of(refused)) == (429, 5012)
    await sender.add(places[0], 0, b"12345")
    assert (await sender.ask("POST", "/api/uploads", size=5, metadata=described("a"))).status_code == 201


async def test_a_line_that_breaks_ten_times_loses_nothing(scene: Scene) -> None:
    """Every cut comes in the middle of a request; what HEAD tells afterwards is what goes on."""
    data = os.urandom(4 << 20)
    cuts = 0
    async with CuttingProxy("127.0.0.1", scene.server.ports["lgwan"]) as proxy:
        base = f"http://127.0.0.1:{proxy.port}"
        steady = scene.sender(scene.owner)
        async with steady.client:
            place = await steady.begin(len(data), "動画.mp4")
            offset = 0
            while offset < len(data):
                if cuts < 10:
                    proxy.cut_after(up=300_000)
                try:
                    async with httpx2.AsyncClient(
                        base_url=base, headers=steady.client.headers, trust_env=False, verify=False, timeout=30
                    ) as client:
                        answer = await Sender(client).add(place, offset, data[offset:])
                    # 409: what was on the line when it broke has arrived after the question how far it came.
                    assert answer.status_code in (204, 409)
                except httpx2.TransportError:
                    cuts += 1
                offset = int((await steady.ask("HEAD", place)).headers["upload-offset"])
            attachment = (await steady.client.get(place)).json()["attachment"]
    assert cuts == 10
    await scene.world.post(scene.owner, scene.room, Files((attachment["id"],)))
    assert (await scene.get(await scene.original(scene.member, attachment["id"]))).content == data


async def test_a_request_that_hangs_is_overtaken_by_the_next(scene: Scene, sender: Sender) -> None:
    """A phone that lost its line comes back at once; the request before it still waits for bytes."""
    place = await sender.begin(10)
    _, writer = await asyncio.open_connection("127.0.0.1", scene.server.ports["lgwan"])
    head = (
        f"PATCH {place} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {scene.owner.token}\r\n"
        "Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n"
        "Content-Length: 10\r\n\r\n12345"
    )
    writer.write(head.encode())
    await writer.drain()
    uploading = scene.server.app.parts.uploading
    async with asyncio.timeout(DEADLINE):
        while not uploading.receiving(place.rpartition("/")[2]):  # noqa: ASYNC110 (the server has no event for it)
            await asyncio.sleep(0.005)
    async with asyncio.timeout(DEADLINE):
        assert (await sender.ask("HEAD", place)).headers["upload-offset"] == "5"
        assert (await sender.add(place, 5, b"67890")).status_code == 204
    writer.close()


async def test_two_at_once_never_mix(scene: Scene, sender: Sender) -> None:
    """Each byte comes from the one who was told that it goes on there; the other one is told where it stands."""
    one, other = os.urandom(200_000), os.urandom(200_000)
    place = await sender.begin(200_000)
    answers = await asyncio.gather(sender.add(place, 0, one), sender.add(place, 0, other))
    assert {answer.status_code for answer in answers} <= {204, 409, 423}
    offset = int((await sender.ask("HEAD", place)).headers["upload-offset"])
    for data in (one, other):  # whichever began is gone on with: the hash tells whether the bytes are its own
        if offset < 200_000:
            await sender.add(place, offset, data[offset:])
            offset = int((await sender.ask("HEAD", place)).headers["upload-offset"])
    state = (await sender.client.get(place)).json()
    assert state["attachment"]["size"] == 200_000
    await scene.world.post(scene.owner, scene.room, Files((state["attachment"]["id"],)))
    kept = (await scene.get(await scene.original(scene.owner, state["attachment"]["id"]))).content
    begun = one if kept[:1000] == one[:1000] else other
    assert kept[:1000] == begun[:1000]
    same = next((at for at in range(0, 200_000, 1000) if kept[at : at + 1000] != begun[at : at + 1000]), 200_000)
    rest = (one, other)[begun is one]
    assert kept[same + 1000 :] == rest[same + 1000 :], "one part from one of them, then one from the other"


# Zones


async def test_a_file_of_a_less_trusted_network_is_not_opened_in_a_more_trusted_one(scene: Scene) -> None:
    abroad = await scene.world.another_device(scene.org, scene.owner, "internet")
    file = await scene.sent(abroad, zone="internet")
    outside = await scene.item(abroad, file, "internet")
    assert outside is not None
    address = outside["addresses"]["original"]
    assert (await scene.get(address, "internet")).content == PDF
    inside = await scene.item(scene.member, file)
    assert inside is not None
    assert "original" not in inside["addresses"]
    assert "無害化" in inside["refused"]["ja"]
    assert "disarmed" in inside["refused"]["en"]
    assert (await scene.get(address, "lgwan")).status_code == 404


async def test_the_same_bytes_from_two_networks_count_as_the_less_trusted(scene: Scene) -> None:
    data = PDF + b"twice"
    trusted = await scene.sent(scene.owner, data)
    assert (await scene.get(await scene.original(scene.member, trusted))).status_code == 200
    abroad = await scene.world.another_device(scene.org, scene.owner, "internet")
    await scene.upload(abroad, data, zone="internet")
    inside = await scene.item(scene.member, trusted)
    assert inside is not None
    assert "original" not in inside["addresses"]


async def test_going_out_follows_the_rooms_rule(scene: Scene) -> None:
    file = await scene.sent(scene.owner)
    abroad = await scene.world.another_device(scene.org, scene.member, "internet")
    outside = await scene.item(abroad, file, "internet")
    assert outside is not None
    assert "original" not in outside["addresses"]
    assert "ネットワーク" in outside["refused"]["ja"]
    admin = await scene.world.person(scene.org, "山本 誠", role=ORGANIZATION_ADMIN)
    await scene.world.server.app.storage.write(
        lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, rooms.Invitation((admin.id,), role="owner"))
    )
    async with scene.server.client(admin.token) as client:
        changed = await client.patch(f"/api/rooms/{scene.room}", json={"outflow": "download"})
        assert changed.status_code < 300, changed.text
    outside = await scene.item(abroad, file, "internet")
    assert outside is not None
    assert (await scene.get(outside["addresses"]["original"], "internet")).content == PDF


async def test_another_organizations_same_bytes_are_its_own(scene: Scene) -> None:
    """Neither by id nor by hash (security.md, 1, 16)."""
    data = os.urandom(5000)
    file = await scene.sent(scene.owner, data)
    theirs = await scene.upload(scene.stranger, data)
    assert await scene.item(scene.stranger, file) is None
    assert await scene.item(scene.owner, theirs) is None
    places = list((scene.server.app.settings.folder / "blobs").rglob(hashlib.sha256(data).hexdigest()))
    assert len(places) == 2
    room = await scene.world.room(scene.stranger)
    body = {"client_msg_id": new_id(0), "blocks": [{"type": "files", "ids": [file]}]}
    async with scene.server.client(scene.stranger.token) as client:
        assert code_of(await client.post(f"/api/rooms/{room}/messages", json=body)) == 5001


@pytest.mark.parametrize(
    ("data", "name", "type_"),
    [
        (b"<html><script>alert(1)</script></html>", "請求書.pdf", "text/html"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "絵.png", "image/svg+xml"),
        (b"MZ\x90\0" + b"\0" * 200, "見積.pdf", "application/octet-stream"),
        ("表,値\r\n".encode("cp932"), "一覧.csv", "text/csv"),
    ],
    ids=["html", "svg", "exe", "csv"],
)
async def test_a_disguise_is_a_download_like_everything(scene: Scene, data: bytes, name: str, type_: str) -> None:
    file = await scene.sent(scene.owner, data, name)
    answer = await scene.get(await scene.original(scene.owner, file))
    assert answer.content == data
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment;")
    async with scene.server.client(scene.owner.token) as client:
        messages = (await client.get(f"/api/rooms/{scene.room}/messages")).json()["messages"]
    assert type_ in [one["type"] for message in messages for one in message.get("attachments", [])]


async def test_a_name_is_for_reading_and_never_a_path(scene: Scene, sender: Sender) -> None:
    attachment = await sender.whole(PDF, "../../etc/a\r\nSet-Cookie: x\u202egpj.exe")
    assert attachment["name"] == "aSet-Cookie: xgpj.exe"
    assert await scene.item(scene.owner, attachment["id"]) is not None
    answer = await scene.get(await scene.original(scene.owner, attachment["id"]))
    assert "set-cookie" not in answer.headers


async def test_a_download_goes_on_where_it_broke(scene: Scene) -> None:
    data = os.urandom(100_000)
    file = await scene.sent(scene.owner, data)
    first = await scene.get(await scene.original(scene.member, file), Range="bytes=0-49999")
    scene.server.clock.ahead = 30 * limits.MINUTE
    member = await scene.world.another_device(scene.org, scene.member, "lgwan")
    rest = await scene.get(
        await scene.original(member, file), Range="bytes=50000-", **{"If-Range": first.headers["etag"]}
    )
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.content + rest.content == data


async def test_a_photo_that_is_none_is_refused_and_gone(sender: Sender) -> None:
    place = await sender.begin(len(PDF), "a.jpg", kind="photo")
    answer = await sender.add(place, 0, PDF)
    assert code_of(answer) == 5002
    assert (await sender.ask("HEAD", place)).status_code == 404
