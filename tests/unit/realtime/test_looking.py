"""Who looks at what, as nodes tell each other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from chat_server.ports import ITEM_BYTES
from chat_server.realtime.channel import Channel
from chat_server.realtime.items import Looks, encode
from chat_server.realtime.looking import HOLDS, PER_ITEM, LookingElsewhere, looks


def channel(room: int, *users: int) -> Channel:
    found = Channel(room, f"room{room}", 0)
    lookers: Any = {Someone(user) for user in users}
    found.lookers = lookers
    return found


class Someone:
    """Hashable, as a connection is."""

    def __init__(self, user: int) -> None:
        self.actor = SimpleNamespace(user_id=user)


def test_what_is_not_told_again_is_forgotten() -> None:
    now = 100.0
    elsewhere = LookingElsewhere(lambda: now)
    elsewhere.heard(Looks({7: [1, 2]}))
    now += HOLDS / 2
    elsewhere.heard(Looks({7: [2], 8: [3]}))
    assert (elsewhere.at(7), elsewhere.at(8), elsewhere.at(9)) == ({1, 2}, {3}, set())
    now += HOLDS / 2
    assert (elsewhere.at(7), elsewhere.at(8)) == ({2}, {3})
    elsewhere.tick()
    now += HOLDS
    elsewhere.tick()
    assert elsewhere._seen == {}, "nor does it pile up"


def test_everybody_is_told_in_lines_that_are_short_enough() -> None:
    key = 10**10 - 1
    many = channel(key, *range(key - 2 * PER_ITEM - 3, key))
    some = {key - room: channel(key - room, key) for room in range(1, PER_ITEM + 2)}
    items = list(looks({key: many, **some, 1: channel(1)}))
    assert all(len(encode(item)) <= ITEM_BYTES for item in items)
    heard = LookingElsewhere(lambda: 0.0)
    for item in items:
        heard.heard(item)
    assert len(heard.at(key)) == 2 * PER_ITEM + 3
    assert all(heard.at(room) == {key} for room in some)
    assert heard.at(1) == set()
