"""People outside hand in files by a link: by tus, without an account, and see nothing but their own (security.md, 40)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from chat_server.domain import limits
from chat_server.domain.errors import Problem
from chat_server.domain.ids import new_id, new_secret
from chat_server.ports import Tx
from chat_server.services import handed_files, upload_links
from chat_server.services import organizations as ruling
from chat_server.services.authority import Operator
from chat_server.services.handed_files import Holder
from chat_server.services.upload_links import Wanted, digest
from chat_server.storage.queries import link_visits as visit_queries
from chat_server.storage.queries import organizations
from chat_server.workers.file_sweeper import FileSweeper
from chat_server.workers.links import LinkWorker
from tests.support.api import Api, code_of
from tests.support.cutting_proxy import CuttingProxy
from tests.support.links import Outside, Staff, outside, staff
from tests.support.uploads import TUS, Scene, checksum

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


@pytest_asyncio.fixture(loop_scope="module")
async def asker(scene: Scene) -> AsyncIterator[Staff]:
    found = staff(scene, scene.owner)
    async with found.api.client:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def vendor(scene: Scene) -> AsyncIterator[Outside]:
    async with somebody(scene) as found:
        yield found


@asynccontextmanager
async def somebody(scene: Scene, zone: str = "internet") -> AsyncIterator[Outside]:
    found = outside(scene, zone)
    async with found.api.client:
        yield found


def go_to(scene: Scene, asker: Staff, ahead: int) -> None:
    """Another time; the asker's session goes along."""
    scene.server.clock.ahead = ahead
    asker.api.client.headers["authorization"] = f"Bearer {scene.token_now(scene.owner)}"


async def test_files_are_handed_in_and_the_receipt_says_so(asker: Staff, vendor: Outside) -> None:
    link = await asker.ask(company="青葉測量", expected="遠景10枚", kinds=["photos"], most_files=3)
    token = await asker.address(link)
    shown = (await vendor.look(token)).json()
    assert (shown["organization"], shown["asker"], shown["recipient"]) == ("みどり野市", "高橋 健", "青葉 一郎")
    assert (shown["kinds"], shown["most_files"], shown["once"], shown["pin"]) == (["photos"], 3, True, False)
    assert (await vendor.begin(token)).status_code == 201
    data = os.urandom(300_000)
    file = await vendor.place(len(data), "緑橋/遠景/橋.jpg")
    for first in range(0, len(data), 100_000):
        part = data[first : first + 100_000]
        answer = await vendor.add(file, first, part, Upload_Checksum=checksum(part))
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(first + 100_000))
    receipt = (await vendor.receipt()).json()
    [line] = receipt["files"]
    assert (line["name"], line["offset"]) == ("緑橋 / 遠景 / 橋.jpg", len(data))
    assert line["state"] in ("waiting", "refused"), "noise is no picture, and that may be known already"
    assert line["sha256"] == hashlib.sha256(data).hexdigest()
    assert receipt["delivered"] is None
    assert (await asker.now(link))["state"] == "received"
    done = (await vendor.deliver()).json()
    assert done["delivered"]
    assert done["closed"]
    assert (await vendor.deliver()).json()["delivered"] == done["delivered"]
    now = await asker.now(link)
    assert (now["state"], now["received_files"], now["received_bytes"]) == ("done", 1, len(data))
    assert now["files"][0]["sha256"] == line["sha256"]
    assert code_of(await vendor.announce(3)) == 7110
    assert code_of(await vendor.look(token)) == 7101


