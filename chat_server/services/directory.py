"""The directory: departments in their order, and the people one may know of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from chat_server.domain.actors import Actor
from chat_server.domain.errors import DEPARTMENT_NOT_FOUND, INVALID_FIELD, PERSON_NOT_FOUND, Problem
from chat_server.domain.ids import is_id
from chat_server.ports import Reader, Tx
from chat_server.services import cursors
from chat_server.services.authority import require_administrator
from chat_server.services.kana import forms_of, hiragana, plain_kanji, without_spaces
from chat_server.services.people import Wire, wire
from chat_server.storage.queries import departments as department_queries
from chat_server.storage.queries import directory as queries
from chat_server.storage.queries import organizations, outbox
from chat_server.storage.queries import people as people_queries
from chat_server.storage.queries.departments import Department
from chat_server.storage.queries.directory import Search, Viewer
from chat_server.storage.queries.people import Person

PAGE: Final = 200
SEARCH_CHARS: Final = 80


async def changed(tx: Tx, org_id: int) -> int:
    """People or departments changed: a new version, and one outbox row from which a worker tells everybody later."""
    await outbox.put(tx, org_id, "directory")
    return await organizations.bump_directory(tx, org_id)


async def tree(reader: Reader, actor: Actor, *, counts: bool = False) -> Wire:
    """`{version, departments: [{id, name, parent, position, people?}]}` in department order. A guest gets no departments:
    who works where is not theirs to browse. `people`, with `counts`: how many `people(department=…)` would list."""
    organization = await organizations.by_id(reader, actor.org_id)
    assert organization is not None
    found = [] if actor.is_guest else await department_queries.all_departments(reader, actor.org_id)
    public = {department.id: department.public_id for department in found}
    sizes = _sizes(found, await queries.appointed(reader, actor.org_id)) if counts and found else {}
    return {
        "version": organization.directory_version,
        "departments": [
            {
                "id": department.public_id,
                "name": department.name,
                "parent": public.get(department.parent_id) if department.parent_id else None,
                "position": department.position,
                **({"people": len(sizes.get(department.id, ()))} if counts else {}),
            }
            for department in found
            if department.closed_at is None
        ],
    }


def _sizes(found: Sequence[Department], appointed: Sequence[tuple[int, int]]) -> dict[int, set[int]]:
    """Everybody in a department and below it: somebody with two posts there counts once."""
    parents = {department.id: department.parent_id for department in found}
    sizes: dict[int, set[int]] = {}
    for department, user in appointed:
        above: int | None = department
        while above is not None and user not in (known := sizes.setdefault(above, set())):
            known.add(user)
            above = parents.get(above)
    return sizes


async def people(
    reader: Reader, actor: Actor, *, department: str | None = None, q: str | None = None, gone: bool = False,
    cursor: str | None = None, limit: int = PAGE,
) -> tuple[list[Wire], str | None]:  # fmt: skip
    """A page of Person maps and the next cursor: one's organization, then others one shares a room with.

    `department` (public id): those appointed in it or below it, concurrently too. `q`: part of name, former name or
    reading, or the beginning of the login. `gone`: for organization administrators, those of their own who are not there
    any more. Raises `Problem` 6008, 2001 (q, cursor), 2008 (gone).
    """
    if gone:
        require_administrator(actor)
    department_id = await _department(reader, actor, department) if department else None
    after = cursors.decode(cursor, int, int, int, str, int) if cursor else None
    keys = (after[0], after[1], after[2], after[3], after[4]) if after else None
    limit = max(1, min(limit, PAGE))
    search = search_for(q) if q and q.strip() else None
    found = await queries.people(reader, _viewer(actor), department_id, search, keys, limit + 1, gone=gone)
    more = cursors.encode(found[limit - 1][1]) if len(found) > limit else None
    return [wire(person) for person, _ in found[:limit]], more


async def one(reader: Reader, actor: Actor, user: str) -> Wire:
    """Somebody with all appointments of now. Organization administrators see what administration needs besides.

    Coming appointments are shown to administrators alone: a transfer is not known before it is announced (内示).
    Raises `Problem` 6001.
    """
    person = await queries.visible_person(reader, _viewer(actor), user) if is_id(user) else None
    if person is None:
        raise Problem(PERSON_NOT_FOUND, field="user")
    administers = actor.is_organization_admin and person.org_id == actor.org_id
    found = {**wire(person), "appointments": await _appointments(reader, person, dated=administers)}
    if person.former_name:
        found["former_name"] = person.former_name
    if person.disabled_at is not None:
        found["disabled"] = True
    if administers:
        found |= await administrative(reader, person)
    return found


async def administrative(reader: Reader, person: Person) -> Wire:
    """What organization administrators and the operator see besides: `{login, roles, ends_at}`."""
    roles = await people_queries.roles(reader, person.org_id, person.user_id)
    return {"login": person.login, "roles": sorted({role for role, _ in roles}), "ends_at": person.ends_at}


async def _appointments(reader: Reader, person: Person, *, dated: bool) -> list[dict[str, Any]]:
    return [
        {
            "department": {"id": post.department_id, "name": post.department},
            "kind": post.kind,
            "post": post.post,
            "starts_at": post.starts_at,
            "ends_at": post.ends_at,
        }
        for post in await queries.posts(reader, person.org_id, person.user_id, dated=dated)
    ]


def fits(person: Person, q: str) -> bool:
    """Whether somebody is meant by `q`, as `people` would find them; for lists that are in memory."""
    name = plain_kanji(without_spaces(q))
    forms = (without_spaces(person.name), without_spaces(person.former_name or ""))
    return (
        any(name in plain_kanji(form) for form in forms)
        or hiragana(name) in without_spaces(person.reading)
        or person.login.startswith(name)
    )


def _viewer(actor: Actor) -> Viewer:
    return Viewer(actor.user_id, actor.org_id, actor.is_guest)


async def _department(reader: Reader, actor: Actor, department: str) -> int:
    found = None
    if is_id(department) and not actor.is_guest:
        found = await department_queries.by_public_id(reader, actor.org_id, department)
    if found is None:
        raise Problem(DEPARTMENT_NOT_FOUND, field="department", department=department[:SEARCH_CHARS])
    return found.id


def search_for(q: str) -> Search:
    """Raises `Problem` 2001 (q)."""
    if len(q) > SEARCH_CHARS or "\x00" in q:
        raise Problem(INVALID_FIELD, field="q", reason=f"{SEARCH_CHARS}文字まで / at most {SEARCH_CHARS} characters")
    name = plain_kanji(without_spaces(q))
    return Search(name, hiragana(name), name, forms_of(name))
