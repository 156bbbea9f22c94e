"""Who is connected at other nodes, over a bus that loses, doubles and cuts off what it carries."""

from __future__ import annotations

import random

import pytest

from chat_server.ports import ITEM_BYTES
from chat_server.realtime.items import Changed, Everybody, Heads, Here, Item, Who, decode, encode
from chat_server.realtime.neighbours import STREAMS
from chat_server.realtime.node import LAPSE, Pulse
from chat_server.realtime.others import PER_ITEM, Others


class Bus:
    """Carries items between nodes as long as `passes` says so."""

    def __init__(self) -> None:
        self.nodes: dict[str, Others] = {}
        self.here: dict[str, set[str]] = {}
        self.told: dict[str, list[str]] = {}
        self.loses = 0.0
        self.random = random.Random(4)
        self.said = 0

    def join(self, name: str) -> Others:
        self.here[name], self.told[name] = set(), []
        node = Others(name, self.here[name], lambda item: self._say(name, item), self.told[name].append)
        self.nodes[name] = node
        node.joined()
        return node

    def _say(self, name: str, item: Item) -> None:
        self.said += 1
        for other, node in self.nodes.items():
            if other != name and self.random.random() >= self.loses:
                self._hear(node, decode(encode(item)))

    def _hear(self, node: Others, item: Item) -> None:
        if isinstance(item, Changed):
            node.moved(item)
        elif isinstance(item, Everybody):
            node.everybody(item)
        elif isinstance(item, Here):
            node.here(item)
        elif isinstance(item, Who):
            node.asked(item)

    def comes(self, name: str, user: str) -> None:
        self.here[name].add(user)
        self.nodes[name].came_or_went(user, online=True)

    def goes(self, name: str, user: str) -> None:
        self.here[name].discard(user)
        self.nodes[name].came_or_went(user, online=False)

    def tick(self) -> None:
        for node in self.nodes.values():
            node.tick()


@pytest.fixture
def bus() -> Bus:
    found = Bus()
    for name in ("a", "b"):
        found.join(name)
    found.tick()
    return found


def test_who_comes_and_goes_is_known_at_once(bus: Bus) -> None:
    bus.comes("a", "yuki")
    assert bus.nodes["b"].online("yuki")
    assert not bus.nodes["a"].online("yuki"), "that one knows by itself"
    bus.goes("a", "yuki")
    assert not bus.nodes["b"].online("yuki")
    assert bus.told["b"] == ["yuki", "yuki"]


def test_what_was_lost_is_asked_for(bus: Bus) -> None:
    bus.loses = 1.0
    bus.comes("a", "yuki")
    bus.loses = 0.0
    bus.comes("a", "ken")
    assert not bus.nodes["b"].online("yuki"), "found out by the gap, and asked for"
    bus.tick()
    assert bus.nodes["b"].online("yuki")
    assert bus.nodes["b"].online("ken")
    assert set(bus.told["b"]) == {"yuki", "ken"}


def test_the_last_change_that_was_lost_is_found_out_by_the_count(bus: Bus) -> None:
    bus.comes("a", "yuki")
    bus.loses = 1.0
    bus.goes("a", "yuki")
    bus.loses = 0.0
    assert bus.nodes["b"].online("yuki")
    bus.tick()
    bus.tick()
    assert not bus.nodes["b"].online("yuki")


def test_many_people_come_in_several_items(bus: Bus) -> None:
    for number in range(3 * PER_ITEM + 1):
        bus.here["a"].add(f"{number:026d}")
    bus.join("c")
    bus.tick()
    assert all(bus.nodes["c"].online(f"{number:026d}") for number in range(3 * PER_ITEM + 1))


def test_however_much_is_lost_all_know_in_the_end(bus: Bus) -> None:
    bus.join("c")
    bus.loses = 0.4
    people = [f"{number:026d}" for number in range(300)]
    for _ in range(400):
        name, user = bus.random.choice("abc"), bus.random.choice(people)
        if user in bus.here[name]:
            bus.goes(name, user)
        else:
            bus.comes(name, user)
        if bus.random.random() < 0.1:
            bus.tick()
    bus.loses = 0.0
    for _ in range(3):
        bus.tick()
    for name, node in bus.nodes.items():
        for user in people:
            assert node.online(user) == any(user in here for other, here in bus.here.items() if other != name)


def test_quiet_nodes_say_one_item_a_second(bus: Bus) -> None:
    bus.said = 0
    bus.tick()
    assert bus.said == len(bus.nodes)


def test_the_people_of_a_node_that_is_gone_are_offline(bus: Bus) -> None:
    bus.comes("a", "yuki")
    bus.nodes["b"].only({"a"})
    assert bus.nodes["b"].online("yuki")
    bus.nodes["b"].only(set())
    assert not bus.nodes["b"].online("yuki")
    assert bus.told["b"] == ["yuki", "yuki"]


def test_an_item_fits_the_bus() -> None:
    users = [f"{number:026d}" for number in range(PER_ITEM)]
    assert len(encode(Everybody("x" * 26, 10**9, 99, 100, users))) <= ITEM_BYTES
    most = {2**53 - number: 2**53 for number in range(STREAMS)}
    assert len(encode(Heads(most, {}))) <= ITEM_BYTES


def test_a_heart_is_heard_by_ones_own_clock_alone() -> None:
    """However wrong the other machine's clock is: only whether its number changes counts."""
    pulse = Pulse("me")
    assert pulse.take({"me": 5, "other": 10**15}, 0) == {"other"}
    assert pulse.take({"me": 5, "other": 10**15}, LAPSE - 0.1) == {"other"}
    assert pulse.take({"me": 5, "other": 10**15}, LAPSE) == set()
    assert pulse.take({"me": 5, "other": 1}, LAPSE + 1) == {"other"}
    assert pulse.take({"me": 5}, LAPSE + 2) == set()