async def test_a_link_that_is_good_for_nothing_is_always_the_same(scene: Scene, asker: Staff, vendor: Outside) -> None:
    """Whether it never was, was used, expired, was taken back, replaced or forbidden is not told."""

    async def used(token: str, link: dict[str, object]) -> None:
        async with somebody(scene) as other:
            await other.begin(token)
            await other.hand_in(b"x")

    async def replaced(token: str, link: dict[str, object]) -> None:
        await asker.address(link)

    async def revoked(token: str, link: dict[str, object]) -> None:
        await asker.api.call("revoke_upload_link", {"link": str(link["id"])})

    async def closed(token: str, link: dict[str, object]) -> None:
        await asker.api.call("change_upload_link", {"link": str(link["id"])}, json={"done": True})

    async def expired(token: str, link: dict[str, object]) -> None:
        scene.server.clock.ahead = 8 * limits.DAY

    async def forbidden(token: str, link: dict[str, object]) -> None:
        await set_rule(scene, "off")

    async def archived(token: str, link: dict[str, object]) -> None:
        await asker.api.call("change_room", {"room": scene.room}, json={"archived": True})

    unknown = await vendor.look(new_secret())
    answers = {unknown.text, (await vendor.begin(new_secret())).text, (await vendor.look("short")).text}
    ways = [used, replaced, revoked, closed, expired, forbidden, archived]
    for way in ways:
        await set_rule(scene, "member")
        link = await asker.ask()
        token = await asker.address(link)
        assert (await vendor.look(token)).status_code == 200
        await way(token, link)
        answers |= {(await vendor.look(token)).text, (await vendor.begin(token)).text}
        scene.server.clock.ahead = 0
        # However it stands: no token is in the database, nor in what is kept of answers.
        assert not await found_anywhere(scene, token)
    assert answers == {unknown.text}
    assert code_of(unknown) == 7101


async def set_rule(scene: Scene, value: str) -> None:
    await scene.server.app.storage.write(
        lambda tx: organizations.set_own_rules(tx, scene.org.id, {"upload_links": value})
    )


async def found_anywhere(scene: Scene, secret: str) -> bool:
    rows = await scene.server.app.storage.read(
        lambda tx: tx.all("SELECT detail, target FROM audit WHERE org_id = ?", scene.org.id)
    )
    kept = await scene.server.app.storage.read(lambda tx: tx.all("SELECT * FROM idempotency"))
    hashes = await scene.server.app.storage.read(lambda tx: tx.all("SELECT token_hash FROM upload_links"))
    return any(secret in str(value) or secret.encode() == value for row in [*rows, *kept, *hashes] for value in row)


async def test_looking_and_beginning_use_nothing_up(scene: Scene, asker: Staff, vendor: Outside) -> None:
    token = await asker.given()
    async with somebody(scene) as first, somebody(scene) as second:
        for one in (first, second, vendor):
            assert (await one.look(token)).status_code == 200
            assert (await one.begin(token)).status_code == 201
        await first.hand_in(b"abc")
        await first.hand_in(b"defg")
        for one in (second, vendor):
            assert code_of(await one.announce(3)) == 7101
            assert (await one.receipt()).json()["files"] == []
        assert len((await first.receipt()).json()["files"]) == 2


async def test_the_one_delivery_is_free_again_when_nothing_of_it_is_left(
    scene: Scene, asker: Staff, vendor: Outside
) -> None:
    token = await asker.given()
    await vendor.begin(token)
    file = await vendor.place(10)
    await vendor.add(file, 0, b"12345")
    async with somebody(scene) as other:
        assert code_of(await other.begin(token)) == 7101
    assert (await vendor.cancel(file)).status_code == 204
    assert code_of(await vendor.offset(file)) == 404
    async with somebody(scene) as other:
        assert (await other.begin(token)).status_code == 201
        await other.hand_in(b"abc")
    assert code_of(await vendor.announce(3)) == 7101


async def test_of_64_who_begin_at_once_one_wins(scene: Scene) -> None:
    """20 times over: once by 64 connections, and then at the storage, where they meet."""
    visits = await many_visits(scene, 64)
    async with scene.server.client(zone="internet") as client:
        headers = {**TUS, "Upload-Length": "9"}
        announced = [
            client.post("/api/visit/files", headers={**headers, "Authorization": f"Visit {visit}"}) for visit in visits
        ]
        answers = await asyncio.gather(*announced)
    assert sorted(code_of(answer) for answer in answers) == [201] + [7101] * 63
    for _ in range(19):
        codes = await asyncio.gather(*(begun(scene, visit) for visit in await many_visits(scene, 64)))
        assert sorted(codes) == [201] + [7101] * 63


async def begun(scene: Scene, visit: str) -> int:
    holder = Holder(visit, "internet", "")
    try:
        await scene.server.app.storage.write(lambda tx: handed_files.begin(tx, holder, "橋.jpg", 9))
    except Problem as problem:
        return problem.fault.code
    return 201


