"""What an operation is: a name, parameters as JSON, an answer as JSON, for whoever owns the data folder."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from chat_server.domain.errors import INVALID_FIELD, Problem
from chat_server.ports import Clock, Passwords, PushRecord, Storage
from chat_server.services.keys import Keys

P = TypeVar("P", bound=msgspec.Struct)
Wire = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Deps:
    """What operations need of a running server. `pushes`: None where nobody is pushed."""

    storage: Storage
    passwords: Passwords
    clock: Clock
    keys: Keys
    pushes: PushRecord | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """`run` validates its parameters. Raises `Problem`."""

    run: Callable[[Deps, Wire], Awaitable[Wire]]


def operation(params: type[P], use_case: Callable[[Deps, P], Awaitable[Wire]]) -> Operation:
    """`use_case` behind the validation of its parameters. What is unknown is refused, not ignored: an option that the
    running server does not know yet must not be thought to have worked."""

    async def run(deps: Deps, given: Wire) -> Wire:
        unknown = sorted(given.keys() - {field.name for field in msgspec.structs.fields(params)})
        if unknown:
            raise Problem(INVALID_FIELD, field=unknown[0], reason="サーバーが知らない項目です / unknown to this server")
        try:
            asked = msgspec.convert(given, params)
        except msgspec.ValidationError as error:
            raise Problem(INVALID_FIELD, field=_field(str(error)), reason=str(error).split(" - ")[0]) from None
        return await use_case(deps, asked)

    return Operation(run)


def _field(message: str) -> str:
    """msgspec says `… - at `$.field``, or names a missing field in backticks."""
    where = message.rpartition(" - at `$.")[2] if " - at `$." in message else message.rpartition("field `")[2]
    return where.split("`")[0].split("[")[0] or "params"
