"""The operator's acts on people: by organization code and login, as the operator knows them."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from chat_server.domain.actors import MEMBER
from chat_server.domain.devices import ISSUED
from chat_server.domain.errors import DEPARTMENT_NOT_FOUND, INVALID_FIELD, PERSON_NOT_FOUND, Problem
from chat_server.ports import Reader, Tx
from chat_server.services import (
    accounts,
    device_keeping,
    devices,
    directory,
    organizations,
    password_change,
    password_policy,
    staff_days,
)
from chat_server.services.accounts import Names, NewAccount
from chat_server.services.authority import Operator
from chat_server.services.operation import Deps, Operation, Wire, operation
from chat_server.services.people import wire
from chat_server.services.throttle import fold
from chat_server.storage.queries import departments, people, sessions
from chat_server.storage.queries.appointments import LOWEST_RANK
from chat_server.storage.queries.people import Person


class Whom(msgspec.Struct, frozen=True):
    """Somebody, by the code of the organization and the login."""

    organization: str
    login: str


class Add(msgspec.Struct, frozen=True, kw_only=True):
    """`sponsor` is a login, `until` the last day of a guest, `department` a code for a first main appointment."""

    organization: str
    login: str
    name: str
    reading: str = ""
    former_name: str | None = None
    kind: Literal["member", "guest", "bot"] = "member"
    sponsor: str | None = None
    until: str | None = None
    roles: tuple[str, ...] = ()
    department: str | None = None
    post: str = ""
    rank: int = LOWEST_RANK
    password: str | None = None


class List(msgspec.Struct, frozen=True):
    organization: str
    q: str = ""
    disabled: bool = False


class Rename(msgspec.Struct, frozen=True):
    organization: str
    login: str
    name: str | None = None
    reading: str | None = None
    former_name: str | None = None


class Password(msgspec.Struct, frozen=True):
    organization: str
    login: str
    password: str

    def __repr__(self) -> str:
        return f"Password(login={self.login!r})"


class Roles(msgspec.Struct, frozen=True):
    """`department` (code) goes with department_admin."""

    organization: str
    login: str
    grant: tuple[str, ...] = ()
    withdraw: tuple[str, ...] = ()
    department: str | None = None


class SignOut(msgspec.Struct, frozen=True):
    """`device`: public id; absent: all of them."""

    organization: str
    login: str
    device: str | None = None


class Approve(msgspec.Struct, frozen=True):
    """`device`: public id. `issued`: the organization gave it out."""

    organization: str
    login: str
    device: str
    issued: bool = False


async def add(deps: Deps, asked: Add) -> Wire:
    """Raises `Problem` 6004, 2001, 6001, 6002, 6003, 6008."""
    hashed = None
    if asked.password is not None:
        password_policy.check(asked.password, fold(asked.login), fold(asked.organization))
        hashed = await deps.passwords.hash(asked.password)

    async def use_case(tx: Tx) -> str:
        who = await _operator(tx, asked.organization)
        sponsor = await _holder(tx, who, asked.sponsor, "sponsor") if asked.sponsor else None
        new = NewAccount(
            login=asked.login,
            name=asked.name,
            kind=asked.kind,
            reading=asked.reading,
            former_name=asked.former_name,
            sponsor=sponsor.id if sponsor else None,
            ends_at=_last_moment(asked.until),
        )
        user, user_id = await accounts.add_quietly(tx, who, new, hashed)
        if asked.department is not None:
            await _appoint(tx, who, user_id, asked)
        for role in asked.roles:
            await accounts.grant(tx, who, user, role)
        await directory.changed(tx, who.org_id)
        return user

    return {"id": await deps.storage.write(use_case), "login": fold(asked.login)}


async def _appoint(tx: Tx, who: Operator, user_id: int, asked: Add) -> None:
    found = await departments.by_code(tx, who.org_id, asked.department or "")
    if found is None:
        raise Problem(DEPARTMENT_NOT_FOUND, field="department", department=asked.department)
    if asked.kind != MEMBER or not 1 <= asked.rank <= LOWEST_RANK or len(asked.post) > 40:
        raise Problem(INVALID_FIELD, field="post", reason="職員だけ。職は40文字、職位順は1〜999まで / members only")
    start = staff_days.begin(staff_days.day_of(tx.now))
    await departments.appoint(tx, who.org_id, user_id, found.id, "main", asked.post.strip(), asked.rank, start, None)


async def list_people(deps: Deps, asked: List) -> Wire:
    """Everybody in department order; `q`: part of login, name or reading. Raises `Problem` 6004."""

    async def use_case(reader: Reader) -> list[Wire]:
        org_id = (await organizations.find(reader, asked.organization)).id
        found = await people.of_organization(reader, org_id)
        roles = await people.roles_of_all(reader, org_id)
        return [
            _listed(person, roles.get(person.user_id, []))
            for person in found
            if (asked.disabled or person.disabled_at is None) and directory.fits(person, asked.q)
        ]

    return {"people": await deps.storage.read(use_case)}


def _listed(person: Person, roles: list[str]) -> Wire:
    return {
        **wire(person),
        "login": person.login,
        "former_name": person.former_name,
        "roles": roles,
        "disabled_at": person.disabled_at,
        "ends_at": person.ends_at,
    }


async def disable(deps: Deps, asked: Whom) -> Wire:
    """Raises `Problem` 6004, 6001."""

    async def use_case(tx: Tx) -> bool:
        who = await _operator(tx, asked.organization)
        return await accounts.disable(tx, who, (await _anybody(tx, who, asked.login)).id)

    return {"changed": await deps.storage.write(use_case)}


async def enable(deps: Deps, asked: Whom) -> Wire:
    """The one who had the login last. Raises `Problem` 6004, 6001, 6002."""

    async def use_case(tx: Tx) -> bool:
        who = await _operator(tx, asked.organization)
        return await accounts.enable(tx, who, (await _anybody(tx, who, asked.login)).id)

    return {"changed": await deps.storage.write(use_case)}


async def rename(deps: Deps, asked: Rename) -> Wire:
    """Raises `Problem` 6004, 6001, 2001."""

    async def use_case(tx: Tx) -> bool:
        who = await _operator(tx, asked.organization)
        names = Names(asked.name, asked.reading, asked.former_name)
        return await accounts.rename(tx, who, (await _holder(tx, who, asked.login)).id, names)

    return {"changed": await deps.storage.write(use_case)}


async def set_password(deps: Deps, asked: Password) -> Wire:
    """All devices of the person are signed out. Raises `Problem` 6004, 6001, 6003, 8001."""

    async def find(reader: Reader) -> tuple[Operator, str]:
        who = await _operator(reader, asked.organization)
        return who, (await _holder(reader, who, asked.login)).id

    who, user = await deps.storage.read(find)
    await password_change.set_for(deps.storage, deps.passwords, who, user, asked.password)
    return {"changed": True}


async def set_roles(deps: Deps, asked: Roles) -> Wire:
    """Answers the roles as they are then. Raises `Problem` 6004, 6001, 6008, 2001."""

    async def use_case(tx: Tx) -> list[str]:
        who = await _operator(tx, asked.organization)
        person = await _holder(tx, who, asked.login)
        for role in asked.withdraw:
            await accounts.withdraw(tx, who, person.id, role, asked.department if role == "department_admin" else None)
        for role in asked.grant:
            await accounts.grant(tx, who, person.id, role, asked.department if role == "department_admin" else None)
        return sorted({role for role, _ in await people.roles(tx, who.org_id, person.user_id)})

    return {"roles": await deps.storage.write(use_case)}


async def list_devices(deps: Deps, asked: Whom) -> Wire:
    """Raises `Problem` 6004, 6001."""

    async def use_case(reader: Reader) -> list[dict[str, Any]]:
        who = await _operator(reader, asked.organization)
        person = await _anybody(reader, who, asked.login)
        return [devices.wire(d) for d in await sessions.devices(reader, who.org_id, person.user_id)]

    return {"devices": await deps.storage.read(use_case)}


async def sign_out(deps: Deps, asked: SignOut) -> Wire:
    """A lost phone. Raises `Problem` 6004, 6001, 6005."""

    async def use_case(tx: Tx) -> int:
        who = await _operator(tx, asked.organization)
        person = await _anybody(tx, who, asked.login)
        if asked.device is not None:
            await devices.sign_out_of(tx, who, person.id, asked.device)
            return 1
        return await devices.sign_out_all_of(tx, who, person.id)

    return {"signed_out": await deps.storage.write(use_case)}


async def approve_device(deps: Deps, asked: Approve) -> Wire:
    """A device that waits: an organization's last administrator may be the one who waits. Raises `Problem` 6004, 6001, 6005."""

    async def use_case(tx: Tx) -> Wire:
        who = await _operator(tx, asked.organization)
        person = await _holder(tx, who, asked.login)
        ownership = ISSUED if asked.issued else None
        return await device_keeping.change(tx, who, person.id, asked.device, approve=True, ownership=ownership)

    return {"device": await deps.storage.write(use_case)}


