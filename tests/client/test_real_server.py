"""The same client against the real server: what the scripted one only claims to be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from chat_client import AccountDisabled, Client, Credentials, EventStream, MemoryStore, Photo, RenrakuError, SignedOut
from chat_client import events as e
from chat_client.draft import Draft, new_key
from chat_client.outbox import FolderOutbox
from chat_server.domain import limits
from chat_server.workers.file_sweeper import FileSweeper
from tests.client.town import PASSWORD, Town, build
from tests.client.waiting import FastClock, soon
from tests.support.cutting_proxy import CuttingProxy
from tests.support.server import RunningServer, running_server
from tests.support.world import World


class Street:
    """The server, a bad line to it, and clients on either."""

    def __init__(self, server: RunningServer, town: Town, line: CuttingProxy, closing: AsyncExitStack) -> None:
        self.server = server
        self.town = town
        self.line = line
        self._closing = closing

    def client(self, who: Credentials, *, over_the_line: bool = False, **options: Any) -> Client:
        url = f"http://127.0.0.1:{self.line.port}" if over_the_line else self.server.base()
        client = Client(url, credentials=who, **options)
        self._closing.push_async_callback(client.close)
        return client

    async def pair(self, **options: Any) -> tuple[Client, Client, EventStream]:
        """takahashi on the bad line, tanaka at the desk, and what tanaka sees."""
        phone = self.client(self.town.takahashi, over_the_line=True, **options)
        desk = self.client(self.town.tanaka)
        seen = desk.events()
        await soon(asyncio.gather(phone.start(), desk.start()))
        return phone, desk, seen


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    async with AsyncExitStack() as closing:
        server = await closing.enter_async_context(running_server(tmp_path))
        town = await build(World(server))
        line = await closing.enter_async_context(CuttingProxy("127.0.0.1", server.ports["lgwan"]))
        yield Street(server, town, line, await closing.enter_async_context(AsyncExitStack()))


async def until(events: EventStream, *kinds: type[e.Event]) -> list[Any]:
    """The next events of these kinds, in this order; others between them are passed over."""
    found: list[Any] = []
    for kind in kinds:
        event = await soon(anext(events))
        while not isinstance(event, kind):
            event = await soon(anext(events))
        found.append(event)
    return found


async def posted(events: EventStream, last: str) -> list[str]:
    """Texts as they come, up to `last`; the room's positions have no gap and no repetition."""
    texts: list[str] = []
    at: int | None = None
    while last not in texts:
        event = await soon(anext(events))
        if isinstance(event, e.RoomEvent):
            assert at is None or event.seq == at + 1
            at = event.seq
        if isinstance(event, e.MessagePosted):
            texts.append(event.message.text)
    return texts


@pytest.mark.parametrize("codec", ["msgpack", "json"])
async def test_a_message_goes_from_the_phone_to_the_desk(street: Street, codec: str) -> None:
    phone, desk, seen = await street.pair(codec=codec)
    ack = await soon(phone.send(street.town.room, "現場に着きました"))
    [event] = await until(seen, e.MessagePosted)
    assert (event.room, event.seq, event.message.id) == (street.town.room, ack.seq, ack.id)
    assert (event.message.text, event.message.author.name) == ("現場に着きました", "高橋 健")
    [room] = [room for room in await soon(desk.rooms()) if room.id == street.town.room]
    assert (room.unread, room.head) == (1, ack.seq)
    history = await soon(desk.history(street.town.room))
    assert [message.id for message in history.messages] == [ack.id]
    assert history.head == ack.seq
    assert await soon(desk.api.message(event.message.id)) == (street.town.room, history.messages[0])


