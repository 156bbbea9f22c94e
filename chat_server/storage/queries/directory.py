"""Lists of people as one viewer may see them, in department order, rank, reading (建制順, 職位順, ふりがな)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chat_server.ports import Reader, Value
from chat_server.storage.queries.appointments import IN_FORCE, LOWEST_RANK, MAIN_FIRST, SECTION, UNPLACED
from chat_server.storage.queries.people import COLUMNS, FROM_PERSON, Person, person

Keys = tuple[int, int, int, str, int]
"""Outside the viewer's organization (0, 1), position, rank, reading, integer key of the user."""

# Rooms without anybody from elsewhere are left out before their members are looked at: a person in 200 rooms of 1,000
# would otherwise read 200,000 memberships to find no one new.
_OUTSIDERS: Final = """
SELECT theirs.user_id FROM memberships mine
JOIN memberships theirs ON theirs.room_id = mine.room_id AND theirs.to_seq IS NULL AND theirs.org_id <> mine.org_id
WHERE mine.user_id = ? AND mine.to_seq IS NULL
  AND EXISTS (SELECT 1 FROM room_organizations ro WHERE ro.room_id = mine.room_id AND ro.state = 'open')
"""
_ROOM_MATES: Final = """
SELECT theirs.user_id FROM memberships mine
JOIN memberships theirs ON theirs.room_id = mine.room_id AND theirs.to_seq IS NULL
WHERE mine.user_id = ? AND mine.to_seq IS NULL
"""
# Who knows a webhook's bot knows of its room.
_NO_HOOK: Final = """
AND (u.kind <> 'bot' OR NOT EXISTS (SELECT 1 FROM hooks h WHERE h.bot_id = u.id AND NOT EXISTS
  (SELECT 1 FROM memberships mine WHERE mine.room_id = h.room_id AND mine.user_id = ? AND mine.to_seq IS NULL)))
"""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks. Guests know the people of their rooms and nobody else."""

    user_id: int
    org_id: int
    guest: bool


def _visible(viewer: Viewer) -> tuple[str, list[Value]]:
    """A condition on `u`, with its parameters."""
    if viewer.guest:
        return f"(u.id = ? OR u.id IN ({_ROOM_MATES}))", [viewer.user_id, viewer.user_id]
    return f"(u.org_id = ? OR u.id IN ({_OUTSIDERS})){_NO_HOOK}", [viewer.org_id, viewer.user_id, viewer.user_id]


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, folded. `name` without spaces, in the plain forms of `forms`: (variant, plain form)."""

    name: str
    reading: str
    login: str
    forms: Sequence[tuple[str, str]] = ()


def matches(viewer: Viewer, search: Search) -> tuple[str, list[Value]]:
    """A condition on `u`, with its parameters. Logins are looked for among colleagues alone: to a guest, or to another organization, a login that can be probed
    letter by letter is half of a sign-in."""

    def plain(column: str) -> tuple[str, list[Value]]:
        sql, values = f"replace(lower({column}), ' ', '')", list[Value]()
        for form in search.forms:
            sql, values = f"replace({sql}, ?, ?)", [*values, *form]
        return sql, values

    name, name_values = plain("u.name")
    former, former_values = plain("coalesce(u.former_name, '')")
    sql = (
        f"({name} LIKE ? ESCAPE '\\' OR {former} LIKE ? ESCAPE '\\'"
        " OR replace(u.reading, ' ', '') LIKE ? ESCAPE '\\' OR (u.org_id = ? AND u.login LIKE ? ESCAPE '\\'))"
    )
    return sql, [
        *name_values, _part(search.name), *former_values, _part(search.name), _part(search.reading),
        0 if viewer.guest else viewer.org_id, _start(search.login),
    ]  # fmt: skip


def _part(text: str) -> str:
    return f"%{_literally(text)}%"


def _start(text: str) -> str:
    return f"{_literally(text)}%"


