"""Photos over a bad line: one attachment, whatever it takes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from chat_client import Attachment, Client, Photo, RenrakuError, Unreachable
from tests.client.conftest import MakeClient
from tests.client.listening import Reply
from tests.client.scripted import ScriptedServer, http_error
from tests.client.waiting import FakeClock, FastClock, soon
from tests.support.cutting_proxy import CuttingProxy

PHOTO = os.urandom(700_000)


@pytest.fixture(params=["path", "bytes"])
def given(request: pytest.FixtureRequest, tmp_path: Path) -> Path | bytes:
    if request.param == "bytes":
        return PHOTO
    (tmp_path / "現場.jpg").write_bytes(PHOTO)
    return tmp_path / "現場.jpg"


async def test_the_bytes_arrive_as_they_are(server: ScriptedServer, client: Client, given: Path | bytes) -> None:
    attachment = await soon(client.upload_photo(given))
    [(stored, received)] = server.photos.values()
    assert received == PHOTO
    assert attachment.id == stored["id"]
    assert attachment.name == ("photo" if isinstance(given, bytes) else "現場.jpg")
    [request] = server.asked("POST", "/api/photos")
    assert request.headers["content-length"] == str(len(PHOTO))
    assert "transfer-encoding" not in request.headers


@pytest.mark.parametrize("cut_at", [0, 100, 2_000, 300_000, 699_000])
async def test_an_upload_cut_in_the_middle_is_sent_again_with_the_same_key(
    server: ScriptedServer, make_client: MakeClient, given: Path | bytes, cut_at: int
) -> None:
    async with CuttingProxy("127.0.0.1", server.listening.port) as line:
        client = make_client(f"http://127.0.0.1:{line.port}", clock=FastClock())
        line.cut_after(up=cut_at)
        await soon(client.upload_photo(given, "穴.jpg"))
        assert line.cuts == 1
    [(stored, received)] = server.photos.values()
    assert received == PHOTO
    assert stored["name"] == "穴.jpg"
    keys = {request.headers["idempotency-key"] for request in server.asked("POST", "/api/photos")}
    assert len(keys) == 1


async def test_an_answer_lost_on_the_way_makes_one_attachment(server: ScriptedServer, make_client: MakeClient) -> None:
    async with CuttingProxy("127.0.0.1", server.listening.port) as line:
        client = make_client(f"http://127.0.0.1:{line.port}", clock=FastClock())
        line.cut_after(down=0)
        attachment = await soon(client.upload_photo(PHOTO, "a.jpg"))
    assert attachment.id == "a1"
    assert len(server.asked("POST", "/api/photos")) == 2
    assert len(server.photos) == 1


async def test_a_line_that_stalls_is_left_for_another(server: ScriptedServer, make_client: MakeClient) -> None:
    async with CuttingProxy("127.0.0.1", server.listening.port) as line:
        client = make_client(f"http://127.0.0.1:{line.port}", clock=FastClock(), stall=1.0)
        line.stall("down")
        uploading = asyncio.create_task(client.upload_photo(PHOTO[:1000], "a.jpg"))
        await server.until(lambda: len(server.photos) == 1)
        await server.until(lambda: len(server.asked("POST", "/api/photos")) == 2)
        line.flow()
        assert (await soon(uploading)).id == "a1"
    assert len(server.photos) == 1


async def test_a_weak_signal_takes_its_time(server: ScriptedServer, make_client: MakeClient) -> None:
    """Much longer in all than `stall` allows without a byte, and as long in the buffers between."""
    async with CuttingProxy("127.0.0.1", server.listening.port) as line:
        client = make_client(f"http://127.0.0.1:{line.port}", clock=FastClock(), stall=1.5)
        line.throttle(200_000)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await soon(client.upload_photo(PHOTO, "a.jpg"))
        assert loop.time() - began > 2 * 1.5
    assert len(server.asked("POST", "/api/photos")) == 1


async def test_a_busy_decoder_is_waited_for(server: ScriptedServer, client: Client, clock: FakeClock) -> None:
    server.instead_http("POST", "/api/photos", http_error(503, 8003))
    server.instead_http("POST", "/api/photos", http_error(507, 8002, retry_after=20))
    uploading = asyncio.create_task(client.upload_photo(PHOTO, "a.jpg"))
    for wait in (0.5, 20):
        await clock.sleeping(wait)
        clock.advance(wait)
    assert (await soon(uploading)).id == "a1"


@pytest.mark.parametrize(("status", "code"), [(413, 2003), (415, 5002), (422, 5003)])
async def test_a_photo_refused_for_good_is_told_at_once(
    server: ScriptedServer, client: Client, status: int, code: int
) -> None:
    server.instead_http("POST", "/api/photos", http_error(status, code))
    with pytest.raises(RenrakuError) as raised:
        await soon(client.upload_photo(PHOTO, "a.jpg"))
    assert (raised.value.code, raised.value.status) == (code, status)


async def test_patience_ends(server: ScriptedServer, make_client: MakeClient, clock: FakeClock) -> None:
    client = make_client(patience=1)
    for _ in range(2):
        server.instead_http("POST", "/api/photos", Reply(drop=True))
    uploading = asyncio.create_task(client.upload_photo(PHOTO, "a.jpg"))
    await clock.sleeping(0.5)
    clock.advance(0.5)
    with pytest.raises(Unreachable):
        await soon(uploading)


async def test_a_file_that_is_not_there_is_told(client: Client, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await soon(client.upload_photo(tmp_path / "none.jpg"))


async def test_ten_photos_keep_their_order_in_one_message(
    server: ScriptedServer, client: Client, tmp_path: Path
) -> None:
    await soon(client.start())
    before = await soon(client.upload_photo(b"zero", "0.jpg"))
    photos: list[Path | bytes | Attachment | Photo] = [before]
    for number in range(1, 10):
        (tmp_path / f"{number}.jpg").write_bytes(bytes([number]))
        photos.append(tmp_path / f"{number}.jpg")
    await soon(client.send("r", "改修後", photos=photos))
    [frame] = server.frames("send")
    assert frame["blocks"][0] == {"type": "text", "text": "改修後"}
    ids = frame["blocks"][1]["ids"]
    assert ids == [f"a{number}" for number in range(1, 11)]
    assert [stored["name"] for stored, _ in server.photos.values()] == [f"{number}.jpg" for number in range(10)]


async def test_a_rendition_is_fetched_by_its_address_alone(server: ScriptedServer, client: Client) -> None:
    address = {"id": "a1", "name": "a.jpg", "addresses": {"preview": "/files/c4p"}, "expires": 5}
    place = {"taken_at": 7, "place": {"latitude": 35.0, "longitude": 139}}
    for _ in range(2):
        server.instead_http("POST", "/api/attachments/addresses", Reply(200, {"items": [address | place]}))
    server.instead_http("GET", "/files/c4p", Reply(200, b"\xff\xd8 bytes"))
    assert await soon(client.photo("a1")) == b"\xff\xd8 bytes"
    [request] = server.asked("GET", "/files/c4p")
    assert "authorization" not in request.headers
    [found] = await soon(client.api.addresses(["a1"]))
    assert (found.taken_at, found.latitude, found.longitude) == (7, 35.0, 139.0)
    assert "c4p" not in repr(found)


async def test_an_address_that_has_expired_is_told(server: ScriptedServer, client: Client) -> None:
    server.instead_http("GET", "/files/c4p", http_error(404, 5006))
    with pytest.raises(RenrakuError) as raised:
        await soon(client.api.download("/files/c4p"))
    assert raised.value.code == 5006
