"""A reader that is slow, and what it is owed."""

from __future__ import annotations

import pytest

from chat_client import EventStream, Positions
from chat_client import events as e
from tests.client.waiting import soon


def stub(room: str, seq: int) -> e.Stub:
    return e.Stub(room, seq, 0, None)


def read(seq: int) -> e.ReadElsewhere:
    return e.ReadElsewhere(seq, 0, "a", 1)


class Source:
    def __init__(self, limit: int = 8) -> None:
        self.positions = Positions("e1", 0, {})
        self.gone: list[EventStream] = []
        self.stream = EventStream(lambda: self.positions, self.gone.append, limit=limit)

    async def rest(self) -> list[e.Event]:
        self.stream.finish(None)
        return [event async for event in self.stream]


async def test_too_slow_means_loading_anew_and_going_on_from_there() -> None:
    source = Source()
    for seq in range(1, 6):
        source.stream.put(stub("a", seq))
    source.stream.put(read(1))
    source.stream.put(stub("b", 1))
    source.stream.put(e.RoomGone("c"))
    source.stream.put(stub("a", 6))
    assert await source.rest() == [
        e.RoomGone("c"), e.Resynced("a", 5), e.Resynced(None, 1), e.Resynced("b", 1), stub("a", 6),
    ]  # fmt: skip


async def test_a_room_gone_since_is_not_loaded() -> None:
    source = Source(limit=3)
    for event in (stub("a", 1), stub("a", 2), e.RoomGone("a"), stub("b", 1)):
        source.stream.put(event)
    assert await source.rest() == [e.RoomGone("a"), stub("b", 1)]


async def test_what_is_transient_is_dropped_first() -> None:
    source = Source(limit=2)
    source.stream.put(stub("a", 1))
    source.stream.put(stub("a", 2))
    source.stream.put(e.Presence("u", "online"))
    assert await source.rest() == [stub("a", 1), stub("a", 2)]


async def test_a_flapping_line_cannot_fill_it() -> None:
    source = Source(limit=40)
    source.stream.put(stub("a", 1))
    for number in range(1000):
        source.stream.put(e.Disconnected(None, str(number), 1.0))
    events = await source.rest()
    assert len(events) <= 40
    assert e.Resynced("a", 1) in events
    assert e.Disconnected(None, "999", 1.0) in events


async def test_positions_stop_before_what_is_being_dealt_with() -> None:
    source = Source()
    source.positions = Positions("e1", 3, {"a": 7, "b": 2, "c": 9})
    for event in (stub("a", 6), read(3), stub("a", 7), e.Resynced("c", 9)):
        source.stream.put(event)
    assert source.stream.positions() == Positions("e1", 2, {"a": 5, "b": 2})
    await soon(anext(source.stream))
    assert source.stream.positions() == Positions("e1", 2, {"a": 5, "b": 2})
    await soon(anext(source.stream))
    assert source.stream.positions() == Positions("e1", 2, {"a": 6, "b": 2})
    await soon(anext(source.stream))
    await soon(anext(source.stream))
    assert source.stream.positions() == Positions("e1", 3, {"a": 7, "b": 2})
    source.stream.put(stub("a", 8))
    await soon(anext(source.stream))
    source.positions = Positions("e1", 3, {"a": 8, "b": 2, "c": 9})
    assert source.stream.positions() == Positions("e1", 3, {"a": 7, "b": 2, "c": 9})


async def test_an_own_stream_to_be_loaded_is_told_again_to_a_later_run() -> None:
    source = Source()
    source.positions = Positions("e1", 900, {})
    source.stream.put(e.Resynced(None, 900))
    assert source.stream.positions().me == 0


async def test_a_change_of_epoch_not_dealt_with_is_told_again_to_a_later_run() -> None:
    source = Source()
    source.positions = Positions("e2", 1, {"a": 1})
    source.stream.put(e.EpochChanged("e2", "e1"))
    source.stream.put(e.Resynced("a", 1))
    assert source.stream.positions().epoch == "e1"


async def test_the_end_comes_after_what_is_queued() -> None:
    source = Source()
    source.stream.put(stub("a", 1))
    source.stream.finish(RuntimeError("why"))
    source.stream.put(stub("a", 2))
    assert await soon(anext(source.stream)) == stub("a", 1)
    with pytest.raises(RuntimeError, match="why"):
        await soon(anext(source.stream))
    source.stream.close()
    assert source.gone == [source.stream]
