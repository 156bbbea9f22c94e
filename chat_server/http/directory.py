"""Departments in their order, and people in theirs."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from chat_server.domain.errors import DEPARTMENT_NOT_FOUND, FORBIDDEN, PERSON_NOT_FOUND
from chat_server.http.calls import AnyCall, Call, Ctx, Nothing
from chat_server.http.shapes import PERSON, Cursor, Person, Time
from chat_server.services import directory
from chat_server.services.blocks import Id


class Department(msgspec.Struct, frozen=True):
    """`position`: department order (建制順) over the whole tree, depth first."""

    id: Id
    name: str
    parent: Id | None
    position: int
    people: int | UnsetType = UNSET


class DirectoryQuery(msgspec.Struct, frozen=True):
    """`counts`: with the number of `people` in each department and below it."""

    counts: bool = False


class Directory(msgspec.Struct, frozen=True):
    """`version` rises when departments or people change: the own stream tells."""

    version: int
    departments: list[Department]


class PeopleQuery(msgspec.Struct, frozen=True):
    """`department`: those appointed in it or below it. `q`: part of a name or reading, or the beginning of a login.
    `gone`: for organization administrators, instead of those who are there the people of their organization who are
    disabled, and guests whose time is over."""

    department: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    q: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    gone: bool = False
    cursor: Cursor | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=directory.PAGE)] = directory.PAGE


class People(msgspec.Struct, frozen=True):
    """By department, rank, reading."""

    items: list[Person]
    next: str | None


class DepartmentName(msgspec.Struct, frozen=True):
    id: Id
    name: str


class Appointment(msgspec.Struct, frozen=True):
    """発令. `kind`: main 本務, concurrent 兼務, joint 併任, annual 会計年度任用."""

    department: DepartmentName
    kind: Literal["main", "concurrent", "joint", "annual"]
    post: str
    starts_at: Time
    ends_at: Time | None


class PersonDetail(Person, frozen=True, kw_only=True):
    """`login`, `roles` and `ends_at` are for organization administrators."""

    appointments: list[Appointment]
    former_name: str | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    login: str | UnsetType = UNSET
    roles: list[str] | UnsetType = UNSET
    ends_at: Time | UnsetType | None = UNSET


async def get_directory(ctx: Ctx[Nothing, DirectoryQuery]) -> Any:
    return await ctx.read(lambda reader: directory.tree(reader, ctx.actor, counts=ctx.query.counts))


async def list_people(ctx: Ctx[Nothing, PeopleQuery]) -> Any:
    asked = ctx.query
    items, following = await ctx.read(
        lambda reader: directory.people(
            reader,
            ctx.actor,
            department=asked.department,
            q=asked.q,
            gone=asked.gone,
            cursor=asked.cursor,
            limit=asked.limit,
        )
    )
    return {"items": items, "next": following}


async def get_person(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.read(lambda reader: directory.one(reader, ctx.actor, ctx.path["user"]))


CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        "/api/directory",
        "Departments in their order",
        get_directory,
        query=DirectoryQuery,
        answer=Directory,
        example_answer=Directory(
            12, [Department("06ed000000000000000000000a", "建設部", None, 3),
                 Department("06ed000000000000000000000b", "道路課", "06ed000000000000000000000a", 4)],
        ),
        note="A guest gets no departments.",
    ),
    Call(
        "GET",
        "/api/people",
        "People one may know of",
        list_people,
        query=PeopleQuery,
        answer=People,
        faults=(DEPARTMENT_NOT_FOUND, FORBIDDEN),
        example_answer=People([PERSON], None),
        note="One's organization, then people of others in shared rooms. A guest knows the people of their rooms.",
    ),
    Call(
        "GET",
        "/api/people/{user}",
        "One person, with all appointments",
        get_person,
        answer=PersonDetail,
        faults=(PERSON_NOT_FOUND,),
        note="Coming appointments are for organization administrators: a transfer is not known before it is announced.",
    ),
)  # fmt: skip
