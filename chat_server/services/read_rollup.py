"""How far a message has come, by department and up the tree: 7,000 readers on one screen, and nobody by name."""

from __future__ import annotations

from typing import Any

from chat_server.domain.actors import Actor
from chat_server.ports import Reader
from chat_server.services.access import visible_message
from chat_server.storage.queries import departments, organizations, receipts


async def rollup(reader: Reader, actor: Actor, message: str) -> dict[str, Any]:
    """`{read, total, departments: [{organization, id, name, parent, read, total}]}`: a department's figures are those of its people
    and of everybody below. In department order, the room's home first; without departments where nobody is asked, and without
    any for guests, who do not browse who works where. The author is not counted. Raises `Problem` 4001.
    """
    stored, standing = await visible_message(reader, actor, message)
    rows = await receipts.by_department(reader, standing.room_id, stored.seq, stored.author_id)
    found: list[dict[str, Any]] = []
    if not actor.is_guest:
        sides = sorted({row[0] for row in rows}, key=lambda org_id: (org_id != standing.org_id, org_id))
        for org_id in sides:
            own = {row[1]: (int(row[2]), int(row[3])) for row in rows if row[0] == org_id}
            found += await _of_organization(reader, org_id, own)
    return {"read": sum(int(row[3]) for row in rows), "total": sum(int(row[2]) for row in rows), "departments": found}


async def _of_organization(reader: Reader, org_id: int, own: dict[int | None, tuple[int, int]]) -> list[dict[str, Any]]:
    """`own`: (people, read) of each department by itself; None: of those who have none."""
    organization = await organizations.by_id(reader, org_id)
    assert organization is not None
    tree = await departments.all_departments(reader, org_id)
    public = {one.id: one.public_id for one in tree}
    above = {one.id: one.parent_id for one in tree}
    total, read = dict.fromkeys(public, 0), dict.fromkeys(public, 0)
    for department, (people, readers) in own.items():
        place = department
        while place is not None:
            total[place] += people
            read[place] += readers
            place = above[place]
    found = [
        _entry(organization.name, one.public_id, one.name, public.get(one.parent_id or 0), total[one.id], read[one.id])
        for one in tree
        if total[one.id]
    ]
    if None in own:
        found.append(_entry(organization.name, None, "", None, *own[None]))
    return found


def _entry(
    organization: str, department: str | None, name: str, parent: str | None, total: int, read: int
) -> dict[str, Any]:
    return {
        "organization": organization,
        "id": department,
        "name": name,
        "parent": parent,
        "read": read,
        "total": total,
    }
