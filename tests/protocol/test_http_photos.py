"""Photos over HTTP: in by one request, out by addresses that are permissions (security.md, 1, 22, 29, 31, 32, 34, 35)."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from chat_server.domain import limits
from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.domain.zones import ORIGINAL, THUMBNAIL
from chat_server.services import rooms, sharing
from chat_server.services.blocks import Photos
from chat_server.services.capabilities import Capability, next_expiry, seal
from chat_server.services.changing import redact
from chat_server.services.commands import Redact
from chat_server.services.devices import sign_out
from tests.support.api import Api, code_of
from tests.support.files import path_of
from tests.support.patience import DEADLINE
from tests.support.server import RunningServer
from tests.support.world import Org, Someone, World
from tests.unit.photo_samples import encoded, exif_block, picture

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True

TAKEN = "2026:11:20 09:30:00"
PHOTO = encoded(
    picture(400, 300),
    exif=exif_block(
        taken=TAKEN,
        offset="+09:00",
        orientation=6,
        latitude=((35, 1), (41, 1), (0, 1)),
        longitude=((139, 1), (45, 1), (0, 1)),
        maker="SECRETMAKER",
    ),
)


@dataclass
class Scene:
    """A room of organization A with a photo in it, and people around it."""

    world: World
    document: Mapping[str, Any]
    org: Org
    owner: Someone
    member: Someone
    guest: Someone
    room: str
    photo: str

    @property
    def server(self) -> RunningServer:
        return self.world.server

    def api(self, who: Someone | None, zone: str = "lgwan") -> Api:
        return Api(self.server.client(who.token if who else None, zone), self.document)

    async def upload(self, who: Someone, data: bytes = PHOTO, zone: str = "lgwan", **params: str) -> str:
        async with self.api(who, zone).client as client:
            answer = await client.post("/api/photos", params={"name": "現場.jpg", **params}, content=data)
            assert answer.status_code == 200, answer.text
            return str(answer.json()["id"])

    async def item(self, who: Someone, photo: str | None = None, zone: str = "lgwan") -> dict[str, Any] | None:
        api = self.api(who, zone)
        async with api.client:
            answer = await api.call("give_addresses", json={"ids": [photo or self.photo]})
            assert answer.status_code == 200
            items: list[dict[str, Any]] = answer.json()["items"]
            return items[0] if items else None

    async def address(self, who: Someone, kind: str = THUMBNAIL) -> str:
        item = await self.item(who)
        assert item is not None
        return str(item["addresses"][kind])

    async def get(self, address: str, zone: str = "lgwan", **headers: str) -> Any:
        async with self.server.client(zone=zone) as client:
            return await client.get(address, headers=headers)


@pytest_asyncio.fixture(loop_scope="module")
async def scene(world: World, document: Mapping[str, Any]) -> AsyncIterator[Scene]:
    world.made += 1
    org = await world.organization(f"midorino{world.made}", "みどり野市")
    owner = await world.person(org, "高橋 健")
    member = await world.person(org, "田中 美咲")
    guest = await world.person(org, "外部 一郎", kind="guest")
    room = await world.room(owner, member, guest)
    found = Scene(world, document, org, owner, member, guest, room, "")
    found.photo = await found.upload(owner)
    await world.post(owner, room, Photos((found.photo,)))
    yield found
    world.server.clock.ahead = 0


async def test_an_upload_answers_as_documented_and_is_cleaned(scene: Scene) -> None:
    api = scene.api(scene.owner)
    async with api.client:
        answer = await api.call("upload_photo", params={"name": "../../etc/a\r\nb\u202egpj.jpg"}, content=PHOTO)
    attachment = answer.json()
    assert (attachment["kind"], attachment["type"], attachment["state"]) == ("photo", "image/jpeg", "ready")
    assert (attachment["width"], attachment["height"]) == (300, 400)
    assert attachment["size"] == len(PHOTO)
    assert attachment["name"] == "abgpj.jpg"


async def test_the_same_key_gives_the_same_attachment(scene: Scene) -> None:
    api = scene.api(scene.owner)
    headers = {"Idempotency-Key": "upload-0001"}
    async with api.client:
        first = await api.call("upload_photo", content=PHOTO, headers=headers)
        again = await api.call("upload_photo", content=PHOTO, headers=headers)
        other = await api.call("upload_photo", content=encoded(picture(50, 50)), headers=headers)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    assert code_of(other) == 2006


async def test_the_same_upload_twice_at_once_is_one(scene: Scene) -> None:
    api = scene.api(scene.member)
    headers = {"Idempotency-Key": "upload-at-once"}
    async with api.client:
        answers = await asyncio.gather(*(api.call("upload_photo", content=PHOTO, headers=headers) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    count = await scene.server.app.storage.read(
        lambda tx: tx.one("SELECT count(*) FROM attachments WHERE uploader_id = ?", scene.member.actor.user_id)
    )
    assert count is not None
    assert count[0] == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", 5002),
        (b"<html><script>alert(1)</script></html>", 5002),
        (b"", 5002),
        (PHOTO[: len(PHOTO) // 2], 5003),
    ],
    ids=["svg", "html", "empty", "cut"],
)
async def test_what_is_no_photo_is_refused_and_leaves_nothing(scene: Scene, data: bytes, code: int) -> None:
    async def rows() -> list[int]:
        found = await scene.server.app.storage.read(
            lambda tx: tx.one(
                "SELECT (SELECT count(*) FROM attachments), (SELECT count(*) FROM renditions),"
                " (SELECT count(*) FROM blobs), (SELECT count(*) FROM idempotency)"
            )
        )
        assert found is not None
        return list(found)

    before = await rows()
    api = scene.api(scene.owner)
    async with api.client:
        answer = await api.call("upload_photo", content=data, headers={"Idempotency-Key": "not-a-photo"})
    assert code_of(answer) == code
    assert await rows() == before
    folder = scene.server.app.settings.folder
    assert not [*folder.glob("blobs/incoming/*"), *folder.glob("arriving/*")]
    assert not list((scene.server.app.settings.folder / "scratch").iterdir())


async def test_an_upload_is_refused_at_the_first_byte_too_many(scene: Scene) -> None:
    """By what is announced, and by what comes where nothing is announced."""
    head = (f"POST /api/photos HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {scene.owner.token}\r\n").encode()
    announced = head + f"Content-Length: {limits.PHOTO_BYTES + 1}\r\n\r\n".encode()
    assert b" 413 " in (await scene.server.raw(announced)).split(b"\r\n")[0]

    reader, writer = await asyncio.open_connection("127.0.0.1", scene.server.ports["lgwan"])
    writer.write(head + b"Transfer-Encoding: chunked\r\n\r\n")
    sent = 0
    answer = asyncio.ensure_future(reader.readuntil(b"\r\n\r\n"))
    piece = b"%x\r\n" % (256 * 1024) + b"x" * (256 * 1024) + b"\r\n"
    async with asyncio.timeout(DEADLINE):
        while not answer.done():
            writer.write(piece)
            await writer.drain()
            sent += 256 * 1024
            await asyncio.sleep(0)
    assert b" 413 " in answer.result().split(b"\r\n")[0]
    assert sent < limits.PHOTO_BYTES * 1.5
    writer.close()


async def test_an_upload_that_is_cut_leaves_nothing(scene: Scene) -> None:
    incoming = scene.server.app.settings.folder / "blobs" / "incoming"

    async def until(found: bool) -> None:
        async with asyncio.timeout(DEADLINE):
            while bool(list(incoming.iterdir())) is not found:  # noqa: ASYNC110 (a folder has no event)
                await asyncio.sleep(0.01)

    _, writer = await asyncio.open_connection("127.0.0.1", scene.server.ports["lgwan"])
    head = f"POST /api/photos HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {scene.owner.token}\r\n"
    writer.write(head.encode() + b"Content-Length: 3000000\r\nIdempotency-Key: cut-upload\r\n\r\n" + b"x" * 1_000_000)
    await writer.drain()
    await until(found=True)
    writer.transport.abort()
    await until(found=False)
    # The key is free: the same photo comes again on a better line.
    api = scene.api(scene.owner)
    async with api.client:
        answer = await api.call("upload_photo", content=PHOTO, headers={"Idempotency-Key": "cut-upload"})
    assert answer.status_code == 200


async def test_ten_photos_keep_their_order_and_can_be_sent_once(scene: Scene) -> None:
    ids = [await scene.upload(scene.member, encoded(picture(40 + n, 30))) for n in range(3)]
    order = [ids[2], ids[0], ids[1]]
    api = scene.api(scene.member)
    body = {"client_msg_id": "photos-in-order", "blocks": [{"type": "photos", "ids": order}]}
    async with api.client:
        ack = await api.call("send_message", {"room": scene.room}, json=body)
        assert ack.status_code == 200, ack.text
        message = (await api.call("get_message", {"message": ack.json()["id"]})).json()["message"]
        assert [attachment["id"] for attachment in message["attachments"]] == order
        twice = await api.call("send_message", {"room": scene.room}, json={**body, "client_msg_id": "photos-again"})
        assert code_of(twice) == 5007


async def test_somebody_elses_upload_cannot_be_sent(scene: Scene) -> None:
    photo = await scene.upload(scene.owner)
    api = scene.api(scene.member)
    body = {"client_msg_id": "stolen-photo", "blocks": [{"type": "photos", "ids": [photo]}]}
    async with api.client:
        assert code_of(await api.call("send_message", {"room": scene.room}, json=body)) == 5001


async def test_addresses_serve_clean_bytes_inertly(scene: Scene) -> None:
    item = await scene.item(scene.member)
    assert item is not None
    assert set(item["addresses"]) == {"thumbnail", "preview", "sanitized"}
    assert item["taken_at"] == 1_795_134_600_000
    for address in item["addresses"].values():
        answer = await scene.get(address)
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["content-type"] in ("image/jpeg", "image/webp", "image/png")
        assert answer.headers["content-disposition"].startswith("inline; filename*=UTF-8''%E7%8F%BE%E5%A0%B4")
        private, age, _ = answer.headers["cache-control"].split(", ")
        assert private == "private"
        assert 0 < int(age.removeprefix("max-age=")) <= 1200
        assert b"SECRETMAKER" not in answer.content
        with Image.open(io.BytesIO(answer.content)) as image:
            assert image.height > image.width
            assert 0x8825 not in image.getexif()


async def test_addresses_stay_the_same_within_a_step(scene: Scene) -> None:
    assert await scene.address(scene.member) == await scene.address(scene.member)
    assert await scene.address(scene.member) != await scene.address(scene.owner)


async def test_ranges_are_one_or_none(scene: Scene) -> None:
    address = await scene.address(scene.member, "sanitized")
    whole = (await scene.get(address)).content
    size = len(whole)

    one = await scene.get(address, Range="bytes=10-19")
    assert (one.status_code, one.content) == (206, whole[10:20])
    assert one.headers["content-range"] == f"bytes 10-19/{size}"
    assert (await scene.get(address, Range="bytes=-5")).content == whole[-5:]
    assert (await scene.get(address, Range=f"bytes={size - 3}-")).content == whole[-3:]
    assert (await scene.get(address, Range=f"bytes=0-{size * 9}")).content == whole

    beyond = await scene.get(address, Range=f"bytes={size}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert (await scene.get(address, Range="bytes=-0")).status_code == 416

    for silly in ("bytes=0-0,2-3", "bytes=" + ",".join(["0-"] * 5000), "bytes=5-1", "bytes=-", "lines=1-2", "bytes=x-y",
                  "bytes=" + "9" * 40 + "-"):  # fmt: skip
        answer = await scene.get(address, Range=silly)
        assert (answer.status_code, len(answer.content)) == (200, size), silly[:40]

    etag = one.headers["etag"]
    known = await scene.get(address, **{"If-None-Match": etag})
    assert (known.status_code, known.content) == (304, b"")
    moved = await scene.get(address, **{"Range": "bytes=0-1", "If-Range": '"other"'})
    assert moved.status_code == 200
    async with scene.server.client() as client:
        head = await client.head(address)
        assert (head.status_code, int(head.headers["content-length"]), head.content) == (200, size, b"")
        assert code_of(await client.post(address)) == 2005


async def test_a_range_of_a_list_is_ignored(scene: Scene) -> None:
    async with scene.server.client(scene.member.token) as client:
        assert (await client.get("/api/rooms", headers={"Range": "bytes=0-1"})).status_code == 200


async def test_an_address_is_for_one_person_zone_and_time(scene: Scene) -> None:
    address = await scene.address(scene.member)
    assert (await scene.get(address)).status_code == 200
    assert code_of(await scene.get(address, zone="internet")) == 5001
    for position in (7, 20, 60, 100, len(address) - 1):
        changed = address[:position] + ("A" if address[position] != "A" else "B") + address[position + 1 :]
        assert code_of(await scene.get(changed)) == 5001, position
    assert code_of(await scene.get(address + "A")) == 5001
    # base64 has several spellings of the same bytes; an address has one.
    for spelled in (*(address[:-1] + other for other in "ABCDQRghwxyz_-" if other != address[-1]), address + "."):
        assert code_of(await scene.get(spelled)) == 5001, spelled[-3:]
    assert code_of(await scene.get(address[:20] + "!" + address[20:])) == 5001
    assert code_of(await scene.get("/files/" + "A" * 5000)) == 5001

    item = await scene.item(scene.member)
    assert item is not None
    now = scene.server.clock.now()
    assert limits.ADDRESS_STEP <= item["expires"] - now <= 2 * limits.ADDRESS_STEP
    scene.server.clock.ahead = item["expires"] - now + 1
    assert code_of(await scene.get(address)) == 5006


async def test_an_address_dies_with_the_device(scene: Scene) -> None:
    address = await scene.address(scene.member)
    actor = scene.member.actor
    await scene.server.app.storage.write(lambda tx: sign_out(tx, actor, actor.device))
    assert code_of(await scene.get(address)) == 5006


async def test_an_address_dies_with_the_account(scene: Scene) -> None:
    address = await scene.address(scene.member)
    user_id = scene.member.actor.user_id
    await scene.server.app.storage.write(lambda tx: tx.run("UPDATE users SET disabled_at = 1 WHERE id = ?", user_id))
    assert code_of(await scene.get(address)) == 5006


async def test_an_address_dies_with_the_membership(scene: Scene) -> None:
    address = await scene.address(scene.member)
    await scene.server.app.storage.write(lambda tx: rooms.remove(tx, scene.owner.actor, scene.room, scene.member.id))
    assert code_of(await scene.get(address)) == 5001
    assert await scene.item(scene.member) is None


async def test_an_address_dies_with_the_message(scene: Scene) -> None:
    address = await scene.address(scene.member)
    api = scene.api(scene.member)
    async with api.client:
        page = (await api.call("list_messages", {"room": scene.room})).json()
    message = page["messages"][-1]["id"]
    await scene.server.app.storage.write(
        lambda tx: redact(tx, scene.owner.actor, Redact(ref=1, message=message, how="redacted"))
    )
    assert code_of(await scene.get(address)) == 5001
    assert await scene.item(scene.owner) is None


async def test_the_original_is_sealed_even_with_a_true_signature(scene: Scene) -> None:
    server, actor = scene.server, scene.owner.actor
    capability = Capability(scene.photo, ORIGINAL, actor.id, actor.device, actor.zone, next_expiry(server.clock.now()))
    assert code_of(await scene.get("/files/" + seal(server.app.keys, capability))) == 5005


async def test_strangers_get_nothing_of_a_photo(scene: Scene) -> None:
    """A file's id taken from another room, by a colleague, an administrator, another organization (CVE-2026-48616)."""
    colleague = await scene.world.person(scene.org)
    admin = await scene.world.person(scene.org, role=ORGANIZATION_ADMIN)
    other = await scene.world.organization(f"kaze{scene.world.made}", "風見原町")
    stranger = await scene.world.person(other, role=ORGANIZATION_ADMIN)
    for who in (colleague, admin, stranger):
        assert await scene.item(who) is None
        forged = Capability(
            scene.photo, THUMBNAIL, who.id, who.actor.device, "lgwan", next_expiry(scene.server.clock.now())
        )
        assert code_of(await scene.get("/files/" + seal(scene.server.app.keys, forged))) == 5001


