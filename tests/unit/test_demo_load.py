"""The demonstration as it lies in the data folder after a first start, and after first starts that were killed."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import pytest
from PIL import Image

from chat_server.app import App
from chat_server.config import Settings
from chat_server.demo import draw, load, people, script
from chat_server.demo.dates import Calendar, japanese
from chat_server.demo.people import Company
from chat_server.domain.errors import SIGN_IN_FAILED, Problem
from chat_server.domain.ids import new_id
from chat_server.ports import Reader
from chat_server.services import browsing, files, history, room_list
from chat_server.storage.folder import CannotOpen
from mobile_api.sync.calls import packed, zipped
from mobile_api.sync.gathering import Held, gather

T = TypeVar("T")
ZONE = "lgwan"
ADDRESS = "127.0.0.1"
Rooms = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A whole first start, with every photo drawn and decoded."""
    settings = Settings(data=str(tmp_path_factory.mktemp("demo") / "data"))
    load.ensure(settings)
    return settings


async def look(settings: Settings, use: Callable[[App, Company], Awaitable[T]]) -> T:
    """With the storage open: `use` gets everybody by login."""
    app = await App.open(settings, workers=False)
    try:
        return await use(app, await people.company(app.storage, Calendar.at(app.clock.now()), ZONE))
    finally:
        await app.close()


async def rooms_of(app: App, company: Company, login: str) -> Rooms:
    listed = await app.storage.read(lambda reader: room_list.rooms_of(reader, company.actors[login]))
    return {room["name"]: room for room in listed}


async def messages_of(app: App, company: Company, login: str, name: str) -> list[dict[str, Any]]:
    room = (await rooms_of(app, company, login))[name]["id"]
    actor = company.actors[login]
    page = await app.storage.read(
        lambda reader: history.page(reader, actor, room, before=None, after=None, around=None, limit=200)
    )
    return list(page["messages"])


def room_named(name: str) -> script.Room:
    return next(room for room in script.rooms() if room.name == name)


# What a first start leaves


async def test_each_sign_in_sees_unread_messages_as_the_script_says(made: Settings) -> None:
    async def check(app: App, company: Company) -> None:
        for sign_in in script.cast().sign_in:
            seen = await rooms_of(app, company, sign_in.login)
            for name, room in seen.items():
                told = next((each for each in script.rooms() if each.name == name), None)
                if told is not None and sign_in.login in told.unread:
                    assert room["unread"] == told.unread[sign_in.login], (sign_in.login, name)
        desk = await rooms_of(app, company, "tanaka")
        assert {name for name, room in desk.items() if room["mentioned"]} >= {
            "台風12号 対策本部",
            "道路パトロール 現場報告",
        }
        assert desk["除雪連絡会(みどり野市・風見原町)"]["outsiders"] == ["風見原町"]
        assert desk["下水道 更新工事 3工区"]["outsiders"] == ["大野 祐介"]
        assert desk["市民まつり 交通規制班"]["archived"]
        assert desk["全庁お知らせ"]["can"]["post"] is False
        assert (await rooms_of(app, company, "yamazaki"))["全庁お知らせ"]["can"]["post"] is True

    await look(made, check)


async def test_a_guest_sees_the_one_room_and_nothing_from_before(made: Settings) -> None:
    async def check(app: App, company: Company) -> None:
        assert list(await rooms_of(app, company, "ohno")) == ["下水道 更新工事 3工区"]

    await look(made, check)


async def test_the_busy_room_is_told_as_written(made: Settings) -> None:
    async def check(app: App, company: Company) -> None:
        told = [spoken for day in room_named("道路パトロール 現場報告").day for spoken in day.messages]
        found = await messages_of(app, company, "tanaka", "道路パトロール 現場報告")
        assert len(found) == len(told)
        times = [message["at"] for message in found]
        assert times == sorted(times)
        for message, spoken in zip(found, told, strict=True):
            clock = japanese(message["at"])
            assert f"{clock.hour}:{clock.minute:02}" == spoken.at
            assert ("redacted" in message) == bool(spoken.cancelled)
            assert len(message.get("attachments", [])) == len(spoken.photos.split())
            assert bool(message.get("edited")) == bool(spoken.edited)
            assert bool(message.get("quote")) == bool(spoken.quote)
            given = {each["key"]: each["count"] for each in message.get("reactions", [])}
            assert given == {script.REACTIONS.get(key, key): len(who.split()) for key, who in spoken.react.items()}
        tree = next(message for message in found if "倒木です" in message["text"])
        assert tree["author"]["department"] == "道路課 維持係"
        assert tree["author"]["post"] == "主事"
        assert tree["pinned"]

    await look(made, check)


