"""The import contract refuses what the house does not allow (its table for the real code runs in `make lint`)."""

from __future__ import annotations

import pytest
from grimp import ImportGraph

from scripts.import_contract import HouseContract

ROOMS = [
    "shop            -> ",
    "shop.domain     -> ",
    "shop.services   -> shop.domain, msgspec",
    "shop.storage    -> shop.domain",
    "shop.storage.sqlite -> shop.domain, aiosqlite",
    "bots            -> shop.services",
]


def wrong(*imports: tuple[str, str], rooms: list[str] = ROOMS) -> list[str]:
    graph = ImportGraph()
    for importer, imported in imports:
        graph.add_import(importer=importer, imported=imported, line_number=7, line_contents="")
    contract = HouseContract("house", {"root_packages": ["shop", "bots"]}, {"rooms": rooms})
    return list(contract.check(graph, verbose=False).metadata["wrong"])


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("shop.domain.ids", "secrets"),  # the standard library
        ("shop.domain.ids", "shop.domain.words"),
        ("shop.services.rooms", "shop.domain"),
        ("shop.services.rooms", "msgspec"),
        ("shop.storage.sqlite.writer", "aiosqlite"),
        ("bots.memo.test_memo", "pytest"),
    ],
)
def test_allowed(importer: str, imported: str) -> None:
    assert wrong((importer, imported)) == []


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("shop.domain.ids", "msgspec"),
        ("shop.domain.ids", "shop.services.rooms"),
        ("shop.services.rooms", "shop.storage.sqlite.writer"),
        ("shop.services.rooms", "shop.domain_other"),  # a name that only begins alike
        ("shop.storage.queries", "aiosqlite"),  # the longer line is another room's
        ("bots.memo", "shop.domain"),
    ],
)
def test_refused(importer: str, imported: str) -> None:
    assert any(line.startswith(f"{importer}:7: ") and imported in line for line in wrong((importer, imported)))


def test_a_room_that_is_in_no_line_is_refused() -> None:
    assert wrong(("bots.memo", "shop.services"), rooms=[*ROOMS[:-1], "bots.other -> "]) == [
        "bots.memo: no line of the table says which room this is"
    ]
