"""Who is connected at the other nodes. Told by bus, so any of it may be lost: changes are counted, and whoever finds a
gap asks for everybody again. What is known of a node is forgotten when its heartbeat lapses."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from chat_server.realtime.items import Changed, Everybody, Here, Item, Who

PER_ITEM: Final = 200
"""People in one item: 6 kB."""


@dataclass(slots=True)
class _Node:
    version: int = -1
    """of what is known, -1 for nothing"""
    users: set[str] = field(default_factory=set)
    parts: dict[int, list[str]] = field(default_factory=dict)
    parts_version: int = -1


class Others:
    """One for the process, `name` in the table of nodes. People are public ids."""

    def __init__(
        self, name: str, here: Collection[str], say: Callable[[Item], None], changed: Callable[[str], None]
    ) -> None:
        """`here`: who is connected at this node. `changed(user)`: look again whether they are online somewhere."""
        self._name = name
        self._here = here
        self._say = say
        self._changed = changed
        self._version = 0
        self._nodes: dict[str, _Node] = {}
        self._asked: set[str] = set()
        self._owed = False

    def online(self, user: str) -> bool:
        """Whether somebody is connected at another node."""
        return any(user in node.users for node in self._nodes.values())

    # This node

    def came_or_went(self, user: str, *, online: bool) -> None:
        self._version += 1
        self._say(Changed(self._name, self._version, user, online))

    def joined(self) -> None:
        """The bus is there (again)."""
        self._say(Who())
        self._tell_everybody()

    def tick(self) -> None:
        """Once a second."""
        self._asked.clear()
        if self._owed:
            self._tell_everybody()
        else:
            self._say(Here(self._name, self._version))

    def _tell_everybody(self) -> None:
        self._owed = False
        users = sorted(self._here)
        pieces = [users[first : first + PER_ITEM] for first in range(0, len(users), PER_ITEM)] or [[]]
        for part, piece in enumerate(pieces):
            self._say(Everybody(self._name, self._version, part, len(pieces), piece))

    # Other nodes

    def asked(self, item: Who) -> None:
        """Answered with the next tick: however many ask, they are told once."""
        if item.node in ("", self._name):
            self._owed = True

    def here(self, item: Here) -> None:
        node = self._nodes.setdefault(item.node, _Node())
        if node.version != item.version:
            self._ask(item.node)

    def moved(self, item: Changed) -> None:
        node = self._nodes.setdefault(item.node, _Node())
        if item.version != node.version + 1 or node.version < 0:
            if item.version > node.version:
                self._ask(item.node)
            return
        node.version = item.version
        (node.users.add if item.online else node.users.discard)(item.user)
        self._changed(item.user)

    def everybody(self, item: Everybody) -> None:
        node = self._nodes.setdefault(item.node, _Node())
        if item.version != node.parts_version or item.part == 0:
            node.parts, node.parts_version = {}, item.version
        node.parts[item.part] = item.users
        if len(node.parts) < item.parts:
            return
        before, node.users = node.users, {user for users in node.parts.values() for user in users}
        node.version, node.parts, node.parts_version = item.version, {}, -1
        for user in before ^ node.users:
            self._changed(user)

    def only(self, living: Collection[str]) -> None:
        """Forget the nodes that are none of `living`."""
        for name in [name for name in self._nodes if name not in living]:
            gone = self._nodes.pop(name)
            for user in gone.users:
                self._changed(user)

    def _ask(self, name: str) -> None:
        if name not in self._asked:
            self._asked.add(name)
            self._say(Who(name))
