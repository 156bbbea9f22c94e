"""The organizations and their people: staff by the staff file, guests, roles and a few passwords.

Every step may be taken again after an interruption: what is there already stays as it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, TypeVar

from chat_server.demo import script
from chat_server.demo.dates import Calendar, begins
from chat_server.demo.stage import Then
from chat_server.domain.actors import GUEST, MEMBER, ORGANIZATION_ADMIN, Actor
from chat_server.domain.errors import ORGANIZATION_NOT_FOUND, Problem
from chat_server.ports import Passwords, Reader, Storage, Tx
from chat_server.services import (
    accounts,
    directory,
    organizations,
    password_change,
    staff_apply,
    staff_file,
    staff_plan,
)
from chat_server.services.accounts import NewAccount
from chat_server.services.authority import Operator
from chat_server.services.staff_plan import Options

T = TypeVar("T")
HOME: Final = "midorino"
_FOUNDED: Final = timedelta(days=800)
"""Before the oldest room."""


class Earlier:
    """A storage whose writes happened at another time."""

    def __init__(self, storage: Storage, at: int) -> None:
        self._storage = storage
        self._at = at

    async def read(self, use_case: Callable[[Reader], Awaitable[T]]) -> T:
        return await self._storage.read(use_case)

    async def write(self, use_case: Callable[[Tx], Awaitable[T]], *, org_id: int = 0) -> T:
        async def then(tx: Tx) -> T:
            past = Then(tx)
            past.now = self._at
            return await use_case(past)

        return await self._storage.write(then, org_id=org_id)


@dataclass(frozen=True, slots=True)
class Company:
    """Everybody who takes part, by the story's names, and the city's departments by code."""

    actors: dict[str, Actor]
    staff: tuple[str, ...]
    sections: dict[str, str]


async def gather(storage: Storage, passwords: Passwords, calendar: Calendar, zone: str) -> Company:
    """Make what is missing, and answer who is there then."""
    past = Earlier(storage, begins(calendar.today - _FOUNDED))
    for organization in script.cast().organization:
        org_id = await _organization(past, organization)
        await _staff(past, organization.code, org_id, calendar)
        found = await _everybody(storage, org_id, zone)
        for guest in organization.guest:
            if guest.login not in found:
                await _guest(past, org_id, guest, found[guest.sponsor], calendar)
        for login, role in organization.roles.items():
            if role not in found[login].roles:
                await past.write(_granting(Operator(org_id), found[login].id, role))
    there = await company(storage, calendar, zone)
    for sign_in in (*script.cast().sign_in, *script.office().colleague):
        actor = there.actors[sign_in.login]
        await password_change.set_for(past, passwords, Operator(actor.org_id), actor.id, script.cast().password)
    return there


async def company(storage: Storage, calendar: Calendar, zone: str) -> Company:
    """Who is there. `zone`: where everybody works."""
    there = Company({}, tuple(dict.fromkeys(row["ログイン名"] for row in script.staff(HOME, calendar))), {})
    for organization in script.cast().organization:
        org_id = await _key(storage, organization.code)
        prefix = "" if organization.code == HOME else f"{organization.code}:"
        found = await _everybody(storage, org_id, zone)
        there.actors.update({prefix + login: actor for login, actor in found.items()})
    there.sections.update(await _sections(storage, there.actors[script.cast().sign_in[0].login], calendar))
    return there


async def _key(storage: Storage, code: str) -> int:
    """Integer key of an organization. Raises `Problem` 6004."""
    return (await storage.read(lambda reader: organizations.find(reader, code))).id


async def _organization(storage: Storage, organization: script.Organization) -> int:
    try:
        return await _key(storage, organization.code)
    except Problem as problem:
        if problem.fault is not ORGANIZATION_NOT_FOUND:
            raise
    return await storage.write(lambda tx: organizations.create(tx, organization.code, organization.name))


async def _staff(storage: Storage, code: str, org_id: int, calendar: Calendar) -> None:
    """The way that every organization's staff comes in: docs/staff-csv.md."""
    file = staff_file.read(script.staff_file(code, calendar), calendar.today)
    options = Options(as_of=calendar.today)
    difference = await storage.read(lambda reader: staff_plan.plan(reader, org_id, file, options))
    await staff_apply.apply(storage, Operator(org_id), difference)


async def _guest(storage: Storage, org_id: int, guest: script.Guest, sponsor: Actor, calendar: Calendar) -> None:
    last: date = calendar.fiscal_date(guest.last_day)
    new = NewAccount(
        login=guest.login,
        name=guest.name,
        kind=GUEST,
        reading=guest.reading,
        sponsor=sponsor.id,
        ends_at=begins(last + timedelta(days=1)),
    )
    await storage.write(lambda tx: accounts.add(tx, Operator(org_id), new))


def _granting(who: Operator, user: str, role: str) -> Callable[[Tx], Awaitable[bool]]:
    return lambda tx: accounts.grant(tx, who, user, role)


async def _everybody(storage: Storage, org_id: int, zone: str) -> dict[str, Actor]:
    """By login. Devices play no part: the story is not told over a connection."""
    looking = Actor(0, org_id, 0, "", "", MEMBER, "", zone, "", frozenset({ORGANIZATION_ADMIN}))

    async def read(reader: Reader) -> dict[str, Actor]:
        found: dict[str, Actor] = {}
        cursor: str | None = None
        while True:
            page, cursor = await directory.people(reader, looking, cursor=cursor)
            for wire in page:
                person = await accounts.find(reader, Operator(org_id), wire["id"])
                roles = (await directory.administrative(reader, person))["roles"]
                found[person.login] = Actor(
                    person.user_id, org_id, 0, person.id, "", person.kind, person.name, zone, "", frozenset(roles)
                )
            if cursor is None:
                return found

    return await storage.read(read)


async def _sections(storage: Storage, somebody: Actor, calendar: Calendar) -> dict[str, str]:
    """Public ids of the city's departments by the codes that the staff file gives them."""
    tree = (await storage.read(lambda reader: directory.tree(reader, somebody)))["departments"]
    nodes = {node["id"]: node for node in tree}

    def path(node: dict[str, str]) -> str:
        above = nodes.get(node["parent"])
        return f"{path(above)}/{node['name']}" if above else node["name"]

    by_path = {path(node): node["id"] for node in tree}
    return {row["所属コード"]: by_path[row["所属"]] for row in script.staff(HOME, calendar)}