async def test_before_it_is_sent_a_photo_is_its_uploaders(scene: Scene) -> None:
    photo = await scene.upload(scene.member)
    assert await scene.item(scene.member, photo) is not None
    assert await scene.item(scene.owner, photo) is None


async def test_a_newcomer_without_history_does_not_see_old_photos(scene: Scene) -> None:
    room = await scene.world.room(scene.owner, history="joined")
    photo = await scene.upload(scene.owner)
    await scene.world.post(scene.owner, room, Photos((photo,)))
    invitation = rooms.Invitation((scene.member.id,))
    await scene.server.app.storage.write(lambda tx: rooms.invite(tx, scene.owner.actor, room, invitation))
    assert await scene.item(scene.member, photo) is None
    assert await scene.item(scene.owner, photo) is not None


async def test_the_place_is_for_the_home_organizations_staff(scene: Scene) -> None:
    place = {"latitude": pytest.approx(35.6833, abs=1e-3), "longitude": pytest.approx(139.75, abs=1e-3)}
    for who in (scene.owner, scene.member):
        item = await scene.item(who)
        assert item is not None
        assert item["place"] == place
    item = await scene.item(scene.guest)
    assert item is not None
    assert "place" not in item
    assert item["taken_at"] == 1_795_134_600_000


async def test_in_a_shared_room_photos_pass_and_places_do_not(scene: Scene) -> None:
    """Both ways: the home's photo to the other side, and theirs, whose bytes lie with them, to the home side."""
    other = await scene.world.organization(f"shared{scene.world.made}", "風見原町")
    theirs = await scene.world.person(other, "山本 直子", role=ORGANIZATION_ADMIN)
    owner = await scene.world.person(scene.org, role=ORGANIZATION_ADMIN)
    room = await scene.world.room(owner, scene.member)
    write = scene.server.app.storage.write
    await write(lambda tx: sharing.offer(tx, owner.actor, room, other.code))
    await write(lambda tx: sharing.open_side(tx, theirs.actor, room))

    ours = await scene.upload(owner)
    await scene.world.post(owner, room, Photos((ours,)))
    seen_there = await scene.item(theirs, ours)
    assert seen_there is not None
    assert "place" not in seen_there
    assert (await scene.get(seen_there["addresses"]["sanitized"])).status_code == 200

    received = await scene.upload(theirs, encoded(picture(80, 60)))
    await scene.world.post(theirs, room, Photos((received,)))
    for who in (owner, scene.member, theirs):
        item = await scene.item(who, received)
        assert item is not None
        assert (await scene.get(item["addresses"]["preview"])).status_code == 200

    await write(lambda tx: sharing.close_side(tx, theirs.actor, room))
    assert code_of(await scene.get(seen_there["addresses"]["sanitized"])) == 5001
    assert await scene.item(theirs, ours) is None


