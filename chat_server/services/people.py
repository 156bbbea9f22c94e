"""People in the wire form of docs/protocol.md ("Person"), for whoever may already know of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chat_server.ports import Reader
from chat_server.storage.queries import people as queries
from chat_server.storage.queries.people import Person

Wire = dict[str, Any]


async def wire_person(reader: Reader, user_id: int) -> Wire:
    """One person by integer key. The caller has made sure that the viewer may know of them."""
    return (await wire_people(reader, [user_id]))[user_id]


async def wire_people(reader: Reader, user_ids: Sequence[int]) -> dict[int, Wire]:
    """Many, by integer key."""
    return {person.user_id: wire(person) for person in await queries.by_ids(reader, user_ids)}


def wire(person: Person) -> Wire:
    """The Person map. `guest_of` names who answers for a guest."""
    found: Wire = {
        "id": person.id,
        "name": person.name,
        "reading": person.reading,
        "department": person.department,
        "post": person.post,
        "kind": person.kind,
        "organization": person.organization,
    }
    if person.sponsor is not None:
        found["guest_of"] = person.sponsor
    return found
