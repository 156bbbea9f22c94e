"""What a staff file does to the department tree (docs/staff-csv.md, "Departments"). Pure: departments in, plan out."""

from __future__ import annotations

import hashlib
from base64 import b32hexencode
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from chat_server.services.staff_file import Place, codes_of, place
from chat_server.services.staff_rows import CODE, StaffRow
from chat_server.services.staff_text import Fault
from chat_server.storage.queries.departments import Department

Path = tuple[str, ...]
AUTO: Final = "auto-"


@dataclass(eq=False, slots=True)
class Node:
    """A department as it will be. `was`: as it is on the server, None for a new one."""

    code: str
    name: str
    parent: Node | None
    was: Department | None = None
    position: int = 0
    children: list[Node] = field(default_factory=list)
    order: int | None = None
    line: int = 0
    """of its first row; for new ones"""

    @property
    def path(self) -> str:
        """As the file writes it."""
        return f"{self.parent.path}/{self.name}" if self.parent else self.name

    def moved(self) -> bool:
        """Whether it is new, renamed, elsewhere, open again, or has got a code."""
        if self.was is None:
            return True
        parent = self.parent.was.id if self.parent and self.parent.was else None
        elsewhere = parent != self.was.parent_id or (self.parent is not None and self.parent.was is None)
        return (self.code, self.name) != (self.was.code, self.was.name) or elsewhere or self.was.closed_at is not None


@dataclass(slots=True)
class TreePlan:
    """`order`: every open department, depth first, parents before children; `number` it once it is known which close.
    `missing` are not in the file."""

    order: list[Node]
    places: dict[Place, Node]
    missing: list[Node]
    before: dict[int, str]
    """integer key → path on the server, for what the difference shows"""
    reordered: int = 0

    def number(self, closing: list[Node]) -> None:
        """Give the departments that stay open their places."""
        self.order = [node for node in self.order if node not in closing]
        for position, node in enumerate(self.order, 1):
            node.position = position
        self.reordered = _reordered(self.order)

    @property
    def added(self) -> list[Node]:
        return [node for node in self.order if node.was is None]

    @property
    def changed(self) -> list[Node]:
        return [node for node in self.order if node.was is not None and node.moved()]


def plan_tree(departments: list[Department], rows: list[StaffRow], faults: list[Fault]) -> TreePlan:
    """Where every department of the file stands. Rows whose department cannot be known are told in `faults`.

    A department that any row names stays, if only as somebody's history: were it closed, the same file would have to
    open it again.
    """
    tree = _Tree(departments, rows)
    tree.place_all(rows, faults)
    used = set(tree.places.values())
    for node in list(used):
        used.update(_above(node))
    tree.sort(rows)
    order = list(tree.walk())
    missing = [node for node in order if node not in used]
    return TreePlan(order, tree.places, missing, _paths(departments))


