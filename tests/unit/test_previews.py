"""Previews of files between the database and real decoders: what is pending becomes ready or failed, and rooms are told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from chat_server.app import App
from chat_server.config import Settings
from chat_server.domain.actors import Actor
from chat_server.domain.errors import DECODER_BUSY, Problem
from chat_server.domain.events import RoomEvent
from chat_server.domain.ids import new_id
from chat_server.ports import Document, Reader, Tx
from chat_server.services import attachment_events, messages, pages, previews, rooms
from chat_server.services.blocks import Text
from chat_server.services.changing import redact
from chat_server.services.commands import Redact, Send
from chat_server.services.drafts import draft
from chat_server.storage.queries import attachment_copies, attachments
from chat_server.storage.queries import messages as message_queries
from chat_server.workers.previews import PreviewWorker
from tests.support.engines import database_of, furnish
from tests.support.files import add_file, attach, path_of
from tests.support.patience import DEADLINE
from tests.support.people import add_organization, add_people
from tests.support.server import MovableClock
from tests.unit import document_samples, photo_samples
from tests.unit.document_samples import words

BOTH_ENGINES = True
PDF = document_samples.pages(words("one"), words("two"))


@dataclass
class House:
    """A server without sockets, whose worker is called by hand."""

    app: App
    clock: MovableClock
    person: Actor
    told: list[Any]
    made: int = 0

    async def file(self, content: bytes, media_type: str = "application/pdf", *, org_id: int | None = None) -> int:
        """An upload of kind "file"; answers its integer key."""
        app = self.app
        return (await add_file(app.storage, app.blobs, self.person, content, media_type, org_id=org_id))[0]

    async def send(self, *keys: int) -> tuple[str, str]:
        """Into a room of its own; answers the room and the message."""
        self.made += 1
        new = rooms.NewRoom(kind="private", name="道路")
        room = await self.app.storage.write(lambda tx: rooms.create(tx, self.person, new))
        command = Send(ref=1, room=room, client_msg_id=f"message-{self.made}", blocks=(Text("drawings"),))
        ack = await self.app.storage.write(lambda tx: messages.send(tx, self.person, draft(command), b"k" * 32))
        assert ack.id is not None

        await attach(self.app.storage, ack.id, *keys)
        self.told.clear()
        return room, ack.id

    def worker(self, documents: Any = None) -> PreviewWorker:
        worker = self.app._preview_worker(self.app.settings.folder / "scratch")
        if documents is not None:
            worker._documents = documents
        return worker

    async def rows(self, key: int) -> dict[str, tuple[str, str | None]]:
        """State and reason by kind."""

        async def read(tx: Reader) -> dict[str, tuple[str, str | None]]:
            found = await tx.all("SELECT kind, state, reason FROM renditions WHERE attachment_id = ?", key)
            return {kind: (state, reason) for kind, state, reason in found if kind != "original"}

        return await self.app.storage.read(read)

    async def wire(self, key: int) -> dict[str, Any]:
        async def read(tx: Reader) -> dict[str, Any]:
            row = await tx.one(f"SELECT {attachments.WIRE} FROM attachments WHERE id = ?", key)
            assert row is not None
            return attachments.as_wire(row)

        return await self.app.storage.read(read)

    async def text(self, key: int) -> str:
        made = await self.app.storage.read(lambda tx: attachments.renditions(tx, [key]))
        rendition = made[key]["text"]
        assert rendition.sha256 is not None
        return path_of(self.app, rendition.org_id, rendition.sha256).read_text(encoding="utf-8")


@pytest.fixture
async def house(tmp_path: Path, engine: str) -> AsyncIterator[House]:
    clock = MovableClock()
    settings = Settings(data=str(tmp_path), database=database_of(tmp_path))
    furnish(tmp_path)
    app = await App.open(settings, clock=clock, workers=False)
    (tmp_path / "scratch").mkdir(exist_ok=True)
    (person,) = await add_people(app.storage, 1)
    told: list[Any] = []
    app.storage.on_notes = told.extend
    yield House(app, clock, person, told)
    await app.close()


async def test_a_pending_pdf_becomes_ready_and_its_room_is_told(house: House) -> None:
    key = await house.file(PDF)
    assert (await house.wire(key))["preview"] == "pending"
    room, message = await house.send(key)
    assert await house.worker().make() == 1
    assert await house.rows(key) == dict.fromkeys(("thumbnail", "preview", "preview-2", "text"), ("ready", None))
    assert await house.text(key) == "one\n\ntwo"
    wire = await house.wire(key)
    assert (wire["preview"], wire["pages"], wire["width"], wire["height"]) == ("ready", 2, 1067, 1600)
    assert wire["color"].startswith("#")
    (event,) = house.told
    assert isinstance(event, RoomEvent)
    assert (event.kind, event.room, event.by) == ("attachment", room, house.person.id)
    assert event.body == {"target": event.target, "id": message, "attachment": wire}
    assert list((house.app.settings.folder / "scratch").iterdir()) == []
    assert await house.worker().make() == 0

    page = await house.app.storage.read(lambda tx: pages.room_page(tx, house.person, room, event.seq - 1, 10))
    assert page.events == [
        {
            "op": "event", "room": room, "seq": event.seq, "at": event.at, "kind": "attachment", "by": house.person.id,
            "target": event.target, "id": message, "attachment": wire,
        }
    ]  # fmt: skip


async def test_a_redacted_message_says_nothing_of_its_files(house: House) -> None:
    early, late = await house.file(PDF), await house.file(PDF + b"\n")
    room, message = await house.send(early, late)
    await house.worker().make()
    seqs = [event.seq for event in house.told]
    assert len(seqs) == 2
    await house.app.storage.write(lambda tx: redact(tx, house.person, Redact(ref=1, message=message, how="redacted")))
    page = await house.app.storage.read(lambda tx: pages.room_page(tx, house.person, room, seqs[0] - 1, 2))
    assert [event["kind"] for event in page.events] == ["stub", "stub"]

    pending = await house.file(PDF + b"\n\n")
    _, message = await house.send(pending)
    await house.app.storage.write(lambda tx: redact(tx, house.person, Redact(ref=1, message=message, how="redacted")))
    house.told.clear()
    assert await house.worker().make() == 1
    assert (await house.wire(pending))["preview"] == "failed"
    for key in (early, pending):
        await house.app.storage.write(lambda tx, key=key: attachment_events.changed(tx, key))  # type: ignore[misc]
    assert house.told == []


async def test_an_upload_that_is_not_sent_yet_tells_nobody(house: House) -> None:
    key = await house.file(PDF)
    await house.worker().make()
    assert house.told == []
    assert (await house.wire(key))["preview"] == "ready"


async def test_each_kind_of_file(house: House) -> None:
    ready = ("ready", None)
    cases = {
        "text": (await house.file("表と一覧\n".encode("cp932"), "text/plain"), {"text": ready}),
        "photo": (
            await house.file(photo_samples.encoded(photo_samples.picture()), "image/jpeg"),
            {"thumbnail": ready, "preview": ready},
        ),
        "broken photo": (
            await house.file(b"\xff\xd8\xff\xe0nothing", "image/jpeg"),
            dict.fromkeys(("thumbnail", "preview"), ("failed", "broken")),
        ),
        "bomb": (
            await house.file(photo_samples.sample("pillow/decompression_bomb.gif").read_bytes(), "image/gif"),
            dict.fromkeys(("thumbnail", "preview"), ("failed", "too_large")),
        ),
        "archive": (await house.file(b"PK\3\4", "application/zip"), {}),
    }
    worker = house.worker()
    while await worker.make():
        pass
    for name, (key, expected) in cases.items():
        assert await house.rows(key) == expected, name
    states = {name: (await house.wire(key))["preview"] for name, (key, _) in cases.items()}
    assert states == {"text": "ready", "photo": "ready", "broken photo": "failed", "bomb": "failed", "archive": "none"}
    assert await house.text(cases["text"][0]) == "表と一覧"


async def test_the_same_bytes_are_decoded_once_and_a_copy_made_meanwhile_gets_them_too(house: House) -> None:
    first, again = await house.file(PDF), await house.file(PDF)
    _, message = await house.send(again)

    async def copy(tx: Tx) -> dict[str, Any]:
        stored = await message_queries.by_public_id(tx, message)
        assert stored is not None
        wire = await attachment_copies.copy(
            tx, again, new_id(tx.now), house.person.user_id, stored.org_id, stored.room_id, stored.id, 1, "lgwan"
        )
        assert wire["preview"] == "pending"
        row = await tx.one("SELECT id FROM attachments WHERE public_id = ?", wire["id"])
        assert row is not None
        return {"key": row[0], **wire}

    copied = await house.app.storage.write(copy)
    house.told.clear()
    assert await house.worker().make() == 1
    for key in (first, again, copied["key"]):
        assert (await house.rows(key))["preview"] == ("ready", None)
    assert sorted(event.body["attachment"]["id"] for event in house.told) == sorted(
        [(await house.wire(again))["id"], copied["id"]]
    )


async def test_organizations_take_turns(house: House, tmp_path: Path) -> None:
    other = await add_organization(house.app.storage, "tonari", "となり町")
    for number in range(3):
        await house.file(b"%d" % number, "text/plain")
    await house.file(b"late", "text/plain", org_id=other)
    due = await house.app.storage.read(lambda tx: previews.due(tx, 2))
    assert [job.org_id for job in due] == [house.person.org_id, other]


class Failing:
    """A decoder that has no time, or worse."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.asked = 0

    async def prepare(self, source: Path, out: Path, media_type: str) -> Document:
        self.asked += 1
        raise self.error