def _literally(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def people(
    reader: Reader, viewer: Viewer, department_id: int | None, search: Search | None, after: Keys | None, limit: int,
    *, gone: bool = False,
) -> list[tuple[Person, Keys]]:  # fmt: skip
    """A page of those who are there now, after the keys of the page before; `gone`: of the viewer's own organization
    those who are not.

    With `department_id` those appointed in it or below it, in the order of that appointment (main or not).
    """
    now = reader.now
    values: list[Value] = []
    tree, placed = "", "LEFT JOIN appointments w ON w.id = a.id"
    if department_id is not None:
        tree = (
            "WITH RECURSIVE tree (id) AS (SELECT id FROM departments WHERE id = ? AND org_id = ?"
            " UNION ALL SELECT c.id FROM departments c JOIN tree ON c.parent_id = tree.id) "
        )
        placed = (
            "JOIN appointments w ON w.id = (SELECT x.id FROM appointments x WHERE x.user_id = u.id"  # noqa: S608
            f" AND {IN_FORCE} AND x.department_id IN (SELECT id FROM tree) ORDER BY {MAIN_FIRST} LIMIT 1)"
        )
        values += [department_id, viewer.org_id]
    values += [viewer.org_id, now, now]
    if department_id is not None:
        values += [now, now]
    visible, visible_values = _visible(viewer)
    conditions = [visible, "u.disabled_at IS NULL", "(u.ends_at IS NULL OR u.ends_at > ?)"]
    values += [*visible_values, now]
    if gone:
        conditions[1:] = ["(u.disabled_at IS NOT NULL OR u.ends_at <= ?)", "u.org_id = ?"]
        values.append(viewer.org_id)
    if search is not None:
        wanted, match_values = matches(viewer, search)
        conditions.append(wanted)
        values += match_values
    sql = (
        f"{tree}SELECT {COLUMNS}, CASE WHEN u.org_id = ? THEN 0 ELSE 1 END AS outside,"
        f" coalesce(wd.position, {UNPLACED}) AS place, coalesce(w.rank, {LOWEST_RANK}) AS rank_there"
        f"{FROM_PERSON} {placed} LEFT JOIN departments wd ON wd.id = w.department_id WHERE {' AND '.join(conditions)}"
    )
    sql = f"SELECT * FROM ({sql}) AS listed"  # noqa: S608 - our own words
    names = "outside, place, rank_there, reading, id"
    if after is not None:
        sql += f" WHERE ({names}) > (?, ?, ?, ?, ?)"
        values += after
    rows = await reader.all(f"{sql} ORDER BY {names} LIMIT ?", *values, limit)
    width = len(Person.__slots__)
    return [(person(row[:width]), (row[width], row[width + 1], row[width + 2], row[6], row[0])) for row in rows]


async def appointed(reader: Reader, org_id: int) -> list[tuple[int, int]]:
    """(department, user) of all appointments in force of those who are there now."""
    rows = await reader.all(
        "SELECT x.department_id, x.user_id FROM appointments x JOIN users u ON u.id = x.user_id"  # noqa: S608
        f" WHERE x.org_id = ? AND {IN_FORCE} AND u.disabled_at IS NULL AND (u.ends_at IS NULL OR u.ends_at > ?)",
        org_id, reader.now, reader.now, reader.now,
    )  # fmt: skip
    return [(row[0], row[1]) for row in rows]


async def visible_person(reader: Reader, viewer: Viewer, user: str) -> Person | None:
    """Somebody the viewer may know of, by public id; disabled ones too: their messages are still there."""
    visible, values = _visible(viewer)
    row = await reader.one(
        f"SELECT {COLUMNS}{FROM_PERSON} WHERE u.public_id = ? AND {visible}", reader.now, reader.now, user, *values
    )
    return person(row) if row else None


@dataclass(frozen=True, slots=True)
class Post:
    """An appointment in words."""

    department_id: str
    department: str
    kind: str
    post: str
    rank: int
    starts_at: int
    ends_at: int | None


async def posts(reader: Reader, org_id: int, user_id: int, *, dated: bool) -> list[Post]:
    """Appointments in force now, main ones first; `dated`: past and coming ones too, oldest first."""
    select = (
        f"SELECT d.public_id, {SECTION}, x.kind,"  # noqa: S608
        " x.post, x.rank, x.starts_at, x.ends_at FROM appointments x JOIN departments d ON d.id = x.department_id"
        " LEFT JOIN departments p ON p.id = d.parent_id WHERE x.user_id = ? AND x.org_id = ?"
    )
    if dated:
        rows = await reader.all(f"{select} ORDER BY x.starts_at, x.id", user_id, org_id)
    else:
        rows = await reader.all(
            f"{select} AND {IN_FORCE} ORDER BY {MAIN_FIRST}",
            user_id, org_id, reader.now, reader.now,
        )  # fmt: skip
    return [Post(*row) for row in rows]