async def many_visits(scene: Scene, count: int) -> list[str]:
    """Of a new link, past the door."""
    tokens = [new_secret() for _ in range(count)]

    async def make(tx: Tx) -> None:
        wanted = Wanted("青葉 一郎", "橋の写真", tx.now + limits.DAY)
        link = await upload_links.ask(tx, scene.owner.actor, scene.room, wanted)
        row = await tx.one("SELECT id FROM upload_links WHERE public_id = ?", link["id"])
        assert row is not None
        for token in tokens:
            ends = tx.now + limits.DAY
            await visit_queries.insert(tx, new_id(tx.now), scene.org.id, int(row[0]), digest(token), "internet", ends)

    await scene.server.app.storage.write(make)
    return tokens


async def test_several_deliveries_do_not_see_each_other(scene: Scene, asker: Staff, vendor: Outside) -> None:
    link = await asker.ask(once=False)
    token = await asker.address(link)
    await vendor.begin(token)
    file = await vendor.place(10, "一.jpg")
    async with somebody(scene) as other:
        await other.begin(token)
        await other.hand_in(b"abc", "二.jpg")
        assert code_of(await other.offset(file)) == 404
        assert code_of(await other.add(file, 0, b"0123456789")) == 5008
        assert code_of(await other.cancel(file)) == 5008
        assert [line["name"] for line in (await other.receipt()).json()["files"]] == ["二.jpg"]
        assert (await other.deliver()).json()["closed"] is False
        assert code_of(await other.announce(3)) == 7110, "that was all, they said"
    assert (await vendor.add(file, 0, b"0123456789")).status_code == 204
    assert (await asker.now(link))["state"] == "received"
    assert len((await asker.now(link))["files"]) == 2


async def test_no_more_than_was_asked_for(asker: Staff, vendor: Outside) -> None:
    token = await asker.given(most_files=2, most_bytes=100)
    await vendor.begin(token)
    assert code_of(await vendor.announce(101)) == 7112
    file = await vendor.place(60)
    full = await vendor.announce(41)
    assert (code_of(full), full.json()["error"]["params"]["left"]) == (7112, "0.0 MB")
    await vendor.place(40)
    assert code_of(await vendor.announce(0)) == 7111
    too_much = await vendor.add(file, 0, b"x" * 61)
    assert code_of(too_much) == 2003
    await vendor.cancel(file)
    assert (await vendor.announce(60)).status_code == 201


async def test_what_was_refused_may_be_sent_in_another_form(scene: Scene, asker: Staff, vendor: Outside) -> None:
    await vendor.begin(await asker.given(most_files=1, most_bytes=100))

    async def refuse() -> None:
        await scene.server.app.storage.write(
            lambda tx: tx.run("UPDATE handed_files SET state = 'refused' WHERE name = 'again.pdf'")
        )

    for _ in range(limits.LINK_TRIES):
        assert (await vendor.announce(100, "again.pdf")).status_code == 201
        assert code_of(await vendor.announce(1)) == 7111
        await refuse()
    assert code_of(await vendor.announce(1)) == 7111, "without end"


async def test_a_delivery_is_of_what_is_whole(asker: Staff, vendor: Outside) -> None:
    await vendor.begin(await asker.given())
    assert code_of(await vendor.deliver()) == 7114
    file = await vendor.place(3)
    assert code_of(await vendor.deliver()) == 7113
    await vendor.add(file, 0, b"abc")
    assert (await vendor.deliver()).status_code == 200
    assert code_of(await vendor.cancel(file)) == 5008, "it was received"


async def test_names_cannot_lead_anywhere(asker: Staff, vendor: Outside) -> None:
    await vendor.begin(await asker.given())
    names = ["../../etc/passwd", "C:\\書類\\a\u202egpj.dat", "一/二/三/四/五.jpg", "/", "x" * 500 + ".pdf"]
    for name in names:
        await vendor.hand_in(b"x", name)
    shown = [line["name"] for line in (await vendor.receipt()).json()["files"]]
    assert shown[:4] == ["etc / passwd", "C: / 書類 / agpj.dat", "二 / 三 / 四 / 五.jpg", "名称未設定"]
    assert len(shown[4]) == 120
    assert shown[4].endswith(".pdf")


