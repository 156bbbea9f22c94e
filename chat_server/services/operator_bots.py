"""The operator's acts on bots: which there are, and where they run."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from chat_server.domain.errors import BOT_NOT_FOUND, BOT_TAKEN, Problem
from chat_server.ports import Reader, Tx
from chat_server.services import audit, bots, organizations, outside_bots
from chat_server.services.authority import Operator
from chat_server.services.bots import Plugin
from chat_server.services.operation import Deps, Operation, Wire, operation
from chat_server.storage.queries import outside_bots as queries

Name = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,39}$")]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class AddBot(msgspec.Struct, frozen=True):
    """`name`: as a folder's. `zone`: the network that it runs in."""

    organization: str
    name: Name
    title: Title
    reading: Title
    zone: str


class MoveBot(msgspec.Struct, frozen=True):
    """`zone`: the network that it is to run in; None: in the server."""

    organization: str
    name: Name
    zone: str | None = None


class Which(msgspec.Struct, frozen=True):
    organization: str


async def add_bot(deps: Deps, asked: AddBot) -> Wire:
    """`{token}` of a bot that has no folder here. Raises `Problem` 6004, 6010."""

    async def use_case(tx: Tx) -> Wire:
        org_id = (await organizations.find(tx, asked.organization)).id
        if await queries.named(tx, org_id, asked.name) is not None:
            raise Problem(BOT_TAKEN, field="name", name=asked.name)
        user_id, bot = await bots.add(tx, org_id, Plugin(asked.name, asked.title, asked.reading, ""))
        token = await outside_bots.give_token(tx, user_id, asked.zone)
        await audit.record_by(tx, Operator(org_id), "operator.bot_add", bot, {"name": asked.name, "zone": asked.zone})
        return {"token": token}

    return await deps.storage.write(use_case)


async def move_bot(deps: Deps, asked: MoveBot) -> Wire:
    """`{token}`: a new one, by which it runs elsewhere; None where it runs in the server again. Raises `Problem` 6004, 6011."""

    async def use_case(tx: Tx) -> Wire:
        org_id = (await organizations.find(tx, asked.organization)).id
        found = await queries.named(tx, org_id, asked.name)
        if found is None:
            raise Problem(BOT_NOT_FOUND, field="name", name=asked.name)
        user_id, bot = found
        token = None
        if asked.zone is None:
            await queries.give_token(tx, user_id, None, "")
        else:
            token = await outside_bots.give_token(tx, user_id, asked.zone)
        await audit.record_by(tx, Operator(org_id), "operator.bot_move", bot, {"zone": asked.zone or ""})
        return {"token": token}

    return await deps.storage.write(use_case)


async def list_bots(deps: Deps, asked: Which) -> Wire:
    """Where each runs, when it last asked for work, what waits for it and what was given up."""

    async def use_case(reader: Reader) -> Wire:
        org_id = (await organizations.find(reader, asked.organization)).id
        return {"bots": [one._asdict() for one in await queries.all_of(reader, org_id)]}

    return await deps.storage.read(use_case)


OPERATIONS: Final[dict[str, Operation]] = {
    "bot.add": operation(AddBot, add_bot),
    "bot.move": operation(MoveBot, move_bot),
    "bot.list": operation(Which, list_bots),
}
