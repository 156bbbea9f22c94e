"""The house as an import contract: a table says for each room what it may import, and all else is refused.

import-linter's own contracts list what is forbidden, so a room or a library that is new passes unseen. This one is
read from `[[tool.importlinter.contracts]]` in pyproject.toml; every line is `room -> what it may import`. The standard
library is always allowed, a room may always import itself, the longest matching line counts, and a module that no
line covers is an error.
"""

from __future__ import annotations

import sys
from typing import NamedTuple, cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields
from importlinter.application.output import console


class Room(NamedTuple):
    name: str
    may_import: tuple[str, ...]


def within(module: str, room: str) -> bool:
    return module == room or module.startswith(room + ".")


def is_test(module: str) -> bool:
    """Bots carry their tests beside their code; those may import what they like."""
    last = module.rpartition(".")[2]
    return last.startswith("test_") or last == "conftest"


class RoomField(fields.Field[Room]):
    """One line of the table."""

    def parse(self, raw_data: str | list[str]) -> Room:
        if not isinstance(raw_data, str) or "->" not in raw_data:
            raise fields.ValidationError(f"expected 'room -> import, import', got {raw_data!r}")
        name, _, imports = raw_data.partition("->")
        return Room(name.strip(), tuple(part.strip() for part in imports.split(",") if part.strip()))


class HouseContract(Contract):
    """Deny by default: see the module."""

    type_name = "house"

    rooms = fields.ListField(subfield=RoomField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        rooms = cast("list[Room]", self.rooms)
        roots = {room.name.partition(".")[0] for room in rooms}
        wrong: list[str] = []
        for module in sorted(graph.modules):
            if module.partition(".")[0] not in roots or is_test(module):
                continue
            room = max((r for r in rooms if within(module, r.name)), key=lambda r: len(r.name), default=None)
            if room is None:
                wrong.append(f"{module}: no line of the table says which room this is")
                continue
            wrong.extend(
                f"{where(graph, module, imported)}: {room.name} may not import {imported}"
                for imported in sorted(graph.find_modules_directly_imported_by(module))
                if imported.partition(".")[0] not in sys.stdlib_module_names
                and not any(within(imported, allowed) for allowed in (room.name, *room.may_import))
            )
        return ContractCheck(kept=not wrong, metadata={"wrong": wrong})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in cast("list[str]", check.metadata["wrong"]):
            console.print(line, markup=False, soft_wrap=True)


def where(graph: ImportGraph, module: str, imported: str) -> str:
    """`module:line`, so that the place is found without searching."""
    lines = [details["line_number"] for details in graph.get_import_details(importer=module, imported=imported)]
    return f"{module}:{min(lines)}" if lines else module