async def _operator(reader: Reader, organization: str) -> Operator:
    return Operator((await organizations.find(reader, organization)).id)


async def _anybody(reader: Reader, who: Operator, login: str) -> Person:
    """Who has the login, else who had it last. Raises `Problem` 6001."""
    found = await people.by_login(reader, who.org_id, fold(login))
    if not found:
        raise Problem(PERSON_NOT_FOUND, field="login")
    return found[0]


async def _holder(reader: Reader, who: Operator, login: str, field: str = "login") -> Person:
    """Who has the login now. Raises `Problem` 6001."""
    found = await people.by_login(reader, who.org_id, fold(login))
    if not found or found[0].disabled_at is not None:
        raise Problem(PERSON_NOT_FOUND, field=field)
    return found[0]


def _last_moment(until: str | None) -> int | None:
    if until is None:
        return None
    try:
        return staff_days.after(staff_days.parse(until))
    except ValueError:
        raise Problem(INVALID_FIELD, field="until", reason="2027-03-31のような日付 / a day like 2027-03-31") from None


OPERATIONS: Final[dict[str, Operation]] = {
    "user.add": operation(Add, add),
    "user.list": operation(List, list_people),
    "user.disable": operation(Whom, disable),
    "user.enable": operation(Whom, enable),
    "user.rename": operation(Rename, rename),
    "user.password": operation(Password, set_password),
    "user.roles": operation(Roles, set_roles),
    "user.devices": operation(Whom, list_devices),
    "user.sign_out": operation(SignOut, sign_out),
    "user.approve_device": operation(Approve, approve_device),
}
