"""What the queue and ledger of pushes promise, on both engines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chat_server.fuse import Fuse
from chat_server.ports import PushDecided
from chat_server.storage.postgresql.address import options
from mobile_api.ledger.opening import open_ledger
from mobile_api.ledger.port import (
    ACCEPTED,
    BADGE,
    CLEAR,
    INVALID,
    NO_DEVICE,
    REFUSED,
    WAITING,
    WITHDRAWN,
    Ledger,
    Mark,
    Settled,
    Taken,
)
from mobile_api.ledger.queueing import BADGE_REST
from mobile_api.ledger.sqlite import FILE
from tests.support.engines import POSTGRESQL, database_of
from tests.support.push.orders import DAY, NOW, handed, order

BOTH_ENGINES = True


async def opened(engine: str, folder: Path) -> Ledger:
    return await open_ledger(options(database_of(folder)) if engine == POSTGRESQL else None, folder, Fuse())


@pytest.fixture
async def ledger(engine: str, tmp_path: Path) -> AsyncIterator[Ledger]:
    one = await opened(engine, tmp_path)
    await one.belong("now")
    yield one
    await one.close()


async def decided(ledger: Ledger, message: int, user: int) -> PushDecided:
    found = await ledger.decided(message, user)
    assert found is not None
    return found


async def states(ledger: Ledger, message: int, user: int) -> list[str]:
    return [entry.state for entry in (await decided(ledger, message, user)).entries]


def accepted(one: Taken) -> Settled:
    return Settled(one.id, one.tries, ACCEPTED, "200", "r", rang=True)


async def test_a_message_is_handed_over_once(ledger: Ledger) -> None:
    orders = [order(1, 5), order(2, 5)]
    quiet = {"own_message": [9], "quiet_hours": [4, 70_000, 3]}
    assert await ledger.hand_over(handed(5, quiet=quiet), orders, NOW)
    assert not await ledger.hand_over(handed(5), [order(1, 5), order(3, 5)], NOW + 1)
    assert await ledger.waiting() == (2, NOW)
    assert [one.device_id for one in await ledger.take("fcm", 10, NOW)] == [1, 2]
    for user, why in ((9, "own_message"), (4, "quiet_hours"), (70_000, "quiet_hours"), (3, "quiet_hours"), (5, "")):
        assert (await decided(ledger, 5, user)).why == why
    assert await ledger.decided(6, 9) is None


async def test_what_is_taken_is_not_taken_again_until_it_is_settled(ledger: Ledger) -> None:
    await ledger.hand_over(handed(5), [order(1, 5)], NOW)
    (one,) = await ledger.take("fcm", 10, NOW)
    assert (one.device_id, one.tries) == (1, 1)
    assert await ledger.take("fcm", 10, NOW + DAY // 2) == []
    await ledger.settle([Settled(one.id, 1, WAITING, "429", due=NOW + 500)], NOW + 10)
    assert await ledger.next_due() == NOW + 500
    assert await ledger.take("fcm", 10, NOW + 499) == []
    (again,) = await ledger.take("fcm", 10, NOW + 500)
    assert (again.public_id, again.tries) == (one.public_id, 2)
    await ledger.settle([accepted(again)], NOW + 600)
    (entry,) = (await decided(ledger, 5, 101)).entries
    assert (entry.state, entry.tries, entry.answer, entry.receipt) == ("accepted", 2, "200", "r")
    assert (entry.created_at, entry.tried_at, entry.done_at, entry.due_at) == (NOW, NOW + 500, NOW + 600, None)
    assert await ledger.next_due() is None
    assert await ledger.lanes() == []


async def test_an_answer_that_comes_after_another_took_over_changes_nothing(ledger: Ledger) -> None:
    await ledger.hand_over(handed(5), [order(1, 5)], NOW)
    (first,) = await ledger.take("fcm", 10, NOW)
    assert await ledger.recover(NOW + 1) == 1
    (second,) = await ledger.take("fcm", 10, NOW + 1)
    await ledger.settle([Settled(first.id, first.tries, INVALID, "late")], NOW + 2)
    assert await states(ledger, 5, 101) == ["sending"]
    await ledger.settle([accepted(second)], NOW + 3)
    assert await states(ledger, 5, 101) == ["accepted"]


async def test_after_a_crash_only_what_was_under_way_goes_again_and_under_its_own_id(
    engine: str, tmp_path: Path
) -> None:
    before = await opened(engine, tmp_path)
    await before.belong("now")
    await before.hand_over(handed(5), [order(1, 5), order(2, 5), order(3, 5)], NOW)
    one, two = await before.take("fcm", 2, NOW)
    await before.settle([accepted(one)], NOW)
    await before.close()
    after = await opened(engine, tmp_path)
    await after.belong("now")
    assert await after.recover(NOW + 5) == 1
    taken = {parcel.device_id: parcel for parcel in await after.take("fcm", 10, NOW + 5)}
    assert sorted(taken) == [2, 3]
    assert (taken[2].public_id, taken[2].tries, taken[3].tries) == (two.public_id, 2, 1)
    assert not await after.hand_over(handed(5), [order(1, 5)], NOW + 6)
    await after.close()


async def test_of_one_device_and_room_the_older_goes_first_and_never_two_at_once(ledger: Ledger) -> None:
    await ledger.hand_over(handed(5), [order(1, 5)], NOW)
    (one,) = await ledger.take("fcm", 10, NOW)
    await ledger.hand_over(handed(6), [order(1, 6)], NOW + 1)
    await ledger.hand_over(handed(7, room=8), [order(1, 7, room=8)], NOW + 1)
    assert [parcel.room_id for parcel in await ledger.take("fcm", 10, NOW + 1)] == [8]
    await ledger.settle([accepted(one)], NOW + 2)
    assert [parcel.seq for parcel in await ledger.take("fcm", 10, NOW + 2)] == [6]


async def test_a_newer_ring_takes_the_place_of_one_that_waits(ledger: Ledger) -> None:
    await ledger.hand_over(handed(5), [order(1, 5), order(2, 5)], NOW)
    await ledger.hand_over(handed(6), [order(1, 6)], NOW + 1)
    assert await states(ledger, 5, 101) == ["replaced"]
    assert sorted((one.device_id, one.seq) for one in await ledger.take("fcm", 10, NOW + 1)) == [(1, 6), (2, 5)]


async def test_what_was_under_way_when_a_newer_one_came_does_not_hold_it_up(ledger: Ledger) -> None:
    await ledger.hand_over(handed(1), [order(1, 1), order(2, 1, urgent=True)], NOW)
    one, urgent = await ledger.take("fcm", 9, NOW)
    await ledger.hand_over(handed(2), [order(1, 2), order(2, 2)], NOW)
    later = NOW + 600_000
    await ledger.settle([Settled(each.id, 1, WAITING, "503", due=later) for each in (one, urgent)], NOW)
    assert [(each.device_id, each.seq) for each in await ledger.take("fcm", 9, NOW)] == [(1, 2)]
    (entry,) = (await decided(ledger, 1, 101)).entries
    assert (entry.state, entry.answer) == ("replaced", "by a newer message; before: 503")
    assert await states(ledger, 1, 102) == ["waiting"], "an emergency gives way to an emergency alone"


async def test_an_emergency_gives_way_to_an_emergency_alone(ledger: Ledger) -> None:
    await ledger.hand_over(handed(5), [order(1, 5, urgent=True)], NOW)
    await ledger.hand_over(handed(6), [order(1, 6)], NOW)
    (first,) = await ledger.take("fcm", 10, NOW)
    assert (first.seq, first.urgent) == (5, True)
    await ledger.settle([Settled(first.id, 1, WAITING, "", due=NOW)], NOW)
    await ledger.hand_over(handed(7), [order(1, 7, urgent=True)], NOW)
    assert [one.seq for one in await ledger.take("fcm", 10, NOW)] == [7]
    assert await states(ledger, 5, 101) == await states(ledger, 6, 101) == ["replaced"]


async def test_of_a_device_one_number_waits(ledger: Ledger) -> None:
    await ledger.hand_over(handed(5), [order(1, 5, kind=BADGE)], NOW)
    await ledger.hand_over(handed(6, room=8), [order(1, 6, room=8, kind=BADGE), order(2, 6, room=8, kind=BADGE)], NOW)
    assert await ledger.take("fcm", 10, NOW + BADGE_REST - 1) == []
    assert [one.device_id for one in await ledger.take("fcm", 10, NOW + BADGE_REST)] == [1, 2]


async def test_reading_elsewhere_stops_what_waits_and_clears_what_rang(ledger: Ledger) -> None:
    await ledger.hand_over(handed(5), [order(1, 5)], NOW)
    (one,) = await ledger.take("fcm", 10, NOW)
    assert await ledger.read([Mark(101, 7, 5)], NOW, NOW + DAY) == 0  # nothing rang yet
    await ledger.settle([accepted(one)], NOW)
    assert [(rung.device_id, rung.seq) for rung in await ledger.rung((0, 0), 10)] == [(1, 5)]
    assert await ledger.read([Mark(101, 7, 4)], NOW, NOW + DAY) == 0  # not so far
    assert await ledger.read([Mark(102, 7, 5)], NOW, NOW + DAY) == 0  # somebody else
    assert await ledger.read([Mark(101, 7, 5)], NOW, NOW + DAY) == 1
    assert await ledger.read([Mark(101, 7, 5)], NOW, NOW + DAY) == 0  # under way
    (clear,) = await ledger.take("fcm", 10, NOW)
    assert (clear.kind, clear.seq) == (CLEAR, 5)
    await ledger.settle([accepted(clear)], NOW)
    assert await ledger.rung((0, 0), 10) == []

    await ledger.hand_over(handed(6), [order(1, 6)], NOW)
    assert await ledger.read([Mark(101, 7, 6)], NOW, NOW + DAY) == 0
    assert await states(ledger, 6, 101) == ["read"]
    assert await ledger.take("fcm", 10, NOW) == []


@pytest.mark.parametrize("state", [NO_DEVICE, INVALID, REFUSED, WITHDRAWN])
async def test_what_cannot_be_cleared_is_not_tried_for_ever(ledger: Ledger, state: int) -> None:
    """The device is signed out, say: every round would queue one more for it, for as long as the ledger remembers."""
    await ledger.hand_over(handed(1), [order(1, 1)], NOW)
    (one,) = await ledger.take("fcm", 9, NOW)
    await ledger.settle([accepted(one)], NOW)
    assert await ledger.read([Mark(101, 7, 1)], NOW, NOW + DAY) == 1
    (clear,) = await ledger.take("fcm", 9, NOW)
    await ledger.settle([Settled(clear.id, 1, WAITING, "503", due=NOW)], NOW)
    assert len(await ledger.rung((0, 0), 9)) == 1, "it is still tried"
    (clear,) = await ledger.take("fcm", 9, NOW)
    await ledger.settle([Settled(clear.id, 2, state, "no")], NOW)
    assert await ledger.rung((0, 0), 9) == []
    assert await ledger.read([Mark(101, 7, 1)], NOW, NOW + DAY) == 0


async def test_what_nobody_wants_any_more_is_given_up(ledger: Ledger) -> None:
    await ledger.hand_over(handed(5), [order(1, 5, expires=NOW + 100), order(2, 5)], NOW)
    assert [one.device_id for one in await ledger.take("fcm", 10, NOW + 100)] == [2]
    assert await states(ledger, 5, 101) == ["given_up"]


async def test_what_waits_for_a_line_alone_need_not_wait_when_it_stands(ledger: Ledger) -> None:
    await ledger.hand_over(handed(1), [order(device, 1) for device in (1, 2)], NOW)
    await ledger.hand_over(handed(2), [order(3, 2, lane="apns")], NOW)
    one, two = await ledger.take("fcm", 9, NOW)
    (three,) = await ledger.take("apns", 9, NOW)
    later = NOW + 600_000
    await ledger.settle([Settled(each.id, 1, WAITING, "no line", due=later) for each in (one, three)], NOW)
    await ledger.settle([Settled(two.id, 1, WAITING, "429", due=later)], NOW)
    assert await ledger.hurry("no line", NOW + 1) == 2
    assert [each.id for each in await ledger.take("fcm", 9, NOW + 1)] == [one.id]
    assert [each.id for each in await ledger.take("apns", 9, NOW + 1)] == [three.id]
    assert await ledger.hurry("no line", NOW + 1) == 0


async def test_lanes_are_apart(ledger: Ledger) -> None:
    await ledger.hand_over(
        handed(5), [order(n, 5, lane=lane) for n, lane in enumerate(("web:a", "apns", "web:b"))], NOW
    )
    assert await ledger.lanes() == ["apns", "web:a", "web:b"]
    assert [one.lane for one in await ledger.take("web:a", 10, NOW)] == ["web:a"]
    assert await ledger.lanes() == ["apns", "web:b"]


async def test_the_old_is_forgotten_in_steps_and_what_is_under_way_is_not(ledger: Ledger) -> None:
    for message in range(1, 8):
        await ledger.hand_over(handed(message, room=message), [order(1, message, room=message)], NOW + message)
    for one in await ledger.take("fcm", 5, NOW + 10):
        await ledger.settle([accepted(one)], NOW + 10)
    while await ledger.prune(NOW + 7, 2):
        pass
    assert await ledger.decided(1, 101) is None
    assert await ledger.decided(7, 101) is not None
    assert await ledger.waiting() == (2, NOW + 6)
    assert len(await ledger.rung((0, 0), 10)) == 5  # what a device shows is as old as its ringing
    await ledger.prune(NOW + 11, 10)
    assert await ledger.rung((0, 0), 10) == []


async def test_another_generation_of_the_streams_begins_with_nothing(engine: str, tmp_path: Path) -> None:
    ledger = await opened(engine, tmp_path)
    await ledger.belong("first")
    await ledger.hand_over(handed(5), [order(1, 5)], NOW)
    await ledger.belong("first")
    assert await ledger.waiting() == (1, NOW)
    await ledger.belong("second")
    assert await ledger.waiting() == (0, None)
    assert await ledger.hand_over(handed(5), [order(1, 5)], NOW)
    await ledger.close()


async def test_a_file_that_cannot_be_read_is_put_aside(engine: str, tmp_path: Path) -> None:
    if engine == POSTGRESQL:
        pytest.skip("no file")
    (tmp_path / FILE).write_bytes(b"no database at all, however long this goes on" * 400)
    ledger = await opened(engine, tmp_path)
    await ledger.belong("now")
    assert await ledger.hand_over(handed(5), [order(1, 5)], NOW)
    await ledger.close()
    assert (tmp_path / "push-broken-1.db").read_bytes().startswith(b"no database")
