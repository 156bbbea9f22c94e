"""What goes out is decided anew at the moment that it goes out."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from chat_server.app import App
from chat_server.config import Settings
from chat_server.domain.hours import DAY_MINUTES
from chat_server.ports import Reader, Tx
from chat_server.services import push_expanding
from mobile_api.ledger.port import BADGE, CLEAR, NO_DEVICE, READ, REFUSED, RING, WITHDRAWN, Settled, Taken
from mobile_api.push.preparing import Preparer, Ready
from tests.support.engines import furnish
from tests.support.push.crowd import crowd


@dataclass
class Scene:
    """One message, seq 1, that rings one person."""

    app: App
    preparer: Preparer
    taken: Taken

    async def prepare(self, taken: Taken | None = None) -> tuple[list[Ready], list[Settled]]:
        return await self.preparer.prepare([taken or self.taken])

    async def run(self, sql: str) -> None:
        async def act(tx: Tx) -> None:
            await tx.run(sql)

        await self.app.storage.write(act)

    async def state(self, taken: Taken | None = None) -> int:
        ready, (settled,) = await self.prepare(taken)
        assert ready == []
        assert settled.tries == self.taken.tries
        return settled.state


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    furnish(tmp_path)
    app = await App.open(Settings(data=str(tmp_path)), workers=False)
    try:
        everybody = await crowd(app, 1, 1)
        ((room, room_id),) = everybody.rooms.items()
        await everybody.post(room)
        row = await app.storage.read(lambda reader: reader.one("SELECT user_id, device_id FROM push_tokens"))
        assert row is not None
        taken = Taken(1, "i" * 26, row[0], row[1], room_id, 1, 1, "fcm", RING, urgent=False, expires=2**50, tries=3)
        yield Scene(app, Preparer(app.storage, b"s" * 32, "lgwan", ""), taken)
    finally:
        await app.close()


async def test_what_is_still_wanted_goes_out(scene: Scene) -> None:
    (ready,), settled = await scene.prepare()
    assert settled == []
    assert (ready.parcel.id, ready.parcel.badge, ready.parcel.clears) == ("i" * 26, 1, False)


async def test_what_was_read_meanwhile_does_not(scene: Scene) -> None:
    await scene.run("UPDATE memberships SET read_seq = 1")
    assert await scene.state() == READ


async def test_what_was_taken_back_does_not(scene: Scene) -> None:
    await scene.run("UPDATE messages SET redacted_at = 1")
    assert await scene.state() == WITHDRAWN


@pytest.mark.parametrize(
    ("settings", "why"),
    [("'on', {begin}, {end}, 'UTC'", "quiet_hours"), ("'off', NULL, NULL, 'Asia/Tokyo'", "off_duty")],
)
async def test_what_was_held_up_until_the_night_does_not_ring_any_more(scene: Scene, settings: str, why: str) -> None:
    """But an emergency does."""
    minute = int(time.time()) // 60
    settings = settings.format(begin=(minute - 60) % DAY_MINUTES, end=(minute + 60) % DAY_MINUTES)
    await scene.run(
        "INSERT INTO notification_settings (user_id, org_id, duty, quiet_from, quiet_to, time_zone, push)"
        f" SELECT user_id, org_id, {settings}, 'all' FROM push_tokens"
    )
    ready, (settled,) = await scene.prepare()
    assert (ready, settled.state, settled.reason) == ([], WITHDRAWN, f"by now: {why}")
    for other in (
        replace(scene.taken, urgent=True),
        replace(scene.taken, kind=CLEAR),
        replace(scene.taken, kind=BADGE),
    ):
        (_,), settled_too = await scene.prepare(other)
        assert settled_too == []


async def test_who_left_is_not_rung(scene: Scene) -> None:
    await scene.run("UPDATE memberships SET to_seq = 1")
    assert await scene.state() == WITHDRAWN


@pytest.mark.parametrize(
    "gone",
    [
        "UPDATE devices SET revoked_at = 1",
        "UPDATE devices SET wipe_asked_at = 1",
        "UPDATE devices SET approved_at = NULL",
        "UPDATE push_tokens SET dropped_at = 1",
        "UPDATE users SET disabled_at = 1",
    ],
)
async def test_a_device_that_may_not_be_woken_is_not(scene: Scene, gone: str) -> None:
    await scene.run(gone)
    assert await scene.state() == NO_DEVICE


async def test_a_device_that_is_somebody_elses_now_is_told_nothing(scene: Scene) -> None:
    assert await scene.state(replace(scene.taken, user_id=scene.taken.user_id - 1)) == NO_DEVICE


async def test_a_key_that_is_none_is_refused_and_said(scene: Scene) -> None:
    await scene.run("UPDATE push_tokens SET p256dh = 'AAAA'")
    assert await scene.state() == REFUSED


async def test_clearing_goes_out_but_to_safari(scene: Scene) -> None:
    await scene.run("UPDATE memberships SET read_seq = 1")
    clear = replace(scene.taken, kind=CLEAR)
    (ready,), _ = await scene.prepare(clear)
    assert (ready.parcel.clears, ready.parcel.text, ready.parcel.badge) == (True, "", 1)
    await scene.run("UPDATE push_tokens SET platform = 'web_push', token = 'https://web.push.apple.com/x'")
    _, (settled,) = await scene.prepare(replace(clear, lane="web_push:web.push.apple.com"))
    assert (settled.state, settled.rang) == (WITHDRAWN, True)  # and it is not tried at every round


async def test_a_device_that_registered_elsewhere_since_is_rung_there(scene: Scene) -> None:
    """Its former provider would call the new token dead, and it would be dropped."""
    queued = replace(scene.taken, lane="apns")
    for taken in (queued, replace(queued, kind=BADGE, room_id=0)):
        (ready,), _ = await scene.prepare(taken)
        assert (ready.taken.lane, ready.parcel.platform) == ("fcm", "fcm")


async def test_a_number_for_what_is_a_browser_by_now_is_not_pushed(scene: Scene) -> None:
    await scene.run("UPDATE push_tokens SET platform = 'web_push', token = 'https://updates.example/x'")
    assert await scene.state(replace(scene.taken, kind=BADGE, room_id=0)) == WITHDRAWN


async def test_a_number_needs_no_room(scene: Scene) -> None:
    (ready,), _ = await scene.prepare(replace(scene.taken, kind=BADGE, room_id=0))
    assert (ready.parcel.clears, ready.parcel.badge) == (True, 1)


async def test_a_memo_pad_that_is_kept_to_the_desks_neither_rings_nor_counts(scene: Scene) -> None:
    await scene.run("UPDATE rooms SET kind = 'memo'")

    async def expand(reader: Reader) -> tuple[int, dict[str, list[int]]]:
        (found,) = await push_expanding.expand(reader, [(scene.taken.room_id, 1)], lambda room: (), "lgwan")
        return len(found.wake), found.quiet

    async def badge() -> int:
        (ready,), _ = await scene.prepare(replace(scene.taken, kind=BADGE, room_id=0))
        return ready.parcel.badge

    assert (await scene.app.storage.read(expand))[0] == 1
    assert await badge() == 1
    await scene.run("""UPDATE organizations SET policy = '{"memo_pad": "most_trusted"}'""")
    waking, quiet = await scene.app.storage.read(expand)
    assert waking == 0
    assert quiet["not_here"] == [scene.taken.user_id]
    assert await badge() == 0
