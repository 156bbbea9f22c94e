"""What was handed in, between the database and the real sanitizer: released rebuilt or refused, once, whatever is killed."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from PIL import Image

from chat_server.app import App
from chat_server.config import Settings
from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import DECODER_BUSY, Problem
from chat_server.photos.workers import PhotoDecoders
from chat_server.ports import Disarmed, Reader, Tx
from chat_server.sanitizing.report import Report
from chat_server.sanitizing.serving import ServerSanitizer
from chat_server.services import bot_links, disarming, leftovers, organizations, quarantine
from chat_server.services.authority import Operator
from chat_server.services.blocks import Files
from chat_server.services.disarming import Tools
from chat_server.storage.queries import attachments
from chat_server.workers.disarming import DisarmingWorker
from chat_server.workers.file_sweeper import FileSweeper
from tests.support.engines import database_of, furnish
from tests.support.files import path_of
from tests.support.handing_in import Link, add_link
from tests.support.patience import DEADLINE
from tests.support.people import add_organization, add_people, add_person
from tests.support.server import MovableClock
from tests.unit.document_samples import pages, sample, words
from tests.unit.photo_samples import encoded, picture
from tests.unit.test_sanitizing_drawings import jww

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


@dataclass
class House:
    """A server without sockets, whose worker is called by hand."""

    app: App
    clock: MovableClock
    person: Actor
    sanitizer: ServerSanitizer
    photos: PhotoDecoders

    def worker(self, sanitizer: Any = None) -> DisarmingWorker:
        return DisarmingWorker(self.app.storage, self.tools(sanitizer), self.app.settings.trust)

    def tools(self, sanitizer: Any = None) -> Tools:
        tools = self.app._sanitizing(self.app.settings.folder / "scratch")
        return replace(tools, sanitizer=sanitizer or self.sanitizer, photos=self.photos)

    async def row(self, key: int) -> dict[str, Any]:
        async def read(tx: Reader) -> dict[str, Any]:
            columns = (
                "state",
                "report",
                "attachment_id",
                "tries",
                "decided_at",
                "sealed_sha256",
                "sha256",
                "org_id",
                "due_at",
            )
            row = await tx.one(f"SELECT {', '.join(columns)} FROM handed_files WHERE id = ?", key)
            assert row is not None
            return dict(zip(columns, row, strict=True))

        return await self.app.storage.read(read)

    async def report(self, key: int) -> Report:
        return msgspec.json.decode((await self.row(key))["report"], type=Report)

    async def attachment(self, key: int) -> tuple[dict[str, Any], dict[str, attachments.Rendition]]:
        """Its wire form and its renditions."""
        row = await self.row(key)

        async def read(tx: Reader) -> Any:
            found = await tx.one(f"SELECT {attachments.WIRE} FROM attachments WHERE id = ?", row["attachment_id"])
            assert found is not None
            made = await attachments.renditions(tx, [row["attachment_id"]])
            return attachments.as_wire(found), made[row["attachment_id"]]

        return await self.app.storage.read(read)

    async def told(self, link: Link) -> int:
        async def read(tx: Reader) -> int:
            row = await tx.one("SELECT count(*) FROM bot_events WHERE kind = 'link' AND note = ?", link.public_id)
            assert row is not None
            return int(row[0])

        return await self.app.storage.read(read)


class Fails:
    """A sanitizer that always ends in `outcome`: an error, or what it claims to have made."""

    possible = True

    def __init__(self, outcome: BaseException) -> None:
        self.outcome = outcome
        self.tries = 0

    async def sanitize(self, source: Path, *rest: Any, scanned: bool) -> Disarmed:
        self.tries += 1
        raise self.outcome


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def programs(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[ServerSanitizer, PhotoDecoders]]:
    """The processes that read files, for all tests here."""
    sanitizer, photos = ServerSanitizer(tmp_path_factory.mktemp("sanitizing")), PhotoDecoders(1)
    assert sanitizer.possible
    yield sanitizer, photos
    await sanitizer.close()
    await photos.close()


@pytest_asyncio.fixture(loop_scope="module")
async def house(
    tmp_path: Path, engine: str, programs: tuple[ServerSanitizer, PhotoDecoders]
) -> AsyncIterator[House]:  # fmt: skip
    clock = MovableClock()
    settings = Settings(data=str(tmp_path), database=database_of(tmp_path), zones=("internet", "lgwan"))
    furnish(tmp_path)
    app = await App.open(settings, clock=clock, workers=False)
    (person,) = await add_people(app.storage, 1)
    yield House(app, clock, person, *programs)
    await app.close()


async def test_files_come_out_rebuilt_or_are_refused_with_a_reason(house: House) -> None:
    link = await add_link(house.app, house.person)
    macro = sample("SimpleMacro.xlsm").read_bytes()
    photo, sheet, program, page = (
        await link.hand_in(encoded(picture()), "橋.jpg"),
        await link.hand_in(macro, "数量表.xlsm"),
        await link.hand_in(b"MZ\x90\0" * 100, "setup.exe"),
        await link.hand_in(pages(words("one")), "../図面.pdf"),
    )
    received = (await house.row(sheet))["sealed_sha256"]
    assert path_of(house.app, house.person.org_id, received).read_bytes().startswith(b"age-encryption.org/v1")
    assert await house.worker().work() == 4
    assert [(await house.row(key))["state"] for key in (photo, sheet, program, page)] == [
        "released", "released", "refused", "released",
    ]  # fmt: skip

    wire, made = await house.attachment(photo)
    assert (wire["kind"], wire["name"], wire["type"]) == ("photo", "橋.jpg", "image/jpeg")
    assert {"sanitized", "preview", "thumbnail"} <= set(made)
    wire, made = await house.attachment(sheet)
    assert (wire["kind"], wire["name"], wire["state"]) == ("file", "数量表.xlsx", "ready")
    assert "original" not in made
    assert made["sanitized"].blob_zone == "internet"
    rebuilt = made["sanitized"].sha256
    assert rebuilt is not None
    content = path_of(house.app, house.person.org_id, rebuilt).read_bytes()
    assert b"vbaProject" not in content
    assert b"vbaProject" in macro
    assert [one.object for one in (await house.report(sheet)).removed if one.object == "macro"]
    assert (await house.report(program)).reason == "executable"
    assert (await house.row(program))["attachment_id"] is None
    assert (await house.attachment(page))[0]["name"] == "図面.pdf"
    assert await house.told(link) == 1
    assert list((house.app.settings.folder / "scratch").iterdir()) == []
    assert await house.worker().work() == 0


async def test_a_drawing_comes_with_a_page_that_shows_it(house: House) -> None:
    link = await add_link(house.app, house.person)
    key = await link.hand_in(jww(), "図面.jww")
    await house.worker().work()
    assert (await house.attachment(key))[0]["name"] == "図面.dxf"

    async def shown(tx: Tx) -> tuple[int, str]:
        row = await tx.one(
            "SELECT h.public_id, r.public_id, a.uploader_id, p.name FROM handed_files h JOIN rooms r ON r.id = h.room_id"
            " JOIN attachments a ON a.id = h.attachment_id JOIN attachments p ON p.id = h.page_id WHERE h.id = ?",
            key,
        )
        assert row is not None
        bot = replace(house.person, user_id=row[2])
        (files,), told = await bot_links.blocks(tx, bot, row[1], [row[0]])
        assert isinstance(files, Files)
        assert told == [row[0]]
        return len(files.ids), row[3]

    assert await house.app.storage.write(shown) == (2, "図面.pdf")


async def test_previews_are_made_of_the_rebuilt_file(house: House) -> None:
    link = await add_link(house.app, house.person)
    key = await link.hand_in(pages(words("one")), "図面.pdf")
    await house.worker().work()
    assert (await house.attachment(key))[0]["preview"] == "pending"
    previews = house.app._preview_worker(house.app.settings.folder / "scratch")
    assert await previews.make() == 1
    wire, made = await house.attachment(key)
    assert (wire["preview"], made["text"].state, made["sanitized"].state) == ("ready", "ready", "ready")


async def test_what_was_not_asked_for_and_what_the_organization_refuses(house: House) -> None:
    link = await add_link(house.app, house.person, "photos,archives")
    rules = {"sanitize_photos": "refuse"}
    await house.app.storage.write(lambda tx: organizations.set_policy(tx, Operator(house.person.org_id), rules))
    page = await link.hand_in(pages(words("one")), "図面.pdf")
    photo = await link.hand_in(encoded(picture()), "橋.jpg")
    await house.worker().work()
    assert (await house.report(page)).reason == "not_asked_for"
    assert (await house.report(photo)).reason == "by_policy"


async def test_a_picture_that_is_no_photo_after_all_is_refused(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    link = await add_link(house.app, house.person)
    key = await link.hand_in(encoded(picture()), "橋.jpg")

    class Lies:
        possible = True

        async def sanitize(self, source: Path, name: str, out: Path, *rest: Any, scanned: bool) -> Disarmed:
            (out / name).write_bytes(b"\xff\xd8\xff\xe0nothing")
            report = Report(
                file=name, kind_found="jpeg", kind_claimed="jpeg", action="rebuilt", sha256_before="0" * 64, size_before=1,
                sha256_after="0" * 64, size_after=1, output=name, seconds=0,
            )  # fmt: skip
            return Disarmed(msgspec.json.encode(report), out / name, name)

    await house.worker(Lies()).work()
    report = await house.report(key)
    assert ((await house.row(key))["state"], report.action, report.reason) == ("refused", "refused", "check_failed")
    assert (report.output, (await house.row(key))["attachment_id"]) == (None, None)


@pytest.mark.parametrize("outcome", [Problem(DECODER_BUSY), OSError("gone"), ValueError("a mistake of ours")])
async def test_what_cannot_be_disarmed_is_tried_again_then_refused(house: House, outcome: Exception) -> None:
    link = await add_link(house.app, house.person)
    key = await link.hand_in(pages(words("one")), "図面.pdf")
    fails = Fails(outcome)
    worker = house.worker(fails)
    for tries in range(1, disarming.TRIES + 1):
        assert await worker.work() == 1
        assert (fails.tries, (await house.row(key))["state"]) == (tries, "waiting")
        assert await worker.work() == 0, "not at once"
        house.clock.ahead += limits.HOUR
    assert await worker.work() == 1
    assert ((await house.row(key))["state"], (await house.report(key)).reason) == ("refused", "crashed")
    assert fails.tries == disarming.TRIES
    assert await house.told(link) == 1


async def test_a_try_is_counted_before_it_is_made_and_a_killed_one_is_taken_up_at_the_start(house: House) -> None:
    link = await add_link(house.app, house.person)
    key = await link.hand_in(encoded(picture()), "橋.jpg")
    begun = asyncio.Event()

    class Hangs(Fails):
        async def sanitize(self, *rest: Any, scanned: bool) -> Disarmed:
            assert (await house.row(key))["tries"] == 1
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError

    killed = asyncio.create_task(house.worker(Hangs(OSError())).work())
    await begun.wait()
    killed.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await killed
    assert ((await house.row(key))["state"], await house.worker().work()) == ("waiting", 0)
    await house.app.storage.write(disarming.resume)
    assert await house.worker().work() == 1
    assert ((await house.row(key))["state"], (await house.row(key))["tries"]) == ("released", 2)


async def test_it_is_decided_once(house: House) -> None:
    link = await add_link(house.app, house.person)
    key = await link.hand_in(encoded(picture()), "橋.jpg")
    [job] = await house.app.storage.read(lambda tx: disarming.due(tx, 5))
    policy = await house.app.storage.write(lambda tx: disarming.begin(tx, job, house.app.settings.trust))
    assert policy is not None
    assert await house.app.storage.write(lambda tx: disarming.begin(tx, job, house.app.settings.trust)) is None
    verdict = await disarming.prepare(house.tools(), policy, job)
    deliver = [
        await house.app.storage.write(lambda tx: disarming.deliver(tx, job, verdict, house.app.settings.trust))
        for _ in range(2)
    ]
    assert deliver == [True, False]
    rows = await house.app.storage.read(lambda tx: tx.one("SELECT count(*) FROM attachments"))
    assert rows is not None
    assert rows[0] == 1
    assert (await house.row(key))["state"] == "released"


async def test_changed_bytes_in_quarantine_are_never_released(house: House) -> None:
    link = await add_link(house.app, house.person)
    first, second = await link.hand_in(b"one\n", "a.txt"), await link.hand_in(b"two\n", "b.txt")
    other = (await house.row(second))["sealed_sha256"]
    await house.app.storage.write(
        lambda tx: tx.run("UPDATE handed_files SET sealed_sha256 = ? WHERE id = ?", other, first)
    )
    broken = path_of(house.app, house.person.org_id, other)
    for _ in range(disarming.TRIES + 1):
        await house.worker().work()
        house.clock.ahead += limits.HOUR
    assert [(await house.row(key))["state"] for key in (first, second)] == ["refused", "released"]
    assert broken.exists()


async def test_organizations_and_links_take_turns_and_one_link_has_all_places_but_one(house: House) -> None:
    neighbour = await add_person(house.app.storage, await add_organization(house.app.storage, "tonari"), "tonari")
    many, few = await add_link(house.app, house.person), await add_link(house.app, house.person)
    theirs = await add_link(house.app, neighbour)
    bombs = [await many.hand_in(f"{number}\n".encode(), f"{number}.txt") for number in range(3)]
    one, other = await few.hand_in(b"few\n", "few.txt"), await theirs.hand_in(b"theirs\n", "theirs.txt")
    order = [job.id for job in await house.app.storage.read(lambda tx: disarming.due(tx, 9))]
    assert order == [bombs[0], other, one, bombs[1], bombs[2]]

    release, seen = asyncio.Event(), list[str]()

    class Waits(Fails):
        async def sanitize(self, source: Path, name: str, *rest: Any, scanned: bool) -> Disarmed:  # type: ignore[override]
            seen.append(name)
            if {"few.txt", "theirs.txt"} <= set(seen):
                release.set()
            if name[0].isdigit():
                await release.wait()
            raise OSError("later")

    async with asyncio.timeout(DEADLINE):
        assert await house.worker(Waits(OSError())).work() == 5
    assert set(seen[:3]) == {"0.txt", "few.txt", "theirs.txt"}


async def test_the_quarantine_ends_and_what_was_released_stays(house: House) -> None:
    link = await add_link(house.app, house.person)
    key, waits = await link.hand_in(encoded(picture()), "橋.jpg"), await link.hand_in(b"later\n", "later.txt")
    await house.app.storage.write(lambda tx: tx.run("UPDATE handed_files SET due_at = due_at * 2 WHERE id = ?", waits))
    await house.worker().work()
    sealed = (await house.row(key))["sealed_sha256"]
    sweeper = FileSweeper(house.app.storage, house.app.blobs, house.app.settings.folder / "scratch")
    house.clock.ahead += 89 * limits.DAY
    await sweeper.sweep()
    assert (await house.row(key))["sealed_sha256"] == sealed
    house.clock.ahead += 2 * limits.DAY
    await sweeper.sweep()
    assert (await house.row(key))["sealed_sha256"] is None
    assert (await house.row(waits))["sealed_sha256"] is not None, "what waits is never forgotten"
    blob = await house.app.storage.read(lambda tx: tx.one("SELECT 1 FROM blobs WHERE sha256 = ?", sealed))
    assert blob is None
    assert (await house.attachment(key))[0]["state"] == "ready", "the bot may post it still"
    assert not await house.app.storage.read(leftovers.unsent)


async def test_nothing_is_kept_unsealed(house: House) -> None:
    link = await add_link(house.app, house.person)
    secret = b"nobody else reads this " * 50
    await link.hand_in(secret, "a.txt")
    files = [path for path in house.app.settings.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if secret[:40] in path.read_bytes()]
    assert quarantine.HALL == 0


async def test_a_photo_loses_its_place(house: House) -> None:
    link = await add_link(house.app, house.person)
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (35.0, 0.0, 0.0), 3: "E", 4: (139.0, 0.0, 0.0)})
    made = io.BytesIO()
    picture().save(made, "JPEG", exif=exif)
    key = await link.hand_in(made.getvalue(), "橋.jpg")
    await house.worker().work()
    place = await house.app.storage.read(
        lambda tx: tx.one(
            "SELECT a.latitude FROM attachments a JOIN handed_files h ON h.attachment_id = a.id WHERE h.id = ?", key
        )
    )
    assert place is not None
    assert place[0] is None
    assert [one.object for one in (await house.report(key)).removed] == ["metadata", "place"]
