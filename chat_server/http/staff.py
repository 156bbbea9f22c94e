"""The staff file, by organization administrators: what it would change, then exactly that."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from chat_server.domain.errors import (
    CSV_INVALID,
    INVALID_BODY,
    LOGIN_TAKEN,
    OWN_ACCOUNT,
    SENDS_IN_PROGRESS,
    STAFF_CHANGED,
    TOO_LARGE,
)
from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.services import staff_import
from chat_server.services.staff_import import Wanted
from chat_server.services.staff_text import MAX_BYTES


class StaffQuery(msgspec.Struct, frozen=True, kw_only=True):
    """docs/staff-csv.md has them all. `as_of`: the day it holds from, today if absent. `returning`: logins with commas
    between them."""

    encoding: Literal["utf-8", "cp932"] | None = None
    as_of: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    returning: Annotated[str, msgspec.Meta(max_length=10_000)] = ""
    disable_missing: bool = False
    close_missing: bool = False


class ImportQuery(StaffQuery, frozen=True, kw_only=True):
    """`difference`: what the showing answered, for the same file and the same options."""

    difference: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class DepartmentCounts(msgspec.Struct, frozen=True):
    added: int
    changed: int
    closed: int
    reordered: int


class PeopleCounts(msgspec.Struct, frozen=True):
    added: int
    changed: int
    disabled: int


class AppointmentCounts(msgspec.Struct, frozen=True):
    added: int
    changed: int
    ended: int


class Counts(msgspec.Struct, frozen=True):
    departments: DepartmentCounts
    people: PeopleCounts
    appointments: AppointmentCounts


class Lines(msgspec.Struct, frozen=True):
    ja: list[str]
    en: list[str]


class StaffDifference(msgspec.Struct, frozen=True):
    """`lines`: to be read by a person: sections, below each its changes (`+` new, `~` changed, `-` ends, `!` remarked),
    a summary. `empty`: nothing to do. `difference`: a hash over the file and all of this."""

    counts: Counts
    lines: Lines
    empty: bool
    difference: str


def _wanted(asked: StaffQuery) -> Wanted:
    returning = tuple(login.strip() for login in asked.returning.split(",") if login.strip())
    return Wanted(asked.encoding, asked.as_of, returning, asked.disable_missing, asked.close_missing)


async def _content(ctx: Ctx[Nothing, Any]) -> bytes:
    return b"".join([chunk async for chunk in ctx.bytes_of_body(MAX_BYTES)])


async def show_staff_difference(ctx: Ctx[Nothing, StaffQuery]) -> Any:
    content, parts = await _content(ctx), ctx.parts
    return await staff_import.show(parts.storage, parts.clock, ctx.actor, content, _wanted(ctx.query))


async def import_staff_file(ctx: Ctx[Nothing, ImportQuery]) -> Any:
    content, parts, asked = await _content(ctx), ctx.parts, ctx.query
    return await staff_import.carry_out(
        parts.storage, parts.clock, ctx.actor, content, _wanted(asked), asked.difference, ctx.caller
    )


_EXAMPLE: Final = StaffDifference(
    counts=Counts(DepartmentCounts(0, 0, 0, 0), PeopleCounts(1, 0, 0), AppointmentCounts(1, 0, 0)),
    lines=Lines(
        ["職員", "  + notok 能登 圭(のと けい)", "発令", "  + notok 能登 圭 本務 道路課 主事 2027-04-01から",
         "所属 追加0 変更0 閉鎖0 / 職員 追加1 変更0 停止0 / 発令 追加1 変更0 終了0"],
        ["People", "  + notok 能登 圭(のと けい)", "Appointments", "  + notok 能登 圭 main 道路課 主事 from 2027-04-01",
         "Departments +0 ~0 closed 0 / people +1 ~0 disabled 0 / appointments +1 ~0 ended 0"],
    ),
    empty=False,
    difference="5f0c2b1e6a51" + "0" * 52,
)  # fmt: skip

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "POST",
        "/api/staff/difference",
        "What a staff file would change",
        show_staff_difference,
        query=StaffQuery,
        answer=StaffDifference,
        access=Access.ORGANIZATION_ADMIN,
        raw=MAX_BYTES,
        changes=False,
        faults=(CSV_INVALID, INVALID_BODY, TOO_LARGE, OWN_ACCOUNT),
        example_answer=_EXAMPLE,
        note="The body is the CSV as docs/staff-csv.md describes it. Nothing is changed. Error 6006 names all faults of "
        "the file in `params.faults`: `[{line, field, reason}]`.",
    ),
    Call(
        "POST",
        "/api/staff/import",
        "Import a staff file whose difference one has seen",
        import_staff_file,
        query=ImportQuery,
        answer=StaffDifference,
        access=Access.ORGANIZATION_ADMIN,
        raw=MAX_BYTES,
        changes=False,
        faults=(CSV_INVALID, INVALID_BODY, TOO_LARGE, STAFF_CHANGED, LOGIN_TAKEN, OWN_ACCOUNT, SENDS_IN_PROGRESS),
        example_answer=_EXAMPLE,
        note="The same file and options again, with the `difference` that was answered: if anything would come out "
        "otherwise by now, nothing is done (6012). Asked twice, the second one finds nothing to do. It goes person by "
        "person; what was interrupted is shown and imported again.",
    ),
)