async def test_zones_decide_what_crosses(scene: Scene) -> None:
    """Up: everything rebuilt. Down: by the room's rule, and a download is not a view."""
    phone = await scene.world.another_device(scene.org, scene.member, "internet")
    down = await scene.item(phone, zone="internet")
    assert down is not None
    assert set(down["addresses"]) == {"thumbnail", "preview"}

    from_the_field = await scene.upload(phone, zone="internet")
    await scene.world.post(phone, scene.room, Photos((from_the_field,)))
    up = await scene.item(scene.owner, from_the_field)
    assert up is not None
    assert set(up["addresses"]) == {"thumbnail", "preview", "sanitized"}

    room = scene.room
    administrator = replace(scene.owner.actor, roles=frozenset((ORGANIZATION_ADMIN,)))
    await scene.server.app.storage.write(
        lambda tx: rooms.change(tx, administrator, room, rooms.RoomChange(outflow="text"))
    )
    refused = await scene.item(phone, zone="internet")
    assert refused is not None
    assert refused["addresses"] == {}
    assert refused["refused"]["ja"].startswith("この添付は")
    before = down["addresses"]["thumbnail"]
    assert code_of(await scene.get(before, zone="internet")) == 5005


def _open_at(path: Path) -> list[int]:
    """Where the server, which runs in this process, reads in its open files of that name."""
    found = []
    for each in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if each.readlink() == path:
                found.append(int(Path(f"/proc/self/fdinfo/{each.name}").read_text().split()[1]))
    return found


async def test_who_takes_nothing_costs_little_and_who_is_gone_costs_nothing(scene: Scene) -> None:
    address = await scene.address(scene.member)
    sha256 = hashlib.sha256((await scene.get(address)).content).hexdigest()
    path = path_of(scene.server.app, scene.org.id, sha256)
    os.truncate(path, 1 << 40)  # more than could be read in the time
    reader, writer = await asyncio.open_connection("127.0.0.1", scene.server.ports["lgwan"], limit=1024)
    writer.write(f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    async with asyncio.timeout(DEADLINE):
        # until what lies between the two sockets is full and the server stands still
        where = -1
        while (now := max(_open_at(path))) != where:
            where = now
            await asyncio.sleep(0.2)
        assert where < 32 << 20
        writer.transport.abort()
        while _open_at(path):  # noqa: ASYNC110 (a descriptor has no event)
            await asyncio.sleep(0.01)