async def test_photos_have_time_place_and_addresses(made: Settings) -> None:
    async def check(app: App, company: Company) -> None:
        found = await messages_of(app, company, "tanaka", "道路パトロール 現場報告")
        tree = next(message for message in found if "倒木です" in message["text"])
        wide, _, roots = tree["attachments"]
        assert (wide["width"], wide["height"]) == (1600, 1200)
        assert (roots["width"], roots["height"]) == (1200, 1600), "turned upright"
        desk = replace(company.actors["tanaka"], device=new_id(app.clock.now()))
        ids = [photo["id"] for photo in tree["attachments"]]
        items = await app.storage.read(lambda reader: files.addresses(reader, desk, ids, app.keys, made.trust))
        assert [item["id"] for item in items] == ids
        assert all(set(item["addresses"]) == {"thumbnail", "preview", "sanitized"} for item in items)
        place = draw.SHOTS["tree-1"].place
        assert place is not None
        assert items[0]["place"]["latitude"] == pytest.approx(place[0], abs=1e-4)
        assert items[0]["taken_at"] == tree["at"] - 3 * 60_000

    await look(made, check)


async def test_the_members_of_a_room_stand_in_department_order(made: Settings) -> None:
    async def check(app: App, company: Company) -> None:
        desk = company.actors["tanaka"]
        patrol = (await rooms_of(app, company, "tanaka"))["道路パトロール 現場報告"]["id"]
        listed, _ = await app.storage.read(lambda reader: browsing.members(reader, desk, patrol, None, 100))
        names = [person["name"] for person in listed]
        assert names.index("藤井 昌弘") < names.index("佐々木 茂") < names.index("村上 晃司") < names.index("田中 美咲")
        assert len(names) == 28

    await look(made, check)


async def test_the_printed_password_signs_in(made: Settings) -> None:
    async def check(app: App, company: Company) -> None:
        for sign_in in script.cast().sign_in:
            begun = await app.sign_in.start("midorino", sign_in.login, "試しの端末", ZONE, ADDRESS)
            assert begun.flow is not None
            done = await app.sign_in.password(begun.flow, script.cast().password, ZONE, ADDRESS)
            assert done.session is not None
        begun = await app.sign_in.start("midorino", "murakami", "試しの端末", ZONE, ADDRESS)
        assert begun.flow is not None
        with pytest.raises(Problem) as caught:
            await app.sign_in.password(begun.flow, script.cast().password, ZONE, ADDRESS)
        assert caught.value.fault is SIGN_IN_FAILED, "nobody else has a password"

    await look(made, check)


def test_a_second_start_changes_nothing(made: Settings) -> None:
    before = (made.folder / "renraku.db").read_bytes()
    load.ensure(made)
    assert (made.folder / "renraku.db").read_bytes() == before


def test_the_welcome_says_all_that_is_needed_to_sign_in(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path))
    text = load.welcome(settings, "http://127.0.0.1:8080", script.office().colleague)
    for word in ("http://127.0.0.1:8080", "midorino", script.cast().password, "takahashi", "tanaka", "yamazaki"):
        assert word in text
    assert str(tmp_path) in text
    assert "小川 麻衣" in text
    assert "同僚" not in load.welcome(settings, "http://127.0.0.1:8080", ())


