"""All errors by number, and which module holds which numbers."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Final

from chat_server.domain.errors import (
    files,
    later,
    messages,
    notes,
    people,
    request,
    rooms,
    server,
    sign_in,
    upload_links,
    webhooks,
)
from chat_server.domain.errors.fault import Fault

RANGES: Final = (
    (range(1000, 2000), sign_in),
    (range(2000, 3000), request),
    (range(3000, 4000), rooms),
    (range(4000, 4030), messages),
    (range(4030, 4100), notes),
    (range(5000, 6000), files),
    (range(6000, 7000), people),
    (range(7000, 7100), webhooks),
    (range(7100, 7200), upload_links),
    (range(8000, 9000), later),
    (range(9000, 10000), server),
)
"""Every module of errors, in the order of its numbers."""


def faults_of(module: ModuleType) -> list[Fault]:
    """What the module defines, in the order in which it stands there."""
    return [value for value in vars(module).values() if isinstance(value, Fault)]


def by_number(faults: Iterable[Fault]) -> dict[int, Fault]:
    """Refuses a number that is used twice: whoever reads it in a log must find one error."""
    table: dict[int, Fault] = {}
    for fault in faults:
        if fault.code in table:
            raise AssertionError(f"error number {fault.code} is used twice")
        table[fault.code] = fault
    return table


FAULTS: Final = by_number(fault for _, module in RANGES for fault in faults_of(module))
