"""The durable outbox: what was written is sent, once, in order, whatever ends the process."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from chat_client import Client, ClientClosed, OutboxBroken, OutboxInUse, Photo, RenrakuError, Unreachable
from chat_client import events as e
from chat_client.draft import Draft
from chat_client.outbox import FolderOutbox
from tests.client.conftest import MakeClient
from tests.client.listening import Peer, Reply
from tests.client.scripted import ScriptedServer, error, http_error
from tests.client.waiting import FakeClock, soon


def draft(number: int, *photos: Photo) -> Draft:
    return Draft(f"message-{number}", "r", f"text {number}", None, photos, quote="q" if number % 2 else None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


async def left(folder: Path) -> list[Draft]:
    """What a new process finds."""
    outbox = FolderOutbox(folder)
    await outbox.close()
    return outbox.pending()


def names(folder: Path) -> list[str]:
    return sorted(found.name for found in folder.iterdir())


async def test_what_is_put_is_found_again_in_order(folder: Path) -> None:
    outbox = FolderOutbox(folder)
    for number in (1, 2, 3):
        await outbox.put(draft(number))
    await outbox.done(draft(2))
    await outbox.close()
    assert await left(folder) == [draft(1), draft(3)]
    assert await left(folder) == [draft(1), draft(3)]


async def test_it_is_readable_for_its_owner_alone(folder: Path) -> None:
    outbox = FolderOutbox(folder)
    await outbox.put(draft(1, Photo(b"bytes", "a.jpg", "key-of-the-photo")))
    await outbox.close()
    assert all(mode & 0o077 == 0 for mode in modes(folder)), modes(folder)


def modes(folder: Path) -> list[int]:
    return [path.stat().st_mode & 0o777 for path in [folder, *folder.rglob("*")]]


async def test_photos_are_copied_and_go_with_their_message(folder: Path, tmp_path: Path) -> None:
    original = tmp_path / "a.jpg"
    original.write_bytes(b"of the file")
    outbox = FolderOutbox(folder)
    put = await outbox.put(
        draft(1, Photo(original, "a.jpg", "key-1"), Photo(b"of memory", "b.jpg", "key-2"), Photo(None, "c", "k", "a9"))
    )
    original.unlink()
    await outbox.uploaded(put.uploaded(0, "a1"))
    await outbox.close()
    [found] = await left(folder)
    assert [photo.attachment for photo in found.photos] == ["a1", None, "a9"]
    assert [photo.name for photo in found.photos] == ["a.jpg", "b.jpg", "c"]
    assert [photo.source.read_bytes() for photo in found.photos if isinstance(photo.source, Path)] == [
        b"of the file", b"of memory",
    ]  # fmt: skip
    outbox = FolderOutbox(folder)
    await outbox.done(found)
    assert names(folder / "photos") == []
    assert (folder / "journal").read_bytes() == b""
    await outbox.close()


async def test_bytes_that_belong_to_no_message_are_swept(folder: Path) -> None:
    await FolderOutbox(folder).close()
    (folder / "photos" / "orphan").write_bytes(b"a crash between the copy and the journal")
    await FolderOutbox(folder).close()
    assert names(folder / "photos") == []


@pytest.mark.parametrize("cut", range(1, 40, 7))
async def test_a_line_that_a_crash_cut_off_was_never_promised(folder: Path, cut: int) -> None:
    outbox = FolderOutbox(folder)
    await outbox.put(draft(1))
    await outbox.put(draft(2))
    await outbox.close()
    journal = folder / "journal"
    journal.write_bytes(journal.read_bytes()[:-cut])
    assert await left(folder) == [draft(1)]
    outbox = FolderOutbox(folder)
    await outbox.put(draft(3))
    await outbox.close()
    assert await left(folder) == [draft(1), draft(3)]


async def test_a_damaged_journal_is_told_and_left_alone(folder: Path) -> None:
    outbox = FolderOutbox(folder)
    await outbox.put(draft(1))
    await outbox.close()
    journal = folder / "journal"
    damaged = b"\x00garbage\n" + journal.read_bytes()
    journal.write_bytes(damaged)
    with pytest.raises(OutboxBroken, match="line 1"):
        FolderOutbox(folder)
    assert journal.read_bytes() == damaged


async def test_two_processes_do_not_share_it(folder: Path) -> None:
    outbox = FolderOutbox(folder)
    with pytest.raises(OutboxInUse):
        FolderOutbox(folder)
    await outbox.close()
    await FolderOutbox(folder).close()


async def test_nothing_is_sent_before_it_is_on_disk(
    server: ScriptedServer, make_client: MakeClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(outbox=folder)
    await soon(client.start())

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("chat_client.outbox.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        await soon(client.send("r", "lost at once, and said so"))
    assert server.frames("send") == []


async def test_ids_of_attachments_are_on_disk_before_the_message_is_sent(
    server: ScriptedServer, make_client: MakeClient, folder: Path
) -> None:
    """Otherwise a second run might send the same client_msg_id with other ids."""
    client = make_client(outbox=folder)
    await soon(client.start())
    journalled: list[Any] = []

    def look(peer: Peer, frame: dict[str, Any]) -> None:
        journalled.extend(json.loads(line) for line in (folder / "journal").read_bytes().splitlines())
        server.on_send(peer, frame)

    server.instead("send", look)
    await soon(client.send("r", "two", photos=[b"one", b"two"]))
    [frame] = server.frames("send")
    assert journalled[-1] == {"uploaded": frame["client_msg_id"], "ids": frame["blocks"][1]["ids"]}


async def test_putting_that_is_cancelled_is_whole_or_nothing(folder: Path) -> None:
    outbox = FolderOutbox(folder)
    putting = [
        asyncio.create_task(outbox.put(draft(number, Photo(b"x" * 9, "a", f"k{number}")))) for number in range(20)
    ]
    await asyncio.sleep(0)
    for task in putting[::2]:
        task.cancel()
    await asyncio.gather(*putting, return_exceptions=True)
    await outbox.close()
    found = await left(folder)
    assert {f"message-{number}" for number in range(1, 20, 2)} <= {each.client_msg_id for each in found}
    assert all(len(each.photos) == 1 for each in found)


async def test_a_closed_one_takes_nothing(folder: Path) -> None:
    outbox = FolderOutbox(folder)
    await outbox.close()
    await outbox.close()
    with pytest.raises(ClientClosed):
        await outbox.put(draft(1))


async def test_a_second_run_sends_what_the_first_could_not(
    server: ScriptedServer, make_client: MakeClient, folder: Path
) -> None:
    outbox = FolderOutbox(folder)
    for text in ("1", "2", "3"):
        await outbox.put(Draft(f"message-{text}", "r", text))
    await outbox.close()
    first = make_client(outbox=folder)
    await soon(first.start())
    server.instead("send", lambda peer, frame: None)
    await server.until(lambda: len(server.frames("send")) == 1)
    await first.close()
    second = make_client(outbox=folder)
    told = second.events()
    await soon(second.start())
    await soon(second.send("r", "4"))
    assert server.texts() == ["1", "2", "3", "4"]
    sent: list[e.OutboxSent] = []
    while len(sent) < 4:
        event = await soon(anext(told))
        if isinstance(event, e.OutboxSent):
            sent.append(event)
    assert [event.ack.seq for event in sent] == [1, 2, 3, 4]
    assert [frame["client_msg_id"] for frame in server.frames("send")][:2] == ["message-1"] * 2
    await second.close()
    assert await left(folder) == []


async def test_a_second_run_uploads_with_the_key_of_the_first(
    server: ScriptedServer, make_client: MakeClient, folder: Path
) -> None:
    outbox = FolderOutbox(folder)
    await outbox.put(draft(1, Photo(b"bytes", "a.jpg", "key-of-the-photo")))
    await outbox.close()
    server.instead_http("POST", "/api/photos", lambda request: (server.answer(request), Reply(drop=True))[1])
    first = make_client(outbox=folder)
    await soon(first.start())
    await server.until(lambda: len(server.photos) == 1)
    await first.close()
    second = make_client(outbox=folder)
    await soon(second.start())
    await server.until(lambda: server.texts() == ["text 1"])
    assert [request.headers["idempotency-key"] for request in server.asked("POST", "/api/photos")] == [
        "key-of-the-photo", "key-of-the-photo",
    ]  # fmt: skip
    assert list(server.photos) == ["key-of-the-photo"]


async def test_a_room_keeps_its_order_and_rooms_do_not_wait_for_each_other(
    server: ScriptedServer, make_client: MakeClient, folder: Path, clock: FakeClock
) -> None:
    server.rooms["s"] = []
    client = make_client(outbox=folder)
    await soon(client.start())
    server.instead("send", lambda peer, frame: peer.send(error(frame, 8001, "database_busy", retry_after=7)))
    waiting = [asyncio.create_task(client.send("r", text)) for text in ("1", "2", "3")]
    await clock.sleeping(7)
    await soon(client.send("s", "other room"))
    assert server.texts("r") == []
    clock.advance(7)
    await soon(asyncio.gather(*waiting))
    assert server.texts("r") == ["1", "2", "3"]


async def test_giving_up_waiting_does_not_call_the_message_back(
    server: ScriptedServer, make_client: MakeClient, folder: Path, clock: FakeClock
) -> None:
    client = make_client(outbox=folder)
    await soon(client.start())
    server.instead("send", lambda peer, frame: peer.send(error(frame, 8005, "rate_limited", retry_after=7)))
    waiting = asyncio.create_task(client.send("r", "goes out all the same"))
    await clock.sleeping(7)
    waiting.cancel()
    clock.advance(7)
    await server.until(lambda: server.texts() == ["goes out all the same"])


async def test_patience_ends_for_the_caller_and_not_for_the_message(
    server: ScriptedServer, make_client: MakeClient, folder: Path, clock: FakeClock
) -> None:
    client = make_client(outbox=folder, patience=5)
    await soon(client.start())
    server.instead("send", lambda peer, frame: None)
    waiting = asyncio.create_task(client.send("r", "goes out all the same"))
    await server.until(lambda: len(server.frames("send")) == 1)
    await clock.sleeping(5)
    clock.advance(5)
    with pytest.raises(Unreachable, match="kept"):
        await soon(waiting)
    clock.advance(20)
    server.peers[0].close(4001)
    await server.until(lambda: server.texts() == ["goes out all the same"])


async def test_what_is_refused_for_good_leaves_and_is_told(
    server: ScriptedServer, make_client: MakeClient, folder: Path
) -> None:
    client = make_client(outbox=folder)
    told = client.events()
    await soon(client.start())
    server.instead("send", lambda peer, frame: peer.send(error(frame, 3001)))
    with pytest.raises(RenrakuError):
        await soon(client.send("r", "no such room", client_msg_id="refused-1"))
    await soon(client.send("r", "the next one"))
    await client.close()
    events = [event async for event in told]
    [failed] = [event for event in events if isinstance(event, e.OutboxFailed)]
    assert failed.client_msg_id == "refused-1"
    assert isinstance(failed.error, RenrakuError)
    assert await left(folder) == []


async def test_a_page_of_some_proxy_is_not_the_servers_word(
    server: ScriptedServer, make_client: MakeClient, folder: Path, clock: FakeClock
) -> None:
    client = make_client(outbox=folder)
    await soon(client.start())
    server.instead_http("POST", "/api/photos", Reply(404, b"<html>maintenance"))
    sending = asyncio.create_task(client.send("r", "with a photo", photos=[b"bytes"]))
    await clock.sleeping(0.5)
    clock.advance(0.5)
    assert (await soon(sending)).seq == 1


async def test_a_photo_refused_for_good_is_told(server: ScriptedServer, client: Client) -> None:
    await soon(client.start())
    server.instead_http("POST", "/api/photos", http_error(415, 5002))
    with pytest.raises(RenrakuError) as raised:
        await soon(client.send("r", "with a photo", photos=[b"not a photo"]))
    assert raised.value.code == 5002
    assert server.frames("send") == []


async def test_signed_out_keeps_what_was_written(server: ScriptedServer, make_client: MakeClient, folder: Path) -> None:
    client = make_client(outbox=folder)
    await soon(client.start())
    server.instead("send", lambda peer, frame: peer.close(4503))
    with pytest.raises(Exception, match="sign in"):
        await soon(client.send("r", "kept", client_msg_id="kept-kept"))
    await client.close()
    assert [found.client_msg_id for found in await left(folder)] == ["kept-kept"]
