"""The operator's import of a staff file."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from chat_server.ports import Reader
from chat_server.services import organizations, staff_apply, staff_import, staff_report
from chat_server.services.authority import Operator
from chat_server.services.operation import Deps, Operation, Wire, operation


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """`content`: the file's bytes (base64 in JSON). `as_of`: the import's day, today in Asia/Tokyo if absent."""

    organization: str
    content: bytes
    encoding: str | None = None
    as_of: str | None = None
    returning: Annotated[tuple[str, ...], msgspec.Meta(max_length=1000)] = ()
    disable_missing: bool = False
    close_missing: bool = False
    dry_run: bool = False

    def __repr__(self) -> str:
        return f"Import(organization={self.organization!r}, {len(self.content)} bytes)"


async def import_staff(deps: Deps, asked: Import) -> Wire:
    """`{counts, lines: {ja, en}, applied}`. Raises `Problem` 6006 with every fault of the file in `params.faults`,
    6004, 2001, 8006."""

    async def find(reader: Reader) -> int:
        return (await organizations.find(reader, asked.organization)).id

    wanted = staff_import.Wanted(
        asked.encoding, asked.as_of, asked.returning, asked.disable_missing, asked.close_missing
    )  # fmt: skip
    org_id, difference = await staff_import.plan(deps.storage, deps.clock, find, asked.content, wanted)
    answer = {
        "counts": staff_report.counts(difference),
        "lines": {language: staff_report.lines(difference, language) for language in staff_report.LANGUAGES},
        "applied": not asked.dry_run,
    }
    if not asked.dry_run:
        await staff_apply.apply(deps.storage, Operator(org_id), difference)
    return answer


OPERATIONS: Final[dict[str, Operation]] = {"staff.import": operation(Import, import_staff)}