async def test_a_visit_is_of_one_zone_and_of_its_token(scene: Scene, asker: Staff, vendor: Outside) -> None:
    token = await asker.given()
    await vendor.begin(token)
    file = await vendor.place(3)
    async with somebody(scene, "lgwan") as inside:
        inside.go_on(vendor.visit)
        assert code_of(await inside.receipt()) == 7102
        assert code_of(await inside.add(file, 0, b"abc")) == 7102
    for headers in (
        {},
        {"Authorization": f"Visit {token}"},
        {"Authorization": f"Link {vendor.visit}"},
        {"Authorization": f"Bearer {scene.owner.token}"},
        {"Authorization": f"Bearer {vendor.visit}"},
        {"Authorization": f"Visit {vendor.visit}x"},
    ):
        assert code_of(await vendor.api.call("read_visit", headers=headers)) == 7102
        assert code_of(await vendor.api.call("look_at_link", headers=headers)) == 7101
    assert code_of(await vendor.api.client.get(f"/api/link?token={token}")) == 1007
    assert code_of(await vendor.api.client.get("/api/rooms", headers={"Authorization": f"Bearer {token}"})) == 1004


async def test_wrong_pins_lock_the_link_for_a_while(scene: Scene, asker: Staff, vendor: Outside) -> None:
    link = await asker.ask(pin="471108")
    token = await asker.address(link)
    assert (await vendor.look(token)).json()["pin"]
    assert [code_of(await vendor.begin(token, pin="471108")) for _ in range(2)] == [201, 201]
    wrong = [await vendor.begin(token, **body) for body in ({}, {"pin": "0000"}, {"pin": "4711"}, {"pin": "x"})]
    assert [answer.json()["error"]["params"]["left"] for answer in wrong] == [4, 3, 2, 1]
    assert {code_of(answer) for answer in wrong} == {7108}
    assert code_of(await vendor.begin(token, pin="0001")) == 7109
    locked = await vendor.begin(token, pin="471108")
    assert code_of(locked) == 7109
    assert 0 < int(locked.headers["retry-after"]) <= 900
    assert (await asker.now(link))["pin_misses"] == 5
    assert len(await scene.world.recorded(scene.org, "link.pin_missed")) == 5
    scene.server.clock.ahead = limits.FAILURE_WINDOW + limits.MINUTE
    assert (await vendor.begin(token, pin="４７１１０８")).status_code == 201, (
        "full-width, as a Japanese keyboard has it"
    )


async def test_pins_that_are_tried_at_once_are_counted_before(scene: Scene, asker: Staff) -> None:
    token = await asker.given(pin="471108")
    async with somebody(scene) as one:
        answers = await asyncio.gather(*(one.begin(token, pin=f"00{n:02}") for n in range(20)))
    assert {code_of(answer) for answer in answers} <= {7108, 7109}
    assert len(await scene.world.recorded(scene.org, "link.pin_missed")) == limits.LINK_PIN_MISSES