def test_a_real_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "renraku.db").write_bytes(b"somebody's talk")
    with pytest.raises(CannotOpen, match="RENRAKU_DATA"):
        load.ensure(Settings(data=str(tmp_path)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["renraku.db"]


# Interrupted first starts

KILLED = """
import os, signal, sys
from chat_server.config import Settings
from chat_server.demo import draw, load, people, stage
from tests.unit import test_demo_load

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def after(owner, name, calls):
    real, left = getattr(owner, name), [calls]
    def counted(*args, **named):
        left[0] -= 1
        if not left[0]:
            die()
        return real(*args, **named)
    setattr(owner, name, counted)

draw.photographs = test_demo_load.small_photographs
{fault}
load.ensure(Settings(data=sys.argv[1]))
"""
FAULTS = {
    "before anybody": "load.gather = die",
    "among the staff": "after(people.Earlier, 'write', 20)",
    "among the passwords": "after(people.password_change, 'set_for', 2)",
    "in the middle of the history": "after(stage.Stage, '_act', 700)",
    "before the last rename": "after(load.Path, 'rename', 1)",
}


def small_photographs(taken: Mapping[str, int]) -> Iterator[draw.Drawn]:
    """Grey cards instead of drawings: here it is not the photos that are tried."""
    for number, name in enumerate(taken):
        out = BytesIO()
        Image.new("RGB", (64, 48), (number * 9 % 256, 90, 120)).save(out, "JPEG")
        yield draw.Drawn(name, f"{name}.jpg", out.getvalue())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_killed_first_start_is_finished_by_the_next(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Settings
) -> None:
    folder = tmp_path / "data"
    code = KILLED.format(fault=FAULTS[fault])
    command = [sys.executable, "-c", code, str(folder)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, timeout=100, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert (folder / load.MAKING).exists()
    assert not (folder / load.MADE).exists()

    monkeypatch.setattr(draw, "photographs", small_photographs)
    settings = Settings(data=str(folder))
    load.ensure(settings)
    assert asyncio.run(look(settings, _summary)) == asyncio.run(look(made, _summary))


async def _summary(app: App, company: Company) -> dict[str, Any]:
    """What must be the same however often a first start was interrupted."""
    found: dict[str, Any] = {"people": sorted(company.actors), "sections": sorted(company.sections)}
    for sign_in in script.cast().sign_in:
        seen = await rooms_of(app, company, sign_in.login)
        keys = ("kind", "topic", "members", "role", "head", "read", "unread", "mentioned", "archived", "outsiders")
        found[sign_in.login] = {name: [room[key] for key in keys] for name, room in seen.items()}
    return found


async def test_a_usual_morning_comes_in_one_small_answer(made: Settings) -> None:
    """What a phone gets that held everything its owner had read. docs/mobile.md has the figures."""

    async def check(app: App, company: Company) -> None:
        async def morning(reader: Reader, low: bool) -> tuple[dict[str, Any], float]:
            actor = replace(company.actors["tanaka"], device=new_id(reader.now))
            listed = await room_list.rooms_of(reader, actor)
            own = await reader.one("SELECT last_seq FROM users WHERE id = ?", actor.user_id)
            assert own is not None
            held = Held(None, own[0] - 6, {room["id"]: room["read"] for room in listed}, low)
            began = time.perf_counter()
            found = await gather(reader, actor, held, app.keys, app.settings.trust)
            return found, time.perf_counter() - began

        await app.storage.read(lambda reader: morning(reader, low=False))  # as on any morning, the pages are in memory
        found, seconds = await app.storage.read(lambda reader: morning(reader, low=False))
        low, _ = await app.storage.read(lambda reader: morning(reader, low=True))
        changed = [room for room in found["rooms"].values() if room["unread"]]
        messages = [event for room in changed for event in room.get("events", ()) if event["kind"] == "message"]
        assert len(changed) >= 8
        assert len(messages) >= 15
        assert all("events" in room or "last" in room for room in changed), "every room has something to show"
        assert found["badge"] == sum(room["unread"] for room in changed)
        assert found["thumbnails"]
        assert len(zipped(packed(found))) <= 5000
        assert not any("events" in room for room in low["rooms"].values())
        assert len(zipped(packed(low))) <= 2000
        assert seconds < 1, "20 ms on a quiet machine: the bench says"

    await look(made, check)
