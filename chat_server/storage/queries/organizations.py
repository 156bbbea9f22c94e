"""Organizations: the tenants."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chat_server.domain.policy import Policy, policy_of
from chat_server.ports import Reader, Tx


@dataclass(frozen=True, slots=True)
class Organization:
    """`code` is what a person types when signing in."""

    id: int
    public_id: str
    code: str
    name: str
    directory_version: int
    created_at: int


_COLUMNS = "id, public_id, code, name, directory_version, created_at"


async def insert(tx: Tx, public_id: str, code: str, name: str) -> int:
    """Its integer key."""
    row = await tx.one(
        "INSERT INTO organizations (public_id, code, name, created_at) VALUES (?, ?, ?, ?) RETURNING id",
        public_id, code, name, tx.now,
    )  # fmt: skip
    assert row is not None
    return int(row[0])


async def by_code(reader: Reader, code: str) -> Organization | None:
    row = await reader.one(f"SELECT {_COLUMNS} FROM organizations WHERE code = ?", code)  # noqa: S608 - our own columns
    return Organization(*row) if row else None


async def by_id(reader: Reader, org_id: int) -> Organization | None:
    row = await reader.one(f"SELECT {_COLUMNS} FROM organizations WHERE id = ?", org_id)  # noqa: S608
    return Organization(*row) if row else None


async def set_name(tx: Tx, org_id: int, name: str) -> None:
    await tx.run("UPDATE organizations SET name = ? WHERE id = ?", name, org_id)


async def own_rules(reader: Reader, org_id: int) -> dict[str, Any]:
    """What the organization decided itself: a rule that is absent has its default."""
    row = await reader.one("SELECT policy FROM organizations WHERE id = ?", org_id)
    found: dict[str, Any] = json.loads(row[0]) if row else {}
    return found


async def policy(reader: Reader, org_id: int) -> Policy:
    """The rules that hold in the organization now."""
    return policy_of(await own_rules(reader, org_id))


async def set_own_rules(tx: Tx, org_id: int, rules: Mapping[str, Any]) -> None:
    await tx.run("UPDATE organizations SET policy = ? WHERE id = ?", json.dumps(rules, sort_keys=True), org_id)


async def all_organizations(reader: Reader) -> list[Organization]:
    """By code; for the operator."""
    rows = await reader.all(f"SELECT {_COLUMNS} FROM organizations ORDER BY code")  # noqa: S608
    return [Organization(*row) for row in rows]


async def people_count(reader: Reader) -> dict[int, int]:
    """Integer key → people who are not disabled."""
    rows = await reader.all("SELECT org_id, count(*) FROM users WHERE disabled_at IS NULL GROUP BY org_id")
    return {int(row[0]): int(row[1]) for row in rows}


async def bump_directory(tx: Tx, org_id: int) -> int:
    """The directory's new version."""
    row = await tx.one(
        "UPDATE organizations SET directory_version = directory_version + 1 WHERE id = ? RETURNING directory_version",
        org_id,
    )
    assert row is not None
    return int(row[0])