async def test_who_tries_many_links_has_to_wait(
    scene: Scene, asker: Staff, vendor: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await asker.given()
    await scene.server.app.storage.write(lambda tx: tx.run("DELETE FROM sign_in_failures"))
    monkeypatch.setattr(limits, "LINKS_MISSED", 3)
    monkeypatch.setattr(limits, "LINK_VISITS", 2)
    assert [code_of(await vendor.look(new_secret())) for _ in range(5)] == [7101] * 3 + [8005] * 2
    assert (await vendor.look(token)).status_code == 200, "who holds one is not kept out by them"
    assert [code_of(await vendor.begin(token)) for _ in range(4)] == [201, 201, 8005, 8005]
    await scene.server.app.storage.write(lambda tx: tx.run("DELETE FROM sign_in_failures"))


async def test_what_is_taken_back_ends_at_once(scene: Scene, asker: Staff, vendor: Outside) -> None:
    """Also for bytes that are on the line at that moment."""
    link = await asker.ask()
    await vendor.begin(await asker.address(link))
    file = await vendor.place(10)
    going, received = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"12345"
        going.set()
        await received.wait()
        yield b"67890"

    headers = {**vendor.headers, "Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
    headers |= {"Content-Type": "application/offset+octet-stream", "Content-Length": "10"}
    sending = asyncio.create_task(vendor.api.client.patch(f"/api/visit/files/{file}", content=body(), headers=headers))
    await going.wait()
    assert (await asker.api.call("revoke_upload_link", {"link": link["id"]})).json()["state"] == "revoked"
    received.set()
    assert code_of(await sending) == 7101
    for answer in (await vendor.receipt(), await vendor.deliver(), await vendor.announce(1)):
        assert code_of(answer) == 7101
    assert [line["state"] for line in (await asker.now(link))["files"]] == ["coming"]


async def test_what_was_begun_before_the_deadline_arrives(scene: Scene, asker: Staff, vendor: Outside) -> None:
    ends = scene.server.clock.now() + limits.HOUR
    link = await asker.ask(ends=ends)
    token = await asker.address(link)
    await vendor.begin(token)
    file = await vendor.place(10)
    await vendor.add(file, 0, b"12345")
    go_to(scene, asker, limits.HOUR + limits.MINUTE)
    assert code_of(await vendor.announce(3)) == 7110
    assert (await vendor.receipt()).json()["closed"]
    assert (await vendor.add(file, 5, b"67890")).status_code == 204
    assert (await vendor.deliver()).status_code == 200
    assert (await asker.now(link))["state"] == "done"
    scene.server.clock.ahead = limits.HOUR + limits.VISIT_LIVES
    assert code_of(await vendor.receipt()) == 7102


async def test_what_nobody_adds_to_is_forgotten_and_the_link_good_again(
    scene: Scene, asker: Staff, vendor: Outside
) -> None:
    app = scene.server.app
    used = "SELECT bytes FROM usage WHERE org_id = ? AND user_id = 0"
    token = await asker.given()
    await vendor.begin(token)
    file = await vendor.place(1000)
    await vendor.add(file, 0, b"12345")
    part = app.settings.folder / "blobs" / "unfinished"
    row = await app.storage.read(lambda tx: tx.one(used, scene.org.id))
    assert row is not None
    assert row[0] == 1000
    go_to(scene, asker, limits.VISIT_LIVES - limits.MINUTE)
    assert (await vendor.add(file, 5, b"6")).status_code == 204
    go_to(scene, asker, limits.VISIT_LIVES + limits.MINUTE)
    sweeper = FileSweeper(app.storage, app.blobs, app.settings.folder / "scratch")
    make_old(part, file)
    await LinkWorker(app.storage).step()
    await sweeper.sweep()
    assert (await vendor.offset(file)).headers["upload-offset"] == "6", "its use has prolonged it"
    go_to(scene, asker, 2 * limits.VISIT_LIVES)
    assert await LinkWorker(app.storage).step() >= 1
    make_old(part, file)
    await sweeper.sweep()
    assert not [path for path in part.iterdir() if file in path.name]
    row = await app.storage.read(lambda tx: tx.one(used, scene.org.id))
    assert row is not None
    assert row[0] == 0
    assert (await vendor.begin(token)).status_code == 201
    await vendor.hand_in(b"abc")


async def test_who_never_says_that_this_is_all_has_delivered_when_their_time_is_over(
    scene: Scene, asker: Staff, vendor: Outside
) -> None:
    worker = LinkWorker(scene.server.app.storage)
    once, several, still = [await asker.ask(once=one) for one in (True, False, True)]
    for link in (once, several):
        await vendor.begin(await asker.address(link))
        await vendor.hand_in(b"abc")
    await vendor.begin(await asker.address(still))
    await vendor.place(3)
    go_to(scene, asker, limits.VISIT_LIVES - limits.MINUTE)
    await worker.step()
    assert [(await asker.now(link))["state"] for link in (once, several, still)] == ["received", "received", "opened"]
    go_to(scene, asker, limits.VISIT_LIVES + limits.MINUTE)
    await worker.step()
    await worker.step()
    assert [(await asker.now(link))["state"] for link in (once, several, still)] == ["done", "received", "opened"]
    delivered = [
        actor for actor, _, detail in await scene.world.recorded(scene.org, "link.deliver") if "silent" in detail
    ]
    assert delivered == [once["id"], several["id"]]
    assert await worker.step() == 0


@pytest.mark.parametrize(
    ("kinds", "name", "code"),
    [
        ([], "setup.EXE", 7121),
        ([], "写真/資料.lzh", 7121),
        ([], "契約書.xdw", 7121),
        ([], "INDEX_C.XML", 0),
        ([], "名前だけ", 0),
        (["photos"], "図面.jww", 7121),
        (["photos"], "橋.JPG", 0),
        (["documents"], "議事録.jtd", 7121),
    ],
)
async def test_what_will_be_refused_by_its_name_is_refused_before_it_is_sent(
    asker: Staff, vendor: Outside, kinds: list[str], name: str, code: int
) -> None:
    await vendor.begin(await asker.given(kinds=kinds))
    answer = await vendor.announce(1 << 30, name)
    assert (code_of(answer) if code else answer.status_code) == (code or 201)
    if code:
        assert name.rpartition(".")[2].lower() in answer.json()["error"]["ja"]
        assert ("写真" in answer.json()["error"]["ja"]) == (kinds != ["documents"])
        assert (await vendor.receipt()).json()["files"] == [], "the one delivery is not taken by it"


async def test_the_rules_of_the_organization_say_which_names_are_taken(
    scene: Scene, asker: Staff, vendor: Outside
) -> None:
    storage, admin = scene.server.app.storage, Operator(scene.org.id)
    await vendor.begin(await asker.given())
    await storage.write(
        lambda tx: ruling.set_policy(tx, admin, {"sanitize_others": "approve", "sanitize_films": "refuse"})
    )
    assert (await vendor.announce(9, "契約書.xdw")).status_code == 201
    assert code_of(await vendor.announce(9, "点検.mp4")) == 7121


def make_old(folder: Path, file: str) -> None:
    for path in folder.glob(f"{file}*"):
        os.utime(path, (0, 0))


async def test_a_full_organization_takes_no_more(scene: Scene, asker: Staff, vendor: Outside) -> None:
    await scene.server.app.storage.write(
        lambda tx: organizations.set_own_rules(tx, scene.org.id, {"organization_quota": "1GB", "file_size": "2GB"})
    )
    await vendor.begin(await asker.given())
    assert code_of(await vendor.announce(2 * 1024**3 + 1)) == 5011
    assert code_of(await vendor.announce(1024**3 + 1)) == 5018
    file = await vendor.place(1024**3)
    assert code_of(await vendor.announce(1)) == 5018
    await vendor.cancel(file)
    assert (await vendor.announce(1)).status_code == 201


async def test_a_line_that_breaks_loses_nothing(scene: Scene, asker: Staff, vendor: Outside) -> None:
    """Every cut comes in the middle of a request; what HEAD tells afterwards is what goes on, in the same visit."""
    data = os.urandom(2 << 20)
    await vendor.begin(await asker.given())
    file = await vendor.place(len(data), "動画.mp4")
    offset = cuts = 0
    async with CuttingProxy("127.0.0.1", scene.server.ports["internet"]) as proxy:
        while offset < len(data):
            if cuts < 5:
                proxy.cut_after(up=300_000)
            base = f"http://127.0.0.1:{proxy.port}"
            try:
                async with httpx2.AsyncClient(base_url=base, trust_env=False, verify=False, timeout=30) as client:
                    again = Outside(Api(client, scene.document), vendor.headers)
                    assert (await again.add(file, offset, data[offset:])).status_code in (204, 409)
            except httpx2.TransportError:
                cuts += 1
            offset = int((await vendor.offset(file)).headers["upload-offset"])
    assert cuts == 5
    [line] = (await vendor.receipt()).json()["files"]
    assert line["sha256"] == hashlib.sha256(data).hexdigest()


async def test_the_trail_says_who_came_and_nothing_secret(scene: Scene, asker: Staff, vendor: Outside) -> None:
    link = await asker.ask()
    token = await asker.address(link)
    await vendor.begin(token)
    await vendor.hand_in(b"abc", "秘密の名前.jpg")
    await vendor.deliver()
    for act in ("link.ask", "link.address", "link.visit", "link.deliver"):
        [(actor, target, detail)] = await scene.world.recorded(scene.org, act)
        outside_acts = act in ("link.visit", "link.deliver")
        assert actor == (link["id"] if outside_acts else scene.owner.id)
        assert (target == link["id"]) != outside_acts
        assert detail["room"] == scene.room
        assert not [
            secret for secret in (token, vendor.visit, "秘密") if secret in json.dumps(detail, ensure_ascii=False)
        ]
