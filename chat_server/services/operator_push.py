"""The operator's question about pushes: why did it not ring."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from chat_server.domain.errors import PERSON_NOT_FOUND, Problem
from chat_server.ports import Reader
from chat_server.services import organizations, push_why
from chat_server.services.authority import Operator
from chat_server.services.operation import Deps, Operation, Wire, operation
from chat_server.services.throttle import fold
from chat_server.storage.queries import people

_LINK: Final = re.compile(r"#/rooms/([0-9a-z]{26})\?message=([0-9]{1,15})$")


class Why(msgspec.Struct, frozen=True):
    """`login`: whose phone; `message`: the id of a message, or a link to it, as the page copies it."""

    organization: str
    login: str
    message: str


async def why(deps: Deps, asked: Why) -> Wire:
    """As `GET /api/organization/push/why` answers, on record as well. Raises `Problem` 6004, 6001, 4001."""

    async def find(reader: Reader) -> tuple[Operator, str]:
        who = Operator((await organizations.find(reader, asked.organization)).id)
        found = await people.by_login(reader, who.org_id, fold(asked.login))
        if not found:
            raise Problem(PERSON_NOT_FOUND, field="user")
        return who, found[0].id

    who, user = await deps.storage.read(find)
    link = _LINK.search(asked.message.strip())
    message = asked.message if link is None else (link[1], int(link[2]))
    return await push_why.explain(deps.storage, deps.pushes, who, user, message)


OPERATIONS: Final[dict[str, Operation]] = {"push.why": operation(Why, why)}