@pytest.mark.parametrize("error", [Problem(DECODER_BUSY), OSError("gone"), ValueError("ours")], ids=repr)
async def test_a_failing_decoder_is_asked_a_few_times_and_no_more(house: House, error: Exception) -> None:
    key = await house.file(PDF)
    _, message = await house.send(key)
    decoder = Failing(error)
    worker = house.worker(decoder)
    asked = []
    for _ in range(8):
        for _ in range(2):  # not at once again
            with contextlib.suppress(ExceptionGroup):
                await worker.make()
        asked.append(decoder.asked)
        house.clock.ahead += 3_600_000
    assert asked == [1, 2, 3, 4, 4, 4, 4, 4]
    assert decoder.asked == previews.TRIES
    assert set((await house.rows(key)).values()) == {("failed", "given_up")}
    assert [event.body["attachment"]["preview"] for event in house.told] == ["failed"]
    assert message


async def test_a_try_is_counted_before_it_is_made(house: House) -> None:
    """So that a file that takes the whole server down does so a few times only."""
    key = await house.file(PDF)
    (job,) = await house.app.storage.read(lambda tx: previews.due(tx, 5))
    assert await house.app.storage.write(lambda tx: previews.begin(tx, job))
    assert await house.app.storage.read(lambda tx: previews.due(tx, 5)) == []
    house.clock.ahead += 20_000
    (job,) = await house.app.storage.read(lambda tx: previews.due(tx, 5))
    assert job.tries == 1
    assert await house.worker().make() == 1
    assert (await house.rows(key))["preview"] == ("ready", None)


