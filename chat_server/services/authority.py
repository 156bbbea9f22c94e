"""In whose name an administrative act is done, and whether they may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from chat_server.domain.actors import OPERATOR, Actor
from chat_server.domain.errors import FORBIDDEN, Problem
from chat_server.ports import Reader
from chat_server.storage.queries import departments
from chat_server.storage.queries.people import Person

LOCAL_ZONE: Final = "local"
"""The server's own socket: no network at all."""


class Doer(Protocol):
    """Whoever an act is recorded for: an `Actor` or an `Operator`."""

    @property
    def id(self) -> str: ...
    @property
    def org_id(self) -> int: ...
    @property
    def zone(self) -> str: ...
    @property
    def address(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Operator:
    """Whoever reaches the server's own socket or its data folder; acts on one organization at a time."""

    org_id: int
    id: str = OPERATOR
    zone: str = LOCAL_ZONE
    address: str = ""


Administrator = Actor | Operator


def require_administrator(who: Administrator) -> None:
    """People, roles and departments belong to the operator and to organization administrators. Raises `Problem` 2008."""
    if isinstance(who, Actor) and not who.is_organization_admin:
        raise Problem(FORBIDDEN)


async def require_administrator_of(reader: Reader, who: Administrator, person: Person) -> None:
    """For what department administrators may do as well: to people who are appointed in their departments or below
    now, and nobody who administers more than those. Raises `Problem` 2008."""
    if not isinstance(who, Actor) or who.is_organization_admin:
        return
    if not await departments.administers(reader, who.org_id, who.user_id, person.user_id):
        raise Problem(FORBIDDEN)