class _Tree:
    """The tree being built. A node is found by path only once it stands where it will stand; so a department that the
    file moves away is not taken for its old self, and nothing can come to stand below itself."""

    def __init__(self, departments: list[Department], rows: list[StaffRow]) -> None:
        self.codes = codes_of(rows)
        self.places: dict[Place, Node] = {}
        self._paths = {code: path for path, code in self.codes.items()}
        self._known = {d.code: Node(d.code, d.name, None, d) for d in departments}
        by_id = {d.id: self._known[d.code] for d in departments}
        self.roots: list[Node] = []
        for department in departments:
            node = self._known[department.code]
            if node.code not in self._paths and department.closed_at is None:
                self._stand(node, by_id.get(department.parent_id) if department.parent_id else None)

    def _stand(self, node: Node, parent: Node | None) -> None:
        node.parent = parent
        self._below(parent).append(node)

    def _below(self, parent: Node | None) -> list[Node]:
        return self.roots if parent is None else parent.children

    def place_all(self, rows: list[StaffRow], faults: list[Fault]) -> None:
        """Those with code and path first, from the top down; then those with a path alone; a code alone must be known."""
        lines = {row.code: row.line for row in reversed(rows)}
        for code, path in sorted(self._paths.items(), key=lambda item: len(item[1])):
            parent = self._find_or_make(path[:-1], lines[code])
            node = self._known.get(code)
            if node is None and (node := self._without_code(parent, path[-1])) is not None:
                node.code = code
                self._known[code] = self.places[code] = node
                continue
            if node is None:
                node = self._known[code] = Node(code, path[-1], None, line=lines[code])
            node.name = path[-1]
            self._stand(node, parent)
            self.places[code] = node
        for row in rows:
            where = place(row, self.codes)
            if where in self.places:
                continue
            if isinstance(where, tuple):
                found = self._find_or_make(where, row.line)
                assert found is not None
                self.places[where] = found
            elif (known := self._known.get(where)) is not None and known.was and known.was.closed_at is None:
                self.places[where] = known
            else:
                faults.append(
                    Fault(
                        row.line, CODE, "この所属がありません。所属の名称も入れてください / unknown: give its path too"
                    )
                )

    def _without_code(self, parent: Node | None, name: str) -> Node | None:
        """A department that was first imported by its path alone, and is given its code now."""
        for node in self._below(parent):
            if node.name == name and node.was is not None and node.code.startswith(AUTO):
                return node
        return None

    def _find_or_make(self, path: Path, line: int) -> Node | None:
        if not path:
            return None
        code = self.codes.get(path)
        if code is not None:
            return self._known[code]
        parent = self._find_or_make(path[:-1], line)
        for node in self._below(parent):
            if node.name == path[-1] and node.code not in self._paths:
                return node
        made = Node(self._free_code(path), path[-1], None, line=line)
        self._known[made.code] = made
        self._stand(made, parent)
        return made

    def _free_code(self, path: Path) -> str:
        """Made from the path, so that the dry run shows the code that the import gives."""
        for attempt in range(1_000):
            digest = hashlib.sha256("\x00".join([*path, str(attempt)]).encode()).digest()
            code = AUTO + b32hexencode(digest[:5]).decode("ascii").lower()
            if code not in self._known:
                return code
        raise AssertionError("a thousand codes of forty bits are never all taken")

    def sort(self, rows: list[StaffRow]) -> None:
        """Siblings by 建制順; those without stay behind the sibling they follow on the server; new ones come last."""
        for row in rows:
            node = self.places.get(place(row, self.codes))
            if node is not None and row.order is not None:
                node.order = row.order
        self.roots[:] = _sorted(self.roots)
        for node in self.walk():
            node.children[:] = _sorted(node.children)

    def walk(self) -> Iterator[Node]:
        """Depth first. A node's children may be sorted while it is visited."""
        waiting = self.roots[::-1]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.children[::-1]


def _sorted(siblings: list[Node]) -> list[Node]:
    there = sorted((node for node in siblings if node.was is not None), key=_position)
    new = sorted((node for node in siblings if node.was is None), key=lambda node: node.line)
    # Equal numbers are common; those that are there already stay as they stand, so that nothing moves for ever.
    result = sorted((node for node in there + new if node.order is not None), key=lambda node: node.order or 0)
    ahead: Node | None = None
    for node in there:
        if node.order is None:
            result.insert(result.index(ahead) + 1 if ahead else 0, node)
        ahead = node
    return result + [node for node in new if node.order is None]


def _position(node: Node) -> int:
    """On the server."""
    return node.was.position if node.was else 0


def _above(node: Node) -> Iterator[Node]:
    while node.parent is not None:
        node = node.parent
        yield node


def _paths(departments: list[Department]) -> dict[int, str]:
    by_id = {department.id: department for department in departments}
    found = {}
    for department in departments:
        names, above, steps = [department.name], department.parent_id, 0
        while above is not None and steps < len(departments):
            names.append(by_id[above].name)
            above, steps = by_id[above].parent_id, steps + 1
        found[department.id] = "/".join(reversed(names))
    return found


def _reordered(order: list[Node]) -> int:
    """How many of those that stay where they are come to stand in another order among themselves."""
    staying = [node for node in order if node.was is not None and not node.moved()]
    before = sorted(staying, key=_position)
    return sum(a is not b for a, b in zip(staying, before, strict=True))
