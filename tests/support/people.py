"""People for tests, written straight into the tables: quicker than a sign-in each, and without passwords."""

from __future__ import annotations

from chat_server.domain.actors import MEMBER, Actor
from chat_server.domain.ids import new_id
from chat_server.ports import Storage, Tx


async def add_organization(storage: Storage, code: str = "midorino", name: str = "みどり野市") -> int:
    """Its integer key."""

    async def add(tx: Tx) -> int:
        row = await tx.one(
            "INSERT INTO organizations (public_id, code, name, created_at) VALUES (?, ?, ?, ?) RETURNING id",
            new_id(tx.now), code, name, tx.now,
        )  # fmt: skip
        assert row is not None
        return int(row[0])

    return await storage.write(add)


async def add_person(
    storage: Storage, org_id: int, login: str, *, kind: str = MEMBER, zone: str = "lgwan", roles: tuple[str, ...] = ()
) -> Actor:
    """A person with one device, as signed in on it."""

    async def add(tx: Tx) -> Actor:
        user, device, name = new_id(tx.now), new_id(tx.now), f"{login}さん"
        user_row = await tx.one(
            "INSERT INTO users (public_id, org_id, kind, login, name, reading, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " RETURNING id",
            user, org_id, kind, login, name, "てすと", tx.now,
        )  # fmt: skip
        assert user_row is not None
        device_row = await tx.one(
            "INSERT INTO devices (public_id, org_id, user_id, name, zone, address, created_at, seen_at, approved_at)"
            " VALUES (?, ?, ?, 'テスト端末', ?, '', ?, ?, ?) RETURNING id",
            device, org_id, user_row[0], zone, tx.now, tx.now, tx.now,
        )  # fmt: skip
        assert device_row is not None
        for role in roles:
            await tx.run(
                "INSERT INTO roles (org_id, user_id, role, granted_at) VALUES (?, ?, ?, ?)",
                org_id, user_row[0], role, tx.now,
            )  # fmt: skip
        return Actor(user_row[0], org_id, device_row[0], user, device, kind, name, zone, "", frozenset(roles))

    return await storage.write(add)


async def add_people(storage: Storage, count: int) -> list[Actor]:
    """An organization and `count` members of it."""
    org_id = await add_organization(storage)
    return [await add_person(storage, org_id, f"person{i}") for i in range(count)]
