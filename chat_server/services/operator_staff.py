"""The operator's import of a staff file."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

import msgspec

from chat_server.domain.errors import INVALID_FIELD, Problem
from chat_server.ports import Reader
from chat_server.services import organizations, staff_apply, staff_days, staff_file, staff_plan, staff_report
from chat_server.services.authority import Operator
from chat_server.services.operation import Deps, Operation, Wire, operation
from chat_server.services.staff_plan import Difference, Options
from chat_server.services.throttle import fold


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
    day = _day(asked.as_of) or staff_days.day_of(deps.clock.now())
    file = staff_file.read(asked.content, day, asked.encoding)
    options = Options(day, frozenset(map(fold, asked.returning)), asked.disable_missing, asked.close_missing)

    async def find(reader: Reader) -> tuple[int, Difference]:
        org_id = (await organizations.find(reader, asked.organization)).id
        return org_id, await staff_plan.plan(reader, org_id, file, options)

    org_id, difference = await deps.storage.read(find)
    answer = {
        "counts": staff_report.counts(difference),
        "lines": {language: staff_report.lines(difference, language) for language in staff_report.LANGUAGES},
        "applied": not asked.dry_run,
    }
    if not asked.dry_run:
        await staff_apply.apply(deps.storage, Operator(org_id), difference)
    return answer


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return staff_days.parse(text)
    except ValueError:
        raise Problem(INVALID_FIELD, field="as_of", reason="2027-04-01のような日付 / a day like 2027-04-01") from None


OPERATIONS: Final[dict[str, Operation]] = {"staff.import": operation(Import, import_staff)}