async def test_everything_one_does_to_a_message_arrives_typed(street: Street) -> None:
    phone, desk, seen = await street.pair()
    room = street.town.room
    own = phone.events()
    await soon(phone.send(room, "第一報"))
    [first] = await until(seen, e.MessagePosted)
    message = first.message
    await soon(desk.react(message.id, "承知しました"))
    [reacted] = await until(seen, e.Reacted)
    assert (reacted.id, reacted.key, reacted.on, reacted.user) == (message.id, "承知しました", True, desk.me.id)
    again = await soon(desk.react(message.id, "承知しました"))
    assert again.seq is None
    await soon(phone.edit(message, "第一報(訂正)"))
    [edited] = await until(seen, e.MessageEdited)
    assert (edited.target, edited.message.text, edited.message.version) == (message.seq, "第一報(訂正)", 2)
    with pytest.raises(RenrakuError) as raised:
        await soon(phone.edit(message, "古い版から"))
    assert raised.value.code == 4005
    await soon(phone.pin(message.id))
    [pinned] = await until(seen, e.Pinned)
    assert (pinned.id, pinned.on) == (message.id, True)
    await soon(desk.send(room, "了解です", quote=message.id))
    [answer] = await until(seen, e.MessagePosted)
    assert answer.message.quote is not None
    assert answer.message.quote.id == message.id
    await soon(desk.bookmark(message.id))
    [bookmark] = await until(seen, e.BookmarkChanged)
    assert (bookmark.message, bookmark.on) == (message.id, True)
    await soon(desk.involve(room, "mentions"))
    [involvement] = await until(seen, e.InvolvementChanged)
    assert (involvement.room, involvement.involvement) == (room, "mentions")
    await soon(phone.redact(message.id, "cancelled"))
    [redaction] = await until(seen, e.MessageRedacted)
    assert (redaction.target, redaction.id, redaction.how) == (message.seq, message.id, "cancelled")
    await soon(phone.look(room))
    await soon(desk.look(room))
    await soon(desk.typing(room))
    [typing] = await until(own, e.Typing)
    assert (typing.room, typing.user) == (room, desk.me.id)
    await soon(desk.read(room, answer.seq))
    [receipts] = await until(own, e.Receipts)
    assert receipts.upto[0] == (answer.seq, 1)
    assert (await soon(phone.watch([desk.me.id])))[desk.me.id] in ("online", "away")


async def test_an_ack_lost_on_the_way_makes_one_message(street: Street) -> None:
    phone, desk, seen = await street.pair()
    street.line.cut_after(down=0)
    ack = await soon(phone.send(street.town.room, "一度だけ"))
    assert street.line.cuts == 1
    assert ack.replay
    await soon(desk.send(street.town.room, "終わり"))
    assert await posted(seen, "終わり") == ["一度だけ", "終わり"]


async def test_a_line_that_is_cut_all_the_time_loses_and_doubles_nothing(street: Street) -> None:
    phone, desk, seen = await street.pair(clock=FastClock(50))
    own = phone.events()
    count = 60

    async def harm() -> None:
        for cut in range(12):
            before = street.line.cuts
            if cut % 2:
                street.line.cut_after(down=30 + 97 * cut)
            else:
                street.line.cut_after(up=20 + 61 * cut)
            await street.line.was_cut(before + 1)

    harming = asyncio.create_task(harm())
    for number in range(count):
        sender = desk if number % 5 == 4 else phone
        await soon(sender.send(street.town.room, f"n{number}"))
    await soon(harming)
    await soon(desk.send(street.town.room, "終わり"))
    expected = [f"n{number}" for number in range(count)] + ["終わり"]
    assert await posted(seen, "終わり") == expected
    assert await posted(own, "終わり") == expected


async def test_a_half_open_line_is_noticed_and_left(street: Street) -> None:
    phone, desk, seen = await street.pair(clock=FastClock(60))
    own = phone.events()
    street.line.stall()
    sending = asyncio.create_task(phone.send(street.town.room, "聞こえますか"))
    await soon(desk.send(street.town.room, "聞こえますか、こちら本庁"))
    [down] = await until(own, e.Disconnected)
    assert down.code is None
    street.line.drop()
    street.line.flow()
    await soon(sending)
    assert sorted(await posted(own, "聞こえますか")) == ["聞こえますか", "聞こえますか、こちら本庁"]
    assert len(await posted(seen, "聞こえますか")) == 2