async def test_what_was_under_way_is_taken_up_at_the_start(house: House) -> None:
    key = await house.file(PDF)
    (job,) = await house.app.storage.read(lambda tx: previews.due(tx, 5))
    house.clock.ahead += 3_600_000
    assert await house.app.storage.write(lambda tx: previews.begin(tx, job))
    house.clock.ahead = 0
    task = asyncio.create_task(house.worker().run())
    async with asyncio.timeout(DEADLINE):
        while (await house.wire(key))["preview"] == "pending":  # noqa: ASYNC110 (a table)
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (await house.wire(key))["preview"] == "ready"


async def test_one_line_for_what_failed_and_nothing_of_its_content(house: House) -> None:
    await house.file(b"%PDF-1.7 secret words", "application/pdf")
    with capture_logs() as lines:
        await house.worker().make()
    found = [line for line in lines if line["event"] == "no rendition"]
    assert {(line["kind"], line["why"], line["type"]) for line in found} == {
        (kind, "broken", "application/pdf") for kind in ("thumbnail", "preview", "text")
    }
    assert "secret" not in repr(lines)


async def test_an_attachment_withdrawn_meanwhile_gets_nothing(house: House) -> None:
    key = await house.file(PDF)
    await house.send(key)

    async def withdraw(tx: Tx) -> None:
        await tx.run("UPDATE attachments SET withdrawn_at = 1 WHERE id = ?", key)

    await house.app.storage.write(withdraw)
    await house.worker().make()
    assert {state for state, _ in (await house.rows(key)).values()} == {"failed"}
    assert house.told == []


async def test_the_worker_ends_when_it_is_told_to(house: House) -> None:
    await house.file(PDF)
    task = asyncio.create_task(house.worker().run())
    async with asyncio.timeout(DEADLINE):
        while not list((house.app.settings.folder / "scratch").iterdir()):  # noqa: ASYNC110 (a folder has no event)
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert list((house.app.settings.folder / "scratch").iterdir()) == []