async def test_faster_than_allowed_arrives_once_and_whole(street: Street) -> None:
    """The server lets 200 commands pass at once and 50 a second after that."""
    phone, _, seen = await street.pair()
    texts = [f"n{number}" for number in range(260)]
    acks = await soon(asyncio.gather(*(phone.send(street.town.room, text) for text in texts)))
    assert len({ack.seq for ack in acks}) == 260
    got: list[str] = []
    while len(got) < 260:
        got += [event.message.text for event in await until(seen, e.MessagePosted)]
    assert sorted(got) == sorted(texts)


async def test_a_text_too_large_for_a_frame_arrives(street: Street) -> None:
    phone, _, seen = await street.pair()
    text = "𠮷" * 20_000
    ack = await soon(phone.send(street.town.room, text))
    [event] = await until(seen, e.MessagePosted)
    assert (event.message.text, event.seq) == (text, ack.seq)


async def test_ten_photos_over_a_cut_line_arrive_in_their_order(street: Street, tmp_path: Path) -> None:
    phone, desk, seen = await street.pair(clock=FastClock(20))
    photos = []
    for number in range(10):
        path = tmp_path / f"現場{number}.jpg"
        Image.effect_noise((400 + number, 300), 90).convert("RGB").save(path, quality=95)
        photos.append(path)
    total = sum(path.stat().st_size for path in photos)

    async def harm() -> None:
        for cut in range(4):
            street.line.cut_after(up=total // 4) if cut < 3 else street.line.cut_after(down=0)
            await street.line.was_cut(cut + 1)

    harming = asyncio.create_task(harm())
    async with asyncio.timeout(60):
        ack = await phone.send(street.town.room, "損傷箇所", photos=photos)
        await harming
    [event] = await until(seen, e.MessagePosted)
    assert event.seq == ack.seq
    assert [attachment.name for attachment in event.message.attachments] == [path.name for path in photos]
    assert [attachment.width for attachment in event.message.attachments] == list(range(400, 410))
    assert (await soon(desk.photo(event.message.attachments[0].id, "thumbnail")))[:4] == b"RIFF"


async def test_photos_that_the_server_swept_before_their_message_came_are_uploaded_again(
    street: Street, tmp_path: Path
) -> None:
    """Uploaded in the tunnel's mouth, and the phone lay in a drawer for a week."""
    Image.new("RGB", (400, 300), "gray").save(tmp_path / "a.jpg")
    photo = Photo((tmp_path / "a.jpg").read_bytes(), "a.jpg", new_key())
    draft = Draft(new_key(), street.town.room, "倒木です", None, (photo,))
    outbox = FolderOutbox(tmp_path / "outbox")
    put = await outbox.put(draft)
    async with street.client(street.town.takahashi) as phone:
        await outbox.uploaded(put.uploaded(0, (await soon(phone.upload_photo(photo))).id))
    await outbox.close()
    app = street.server.app
    street.server.clock.ahead = 8 * limits.DAY
    await FileSweeper(app.storage, app.blobs, app.parts.scratch).sweep()
    desk = street.client(street.town.tanaka)
    seen = desk.events()
    await soon(desk.start())
    await soon(street.client(street.town.takahashi, outbox=tmp_path / "outbox").start())
    [event] = await until(seen, e.MessagePosted)
    [attachment] = event.message.attachments
    assert (event.message.text.partition("\n")[0], attachment.width) == ("倒木です", 400)


async def test_what_was_missed_is_replayed_and_too_much_is_a_resync(street: Street) -> None:
    phone, desk, _ = await street.pair()
    own = phone.events()
    room = street.town.room
    await street.line.refuse()
    street.line.drop()
    await until(own, e.Disconnected)
    for number in range(5):
        await soon(desk.send(room, f"n{number}"))
    await street.line.accept()
    assert await posted(own, "n4") == [f"n{number}" for number in range(5)]
    await street.line.refuse()
    street.line.drop()
    await until(own, e.Disconnected)
    world = World(street.server)
    await soon(asyncio.gather(*(world.post(street.town.tanaka_herself, room) for _ in range(1010))))
    await street.line.accept()
    [resynced] = await until(own, e.Resynced)
    assert resynced.room == room
    history = await soon(phone.history(room, limit=1))
    assert history.head == resynced.head
    await soon(desk.send(room, "その後"))
    [event] = await until(own, e.MessagePosted)
    assert (event.message.text, event.seq) == ("その後", resynced.head + 1)


async def test_a_room_one_is_added_to_and_taken_from(street: Street) -> None:
    phone, desk, seen = await street.pair()
    made = await soon(phone.api.call("POST", "/api/rooms", json={"kind": "private", "name": "災害対策"}))
    room = made["id"]
    await soon(phone.api.call("POST", f"/api/rooms/{room}/members", json={"users": [desk.me.id]}))
    [gained] = await until(seen, e.RoomGained)
    assert gained.room == room
    await soon(phone.send(room, "ようこそ"))
    [welcome] = await until(seen, e.MessagePosted)
    assert (welcome.room, welcome.message.text) == (room, "ようこそ")
    await soon(phone.api.call("DELETE", f"/api/rooms/{room}/members/{desk.me.id}"))
    [lost] = await until(seen, e.RoomLost)
    assert lost.room == room
    await soon(phone.send(room, "もう見えない"))
    await soon(phone.send(street.town.room, "こちらは見える"))
    [after] = await until(seen, e.MessagePosted)
    assert after.message.text == "こちらは見える"


async def test_an_expired_session_is_refreshed_and_comes_back(street: Street) -> None:
    store = MemoryStore()
    phone, _, _ = await street.pair(store=store)
    own = phone.events()
    before = await store.load()
    street.server.clock.ahead += 11 * 60_000
    [down, _] = await until(own, e.Disconnected, e.Connected)
    assert down.code == 4003
    after = await store.load()
    assert before is not None
    assert after is not None
    assert after.refresh_token != before.refresh_token
    assert after.device == before.device
    await soon(phone.send(street.town.room, "続き"))


async def test_a_device_signed_out_elsewhere_stops_and_forgets(street: Street) -> None:
    store = MemoryStore()
    phone, _, _ = await street.pair(store=store)
    own = phone.events()
    other = street.client(street.town.takahashi)
    await soon(other.api.call("DELETE", f"/api/me/devices/{phone.hello.device}"))
    with pytest.raises(SignedOut):
        await until(own, e.Stub)
    assert await store.load() is None
    with pytest.raises(SignedOut):
        await soon(phone.send(street.town.room, "もう送れない"))


async def test_a_disabled_account_stops_and_forgets(street: Street) -> None:
    world = World(street.server)
    org = await world.organization("aoba", "青葉町")
    clerk = await world.person(org, "鈴木 花子", login="suzuki", password=PASSWORD)
    administrator = await world.person(org, "伊藤 誠", role="organization_admin")
    store = MemoryStore()
    client = street.client(Credentials("aoba", "suzuki", PASSWORD), store=store)
    events = client.events()
    await soon(client.start())
    async with street.server.client(administrator.token) as http:
        answer = await http.patch(f"/api/people/{clerk.id}", json={"disabled": True})
        assert answer.status_code == 200, answer.text
    with pytest.raises(AccountDisabled):
        await until(events, e.Stub)
    assert await store.load() is None


async def test_a_wrong_password_is_a_numbered_error(street: Street) -> None:
    client = Client(street.server.base())
    with pytest.raises(RenrakuError) as raised:
        await soon(client.sign_in("midorino", "takahashi", "chigau-password"))
    assert raised.value.code == 1001
    assert raised.value.ja
    await client.close()
